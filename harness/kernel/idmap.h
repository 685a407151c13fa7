/* The id maps of a user namespace: /proc/PID/uid_map, gid_map, setgroups.
 * user_namespaces(7), kernel/user_namespace.c. */
#ifndef KERNEL_IDMAP_H
#define KERNEL_IDMAP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* `count` ids from `inside` stand for as many from `outside`. Outside is as the READER's user
 * namespace sees it (or the parent's, for a reader in that same namespace). */
struct kernel_idrange {
    uint32_t inside;
    uint32_t outside;
    uint32_t count;
};

struct kernel_idmap {
    struct kernel_idrange *list;
    size_t count; /* 0: not mapped yet */
    size_t capacity;
};

/* Parses a map. 0, -EBADMSG (a range that is empty, or wraps beyond 2^32, too), -ENOMEM.
 * *map is written over; on failure it is empty. */
int kernel_idmap_parse(const char *text, size_t len, struct kernel_idmap *map);

/* Reads one. `name` is "uid_map" or "gid_map". 0, -ESRCH, -EBADMSG, -ENOMEM, or
 * kernel_read_pid()'s errors. */
int kernel_idmap_read(pid_t pid, const char *name, struct kernel_idmap *map);

void kernel_idmap_free(struct kernel_idmap *map);

/* Looks an id up. 0, or -ENOENT for one that is not mapped. */
int kernel_idmap_outside(const struct kernel_idmap *map, uint32_t inside, uint32_t *outside);
int kernel_idmap_inside(const struct kernel_idmap *map, uint32_t outside, uint32_t *inside);

/* Parses "allow" or "deny": 1, 0 or -EBADMSG. */
int kernel_setgroups_parse(const char *text, size_t len);

/* May processes of this user namespace call setgroups(2)? 1, 0, -ESRCH, -EBADMSG, or
 * kernel_read_pid()'s errors. */
int kernel_setgroups(pid_t pid);

#endif
