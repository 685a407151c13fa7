/* The process that outlives the harness by the moment it takes to clean up. */
#pragma once

#include "sandbox/ids.h"
#include "sandbox/sandbox.h"

struct keeper_job {
    const struct sandbox_options *options;
    const char *run; /* the run's mark                                            */
    int harness;     /* socket to the harness: its end of file means it is gone   */
    int control;     /* the outer's end of its socket to the harness              */
    int lifeline[2]; /* see outer.c                                               */
    int program;     /* build/sandbox, open for reading                           */
    struct ids_plan ids;
};

/* Starts the sandbox, tells the harness (MESSAGE_READY with a pidfd, or MESSAGE_FAILED), watches
 * over it, and when either of the two is gone, ends and removes what is left. Never returns. */
_Noreturn void keeper_run(const struct keeper_job *job);
