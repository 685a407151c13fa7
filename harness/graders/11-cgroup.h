/* What the parts of lab 11's grader share. 11-cgroup.c has the list of steps. */
#pragma once

#include "grade/cgroups.h"
#include "grade/run.h"
#include "grade/step.h"

void cgroup_step_find(struct grade *g);
void cgroup_step_join(struct grade *g);
void cgroup_step_pids(struct grade *g);
void cgroup_step_bound(struct grade *g);
void cgroup_step_hide(struct grade *g);
void cgroup_step_remove(struct grade *g);
void cgroup_step_freeze(struct grade *g);
void cgroup_step_names(struct grade *g);

/* A start of the lab program whose group has a name that we know. */
struct start {
    struct run *room;
    struct run *run;
    const char *name;      /* "/brelk": the group, below the room's topmost */
    struct cgroups groups; /* the hierarchy of "pids"                     */
};

/* Starts it with these options (NULL-ended, NULL for none) in a new room; and with --cgroupns host,
 * so that what step 5 does is no matter, unless the options are `cgroup_hidden`. */
extern const char *const cgroup_hidden[];
struct start cgroup_start(struct grade *g, const char *const *options);

/* The same in a room that is there already, with the probe, or the program of `command`. */
struct start cgroup_start_in(struct grade *g, struct run *room, const char *const *options,
                             const char *const *command);

/* The same in that room, by a program that is itself in the group `from` ("/a/b") of the
 * controller's hierarchy. */
struct start cgroup_start_from(struct grade *g, struct run *room, const char *controller,
                               const char *from);

/* The controllers that a group of lab 11 is made for, as this room has them: "pids", and in version
 * 1 "freezer". Ends with NULL. */
const char *const *cgroup_controllers(struct grade *g, struct run *room);

/* What the lab program answers to a question: one word or more, without the line feed. The step
 * fails when it does not end with 0. */
const char *cgroup_answer(struct run *room, const char *option, const char *value);

/* It must refuse: end with 125 and name the error. */
void cgroup_refused(struct run *room, const char *option, const char *value, const char *error,
                    const char *because);
