#include "11-cgroup/given_names.h"

#include <stddef.h>
#include <string.h>

const char *v1_file(const char *file)
{
    static const struct {
        const char *v2, *v1;
    } names[] = {
        {"memory.max", "memory.limit_in_bytes"},
        {"memory.current", "memory.usage_in_bytes"},
        {"memory.peak", "memory.max_usage_in_bytes"},
        {"memory.stat", "memory.stat"},
        {"pids.max", "pids.max"},
        {"pids.current", "pids.current"},
        {"pids.events", "pids.events"},
        {"cpu.weight", "cpu.shares"},
        {"cpu.stat", "cpu.stat"},
        {"cpuset.cpus", "cpuset.cpus"},
        {"cpuset.mems", "cpuset.mems"},
        {"cgroup.procs", "cgroup.procs"},
        {"cgroup.freeze", "freezer.state"},
    };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i].v2, file) == 0)
            return names[i].v1;
    return NULL;
}
