/* What the steps of lab 04's grader share. 04-mount.c has the list of them. */
#pragma once

#include "grade/run.h"
#include "grade/step.h"

/* Starts the lab program with the probe as COMMAND, in the room that `room` is in. */
struct run *mount_beside(struct grade *g, struct run *room, const char *const *arguments);

/* A new folder in /tmp of the room; ... with a tmpfs on it, mounted with `flags` (MS_*). */
const char *mount_folder(struct grade *g, struct run *room);
const char *mount_mounted(struct grade *g, struct run *room, unsigned long flags);

/* With this option the program must refuse: exit status 125, and the kernel's own error, or EINVAL
 * (mount(2) says ENOTDIR where move_mount(2) says EINVAL). */
void mount_refused(struct grade *g, struct run *room, const char *option, const char *value,
                   int error, const char *why);

void mount_stepprivate(struct grade *g);
void mount_stepbind(struct grade *g);
void mount_stepreadonly(struct grade *g);
void mount_steptmpfs(struct grade *g);
void mount_stepdetach(struct grade *g);
