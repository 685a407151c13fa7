/* Other than the reference: the unit is cut off from the end, version 1's sum is lifted out of the
 * way first, counters are found by strstr, what the machine has by sysinfo(2), limits by a walk
 * upwards. */
#include "12-memory/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "11-cgroup/given_files.h"

/* --- sizes ------------------------------------------------------------------------------------ */

int memory_parse(const char *text, uint64_t *bytes)
{
    static const char letters[] = "kmgtKMGT";
    size_t length = strlen(text);
    unsigned __int128 number = 0, base = 1024;
    int power = 0;

    if (strcmp(text, "max") == 0 || strcmp(text, "-1") == 0) {
        *bytes = memory_unlimited;
        return 0;
    }
    if (length > 2 && text[length - 1] == 'i' && strchr("KMGT", text[length - 2]) != NULL)
        length--;
    else if (length > 2 && text[length - 1] == 'B' && strchr("kMGT", text[length - 2]) != NULL)
        length--, base = 1000;
    else if (length > 0 && (text[length - 1] == 'b' || text[length - 1] == 'B'))
        length--, base = 1;
    const char *letter = length > 0 ? strchr(letters, text[length - 1]) : NULL;
    if (letter != NULL && base != 1)
        length--, power = (int)((letter - letters) % 4) + 1;
    if (length == 0 || strspn(text, "0123456789") != length)
        return -EINVAL;
    for (size_t i = 0; i < length && number <= UINT64_MAX; i++)
        number = number * 10 + (unsigned)(text[i] - '0');
    while (power-- > 0 && number <= UINT64_MAX)
        number *= base;
    *bytes = (uint64_t)number;
    return number > UINT64_MAX ? -ERANGE : 0;
}

/* --- limits ----------------------------------------------------------------------------------- */

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

/* With no limit on the sum, the other can be written whatever it is. */
static int limit_v1(const struct cgroup *group, uint64_t bytes, uint64_t both)
{
    int result = write_sum(group, memory_unlimited);

    if (result == 0)
        result = write_bytes(group, "memory.max", bytes);
    return result == 0 ? write_sum(group, both) : result;
}

int memory_limit(const struct cgroup *group, uint64_t bytes, uint64_t both)
{
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
}

/* --- why it ended ----------------------------------------------------------------------------- */

static uint64_t number_of(const char *text, const char *key)
{
    char whole[9000], wanted[64];

    snprintf(whole, sizeof whole, "\n%s", text);
    snprintf(wanted, sizeof wanted, "\n%s ", key);
    const char *at = strstr(whole, wanted);
    return at != NULL ? strtoull(at + strlen(wanted), NULL, 10) : 0;
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

int memory_events(const struct cgroup *group, struct memory_events *events)
{
    *events = (struct memory_events){0};
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
}

enum memory_reason memory_reason(int status, const struct memory_events *before,
                                 const struct memory_events *after)
{
    if (after->kills > before->kills)
        return status == 128 + SIGKILL ? MEMORY_OOM_KILLED : MEMORY_OOM_INSIDE;
    return status == 0 ? MEMORY_COMPLETED : MEMORY_ERROR;
}

/* --- what it is spent on ---------------------------------------------------------------------- */

int memory_usage(const struct cgroup *group, struct memory_usage *usage)
{
    *usage = (struct memory_usage){0};
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
}

/* --- pressure --------------------------------------------------------------------------------- */

int memory_pressure(const struct cgroup *group, struct memory_pressure *pressure)
{
    *pressure = (struct memory_pressure){0};
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
}

/* --- how much there really is ----------------------------------------------------------------- */

int memory_available(uint64_t *bytes)
{
    struct cgroup_place place;
    struct sysinfo machine;
    char path[PATH_MAX + 32], text[32];

    if (sysinfo(&machine) < 0)
        return -errno;
    *bytes = (uint64_t)machine.totalram * machine.mem_unit;
    int result = cgroup_find(getpid(), "memory", &place);
    if (result < 0)
        return result == -ENOENT ? 0 : result;
    do {
        snprintf(path, sizeof path, "%s/%s", place.path,
                 place.version == 1 ? "memory.limit_in_bytes" : "memory.max");
        if (file_read(AT_FDCWD, path, text, sizeof text) > 0 && text[0] != 'm' &&
            strtoull(text, NULL, 10) < *bytes)
            *bytes = strtoull(text, NULL, 10);
    } while (group_above(place.path));
    return 0;
}
