/*
 * Running the student's program in the sandbox, and meeting the payload that it starts.
 *
 * The lab program is started in a room of its own (sandbox.h) with the probe as its COMMAND. The
 * probe speaks to us over a socket pair that we hold. Whoever claims to be the probe is believed
 * only after /proc has been asked (payload.c); facts about it are then read from outside.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "grade/step.h"
#include "sandbox/sandbox.h"

enum { RUN_SECONDS = 10 }; /* how long a program may take to do what is waited for */

struct run;

struct run_options {
    const char *const *arguments; /* the lab program's options, up to COMMAND; NULL: none      */
    const char *const *command;   /* COMMAND and its arguments; NULL: the probe                */
    const char *const *probe_arguments; /* with the probe as COMMAND: its, which it ignores    */
    const char *program;            /* NULL: the lab program of this lab                         */
    bool no_command;                /* the arguments are all there is                            */
    bool together;                  /* without the probe: stderr goes where stdout does          */
    bool rootfs;                    /* a root filesystem at /tmp/rootfs, the probe in its /bin   */
    struct run *beside;             /* in the room of this run, not in a new one                 */
    const char *const *environment; /* of the lab program itself; NULL: a plain one            */
    const struct room_fd *fds;      /* more fds for it                                           */
    size_t fd_count;
    unsigned user;  /* an ordinary user of the room runs it (needs NEED_IDS); 0: its root        */
    unsigned group; /* one more group that it is in (needs NEED_IDS); 0: none                    */
    uint64_t ignored, blocked; /* signals it starts with ignored, blocked: bit n-1          */
};

/* The payload that the student's program started. */
struct payload {
    pid_t pid; /* as we number it */
    int pidfd;
};

/* Starts it. What it prints goes to the step's log. Everything ends with the step. */
struct run *run_start(struct grade *g, const struct run_options *options);

/* Waits for the payload. The step fails, with the reason, when the program ends before, when
 * something else answers in its place, or after RUN_SECONDS. */
const struct payload *run_payload(struct run *run);

/* Asks the payload to do something (harness/probe/verbs.c); returns its reply, which lives as long
 * as the step. The step fails when none comes. */
const char *run_ask(struct run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same for requests after which the payload is gone. */
void run_tell(struct run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Waits for the end of the lab program and returns its exit status as a shell would show it. The
 * step fails after RUN_SECONDS, with the system call that blocks. */
int run_exit_status(struct run *run);

/* True once the lab program has ended; looks, does not wait. */
bool run_ended(struct run *run);

/* What the lab program wrote on its standard output so far, when it runs without the probe; with
 * `together` on its standard error as well. */
const char *run_output(struct run *run);

/* True when one of the last lines that the program printed holds `text`. */
bool run_said(struct run *run, const char *text);

/* The lab program itself, and PID 1 of its room: what student code calls "outside". */
pid_t run_program_pid(const struct run *run);
pid_t run_program_inside(const struct run *run); /* as the room numbers it */
int run_program_pidfd(const struct run *run);
pid_t run_outside_pid(const struct run *run);
int run_outside_pidfd(const struct run *run);

/* The run's grade, for functions that are given a run only. */
struct grade *run_grade(const struct run *run);

/* How many ids this sandbox maps: 65536 or 1. */
unsigned run_ids(struct grade *g);

/* Milliseconds of a clock that only goes forward. */
int64_t run_now_ms(void);

/* Lets time pass until `holds(arg)` or RUN_SECONDS are over; returns what it said last. Output is
 * taken and the payload heard meanwhile. */
bool run_until(struct run *run, bool (*holds)(void *arg), void *arg);
