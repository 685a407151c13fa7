/* The control groups of one room, below those that limit the sandbox: the room's root may do in
 * them what it likes, and never more than the limits above allow. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

/* Makes them for room `number` of `run`, in every hierarchy there is, hands them to `uid` and `gid`
 * (the room's root, as we number it), and moves the process `pid` into them. `text` becomes the
 * list of the hierarchies, a word each: "v2", or the controllers of a v1 hierarchy ("cpu,cpuacct").
 * 0 or -errno; on failure none is left. */
int groups_make(const char *run, unsigned number, uid_t uid, gid_t gid, pid_t pid, char *text,
                size_t size);

/* Removes them; all processes of the room have ended. (What stays goes with the sandbox's own.) */
void groups_remove(const char *run, unsigned number);
