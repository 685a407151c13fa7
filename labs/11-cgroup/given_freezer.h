/* Freezing by signals, so that one can try it: SIGUSR1 freezes the container, SIGUSR2 thaws it. */
#pragma once

#include "11-cgroup/cgroup.h"

/* From now on, until the program ends. Called in the parent, with no process to be made any more: a
 * thread waits for the signals. 0, or -errno. */
int freezer_listen(const struct cgroup *group, const char *program);
