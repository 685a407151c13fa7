/*
 * A screenful: lines are gathered first and printed once it is known that they fit.
 */
#pragma once

#include "grade/report.h"

enum { PAGE_LINES = 64 };

struct page_line {
    const char *text;   /* without the line feed, at most REPORT_COLUMNS wide */
    size_t word;        /* where the outcome's word begins                    */
    size_t word_length; /* 0: nothing to colour                               */
    enum outcome outcome;
};

struct page {
    struct arena arena;
    const struct style *style;
    struct page_line lines[PAGE_LINES];
    size_t count;
};

/* A text as this terminal can show it: ASCII where it has no UTF-8. */
const char *page_text(struct page *page, const char *text);

/* Adds a line, cut to the width. */
void page_add(struct page *page, const char *text);

/* Adds `left` and, flush with the right margin, `right`; `left` is cut where they would meet. */
void page_add_pair(struct page *page, const char *left, const char *right);

/* Adds `label` and a text wrapped beside it, the further lines below its beginning: at most
 * `most` lines (the last one ends in "…" if that was not enough). Returns how many. */
size_t page_add_wrapped(struct page *page, const char *label, size_t indent, const char *text,
                        size_t most);

/* How many lines page_add_wrapped would add. */
size_t page_wrapped_lines(struct page *page, size_t indent, const char *text);

/* Marks the newest line's `length` bytes from `at` as an outcome's word. */
void page_colour(struct page *page, size_t at, size_t length, enum outcome outcome);

/* Prints and forgets everything. */
void page_print(struct page *page, FILE *out);
