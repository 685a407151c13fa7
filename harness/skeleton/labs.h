/* The three verbs on whole folders: generate, check, reset. And one on a file: step. */
#ifndef STRATA_SKELETON_LABS_H
#define STRATA_SKELETON_LABS_H

#include <stdbool.h>
#include <stddef.h>

/* What a verb came to; the program's exit status. The worst of several wins. */
enum labs_outcome {
    LABS_FINE = 0,
    LABS_DRIFT = 1,   /* labs_check: the record and the solutions differ */
    LABS_WRONG = 2,   /* a fault in a solution, in the record, or in the call */
    LABS_TROUBLE = 3, /* a file could not be read or written; nothing is lost */
};

struct labs {
    const char *solutions;    /* the folder with NN-name/FILE.c */
    const char *labs;         /* the folder that has NN-name/ as well */
    const char *digests;      /* the record's file */
    const char *const *names; /* labs to take: "5", "05" or "05-pivot-root" */
    size_t name_count;        /* 0: all */
    unsigned first_open;      /* labs_reset, labs_step: the first step left to the student */

    /* Called with every sentence that has something to tell; trouble: it belongs on stderr. */
    void (*say)(bool trouble, const char *sentence);
};

/*
 * Makes the skeleton of every chosen solution and writes it to labs/NN-name/FILE.c where that is
 * missing or a skeleton that nobody has edited. An edited file is kept, and the sentence says so.
 * A fault in any chosen solution: nothing is written at all.
 * The record is written before the files: whatever is cut short, no skeleton goes unknown.
 */
enum labs_outcome labs_generate(const struct labs *labs);

/* Compares what the solutions give with the record, and never looks into labs. */
enum labs_outcome labs_check(const struct labs *labs);

/*
 * Writes a pristine skeleton over the chosen labs' files (at least one must be named), after a
 * backup of what has been edited. In a hand-out without solutions, solutions may name a folder
 * that has the skeletons themselves, if the record knows them.
 */
enum labs_outcome labs_reset(const struct labs *labs);

/*
 * Writes the file solution, with the steps before first_open solved, to the file out, or to
 * standard output for NULL. A file that is there and that none of the solution's own steps gave
 * is backed up first.
 */
enum labs_outcome labs_step(const struct labs *labs, const char *solution, const char *out);

#endif
