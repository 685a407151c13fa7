/* The skeletons of all chosen solutions, made in memory before a single file is touched. */
#ifndef STRATA_SKELETON_SHEETS_H
#define STRATA_SKELETON_SHEETS_H

#include "skeleton/labs.h"
#include "skeleton/record.h"

/* The skeleton of one file. */
struct sheet {
    char lab[128];           /* NN-name */
    char file[256];          /* NN-name/FILE.c, as in the record */
    const char *name;        /* FILE.c, inside of file */
    struct text text;        /* the skeleton */
    char digest[DIGEST_HEX]; /* of the text */
};

struct sheets {
    struct sheet *list; /* sorted by file */
    size_t count;
};

/*
 * Makes the skeletons of every chosen solutions/NN-name/FILE.c.
 * known: if not NULL, a file that this record knows as a skeleton is taken as it is.
 * Says every fault, not only the first. Returns LABS_FINE or the worst; sheets_free in any case.
 */
enum labs_outcome sheets_make(const struct labs *labs, const struct record *known,
                              struct sheets *sheets);

void sheets_free(struct sheets *sheets);

/* labs->say with a format. Always returns outcome; anything but LABS_FINE is trouble. */
enum labs_outcome labs_tell(const struct labs *labs, enum labs_outcome outcome, const char *format,
                            ...) __attribute__((format(printf, 3, 4)));

/*
 * Reads one solution and makes its skeleton, the steps before first_open solved. known as above.
 * path names the file in sentences and is opened. Returns LABS_FINE or what it said was wrong.
 */
enum labs_outcome sheets_make_one(const struct labs *labs, const char *path, unsigned first_open,
                                  const struct record *known, const char *file, struct text *text);

#endif
