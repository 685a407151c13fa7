/* Variant: trusts nobody: refuses before it asks the kernel, writes period and quota in the order
 * that never is a larger share than both, reads back what it wrote; raw openat, write and pread. */
#include "13-cpu/cpu.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "13-cpu/given_version.h"

#define MOST 1000000000ULL /* millis */

static int folder_of(const struct cgroup *group, const char *controller, int *version)
{
    size_t length = strlen(controller);

    for (size_t i = 0; i < group->count; i++) {
        const char *at = group->parts[i].controllers;
        while ((at = strstr(at, controller)) != NULL) {
            bool begins = at == group->parts[i].controllers || at[-1] == ',';
            if (begins && (at[length] == ',' || at[length] == '\0')) {
                *version = group->parts[i].version;
                return group->parts[i].folder;
            }
            at += length;
        }
    }
    return -1;
}

static int raw_write(int folder, const char *file, const char *text)
{
    int fd = (int)syscall(SYS_openat, folder, file, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0)
        return -errno;
    ssize_t wrote;
    do
        wrote = write(fd, text, strlen(text));
    while (wrote < 0 && errno == EINTR);
    int error = wrote < 0 ? errno : 0;
    close(fd);
    if (error != 0)
        return -error;
    return (size_t)wrote == strlen(text) ? 0 : -EIO;
}

/* All of the file, however long, in memory of its own. */
static char *raw_read(int folder, const char *file)
{
    int fd = openat(folder, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    size_t length = 0, room = 64;
    char *text = malloc(room);
    ssize_t got = -1;

    while (fd >= 0 && text != NULL &&
           (got = pread(fd, text + length, room - length - 1, (off_t)length)) > 0) {
        length += (size_t)got;
        if (length + 1 == room) {
            char *more = realloc(text, room *= 2);
            if (more == NULL)
                free(text);
            text = more;
        }
    }
    int error = errno;
    if (fd >= 0)
        close(fd);
    if (got < 0 || text == NULL) {
        free(text);
        errno = error;
        return NULL;
    }
    text[length] = '\0';
    while (length > 0 && text[length - 1] == '\n')
        text[--length] = '\0';
    return text;
}

int cpu_parse(const char *text, cpu_millis *millis)
{
    enum { BEGIN, WHOLE, POINT, PART, MILLI } state = BEGIN;
    uint64_t amount = 0;
    int places = 0;
    bool large = false;

    for (; *text != '\0'; text++) {
        if (*text >= '0' && *text <= '9' && state != MILLI) {
            if (state == BEGIN)
                state = WHOLE;
            if (state == POINT)
                state = PART;
            if (state == PART && ++places > 3)
                return -EINVAL;
            amount = amount * 10 + (uint64_t)(*text - '0');
            if (amount > MOST * 1000) {
                amount = MOST * 1000;
                large = true;
            }
        } else if (*text == '.' && state == WHOLE) {
            state = POINT;
        } else if (*text == 'm' && state == WHOLE) {
            state = MILLI;
        } else {
            return -EINVAL;
        }
    }
    if (state == BEGIN || state == POINT || amount == 0)
        return -EINVAL;
    if (state != MILLI)
        for (; places < 3; places++)
            amount *= 10;
    if (large || amount > MOST)
        return -ERANGE;
    *millis = amount;
    return 0;
}

/* Version 1 judges each file with the other as it stands. */
static int limit_v1(int folder, const char *quota, const char *periods, uint64_t period)
{
    char *text = raw_read(folder, "cpu.cfs_period_us");
    uint64_t now = text != NULL ? strtoull(text, NULL, 10) : 0;
    int result;

    free(text);
    if (period >= now) {
        result = raw_write(folder, "cpu.cfs_period_us", periods);
        return result < 0 ? result : raw_write(folder, "cpu.cfs_quota_us", quota);
    }
    result = raw_write(folder, "cpu.cfs_quota_us", quota);
    return result < 0 ? result : raw_write(folder, "cpu.cfs_period_us", periods);
}

int cpu_limit(const struct cgroup *group, cpu_millis millis, uint64_t period)
{
    int version = 0, folder = folder_of(group, "cpu", &version);
    char quota[32], periods[32], line[72];

    if (folder < 0)
        return -ENOENT;
    if (period == 0)
        period = 100000;
    if (period < 1000 || period > 1000000 || millis > UINT64_MAX / period)
        return -EINVAL;
    uint64_t us = millis * period / 1000;
    if (millis != 0 && us < 1000)
        return -EINVAL;
    sprintf(periods, "%" PRIu64, period);
    if (millis == 0)
        strcpy(quota, version == 2 ? "max" : "-1");
    else
        sprintf(quota, "%" PRIu64, us);
    if (version == 1)
        return limit_v1(folder, quota, periods, period);
    sprintf(line, "%s %s", quota, periods);
    int result = raw_write(folder, "cpu.max", line);
    if (result < 0)
        return result;
    char *now = raw_read(folder, "cpu.max");
    result = now != NULL && strcmp(now, line) == 0 ? 0 : -EIO;
    free(now);
    return result;
}

static uint64_t value_of(const char *text, const char *key)
{
    char pattern[64];

    snprintf(pattern, sizeof pattern, "\n%s ", key);
    const char *at = strstr(text, pattern);
    if (at != NULL)
        return strtoull(at + strlen(pattern), NULL, 10);
    return strncmp(text, pattern + 1, strlen(pattern) - 1) == 0
               ? strtoull(text + strlen(pattern) - 1, NULL, 10)
               : 0;
}

int cpu_stat(const struct cgroup *group, struct cpu_stat *stat)
{
    int version, other, folder = folder_of(group, "cpu", &version);
    char *text = folder < 0 ? NULL : raw_read(folder, "cpu.stat");

    memset(stat, 0, sizeof *stat);
    if (text == NULL)
        return folder < 0 ? -ENOENT : -errno;
    stat->periods = value_of(text, "nr_periods");
    stat->throttled = value_of(text, "nr_throttled");
    if (version == 2) {
        stat->usage_usec = value_of(text, "usage_usec");
        stat->throttled_usec = value_of(text, "throttled_usec");
    } else {
        stat->throttled_usec = value_of(text, "throttled_time") / 1000;
        folder = folder_of(group, "cpuacct", &other);
        char *usage = folder < 0 ? NULL : raw_read(folder, "cpuacct.usage");
        stat->usage_usec = usage != NULL ? strtoull(usage, NULL, 10) / 1000 : 0;
        free(usage);
    }
    free(text);
    return 0;
}

unsigned cpu_throttled(const struct cpu_stat *before, const struct cpu_stat *after)
{
    if (after->periods <= before->periods || after->throttled < before->throttled)
        return 0;
    unsigned __int128 share = (unsigned __int128)(after->throttled - before->throttled) * 20000;
    uint64_t twice = 2 * (after->periods - before->periods);
    return (unsigned)((share + twice / 2) / twice);
}

int cpu_weight(const struct cgroup *group, unsigned weight)
{
    int version, folder = folder_of(group, "cpu", &version);
    char text[24];

    if (weight - 1 >= 10000)
        return -ERANGE;
    if (folder < 0)
        return -ENOENT;
    sprintf(text, "%u", version == 2 ? weight : (weight * 1024 + 50) / 100);
    return raw_write(folder, version == 2 ? "cpu.weight" : "cpu.shares", text);
}

unsigned cpu_request_shares(cpu_millis millis)
{
    if (millis < 2)
        return 2;
    if (millis > 256000)
        return 262144;
    return (unsigned)millis + (unsigned)millis * 24 / 1000;
}

unsigned cpu_request_weight(cpu_millis millis)
{
    unsigned long long above = cpu_request_shares(millis) - 2ULL;

    return (unsigned)(above * 9999 / 262142) + 1;
}

/* Writes, and where the kernel says what came of it, is content with nothing less. */
static int choose(int folder, int version, const char *what, const char *list)
{
    char effective[40];
    int result = raw_write(folder, what, list);

    if (result < 0 || version == 1)
        return result;
    snprintf(effective, sizeof effective, "%s.effective", what);
    char *asked = raw_read(folder, what), *given = raw_read(folder, effective);
    result = asked != NULL && given != NULL && strcmp(asked, given) == 0 ? 0 : -EINVAL;
    free(asked);
    free(given);
    return result;
}

int cpu_set(const struct cgroup *group, const char *cpus, const char *mems)
{
    int version = 0, folder = folder_of(group, "cpuset", &version), result = 0;

    if (cpus == NULL && mems == NULL)
        return 0;
    if (folder < 0)
        return -ENOENT;
    if (cpus != NULL)
        result = choose(folder, version, "cpuset.cpus", cpus);
    if (result == 0 && mems != NULL)
        result = choose(folder, version, "cpuset.mems", mems);
    return result;
}

int cpu_io_limit(const struct cgroup *group, unsigned major, unsigned minor, uint64_t read_bytes,
                 uint64_t write_bytes)
{
    int version, folder = folder_of(group, "io", &version);
    char text[128], device[64], rate[32];

    snprintf(device, sizeof device, "/sys/dev/block/%u:%u", major, minor);
    if (access(device, F_OK) < 0)
        return -ENODEV;
    if (folder >= 0 && version == 2) {
        int length = sprintf(text, "%u:%u wbps=", major, minor);
        sprintf(rate, "%" PRIu64, write_bytes);
        length += sprintf(text + length, "%s rbps=", write_bytes != 0 ? rate : "max");
        sprintf(rate, "%" PRIu64, read_bytes);
        sprintf(text + length, "%s", read_bytes != 0 ? rate : "max");
        return raw_write(folder, "io.max", text);
    }
    folder = folder_of(group, "blkio", &version);
    if (folder < 0)
        return -ENOENT;
    sprintf(text, "%u:%u %" PRIu64, major, minor, write_bytes);
    int result = raw_write(folder, "blkio.throttle.write_bps_device", text);
    sprintf(text, "%u:%u %" PRIu64, major, minor, read_bytes);
    return result < 0 ? result : raw_write(folder, "blkio.throttle.read_bps_device", text);
}
