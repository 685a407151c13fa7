/* Who descends from whom, and who shares a pid namespace.
 *
 * Every answer is a snapshot of a moving thing: processes that start or end meanwhile may be in it
 * or not. It is exact for a tree that holds still (stopped, frozen, or all waiting). */
#ifndef KERNEL_TREE_H
#define KERNEL_TREE_H

#include "kernel/namespace.h"
#include <stddef.h>
#include <sys/types.h>

struct kernel_pids {
    pid_t *list; /* numbers as our own /proc shows them */
    size_t count;
    size_t capacity;
    size_t unreadable; /* how many we were not allowed to look at; only kernel_pids_in_ns() */
};

/* Parses a blank-separated list of pids, as in /proc/PID/task/TID/children.
 * 0, -EBADMSG, -ENOMEM. *pids is written over; on failure it is empty. */
int kernel_pids_parse(const char *text, size_t len, struct kernel_pids *pids);

/* All processes of our /proc, rising. 0, -ENOMEM, or opendir(3)'s errors. */
int kernel_pids_all(struct kernel_pids *pids);

/* The children of all threads of a process, zombies too. 0, -ESRCH, -EBADMSG, -ENOMEM.
 * From task/TID/children where the kernel has it (CONFIG_PROC_CHILDREN), else by everybody's
 * parent. */
int kernel_children(pid_t pid, struct kernel_pids *pids);

/* Children, their children and so on, parents before children; without `pid` itself.
 * An orphan has another parent and is lost to this list: for a container, ask for its namespace. */
int kernel_descendants(pid_t pid, struct kernel_pids *pids);

/* All processes whose own pid namespace is this one (not those of namespaces further in).
 * 0, -ENOMEM, or opendir(3)'s errors; who may not be looked at is counted as unreadable. */
int kernel_pids_in_ns(struct kernel_ns_id ns, struct kernel_pids *pids);

void kernel_pids_free(struct kernel_pids *pids);

#endif
