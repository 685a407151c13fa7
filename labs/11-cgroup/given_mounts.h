/* The mounts of this process, as /proc/self/mountinfo lists them. proc_pid_mountinfo(5) */
#pragma once

struct mount_line {
    const char *root;   /* which folder of the file system is mounted: "/" when all of it */
    const char *target; /* where, from our root                                          */
    const char *type;   /* "cgroup2"                                                     */
    const char *super;  /* the super block's options: "rw,memory"                        */
};

/* Calls `see` for each mount, the oldest first, until it returns other than 0; returns that, 0 at
 * the end, or -errno. Paths come as they are: the \040 of a space is undone. */
int mounts_each(int (*see)(void *arg, const struct mount_line *mount), void *arg);
