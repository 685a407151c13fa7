/* Writes files of the group's folder by openat, and never asks cgroup_write: the version is what
 * the files show. Amounts are read digit by digit. */
#include "13-cpu/cpu.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The fd of `file` in whichever part has it, or -errno. */
static int open_file(const struct cgroup *group, const char *file, int flags)
{
    for (size_t i = 0; i < group->count; i++) {
        int fd = openat(group->parts[i].folder, file, flags | O_CLOEXEC);
        if (fd >= 0)
            return fd;
        if (errno != ENOENT)
            return -errno;
    }
    return -ENOENT;
}

static bool has(const struct cgroup *group, const char *file)
{
    int fd = open_file(group, file, O_RDONLY);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

__attribute__((format(printf, 3, 4))) static int put(const struct cgroup *group, const char *file,
                                                     const char *format, ...)
{
    int fd = open_file(group, file, O_WRONLY);
    va_list args;

    if (fd < 0)
        return fd;
    va_start(args, format);
    int result = vdprintf(fd, format, args) < 0 ? -errno : 0;
    va_end(args);
    close(fd);
    return result;
}

static int get(const struct cgroup *group, const char *file, char *text, size_t size)
{
    int fd = open_file(group, file, O_RDONLY);

    if (fd < 0)
        return fd;
    ssize_t length = read(fd, text, size - 1);
    int error = errno;
    close(fd);
    if (length < 0)
        return -error;
    text[length] = '\0';
    return 0;
}

int cpu_parse(const char *text, cpu_millis *millis)
{
    const uint64_t most = 1000000000;
    uint64_t value = 0, unit = 1000;
    bool point = false, digit = false, huge = false;

    for (; *text != '\0'; text++) {
        if (*text >= '0' && *text <= '9') {
            if (point && (unit /= 10) == 0)
                return -EINVAL;
            value = point ? value + (uint64_t)(*text - '0') * unit
                          : value * 10 + (uint64_t)(*text - '0') * 1000;
            huge = huge || value > most * 1000;
            value = huge ? 0 : value;
            digit = true;
        } else if (*text == '.' && digit && !point && text[1] != '\0') {
            point = true;
        } else if (*text == 'm' && digit && !point && text[1] == '\0') {
            value /= 1000;
        } else {
            return -EINVAL;
        }
    }
    if (!digit || (value == 0 && !huge))
        return -EINVAL;
    if (huge || value > most)
        return -ERANGE;
    *millis = value;
    return 0;
}

int cpu_limit(const struct cgroup *group, cpu_millis millis, uint64_t period)
{
    if (period == 0)
        period = 100000;
    uint64_t quota = millis * period / 1000;
    if (has(group, "cpu.max"))
        return millis == 0 ? put(group, "cpu.max", "max %lu", period)
                           : put(group, "cpu.max", "%lu %lu", quota, period);
    /* In version 1 the quota first: it is judged by the period that stands. */
    int result = put(group, "cpu.cfs_quota_us", "-1");
    if (result == 0)
        result = put(group, "cpu.cfs_period_us", "%lu", period);
    if (result == 0 && millis > 0)
        result = put(group, "cpu.cfs_quota_us", "%lu", quota);
    return result;
}

int cpu_stat(const struct cgroup *group, struct cpu_stat *stat)
{
    char text[4096], usage[64];
    unsigned long value;
    char key[64];
    int read = 0;

    *stat = (struct cpu_stat){0};
    int result = get(group, "cpu.stat", text, sizeof text);
    if (result < 0)
        return result;
    for (const char *at = text; sscanf(at, "%63s %lu%n", key, &value, &read) == 2; at += read) {
        if (strcmp(key, "nr_periods") == 0)
            stat->periods = value;
        else if (strcmp(key, "nr_throttled") == 0)
            stat->throttled = value;
        else if (strcmp(key, "throttled_usec") == 0)
            stat->throttled_usec = value;
        else if (strcmp(key, "throttled_time") == 0)
            stat->throttled_usec = value / 1000;
        else if (strcmp(key, "usage_usec") == 0)
            stat->usage_usec = value;
    }
    if (get(group, "cpuacct.usage", usage, sizeof usage) == 0)
        stat->usage_usec = strtoul(usage, NULL, 10) / 1000;
    return 0;
}

unsigned cpu_throttled(const struct cpu_stat *before, const struct cpu_stat *after)
{
    if (after->periods == before->periods)
        return 0;
    double share =
        (double)(after->throttled - before->throttled) / (double)(after->periods - before->periods);
    return (unsigned)(share * 10000 + 0.5);
}

int cpu_weight(const struct cgroup *group, unsigned weight)
{
    if (weight == 0 || weight > 10000)
        return -ERANGE;
    if (has(group, "cpu.weight"))
        return put(group, "cpu.weight", "%u", weight);
    return put(group, "cpu.shares", "%u", (weight * 1024 + 50) / 100);
}

int cpu_set(const struct cgroup *group, const char *cpus, const char *mems)
{
    char asked[512] = "", given[512] = "";
    int result = mems != NULL ? put(group, "cpuset.mems", "%s", mems) : 0;

    if (result == 0 && cpus != NULL)
        result = put(group, "cpuset.cpus", "%s", cpus);
    if (result == 0 && cpus != NULL && has(group, "cpuset.cpus.effective")) {
        get(group, "cpuset.cpus", asked, sizeof asked);
        get(group, "cpuset.cpus.effective", given, sizeof given);
        result = strcmp(asked, given) == 0 ? 0 : -EINVAL;
    }
    return result;
}

unsigned cpu_request_shares(cpu_millis millis)
{
    if (millis * 1024 < 2000)
        return 2;
    return millis >= 256000 ? 262144 : (unsigned)(millis * 1024 / 1000);
}

unsigned cpu_request_weight(cpu_millis millis)
{
    return (unsigned)((cpu_request_shares(millis) - 2) * 9999UL / 262142UL) + 1;
}

int cpu_io_limit(const struct cgroup *group, unsigned major, unsigned minor, uint64_t read_bytes,
                 uint64_t write_bytes)
{
    if (!has(group, "io.max")) {
        int result =
            put(group, "blkio.throttle.write_bps_device", "%u:%u %lu", major, minor, write_bytes);
        return result < 0 ? result
                          : put(group, "blkio.throttle.read_bps_device", "%u:%u %lu", major, minor,
                                read_bytes);
    }
    int result = read_bytes > 0 ? put(group, "io.max", "%u:%u rbps=%lu", major, minor, read_bytes)
                                : put(group, "io.max", "%u:%u rbps=max", major, minor);
    if (result < 0)
        return result;
    return write_bytes > 0 ? put(group, "io.max", "%u:%u wbps=%lu", major, minor, write_bytes)
                           : put(group, "io.max", "%u:%u wbps=max", major, minor);
}
