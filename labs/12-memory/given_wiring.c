/* How layer 12 plugs in: limits before the start, and the reason after the end. */
#include "12-memory/given_wiring.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "11-cgroup/given_wiring.h"
#include "12-memory/memory.h"

static uint64_t limit, limit_both; /* -m, --memory-swap; 0: not asked for */
static struct memory_events before;
static bool counting; /* `before` holds something */

static void prepare(struct container *container)
{
    (void)container;
    container_wants("memory", false);
}

/* As docker run: with -m alone, as much swap as memory. */
static int limit_group(const struct cgroup *group)
{
    uint64_t both = limit_both;

    if (both == 0)
        both = limit > memory_unlimited / 2 ? memory_unlimited : 2 * limit;
    return memory_limit(group, limit, both);
}

static int set_limits(struct container *container)
{
    if (limit == 0 && limit_both == 0)
        return 0;
    if (limit == 0) {
        fprintf(stderr, "%s: --memory-swap needs --memory beside it\n", container->program);
        return -EINVAL;
    }
    if (container_group()->count == 0) {
        fprintf(stderr, "%s: no control group, and so no limit on memory\n", container->program);
        return 0;
    }
    return limit_group(container_group());
}

static int count_events(struct container *container)
{
    (void)container;
    if (container_group()->count == 0)
        return 0;
    int result = memory_events(container_group(), &before);
    counting = result == 0;
    return result == -ENOENT ? 0 : result;
}

static const char *reason_word(enum memory_reason reason)
{
    switch (reason) {
    case MEMORY_COMPLETED:
        return "Completed";
    case MEMORY_OOM_KILLED:
        return "OOMKilled";
    case MEMORY_OOM_INSIDE:
        return "OOMKilled inside";
    case MEMORY_ERROR:
        break;
    }
    return "Error";
}

/* Said only where memory was limited: the exit status alone does not tell. */
static void tell_reason(const struct container *container)
{
    struct memory_events after;

    if (limit == 0 || !counting || memory_events(container_group(), &after) < 0)
        return;
    enum memory_reason reason = memory_reason(container->status, &before, &after);
    fprintf(stderr, "%s: reason %s, exit status %d, killed for memory %" PRIu64 "\n",
            container->program, reason_word(reason), container->status, after.kills - before.kills);
}

/* --- options and questions -------------------------------------------------------------------- */

static int set_memory(struct container *container, const char *value)
{
    (void)container;
    int result = memory_parse(value, &limit);
    if (result == 0 && limit == 0)
        return -EINVAL;
    container_wants("memory", true);
    return result;
}

static int set_both(struct container *container, const char *value)
{
    (void)container;
    int result = memory_parse(value, &limit_both);
    return result == 0 && limit_both == 0 ? -EINVAL : result;
}

static int show_one_size(const char *size, bool alone)
{
    uint64_t bytes;
    int result = memory_parse(size, &bytes);

    if (result < 0 && (alone || result == STRATA_TODO))
        return result;
    if (result < 0)
        printf("%s\n", strerror(-result));
    else if (bytes == memory_unlimited)
        printf("max\n");
    else
        printf("%" PRIu64 "\n", bytes);
    return OPTION_DONE;
}

/* SIZE, or several with commas: then a line for each, be it a number or what is wrong with it. */
static int show_size(struct container *container, const char *value)
{
    const char *comma = strchr(value, ',');
    int result = OPTION_DONE;

    (void)container;
    if (comma == NULL)
        return show_one_size(value, true);
    while (result == OPTION_DONE && value != NULL) {
        comma = strchr(value, ',');
        char *size = strndup(value, strcspn(value, ","));
        result = size != NULL ? show_one_size(size, false) : -ENOMEM;
        free(size);
        value = comma != NULL ? comma + 1 : NULL;
    }
    return result;
}

/* A group that is named by its folder. Version 1 is told by the name of a file. */
static int open_folder(const char *path, struct cgroup *group)
{
    struct cgroup_part *part = group->parts;

    *group = (struct cgroup){.count = 0};
    *part = (struct cgroup_part){.version = 2, .controllers = "memory"};
    if (strlen(path) >= sizeof part->path)
        return -ENAMETOOLONG;
    strcpy(part->path, path);
    part->folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (part->folder < 0)
        return -errno;
    group->count = 1;
    if (faccessat(part->folder, "memory.usage_in_bytes", F_OK, 0) == 0)
        part->version = 1;
    return 0;
}

/* PID, or the group's own FOLDER */
static int group_of(const char *value, struct cgroup *group)
{
    static const char *const controllers[] = {"memory", NULL};
    char *end;
    long pid = strtol(value, &end, 10);

    if (value[0] == '/')
        return open_folder(value, group);
    if (end == value || *end != '\0' || pid <= 0 || pid > INT_MAX)
        return -EINVAL;
    return container_of((pid_t)pid, controllers, group);
}

/* As docker update: the limits asked for so far, for a group that is there already. */
static int update(struct container *container, const char *value)
{
    struct cgroup group = {.count = 0};

    (void)container;
    if (limit == 0)
        return -EINVAL;
    int result = group_of(value, &group);
    if (result == 0)
        result = limit_group(&group);
    container_close(&group);
    return result < 0 ? result : OPTION_DONE;
}

static int show_usage(struct container *container, const char *value)
{
    struct memory_usage usage = {0};
    struct cgroup group = {.count = 0};
    int result = group_of(value, &group);

    (void)container;
    if (result == 0)
        result = memory_usage(&group, &usage);
    container_close(&group);
    if (result < 0)
        return result;
    printf("current %" PRIu64 "\npeak %" PRIu64 "\nanon %" PRIu64 "\nfile %" PRIu64
           "\nshmem %" PRIu64 "\n",
           usage.current, usage.peak, usage.anon, usage.file, usage.shmem);
    return OPTION_DONE;
}

static int show_events(struct container *container, const char *value)
{
    struct memory_events events = {0};
    struct cgroup group = {.count = 0};
    int result = group_of(value, &group);

    (void)container;
    if (result == 0)
        result = memory_events(&group, &events);
    container_close(&group);
    if (result < 0)
        return result;
    printf("kills %" PRIu64 "\nkills_local %" PRIu64 "\nlimit_hits %" PRIu64 "\n", events.kills,
           events.kills_local, events.limit_hits);
    return OPTION_DONE;
}

/* STATUS:BEFORE:AFTER, or several with commas */
static int show_reason(struct container *container, const char *value)
{
    struct memory_events first = {0}, last = {.limit_hits = 1}; /* a limit met is no kill yet */
    int status, length;

    (void)container;
    for (;; value += length + 1) {
        if (sscanf(value, "%d:%" SCNu64 ":%" SCNu64 "%n", &status, &first.kills, &last.kills,
                   &length) != 3 ||
            (value[length] != ',' && value[length] != '\0'))
            return -EINVAL;
        printf("%s\n", reason_word(memory_reason(status, &first, &last)));
        if (value[length] == '\0')
            return OPTION_DONE;
    }
}

static int show_pressure(struct container *container, const char *value)
{
    struct memory_pressure pressure = {0};
    struct cgroup group = {.count = 0};
    int result = group_of(value, &group);

    (void)container;
    if (result == 0)
        result = memory_pressure(&group, &pressure);
    container_close(&group);
    if (result < 0)
        return result;
    printf("some %u.%02u %% %" PRIu64 " us\nfull %u.%02u %% %" PRIu64 " us\n",
           pressure.some_avg10 / 100, pressure.some_avg10 % 100, pressure.some_total,
           pressure.full_avg10 / 100, pressure.full_avg10 % 100, pressure.full_total);
    return OPTION_DONE;
}

static int show_available(struct container *container, const char *value)
{
    uint64_t bytes;
    int result = memory_available(&bytes);

    (void)container;
    (void)value;
    if (result < 0)
        return result;
    printf("%" PRIu64 "\n", bytes);
    return OPTION_DONE;
}

static const struct layer_option options[] = {
    {"memory", 'm', "SIZE", "at most SIZE of memory: 256m, 1g, 64Mi", set_memory},
    {"memory-swap", 0, "SIZE", "at most SIZE of memory and swap together", set_both},
    {"memory-update", 0, "PID|FOLDER", "give PID's group these limits now", update},
    {"memory-parse", 0, "SIZE[,SIZE...]", "print sizes in bytes", show_size},
    {"memory-usage", 0, "PID|FOLDER", "print what PID's group uses", show_usage},
    {"memory-events", 0, "PID|FOLDER", "print what was counted in PID's group", show_events},
    {"memory-reason", 0, "STATUS:BEFORE:AFTER", "print why it ended; two counts of kills",
     show_reason},
    {"memory-pressure", 0, "PID|FOLDER", "print how long PID's group waited", show_pressure},
    {"memory-available", 0, NULL, "print how much memory there really is here", show_available},
    {0},
};

static const struct layer_hook hooks[] = {
    {START_CGROUP, "memory_limit", set_limits},
    {START_CGROUP, "memory_events", count_events},
    {0},
};

const struct layer memory_layer = {.name = "memory",
                                   .prepare = prepare,
                                   .options = options,
                                   .hooks = hooks,
                                   .finish = tell_reason};
