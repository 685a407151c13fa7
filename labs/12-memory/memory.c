/* Lab 12: memory. The contract is memory.h. */
#include "12-memory/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "11-cgroup/given_files.h"

/* --- sizes ------------------------------------------------------------------------------------ */

int memory_parse(const char *text, uint64_t *bytes)
{
    /* TODO(step 1): strtoull(3) is too kind: it passes over spaces, takes a sign, and turns what
     *               does not fit into ULLONG_MAX with only errno to tell. And a product of two
     *               numbers that fit need not fit.
     */
    (void)text;
    (void)bytes;
    return STRATA_TODO;
}

/* --- limits ----------------------------------------------------------------------------------- */

int memory_limit(const struct cgroup *group, uint64_t bytes, uint64_t both)
{
    /* TODO(step 2): cgroup_write knows "memory.max". Version 2 limits swap alone
     *               ("memory.swap.max"), version 1 the sum of both
     *               ("memory.memsw.limit_in_bytes"), which may at no moment be below the limit of
     *               memory.
     */
    (void)group;
    (void)bytes;
    (void)both;
    return STRATA_TODO;
}

/* --- why it ended ----------------------------------------------------------------------------- */

int memory_events(const struct cgroup *group, struct memory_events *events)
{
    *events = (struct memory_events){0};
    /* TODO(step 3): version 2 has memory.events (oom_kill, oom) and memory.events.local. Version 1
     *               has one counter a group, oom_kill in memory.oom_control: groups_each
     *               (given_files.h of lab 11) goes through those below.
     */
    (void)group;
    return STRATA_TODO;
}

enum memory_reason memory_reason(int status, const struct memory_events *before,
                                 const struct memory_events *after)
{
    /* TODO(step 3): 137 is 128 + SIGKILL, and anybody may send SIGKILL. Only the counter knows. */
    (void)status;
    (void)before;
    (void)after;
    return MEMORY_ERROR;
}

/* --- what it is spent on ---------------------------------------------------------------------- */

int memory_usage(const struct cgroup *group, struct memory_usage *usage)
{
    *usage = (struct memory_usage){0};
    /* TODO(step 4): memory.current, memory.peak, and the lines anon, file and shmem of memory.stat.
     *               In version 1 those are total_rss, total_cache and total_shmem: its "rss" is
     *               what version 2 calls anon, and is no resident set.
     */
    (void)group;
    return STRATA_TODO;
}

/* --- pressure --------------------------------------------------------------------------------- */

int memory_pressure(const struct cgroup *group, struct memory_pressure *pressure)
{
    *pressure = (struct memory_pressure){0};
    /* TODO(step 5): two lines of memory.pressure, "some avg10=1.25 avg60=... avg300=... total=..."
     *               and "full ...". sscanf(3) can take a number apart at its point.
     */
    (void)group;
    return STRATA_TODO;
}

/* --- how much there really is ----------------------------------------------------------------- */

int memory_available(uint64_t *bytes)
{
    /* TODO(step 6): cgroup_bound (lab 11) for memory.max; and the line MemTotal of /proc/meminfo,
     *               which is in KiB and the whole machine's. Without any control group, that alone.
     */
    (void)bytes;
    return STRATA_TODO;
}
