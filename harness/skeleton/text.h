/* A text that grows at its end. Running out of memory is remembered, and asked for once. */
#ifndef STRATA_SKELETON_TEXT_H
#define STRATA_SKELETON_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct text {
    char *bytes;   /* always closed by a NUL that length does not count; NULL while empty */
    size_t length; /* bytes */
    size_t room;   /* bytes allocated */
    bool failed;   /* an addition found no memory: the text is not whole */
};

/* Adds length bytes; on lack of memory sets failed and leaves the text as it was. */
void text_add(struct text *text, const char *bytes, size_t length);

/* Adds a NUL-terminated string. */
void text_add_string(struct text *text, const char *string);

/* Frees the bytes and makes the text an empty one. */
void text_free(struct text *text);

/*
 * The next line of [*at, end) without its newline: sets *line and *length, and moves *at to the
 * line after. Returns false when nothing is left.
 */
bool text_next_line(const char **at, const char *end, const char **line, size_t *length);

/* Moves the two ends inwards past white space. */
void text_trim(const char **from, const char **to);

#endif
