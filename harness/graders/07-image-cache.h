/* Step 6 in three files: 07-image-cache.c asks for keys, 07-image-alike.c for many,
 * 07-image-builds.c builds. */
#pragma once

#include "grade/run.h"

/* No two different lists give one key by being written one after the other (07-image-alike.c). */
void image_check_alike(struct run *room);

/* Builds in this room, which has the root filesystem: which instructions hit? */
void image_check_builds(struct run *room);
