/* /proc/PID/cgroup: the control groups that a process is in. cgroups(7), proc_pid_cgroup(5). */
#ifndef KERNEL_CGROUP_H
#define KERNEL_CGROUP_H

#include <stddef.h>
#include <sys/types.h>

struct kernel_cgroup {
    int hierarchy;           /* 0: version 2 */
    const char *controllers; /* "cpu,cpuacct", "name=systemd"; "" for version 2 */
    const char *path; /* from the root of the READER's cgroup namespace: may begin with "/.." and,
                       * for a group removed meanwhile, ends in " (deleted)" */
};

struct kernel_cgroups {
    struct kernel_cgroup *list;
    size_t count;
    size_t capacity;
    char *text; /* what the strings above point into */
};

/* Parses the text. A path may hold ':', so only the first two of a line count.
 * 0, -EBADMSG, -ENOMEM. *cgroups is written over; on failure it is empty. */
int kernel_cgroups_parse(const char *text, size_t len, struct kernel_cgroups *cgroups);

/* Reads and parses it. 0, -ESRCH, -EBADMSG, -ENOMEM, or kernel_read_pid()'s errors. */
int kernel_cgroups_read(pid_t pid, struct kernel_cgroups *cgroups);

void kernel_cgroups_free(struct kernel_cgroups *cgroups);

/* The version 1 line that has this controller ("memory", "name=systemd"), or NULL. */
const struct kernel_cgroup *kernel_cgroups_find(const struct kernel_cgroups *cgroups,
                                                const char *controller);

/* The version 2 line, or NULL. On a hybrid machine both are there. */
const struct kernel_cgroup *kernel_cgroups_v2(const struct kernel_cgroups *cgroups);

#endif
