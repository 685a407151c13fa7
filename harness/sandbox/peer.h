/* Dealing with the processes at the other end: what sandbox.c and room.c share. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* The pid, in our own numbering, behind a pidfd: pidfd_open(2), "fdinfo". */
pid_t peer_pid(int pidfd);

/* A socket pair; receiving from ends[0], ours, does not wait for ever. Returns 0 or -errno. */
int peer_socket(int ends[2]);

/* Waits for MESSAGE_READY; `pidfd` (when not NULL) takes the fd that comes with it. */
int peer_ready(int socket, int *pidfd, char *why, size_t size, int *blame);

/* Waits for the end of a process; signals do not cut it short. */
bool peer_end(int pidfd, int milliseconds);

/* Closes an fd of ours, once. */
void peer_close(int *fd);

/* How long the dead may take to be gone. */
enum { PEER_END_MS = 20000 };
