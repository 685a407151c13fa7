/* For looking at filter_load: a process that has threads already when the filter comes. */
#pragma once

#include <stdbool.h>

#include "given/layer.h"

/* The filter is loaded by the first thread, and COMMAND is executed by the last of `count` others,
 * which were there before: exec ends all threads but the caller, whose filters COMMAND then has. */
void threads_ask(struct container *container, int count);

/* The first of them has a filter of its own by then. */
void threads_ask_filtered(void);

/* Starts what was asked for. Called in the new process. 0 or -errno. */
int threads_start(void);
