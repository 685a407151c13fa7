/* Lab 13: CPU. The contract is cpu.h. */
#include "13-cpu/cpu.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "13-cpu/given_version.h"

/* --- amounts -----------------------------------------------------------------------------------
 */

int cpu_parse(const char *text, cpu_millis *millis)
{
    /* TODO(step 1): digits, perhaps a point and up to three digits more; or digits and an "m". No
     *               floating point: 0.1 has no exact value there, and a limit should. strspn(3),
     *               strtoull(3)
     */
    (void)text;
    (void)millis;
    return STRATA_TODO;
}

/* --- quota -------------------------------------------------------------------------------------
 */

int cpu_limit(const struct cgroup *group, cpu_millis millis, uint64_t period)
{
    /* TODO(step 1): "QUOTA PERIOD" in cpu.max, both in microseconds, "max" for no quota; in version
     *               1 cpu.cfs_period_us and cpu.cfs_quota_us (-1 for none). 1000 millis are one
     *               whole period in each period. cgroup_write, group_version
     */
    (void)group;
    (void)millis;
    (void)period;
    return STRATA_TODO;
}

/* --- throttling --------------------------------------------------------------------------------
 */

int cpu_stat(const struct cgroup *group, struct cpu_stat *stat)
{
    *stat = (struct cpu_stat){0};
    /* TODO(step 2): cpu.stat has a line each. Version 1 counts throttled_time in nanoseconds, and
     *               the CPU time in cpuacct.usage, in nanoseconds too. cgroup_read
     */
    (void)group;
    return STRATA_TODO;
}

unsigned cpu_throttled(const struct cpu_stat *before, const struct cpu_stat *after)
{
    /* TODO(step 2): of the two differences, not of the counters: those count from the group's
     *               birth. What do you get from 2 of 3, rounded to the nearest?
     */
    (void)before;
    (void)after;
    return 0;
}

/* --- weights -----------------------------------------------------------------------------------
 */

int cpu_weight(const struct cgroup *group, unsigned weight)
{
    /* TODO(step 3): cpu.weight, in either version: cgroup_write translates. But version 1 would
     *               take shares far outside of what a weight may be.
     */
    (void)group;
    (void)weight;
    return STRATA_TODO;
}

/* --- which processors --------------------------------------------------------------------------
 */

int cpu_set(const struct cgroup *group, const char *cpus, const char *mems)
{
    /* TODO(step 4): cpuset.cpus and cpuset.mems. Then, in version 2, is cpuset.cpus.effective what
     *               cpuset.cpus says? The kernel writes both lists in the same form. cgroup_read
     */
    (void)group;
    (void)cpus;
    (void)mems;
    return STRATA_TODO;
}

/* --- Kubernetes --------------------------------------------------------------------------------
 */

unsigned cpu_request_shares(cpu_millis millis)
{
    /* TODO(step 5): 1024 for 1000 millis; what is below 2 is 2, what is above 262144 is that. */
    (void)millis;
    return 0;
}

unsigned cpu_request_weight(cpu_millis millis)
{
    /* TODO(step 5): the formula of cpu.h: a range of 2..262144 laid upon one of 1..10000. How large
     *               is the product in the middle, and what fits in an int?
     */
    (void)millis;
    return 0;
}

/* --- disks -------------------------------------------------------------------------------------
 */

int cpu_io_limit(const struct cgroup *group, unsigned major, unsigned minor, uint64_t read_bytes,
                 uint64_t write_bytes)
{
    /* TODO(step 6): "MAJOR:MINOR rbps=N wbps=N" in io.max, "max" for no limit. In version 1,
     *               "MAJOR:MINOR N" in blkio.throttle.read_bps_device and ...write_bps_device.
     */
    (void)group;
    (void)major;
    (void)minor;
    (void)read_bytes;
    (void)write_bytes;
    return STRATA_TODO;
}
