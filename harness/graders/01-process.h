/* What the parts of lab 01's grader share. */
#pragma once

#include <sys/types.h>

#include "grade/run.h"
#include "grade/step.h"
#include "kernel/status.h"
#include "sandbox/limits.h"

void process_step_run(struct grade *g);
void process_step_status(struct grade *g);
void process_step_eintr(struct grade *g);
void process_step_clean_start(struct grade *g);
void process_step_namespaces(struct grade *g);
void process_step_describe(struct grade *g);
void process_step_peers(struct grade *g);

/* All processes of the room but its PID 1, as we number them. */
struct process_list {
    pid_t list[SANDBOX_PROCESSES];
    size_t count;
};
struct process_list process_in_room(struct run *run);

/* The numbers of /proc/PID/status. */
struct kernel_status process_status_of(struct grade *g, pid_t pid);

/* A probe that the student's program has nothing to do with, in a room of its own or `beside`. */
struct run *process_helper(struct grade *g, struct run *beside);

/* A request to the probe that must succeed; the number that it answers, if any. */
int process_do(struct run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The student's program with this COMMAND, in the room of `beside`. */
struct run *process_run_command(struct run *beside, const char *const *arguments,
                                const char *const *command);

/* Ends COMMAND (the probe) with an exit status, and expects it of the program. */
void process_check_end(struct run *run, int wanted);

/* When a hook of `who` ("parent", "child") fails, COMMAND does not run. With `said`, the program
 * says why, and ends with 125. */
void process_check_hook_failure(struct run *helper, const char *who, bool said);

struct process_family {
    pid_t parent;
    pid_t child; /* as we number it; 0: none yet */
    struct run *run;
};

/* Starts COMMAND with the start held in a hook of `who`, until `fifo` is opened for writing. The
 * child is there when this returns. */
struct run *process_start_held(struct run *helper, const char *who, const char *fifo,
                               struct process_family *family);
