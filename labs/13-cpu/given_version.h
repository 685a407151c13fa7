/* Which version of control groups a controller of a group is in. */
#pragma once

#include "11-cgroup/cgroup.h"

/* 1 or 2; 0 when no part of the group has it. A machine may have "cpu" in one version and "io" in
 * the other, so it is asked for each. */
int group_version(const struct cgroup *group, const char *controller);
