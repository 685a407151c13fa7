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
    /* BEGIN SOLUTION step 1
     * TODO(step 1): digits, perhaps a point and up to three digits more; or digits and an "m". No
     *               floating point: 0.1 has no exact value there, and a limit should. strspn(3),
     *               strtoull(3)
     */
    const uint64_t most = 1000000 * 1000ULL;
    size_t digits = strspn(text, "0123456789");
    uint64_t whole = strtoull(text, NULL, 10), part = 0; /* too many digits: the largest number */
    const char *end = text + digits;

    if (digits == 0)
        return -EINVAL;
    if (*end == '.') {
        size_t places = strspn(end + 1, "0123456789");
        if (places == 0 || places > 3)
            return -EINVAL;
        part = strtoull(end + 1, NULL, 10);
        for (size_t i = places; i < 3; i++)
            part *= 10;
        end += 1 + places;
    } else if (strcmp(end, "m") == 0) {
        part = whole % 1000;
        whole /= 1000;
        end++;
    }
    if (*end != '\0' || (whole == 0 && part == 0))
        return -EINVAL;
    if (whole > most / 1000 || whole * 1000 + part > most)
        return -ERANGE;
    *millis = whole * 1000 + part;
    return 0;
    /* END SOLUTION */
}

/* --- quota -------------------------------------------------------------------------------------
 */

int cpu_limit(const struct cgroup *group, cpu_millis millis, uint64_t period)
{
    /* BEGIN SOLUTION step 1
     * TODO(step 1): "QUOTA PERIOD" in cpu.max, both in microseconds, "max" for no quota; in version
     *               1 cpu.cfs_period_us and cpu.cfs_quota_us (-1 for none). 1000 millis are one
     *               whole period in each period. cgroup_write, group_version
     */
    bool v2 = group_version(group, "cpu") == 2;
    char quota[24], periods[24], both[64];

    if (period == 0)
        period = 100000;
    snprintf(periods, sizeof periods, "%" PRIu64, period);
    if (millis == 0)
        snprintf(quota, sizeof quota, "%s", v2 ? "max" : "-1");
    else
        snprintf(quota, sizeof quota, "%" PRIu64, millis * period / 1000);
    if (v2) {
        snprintf(both, sizeof both, "%s %s", quota, periods);
        return cgroup_write(group, "cpu.max", both);
    }
    /* Where a group above has a quota as well, one order may be refused, but never both. */
    int result = cgroup_write(group, "cpu.cfs_period_us", periods);
    if (result != -EINVAL)
        return result < 0 ? result : cgroup_write(group, "cpu.cfs_quota_us", quota);
    result = cgroup_write(group, "cpu.cfs_quota_us", quota);
    return result < 0 ? result : cgroup_write(group, "cpu.cfs_period_us", periods);
    /* END SOLUTION */
}

/* --- throttling --------------------------------------------------------------------------------
 */

/* BEGIN SOLUTION step 2 helper */
/* The number behind `key` in a text of "KEY NUMBER" lines; 0 when there is none. */
static uint64_t find_key(const char *text, const char *key)
{
    size_t length = strlen(key);

    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, length) == 0 && line[length] == ' ')
            return strtoull(line + length, NULL, 10);
    }
    return 0;
}
/* END SOLUTION */

int cpu_stat(const struct cgroup *group, struct cpu_stat *stat)
{
    *stat = (struct cpu_stat){0};
    /* BEGIN SOLUTION step 2
     * TODO(step 2): cpu.stat has a line each. Version 1 counts throttled_time in nanoseconds, and
     *               the CPU time in cpuacct.usage, in nanoseconds too. cgroup_read
     */
    char text[2048], usage[32];
    ssize_t length = cgroup_read(group, "cpu.stat", text, sizeof text);

    if (length < 0)
        return (int)length;
    stat->periods = find_key(text, "nr_periods");
    stat->throttled = find_key(text, "nr_throttled");
    if (group_version(group, "cpu") == 2) {
        stat->usage_usec = find_key(text, "usage_usec");
        stat->throttled_usec = find_key(text, "throttled_usec");
        return 0;
    }
    stat->throttled_usec = find_key(text, "throttled_time") / 1000;
    if (cgroup_read(group, "cpuacct.usage", usage, sizeof usage) > 0)
        stat->usage_usec = strtoull(usage, NULL, 10) / 1000;
    return 0;
    /* END SOLUTION */
}

unsigned cpu_throttled(const struct cpu_stat *before, const struct cpu_stat *after)
{
    /* BEGIN SOLUTION step 2 return 0
     * TODO(step 2): of the two differences, not of the counters: those count from the group's
     *               birth. What do you get from 2 of 3, rounded to the nearest?
     */
    uint64_t periods = after->periods - before->periods;
    uint64_t throttled = after->throttled - before->throttled;

    return periods == 0 ? 0 : (unsigned)((throttled * 10000 + periods / 2) / periods);
    /* END SOLUTION */
}

/* --- weights -----------------------------------------------------------------------------------
 */

int cpu_weight(const struct cgroup *group, unsigned weight)
{
    /* BEGIN SOLUTION step 3
     * TODO(step 3): cpu.weight, in either version: cgroup_write translates. But version 1 would
     *               take shares far outside of what a weight may be.
     */
    char text[16];

    if (weight < 1 || weight > 10000)
        return -ERANGE;
    snprintf(text, sizeof text, "%u", weight);
    return cgroup_write(group, "cpu.weight", text);
    /* END SOLUTION */
}

/* --- which processors --------------------------------------------------------------------------
 */

int cpu_set(const struct cgroup *group, const char *cpus, const char *mems)
{
    /* BEGIN SOLUTION step 4
     * TODO(step 4): cpuset.cpus and cpuset.mems. Then, in version 2, is cpuset.cpus.effective what
     *               cpuset.cpus says? The kernel writes both lists in the same form. cgroup_read
     */
    char asked[4096], given[4096]; /* a machine may have hundreds */
    int result = cpus == NULL ? 0 : cgroup_write(group, "cpuset.cpus", cpus);

    if (result == 0 && mems != NULL)
        result = cgroup_write(group, "cpuset.mems", mems);
    if (result < 0 || cpus == NULL || group_version(group, "cpuset") == 1)
        return result;
    if (cgroup_read(group, "cpuset.cpus", asked, sizeof asked) < 0 ||
        cgroup_read(group, "cpuset.cpus.effective", given, sizeof given) < 0)
        return -EIO;
    return strcmp(asked, given) == 0 ? 0 : -EINVAL;
    /* END SOLUTION */
}

/* --- Kubernetes --------------------------------------------------------------------------------
 */

unsigned cpu_request_shares(cpu_millis millis)
{
    /* BEGIN SOLUTION step 5 return 0
     * TODO(step 5): 1024 for 1000 millis; what is below 2 is 2, what is above 262144 is that.
     */
    uint64_t shares = millis * 1024 / 1000;

    return (unsigned)(shares < 2 ? 2 : shares > 262144 ? 262144 : shares);
    /* END SOLUTION */
}

unsigned cpu_request_weight(cpu_millis millis)
{
    /* BEGIN SOLUTION step 5 return 0
     * TODO(step 5): the formula of cpu.h: a range of 2..262144 laid upon one of 1..10000. How large
     *               is the product in the middle, and what fits in an int?
     */
    return 1 + (cpu_request_shares(millis) - 2) * 9999U / 262142U;
    /* END SOLUTION */
}

/* --- disks -------------------------------------------------------------------------------------
 */

/* BEGIN SOLUTION step 6 helper */
static int throttle_v1(const struct cgroup *group, const char *file, unsigned major, unsigned minor,
                       uint64_t bytes)
{
    char text[64];

    snprintf(text, sizeof text, "%u:%u %" PRIu64, major, minor, bytes); /* 0 takes the limit away */
    return cgroup_write(group, file, text);
}
/* END SOLUTION */

int cpu_io_limit(const struct cgroup *group, unsigned major, unsigned minor, uint64_t read_bytes,
                 uint64_t write_bytes)
{
    /* BEGIN SOLUTION step 6
     * TODO(step 6): "MAJOR:MINOR rbps=N wbps=N" in io.max, "max" for no limit. In version 1,
     *               "MAJOR:MINOR N" in blkio.throttle.read_bps_device and ...write_bps_device.
     */
    char text[128], reads[24] = "max", writes[24] = "max";

    if (group_version(group, "io") != 2) {
        int result = throttle_v1(group, "blkio.throttle.read_bps_device", major, minor, read_bytes);
        return result < 0 ? result
                          : throttle_v1(group, "blkio.throttle.write_bps_device", major, minor,
                                        write_bytes);
    }
    if (read_bytes > 0)
        snprintf(reads, sizeof reads, "%" PRIu64, read_bytes);
    if (write_bytes > 0)
        snprintf(writes, sizeof writes, "%" PRIu64, write_bytes);
    snprintf(text, sizeof text, "%u:%u rbps=%s wbps=%s", major, minor, reads, writes);
    return cgroup_write(group, "io.max", text);
    /* END SOLUTION */
}
