/* A set of paths with a number to each: a search tree, by tsearch(3). */
#pragma once

#include <stdint.h>

struct paths {
    void *root; /* begin with NULL */
};

/* The number of `path`, or NULL when it is not in the set. */
uint64_t *paths_find(const struct paths *paths, const char *path);

/* The number of `path`, which joins the set with 0 if it is not in yet. NULL without memory. */
uint64_t *paths_add(struct paths *paths, const char *path);

/* Lets `path` join the set with the number of `other`: one number, two paths. NULL when `other` is
 * not in the set, or without memory. */
uint64_t *paths_add_alias(struct paths *paths, const char *path, const char *other);

void paths_free(struct paths *paths);

/* Cuts the last component off: "a/b" becomes "a", "a" becomes "". */
void paths_parent(char *path);
