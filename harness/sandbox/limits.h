/* The control groups that hold a sandbox, where we may make some. */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "sandbox/homes.h"
#include "sandbox/sandbox.h"

enum { SANDBOX_MEMORY_MIB = 768, SANDBOX_PROCESSES = 400, LIMITS_MAX = HOMES_MAX };

struct limits {
    char groups[LIMITS_MAX][PATH_MAX]; /* one folder a hierarchy (v1), or one in all (v2) */
    size_t count;
    bool memory; /* one of them limits memory */
};

/* Makes groups named `run` below our own: memory and processes limited. Where that is not allowed
 * (most ordinary users) there are none, and the resource limits and watch.h have to do. */
void limits_make(struct limits *limits, const char *run, const struct sandbox_options *options);

/* True once the kernel had to kill in one of them because its memory was used up. */
bool limits_ran_out(const struct limits *limits);

/* The same by the run's mark, for those who did not make them. */
bool limits_squeezed(const char *run);

/* Moves a process into them. */
void limits_add(const struct limits *limits, pid_t pid);

/* Thaws whatever was frozen in the groups of `run` (version 1), so that it can die. */
void limits_thaw(const char *run);

/* Removes them; waits a moment for the kernel to let go of the dead. */
void limits_remove(struct limits *limits);

/* The same by the run's mark, for when the keeper that made them was killed. */
void limits_remove_run(const char *run);

/* Removes what runs that were killed left behind: groups with our mark whose harness is gone. */
void limits_sweep(void);

/* The mark of a run: "strata-PID-STARTTIME-COUNTER-PIDNAMESPACE". */
void limits_mark(char *run, size_t size);
