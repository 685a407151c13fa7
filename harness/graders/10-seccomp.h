/* What the steps of lab 10 share. */
#pragma once

#include <stdint.h>

#include "grade/run.h"
#include "grade/step.h"

enum { NOT_STARTED = 125 };

/* What came of a system call that the probe tried. */
struct attempt {
    int error;      /* errno of the probe's own preparations; then the rest says nothing */
    int signal;     /* it did not survive the call                                        */
    int64_t result; /* else what the kernel returned, or -errno                         */
};

/* The probe tries it: "call 39 0 0". */
struct attempt filter_try(struct run *run, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* "0", "EPERM", "ended by SIGSYS (signal 31)" */
const char *filter_attempt_text(struct grade *g, const struct attempt *attempt);
bool filter_same(const struct attempt *a, const struct attempt *b);

/* "getsid: EPERM", or that it is no other than outside. */
const char *filter_told(struct grade *g, const char *call, const struct attempt *outside,
                        const struct attempt *inside);

/* "EPERM" */
const char *filter_error_name(int error);

/* The number of a system call on this machine, or for its 32-bit programs; -1: there is none. */
int filter_number(const char *name);
int filter_number_32(const char *name);

/* The lab program beside the probe `room`, with the probe as COMMAND; and the same with the filter
 * switched off. `arguments` may be NULL. */
struct run *filter_start(struct grade *g, struct run *room, const char *const *arguments);
struct run *filter_start_without(struct grade *g, struct run *room, const char *const *arguments);

/* COMMAND has just one filter more than `room`, and no_new_privs. */
void filter_check_loaded(struct run *room, struct run *run);

/* Calls that do no harm with these arguments, that work for anybody, and that no program needs in
 * order to start. Some of them, each with an error to refuse it with, all different. */
struct victim {
    const char *name;
    const char *arguments;
    int error;
};
enum { VICTIMS = 3 };
void filter_draw(struct grade *g, struct victim victims[VICTIMS]);

/* --seccomp-deny for each of them, after `first`; ends with NULL. */
const char *const *filter_refusing(struct grade *g, const struct victim victims[VICTIMS],
                                   const char *const *first);

/* The victims give their errors, and what is no victim what it gives in `room`. */
void filter_check_victims(struct run *room, struct run *run, const struct victim victims[VICTIMS],
                          const char *because, const char *who);

void filter_stepfilter(struct grade *g);
void filter_stepthreads(struct grade *g);
void filter_steparchitecture(struct grade *g);
void filter_stepnamespaces(struct grade *g);
void filter_stepprofile(struct grade *g);
