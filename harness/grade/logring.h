/*
 * The last lines that a student's program printed, however much it printed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum {
    LOGRING_LINES = 64,  /* lines kept                           */
    LOGRING_BYTES = 200, /* bytes kept of a line, once it is clean */
};

struct logring {
    char lines[LOGRING_LINES][LOGRING_BYTES + 1]; /* clean text, see text.h            */
    size_t total;                                 /* lines ever, kept or not           */
    char raw[LOGRING_BYTES];                      /* the line that is not yet complete */
    size_t raw_length;                            /* its length, also beyond `raw`     */
};

/* Forgets everything. */
void logring_clear(struct logring *ring);

/* Adds output as it came: lines may arrive in pieces, and with any bytes. */
void logring_add(struct logring *ring, const char *text, size_t length);

/* Ends a line that has no line feed; to be called once the output is complete. */
void logring_finish(struct logring *ring);

/* How many lines are kept, and the `index`th of them, oldest first. */
size_t logring_count(const struct logring *ring);
const char *logring_line(const struct logring *ring, size_t index);
