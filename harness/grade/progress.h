/*
 * What has passed: .progress/passed, a plain text file that a student can read, mend and carry to
 * another machine. One line a step:
 *
 *     05-pivot-root/old-root <TAB> SHA-256 of the layer's source <TAB> SHA-256 of the kit <TAB> day
 *
 * Steps go by slug, so that a lab can gain steps or change their order; the digests tell whether
 * what passed is what lies there now.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "digest/digest.h"
#include "grade/grade.h"

struct progress_entry {
    char key[128]; /* "05-pivot-root/old-root"       */
    char layer[DIGEST_HEX];
    char kit[DIGEST_HEX];
    char day[16]; /* "2026-01-31"                    */
};

struct progress {
    struct progress_entry *entries;
    size_t count;
    size_t garbage; /* lines that were none: left out, and gone with the next record */
};

enum standing {
    STANDING_NONE,    /* not a single step has passed                              */
    STANDING_SOME,    /* some core steps                                           */
    STANDING_CHANGED, /* all core steps once, but the layer's source is another now */
    STANDING_PASSED,  /* all core steps, with this very source                     */
};

/* Reads root/.progress/passed; no such file is an empty record. 0 or -errno. */
int progress_load(const char *root, struct progress *progress);
void progress_free(struct progress *progress);

/* The entry of one step, or NULL. */
const struct progress_entry *progress_find(const struct progress *progress, const char *lab,
                                           const char *slug);

/* How far a lab has come. `layer` is the digest of its source now; "" (no such file) is never the
 * same. A graded lab is linked with the student's layer if this says STANDING_PASSED. */
enum standing progress_standing(const struct progress *progress, const struct lab *lab,
                                const char *layer);

/* "none", "some", "changed", "passed" */
const char *standing_name(enum standing standing);

/* Notes in g's results which failed steps are on record as passed: result.passed_before. */
void progress_compare(const struct progress *progress, struct grade *g);

/* Adds the passed steps of g to the record, and takes off those that failed with the very source
 * they passed with. Two runs at once wait for each other (flock(2)), and the file is replaced as a
 * whole. *garbage, if not NULL, becomes the number of lines left out. 0 or -errno. */
int progress_record(const struct grade *g, size_t *garbage);

/* The digest of the file at `path`; "" if it cannot be read. 0 or -errno. */
int progress_layer_digest(const char *path, char hex[DIGEST_HEX]);

/* The digest of what a lab is judged by: its grader and its contract (labs/NN-name/ *.h, in order
 * of name). Always gives one; files that are not there count as empty. */
int progress_kit_digest(const char *root, const char *lab, char hex[DIGEST_HEX]);
