/* The regions that the markers of a solution enclose. */
#ifndef STRATA_SKELETON_REGION_H
#define STRATA_SKELETON_REGION_H

#include "skeleton/scan.h"

enum region_kind {
    REGION_PLAIN,   /* becomes its TODO */
    REGION_HELPER,  /* vanishes */
    REGION_RETURN,  /* becomes its TODO and "return value;" */
    REGION_REPLACE, /* becomes its TODO, if it has one, and the line value */
};

/* All pointers point into the source. */
struct region {
    unsigned step; /* from 1 */
    unsigned line; /* of BEGIN */
    enum region_kind kind;
    const char *value; /* of RETURN and REPLACE; may be empty for RETURN */
    size_t value_length;
    const char *todo; /* inside of the BEGIN comment, from its second line */
    const char *todo_end;
    const char *begin;  /* start of the line with BEGIN */
    size_t indent;      /* bytes of white space before BEGIN */
    const char *body;   /* first byte of the line after the BEGIN comment */
    const char *finish; /* start of the line with END */
    const char *end;    /* first byte of the line after END */
};

struct regions {
    struct region *list;
    size_t count;
};

/*
 * Reads the markers among the comments of all (of source, length bytes).
 * Returns 0, -EINVAL with error filled for nested, unbalanced or misspelt markers, for a TODO
 * that is missing or names another step, and for a file without any region; -ENOMEM.
 * regions_free in either case.
 */
int regions_read(const char *source, size_t length, const struct tokens *all,
                 struct regions *regions, struct skeleton_error *error);

void regions_free(struct regions *regions);

#endif
