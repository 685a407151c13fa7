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

/* Asks what the filters of COMMAND say of calls, which are not made
 * (harness/probe/verbs_filters.c): each that was added is NUMBER[,ARG...], and gets an answer;
 * `bits` is 32 for int 0x80. What they all let through is FILTER_LETS, a number that no call gives.
 * False: it can't be asked here. */
enum { FILTER_LETS = 24301 };
struct filter_calls {
    char text[4000];
    size_t length;
};
void filter_add(struct filter_calls *calls, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
bool filter_ask(struct run *run, int bits, const struct filter_calls *calls,
                struct attempt *answers, size_t count);

/* Of clone and unshare what has a CLONE_NEW* flag is EPERM, whatever stands beside it, and the rest
 * is let through; setns and clone3 are refused for all arguments. A NULL: not judged here; and
 * where `clone` is NULL, of the rest only what is told ENOSYS, for want of a rule. */
struct filter_reasons {
    const char *clone, *unshare, *setns, *clone3; /* for what is not refused, or in another way */
    const char *no_process, *no_unshare;          /* for what is                                */
};
void filter_check_doors(struct run *run, int bits, const struct filter_reasons *because);

/* Each call that has a name under the default profile, and what has none under another one. */
void filter_check_names(struct run *room, struct run *without, struct run *with);

/* "0", "EPERM", "ended by SIGSYS (signal 31)" */
const char *filter_attempt_text(struct grade *g, const struct attempt *attempt);
bool filter_same(const struct attempt *a, const struct attempt *b);

/* "getsid: EPERM", or that it is no other than outside. */
const char *filter_told(struct grade *g, const char *call, const struct attempt *outside,
                        const struct attempt *inside);

/* "EPERM"; "1234" where libc has no name. */
const char *filter_error_name(struct grade *g, int error);

/* The number of a system call on this machine, or for its 32-bit programs; -1: there is none. */
int filter_number(const char *name);
int filter_number_32(const char *name);
int filter_number_of(int bits, const char *name); /* bits: 64 (this machine) or 32 */

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
