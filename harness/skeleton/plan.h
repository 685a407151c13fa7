/* What each region of a solution becomes in the skeleton, decided before a byte is written. */
#ifndef STRATA_SKELETON_PLAN_H
#define STRATA_SKELETON_PLAN_H

#include "skeleton/function.h"
#include "skeleton/region.h"

#include <limits.h>

enum { PLAN_PARAMETERS = 32 };

struct decision {
    bool removed;         /* else its code stays, for the step is one already solved */
    bool statement;       /* it stands where statements stand, in the body of a function */
    bool lone_label;      /* only a label before it, only a } behind: a ; must take its place */
    size_t function;      /* index of the function that it lies in; SIZE_MAX at file scope */
    const char *result;   /* the value to return, "" for a bare return; NULL for no return */
    size_t result_length; /* bytes of result */
    const struct token *silenced[PLAN_PARAMETERS]; /* parameters to mark as not used */
    size_t silenced_count;
};

struct plan {
    struct tokens all;  /* every token of the source */
    struct tokens code; /* without comments and directives */
    struct regions regions;
    struct functions functions;
    struct decision *decisions; /* one a region */
};

/*
 * Reads the source (length bytes) and decides. first_open as for skeleton_make.
 * Returns 0, -EINVAL with error filled, or -ENOMEM; plan_free in either case.
 */
int plan_make(const char *source, size_t length, unsigned first_open, struct plan *plan,
              struct skeleton_error *error);

void plan_free(struct plan *plan);

/* The region that the byte at lies in, or SIZE_MAX. */
size_t plan_region_at(const struct plan *plan, const char *at);

/*
 * site.c: whether region r can be cut out where it stands; fills statement, lone_label and
 * function. Returns 0 or -EINVAL with error filled.
 */
int plan_site(struct plan *plan, size_t r, struct skeleton_error *error);

#endif
