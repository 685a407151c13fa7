/* How much memory a sandbox uses, where no control group counts it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct watch {
    pid_t pid;             /* PID 1 of the sandbox                                           */
    uint64_t shmem_before; /* the machine's, when it began: for tmpfs that tells no size      */
};

void watch_begin(struct watch *watch);

/* For kernel_inside() (arg: struct watch *), in the sandbox's user namespace: writes an uint64_t,
 * the bytes used by all processes below watch->pid. That is their private memory and what they
 * share: tmpfs, mounted or merely held open, memfds, System V segments. Forked copies count once.
 * Not seen: what is on its way through a socket, and what is held by a mapping alone. */
int watch_report(void *arg, int out);

/* True when the machine itself is about to run out, whoever uses it. */
bool watch_machine_is_full(void);
