/* Which parts a group of ours has: one folder in version 2, one a hierarchy in version 1. */
#pragma once

#include "11-cgroup/cgroup.h"

/* Whether the folder `path` is a part of the group already (several controllers of version 1 may be
 * mounted together, as "cpu,cpuacct"). */
bool part_there(const struct cgroup *group, const char *path);

/* Notes that the folder `path`, made a moment ago or a part already, is the group's for this
 * controller, and opens it. A new cpuset of version 1 gets its parent's cpus and mems, without
 * which no process may enter. 0, or -errno: a new folder that could not be noted is removed. */
int part_add(struct cgroup *group, int version, const char *path, const char *controller);
