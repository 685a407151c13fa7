/* Where our own control groups are: one folder a hierarchy. cgroups(7) */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

enum { HOMES_MAX = 16, HOME_CONTROLLERS = 64 };

struct home {
    bool v2;
    bool memory, processes;             /* which limits it can set                              */
    char controllers[HOME_CONTROLLERS]; /* of a v1 hierarchy: "cpu,cpuacct"                     */
    char folder[PATH_MAX];              /* where a group of ours may be made                    */
};

/* As /proc/self/cgroup and /proc/self/mountinfo tell. In v2 that is the nearest group, from our own
 * upwards, that already hands down memory and pids (or our own, when none does): nothing of the
 * machine's own groups is changed. Returns how many there are. */
size_t homes_find(struct home homes[HOMES_MAX]);

/* Whether a version 1 hierarchy has this controller: "cpu" is not "cpuset". */
bool home_has(const struct home *home, const char *controller);
