/* How layer 12 plugs in: limits before the start, and the reason after the end. */
#include "12-memory/given_wiring.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
static int set_limits(struct container *container)
{
    uint64_t both = limit_both;

    (void)container;
    if (limit == 0 || container_group()->count == 0)
        return 0;
    if (both == 0)
        both = limit > memory_unlimited / 2 ? memory_unlimited : 2 * limit;
    return memory_limit(container_group(), limit, both);
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

/* Said only where somebody would wonder: the exit status alone does not tell. */
static void tell_reason(const struct container *container)
{
    static const char *const words[] = {[MEMORY_COMPLETED] = "Completed",
                                        [MEMORY_ERROR] = "Error",
                                        [MEMORY_OOM_KILLED] = "OOMKilled",
                                        [MEMORY_OOM_INSIDE] = "OOMKilled inside"};
    struct memory_events after;

    if (limit == 0 || !counting || memory_events(container_group(), &after) < 0)
        return;
    enum memory_reason reason = memory_reason(container->status, &before, &after);
    fprintf(stderr, "%s: reason %s, exit status %d, killed for memory %" PRIu64 "\n",
            container->program, words[reason], container->status, after.kills - before.kills);
}

/* --- options and questions ----------------------------------------------------------------------
 */

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

static int show_size(struct container *container, const char *value)
{
    uint64_t bytes;
    int result = memory_parse(value, &bytes);

    (void)container;
    if (result < 0)
        return result;
    if (bytes == memory_unlimited)
        printf("max\n");
    else
        printf("%" PRIu64 "\n", bytes);
    return OPTION_DONE;
}

static int group_of(const char *value, struct cgroup *group)
{
    static const char *const controllers[] = {"memory", NULL};
    char *end;
    long pid = strtol(value, &end, 10);

    if (end == value || *end != '\0' || pid <= 0 || pid > INT_MAX)
        return -EINVAL;
    return container_of((pid_t)pid, controllers, group);
}

static int show_usage(struct container *container, const char *value)
{
    struct memory_usage usage;
    struct cgroup group;
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
    struct memory_events events;
    struct cgroup group;
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

static int show_pressure(struct container *container, const char *value)
{
    struct memory_pressure pressure;
    struct cgroup group;
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
    {"memory-parse", 0, "SIZE", "print SIZE in bytes", show_size},
    {"memory-usage", 0, "PID", "print what the group of PID uses", show_usage},
    {"memory-events", 0, "PID", "print what was counted in the group of PID", show_events},
    {"memory-pressure", 0, "PID", "print how long the group of PID waited", show_pressure},
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
