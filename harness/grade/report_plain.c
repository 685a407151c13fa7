/*
 * The verdict for screen readers, logs and poor terminals: PLAIN=1. One fact a line, its name
 * first, ASCII only, and nothing that has to be seen to be understood.
 */
#include <string.h>

#include "grade/lab.h"
#include "grade/page.h"
#include "grade/text.h"

enum { PLAIN_INDENT = 2, PLAIN_FIELD = 2 /* lines that a piece of evidence may take */ };

static void fact(struct page *page, const char *name, const char *text)
{
    const char *rest;

    if (!text || !text[0])
        return;
    text = page_text(page, arena_format(&page->arena, "%s: %s", name, text));
    size_t length = text_wrap(text, REPORT_COLUMNS, &rest);
    page_add(page, arena_copy(&page->arena, text, length));
    if (*rest)
        page_add_wrapped(page, "", PLAIN_INDENT, rest, PLAIN_FIELD - 1);
}

/* "FAIL 3 the old root is gone, 0 of 20 points": if it is too long, the title gives way. */
static void add_step(struct page *page, const struct step *step, const struct result *result)
{
    struct arena *arena = &page->arena;
    int earned = result->outcome == OUTCOME_PASS ? step->points : 0;
    bool told = result->outcome == OUTCOME_BLOCKED || result->outcome == OUTCOME_SKIP;
    const char *left = arena_format(arena, "%s %d ", outcome_name(result->outcome), step->number);
    const char *reason = told && result->reason ? result->reason : "";
    const char *right = result->outcome == OUTCOME_SKIP
                            ? arena_format(arena, ", %d points not graded", step->points)
                            : arena_format(arena, ", %d of %d points", earned, step->points);

    right = arena_format(arena, "%s%s%s%s", reason[0] ? ", " : "",
                         text_cut(arena, page_text(page, reason), 30, "..."), right,
                         step->more ? ", bonus" : "");
    size_t room = REPORT_COLUMNS - strlen(left) - strlen(right);
    const char *title = text_cut(arena, page_text(page, step->title), room, "...");
    page_add(page, arena_format(arena, "%s%s%s", left, title, right));
}

static void add_evidence(struct page *page, const struct grade *g, const struct step *step,
                         const struct result *result)
{
    if (result->outcome == OUTCOME_ERROR) {
        fact(page, "harness", result->reason);
    } else {
        fact(page, "expected", result->evidence.expected);
        fact(page, "kernel", result->evidence.kernel);
        fact(page, "see it", result->evidence.see);
        fact(page, "read",
             arena_format(&page->arena, "docs/%s.md#%s%s%s", g->lab->name, step->chapter,
                          step->man ? ", " : "", step->man ? step->man : ""));
    }
    if (result->undo_error != result->reason)
        fact(page, "clean-up", result->undo_error);
    fact(page, "note", result->note);
}

static void add_tail(struct page *page, const struct grade *g, const struct score *score,
                     const char *next)
{
    fact(page, "core steps passed",
         arena_format(&page->arena, "%d of %d", score->core_passed, score->core_total));
    fact(page, "points",
         score->not_graded
             ? arena_format(&page->arena, "%d of %d gradable here, %d not graded", score->points,
                            score->gradable, score->not_graded)
             : arena_format(&page->arena, "%d of %d", score->points, score->gradable));
    if (score->bonus_total > 0)
        fact(page, "bonus",
             arena_format(&page->arena, "%d of %d", score->bonus, score->bonus_total));
    fact(page, "passed before this edit", report_regressions(&page->arena, g));
    if (!score->failing || score->failing->reason != g->trouble)
        fact(page, "ERROR around the steps", g->trouble);
    fact(page, "borrowed from solutions/", g->options->borrowed);
    const char *where = report_where(g);
    fact(page, "ran",
         arena_format(&page->arena, "%s, as %s", where ? where : "here", report_who(g)));
    fact(page, "elsewhere", report_places(&page->arena, g));
    fact(page, "seconds", arena_format(&page->arena, "%.1f", g->seconds));
    fact(page, "SEED", arena_format(&page->arena, "%08x", g->options->seed));
    fact(page, "next", next);
}

/* Shared with report_term.c. */
const char *report_regressions(struct arena *arena, const struct grade *g)
{
    const char *text = "";

    for (size_t i = 0; i < g->lab->count; i++)
        if (g->results[i].passed_before)
            text = arena_format(arena, "%s%sstep %d", text, text[0] ? ", " : "",
                                g->lab->steps[i].number);
    return text;
}

/* Prints body and tail; what does not fit is taken from the end of the details between them. */
static void print_fitting(struct page *body, size_t details_end, struct page *tail, FILE *out)
{
    size_t total = body->count + tail->count;
    size_t over = total > REPORT_LINES ? total - REPORT_LINES : 0;

    if (over > details_end)
        over = details_end;
    memmove(&body->lines[details_end - over], &body->lines[details_end],
            (body->count - details_end) * sizeof(body->lines[0]));
    body->count -= over;
    page_print(body, out);
    page_print(tail, out);
}

static void add_output(struct page *page, const struct result *result, size_t room)
{
    size_t lines = result->log_count < REPORT_OUTPUT ? result->log_count : REPORT_OUTPUT;

    if (lines == 0 || room < 2)
        return;
    if (lines > room - 1)
        lines = room - 1;
    page_add(page, arena_format(&page->arena, "%s said: last %zu of %zu lines follow",
                                result->log_of ? result->log_of : "your program", lines,
                                result->log_total));
    for (size_t i = result->log_count - lines; i < result->log_count; i++)
        page_add(page, arena_format(&page->arena, "| %s", result->log[i]));
}

void report_plain(FILE *out, const struct style *style, const struct grade *g, const char *next)
{
    struct page body = {.style = style};
    struct page tail = {.style = style};
    struct score score = score_of(g);
    size_t details_end = 0;
    size_t after = 0;
    char number[3];

    add_tail(&tail, g, &score, next);
    for (size_t i = score.failing_index + 1; i < g->lab->count; i++)
        after += g->results[i].selected;
    page_add(&body,
             arena_format(&body.arena, "LAB %s %s", lab_number(g->lab, number), g->lab->title));
    for (size_t i = 0; i < g->lab->count; i++) {
        const struct result *result = &g->results[i];
        if (!result->selected)
            continue;
        add_step(&body, &g->lab->steps[i], result);
        if (result != score.failing)
            continue;
        add_evidence(&body, g, &g->lab->steps[i], result);
        size_t used = body.count + after + tail.count;
        add_output(&body, result, used < REPORT_LINES ? REPORT_LINES - used : 0);
        details_end = body.count;
    }
    print_fitting(&body, details_end, &tail, out);
}
