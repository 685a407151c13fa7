/* Other than the reference: strtoumax and a scan of the rest, files tried by their names and no
 * look at the version, the pressure taken apart by strtok, the limits in the other order in
 * version 2. */
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

int memory_parse(const char *text, uint64_t *bytes)
{
    static const char *const forms[] = {"kKkKKK", "mMMMMM", "gGGGGG", "tTTTTT"};
    char *rest, *unit = NULL;
    uint64_t size = 1;

    if (strcmp(text, "max") == 0 || strcmp(text, "-1") == 0)
        return *bytes = memory_unlimited, 0;
    errno = 0;
    uintmax_t number = strtoumax(text, &rest, 10);
    int error = errno;
    if (rest == text || strchr("0123456789", text[0]) == NULL)
        return -EINVAL;
    if (strcmp(rest, "b") == 0 || strcmp(rest, "B") == 0)
        rest++;
    if (rest[0] != '\0') {
        for (int i = 0; i < 4 && unit == NULL; i++) {
            char b[3] = {forms[i][2], 'B', 0}, k[3] = {forms[i][3], 'i', 0};
            uint64_t base = strcmp(rest, b) == 0 ? 1000 : 1024;
            if (base == 1000 || strcmp(rest, k) == 0 ||
                (rest[1] == '\0' && (rest[0] == forms[i][0] || rest[0] == forms[i][1])))
                unit = rest;
            if (unit != NULL)
                for (int power = 0; power <= i; power++)
                    size *= base;
        }
        if (unit == NULL)
            return -EINVAL;
    }
    if (error == ERANGE || __builtin_mul_overflow((uint64_t)number, size, bytes))
        return -ERANGE;
    return 0;
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

int memory_limit(const struct cgroup *group, uint64_t bytes, uint64_t both)
{
    const struct cgroup_part *part = memory_part(group);

    if (both < bytes)
        return -EINVAL;
    if (part != NULL && part->version == 1)
        return limit_v1(group, bytes, both);
    int result = write_bytes(group, "memory.swap.max",
                             both == memory_unlimited ? memory_unlimited : both - bytes);
    if (result < 0 && result != -ENOENT)
        return result;
    return write_bytes(group, "memory.max", bytes);
}

/* --- why it ended ----------------------------------------------------------------------------- */

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

int memory_events(const struct cgroup *group, struct memory_events *events)
{
    *events = (struct memory_events){0};
    char text[512];
    ssize_t length = cgroup_read(group, "memory.events", text, sizeof text);

    if (length == -ENOENT && memory_part(group) != NULL &&
        cgroup_read(group, "memory.oom_control", text, sizeof text) >= 0)
        return events_v1(memory_part(group)->folder, events);
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
    unsigned some, some_part;
    ssize_t length = cgroup_read(group, "memory.pressure", text, sizeof text);

    if (length < 0)
        return (int)length;
    const char *word = strtok(text, " \n");
    int line = -1, seen = 0;
    for (; word != NULL; word = strtok(NULL, " \n")) {
        if (strcmp(word, "some") == 0 || strcmp(word, "full") == 0) {
            line = word[0] == 'f';
        } else if (line >= 0 && sscanf(word, "avg10=%u.%u", &some, &some_part) == 2) {
            *(line == 0 ? &pressure->some_avg10 : &pressure->full_avg10) = some * 100 + some_part;
            seen++;
        } else if (line >= 0 && strncmp(word, "total=", 6) == 0) {
            *(line == 0 ? &pressure->some_total : &pressure->full_total) =
                strtoull(word + 6, NULL, 10);
            seen++;
        }
    }
    return seen == 4 ? 0 : -EBADMSG;
}

/* --- how much there really is ----------------------------------------------------------------- */

int memory_available(uint64_t *bytes)
{
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
}
