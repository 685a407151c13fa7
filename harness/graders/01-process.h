/* What the two halves of lab 01's grader share: processes as the room numbers them. */
#pragma once

#include "grade/run.h"
#include "grade/step.h"
#include "sandbox/limits.h"

void process_step_namespaces(struct grade *g); /* 01-process-readings.c */
void process_step_describe(struct grade *g);
void process_step_peers(struct grade *g);

/* All processes of the room but its PID 1, as we number them. */
struct process_list {
    pid_t list[SANDBOX_PROCESSES];
    size_t count;
};
struct process_list process_in_room(struct run *run);

/* A probe that the student's program has nothing to do with, in a room of its own or `beside`. */
struct run *process_helper(struct grade *g, struct run *beside);

/* A request to the probe that must succeed; the number that it answers, if any. */
int process_do(struct run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));
