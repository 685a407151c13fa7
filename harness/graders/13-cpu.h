/* What the parts of lab 13's grader share. 13-cpu.c has the list of steps. */
#pragma once

#include "grade/cgroups.h"
#include "grade/run.h"
#include "grade/step.h"

void cpu_step_quota(struct grade *g);
void cpu_step_throttled(struct grade *g);
void cpu_step_weight(struct grade *g);
void cpu_step_cpuset(struct grade *g);
void cpu_step_units(struct grade *g);
void cpu_step_io(struct grade *g);

/* A start of the lab program whose group has a name that we know. */
struct start {
    struct run *room;
    struct run *run;
    const char *name;        /* "/brelk": the group, below the room's topmost         */
    struct cgroups cpu;      /* the hierarchy of "cpu"                                */
    struct cgroups accounts; /* that which counts CPU time: in version 1 of "cpuacct" */
};

/* Starts it with these options (ends with NULL) in `room`, with the probe, or the program of
 * `command`. */
struct start cpu_start(struct run *room, const char *const *options, const char *const *command);

/* It must refuse these options: end with 125, name the error, and leave no group behind. `because`
 * and `what` are for the verdict. */
void cpu_refused(struct run *room, const char *const *options, const char *error,
                 const char *because, const char *what);

/* As one has to type it: in quotes when there is a space in it. */
const char *cpu_quoted(struct grade *g, const char *text);

/* "QUOTA PERIOD" of a group, "max" for no quota: what version 2 has in one file and version 1 in
 * two. NULL when there is no such group. */
const char *cpu_quota(struct run *room, const struct cgroups *cpu, const char *name);

/* The hierarchy that counts CPU time. */
struct cgroups cpu_accounts(struct run *room, const struct cgroups *cpu);

/* What the kernel has counted in a group, in microseconds. */
struct counted {
    unsigned long long usage, periods, throttled, throttled_usec;
};
struct counted cpu_counted(struct run *room, const struct cgroups *cpu,
                           const struct cgroups *accounts, const char *name);

/* What the lab program answers to a question: all lines, without the last line feed. The step fails
 * when it does not end with 0. */
const char *cpu_answer(struct run *room, const char *option, const char *value);

/* Cpus_allowed_list of a process: "0-2,7". */
const char *cpu_allowed(struct grade *g, pid_t pid);

/* The numbers of a list of processors like "0-2,7", one per CPU; at most `size`. */
size_t cpu_list(const char *text, int *list, size_t size);
