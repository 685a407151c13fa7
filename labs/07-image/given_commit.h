/*
 * From what a container changed to a layer: the upper folder of an overlay as a tar archive.
 *
 * The same changes give the same bytes, and so the same digest: entries are sorted, and every time
 * is 0. Marks of overlayfs become names, as layer.md of the image specification has them: a
 * whiteout of "x" is a file ".wh.x", an opaque folder holds ".wh..wh..opq".
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Writes all that lies below the open folder `upper` to the file `out`. `user_attributes`: which
 * mark says opaque here, as overlay_attributes has it. Sockets and devices are left out, as
 * tar_make does when it unpacks. *entries counts what was written: 0, and nothing has changed. 0,
 * or -errno: -EINVAL for a name that would read as a whiteout. */
int commit_folder(int upper, bool user_attributes, int out, size_t *entries);
