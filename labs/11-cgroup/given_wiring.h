#pragma once

#include "11-cgroup/cgroup.h"
#include "given/layer.h"

extern const struct layer cgroup_layer;

/* For the layers that limit something (labs 12 and 13): the container's group, made in START_CGROUP
 * before their own hooks of that phase run; count is 0 when there is none. */
const struct cgroup *container_group(void);

/* The group that `pid` is in, as if it were ours: for reading only. Close it with container_close.
 * 0, or -errno. */
int container_of(pid_t pid, const char *const *controllers, struct cgroup *found);
void container_close(struct cgroup *found);

/* Asks for a controller. Called while options are read; `needed` when the container must not start
 * without it, because a limit was asked for. */
void container_wants(const char *controller, bool needed);
