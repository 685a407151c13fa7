/* Variant: stdio on paths, getline and sscanf, processors as bit sets, thousandths by strtod after
 * the text has been looked at, quota lifted before the period changes. */
#include "13-cpu/cpu.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CPUS_MOST = 8192 };

static const struct cgroup_part *part_with(const struct cgroup *group, const char *controller)
{
    for (size_t i = 0; i < group->count; i++) {
        char list[80], *rest = list, *word;
        snprintf(list, sizeof list, "%s", group->parts[i].controllers);
        while ((word = strsep(&rest, ",")) != NULL)
            if (strcmp(word, controller) == 0)
                return &group->parts[i];
    }
    return NULL;
}

static FILE *open_in(const struct cgroup_part *part, const char *file, const char *how)
{
    char *path = NULL;
    FILE *stream = NULL;

    if (part == NULL) {
        errno = ENOENT;
        return NULL;
    }
    if (asprintf(&path, "%s/%s", part->path, file) > 0)
        stream = fopen(path, how);
    free(path);
    return stream;
}

__attribute__((format(printf, 3, 4))) static int put(const struct cgroup_part *part,
                                                     const char *file, const char *format, ...)
{
    va_list list;
    FILE *stream = open_in(part, file, "r+e");

    if (stream == NULL)
        return -errno;
    va_start(list, format);
    vfprintf(stream, format, list);
    va_end(list);
    return fclose(stream) == 0 ? 0 : -errno;
}

int cpu_parse(const char *text, cpu_millis *millis)
{
    int whole = 0, all = 0;
    double value;

    if (!isdigit((unsigned char)text[0]))
        return -EINVAL;
    sscanf(text, "%*[0-9]%n", &whole);
    all = whole;
    if (text[whole] == 'm') {
        all++;
        value = strtod(text, NULL);
    } else {
        if (text[whole] == '.') {
            int places = 0;
            while (isdigit((unsigned char)text[whole + 1 + places]) && places < 4)
                places++;
            if (places < 1 || places > 3)
                return -EINVAL;
            all += 1 + places;
        }
        value = strtod(text, NULL) * 1000;
        if (value < 2e9)
            value = (double)(uint64_t)(value + 0.5);
    }
    if (text[all] != '\0' || value == 0)
        return -EINVAL;
    if (value > 1e9)
        return -ERANGE;
    *millis = (cpu_millis)value;
    return 0;
}

int cpu_limit(const struct cgroup *group, cpu_millis millis, uint64_t period)
{
    const struct cgroup_part *part = part_with(group, "cpu");
    int result;

    if (part == NULL)
        return -ENOENT;
    period = period != 0 ? period : 100000;
    if (part->version == 2) {
        if (millis == 0)
            return put(part, "cpu.max", "max %" PRIu64 "\n", period);
        return put(part, "cpu.max", "%" PRIu64 " %" PRIu64 "\n", period * millis / 1000, period);
    }
    if ((result = put(part, "cpu.cfs_quota_us", "-1\n")) < 0)
        return result;
    if ((result = put(part, "cpu.cfs_period_us", "%" PRIu64 "\n", period)) < 0)
        return result;
    return millis == 0 ? 0 : put(part, "cpu.cfs_quota_us", "%" PRIu64 "\n", period * millis / 1000);
}

int cpu_stat(const struct cgroup *group, struct cpu_stat *stat)
{
    FILE *stream = open_in(part_with(group, "cpu"), "cpu.stat", "re");
    char *line = NULL;
    size_t size = 0;

    *stat = (struct cpu_stat){0};
    if (stream == NULL)
        return -errno;
    while (getline(&line, &size, stream) > 0) {
        char key[64];
        uint64_t value;
        if (sscanf(line, "%63s %" SCNu64, key, &value) != 2)
            continue;
        if (strcmp(key, "usage_usec") == 0)
            stat->usage_usec = value;
        else if (strcmp(key, "nr_periods") == 0)
            stat->periods = value;
        else if (strcmp(key, "nr_throttled") == 0)
            stat->throttled = value;
        else if (strcmp(key, "throttled_usec") == 0)
            stat->throttled_usec = value;
        else if (strcmp(key, "throttled_time") == 0)
            stat->throttled_usec = value / 1000;
    }
    free(line);
    fclose(stream);
    stream = open_in(part_with(group, "cpuacct"), "cpuacct.usage", "re");
    if (stream != NULL) {
        uint64_t value;
        if (fscanf(stream, "%" SCNu64, &value) == 1)
            stat->usage_usec = value / 1000;
        fclose(stream);
    }
    return 0;
}

unsigned cpu_throttled(const struct cpu_stat *before, const struct cpu_stat *after)
{
    if (after->periods == before->periods)
        return 0;
    double periods = (double)(after->periods - before->periods);
    return (unsigned)((double)(after->throttled - before->throttled) * 1e4 / periods + 0.5);
}

int cpu_weight(const struct cgroup *group, unsigned weight)
{
    const struct cgroup_part *part = part_with(group, "cpu");

    if (weight == 0 || weight > 10000)
        return -ERANGE;
    if (part != NULL && part->version == 1)
        return put(part, "cpu.shares", "%u\n", (unsigned)(weight * 10.24 + 0.5));
    return put(part, "cpu.weight", "%u\n", weight);
}

unsigned cpu_request_shares(cpu_millis millis)
{
    if (millis >= 256000)
        return 262144;
    unsigned shares = (unsigned)(1.024 * (double)millis);
    while ((uint64_t)(shares + 1) * 1000 <= millis * 1024) /* 1.024 is a little off */
        shares++;
    while ((uint64_t)shares * 1000 > millis * 1024)
        shares--;
    return shares > 2 ? shares : 2;
}

unsigned cpu_request_weight(cpu_millis millis)
{
    return 1 + (unsigned)((cpu_request_shares(millis) - 2) * 9999.0 / 262142.0);
}

/* The processors of a list as the kernel writes it. */
static bool read_set(const struct cgroup_part *part, const char *file, bool set[CPUS_MOST])
{
    FILE *stream = open_in(part, file, "re");
    unsigned first, last;
    char sign;

    memset(set, 0, CPUS_MOST * sizeof *set);
    if (stream == NULL)
        return false;
    while (fscanf(stream, "%u", &first) == 1) {
        last = first;
        sign = (char)fgetc(stream);
        if (sign == '-' && fscanf(stream, "%u%c", &last, &sign) < 1)
            break;
        for (; first <= last && first < CPUS_MOST; first++)
            set[first] = true;
    }
    fclose(stream);
    return true;
}

int cpu_set(const struct cgroup *group, const char *cpus, const char *mems)
{
    static bool asked[CPUS_MOST], given[CPUS_MOST];
    const struct cgroup_part *part = part_with(group, "cpuset");
    int result = mems != NULL ? put(part, "cpuset.mems", "%s\n", mems) : 0;

    if (result < 0 || cpus == NULL)
        return result;
    result = put(part, "cpuset.cpus", "%s\n", cpus);
    if (result < 0 || part->version == 1)
        return result;
    if (!read_set(part, "cpuset.cpus", asked) || !read_set(part, "cpuset.cpus.effective", given))
        return -EINVAL;
    for (size_t i = 0; i < CPUS_MOST; i++)
        if (asked[i] && !given[i])
            return -EINVAL;
    return 0;
}

int cpu_io_limit(const struct cgroup *group, unsigned major, unsigned minor, uint64_t read_bytes,
                 uint64_t write_bytes)
{
    const struct cgroup_part *part = part_with(group, "blkio");
    static const char *const files[] = {"blkio.throttle.read_bps_device",
                                        "blkio.throttle.write_bps_device"};
    const uint64_t bytes[] = {read_bytes, write_bytes};
    static const char *const keys[] = {"rbps", "wbps"};
    int result = 0;

    if (part == NULL)
        part = part_with(group, "io");
    for (int i = 0; i < 2 && result == 0; i++) {
        if (part != NULL && part->version == 1)
            result = put(part, files[i], "%u:%u %" PRIu64, major, minor, bytes[i]);
        else if (bytes[i] == 0)
            result = put(part, "io.max", "%u:%u %s=max", major, minor, keys[i]);
        else
            result = put(part, "io.max", "%u:%u %s=%" PRIu64, major, minor, keys[i], bytes[i]);
    }
    return result;
}
