/* Two lists: names of files, and changes. Nothing of overlayfs is in here. Both begin as {0}. */
#pragma once

#include <stddef.h>

#include "06-overlayfs/overlay.h"

/* Names of files, each once. */
struct names {
    char **list;
    size_t count, room;
};

/* Adds the names that the folder LAYER/PATH holds, without "." and "..". Returns 0 or -errno. */
int names_read(struct names *names, const char *layer, const char *path);

/* The same for an open folder, which stays open. */
int names_of(struct names *names, int folder);

void names_free(struct names *names);

/* What overlay_diff found, in any order. */
struct changes {
    struct change {
        enum overlay_kind kind;
        char *path;
    } * list;
    size_t count, room;
};

/* Adds a change, and keeps a copy of `path`. Returns 0 or -errno. */
int changes_add(struct changes *changes, enum overlay_kind kind, const char *path);

/* Calls `report` for each, sorted by path, until it returns other than 0; returns that, or 0. */
int changes_report(struct changes *changes,
                   int (*report)(void *arg, enum overlay_kind kind, const char *path), void *arg);

void changes_free(struct changes *changes);
