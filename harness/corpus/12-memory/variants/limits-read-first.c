/* Other than the reference: the group's files by stdio and their paths, which of version 1's limits
 * goes first by reading the one that stands, counters below by nftw(3), what the machine has by
 * sysinfo(2), digits with the compiler's checked arithmetic. */
#include "12-memory/memory.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <unistd.h>

int memory_parse(const char *text, uint64_t *bytes)
{
    const char *at = text;
    uint64_t value = 0, base = 1024;
    bool over = false;

    if (!strcmp(text, "max") || !strcmp(text, "-1")) {
        *bytes = memory_unlimited;
        return 0;
    }
    for (; *at >= '0' && *at <= '9'; at++) {
        over |= __builtin_mul_overflow(value, 10, &value);
        over |= __builtin_add_overflow(value, (uint64_t)(*at - '0'), &value);
    }
    if (at == text)
        return -EINVAL;
    const char *letters = "kmgt";
    const char *letter = *at != '\0' ? strchr(letters, tolower((unsigned char)*at)) : NULL;
    if (letter == NULL) {
        if (*at != '\0' && strcmp(at, "b") != 0 && strcmp(at, "B") != 0)
            return -EINVAL;
        if (over)
            return -ERANGE;
        *bytes = value;
        return 0;
    }
    const char *tail = at + 1;
    if (strcmp(tail, "i") == 0 && isupper((unsigned char)*at))
        base = 1024;
    else if (strcmp(tail, "B") == 0 && (*at == 'k' || (isupper((unsigned char)*at) && *at != 'K')))
        base = 1000;
    else if (*tail != '\0')
        return -EINVAL;
    for (long power = letter - letters; power >= 0; power--)
        over |= __builtin_mul_overflow(value, base, &value);
    if (over)
        return -ERANGE;
    *bytes = value;
    return 0;
}

static const struct cgroup_part *find(const struct cgroup *group)
{
    for (size_t i = 0; i < group->count; i++) {
        char copy[64];
        strcpy(copy, group->parts[i].controllers);
        char *save = NULL;
        for (char *word = strtok_r(copy, ",", &save); word; word = strtok_r(NULL, ",", &save))
            if (strcmp(word, "memory") == 0)
                return &group->parts[i];
    }
    return NULL;
}

static FILE *file_of(const struct cgroup_part *part, const char *name, const char *mode)
{
    char path[PATH_MAX + 64];

    snprintf(path, sizeof path, "%s/%s", part->path, name);
    return fopen(path, mode);
}

static int put(const struct cgroup_part *part, const char *name, const char *none, uint64_t value)
{
    FILE *file = file_of(part, name, "r+e");

    if (file == NULL)
        return -errno;
    if (value == memory_unlimited)
        fputs(none, file);
    else
        fprintf(file, "%" PRIu64, value);
    return fclose(file) == EOF ? -errno : 0;
}

static int limit_old(const struct cgroup_part *part, uint64_t bytes, uint64_t both)
{
    uint64_t stands = 0;
    FILE *file = file_of(part, "memory.memsw.limit_in_bytes", "re");
    bool counts = file != NULL;

    if (counts) {
        int got = fscanf(file, "%" SCNu64, &stands);
        fclose(file);
        if (got != 1)
            return -EIO;
    }
    /* raising it: the sum makes room first */
    if (counts && bytes > stands) {
        int result = put(part, "memory.memsw.limit_in_bytes", "-1", both);
        return result < 0 ? result : put(part, "memory.limit_in_bytes", "-1", bytes);
    }
    int result = put(part, "memory.limit_in_bytes", "-1", bytes);
    return result < 0 || !counts ? result : put(part, "memory.memsw.limit_in_bytes", "-1", both);
}

int memory_limit(const struct cgroup *group, uint64_t bytes, uint64_t both)
{
    const struct cgroup_part *part = find(group);

    if (both < bytes)
        return -EINVAL;
    if (part == NULL)
        return -ENOENT;
    if (part->version == 1)
        return limit_old(part, bytes, both);
    int result = put(part, "memory.max", "max", bytes);
    if (result < 0)
        return result;
    result = put(part, "memory.swap.max", "max", both == memory_unlimited ? both : both - bytes);
    return result == -ENOENT ? 0 : result;
}

/* a number by its key, in any file of "key value" lines */
static int lookup(FILE *file, const char *key, uint64_t *value)
{
    char *line = NULL;
    size_t size = 0;
    int result = -ENODATA;

    rewind(file);
    while (getline(&line, &size, file) > 0) {
        char *space = strchr(line, ' ');
        if (space == NULL)
            continue;
        *space = '\0';
        if (strcmp(line, key) == 0) {
            *value = strtoull(space + 1, NULL, 10);
            result = 0;
            break;
        }
    }
    free(line);
    return result;
}

static uint64_t nftw_sum;

static int visit(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)ftw;
    if (type != FTW_D && type != FTW_DP)
        return 0;
    struct cgroup_part part = {0};
    snprintf(part.path, sizeof part.path, "%s", path);
    FILE *file = file_of(&part, "memory.oom_control", "re");
    uint64_t n = 0;
    if (file == NULL)
        return 0;
    lookup(file, "oom_kill", &n);
    fclose(file);
    nftw_sum += n;
    return 0;
}

int memory_events(const struct cgroup *group, struct memory_events *events)
{
    const struct cgroup_part *part = find(group);

    *events = (struct memory_events){0};
    if (part == NULL)
        return -ENOENT;
    if (part->version == 1) {
        FILE *file = file_of(part, "memory.oom_control", "re");
        if (file == NULL)
            return -errno;
        lookup(file, "oom_kill", &events->kills_local);
        fclose(file);
        nftw_sum = 0;
        if (nftw(part->path, visit, 16, FTW_PHYS | FTW_MOUNT) < 0)
            return -errno;
        events->kills = nftw_sum;
        return 0;
    }
    FILE *file = file_of(part, "memory.events", "re");
    if (file == NULL)
        return -errno;
    lookup(file, "oom_kill", &events->kills);
    lookup(file, "oom", &events->limit_hits);
    fclose(file);
    file = file_of(part, "memory.events.local", "re");
    if (file != NULL) {
        lookup(file, "oom_kill", &events->kills_local);
        fclose(file);
    }
    return 0;
}

enum memory_reason memory_reason(int status, const struct memory_events *before,
                                 const struct memory_events *after)
{
    static const enum memory_reason table[2][3] = {
        {MEMORY_ERROR, MEMORY_COMPLETED, MEMORY_ERROR},
        {MEMORY_OOM_INSIDE, MEMORY_OOM_INSIDE, MEMORY_OOM_KILLED}};
    return table[after->kills > before->kills][status == 0 ? 1 : status == 137 ? 2 : 0];
}

int memory_usage(const struct cgroup *group, struct memory_usage *usage)
{
    static const char *const current[] = {"memory.usage_in_bytes", "memory.current"};
    static const char *const peak[] = {"memory.max_usage_in_bytes", "memory.peak"};
    static const char *const keys[2][3] = {{"total_rss", "total_cache", "total_shmem"},
                                           {"anon", "file", "shmem"}};
    const struct cgroup_part *part = find(group);

    *usage = (struct memory_usage){0};
    if (part == NULL)
        return -ENOENT;
    int two = part->version == 2;
    FILE *file = file_of(part, "memory.stat", "re");
    if (file == NULL)
        return -errno;
    lookup(file, keys[two][2], &usage->shmem);
    lookup(file, keys[two][1], &usage->file);
    lookup(file, keys[two][0], &usage->anon);
    fclose(file);
    file = file_of(part, peak[two], "re");
    if (file != NULL) {
        if (fscanf(file, "%" SCNu64, &usage->peak) != 1)
            usage->peak = 0;
        fclose(file);
    }
    file = file_of(part, current[two], "re");
    if (file == NULL)
        return -errno;
    int got = fscanf(file, "%" SCNu64, &usage->current);
    fclose(file);
    return got == 1 ? 0 : -EIO;
}

/* One line, told by its first word, whatever the order of its fields. */
static int take(char *line, unsigned *avg10, uint64_t *total)
{
    int found = 0;
    char *save = NULL;

    for (char *word = strtok_r(line, " \n", &save); word; word = strtok_r(NULL, " \n", &save)) {
        if (strncmp(word, "avg10=", 6) == 0) {
            char *end;
            double x = strtod(word + 6, &end);
            if (end == word + 6)
                return -EBADMSG;
            *avg10 = (unsigned)(x * 100 + 0.5);
            found++;
        } else if (strncmp(word, "total=", 6) == 0) {
            if (!isdigit((unsigned char)word[6]))
                return -EBADMSG;
            *total = strtoull(word + 6, NULL, 10);
            found++;
        }
    }
    return found == 2 ? 0 : -EBADMSG;
}

int memory_pressure(const struct cgroup *group, struct memory_pressure *pressure)
{
    const struct cgroup_part *part = find(group);
    char text[256];
    int seen = 0;

    *pressure = (struct memory_pressure){0};
    if (part == NULL || part->version == 1)
        return -ENOENT;
    FILE *file = file_of(part, "memory.pressure", "re");
    if (file == NULL)
        return -errno;
    errno = 0;
    while (fgets(text, sizeof text, file) != NULL) {
        int result = -EBADMSG;
        if (strncmp(text, "some ", 5) == 0)
            result = take(text, &pressure->some_avg10, &pressure->some_total), seen |= 1;
        else if (strncmp(text, "full ", 5) == 0)
            result = take(text, &pressure->full_avg10, &pressure->full_total), seen |= 2;
        if (result < 0) {
            fclose(file);
            return result;
        }
    }
    int error = ferror(file) ? errno : 0;
    fclose(file);
    return error != 0 ? -error : seen == 3 ? 0 : -EBADMSG;
}

int memory_available(uint64_t *bytes)
{
    struct sysinfo info;
    uint64_t bound = memory_unlimited;

    if (sysinfo(&info) < 0)
        return -errno;
    /* MemTotal counts whole KiB */
    uint64_t machine = (uint64_t)info.totalram * info.mem_unit / 1024 * 1024;
    int result = cgroup_bound(getpid(), "memory", "memory.max", &bound);
    if (result != 0 && result != -ENOENT)
        return result;
    *bytes = machine < bound ? machine : bound;
    return 0;
}
