/* The sandbox of a lab's run, and what is brought into it. */
#pragma once

#include "grade/step.h"
#include "sandbox/sandbox.h"

/* Opens a room for the step, and the sandbox around it if there is none (any more). The step is an
 * ERROR when that cannot be done. */
void world_room(struct grade *g, const struct room_options *options, struct room *room);

/* The sandbox is gone: ends the step as FAIL when it was ended for what the student's program did,
 * as ERROR otherwise. */
_Noreturn void world_lost(struct grade *g);

/* The path of the lab program as rooms see it. */
const char *world_program(struct grade *g);

/* SHA-256 of the probe. */
const char *world_probe_digest(struct grade *g);
