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

/* BEGIN SOLUTION step 1 helper */
/* How many bytes a unit is; 0 when it is none. */
static uint64_t unit_size(const char *unit)
{
    static const char *const units[4][4] = {{"k", "K", "Ki", "kB"},
                                            {"m", "M", "Mi", "MB"},
                                            {"g", "G", "Gi", "GB"},
                                            {"t", "T", "Ti", "TB"}};
    uint64_t size = 1, decimal = 1;

    if (strcmp(unit, "") == 0 || strcmp(unit, "b") == 0 || strcmp(unit, "B") == 0)
        return 1;
    for (int power = 0; power < 4; power++) {
        size *= 1024;
        decimal *= 1000;
        for (int form = 0; form < 4; form++)
            if (strcmp(unit, units[power][form]) == 0)
                return form < 3 ? size : decimal;
    }
    return 0;
}
/* END SOLUTION */

int memory_parse(const char *text, uint64_t *bytes)
{
    /* BEGIN SOLUTION step 1
     * TODO(step 1): strtoull(3) is too kind: it passes over spaces, takes a sign, and turns what
     *               does not fit into ULLONG_MAX with only errno to tell. And a product of two
     *               numbers that fit need not fit.
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

/* --- limits ----------------------------------------------------------------------------------- */

/* BEGIN SOLUTION step 2 helper */
/* The part of the group that limits memory, or NULL. */
static const struct cgroup_part *memory_part(const struct cgroup *group)
{
    for (size_t i = 0; i < group->count; i++)
        if (list_has(group->parts[i].controllers, "memory"))
            return &group->parts[i];
    return NULL;
}

static int write_bytes(const struct cgroup *group, const char *file, uint64_t bytes)
{
    char text[24];

    snprintf(text, sizeof text, "%" PRIu64, bytes);
    return cgroup_write(group, file, bytes == memory_unlimited ? "max" : text);
}

/* The sum as version 1 wants it: its word for "none" is -1, and cgroup_write does not know this
 * file. */
static int write_sum(const struct cgroup *group, uint64_t both)
{
    char text[24] = "-1";

    if (both != memory_unlimited)
        snprintf(text, sizeof text, "%" PRIu64, both);
    int result = cgroup_write(group, "memory.memsw.limit_in_bytes", text);
    return result == -ENOENT ? 0 : result; /* a kernel that does not count swap */
}

/* A sum that stands and is too low refuses the memory limit; then the sum has to go first. Trying
 * saves reading what stands. */
static int limit_v1(const struct cgroup *group, uint64_t bytes, uint64_t both)
{
    int result = write_bytes(group, "memory.max", bytes);

    if (result == 0)
        return write_sum(group, both);
    if (result != -EINVAL)
        return result;
    result = write_sum(group, both);
    return result < 0 ? result : write_bytes(group, "memory.max", bytes);
}
/* END SOLUTION */

int memory_limit(const struct cgroup *group, uint64_t bytes, uint64_t both)
{
    /* BEGIN SOLUTION step 2
     * TODO(step 2): cgroup_write knows "memory.max". Version 2 limits swap alone
     *               ("memory.swap.max"), version 1 the sum of both
     *               ("memory.memsw.limit_in_bytes"), which may at no moment be below the limit of
     *               memory.
     */
    const struct cgroup_part *part = memory_part(group);

    if (both < bytes)
        return -EINVAL;
    if (part != NULL && part->version == 1)
        return limit_v1(group, bytes, both);
    int result = write_bytes(group, "memory.max", bytes);
    if (result < 0)
        return result;
    result = write_bytes(group, "memory.swap.max",
                         both == memory_unlimited ? memory_unlimited : both - bytes);
    return result == -ENOENT ? 0 : result;
    /* END SOLUTION */
}

/* --- why it ended ----------------------------------------------------------------------------- */

/* BEGIN SOLUTION step 3 helper */
/* The number behind `key` in a text of "KEY NUMBER" lines; 0 when it is not there. The space is
 * part of what is looked for: "oom" is the beginning of "oom_kill". */
static uint64_t number_of(const char *text, const char *key)
{
    size_t length = strlen(key);

    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, length) == 0 && line[length] == ' ')
            return strtoull(line + length, NULL, 10);
    }
    return 0;
}

/* For groups_each: what one group of version 1 has counted. */
static int kills_of(int folder)
{
    char text[256];
    ssize_t length = file_read(folder, "memory.oom_control", text, sizeof text);

    return length < 0 ? (int)length : (int)number_of(text, "oom_kill");
}

static int events_v1(int folder, struct memory_events *events)
{
    int own = kills_of(folder), sum = groups_each(folder, kills_of);

    if (own < 0 || sum < 0)
        return own < 0 ? own : sum;
    events->kills = (uint64_t)sum;
    events->kills_local = (uint64_t)own;
    return 0;
}
/* END SOLUTION */

int memory_events(const struct cgroup *group, struct memory_events *events)
{
    *events = (struct memory_events){0};
    /* BEGIN SOLUTION step 3
     * TODO(step 3): version 2 has memory.events (oom_kill, oom) and memory.events.local. Version 1
     *               has one counter a group, oom_kill in memory.oom_control: groups_each
     *               (given_files.h of lab 11) goes through those below.
     */
    const struct cgroup_part *part = memory_part(group);
    char text[512];

    if (part != NULL && part->version == 1)
        return events_v1(part->folder, events);
    ssize_t length = cgroup_read(group, "memory.events", text, sizeof text);
    if (length < 0)
        return (int)length;
    events->kills = number_of(text, "oom_kill");
    events->limit_hits = number_of(text, "oom");
    if (cgroup_read(group, "memory.events.local", text, sizeof text) >= 0)
        events->kills_local = number_of(text, "oom_kill");
    return 0;
    /* END SOLUTION */
}

enum memory_reason memory_reason(int status, const struct memory_events *before,
                                 const struct memory_events *after)
{
    /* BEGIN SOLUTION step 3 return MEMORY_ERROR
     * TODO(step 3): 137 is 128 + SIGKILL, and anybody may send SIGKILL. Only the counter knows.
     */
    if (after->kills > before->kills)
        return status == 128 + SIGKILL ? MEMORY_OOM_KILLED : MEMORY_OOM_INSIDE;
    return status == 0 ? MEMORY_COMPLETED : MEMORY_ERROR;
    /* END SOLUTION */
}

/* --- what it is spent on ---------------------------------------------------------------------- */

int memory_usage(const struct cgroup *group, struct memory_usage *usage)
{
    *usage = (struct memory_usage){0};
    /* BEGIN SOLUTION step 4
     * TODO(step 4): memory.current, memory.peak, and the lines anon, file and shmem of memory.stat.
     *               In version 1 those are total_rss, total_cache and total_shmem: its "rss" is
     *               what version 2 calls anon, and is no resident set.
     */
    const struct cgroup_part *part = memory_part(group);
    bool v1 = part != NULL && part->version == 1;
    char number[32], stat[8192];
    ssize_t length = cgroup_read(group, "memory.current", number, sizeof number);

    if (length < 0)
        return (int)length;
    usage->current = strtoull(number, NULL, 10);
    if (cgroup_read(group, "memory.peak", number, sizeof number) > 0)
        usage->peak = strtoull(number, NULL, 10);
    length = cgroup_read(group, "memory.stat", stat, sizeof stat);
    if (length < 0)
        return (int)length;
    usage->anon = number_of(stat, v1 ? "total_rss" : "anon");
    usage->file = number_of(stat, v1 ? "total_cache" : "file");
    usage->shmem = number_of(stat, v1 ? "total_shmem" : "shmem");
    return 0;
    /* END SOLUTION */
}

/* --- pressure --------------------------------------------------------------------------------- */

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

/* --- how much there really is ----------------------------------------------------------------- */

int memory_available(uint64_t *bytes)
{
    /* BEGIN SOLUTION step 6
     * TODO(step 6): cgroup_bound (lab 11) for memory.max; and the line MemTotal of /proc/meminfo,
     *               which is in KiB and the whole machine's. Without any control group, that alone.
     */
    uint64_t machine = 0, bound = memory_unlimited;
    FILE *file = fopen("/proc/meminfo", "re");

    if (file == NULL)
        return -errno;
    int found = fscanf(file, "MemTotal: %" SCNu64 " kB", &machine);
    fclose(file);
    if (found != 1)
        return -EBADMSG;
    machine *= 1024;
    int result = cgroup_bound(getpid(), "memory", "memory.max", &bound);
    if (result < 0 && result != -ENOENT)
        return result;
    *bytes = bound < machine ? bound : machine;
    return 0;
    /* END SOLUTION */
}
