/*
 * The verdict on the screen. It has to be read in one look: the first step that fails tells all
 * that is known, the others one line each, and everything together fits a small terminal.
 */
#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "grade/lab.h"
#include "grade/page.h"
#include "grade/text.h"

enum {
    INDENT = 18,      /* where evidence begins                         */
    FIELDS_MAX = 10,  /* pieces of evidence                            */
    TAIL_MAX = 8,     /* lines below the steps                         */
    OUTPUT_WANTED = 5 /* lines of output that long evidence must leave */
};

struct field {
    const char *label;
    const char *text;
    size_t lines;
};

struct style style_for(FILE *out)
{
    const char *plain = getenv("PLAIN");
    const char *no_colour = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    struct style style = {.plain = plain && plain[0] && strcmp(plain, "0") != 0};

    style.utf8 = !style.plain && strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    style.colour = !style.plain && !(no_colour && no_colour[0]) && term &&
                   strcmp(term, "dumb") != 0 && isatty(fileno(out));
    return style;
}

/* "3 of 6 core steps · 50/100 · bonus 10" */
static const char *score_text(struct page *page, const struct score *score)
{
    const char *bonus = "";

    if (score->bonus_total > 0)
        bonus = arena_format(&page->arena, " · bonus %d", score->bonus);
    if (score->core_total == 0)
        return arena_format(&page->arena, "bonus %d/%d", score->bonus, score->bonus_total);
    return arena_format(&page->arena, "%d of %d core steps%s · %d/%d%s", score->core_passed,
                        score->core_total, score->partial ? " run" : "", score->points,
                        score->gradable, bonus);
}

static const char *points_text(struct page *page, const struct step *step,
                               const struct result *result)
{
    const char *bonus = step->more ? "bonus " : "";

    if (result->outcome == OUTCOME_PASS)
        return arena_format(&page->arena, "%s%d", bonus, step->points);
    if (result->outcome == OUTCOME_SKIP)
        return arena_format(&page->arena, "%s%d not graded", bonus, step->points);
    return arena_format(&page->arena, "%s0/%d", bonus, step->points);
}

static void add_step(struct page *page, const struct step *step, const struct result *result)
{
    const char *word = outcome_name(result->outcome);
    const char *left = arena_format(&page->arena, "  %s %-2d ", word, step->number);
    const char *right = points_text(page, step, result);
    const char *tail = "";

    if ((result->outcome == OUTCOME_SKIP || result->outcome == OUTCOME_BLOCKED) && result->reason) {
        const char *mark = page->style->utf8 ? "…" : "...";
        tail = arena_format(&page->arena, " · %s",
                            text_cut(&page->arena, page_text(page, result->reason), 36, mark));
    }
    /* The reason must not be what the cut takes away: the title gives way. */
    size_t taken = text_columns(left, strlen(left)) + text_columns(right, strlen(right)) +
                   text_columns(tail, strlen(tail)) + 2;
    const char *title = text_cut(&page->arena, page_text(page, step->title), REPORT_COLUMNS - taken,
                                 page->style->utf8 ? "…" : "...");
    page_add_pair(page, arena_format(&page->arena, "%s%s%s", left, title, tail), right);
    page_colour(page, 2, strlen(word), result->outcome);
}

static size_t gather(struct page *page, const struct grade *g, const struct score *score,
                     struct field fields[FIELDS_MAX])
{
    const struct result *result = score->failing;
    const struct step *step = &g->lab->steps[score->failing_index];
    size_t count = 0;

    if (result->outcome == OUTCOME_ERROR) {
        fields[count++] = (struct field){"harness", result->reason, 0};
    } else {
        fields[count++] = (struct field){"expected", result->evidence.expected, 0};
        fields[count++] = (struct field){"kernel", result->evidence.kernel, 0};
        fields[count++] = (struct field){"see it", result->evidence.see, 0};
        fields[count++] = (struct field){
            "read",
            arena_format(&page->arena, "docs/%s.md#%s%s%s", g->lab->name, step->chapter,
                         step->man ? " · " : "", step->man ? step->man : ""),
            0};
    }
    if (result->undo_error && result->undo_error != result->reason)
        fields[count++] = (struct field){"clean-up", result->undo_error, 0};
    fields[count++] = (struct field){"note", result->note, 0};
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (fields[i].text && fields[i].text[0])
            fields[kept++] = fields[i];
    return kept;
}

/* Shares `room` lines among the fields: whoever wants most gives way first. */
static size_t share(struct page *page, struct field *fields, size_t count, size_t room)
{
    size_t total = 0;

    for (size_t i = 0; i < count; i++) {
        fields[i].lines = page_wrapped_lines(page, INDENT, fields[i].text);
        total += fields[i].lines;
    }
    while (total > room) {
        size_t longest = 0;
        for (size_t i = 1; i < count; i++)
            if (fields[i].lines > fields[longest].lines)
                longest = i;
        if (fields[longest].lines <= 1)
            break;
        fields[longest].lines--;
        total--;
    }
    return total;
}

static void add_output(struct page *page, const struct result *result, size_t room)
{
    size_t lines = result->log_count < REPORT_OUTPUT ? result->log_count : REPORT_OUTPUT;

    if (lines == 0 || room < 2)
        return;
    if (lines > room - 1)
        lines = room - 1;
    bool all = lines == result->log_total;
    const char *whose = result->log_of ? result->log_of : "your program";
    page_add(page, all ? arena_format(&page->arena, "       %s said", whose)
                       : arena_format(&page->arena, "       %s said (last %zu of %zu lines)", whose,
                                      lines, result->log_total));
    for (size_t i = result->log_count - lines; i < result->log_count; i++)
        page_add(page, arena_format(&page->arena, "         %s", result->log[i]));
}

static void add_evidence(struct page *page, const struct grade *g, const struct score *score,
                         size_t room)
{
    struct field fields[FIELDS_MAX];
    const struct result *result = score->failing;
    size_t count = gather(page, g, score, fields);
    size_t output = result->log_count > 0 ? result->log_count + 1 : 0;

    if (output > OUTPUT_WANTED)
        output = OUTPUT_WANTED;
    size_t used = share(page, fields, count, room > output + count ? room - output : count);
    while (used > room && count > 0)
        used -= fields[--count].lines;
    for (size_t i = 0; i < count; i++) {
        const char *label = arena_format(&page->arena, "       %s", fields[i].label);
        page_add_wrapped(page, label, INDENT, fields[i].text, fields[i].lines);
    }
    add_output(page, result, room - used);
}

/* Twenty borrowed layers do not fit a line by name: then by number, "01-04 06". */
static const char *borrowed_text(struct arena *arena, const char *list)
{
    const char *text = "";
    int first = 0;
    int last = 0;

    if (strlen(list) <= 54)
        return list;
    for (const char *at = list;; at += strcspn(at, ", ")) {
        at += strspn(at, ", ");
        int number = atoi(at);
        if (*at && last != 0 && number == last + 1) {
            last = number;
            continue;
        }
        if (last != 0 && first == last)
            text = arena_format(arena, "%s%s%02d", text, text[0] ? " " : "", first);
        else if (last != 0)
            text = arena_format(arena, "%s%s%02d-%02d", text, text[0] ? " " : "", first, last);
        if (!*at)
            return text;
        first = last = number;
    }
}

/* What stands below the steps. */
static size_t tail(struct page *page, const struct grade *g, const struct score *score,
                   const char *next, const char *lines[TAIL_MAX])
{
    size_t count = 0;
    int hidden = score->count[OUTCOME_FAIL] + score->count[OUTCOME_ERROR] - 1;
    struct arena *arena = &page->arena;
    char number[3];

    lab_number(g->lab, number);
    for (size_t i = score->failing_index + 1; hidden > 0 && i < g->lab->count; i++) {
        const struct result *result = &g->results[i];
        if (!result->selected ||
            (result->outcome != OUTCOME_FAIL && result->outcome != OUTCOME_ERROR))
            continue;
        lines[count++] = arena_format(arena, "%d more did not pass: build/grade --step %d %s",
                                      hidden, g->lab->steps[i].number, number);
        break;
    }
    if (score->not_graded > 0)
        lines[count++] = arena_format(arena, "%d of %d gradable here, %d not graded", score->points,
                                      score->gradable, score->not_graded);
    const char *regressed = report_regressions(arena, g);
    if (regressed[0])
        lines[count++] = arena_format(arena, "passed before this edit: %s", regressed);
    if (g->trouble && (!score->failing || score->failing->reason != g->trouble))
        lines[count++] = arena_format(arena, "ERROR around the steps: %s", g->trouble);
    if (g->options->borrowed && g->options->borrowed[0])
        lines[count++] = arena_format(arena, "borrowed from solutions/: %s",
                                      borrowed_text(arena, g->options->borrowed));
    const char *where = report_where(g);
    const char *places = report_places(arena, g);
    if (places[0])
        lines[count++] = places;
    lines[count++] = arena_format(arena, "ran %s, as %s · %.1f s · SEED=%08x",
                                  where       ? where
                                  : places[0] ? "the others here"
                                              : "here",
                                  report_who(g), g->seconds, g->options->seed);
    if (next && next[0])
        lines[count++] = arena_format(arena, "next: %s", next);
    return count;
}

static void add_header(struct page *page, const struct grade *g, const struct score *score)
{
    char number[3];

    page_add_pair(
        page, arena_format(&page->arena, "lab%s · %s", lab_number(g->lab, number), g->lab->title),
        score_text(page, score));
}

void report_verdict(FILE *out, const struct style *style, const struct grade *g, const char *next)
{
    struct page page = {.style = style};
    struct score score = score_of(g);
    const char *lines[TAIL_MAX];
    size_t steps = 0;

    if (style->plain) {
        report_plain(out, style, g, next);
        return;
    }
    size_t below = tail(&page, g, &score, next, lines);
    for (size_t i = 0; i < g->lab->count; i++)
        steps += g->results[i].selected;
    size_t fixed = 1 + steps + below;
    add_header(&page, g, &score);
    for (size_t i = 0; i < g->lab->count; i++) {
        if (!g->results[i].selected)
            continue;
        add_step(&page, &g->lab->steps[i], &g->results[i]);
        if (&g->results[i] == score.failing && fixed < REPORT_LINES)
            add_evidence(&page, g, &score, REPORT_LINES - fixed);
    }
    for (size_t i = 0; i < below; i++)
        page_add(&page, lines[i]);
    page_print(&page, out);
}

void report_line(FILE *out, const struct style *style, const struct grade *g)
{
    static const enum outcome words[] = {[STATUS_PASSED] = OUTCOME_PASS,
                                         [STATUS_FAILED] = OUTCOME_FAIL,
                                         [STATUS_USAGE] = OUTCOME_ERROR,
                                         [STATUS_HARNESS] = OUTCOME_ERROR,
                                         [STATUS_SKIPPED] = OUTCOME_SKIP};
    struct page page = {.style = style};
    struct score score = score_of(g);
    enum outcome outcome = words[score_status(g, &score)];
    const char *word = outcome_name(outcome);
    char number[3];

    page_add_pair(
        &page,
        arena_format(&page.arena, "%s lab%s · %s", word, lab_number(g->lab, number), g->lab->title),
        score_text(&page, &score));
    page_colour(&page, 0, strlen(word), outcome);
    const char *where = report_where(g);
    if (!where)
        page_add(&page, arena_format(&page.arena, "     %s", report_places(&page.arena, g)));
    else if (strcmp(where, g->options->where) != 0)
        page_add(&page, arena_format(&page.arena, "     %s", where));
    page_print(&page, out);
}
