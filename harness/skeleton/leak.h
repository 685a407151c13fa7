/* The last look before a skeleton goes out: does any line of the solution stand in it? */
#ifndef STRATA_SKELETON_LEAK_H
#define STRATA_SKELETON_LEAK_H

#include "skeleton/plan.h"

/*
 * Looks in output for the lines of the regions that plan takes out of source (length bytes).
 * supplied: the lines that the generator added by itself (return, silenced parameters).
 * A line counts when it has four characters or more, is not braces only, and stands neither
 * outside of the regions nor in supplied. It is found as a whole line, in a comment too, and a
 * statement also as a part of one.
 * Returns 0, -EINVAL with error filled (the line of the source that leaks), or -ENOMEM.
 */
int leak_check(const char *source, size_t length, const struct plan *plan,
               const struct text *output, const struct text *supplied,
               struct skeleton_error *error);

#endif
