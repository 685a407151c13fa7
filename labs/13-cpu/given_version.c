#include "13-cpu/given_version.h"

#include "11-cgroup/given_files.h"

int group_version(const struct cgroup *group, const char *controller)
{
    for (size_t i = 0; i < group->count; i++)
        if (list_has(group->parts[i].controllers, controller))
            return group->parts[i].version;
    return 0;
}
