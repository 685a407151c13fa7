/* The file tree that a sandbox shows: read-only, and nothing of the user's. */
#pragma once

#include <stddef.h>

/* Builds it on a tmpfs and makes it the root of this mount namespace, with the old root gone:
 *
 *   /usr /bin /sbin /lib* /etc   the host's, read-only: what a program needs to be loaded
 *   /dev                         null zero full random urandom tty; empty pts, shm, mqueue
 *   /proc /sys                   fresh ones, of these namespaces
 *   /strata                      filled by `fill` before all becomes read-only
 *   /tmp /run /home /root        empty
 *
 * Called as root of a new user namespace in a new mount, PID and network namespace. A list of what
 * is in, not of what is hidden: a socket, a FIFO or a key of the same user cannot be forgotten.
 * Returns 0, or -errno with a sentence in `why`. */
int tree_build(int (*fill)(void *arg, int directory), void *arg, char *why, size_t size);
