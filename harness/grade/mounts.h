/*
 * Mounts and places, as graders see them: read from outside of the payload, with the eyes of its
 * own mount namespace and root.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "grade/run.h"
#include "grade/step.h"
#include "kernel/mountinfo.h"

/* A probe of ours in a room that the student's program is then started in (run_options.beside): it
 * prepares the room, and shows what things look like outside. */
struct run *outside_open(struct grade *g, bool rootfs);

/* Asks it to do something that must work: what does not is the harness's fault (ERROR). Returns
 * the reply without its "ok ". */
const char *outside_do(struct run *outside, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Runs the lab program in that room with a COMMAND that is not the probe, to its end. Returns the
 * exit status; *said is all that it printed, on either output: of this run alone. */
int outside_run(struct run *outside, const struct run_options *options, const char **said);

/* The mounts that a process can reach from its root; freed with the step. */
const struct kernel_mounts *mounts_of(struct grade *g, pid_t pid);

/* One of them as /proc/PID/mountinfo has it; NULL is "no such mount". */
const char *mounts_line(struct grade *g, const struct kernel_mount *mount);

/* A file or folder, and the file system it is in. */
struct place {
    int error; /* 0, or the errno with which it could not be found: then the rest is 0 */
    mode_t mode;
    dev_t dev;
    ino_t ino;
    dev_t rdev;
    uint64_t fs_type; /* statfs(2): f_type                  */
    uint64_t fs_size; /* bytes: f_blocks times f_bsize      */
};

/* `path` as the process would find it by an absolute path; a link at its end is not followed when
 * `link`. */
struct place place_of(struct grade *g, pid_t pid, int pidfd, const char *path, bool link);
struct place place_inside(struct run *run, const char *path);
struct place place_outside(struct run *run, const char *path);

/* The process's working directory, wherever that is. */
struct place place_of_cwd(struct grade *g, pid_t pid, int pidfd);

/* The root that its mount namespace has, which chroot(2) does not change. `lifted`: what appears
 * there once the mount at the root is taken away (in a copy of the namespace, that is). */
struct place place_of_namespace(struct grade *g, pid_t pid, int pidfd, bool lifted);

bool place_same(const struct place *a, const struct place *b);

/* "254:0 inode 1234", or "No such file or directory". */
const char *place_text(struct grade *g, const struct place *place);
