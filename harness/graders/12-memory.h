/* What the parts of lab 12's grader share. 12-memory.c has the list of steps. */
#pragma once

#include <stdint.h>

#include "grade/cgroups.h"
#include "grade/run.h"
#include "grade/step.h"

void memory_step_sizes(struct grade *g);
void memory_step_limit(struct grade *g);
void memory_step_oom(struct grade *g);
void memory_step_usage(struct grade *g);
void memory_step_pressure(struct grade *g);
void memory_step_available(struct grade *g);

/* Of step 2: files that are missing, or that cannot be written. */
void memory_check_refusals(struct run *room, int version);

/* What else can be set for a group's memory, of either version, and that none of it has changed
 * since. NULL: there is no such file. */
enum { MEMORY_REST = 10 };
struct memory_rest {
    const char *values[MEMORY_REST];
};
struct memory_rest memory_rest(struct run *room, const struct cgroups *groups, const char *name);
void memory_check_rest(struct run *room, const struct cgroups *groups, const char *name,
                       const struct memory_rest *before);

/* Kernels write "no limit" as "max", or as a number just below 2^63. */
static const uint64_t memory_max = UINT64_MAX;

/* Runs the lab program with these options (NULL-ended) in the room, to its end. */
int memory_run(struct run *room, const char *const *options, const char **said);

/* What it answers to a question, without the line feed at its end. The step fails when it does not
 * end with 0. */
const char *memory_answer(struct run *room, const char *option, const char *value);

/* It must refuse: end with 125 and name the error. */
void memory_refused(struct run *room, const char *const *options, const char *error,
                    const char *because);

/* A random number of MiB between these two, in bytes. */
uint64_t memory_mib(struct grade *g, int low, int high);

/* The number after `key` in lines of "KEY NUMBER"; memory_max when there is no such line. */
uint64_t memory_word(const char *text, const char *key);

/* Makes the group `name` ("/a", or "/a/b" when there is "/a") with the memory controller. Returns
 * its folder, a path of the room. */
const char *memory_make(struct run *room, const struct cgroups *groups, const char *name);

/* The number in a file of the group, by its name in version 2: "memory.max", "memory.current",
 * "memory.peak", "sum" (version 1's limit of memory and swap together), "memory.swap.max".
 * `none` when there is no such file. */
uint64_t memory_read(struct run *room, const struct cgroups *groups, const char *name,
                     const char *file, uint64_t none);

/* "20971520", "max", or "not there". */
const char *memory_text(struct grade *g, uint64_t bytes);

/* A folder with files as a kernel of the given version has them for a group; `files` are pairs of
 * name and text. No kernel is behind it: it serves to show numbers that no group of ours would
 * come to, and the other version's files. */
const char *memory_folder(struct run *room, int version, const char *const (*files)[2]);

/* A start of the lab program whose group has a name that we know. */
struct memory_start {
    struct run *room, *run;
    struct cgroups groups;
    const char *name; /* "/brelk" */
};
struct memory_start memory_start_whole(struct run *room, const char *const *options,
                                       const char *const *command);

/* The same without lab 10's filter, which two thirds of a start's time go into. */
struct memory_start memory_start(struct run *room, const char *const *options,
                                 const char *const *command);
