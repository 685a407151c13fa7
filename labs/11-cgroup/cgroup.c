/* Lab 11: a control group. The contract is cgroup.h. */
#include "11-cgroup/cgroup.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "11-cgroup/given_files.h"
#include "11-cgroup/given_mounts.h"
#include "11-cgroup/given_names.h"
#include "11-cgroup/given_parts.h"

/* How long the kernel may take to do what it was asked. */
enum { DEADLINE_MS = 1000 };

/* --- which versions, which group -------------------------------------------------------------- */

int cgroup_mode(void)
{
    /* TODO(step 1): mounts_each (given_mounts.h) shows you every mount. Type "cgroup2" is version
     *               2; type "cgroup" is version 1, if its super block's options name a controller:
     *               systemd keeps a hierarchy of its own that has none. What of a machine with
     *               both?
     */
    return STRATA_TODO;
}

int cgroup_find(pid_t pid, const char *controller, struct cgroup_place *place)
{
    /* TODO(step 1): two files have to be put together. /proc/PID/cgroup (lines_each) says which
     *               group, as a path within the hierarchy; mountinfo (mounts_each) which folder of
     *               the hierarchy (root) is mounted where (target). What if root is "/a" and the
     *               path "/ab/c"?
     */
    (void)pid;
    (void)controller;
    (void)place;
    return STRATA_TODO;
}

int cgroup_bound(pid_t pid, const char *controller, const char *file, uint64_t *bound)
{
    /* TODO(step 4): begin at the group that cgroup_find gives, and go up folder by folder
     *               (group_above). The smallest number on the way binds, whoever wrote it. Version
     *               1 calls the file by another name: cgroup_v1_name.
     */
    (void)pid;
    (void)controller;
    (void)file;
    (void)bound;
    return STRATA_TODO;
}

/* --- making one ------------------------------------------------------------------------------- */

int cgroup_create(const char *name, const char *const *controllers, struct cgroup *group)
{
    *group = (struct cgroup){.count = 0};
    /* TODO(step 2): for each controller cgroup_find says where our own group is, and in which
     *               version. Version 1: mkdir(2) below it, one folder a hierarchy. Version 2: one
     *               folder in all, but below a group that hands the controllers down ("+memory
     *               +pids" written to cgroup.subtree_control), which a group with processes in
     *               cgroup.procs may not: go up until one does. part_add (given_parts.h) keeps
     * account of the folders. If anything fails: cgroup_remove.
     */
    (void)name;
    (void)controllers;
    return STRATA_TODO;
}

int cgroup_birthplace(const struct cgroup *group)
{
    /* TODO(step 2): the fd of the part of version 2, if there is one. */
    (void)group;
    return -1;
}

int cgroup_join(const struct cgroup *group, pid_t pid)
{
    /* TODO(step 2): write the pid, as text, to cgroup.procs of every part. */
    (void)group;
    (void)pid;
    return STRATA_TODO;
}

/* --- limits ----------------------------------------------------------------------------------- */

int cgroup_write(const struct cgroup *group, const char *file, const char *value)
{
    /* TODO(step 3): "pids.max" belongs to the part that has the controller "pids"; "cgroup.procs"
     *               to all of them. What if no part has the file at all?
     */
    (void)group;
    (void)file;
    (void)value;
    return STRATA_TODO;
}

ssize_t cgroup_read(const struct cgroup *group, const char *file, char *text, size_t size)
{
    /* TODO(step 3): the same for reading: the first part that has the file. */
    (void)group;
    (void)file;
    (void)text;
    (void)size;
    return STRATA_TODO;
}

int cgroup_v1_name(const char *file, const char *value, char name[64], char v1_value[64])
{
    /* TODO(step 7): v1_file (given_names.h) knows the name. Of three files the value changes as
     *               well; the kernel turns a weight into shares by weight * 1024 / 100, to the
     *               nearest.
     */
    (void)file;
    (void)value;
    (void)name;
    (void)v1_value;
    return STRATA_TODO;
}

/* --- seeing itself as the root ---------------------------------------------------------------- */

int cgroup_hide(void)
{
    /* TODO(step 5): unshare(2) with the flag of cgroup_namespaces(7). The group that we are in now
     *               becomes "/": so this is of no use before joining.
     */
    return STRATA_TODO;
}

/* --- freezing, killing, removing -------------------------------------------------------------- */

int cgroup_freeze(const struct cgroup *group, bool frozen)
{
    /* TODO(step 8): cgroup_write to cgroup.freeze. That only asks: cgroup.events (version 1:
     *               freezer.state) says when it is so.
     */
    (void)group;
    (void)frozen;
    return STRATA_TODO;
}

int cgroup_kill(const struct cgroup *group)
{
    /* TODO(step 6): "1" to cgroup.kill (version 2, since Linux 5.14) ends all at once. Without it:
     *               kill each pid of cgroup.procs, here and below (groups_each), and again until
     *               there are none; what is frozen meanwhile cannot fork. In version 1 what is
     *               frozen does not even die before it is thawed.
     */
    (void)group;
    return STRATA_TODO;
}

int cgroup_remove(struct cgroup *group)
{
    /* TODO(step 6): rmdir(2), the groups within first (groups_each and group_clear). EBUSY may only
     *               mean that the dead have not left yet: try again for a while. Close the fds
     *               whatever happens.
     */
    (void)group;
    return STRATA_TODO;
}
