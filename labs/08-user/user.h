/*
 * Lab 08: rootless.
 *
 * In a user namespace of its own a process can be root and hold every capability, over the other
 * namespaces that were made with it, while outside it stays the ordinary user who started it. All
 * that stands between the two is a table: which id inside is which id outside.
 *
 * 0 on success, -errno on failure. user_namespaces(7)
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "01-process/process.h"
#include "given/todo.h"

/* `count` ids from `inside` on are those from `outside` on in the parent namespace. */
struct user_range {
    uint32_t inside;
    uint32_t outside;
    uint32_t count;
};

/* Adds the CLONE_NEW* flag of this layer. user_namespaces(7) */
int user_namespaces(uint64_t *flags);

/* What `id` of a namespace with these ranges is in its parent; the overflow id (65534, unless
 * /proc/sys/kernel/overflowuid says otherwise) when it is in none of them: what stat(2) shows for
 * an owner that has no number here. Ids go up to 4294967294; ranges do not overlap, and stand in
 * any order. */
uint32_t user_translate(const struct user_range *ranges, size_t count, uint32_t id);

/* Writes the uid map of the user namespace that process `pid` is in, once, whole, with a single
 * write(2): the kernel takes no second. Called in the parent while the child waits.
 * The kernel takes up to 340 ranges, in less than a page of text; what it refuses is an error:
 * -EPERM when it does not allow this map to us, -EINVAL when there is too much of it. */
int user_map_uids(pid_t pid, const struct user_range *ranges, size_t count);

/* The gid map likewise. A caller without CAP_SETGID must first deny setgroups(2) to the namespace,
 * for there a group can also be what forbids. With CAP_SETGID it stays allowed: there is nothing
 * to be gained by letting go of a group that one could map anyway. */
int user_map_gids(pid_t pid, const struct user_range *ranges, size_t count);

/* Called in the child once the maps stand: becomes uid 0 and gid 0 of the new namespace (real,
 * effective, saved), in no other group. Where setgroups is denied the groups stay, which is no
 * failure; any other refusal is. setresuid(2), setgroups(2) */
int user_become_root(void);

/* Which user namespace owns the namespace open at `namespace`: whoever has capabilities there has
 * them over it. A user namespace is owned by its parent. -EPERM when the owner is out of our sight.
 * ioctl_ns(2) */
int user_owner(int namespace, struct process_namespace *owner);

/* The first range that `file` (as /etc/subuid: NAME:FIRST:COUNT lines, where NAME may also be the
 * uid in decimal) lends to the user called `name` (may be NULL) with this uid: *range with .inside
 * left alone. Lines that make no sense (a field too many or too few, a number with anything but
 * decimal digits in it, no id at all, or ids beyond 32 bits) are passed over, and however long a
 * line is, it is one. -ENOENT when there is none, or no such file.
 * subuid(5) */
int user_subordinate(const char *file, const char *name, uid_t uid, struct user_range *range);

/* Maps ranges that are not the caller's own by newuidmap(1) and newgidmap(1), which are privileged
 * and look into /etc/subuid and /etc/subgid; they are looked for in the caller's PATH. Both run to
 * their end (process_start, process_wait), and no other child is touched. What they refuse, by any
 * exit status but 0, is -EPERM, and a helper that is not there is -ENOENT. */
int user_map_subordinate(pid_t pid, const struct user_range *uids, size_t uid_count,
                         const struct user_range *gids, size_t gid_count);
