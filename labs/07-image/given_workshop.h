/*
 * Where an instruction that changes files is carried out: an overlay on the layers so far, in a
 * mount namespace of our own. What changed lies in its upper folder afterwards.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>

struct workshop {
    char folder[PATH_MAX]; /* lab 06's: upper, work, merged. "" when there is none         */
    char merged[PATH_MAX];
    int root; /* the merged folder, open; -1 when it is not mounted           */
};

/* From here on, what this process mounts shows nowhere else, and is gone when it ends, whatever
 * ends it. Once a process. -EPERM: only root may, or root of a user namespace. */
int workshop_begin(void);

/* Makes `folder`, an absolute path, and mounts an overlay on the folders `lowers` in it, the
 * topmost first; ends with NULL. Nothing stays behind on failure. */
int workshop_open(struct workshop *shop, const char *folder, const char *const *lowers);

/* Runs a program in a container with the merged folder as its root, as this very program would from
 * the command line. `env`: "NAME=VALUE", ends with NULL. Returns its exit status, or -errno. */
int workshop_run(const struct workshop *shop, char *const *argv, char *const *env,
                 const char *workdir);

/* Unmounts, and writes what changed as a layer to the file `out`. Returns 1, or 0 when nothing has
 * changed, or -errno. */
int workshop_commit(struct workshop *shop, int out);

/* Unmounts and removes all of it. Closed or never opened ({.root = -1}): fine. */
void workshop_close(struct workshop *shop);
