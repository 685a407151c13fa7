/*
 * Lab 11: a control group.
 *
 * Namespaces decide what a process sees, control groups how much of the machine it gets. A group is
 * a folder in a file system of the kernel's; you make it with mkdir(2), set limits by writing to
 * its files, and put a process in by writing its pid.
 *
 * There are two versions. In version 2 a group is one folder, whatever it limits. In version 1 each
 * controller may be a tree of its own, so a group is one folder in each. A machine may have both
 * (hybrid). The names below are those of version 2; for version 1 a small table translates.
 *
 * 0 (or as said) on success, -errno on failure. cgroups(7), Documentation/admin-guide/cgroup-v2.rst
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "01-process/process.h"
#include "given/todo.h"

/* How the controllers of this machine are arranged, as far as this process sees it. */
enum cgroup_mode {
    CGROUP_NONE,   /* no hierarchy with a controller is mounted                              */
    CGROUP_V1,     /* controllers in version 1 hierarchies only                              */
    CGROUP_V2,     /* one version 2 hierarchy, and nothing of version 1 with a controller    */
    CGROUP_HYBRID, /* controllers in version 1, and a version 2 hierarchy beside them        */
};

/* Tells which, from the mounts that are there (/proc/self/mountinfo) and not from paths that one
 * expects. A hierarchy without controllers, "name=systemd", is none for this purpose. */
int cgroup_mode(void);

/* A group, seen through some mount of its hierarchy. */
struct cgroup_place {
    int version; /* 1 or 2                                                                  */
    char path[PATH_MAX];
};

/* Where the group that `pid` is in for `controller` ("memory", "pids", "cpu", ...) can be found as
 * a folder. /proc/PID/cgroup names it within its hierarchy, as our cgroup namespace shows it; a
 * mount may show only a part of the hierarchy (the root field of mountinfo), and a path may hold
 * ":". A controller is in one hierarchy only: a version 1 hierarchy that has it, or else the
 * version 2 one, if the topmost group that we see there has it in cgroup.controllers.
 * -ESRCH when there is no such process, -ENOENT when the controller is to be had nowhere, or no
 * mount shows the group: that of a process outside of our cgroup namespace begins with "/..", and
 * only a mount whose root does so, too, may show it. */
int cgroup_find(pid_t pid, const char *controller, struct cgroup_place *place);

/* The number that `file` ("pids.max", "memory.max") of the group that `pid` is in, and of all
 * groups above it that can be seen, really allows: the smallest. A child that says "max" is bound
 * by its parent all the same. UINT64_MAX when nobody sets a limit (version 1's memory then reads as
 * a number just below 2^63); groups that have no such file, as the root, set none. */
int cgroup_bound(pid_t pid, const char *controller, const char *file, uint64_t *bound);

enum { CGROUP_PARTS = 8 };

/* A group of ours: one part in version 2, one for each controller's hierarchy in version 1. */
struct cgroup {
    struct cgroup_part {
        int version;
        char controllers[64]; /* those that it limits for us: "memory,pids"                 */
        char path[PATH_MAX];  /* the group's folder                                         */
        int folder;           /* an fd of it                                                */
    } parts[CGROUP_PARTS];
    size_t count; /* 0: there is none                                                       */
};

/* Makes the group `name` for these controllers (ends with NULL) and opens it.
 * In version 2 a group with processes in it cannot hand controllers to its children (but for the
 * root), and ours has one at least: us. So it is made below the nearest group, from our own
 * upwards, where it can be: one that hands the controllers down already (cgroup.subtree_control),
 * or takes it when asked to. (Asked for these controllers, and no others: each costs something.) In
 * version 1 it is made below our own, once in each hierarchy; a new cpuset gets its parent's cpus
 * and mems first, without which no process may enter.
 * "freezer" and "cpuacct" are controllers of version 1 only: in version 2 every group can do that,
 * and they are passed over.
 * -EEXIST when there is one of that name, -ENOENT when a controller is to be had nowhere, -EACCES
 * or -EPERM when we may not. On failure nothing stays. */
int cgroup_create(const char *name, const char *const *controllers, struct cgroup *group);

/* An fd of the folder that clone3 takes with CLONE_INTO_CGROUP, so that the process is born in the
 * group: only version 2 has this. -1 when the group has no such part. The fd stays the group's. */
int cgroup_birthplace(const struct cgroup *group);

/* Puts process `pid` into all parts of the group (being in one already is no harm). What it has
 * used so far stays with the group it came from: so this is done before it does anything. */
int cgroup_join(const struct cgroup *group, pid_t pid);

/* Writes `value` to `file` of the group ("memory.max", "pids.max", "cpuset.cpus", ...), in the part
 * that has its controller; "cgroup...." is no controller: in every part that has the file. In
 * version 1 files have other names, and some values another unit: cgroup_v1_name.
 * -ENOENT when the group has no such file. -EINVAL, -ERANGE as the kernel says. */
int cgroup_write(const struct cgroup *group, const char *file, const char *value);

/* Reads `file` of the group, at most `size` - 1 bytes, without the line feed at its end. In version
 * 1 what is read is in version 1's format. Returns the length, or -errno. */
ssize_t cgroup_read(const struct cgroup *group, const char *file, char *text, size_t size);

/* The file of version 1 that does what `file` of version 2 does, and what stands there for `value`
 * (NULL: only the name is wanted). 0, or -ENOENT for a file that version 1 has not.
 *   memory.max        memory.limit_in_bytes, "max" is "-1"
 *   memory.current    memory.usage_in_bytes
 *   memory.peak       memory.max_usage_in_bytes
 *   cpu.weight        cpu.shares: 100 is 1024, and so on, rounded to the nearest as the kernel does
 *   cgroup.freeze     freezer.state, "1" is "FROZEN" and "0" is "THAWED"
 *   memory.stat, pids.max, pids.current, pids.events, cpuset.cpus, cpuset.mems, cpu.stat and
 *   cgroup.procs      have the same name in both
 * (cpu.max became two files there, and swap another quantity: labs 12 and 13.) */
int cgroup_v1_name(const char *file, const char *value, char name[64], char v1_value[64]);

/* Makes the group that this process is in the root of all it sees: a new cgroup namespace. Called
 * in the new process, after it has joined. cgroup_namespaces(7) */
int cgroup_hide(void);

/* Freezes all processes of the group, or thaws them, and waits (a second at most: -ETIMEDOUT) until
 * the kernel says that they are. */
int cgroup_freeze(const struct cgroup *group, bool frozen);

/* Kills every process of the group and of the groups below it, whatever they do: fork, ignore
 * signals, are stopped or frozen. Returns when none is left (a second at most: -ETIMEDOUT).
 * cgroup.kill where there is one; where not, a process that forks is faster than a list of pids
 * unless it is frozen first, or the list is read until it is empty. */
int cgroup_kill(const struct cgroup *group);

/* Removes the group, with those below it, and closes its fds. All processes have been killed; the
 * dead leave a moment after they died, and until then rmdir(2) is EBUSY. Safe on a group of count
 * 0. -errno when a folder stayed; the fds are closed all the same. */
int cgroup_remove(struct cgroup *group);
