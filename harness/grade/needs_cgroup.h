/* Part of needs.c. */
#pragma once

/* In which version of control groups (1, 2) rooms can have groups here with the controllers memory,
 * pids, cpu and cpuset; 0 in none. */
int needs_cgroup_version(void);
