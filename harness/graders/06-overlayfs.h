/* What the steps of lab 06's grader share. 06-overlayfs.c has the list of them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "grade/folder.h"
#include "grade/mounts.h"
#include "grade/run.h"
#include "grade/step.h"

enum { REFUSED = 125, LAYERS = 3 };

#define ROOTFS "/tmp/rootfs"

/* A folder of /tmp with a name of this run. */
const char *layers_folder(struct grade *g, struct run *room);

/* Starts the lab program with the probe as COMMAND, in the room that `room` is in. */
struct run *layers_start(struct grade *g, struct run *room, const char *const *arguments);

/* COMMAND ends, and its mounts with it. */
void layers_end(struct run *run);

/* What the tree of COMMAND (of the room, for layers_outside) has at `path`: the file's text, "a
 * folder", "another type", or the error. Read from outside of COMMAND. */
const char *layers_inside(struct run *run, const char *path);
const char *layers_outside(struct run *room, const char *path);

/* An overlay is mounted there for COMMAND. Returns its line of mountinfo. */
const struct kernel_mount *layers_mounted(struct grade *g, struct run *run, const char *target);

/* COMMAND does something in the mount that must work: "append PATH TEXT". */
void layers_do(struct run *run, const char *because, const char *request);

/* The folder is as it was: names, modes, owners, times, digests. */
void layers_kept(struct grade *g, struct run *room, const struct folder *before, const char *path);

/* The lab program ends with 125 and says this error. `what` is a sentence: "a lower that is not
 * there is an error". */
void layers_refused(struct grade *g, struct run *room, const struct run_options *options, int error,
                    const char *because, const char *what);

/* Asks one question (--hide PATH, ...) that must be answered well; returns what was printed. */
const char *layers_ask(struct grade *g, struct run *room, const struct run_options *options,
                       const char *because);

/* What becomes of it in the rooms of this harness, all of which are in user namespaces: there
 * nobody may set an attribute trusted.*. These runs are told that they may. */
void layers_check_trusted(struct grade *g, struct run *room);

/* A diff has asked for marks of that kind, too. `arguments` are its. */
void layers_check_both_kinds(struct grade *g, struct run *room, const char *const *arguments);

void layers_steplowers(struct grade *g);
void layers_stepcopy_up(struct grade *g);
void layers_stepwhiteouts(struct grade *g);
void layers_stepdiff(struct grade *g);
void layers_stepcontainer(struct grade *g);
void layers_stepodd_paths(struct grade *g);
