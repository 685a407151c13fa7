/*
 * The pages that need no run: how far all labs have come, and what there is.
 */
#pragma once

#include <stdio.h>

#include "grade/progress.h"
#include "grade/report.h"
#include "grade/track.h"

/* Prints the progress board: a line a lab, and what to do next. 0 or -errno (of the record). */
int board_print(FILE *out, const struct style *style, const char *root);

/* The same for the stops of a track. */
int board_track(FILE *out, const struct style *style, const char *root, const struct track *track);

/* Prints "05-pivot-root passed" and so on, a line a lab, for scripts: which layers are the
 * student's own. 0 or -errno. */
int board_standings(FILE *out, const char *root);

/* Prints all steps, a line each. */
void list_print(FILE *out, const struct style *style);

/* The same as JSON: an array of labs with their steps. NULL without memory. */
json_t *list_json(void);

/* The names of a step's needs, "userns,ids:65536", into `text`; "-" for none. Returns text. */
const char *needs_text(unsigned needs, char *text, size_t size);
