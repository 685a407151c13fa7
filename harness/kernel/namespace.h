/* Which namespaces is a process in? namespaces(7), fs/nsfs.c, fs/proc/namespaces.c.
 *
 * A namespace is known by device and inode number together, never by the number alone. */
#ifndef KERNEL_NAMESPACE_H
#define KERNEL_NAMESPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct kernel_ns_id {
    dev_t dev;
    ino_t ino;
};

enum kernel_ns_kind { /* the files of /proc/PID/ns, in their order there */
                      KERNEL_NS_CGROUP,
                      KERNEL_NS_IPC,
                      KERNEL_NS_MNT,
                      KERNEL_NS_NET,
                      KERNEL_NS_PID,
                      KERNEL_NS_PID_FOR_CHILDREN,
                      KERNEL_NS_TIME,
                      KERNEL_NS_TIME_FOR_CHILDREN,
                      KERNEL_NS_USER,
                      KERNEL_NS_UTS,
                      KERNEL_NS_KINDS
};

struct kernel_ns_set {
    struct kernel_ns_id id[KERNEL_NS_KINDS];
    bool present[KERNEL_NS_KINDS]; /* false: this kernel has none of the kind, or a zombie's is gone
                                    */
};

/* The file's name ("mnt"), or NULL for no kind. */
const char *kernel_ns_name(enum kernel_ns_kind kind);

/* The CLONE_NEW* flag of the kind; 0 for the two _FOR_CHILDREN ones. */
unsigned kernel_ns_flag(enum kernel_ns_kind kind);

/* The namespace of a process. `name` is a file name of /proc/PID/ns.
 * Returns 0; -ESRCH when the process is gone or a zombie that has left this namespace; -ENOENT when
 * the kernel knows no such kind; -EACCES when we may not look (ptrace(2), access mode checking).
 * A child that has not been made yet leaves pid_for_children empty after unshare(2): -ENOENT. */
int kernel_ns(pid_t pid, const char *name, struct kernel_ns_id *id);

/* The same by an fd from kernel_proc_open(), which no reuse of the pid can fool. */
int kernel_ns_at(int procfd, const char *name, struct kernel_ns_id *id);

/* The same for an open namespace fd. 0 or fstat(2)'s error. */
int kernel_ns_fd(int fd, struct kernel_ns_id *id);

bool kernel_ns_equal(struct kernel_ns_id a, struct kernel_ns_id b);

/* All namespaces of a process. 0, -ESRCH, -EACCES; absent kinds are flagged, not an error. */
int kernel_ns_all(pid_t pid, struct kernel_ns_set *set);

/* Are both present and the same? */
bool kernel_ns_shared(const struct kernel_ns_set *a, const struct kernel_ns_set *b,
                      enum kernel_ns_kind kind);

/* Parses a link's text, "uts:[4026531838]", as readlink(2) gives it and as it also appears in
 * mountinfo's root field for a namespace held by a bind mount.
 *   kind  at least 32 bytes: the word before the colon ("pid" also for pid_for_children)
 * Returns 0 or -EBADMSG. The text names no device; id->dev is 0. */
int kernel_ns_link_parse(const char *text, size_t len, char kind[32], struct kernel_ns_id *id);

#endif
