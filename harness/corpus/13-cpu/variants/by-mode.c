/* Asks cgroup_mode which version there is, once; works with text all along: an amount is padded to
 * thousandths before it becomes a number. Files are read through a FILE of each part. */
#include "13-cpu/cpu.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_v2(void)
{
    static int mode = -1;

    if (mode < 0)
        mode = cgroup_mode();
    return mode == CGROUP_V2;
}

int cpu_parse(const char *text, cpu_millis *millis)
{
    char digits[64];
    const char *point = strchr(text, '.'), *end = text + strlen(text);
    size_t before = strspn(text, "0123456789"), after = 0;
    bool thousandths = before > 0 && strcmp(text + before, "m") == 0;

    if (before == 0)
        return -EINVAL;
    if (point != NULL)
        after = strspn(point + 1, "0123456789");
    if (!thousandths && point == NULL && text + before != end)
        return -EINVAL;
    if (point != NULL &&
        (point != text + before || after < 1 || after > 3 || point + 1 + after != end))
        return -EINVAL;
    while (*text == '0' && before > 1) {
        text++;
        before--;
    }
    if (before > 12)
        return -ERANGE;
    snprintf(digits, sizeof digits, "%.*s%.*s%s", (int)before, text, (int)after,
             point != NULL ? point + 1 : "",
             thousandths  ? ""
             : after == 0 ? "000"
             : after == 1 ? "00"
             : after == 2 ? "0"
                          : "");
    uint64_t number = strtoull(digits, NULL, 10);
    if (number == 0)
        return -EINVAL;
    if (number > 1000000000)
        return -ERANGE;
    *millis = number;
    return 0;
}

int cpu_limit(const struct cgroup *group, cpu_millis millis, uint64_t period)
{
    char *text = NULL, quota[32] = "max";
    int result;

    if (period == 0)
        period = 100000;
    if (millis != 0)
        snprintf(quota, sizeof quota, "%.0f", floor((double)millis * (double)period / 1000));
    if (is_v2()) {
        if (asprintf(&text, "%s %lu\n", quota, period) < 0)
            return -ENOMEM;
        result = cgroup_write(group, "cpu.max", text);
    } else {
        if (asprintf(&text, "%lu", period) < 0)
            return -ENOMEM;
        result = cgroup_write(group, "cpu.cfs_period_us", text);
        if (result == 0 && millis != 0)
            result = cgroup_write(group, "cpu.cfs_quota_us", quota);
    }
    free(text);
    return result;
}

static FILE *open_in(const struct cgroup *group, const char *file)
{
    char path[PATH_MAX + 64];

    for (size_t i = 0; i < group->count; i++) {
        snprintf(path, sizeof path, "%s/%s", group->parts[i].path, file);
        FILE *stream = fopen(path, "re");
        if (stream != NULL)
            return stream;
    }
    return NULL;
}

int cpu_stat(const struct cgroup *group, struct cpu_stat *stat)
{
    struct {
        const char *key;
        uint64_t *value, unit;
    } lines[] = {{"usage_usec ", &stat->usage_usec, 1},
                 {"nr_periods ", &stat->periods, 1},
                 {"nr_throttled ", &stat->throttled, 1},
                 {"throttled_usec ", &stat->throttled_usec, 1},
                 {"throttled_time ", &stat->throttled_usec, 1000}};
    FILE *file = open_in(group, "cpu.stat");
    char line[256];

    *stat = (struct cpu_stat){0};
    if (file == NULL)
        return -errno;
    while (fgets(line, sizeof line, file) != NULL)
        for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
            if (strncmp(line, lines[i].key, strlen(lines[i].key)) == 0)
                *lines[i].value = strtoull(line + strlen(lines[i].key), NULL, 10) / lines[i].unit;
    fclose(file);
    if ((file = open_in(group, "cpuacct.usage")) != NULL) {
        if (fgets(line, sizeof line, file) != NULL)
            stat->usage_usec = strtoull(line, NULL, 10) / 1000;
        fclose(file);
    }
    return 0;
}

unsigned cpu_throttled(const struct cpu_stat *before, const struct cpu_stat *after)
{
    uint64_t periods = after->periods - before->periods;
    uint64_t share, rest;

    if (periods == 0)
        return 0;
    share = (after->throttled - before->throttled) * 10000 / periods;
    rest = (after->throttled - before->throttled) * 10000 % periods;
    return (unsigned)(rest * 2 >= periods ? share + 1 : share);
}

int cpu_weight(const struct cgroup *group, unsigned weight)
{
    char text[16];

    switch (weight) {
    case 1 ... 10000:
        snprintf(text, sizeof text, "%u\n", weight);
        return cgroup_write(group, "cpu.weight", text);
    default:
        return -ERANGE;
    }
}

int cpu_set(const struct cgroup *group, const char *cpus, const char *mems)
{
    char asked[512], given[512];

    if (mems != NULL) {
        int result = cgroup_write(group, "cpuset.mems", mems);
        if (result < 0)
            return result;
    }
    if (cpus == NULL)
        return 0;
    int result = cgroup_write(group, "cpuset.cpus", cpus);
    if (result < 0 || !is_v2())
        return result;
    ssize_t a = cgroup_read(group, "cpuset.cpus", asked, sizeof asked);
    ssize_t b = cgroup_read(group, "cpuset.cpus.effective", given, sizeof given);
    return a < 0 ? (int)a : b < 0 ? (int)b : strcmp(asked, given) != 0 ? -EINVAL : 0;
}

unsigned cpu_request_shares(cpu_millis millis)
{
    double shares = floor((double)millis * 1.024 + 1e-9);

    return shares < 2 ? 2 : shares > 262144 ? 262144 : (unsigned)shares;
}

unsigned cpu_request_weight(cpu_millis millis)
{
    return 1 + (unsigned)floor((cpu_request_shares(millis) - 2) * 9999.0 / 262142.0);
}

int cpu_io_limit(const struct cgroup *group, unsigned major, unsigned minor, uint64_t read_bytes,
                 uint64_t write_bytes)
{
    char text[160] = "";
    int length = snprintf(text, sizeof text, "%u:%u ", major, minor), result;

    if (is_v2()) {
        length +=
            read_bytes == 0
                ? snprintf(text + length, sizeof text - (size_t)length, "rbps=max ")
                : snprintf(text + length, sizeof text - (size_t)length, "rbps=%lu ", read_bytes);
        if (write_bytes == 0)
            snprintf(text + length, sizeof text - (size_t)length, "wbps=max");
        else
            snprintf(text + length, sizeof text - (size_t)length, "wbps=%lu", write_bytes);
        return cgroup_write(group, "io.max", text);
    }
    snprintf(text + length, sizeof text - (size_t)length, "%lu", read_bytes);
    result = cgroup_write(group, "blkio.throttle.read_bps_device", text);
    snprintf(text + length, sizeof text - (size_t)length, "%lu", write_bytes);
    return result < 0 ? result : cgroup_write(group, "blkio.throttle.write_bps_device", text);
}
