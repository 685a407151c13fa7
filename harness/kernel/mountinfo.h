/* /proc/PID/mountinfo: the mounts that a process can reach from its root, in the order made.
 * proc_pid_mountinfo(5), mount_namespaces(7), fs/proc_namespace.c. */
#ifndef KERNEL_MOUNTINFO_H
#define KERNEL_MOUNTINFO_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct kernel_mount {
    int id;
    int parent;
    unsigned major;
    unsigned minor;
    const char *root;    /* the directory of the file system that is mounted; unescaped */
    const char *target;  /* where, seen from the process's root; unescaped */
    const char *options; /* of this mount: "rw,nosuid"; as the kernel escaped them */
    int shared;          /* peer group; 0: not shared */
    int master;          /* the group it receives from; 0: no slave */
    int propagate_from;  /* the nearest dominant group under this root; 0: none */
    bool unbindable;
    const char *fstype;
    const char *source; /* unescaped; may be "" */
    const char *super;  /* of the file system: "rw,size=64k"; as the kernel escaped them */
};

struct kernel_mounts {
    struct kernel_mount *list;
    size_t count;
    size_t capacity;
    char *text; /* what the strings above point into */
};

/* Parses the text of mountinfo. Optional fields of later kernels are skipped.
 * Returns 0, -EBADMSG for a line that is cut short, a number that does not fit, \000 or a NUL
 * byte; -ENOMEM. *mounts is written over; on failure it is empty. */
int kernel_mounts_parse(const char *text, size_t len, struct kernel_mounts *mounts);

/* Reads and parses it. 0, -ESRCH (also for a zombie: it has no mounts any more), -EBADMSG,
 * -ENOMEM, or the errors of kernel_read_pid(). */
int kernel_mounts_read(pid_t pid, struct kernel_mounts *mounts);

void kernel_mounts_free(struct kernel_mounts *mounts);

/* The mount at exactly this target. Of several stacked there the LAST one counts, for it covers
 * the others. NULL if there is none. */
const struct kernel_mount *kernel_mounts_at(const struct kernel_mounts *mounts, const char *target);

/* The next mount after `after` (NULL: the first) whose target is `path` or lies below it. */
const struct kernel_mount *kernel_mounts_below(const struct kernel_mounts *mounts, const char *path,
                                               const struct kernel_mount *after);

/* By mount id, as fdinfo shows it; NULL if there is none. */
const struct kernel_mount *kernel_mounts_id(const struct kernel_mounts *mounts, int id);

/* Is the word in the comma list? "nosuid" finds nosuid and not nosuidx; "size=" finds any size;
 * "size=64k" exactly that. Words are compared as the kernel escaped them. */
bool kernel_mount_has(const char *options, const char *word);

/* The value of key=value in a comma list, unescaped, in memory that the caller frees.
 * Returns 0, -ENOENT when there is no such key (or it has no '='), -EBADMSG, -ENOMEM. */
int kernel_mount_value(const char *options, const char *key, char **value);

#endif
