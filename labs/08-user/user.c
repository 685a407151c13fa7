/* Lab 08: rootless. The contract is user.h. */
#include "08-user/user.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- an id without a map ---------------------------------------------------------------------- */

int user_namespaces(uint64_t *flags)
{
    /* TODO(step 1): the flag of user_namespaces(7), added to what is there. process_start makes
     *               all namespaces in one clone3(2): the user namespace first, and it owns the
     *               others.
     */
    (void)flags;
    return STRATA_TODO;
}

uint32_t user_translate(const struct user_range *ranges, size_t count, uint32_t id)
{
    /* TODO(step 1): find the range that `id` lies in, and go as far into its outside as `id` lies
     *               in its inside. Ids use all 32 bits, more than an int has. An id in none of them
     *               is the number in /proc/sys/kernel/overflowuid.
     */
    (void)ranges;
    (void)count;
    (void)id;
    return 0;
}

/* --- the maps --------------------------------------------------------------------------------- */

int user_map_uids(pid_t pid, const struct user_range *ranges, size_t count)
{
    /* TODO(step 2): put all ranges into one text, a line each, and open(2) and write(2) it to
     *               /proc/PID/uid_map. user_namespaces(7) has the format, in "Defining user and
     *               group ID mappings", and below it who may write what.
     */
    (void)pid;
    (void)ranges;
    (void)count;
    return STRATA_TODO;
}

int user_map_gids(pid_t pid, const struct user_range *ranges, size_t count)
{
    /* TODO(step 3): /proc/PID/gid_map, in the same way; but to a caller without CAP_SETGID the
     *               kernel says EPERM until somebody has written "deny" to /proc/PID/setgroups.
     *               (A map that was refused was not written: you may try again.)
     */
    (void)pid;
    (void)ranges;
    (void)count;
    return STRATA_TODO;
}

/* --- who COMMAND is --------------------------------------------------------------------------- */

int user_become_root(void)
{
    /* TODO(step 4): let go of all groups by setgroups(2): where that is denied it is EPERM, and
     *               they stay. Then gid 0 and uid 0, each of the three that a process has
     *               (setresgid(2), setresuid(2)).
     */
    return STRATA_TODO;
}

/* --- what belongs to whom --------------------------------------------------------------------- */

int user_owner(int namespace, struct process_namespace *owner)
{
    /* TODO(step 5): ioctl(2) with NS_GET_USERNS gives an fd of the owner: ioctl_ns(2). fstat(2)
     *               says of an open namespace what stat(2) said of its link in lab 01. The fd is
     *               yours to close.
     */
    (void)namespace;
    (void)owner;
    return STRATA_TODO;
}

/* --- ids that are lent ------------------------------------------------------------------------ */

int user_subordinate(const char *file, const char *name, uid_t uid, struct user_range *range)
{
    /* TODO(step 6): fopen(3), getline(3), strsep(3), strtoul(3): the first line whose NAME is
     *               `name` or the decimal of `uid`, with two numbers after it and no more.
     */
    (void)file;
    (void)name;
    (void)uid;
    (void)range;
    return STRATA_TODO;
}

int user_map_subordinate(pid_t pid, const struct user_range *uids, size_t uid_count,
                         const struct user_range *gids, size_t gid_count)
{
    /* TODO(step 6): newuidmap(1) takes PID and then three numbers a range; newgidmap(1) likewise.
     *               They are programs like any other: process_start and process_wait (lab 01) run
     *               them and touch no other child, least of all the one that waits for its maps.
     */
    (void)pid;
    (void)uids;
    (void)uid_count;
    (void)gids;
    (void)gid_count;
    return STRATA_TODO;
}
