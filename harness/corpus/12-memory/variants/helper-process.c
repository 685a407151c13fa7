/* Other than the reference: a process of its own writes the limits and tells by a pipe how that
 * went, version 1's sum is tried first, a table of all units, counters below by fts(3), averages as
 * floating-point numbers and rounded. */
#include "12-memory/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "11-cgroup/given_files.h"

static const struct {
    const char *word;
    uint64_t size;
} units[] = {
    {"", 1},
    {"b", 1},
    {"B", 1},
    {"k", 1ULL << 10},
    {"K", 1ULL << 10},
    {"Ki", 1ULL << 10},
    {"kB", 1000ULL},
    {"m", 1ULL << 20},
    {"M", 1ULL << 20},
    {"Mi", 1ULL << 20},
    {"MB", 1000000ULL},
    {"g", 1ULL << 30},
    {"G", 1ULL << 30},
    {"Gi", 1ULL << 30},
    {"GB", 1000000000ULL},
    {"t", 1ULL << 40},
    {"T", 1ULL << 40},
    {"Ti", 1ULL << 40},
    {"TB", 1000000000000ULL},
};

int memory_parse(const char *text, uint64_t *bytes)
{
    size_t digits = strspn(text, "0123456789");
    uint64_t size = 0, number = 0;

    *bytes = 0;
    if (strcmp(text, "max") == 0 || strcmp(text, "-1") == 0)
        return *bytes = UINT64_MAX, 0;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(text + digits, units[i].word) == 0)
            size = units[i].size;
    if (digits == 0 || size == 0)
        return -EINVAL;
    while (digits-- > 0) {
        uint64_t digit = (uint64_t)(*text++ - '0');
        if (number > (UINT64_MAX - digit) / 10)
            return -ERANGE;
        number = number * 10 + digit;
    }
    if (number != 0 && UINT64_MAX / number < size)
        return -ERANGE;
    *bytes = number * size;
    return 0;
}

static int version_of(const struct cgroup *group)
{
    for (size_t i = 0; i < group->count; i++)
        if (list_has(group->parts[i].controllers, "memory"))
            return group->parts[i].version;
    return 0;
}

static int write_number(const struct cgroup *group, const char *file, uint64_t value,
                        const char *none)
{
    char text[32];

    snprintf(text, sizeof text, "%" PRIu64 "\n", value);
    return cgroup_write(group, file, value == memory_unlimited ? none : text);
}

static int limit_old(const struct cgroup *group, uint64_t bytes, uint64_t both)
{
    static const char sum[] = "memory.memsw.limit_in_bytes";
    int first = write_number(group, sum, both, "-1");

    if (first < 0 && first != -EINVAL && first != -ENOENT)
        return first;
    int result = write_number(group, "memory.limit_in_bytes", bytes, "-1");
    if (result < 0 || first != -EINVAL)
        return result;
    return write_number(group, sum, both, "-1");
}

static int limit(const struct cgroup *group, uint64_t bytes, uint64_t both)
{
    if (version_of(group) == 1)
        return limit_old(group, bytes, both);
    int swap = write_number(group, "memory.swap.max",
                            both == memory_unlimited ? both : both - bytes, "max");
    if (swap < 0 && swap != -ENOENT)
        return swap;
    return write_number(group, "memory.max", bytes, "max");
}

/* In a process of its own, so that a write that blocks could be given up. */
int memory_limit(const struct cgroup *group, uint64_t bytes, uint64_t both)
{
    int fds[2], result = -EIO;

    if (both < bytes)
        return -EINVAL;
    if (version_of(group) == 0)
        return -ENOENT;
    if (pipe2(fds, O_CLOEXEC) < 0)
        return -errno;
    pid_t child = fork();
    if (child == 0) {
        result = limit(group, bytes, both);
        if (write(fds[1], &result, sizeof result) < 0)
            _exit(1);
        _exit(0);
    }
    close(fds[1]);
    if (child < 0) {
        result = -errno;
    } else {
        struct pollfd ready = {fds[0], POLLIN, 0};
        while (poll(&ready, 1, 5000) < 0 && errno == EINTR)
            ;
        if (read(fds[0], &result, sizeof result) != sizeof result)
            result = -EIO;
        while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    close(fds[0]);
    return result;
}

/* All "key number" lines of a text, given to those who want them. */
struct want {
    const char *key;
    uint64_t *value;
};

static int gather(const struct cgroup *group, const char *file, const struct want *wants)
{
    char text[16384];
    ssize_t length = cgroup_read(group, file, text, sizeof text);

    if (length < 0)
        return (int)length;
    for (char *rest = text, *line; (line = strsep(&rest, "\n")) != NULL;) {
        char key[64];
        uint64_t value;
        if (sscanf(line, "%63s %" SCNu64, key, &value) != 2)
            continue;
        for (const struct want *want = wants; want->key != NULL; want++)
            if (strcmp(key, want->key) == 0)
                *want->value = value;
    }
    return 0;
}

static int events_old(const struct cgroup *group, struct memory_events *events)
{
    int result = gather(group, "memory.oom_control",
                        (struct want[]){{"oom_kill", &events->kills_local}, {NULL, NULL}});
    size_t i = 0;

    if (result < 0)
        return result;
    while (!list_has(group->parts[i].controllers, "memory"))
        i++;
    char *path = strdup(group->parts[i].path);
    char *paths[] = {path, NULL};
    FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    for (FTSENT *entry; tree != NULL && (entry = fts_read(tree)) != NULL;) {
        char text[256];
        if (entry->fts_info != FTS_D ||
            group_read(entry->fts_path, "memory.oom_control", text, sizeof text) < 0)
            continue;
        const char *at = strstr(text, "oom_kill ");
        if (at != NULL)
            events->kills += strtoull(at + 9, NULL, 10);
    }
    if (tree != NULL)
        fts_close(tree);
    free(path);
    return 0;
}

int memory_events(const struct cgroup *group, struct memory_events *events)
{
    memset(events, 0, sizeof *events);
    if (version_of(group) == 0)
        return -ENOENT;
    if (version_of(group) == 1)
        return events_old(group, events);
    int result = gather(
        group, "memory.events",
        (struct want[]){{"oom_kill", &events->kills}, {"oom", &events->limit_hits}, {NULL, NULL}});
    if (result < 0)
        return result;
    result = gather(group, "memory.events.local",
                    (struct want[]){{"oom_kill", &events->kills_local}, {NULL, NULL}});
    return result == -ENOENT ? 0 : result; /* before Linux 5.2 */
}

enum memory_reason memory_reason(int status, const struct memory_events *before,
                                 const struct memory_events *after)
{
    if (after->kills <= before->kills && status == 0)
        return MEMORY_COMPLETED;
    if (after->kills <= before->kills)
        return MEMORY_ERROR;
    if (status - 128 == SIGKILL)
        return MEMORY_OOM_KILLED;
    return MEMORY_OOM_INSIDE;
}

int memory_usage(const struct cgroup *group, struct memory_usage *usage)
{
    int version = version_of(group);
    char text[64];

    memset(usage, 0, sizeof *usage);
    if (version == 0)
        return -ENOENT;
    ssize_t length = cgroup_read(group, "memory.current", text, sizeof text);
    if (length < 0)
        return (int)length;
    usage->current = strtoumax(text, NULL, 10);
    length = cgroup_read(group, "memory.peak", text, sizeof text);
    if (length >= 0)
        usage->peak = strtoumax(text, NULL, 10);
    else if (length != -ENOENT)
        return (int)length;
    if (version == 1)
        return gather(group, "memory.stat",
                      (struct want[]){{"total_rss", &usage->anon},
                                      {"total_cache", &usage->file},
                                      {"total_shmem", &usage->shmem},
                                      {NULL, NULL}});
    return gather(group, "memory.stat",
                  (struct want[]){{"anon", &usage->anon},
                                  {"file", &usage->file},
                                  {"shmem", &usage->shmem},
                                  {NULL, NULL}});
}

int memory_pressure(const struct cgroup *group, struct memory_pressure *pressure)
{
    char text[1024], word[8];
    unsigned seen = 0;

    memset(pressure, 0, sizeof *pressure);
    if (version_of(group) != 2)
        return -ENOENT;
    ssize_t length = cgroup_read(group, "memory.pressure", text, sizeof text);
    if (length < 0)
        return (int)length;
    for (char *rest = text, *line; (line = strsep(&rest, "\n")) != NULL;) {
        long double avg10;
        uint64_t total;
        if (sscanf(line, "%7s avg10=%Lf avg60=%*f avg300=%*f total=%" SCNu64, word, &avg10,
                   &total) != 3)
            return -EBADMSG;
        unsigned hundredths = (unsigned)(avg10 * 100 + 0.5L);
        if (strcmp(word, "some") == 0)
            pressure->some_avg10 = hundredths, pressure->some_total = total, seen |= 1;
        else if (strcmp(word, "full") == 0)
            pressure->full_avg10 = hundredths, pressure->full_total = total, seen |= 2;
        else
            return -EBADMSG;
    }
    return seen == 3 ? 0 : -EBADMSG;
}

static int see_total(void *arg, char *line)
{
    return sscanf(line, "MemTotal: %" SCNu64 " kB", (uint64_t *)arg) == 1;
}

int memory_available(uint64_t *bytes)
{
    uint64_t kib = 0, bound = 0;
    int result = lines_each("/proc/meminfo", see_total, &kib);

    if (result <= 0)
        return result < 0 ? result : -EBADMSG;
    *bytes = kib * 1024;
    result = cgroup_bound(getpid(), "memory", "memory.max", &bound);
    if (result == 0 && bound < *bytes)
        *bytes = bound;
    return result == -ENOENT ? 0 : result;
}
