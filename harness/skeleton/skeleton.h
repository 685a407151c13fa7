/*
 * From a solution to a skeleton: the regions between BEGIN SOLUTION and END SOLUTION are taken
 * out, and what the compiler would miss is put in. Text in, text out; files are place.h's and
 * labs.h's business.
 *
 *     BEGIN SOLUTION step 2                  the region becomes its TODO(step 2) comment
 *     BEGIN SOLUTION step 2 helper           at file scope: the region vanishes without a trace
 *     BEGIN SOLUTION step 2 return VALUE     the value that the unwritten step returns
 *     BEGIN SOLUTION step 2 replace: CODE    one line of code that stands in for the region
 *
 * Each opens a block comment that stands on lines of its own. The lines after the first are the
 * comment that the student finds; it begins with "TODO(step 2):".
 */
#ifndef STRATA_SKELETON_H
#define STRATA_SKELETON_H

#include "skeleton/text.h"

#include <stddef.h>

/* What is wrong with a solution, and what its author does about it. */
struct skeleton_error {
    unsigned line; /* counted from 1 */
    char what[320];
};

/*
 * Writes the skeleton of a solution into out (which must be empty; the caller frees it).
 * source: length bytes of C. first_open: the first step that is left to the student; regions of
 * the steps before it keep their code. 1 takes every region out.
 * The result has been searched for lines of the regions that were taken out: a line that got
 * through, for instance quoted in a TODO, is an error.
 * Returns 0; -EINVAL with error filled for a fault in the solution; -ENOMEM.
 */
int skeleton_make(const char *source, size_t length, unsigned first_open, struct text *out,
                  struct skeleton_error *error);

/*
 * The highest step that a marker of this solution names, 0 if it cannot be read: for callers
 * that go through all of skeleton_make's first_open, 1 to highest + 1.
 */
unsigned skeleton_highest_step(const char *source, size_t length);

/* Fills error; always returns -EINVAL, so that a finder of faults can return what this returns. */
int skeleton_fail(struct skeleton_error *error, unsigned line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
