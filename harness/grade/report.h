/*
 * What a run leaves behind: a verdict on the screen, and build/report/NN/ for programs.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "grade/grade.h"
#include "grade/score.h"

enum { REPORT_VERSION = 1, REPORT_LINES = 25, REPORT_COLUMNS = 80, REPORT_OUTPUT = 10 };

/* How the screen wants it. */
struct style {
    bool colour;
    bool utf8;
    bool plain; /* one fact a line, plain ASCII */
};

/* Looks at the terminal, NO_COLOR, PLAIN, TERM and the locale (setlocale(3) has been called). */
struct style style_for(FILE *out);

/* Prints the verdict on one lab: at most REPORT_LINES lines of at most REPORT_COLUMNS columns.
 * `next` is the last line's text: what to type next. */
void report_verdict(FILE *out, const struct style *style, const struct grade *g, const char *next);

/* The same for style->plain; report_verdict() calls it. */
void report_plain(FILE *out, const struct style *style, const struct grade *g, const char *next);

/* The failed steps that are on record as passed, "step 2, step 4", or "". */
const char *report_regressions(struct arena *arena, const struct grade *g);

/* Prints one line about a lab: for runs of several. */
void report_line(FILE *out, const struct style *style, const struct grade *g);

/* The report as JSON: docs/report-format.md. NULL without memory; json_decref() it. */
json_t *report_json(const struct grade *g);

/* One result, as it stands in the report; for --stream and back. */
json_t *report_step_json(const struct grade *g, size_t index);
/* Writes the same as a line to `fd`, which may be a pipe that nobody reads. */
void report_stream(const struct grade *g, size_t index, int fd);
void report_step_read(struct grade *g, size_t index, const json_t *step);

/* Where the selected steps ran: one text for all of them, or NULL; then report_places() tells of
 * those that did not run here: "steps 2, 3: in the guest (cgroup v2, TCG)". */
const char *report_where(const struct grade *g);
const char *report_who(const struct grade *g);
const char *report_places(struct arena *arena, const struct grade *g);

/* The report as TAP 13; malloc'd, *length bytes; NULL without memory. */
char *report_tap(const struct grade *g, size_t *length);

/* Writes report.json, report.tap and last into the open folder. 0 or -errno. */
int report_write(const struct grade *g, int folder);
