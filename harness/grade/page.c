#include "grade/page.h"

#include <string.h>

#include "grade/text.h"

static const char *more_mark(const struct page *page)
{
    return page->style->utf8 ? "…" : "...";
}

const char *page_text(struct page *page, const char *text)
{
    const char *clean = text_cleaned(&page->arena, text ? text : "");

    return page->style->utf8 ? clean : text_ascii(&page->arena, clean);
}

static void add(struct page *page, const char *text)
{
    if (page->count < PAGE_LINES)
        page->lines[page->count++] = (struct page_line){.text = text};
}

void page_add(struct page *page, const char *text)
{
    add(page, text_cut(&page->arena, page_text(page, text), REPORT_COLUMNS, more_mark(page)));
}

void page_add_pair(struct page *page, const char *left, const char *right)
{
    right = page_text(page, right);
    size_t right_width = text_columns(right, strlen(right));
    size_t room = right_width + 2 < REPORT_COLUMNS ? REPORT_COLUMNS - right_width - 2 : 0;
    left = text_cut(&page->arena, page_text(page, left), room, more_mark(page));
    size_t gap = REPORT_COLUMNS - right_width - text_columns(left, strlen(left));
    page_add(page, arena_format(&page->arena, "%s%*s%s", left, (int)gap, "", right));
}

size_t page_wrapped_lines(struct page *page, size_t indent, const char *text)
{
    const char *rest = page_text(page, text);
    size_t lines = 0;

    do {
        text_wrap(rest, REPORT_COLUMNS - indent, &rest);
        lines++;
    } while (*rest);
    return lines;
}

size_t page_add_wrapped(struct page *page, const char *label, size_t indent, const char *text,
                        size_t most)
{
    const char *rest = page_text(page, text);
    size_t columns = REPORT_COLUMNS - indent;
    size_t lines = 0;

    do {
        const char *line = rest;
        size_t length = text_wrap(rest, columns, &rest);
        const char *shown = arena_copy(&page->arena, line, length);
        lines++;
        if (lines == most && *rest) {
            const char *mark = more_mark(page);
            shown = arena_copy(&page->arena, shown,
                               text_fitting(shown, columns - text_columns(mark, strlen(mark))));
            shown = arena_format(&page->arena, "%s%s", shown, mark);
            rest = "";
        }
        /* A label is ASCII, so its bytes are its columns. */
        add(page,
            arena_format(&page->arena, "%-*s%s", (int)indent, lines == 1 ? label : "", shown));
    } while (*rest);
    return lines;
}

void page_colour(struct page *page, size_t at, size_t length, enum outcome outcome)
{
    if (page->count == 0)
        return;
    struct page_line *line = &page->lines[page->count - 1];
    line->word = at;
    line->word_length = length;
    line->outcome = outcome;
}

static const char *colour_of(enum outcome outcome)
{
    switch (outcome) {
    case OUTCOME_PASS:
        return "\033[32m"; /* green */
    case OUTCOME_FAIL:
        return "\033[1;31m"; /* bold red */
    case OUTCOME_BLOCKED:
    case OUTCOME_SKIP:
        return "\033[33m"; /* yellow */
    case OUTCOME_ERROR:
        break;
    }
    return "\033[1;35m"; /* bold magenta: not the student's */
}

void page_print(struct page *page, FILE *out)
{
    for (size_t i = 0; i < page->count; i++) {
        const struct page_line *line = &page->lines[i];
        if (page->style->colour && line->word_length > 0)
            fprintf(out, "%.*s%s%.*s\033[0m%s\n", (int)line->word, line->text,
                    colour_of(line->outcome), (int)line->word_length, line->text + line->word,
                    line->text + line->word + line->word_length);
        else
            fprintf(out, "%s\n", line->text);
    }
    page->count = 0;
    arena_clear(&page->arena);
}
