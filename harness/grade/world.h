/* The sandbox of a lab's run, and what is brought into it. */
#pragma once

#include "grade/step.h"
#include "sandbox/sandbox.h"

/* Opens a room for the step, and the sandbox around it if there is none (any more). The step is an
 * ERROR when that cannot be done. */
void world_room(struct grade *g, const struct room_options *options, struct room *room);

/* The room or the whole sandbox is gone: ends the step as FAIL when what the student's program did
 * was the reason, as ERROR otherwise. */
_Noreturn void world_lost(struct grade *g);

/* A program had to be stopped: the next step gets a new sandbox. The kernel counts the dead of a
 * group for a while yet (their memory is freed by RCU), and a program that forks without end leaves
 * hundreds of them: the next one would be told that there is no room for it. */
void world_spent(struct grade *g);

/* A program was killed: when that was for want of memory, ends the step as world_lost does. */
void world_killed(struct grade *g);

/* Starts a program of the system in a room of its own and returns what it wrote (it lives as long
 * as the step), NULL when that did not work within a few seconds. For tools that read files made by
 * students. `room` is for the caller to close. */
const char *world_tool(struct grade *g, const char *const *argv, struct room *room);

/* True when the make that started us has been killed: nobody waits for this verdict any more. */
bool world_abandoned(struct grade *g);

/* The path of the lab program as rooms see it. */
const char *world_program(struct grade *g);

/* The bytes of the probe's program, `*size` of them. */
const char *world_probe(struct grade *g, size_t *size);
