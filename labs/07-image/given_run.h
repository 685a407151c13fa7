/* A container from an image: its layers below, its configuration for COMMAND. */
#pragma once

#include "given/layer.h"

/* --image NAME */
int run_set_image(struct container *container, const char *name);

/* Once all options are known: the layers go to layer 06 if that has been given a folder for what
 * the container changes. (It adds no namespace.) */
int run_hand_over(uint64_t *flags);

/* START_CGROUP: what the image says of COMMAND, its environment and where it starts; and, without
 * --container, a folder for what it changes. */
int run_configure(struct container *container);

/* START_ROOT_TREE: the layers become one tree, unless layer 06 does that (--container). */
int run_mount(struct container *container);

/* After COMMAND: that folder goes. */
void run_finish(const struct container *container);
