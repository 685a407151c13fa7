/* Tries version 2's file first, and takes ENOENT for "this is version 1": it never asks for a
 * version. Amounts by sscanf; the share by 128 bits; the effective list is compared CPU by CPU. */
#include "13-cpu/cpu.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int cpu_parse(const char *text, cpu_millis *millis)
{
    char whole[32] = "", part[8] = "000", rest[2] = "";
    size_t length = strlen(text);

    for (size_t i = 0; i < length; i++)
        if (!isdigit((unsigned char)text[i]) && text[i] != '.' && text[i] != 'm')
            return -EINVAL;
    if (length > 0 && text[length - 1] == 'm') {
        if (strspn(text, "0123456789") != length - 1 || length == 1)
            return -EINVAL;
        uint64_t amount = strtoull(text, NULL, 10);
        if (amount > 1000000000)
            return -ERANGE;
        *millis = amount;
        return amount == 0 ? -EINVAL : 0;
    }
    if (strspn(text, "0123456789") == length && length > 7) {
        text += strspn(text, "0");
        if (strlen(text) > 7)
            return -ERANGE;
    }
    int fields = sscanf(text, "%31[0-9].%7[0-9]%1s", whole, part, rest);
    if (fields < 1 || fields > 2 || (fields == 1 && strchr(text, '.') != NULL) ||
        (fields == 2 && strlen(part) > 3) || strchr(text, 'm') != NULL)
        return -EINVAL;
    while (strlen(part) < 3)
        strcat(part, "0");
    uint64_t amount = strtoull(whole, NULL, 10);
    if (amount > 1000000 || (amount == 1000000 && atoi(part) > 0))
        return -ERANGE;
    *millis = amount * 1000 + strtoull(part, NULL, 10);
    return *millis == 0 ? -EINVAL : 0;
}

int cpu_limit(const struct cgroup *group, cpu_millis millis, uint64_t period)
{
    char text[64];

    period = period == 0 ? 100000 : period;
    if (millis == 0)
        snprintf(text, sizeof text, "max %" PRIu64, period);
    else
        snprintf(text, sizeof text, "%" PRIu64 " %" PRIu64, millis * period / 1000, period);
    int result = cgroup_write(group, "cpu.max", text);
    if (result != -ENOENT)
        return result;
    char *space = strchr(text, ' ');
    *space = '\0';
    if ((result = cgroup_write(group, "cpu.cfs_period_us", space + 1)) < 0)
        return result;
    return cgroup_write(group, "cpu.cfs_quota_us", millis == 0 ? "-1" : text);
}

/* Tokens, two by two. */
int cpu_stat(const struct cgroup *group, struct cpu_stat *stat)
{
    char text[2048], *save = NULL;
    ssize_t length = cgroup_read(group, "cpu.stat", text, sizeof text);

    *stat = (struct cpu_stat){0};
    if (length < 0)
        return (int)length;
    for (char *key = strtok_r(text, " \n", &save); key != NULL;
         key = strtok_r(NULL, " \n", &save)) {
        char *value = strtok_r(NULL, " \n", &save);
        uint64_t number = value == NULL ? 0 : strtoull(value, NULL, 10);
        if (strcmp(key, "usage_usec") == 0)
            stat->usage_usec = number;
        if (strcmp(key, "nr_periods") == 0)
            stat->periods = number;
        if (strcmp(key, "nr_throttled") == 0)
            stat->throttled = number;
        if (strcmp(key, "throttled_usec") == 0)
            stat->throttled_usec = number;
        if (strcmp(key, "throttled_time") == 0)
            stat->throttled_usec = number / 1000;
    }
    if (cgroup_read(group, "cpuacct.usage", text, sizeof text) > 0)
        stat->usage_usec = strtoull(text, NULL, 10) / 1000;
    return 0;
}

unsigned cpu_throttled(const struct cpu_stat *before, const struct cpu_stat *after)
{
    unsigned __int128 periods = after->periods - before->periods;
    unsigned __int128 throttled = after->throttled - before->throttled;

    return periods == 0 ? 0 : (unsigned)((throttled * 20000 + periods) / (2 * periods));
}

int cpu_weight(const struct cgroup *group, unsigned weight)
{
    char text[32];

    snprintf(text, sizeof text, "%u", weight);
    return weight - 1 < 10000 ? cgroup_write(group, "cpu.weight", text) : -ERANGE;
}

/* Sets a bit for each CPU of a list. */
static void mark(const char *list, unsigned char marks[1024])
{
    unsigned low, high;
    int read = 0;

    memset(marks, 0, 1024);
    while (sscanf(list, "%u%n", &low, &read) == 1) {
        list += read;
        high = low;
        if (sscanf(list, "-%u%n", &high, &read) == 1)
            list += read;
        for (; low <= high && low < 8192; low++)
            marks[low / 8] |= (unsigned char)(1 << low % 8);
        list += *list == ',';
    }
}

int cpu_set(const struct cgroup *group, const char *cpus, const char *mems)
{
    unsigned char asked[1024], given[1024];
    char list[1024];

    if (cpus != NULL) {
        int result = cgroup_write(group, "cpuset.cpus", cpus);
        if (result < 0)
            return result;
        if (cgroup_read(group, "cpuset.cpus.effective", list, sizeof list) > 0) {
            mark(list, given);
            mark(cpus, asked);
            if (memcmp(asked, given, sizeof asked) != 0)
                return -EINVAL;
        }
    }
    return mems == NULL ? 0 : cgroup_write(group, "cpuset.mems", mems);
}

unsigned cpu_request_shares(cpu_millis millis)
{
    unsigned shares = 2;

    if (millis > 256000)
        millis = 256000;
    if (millis * 1024 / 1000 > shares)
        shares = (unsigned)(millis * 1024 / 1000);
    return shares;
}

unsigned cpu_request_weight(cpu_millis millis)
{
    return (unsigned)(1 + (uint64_t)(cpu_request_shares(millis) - 2) * 9999 / 262142);
}

int cpu_io_limit(const struct cgroup *group, unsigned major, unsigned minor, uint64_t read_bytes,
                 uint64_t write_bytes)
{
    static const char *const v1[] = {"blkio.throttle.read_bps_device",
                                     "blkio.throttle.write_bps_device"};
    const uint64_t bytes[] = {read_bytes, write_bytes};
    int result = 0;

    for (int i = 0; result == 0 && i < 2; i++) {
        char text[128], limit[32] = "max";
        if (bytes[i] > 0)
            snprintf(limit, sizeof limit, "%" PRIu64, bytes[i]);
        snprintf(text, sizeof text, "%u:%u %cbps=%s", major, minor, "rw"[i], limit);
        result = cgroup_write(group, "io.max", text);
        if (result != -ENOENT)
            continue;
        snprintf(text, sizeof text, "%u:%u %" PRIu64, major, minor, bytes[i]);
        result = cgroup_write(group, v1[i], text);
    }
    return result;
}
