/* What the steps of lab 08's grader share. 08-user.c has the list of them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "grade/mounts.h"
#include "grade/run.h"
#include "grade/step.h"
#include "kernel/namespace.h"
#include "kernel/status.h"

enum { REFUSED = 125 };

/* The words for the probe that start the lab program as root of the room without CAP_SETGID, which
 * is the 6th. */
#define USER_WITHOUT_SETGID "--start-with", "bnd=ffffffffffffffbf", "/strata/lab08"

/* --- runs ------------------------------------------------------------------------------------- */

/* An ordinary user's id; 0 where the sandbox has no other id. */
unsigned user_draw(struct grade *g);

/* Starts the lab program as `user`, who is in `group` too (or 0), in the room of `outside`. */
struct run *user_start(struct run *outside, unsigned user, unsigned group,
                       const char *const *arguments);

/* What the kernel allows: the lab program with these options starts a COMMAND, which ends well. If
 * not, the verdict has the program's words. */
void user_check_starts(struct run *outside, unsigned user, const char *const *arguments,
                       const char *because);

/* The same of any other way to start it, which `what` tells. */
void user_check_starts_so(struct run *outside, const struct run_options *options,
                          const char *because, const char *what, const char *see);

/* What the kernel must refuse: the lab program with these options ends with 125 and the error's
 * words, COMMAND does not run, and no process is left. */
struct refusal {
    const char *const *arguments;
    unsigned user;
    int error;
    const char *because, *what, *see;
};
void user_check_refused(struct run *outside, const struct refusal *refusal);

/* A question (an option and its value, after other options or not) and its answer. */
const char *user_answer(struct run *outside, const char *const *arguments, const char *because,
                        const char *what);

/* --- starts that are held --------------------------------------------------------------------- */

/* The lab program with this uid map and no other, which COMMAND does not change its ids in; held in
 * the parent before the map (and in the child after it). */
struct held {
    struct run *outside, *run;
    const char *parent, *child_fifo;
    pid_t child; /* as we number it */
};
struct held user_hold(struct run *outside, unsigned user, const char *uid_map, bool child_too,
                      const char *const *command);

/* Opens a FIFO of it: the start goes on. */
void user_release(struct held *held, const char *fifo);

/* Waits until the child is held. */
void user_await_child(struct held *held);

/* --- what the kernel says --------------------------------------------------------------------- */

/* A map as the room's members read it: "0 1000 1, 1 5000 500"; "nothing" for an empty one. */
const char *user_map_of(struct run *outside, pid_t pid, const char *name);

/* "allow" or "deny". */
const char *user_setgroups_of(struct run *outside, pid_t pid);

/* /proc/PID/status, its ids as the room's members see them, or as the process itself does. */
struct kernel_status user_status_of_room(struct run *outside, pid_t pid);
struct kernel_status user_status_of_self(struct run *run);

/* "1000 1000 1000 1000", and "1 2 3" or "none". */
const char *user_ids_text(struct grade *g, const uid_t ids[4]);
const char *user_groups_text(struct grade *g, const struct kernel_status *status);

/* All four are this one. */
bool user_ids_are(const uid_t ids[4], uid_t id);

/* How the room numbers a process of it. */
pid_t user_number_in_room(struct run *outside, pid_t pid);

/* An open namespace's owner, its parent; or an error. */
struct kernel_ns_id user_owner_of(struct grade *g, pid_t pid, const char *kind);
struct kernel_ns_id user_namespace_of(struct grade *g, pid_t pid, const char *kind);

/* --- expectations that several steps have ----------------------------------------------------- */

/* COMMAND is in a user namespace of its own, directly below the room's. */
void user_check_namespace(struct run *run);

/* The map of COMMAND. `see` is how to see it. */
void user_check_map(struct run *outside, struct run *run, const char *name, const char *wanted,
                    const char *because, const char *see);

/* The lab program, while COMMAND runs: it is still this user, it has no other child, and no file is
 * open that it needed for the maps only. */
void user_check_program(struct run *outside, struct run *run, unsigned user);

void user_step_unmapped(struct grade *g);
void user_step_map(struct grade *g);
void user_step_setgroups(struct grade *g);
void user_step_owner(struct grade *g);
void user_step_owned(struct grade *g);
void user_step_subordinate(struct grade *g);
