/* Lab 06, step 5, in three files. */
#pragma once

#include "graders/06-overlayfs.h"

enum { SOMEBODY = 1000 }; /* an ordinary user of the room, where it has more ids than one */

/* overlay_create alone: modes, owner, and what it refuses. */
void container_created(struct grade *g, struct run *room);

/* overlay_remove alone: all goes, and nothing outside. */
void container_removed(struct grade *g, struct run *room);

/* The folder is gone; `why` it should be. */
void container_gone(struct grade *g, struct run *room, const char *path, const char *because,
                    const char *why);
