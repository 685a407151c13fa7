/*
 * Control groups, as graders see them: labs 11 to 13. Their rooms have groups of their own
 * (struct lab, .cgroups), in whichever version this machine has.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "grade/run.h"
#include "grade/step.h"

/* The hierarchy that has a controller, as the room sees it. */
struct cgroups {
    int version;        /* 1 or 2                                                              */
    const char *folder; /* of the room's topmost group, a path of the room: "/sys/fs/cgroup/pids" */
    const char *base; /* the same group's path in the hierarchy, as /proc/PID/cgroup shows it us */
};
struct cgroups cgroups_of(struct grade *g, struct run *room, const char *controller);

/* Which group a process is in, as a path below the room's topmost: "" for that itself, "/a". NULL
 * when it is not in the room's groups at all. */
const char *cgroups_group(struct grade *g, const struct cgroups *groups, const char *controller,
                          pid_t pid);

/* What a file of the group `name` ("/a", below the topmost) says, without the line feed; NULL when
 * there is no such file. */
const char *cgroups_read(struct run *room, const struct cgroups *groups, const char *name,
                         const char *file);

/* The number after `key` in a file of "KEY NUMBER" lines; 0 when there is none. */
unsigned long long cgroups_key(struct run *room, const struct cgroups *groups, const char *name,
                               const char *file, const char *key);

/* Is there a group of that name? */
bool cgroups_there(struct run *room, const struct cgroups *groups, const char *name);

/* Runs a shell script as the room's root; that it fails is the harness's fault (ERROR). Returns
 * what it printed. */
const char *cgroups_shell(struct run *room, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
