/*
 * Where student programs run: a world made of the very namespaces that the course teaches.
 *
 *   harness          grades; keeps its own namespaces and never runs student code
 *    └─ keeper       in a session of its own; cleans up when the harness is gone    keeper.c
 *        └─ outer    user namespace of the harness: builds the read-only tree       outer.c
 *            └─ room user namespace of the student: everything else is theirs       room.c
 *                └─ the student's program, as root of the room
 *
 * Two user namespaces, because in one the student could lift the read-only flags again: mounts
 * that come from a more privileged mount namespace are locked (mount_namespaces(7)).
 * A sandbox holds many rooms, one after another or side by side; a room is new each time, so
 * nothing that one step leaves behind can touch the next.
 *
 * docs/architecture.md tells why each line of this is as it is.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A file that rooms find as /strata/NAME: copied from `fd` (read from its start). */
struct sandbox_file {
    const char *name;
    int fd;
    bool executable;
};

struct sandbox_options {
    const struct sandbox_file *files;
    size_t file_count;
    bool single_id;         /* map one id even where 65536 could be                           */
    uint64_t memory;        /* bytes that a sandbox may use in all; 0: the default, 768 MiB   */
    unsigned processes;     /* how many processes it may have; 0: the default, 400            */
    bool cgroups;           /* rooms get control groups of their own, below those limits       */
    bool address_sanitizer; /* its shadow needs terabytes of address space: no RLIMIT_AS      */
};

struct sandbox {
    pid_t pid; /* PID 1 of the outer namespaces, as we number it                           */
    int pidfd;
    int control; /* to it                                                                    */
    int keeper;  /* to the keeper: end of file when it is gone                               */
    pid_t keeper_pid;
    int lifeline; /* its write end: see outer.c                                               */
    unsigned ids; /* how many user ids are mapped: 65536, or 1                                */
    uid_t uid;    /* whom its rooms' root is, as we number ids                                   */
    gid_t gid;
    bool cgroups;   /* see sandbox_options                                                      */
    unsigned rooms; /* how many it has had                                                     */
    char run[64];   /* our mark: on cgroups and everything else that a file system could hold   */
    char why[256];  /* why it could not be opened, or why the keeper ended it: one sentence    */
    int blame;      /* with why, enum blame of message.h: us, the machine, or the program      */
};

/* Opens a sandbox; also sweeps what earlier runs that were killed left in file systems.
 * Returns 0, or -errno with a sentence in sandbox->why. */
int sandbox_open(const struct sandbox_options *options, struct sandbox *sandbox);

/* Ends it with everything in it, and waits until all is gone. Safe on a zeroed struct and twice. */
void sandbox_close(struct sandbox *sandbox);

/* When the keeper ended the sandbox by itself (too much memory, say): true, reason in why. */
bool sandbox_ended(struct sandbox *sandbox);

/* The same when the news may still be on its way: waits for it. Costs next to nothing while the
 * kernel has killed nothing in the sandbox for want of memory, unless `surely`. */
bool sandbox_ending(struct sandbox *sandbox, bool surely);

/* --- rooms ---------------------------------------------------------------------------------- */

enum { ROOM_FDS_MAX = 24, ROOM_WATCHED_MAX = 32 };

struct room_options {
    bool rootfs; /* unpack /strata/rootfs.tar at /tmp/rootfs */
};

struct room {
    const struct sandbox *sandbox; /* when it has control groups, else NULL                     */
    unsigned number;               /* of them: room-NUMBER                                      */
    pid_t pid; /* PID 1 of the room: its namespaces are what student code calls "outside"      */
    int pidfd;
    int socket;
    struct room_process *watched[ROOM_WATCHED_MAX]; /* whose ends we note                      */
    size_t watched_count;
    char why[256];
    int blame; /* as above */
};

int room_open(struct sandbox *sandbox, const struct room_options *options, struct room *room);
void room_close(struct room *room); /* kills all in it; safe on a zeroed struct and twice      */

struct room_fd {
    int from; /* our fd      */
    int to;   /* its number there */
};

struct room_command {
    const char *const *argv; /* argv[0] is executed, looked for in PATH of envp                */
    const char *const *envp;
    const char *cwd; /* NULL: /tmp                                                     */
    const struct room_fd *fds;
    size_t fd_count;  /* 0, 1, 2 that are not named are /dev/null                       */
    uint64_t ignored; /* signals it starts with ignored: bit n-1 for signal n           */
    uint64_t blocked;
    bool terminal; /* fd 0 becomes the controlling terminal                          */
    unsigned user; /* runs as this uid and gid of the room, in no other group, without a capability;
                    * 0: as its root                                                   */
    unsigned group; /* ... but in this group as well; 0: none                               */
};

struct room_process {
    pid_t pid;    /* as we number it */
    pid_t inside; /* as the room does */
    int pidfd;
    bool ended;
    int code; /* si_code and si_status of waitid(2) */
    int status;
};

/* Starts a command in the room; `process` must stay where it is until the room is closed, for its
 * end is noted in it. Returns 0 or -errno (its exec's, say; a sentence in room->why). */
int room_spawn(struct room *room, const struct room_command *command, struct room_process *process);

/* Takes one message from room->socket (poll it for POLLIN) and notes whose end it tells.
 * Returns 1, 0 when none is there, -errno (-EPIPE: the room is gone). */
int room_event(struct room *room);

/* Waits until `process` has ended. 0, -ETIMEDOUT, or -EPIPE. */
int room_wait(struct room *room, struct room_process *process, int milliseconds);
