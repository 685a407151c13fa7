/* Reading whole small files of the kernel: procfs, sysfs, cgroupfs. */
#ifndef KERNEL_FILE_H
#define KERNEL_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* What no file that we read from a kernel reaches; a bound for what a hostile one can cost us. */
#define KERNEL_FILE_MAX ((size_t)16 << 20)

/* Reads everything from an open fd, from its present offset to the end of file.
 *   text, len  the bytes; malloc'd, the caller frees; a NUL that len does not count follows them
 * Returns 0, -EFBIG beyond KERNEL_FILE_MAX, -ENOMEM, or read(2)'s error. EINTR is retried.
 * On failure *text is NULL and *len 0. */
int kernel_read_fd(int fd, char **text, size_t *len);

/* Reads a whole file. `dirfd` and `path` are openat(2)'s. For paths that we trust; for a path that
 * a student's program can change, see path.h. Errors: openat(2)'s and kernel_read_fd()'s. */
int kernel_read_at(int dirfd, const char *path, char **text, size_t *len);

/* Opens the directory /proc/PID (O_PATH). The fd stands for this very process: once it is gone,
 * look-ups below it fail, also when the number has been given to another process.
 * Returns the fd, -ESRCH when there is no such process (or pid <= 0), or open(2)'s error.
 * proc(5). */
int kernel_proc_open(pid_t pid);

/* Has the process behind this fd (from kernel_proc_open) gone, or is it a zombie that has given
 * its memory and namespaces back already? */
bool kernel_proc_gone(int procfd);

/* Translates an error met below /proc/PID: a process that ended shows as ENOENT, ESRCH or (for
 * mountinfo) EINVAL, and all of them become -ESRCH if it is gone indeed. `error` is a -errno. */
int kernel_proc_error(int procfd, int error);

/* Reads /proc/PID/NAME whole; NAME may be a path ("net/dev").
 * Returns 0, -ESRCH when the process vanished before or while it was read, else as kernel_read_at;
 * -ENOENT therefore means that this kernel has no such file. */
int kernel_read_pid(pid_t pid, const char *name, char **text, size_t *len);

#endif
