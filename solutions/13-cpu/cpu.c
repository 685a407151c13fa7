#include "13-cpu/cpu.h"

int cpu_parse(const char *text, cpu_millis *millis)
{
    (void)text;
    (void)millis;
    return STRATA_TODO;
}

int cpu_limit(const struct cgroup *group, cpu_millis millis, uint64_t period)
{
    (void)group;
    (void)millis;
    (void)period;
    return STRATA_TODO;
}

int cpu_stat(const struct cgroup *group, struct cpu_stat *stat)
{
    (void)group;
    (void)stat;
    return STRATA_TODO;
}

unsigned cpu_throttled(const struct cpu_stat *before, const struct cpu_stat *after)
{
    (void)before;
    (void)after;
    return 0;
}

int cpu_weight(const struct cgroup *group, unsigned weight)
{
    (void)group;
    (void)weight;
    return STRATA_TODO;
}

unsigned cpu_request_shares(cpu_millis millis)
{
    (void)millis;
    return 0;
}

unsigned cpu_request_weight(cpu_millis millis)
{
    (void)millis;
    return 0;
}

int cpu_set(const struct cgroup *group, const char *cpus, const char *mems)
{
    (void)group;
    (void)cpus;
    (void)mems;
    return STRATA_TODO;
}

int cpu_io_limit(const struct cgroup *group, unsigned major, unsigned minor, uint64_t read_bytes,
                 uint64_t write_bytes)
{
    (void)group;
    (void)major;
    (void)minor;
    (void)read_bytes;
    (void)write_bytes;
    return STRATA_TODO;
}
