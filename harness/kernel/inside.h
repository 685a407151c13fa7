/* A look from within: what a namespace shows only to its members (its host name, its message
 * queues, its links) is read by a short-lived child of ours that joins it. setns(2).
 *
 * Why this is safe although whoever lives in there may be hostile:
 *  - Nothing of theirs is executed. The child is a fork of us: no exec, so no loader, and `fn` must
 *    not call what loads files by itself (getpwnam, iconv, locales) for it would find theirs.
 *  - They cannot take it over. Root of their user namespace could trace a process that joined it,
 *    but the child is not dumpable, and then the kernel wants CAP_SYS_PTRACE in the user namespace
 *    that its memory was made in, which is ours (kernel/ptrace.c, __ptrace_may_access).
 *    The same check guards /proc/CHILD/{mem,fd,root,environ}.
 *  - It carries nothing worth having: every fd from 3 up is closed but its pipes (and, for
 *    kernel_inside_read, an O_PATH one of our /proc).
 *  - They see it only if CLONE_NEWPID is asked for. Then they may kill or stop it; that costs them
 *    an answer (-EIO, -ETIMEDOUT), never us ours: a deadline ends it, and an alarm of its own
 *    and PR_SET_PDEATHSIG end it if we die first. */
#ifndef KERNEL_INSIDE_H
#define KERNEL_INSIDE_H

#include <stddef.h>
#include <sys/types.h>

#define KERNEL_INSIDE_MS 8000 /* the deadline of all but kernel_inside_within() */

/* Runs fn in namespaces of another process and collects what it writes.
 *   pidfd       the process, held by pidfd_open(2) or clone3(2)
 *   pid         the same process's number in our /proc
 *   namespaces  CLONE_NEW* flags: those to join. One that we share already is left out. With
 *               CLONE_NEWUSER the child gets all capabilities in that user namespace; it needs them
 *               to join what belongs to it, and the kernel joins the user namespace first.
 *               With CLONE_NEWNS the child's root and working directory become the process's root.
 *   fn          runs in the child; writes bytes to out_fd; returns 0 or -errno
 *   text, len   what it wrote; malloc'd, NUL terminated
 * Returns 0; fn's or setns(2)'s -errno; -ESRCH when the process is gone; -ETIMEDOUT; -EFBIG beyond
 * KERNEL_FILE_MAX; -EIO when the child was killed from within; -EPERM when we have no right there.
 * Whatever is returned but 0, *text is NULL and *len 0.
 * The child is waited for by its pid: do not reap it with waitpid(-1) in a signal handler. */
int kernel_inside(int pidfd, pid_t pid, unsigned namespaces, int (*fn)(void *arg, int out_fd),
                  void *arg, char **text, size_t *len);

/* The same with another deadline, in milliseconds. */
int kernel_inside_within(int milliseconds, int pidfd, pid_t pid, unsigned namespaces,
                         int (*fn)(void *arg, int out_fd), void *arg, char **text, size_t *len);

/* Reads one file from within. Only a regular file (those of /proc and /sys are) is opened, so that
 * no FIFO and no device in the way can hold us or be disturbed: -EINVAL for anything else. */
int kernel_inside_read(int pidfd, pid_t pid, unsigned namespaces, const char *path, char **text,
                       size_t *len);

/* Writes all bytes to a fd, for fn: 0 or -errno. */
int kernel_write_all(int fd, const void *bytes, size_t len);

#endif
