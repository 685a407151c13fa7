/*
 * Lab 05: a new root.
 *
 * chroot(2) only changes where a process's path lookups begin. pivot_root(2) exchanges the root of
 * the mount namespace, so that the old one can be taken away: what is not mounted cannot be
 * reached, whoever you are.
 *
 * 0 on success, -errno on failure. All functions are called in the new process, whose mount
 * namespace is its own and private (lab 04).
 */
#pragma once

#include "given/todo.h"

/* Makes `new_root` the root of path lookups, and leaves no working directory outside. chroot(2) */
int root_chroot(const char *new_root);

/* Makes `new_root` the root of this mount namespace. `new_root` need not be a mount point yet, and
 * what is mounted below it comes along. Afterwards the old root is still mounted somewhere: see
 * the next function. pivot_root(2) */
int root_pivot(const char *new_root);

/* Takes the old root away, so that no mount of it is left in this namespace and the working
 * directory is the new "/". Called after root_pivot. umount2(2) */
int root_detach_old(void);

/* Mounts sysfs at `target`: nosuid, nodev, noexec and read-only. sysfs(5) */
int root_mount_sys(const char *target);

/* Makes a minimal /dev at `target`, an existing folder. Called before root_pivot, while the
 * host's /dev is still there, for mknod(2) is refused in a user namespace.
 *   - a tmpfs, nosuid and noexec, mode 0755;
 *   - null, zero, full, random, urandom and tty: the host's nodes, each bound on an empty file;
 *   - pts: a devpts of its own (newinstance, ptmxmode=0666, mode=0620, gid=5 where group 5 is
 *     mapped, without gid= where it is not), nosuid and noexec; ptmx -> pts/ptmx;
 *   - shm: a tmpfs, mode 1777, nosuid, nodev, noexec;
 *   - fd -> /proc/self/fd, stdin -> /proc/self/fd/0, stdout and stderr likewise. */
int root_mount_dev(const char *target);

/* Hides `path`: a folder under an empty read-only tmpfs, a file under /dev/null. A path that does
 * not exist is hidden enough: 0. Called after the pivot. */
int root_mask(const char *path);

/* Makes `path` (a file or a folder, with what is mounted below it) read-only where it stands. A
 * path that does not exist needs no protection: 0. Called after the pivot. */
int root_protect(const char *path);

/* Closes every fd from 3 up that is a directory, opened with O_PATH or not. Each is a way back
 * out: a directory opened before the pivot still names the old root, and
 * "/proc/self/fd/9/../.." leads on from there. (The other fds go at exec: lab 01.) */
int root_close_directories(void);

/* Enters `path` as the working directory, and proves that it lies below the root: -EXDEV when it
 * does not (the kernel then calls it "(unreachable)"). getcwd(2) */
int root_enter(const char *path);
