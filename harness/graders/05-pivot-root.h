/* What the steps of lab 05's grader share. 05-pivot-root.c has the list of them. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "grade/mounts.h"
#include "grade/run.h"
#include "grade/step.h"

enum { REFUSED = 125, NOT_FOUND = 127 };

#define ROOTFS "/tmp/rootfs"

/* A room with the root filesystem. The probe is in it at the path that it has outside, too: then it
 * runs also where the root was not changed, and the verdict can say so. */
struct run *root_room(struct grade *g);

/* Starts the lab program with the probe as COMMAND, in the room that `room` is in. */
struct run *root_beside(struct grade *g, struct run *room, const char *const *arguments);

/* A folder in /tmp with a tmpfs on it, and in that "in" with another. */
const char *root_volume(struct grade *g, struct run *room);

/* "/" inside is the folder `path` of outside; returns it. */
struct place root_check(struct grade *g, struct run *run, const char *path);

/* The working directory of COMMAND is `wanted`. */
void root_check_cwd(struct grade *g, struct run *run, const struct place *wanted);

/* Is it a mount of this file system? Is one of them? */
bool root_is_device(const struct kernel_mount *m, dev_t dev);
bool root_has_device(const struct kernel_mounts *mounts, dev_t dev);

/* The escape from a chroot gets out of a chroot, and not out of where COMMAND is. */
void root_no_escape(struct grade *g, struct run *room, struct run *run);

/* Outside, the same is mounted as `before`. */
void root_outside_kept(struct grade *g, struct run *room, const struct kernel_mounts *before);

void root_stepchroot(struct grade *g);
void root_steppivot(struct grade *g);
void root_stepold_root(struct grade *g);
void root_stepfilesystems(struct grade *g);
void root_stepmasks(struct grade *g);
void root_stepno_way_back(struct grade *g);
