/* Variant: a process of its own for each write, which tells its errno by its exit status; reading
 * through /proc/self/fd; the list that was asked for is taken apart, not the file. */
#include "13-cpu/cpu.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "11-cgroup/given_files.h"
#include "13-cpu/given_version.h"

enum { PROCESSORS = 4096 };

static const struct cgroup_part *find(const struct cgroup *group, const char *controller)
{
    for (size_t i = 0; i < group->count; i++)
        if (list_has(group->parts[i].controllers, controller))
            return group->parts + i;
    return NULL;
}

static int put(const struct cgroup_part *part, const char *file, const char *value)
{
    int status;
    pid_t pid = part == NULL ? -1 : fork();

    if (part == NULL)
        return -ENOENT;
    if (pid < 0)
        return -errno;
    if (pid == 0) {
        int fd = openat(part->folder, file, O_WRONLY);
        struct iovec vector = {(char *)(uintptr_t)value, strlen(value)};
        _exit(fd >= 0 && writev(fd, &vector, 1) >= 0 ? 0 : errno);
    }
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -errno;
    return WIFEXITED(status) ? -WEXITSTATUS(status) : -EIO;
}

static ssize_t get(const struct cgroup_part *part, const char *file, char *text, size_t size)
{
    char path[128];

    if (part == NULL)
        return -ENOENT;
    snprintf(path, sizeof path, "/proc/self/fd/%d/%s", part->folder, file);
    return file_read(AT_FDCWD, path, text, size);
}

int cpu_parse(const char *text, cpu_millis *millis)
{
    const char *point = strchr(text, '.'), *digit = text;
    size_t length = strlen(text);
    uint64_t scale = 1000, sum = 0;

    if (length > 0 && text[length - 1] == 'm' && point == NULL) {
        scale = 1;
        length--;
    }
    if (length == 0 || point == text || (point != NULL && (point[1] == '\0' || strlen(point) > 4)))
        return -EINVAL;
    for (; digit < text + length; digit++)
        if (digit != point && (*digit < '0' || *digit > '9'))
            return -EINVAL;
    for (digit = text; digit < text + length && digit != point; digit++)
        if (__builtin_mul_overflow(sum, 10, &sum) ||
            __builtin_add_overflow(sum, (uint64_t)(*digit - '0') * scale, &sum))
            return -ERANGE;
    for (digit = point; digit != NULL && *++digit != '\0';)
        if (__builtin_add_overflow(sum, (uint64_t)(*digit - '0') * (scale /= 10), &sum))
            return -ERANGE;
    if (sum > 1000000000)
        return -ERANGE;
    if (sum == 0)
        return -EINVAL;
    *millis = sum;
    return 0;
}

int cpu_limit(const struct cgroup *group, cpu_millis millis, uint64_t period)
{
    const struct cgroup_part *part = find(group, "cpu");
    char quota[32] = "max", text[96];
    unsigned __int128 product = (unsigned __int128)millis * (period == 0 ? 100000 : period);

    if (period == 0)
        period = 100000;
    if (part == NULL)
        return -ENOENT;
    if (millis > 0)
        snprintf(quota, sizeof quota, "%llu", (unsigned long long)(product / 1000));
    if (part->version == 2) {
        snprintf(text, sizeof text, "%s %llu", quota, (unsigned long long)period);
        return put(part, "cpu.max", text);
    }
    snprintf(text, sizeof text, "%llu", (unsigned long long)period);
    int result = put(part, "cpu.cfs_period_us", text);
    return result < 0 ? result : put(part, "cpu.cfs_quota_us", millis > 0 ? quota : "-1");
}

int cpu_stat(const struct cgroup *group, struct cpu_stat *stat)
{
    char text[4096], *line = text, *next;
    ssize_t length = get(find(group, "cpu"), "cpu.stat", text, sizeof text);
    unsigned long thousand = group_version(group, "cpu") == 2 ? 1 : 1000;
    struct {
        const char *name;
        uint64_t *value;
        unsigned long unit;
    } keys[] = {
        {"nr_periods ", &stat->periods, 1},
        {"nr_throttled ", &stat->throttled, 1},
        {"usage_usec ", &stat->usage_usec, 1},
        {thousand == 1 ? "throttled_usec " : "throttled_time ", &stat->throttled_usec, thousand}};

    *stat = (struct cpu_stat){0, 0, 0, 0};
    if (length < 0)
        return (int)length;
    while ((next = strsep(&line, "\n")) != NULL)
        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
            if (strncmp(next, keys[i].name, strlen(keys[i].name)) == 0)
                *keys[i].value = strtoull(next + strlen(keys[i].name), NULL, 10) / keys[i].unit;
    if (thousand != 1 && get(find(group, "cpuacct"), "cpuacct.usage", text, sizeof text) > 0)
        stat->usage_usec = strtoull(text, NULL, 10) / 1000;
    return 0;
}

unsigned cpu_throttled(const struct cpu_stat *before, const struct cpu_stat *after)
{
    long double periods = (long double)(after->periods - before->periods);

    if (periods == 0)
        return 0;
    return (unsigned)((long double)(after->throttled - before->throttled) / periods * 10000 + 0.5L);
}

int cpu_weight(const struct cgroup *group, unsigned weight)
{
    char text[16], name[64], shares[64];

    if (weight == 0 || weight > 10000)
        return -ERANGE;
    snprintf(text, sizeof text, "%u", weight);
    if (group_version(group, "cpu") != 1)
        return put(find(group, "cpu"), "cpu.weight", text);
    int result = cgroup_v1_name("cpu.weight", text, name, shares);
    return result < 0 ? result : put(find(group, "cpu"), name, shares);
}

unsigned cpu_request_shares(cpu_millis millis)
{
    uint64_t shares = millis / 1000 * 1024 + millis % 1000 * 1024 / 1000;

    if (millis / 1000 >= 256)
        return 262144;
    return shares < 2 ? 2 : (unsigned)shares;
}

unsigned cpu_request_weight(cpu_millis millis)
{
    long shares = (long)cpu_request_shares(millis);

    return (unsigned)(1 + (shares - 2) * 9999L / 262142);
}

static int take_apart(const char *list, cpu_set_t *set)
{
    CPU_ZERO_S(PROCESSORS / 8, set);
    while (*list != '\0') {
        char *end;
        unsigned long first = strtoul(list, &end, 10), last = first;
        if (end == list)
            return -EINVAL;
        if (*end == '-')
            last = strtoul(end + 1, &end, 10);
        if (last >= PROCESSORS)
            return -EINVAL;
        for (; first <= last; first++)
            CPU_SET_S(first, PROCESSORS / 8, set);
        list = *end == ',' ? end + 1 : end;
        if (*end != ',' && *end != '\0')
            return -EINVAL;
    }
    return 0;
}

static int compare(const struct cgroup_part *part, const char *cpus)
{
    cpu_set_t *asked = CPU_ALLOC(PROCESSORS), *given = CPU_ALLOC(PROCESSORS);
    char text[8192];
    int result = take_apart(cpus, asked);

    if (result == 0 && get(part, "cpuset.cpus.effective", text, sizeof text) < 0)
        result = -EIO;
    if (result == 0)
        result = take_apart(text, given);
    if (result == 0 && !CPU_EQUAL_S(PROCESSORS / 8, asked, given))
        result = -EINVAL;
    CPU_FREE(asked);
    CPU_FREE(given);
    return result;
}

int cpu_set(const struct cgroup *group, const char *cpus, const char *mems)
{
    const struct cgroup_part *part = find(group, "cpuset");
    int result = 0;

    if (mems != NULL)
        result = put(part, "cpuset.mems", mems);
    if (result == 0 && cpus != NULL)
        result = put(part, "cpuset.cpus", cpus);
    if (result == 0 && cpus != NULL && part->version == 2)
        result = compare(part, cpus);
    return result;
}

int cpu_io_limit(const struct cgroup *group, unsigned major, unsigned minor, uint64_t read_bytes,
                 uint64_t write_bytes)
{
    const struct cgroup_part *v1 = find(group, "blkio"), *v2 = find(group, "io");
    char text[128], reads[32], writes[32];

    snprintf(reads, sizeof reads, read_bytes != 0 ? "%llu" : "max", (unsigned long long)read_bytes);
    snprintf(writes, sizeof writes, write_bytes != 0 ? "%llu" : "max",
             (unsigned long long)write_bytes);
    if (v1 == NULL) {
        snprintf(text, sizeof text, "%u:%u rbps=%s wbps=%s", major, minor, reads, writes);
        return put(v2, "io.max", text);
    }
    snprintf(text, sizeof text, "%u:%u %llu", major, minor, (unsigned long long)read_bytes);
    int result = put(v1, "blkio.throttle.read_bps_device", text);
    snprintf(text, sizeof text, "%u:%u %llu", major, minor, (unsigned long long)write_bytes);
    return result < 0 ? result : put(v1, "blkio.throttle.write_bps_device", text);
}
