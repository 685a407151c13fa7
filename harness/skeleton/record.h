/*
 * The record of skeletons, by which a file that nobody has edited is known. Plain text:
 *
 *     SHA256  NN-name/FILE.c
 *
 * one line for every skeleton that was ever handed out, a file's oldest first. A file's last
 * line is what its solution gives now. Lines with a # in front are remarks.
 */
#ifndef STRATA_SKELETON_RECORD_H
#define STRATA_SKELETON_RECORD_H

#include "digest/digest.h"
#include "skeleton/text.h"

struct record_line {
    char digest[DIGEST_HEX];
    char file[256]; /* NN-name/FILE.c */
};

struct record {
    struct record_line *list; /* sorted by file, a file's oldest first */
    size_t count;
};

/*
 * Reads the text of a record. Returns 0, -ENOMEM, or -EINVAL with *bad_line set to the number of
 * the first line that is none. record_free in any case.
 */
int record_parse(const char *bytes, size_t length, struct record *record, unsigned *bad_line);

void record_free(struct record *record);

/* The digest of the present skeleton of file, or NULL if none is recorded. */
const char *record_latest(const struct record *record, const char *file);

/* Whether digest was ever a skeleton of file. */
bool record_knows(const struct record *record, const char *file, const char *digest);

/*
 * Makes digest the latest of file; an earlier line with the same digest moves.
 * Returns 1 if the record has changed, 0 if it was so already, -ENOMEM, -ENAMETOOLONG.
 */
int record_add(struct record *record, const char *file, const char *digest);

/* Appends the record as text. */
void record_print(const struct record *record, struct text *text);

#endif
