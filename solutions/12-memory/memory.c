#include "12-memory/memory.h"

int memory_parse(const char *text, uint64_t *bytes)
{
    (void)text;
    (void)bytes;
    return STRATA_TODO;
}

int memory_limit(const struct cgroup *group, uint64_t bytes, uint64_t both)
{
    (void)group;
    (void)bytes;
    (void)both;
    return STRATA_TODO;
}

int memory_events(const struct cgroup *group, struct memory_events *events)
{
    (void)group;
    (void)events;
    return STRATA_TODO;
}

enum memory_reason memory_reason(int status, const struct memory_events *before,
                                 const struct memory_events *after)
{
    (void)status;
    (void)before;
    (void)after;
    return 0;
}

int memory_usage(const struct cgroup *group, struct memory_usage *usage)
{
    (void)group;
    (void)usage;
    return STRATA_TODO;
}

int memory_pressure(const struct cgroup *group, struct memory_pressure *pressure)
{
    (void)group;
    (void)pressure;
    return STRATA_TODO;
}

int memory_available(uint64_t *bytes)
{
    (void)bytes;
    return STRATA_TODO;
}
