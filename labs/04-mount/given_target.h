/* Where something is to be mounted: found, or made, below the container's root. */
#pragma once

#include <stdbool.h>

/* Opens `path` below `root` ("" is the present root) with O_PATH, and makes what is missing of it:
 * folders with mode 0755, and as the last part a folder (`folder`) or an empty file.
 *
 * The tree below `root` is somebody else's: in it, "/data" may be a symbolic link to "/etc". So
 * links and ".." are resolved as the container itself would resolve them, by RESOLVE_IN_ROOT of
 * openat2(2), and can never lead out of `root`. A link to nowhere is -ENOENT.
 *
 * Returns an fd, or -errno. The fd means the place as it was found: what is mounted on it later
 * is not what the fd means. */
int target_open(const char *root, const char *path, bool folder);
