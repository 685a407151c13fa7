/* What the parts of lab 03's grader share. 03-pid.c has the list of steps. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "grade/run.h"
#include "grade/step.h"
#include "kernel/mountinfo.h"
#include "kernel/namespace.h"
#include "kernel/status.h"

void pid_step_proc(struct grade *g);
void pid_step_reap(struct grade *g);
void pid_step_forward(struct grade *g);
void pid_step_status(struct grade *g);
void pid_step_nested(struct grade *g);

/* --- processes, as /proc shows them outside: 03-pid-processes.c ----------------------------- */

/* A process's state; 'Z' also when it is gone already. */
char pid_state_of(pid_t pid);

/* The numbers of /proc/PID/status. */
struct kernel_status pid_status_of(struct grade *g, pid_t pid);

struct kernel_ns_id pid_namespace_of(struct grade *g, pid_t pid, const char *kind);
bool pid_same_namespace(struct grade *g, pid_t a, pid_t b, const char *kind);

/* The numbers that a process has from the room inwards, as NSpid shows them there: "41 2 1". */
const char *pid_numbers_of(struct run *run, pid_t pid);

/* Its last number, when it is `levels` PID namespaces further in than the room; else 0. */
pid_t pid_number_at(struct run *run, pid_t pid, size_t levels);

/* A set of signals: bit n-1 for signal n. */
uint64_t pid_bit(int number);
void pid_send_signals(struct run *run, pid_t pid, uint64_t mask);
void pid_send_signal(struct run *run, pid_t pid, int number);

/* "SIGTERM", "signal 40". */
const char *pid_signal_name(struct grade *g, int number);

/* For run_until(): is a process in this state? */
struct in_state {
    pid_t pid;
    char state;
};
bool pid_is_in_state(void *in_state);
void pid_await_state(struct run *run, pid_t pid, char state);

/* --- waiting for an init: 03-pid-waiting.c -------------------------------------------------- */

/* What is waited for, and who would have to wake up for it. */
struct settling {
    struct run *run;
    bool (*holds)(struct settling *settling);
    pid_t init, command;
    size_t children;     /* pid_children_are, pid_alive_are: how many   */
    uint64_t mask;       /* which signals                               */
    int64_t asleep_from; /* when both were first seen asleep; 0         */
    int looks;           /* how often since                             */
    bool held;
};

/* Waits until it holds. False as soon as init (and COMMAND) sleep on without that, or when it takes
 * too long: an init that sleeps although there is something to do will not do it. */
bool pid_settle(struct settling *settling);

bool pid_children_are(struct settling *settling); /* init has so many          */
bool pid_has_ended(struct settling *settling);    /* the lab program           */
bool pid_alive_are(void *settling); /* init has so many that have not ended; for run_until() */

size_t pid_count_children(pid_t pid, size_t *zombies);

/* Is init on its way out? */
bool pid_is_leaving(pid_t pid);

/* Waits until init sleeps, and goes on sleeping, or leaves. False: it never sleeps. */
bool pid_await_idle(struct run *run, pid_t pid);

/* The name of the system call that a process waits in. */
const char *pid_call_of(struct run *run, pid_t pid);

/* --- an init: 03-pid-init.c ----------------------------------------------------------------- */

struct init {
    pid_t pid; /* as we number it          */
    int pidfd; /* closed when the step ends */
};

/* The init of a run with --init: PID 1, and the student's program still; `command` is its child. */
struct init pid_find_init(struct run *run, pid_t command);

/* Starts the lab program with --init, and finds it. */
struct run *pid_start_init(struct grade *g, struct init *init);

/* --- what more than one step looks at ------------------------------------------------------- */

/* The proc at `target` in the mounts of `pid` is none of those in `older`, and may do little. */
void pid_check_proc_mount(struct grade *g, pid_t pid, const char *target,
                          const struct kernel_mounts *older);

/* `folder`, a proc, shows the processes of the PID namespace that `pid` is in. */
void pid_check_proc_shows(struct grade *g, pid_t pid, int pidfd, const char *folder);

/* The mounts of `outside` are those that it had. */
void pid_check_outside(struct grade *g, const struct kernel_mounts *before, pid_t outside,
                       pid_t inside);

/* COMMAND has ended, or is about to; the lab program ends with `wanted`. */
void pid_check_end(struct run *run, const struct init *init, int wanted, const char *how);
