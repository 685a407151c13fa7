/*
 * Lab 12: memory.
 *
 * A limit on memory is a promise that the kernel keeps by force: first it takes back what can be
 * read again from a file, then what can be swapped, and when that is not enough, it kills. Who
 * looks from outside sees exit status 137 and no reason. The reason is in a counter.
 *
 * 0 (or as said) on success, -errno on failure.
 * Documentation/admin-guide/cgroup-v2.rst, "Memory"; for version 1 cgroup-v1/memory.rst
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "11-cgroup/cgroup.h"
#include "given/todo.h"

/* "no limit", as a number of bytes. */
static const uint64_t memory_unlimited = UINT64_MAX;

/* Reads a size as docker run takes it: a whole number, and perhaps one of b, k, m, g, t (or B, K,
 * M, G, T), each 1024 times the one before. Also Ki, Mi, Gi, Ti, which are the same and which
 * Kubernetes writes; and kB, MB, GB, TB, which count by 1000. "max" and "-1" are memory_unlimited.
 * Anything else is -EINVAL: a sign, a space, a fraction, no number at all, and KB, mb or MiB too.
 * What does not fit in 64 bits is -ERANGE.
 */
int memory_parse(const char *text, uint64_t *bytes);

/* Limits the group to `bytes` of memory and to `both` of memory and swap together (docker's
 * --memory-swap), memory_unlimited for none; `both` below `bytes` is -EINVAL. In version 2 swap has
 * a limit of its own, the difference; version 1 limits the sum, and refuses a sum below the memory
 * limit at any moment: which of the two goes first depends on the limits that stand.
 * What else can be set for a group (memory.high, memory.oom.group, swappiness) stays as it is.
 * A kernel that does not count swap has no file for it, which is no failure; a group without the
 * memory controller is one (-ENOENT), and so is whatever else the kernel says. */
int memory_limit(const struct cgroup *group, uint64_t bytes, uint64_t both);

/* What the kernel has counted. In version 2 a group's counters are those of all its past and
 * present groups below as well, and a second file (since Linux 5.2) has its own alone. In version 1
 * each group counts for itself: what is below now has to be added; and limit_hits is 0, for nobody
 * counts that. */
struct memory_events {
    uint64_t kills;       /* processes killed for want of memory, here and below             */
    uint64_t kills_local; /* of those, the ones that were in this very group                  */
    uint64_t limit_hits;  /* how often the limit was reached and nothing could be taken back  */
};
int memory_events(const struct cgroup *group, struct memory_events *events);

/* Why a process of the group ended, from its exit status (as process_wait gives it) and the
 * counters before and after. */
enum memory_reason {
    MEMORY_COMPLETED,  /* exit status 0, and nobody in the group was killed for memory     */
    MEMORY_ERROR,      /* another exit status, or a signal; also a 137 that was no OOM kill  */
    MEMORY_OOM_KILLED, /* it is 137, and the kernel killed somebody here for want of memory  */
    MEMORY_OOM_INSIDE, /* the kernel killed somebody here, and it was not (only) this one    */
};
enum memory_reason memory_reason(int status, const struct memory_events *before,
                                 const struct memory_events *after);

/* What the group and those below it spend memory on, in bytes. -ENOENT without the memory
 * controller. */
struct memory_usage {
    uint64_t current;
    uint64_t peak;  /* the most there has been; 0 before Linux 5.19, which has no memory.peak  */
    uint64_t anon;  /* heaps and stacks                                                        */
    uint64_t file;  /* the page cache: copies of files, tmpfs included                         */
    uint64_t shmem; /* of that: tmpfs and shared memory, which no file on a disk can give back */
};
int memory_usage(const struct cgroup *group, struct memory_usage *usage);

/* Pressure stall information: the share of time in which at least one (some) or every (full) task
 * of the group waited for memory, in hundredths of a percent over the last 10 seconds, and the
 * total in microseconds. Version 2 only: -ENOENT elsewhere, and where the kernel was started
 * without it (or -EOPNOTSUPP, as it says). -EBADMSG when the file holds something else.
 * Documentation/accounting/psi.rst */
struct memory_pressure {
    unsigned some_avg10, full_avg10;
    uint64_t some_total, full_total;
};
int memory_pressure(const struct cgroup *group, struct memory_pressure *pressure);

/* How much memory this process can really have: the smallest limit of its own group and all above
 * it that can be seen, or what the machine has (/proc/meminfo, MemTotal) if that is less.
 * (/proc/meminfo knows nothing of groups: that is how programs come to believe in memory that they
 * do not have.) */
int memory_available(uint64_t *bytes);
