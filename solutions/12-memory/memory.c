/* Lab 12: memory. The contract is memory.h. */
#include "12-memory/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* --- sizes -------------------------------------------------------------------------------------
 */

/* BEGIN SOLUTION step 1 helper */
/* How many bytes a unit is; 0 when it is none. "k" and "Ki" count by 1024, "kB" by 1000. */
static uint64_t unit_size(const char *unit)
{
    static const char letters[] = "kmgt";
    uint64_t base = 1024, size = 1;

    if (unit[0] == '\0' || strcasecmp(unit, "b") == 0)
        return 1;
    const char *letter = strchr(letters, unit[0] | 0x20); /* in lower case */
    if (letter == NULL)
        return 0;
    if (strcmp(unit + 1, "B") == 0)
        base = 1000;
    else if (unit[1] != '\0' && strcmp(unit + 1, "i") != 0)
        return 0;
    for (const char *at = letters; at <= letter; at++)
        size *= base;
    return size;
}
/* END SOLUTION */

int memory_parse(const char *text, uint64_t *bytes)
{
    /* BEGIN SOLUTION step 1
     * TODO(step 1): strtoull(3) is too kind: it passes over spaces, takes a sign, and turns what
     * does not fit into ULLONG_MAX with only errno to tell. And a product of two numbers that fit
     * need not fit.
     */
    char *end;

    if (strcmp(text, "max") == 0 || strcmp(text, "-1") == 0) {
        *bytes = memory_unlimited;
        return 0;
    }
    if (text[0] < '0' || text[0] > '9')
        return -EINVAL;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    uint64_t unit = unit_size(end);
    if (unit == 0)
        return -EINVAL;
    if (errno == ERANGE || number > UINT64_MAX / unit)
        return -ERANGE;
    *bytes = number * unit;
    return 0;
    /* END SOLUTION */
}

/* --- limits ------------------------------------------------------------------------------------
 */

/* BEGIN SOLUTION step 2 helper */
static int write_bytes(const struct cgroup *group, const char *file, uint64_t bytes)
{
    char text[24];

    snprintf(text, sizeof text, "%" PRIu64, bytes);
    return cgroup_write(group, file, bytes == memory_unlimited ? "max" : text);
}

static bool is_v1(const struct cgroup *group)
{
    for (size_t i = 0; i < group->count; i++)
        if (strstr(group->parts[i].controllers, "memory") != NULL)
            return group->parts[i].version == 1;
    return false;
}

/* Version 1 refuses a sum below the memory limit, so the limit that goes up has to go first. Trying
 * both orders saves the reading of what stands. */
static int limit_v1(const struct cgroup *group, uint64_t bytes, uint64_t both)
{
    static const char sum_file[] = "memory.memsw.limit_in_bytes";
    char sum[24];
    int result = write_bytes(group, "memory.max", bytes);

    snprintf(sum, sizeof sum, "%" PRIu64, both);
    int wrote = cgroup_write(group, sum_file, both == memory_unlimited ? "-1" : sum);
    if (wrote == -ENOENT) /* a kernel that does not count swap */
        return result;
    if (wrote == 0 && result < 0)
        result = write_bytes(group, "memory.max", bytes);
    return wrote < 0 ? wrote : result;
}
/* END SOLUTION */

int memory_limit(const struct cgroup *group, uint64_t bytes, uint64_t both)
{
    /* BEGIN SOLUTION step 2
     * TODO(step 2): cgroup_write knows "memory.max". Version 2 limits swap alone
     * ("memory.swap.max"), version 1 the sum of both ("memory.memsw.limit_in_bytes"), which may at
     * no moment be below the limit of memory.
     */
    if (both < bytes)
        return -EINVAL;
    if (is_v1(group))
        return limit_v1(group, bytes, both);
    int result = write_bytes(group, "memory.max", bytes);
    if (result < 0)
        return result;
    result = write_bytes(group, "memory.swap.max",
                         both == memory_unlimited ? memory_unlimited : both - bytes);
    return result == -ENOENT ? 0 : result;
    /* END SOLUTION */
}

/* --- why it ended ------------------------------------------------------------------------------
 */

/* BEGIN SOLUTION step 3 helper */
/* The number behind `key` in a file of "KEY NUMBER" lines; 0 when there is none. */
static int read_key(const struct cgroup *group, const char *file, const char *key, uint64_t *number)
{
    char text[8192];
    ssize_t length = cgroup_read(group, file, text, sizeof text);
    size_t key_length = strlen(key);

    *number = 0;
    if (length < 0)
        return (int)length;
    for (char *line = text, *rest = text; (line = strsep(&rest, "\n")) != NULL;)
        if (strncmp(line, key, key_length) == 0 && line[key_length] == ' ')
            *number = strtoull(line + key_length, NULL, 10);
    return 0;
}
/* END SOLUTION */

int memory_events(const struct cgroup *group, struct memory_events *events)
{
    *events = (struct memory_events){0};
    /* BEGIN SOLUTION step 3
     * TODO(step 3): memory.events counts what happened here and below, memory.events.local only
     * here. Version 1 has one counter, oom_kill in memory.oom_control.
     */
    int result = read_key(group, "memory.events", "oom_kill", &events->kills);

    if (result == -ENOENT)
        return read_key(group, "memory.oom_control", "oom_kill", &events->kills);
    if (result == 0)
        result = read_key(group, "memory.events", "oom", &events->limit_hits);
    if (result == 0)
        result = read_key(group, "memory.events.local", "oom_kill", &events->kills_local);
    return result == -ENOENT ? 0 : result; /* .local is there since Linux 5.2 */
    /* END SOLUTION */
}

enum memory_reason memory_reason(int status, const struct memory_events *before,
                                 const struct memory_events *after)
{
    /* BEGIN SOLUTION step 3 return MEMORY_ERROR
     * TODO(step 3): 137 is 128 + SIGKILL, and anybody may send SIGKILL. Only the counter knows.
     */
    bool killed = after->kills > before->kills;

    if (killed)
        return status == 128 + SIGKILL ? MEMORY_OOM_KILLED : MEMORY_OOM_INSIDE;
    return status == 0 ? MEMORY_COMPLETED : MEMORY_ERROR;
    /* END SOLUTION */
}

/* --- what it is spent on -----------------------------------------------------------------------
 */

/* BEGIN SOLUTION step 4 helper */
static int read_number(const struct cgroup *group, const char *file, uint64_t *number)
{
    char text[32];
    ssize_t length = cgroup_read(group, file, text, sizeof text);

    *number = length < 0 ? 0 : strtoull(text, NULL, 10);
    return length < 0 ? (int)length : 0;
}
/* END SOLUTION */

int memory_usage(const struct cgroup *group, struct memory_usage *usage)
{
    *usage = (struct memory_usage){0};
    /* BEGIN SOLUTION step 4
     * TODO(step 4): memory.current, memory.peak, and the lines anon, file and shmem of memory.stat.
     *               In version 1 those are total_rss, total_cache and total_shmem: its "rss" is
     * what version 2 calls anon, and is no resident set.
     */
    bool v1 = is_v1(group);
    int result = read_number(group, "memory.current", &usage->current);

    if (result < 0)
        return result;
    result = read_number(group, "memory.peak", &usage->peak);
    if (result == 0 || result == -ENOENT)
        result = read_key(group, "memory.stat", v1 ? "total_rss" : "anon", &usage->anon);
    if (result == 0)
        result = read_key(group, "memory.stat", v1 ? "total_cache" : "file", &usage->file);
    if (result == 0)
        result = read_key(group, "memory.stat", v1 ? "total_shmem" : "shmem", &usage->shmem);
    return result;
    /* END SOLUTION */
}

/* --- pressure ----------------------------------------------------------------------------------
 */

int memory_pressure(const struct cgroup *group, struct memory_pressure *pressure)
{
    *pressure = (struct memory_pressure){0};
    /* BEGIN SOLUTION step 5
     * TODO(step 5): two lines of memory.pressure, "some avg10=1.25 avg60=... avg300=... total=..."
     *               and "full ...". sscanf(3) can take a number apart at its point.
     */
    char text[512];
    unsigned some, some_part, full, full_part;
    ssize_t length = cgroup_read(group, "memory.pressure", text, sizeof text);

    if (length < 0)
        return (int)length;
    if (sscanf(text,
               "some avg10=%u.%2u avg60=%*s avg300=%*s total=%" SCNu64
               " full avg10=%u.%2u avg60=%*s avg300=%*s total=%" SCNu64,
               &some, &some_part, &pressure->some_total, &full, &full_part,
               &pressure->full_total) != 6)
        return -EBADMSG;
    pressure->some_avg10 = some * 100 + some_part;
    pressure->full_avg10 = full * 100 + full_part;
    return 0;
    /* END SOLUTION */
}

/* --- how much there really is ------------------------------------------------------------------
 */

int memory_available(uint64_t *bytes)
{
    /* BEGIN SOLUTION step 6
     * TODO(step 6): cgroup_bound (lab 11) for memory.max; and the line MemTotal of /proc/meminfo,
     * which is in KiB and the whole machine's. Without any control group, that alone.
     */
    unsigned long long total = 0;
    FILE *file = fopen("/proc/meminfo", "re");

    if (file == NULL)
        return -errno;
    int found = fscanf(file, "MemTotal: %llu kB", &total);
    fclose(file);
    if (found != 1)
        return -EBADMSG;
    *bytes = memory_unlimited;
    int result = cgroup_bound(getpid(), "memory", "memory.max", bytes);
    if (result < 0 && result != -ENOENT)
        return result;
    if (*bytes > (uint64_t)total * 1024)
        *bytes = (uint64_t)total * 1024;
    return 0;
    /* END SOLUTION */
}
