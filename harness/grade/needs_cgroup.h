/* Part of needs.c. */
#pragma once

#include <stdbool.h>

/* In which version of control groups (1, 2) rooms can have groups here with the controllers memory,
 * pids, cpu and cpuset; 0 in none. */
int needs_cgroup_version(void);

/* Whether a new group of version 2, with or without controllers, tells its memory.pressure. */
bool needs_cgroup_psi(void);
