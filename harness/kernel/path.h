/* Files as another process's root shows them, without ever being led out of it. openat2(2).
 *
 * A path like /proc/PID/root/etc/passwd is a trap: if its etc is a symbolic link to /etc, the link
 * is followed from OUR root. RESOLVE_IN_ROOT takes every absolute link and every ".." from theirs,
 * also while they rename directories under our feet.
 * A look-up in a FUSE file system waits for its server. Where a student could have mounted one, use
 * kernel_inside_read(), which has a deadline. */
#ifndef KERNEL_PATH_H
#define KERNEL_PATH_H

#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

/* Opens `path` in the root of `pid` with O_PATH: nothing is opened for reading, no device touched.
 *   path   absolute or relative, both from that root
 *   flags  0, O_NOFOLLOW (the last component may be a link itself) and/or O_DIRECTORY
 * Returns an fd, -ESRCH when the process is gone, -EACCES, or openat2(2)'s error. Magic links (of
 * /proc) are refused: -ELOOP. */
int kernel_path_at(pid_t pid, const char *path, int flags);

/* The same below any directory fd that shall be the root. */
int kernel_path_open(int root, const char *path, int flags);

/* Opens for reading what an O_PATH fd stands for, if that is a regular file (else -EINVAL). What
 * was looked at is what gets opened, by our own /proc (an fd of it), not by the path once more.
 * Returns an fd (O_NONBLOCK, for some files of /proc wait, too) or -errno. */
int kernel_path_reopen(int proc, int found);

/* stat(2) (or with O_NOFOLLOW lstat(2)) in that root. */
int kernel_path_stat(pid_t pid, const char *path, int flags, struct stat *st);

/* Reads a regular file of that root. Never waits on a FIFO and never opens a device: -EINVAL for
 * what is no regular file. Errors otherwise as kernel_path_at() and kernel_read_fd(). */
int kernel_path_read(pid_t pid, const char *path, char **text, size_t *len);

/* Reads a symbolic link of that root; *target is malloc'd. -EINVAL when it is none. */
int kernel_path_readlink(pid_t pid, const char *path, char **target);

#endif
