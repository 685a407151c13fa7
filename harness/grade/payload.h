/* Is this process the probe that we gave to the student's program as COMMAND? */
#pragma once

#include <sys/types.h>

#include "grade/run.h"

struct claim {
    pid_t pid;    /* who says so: SCM_CREDENTIALS, which the room's root can forge    */
    ino_t socket; /* the inode of the socket that the probe's fd 0 must be            */
    pid_t room;   /* PID 1 of the room that it must be in                             */
    int room_pidfd;
    const char *program; /* the bytes of the probe                                           */
    size_t program_size;
};

/* Checks a claim against /proc: the program it executes is ours byte by byte, nobody traces it,
 * it is not stopped, its fd 0 is the far end of our socket, its user namespace lies within the
 * room's. Who else holds that socket cannot be told (the program itself does, while it waits).
 * Returns 0 and a pidfd that held the process all the while, or -errno with a sentence in `why`. */
int payload_check(const struct claim *claim, struct payload *payload, char *why, size_t size);
