/* Lab 06, step 4: what the layers are made of, and what the list must say of it. */
#pragma once

#include "graders/06-overlayfs.h"

enum { LINES_MAX = 256 };

/* One path: how it must be reported, or 0 when it must not. `because` and `why` are for a verdict.
 */
struct line {
    char kind;
    const char *path, *because, *why;
};

struct fixture {
    struct grade *g;
    struct run *room;
    const char *lowers[LAYERS], *upper;
    const char *word; /* of this run: the end of each name */
    struct line lines[LINES_MAX];
    size_t count;
};

/* Layers that are empty yet. */
void fixture_new(struct fixture *fixture, struct grade *g, struct run *room);

/* What the next calls of fixture_want are about. */
void fixture_want(struct fixture *fixture, char kind, const char *because, const char *why,
                  const char *path);

/* Layers and an upper made file by file. */
void fixture_by_hand(struct fixture *fixture);

/* More of that: odd names, marks, devices, times. */
void fixture_odd(struct fixture *fixture);

/* An upper that the kernel fills, in a mount that we make and change. */
void fixture_by_mount(struct fixture *fixture);
