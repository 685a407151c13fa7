/* What a process holds open: /proc/PID/fd and fdinfo. proc_pid_fd(5), proc_pid_fdinfo(5). */
#ifndef KERNEL_FD_H
#define KERNEL_FD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct kernel_fdinfo {
    int64_t pos;  /* -1: no such line */
    int flags;    /* O_*, of open(2) and FD_CLOEXEC as O_CLOEXEC; -1: no such line */
    int mnt_id;   /* as in mountinfo; -1: no such line */
    uint64_t ino; /* 0: no such line (before 5.14) */
};

struct kernel_fd {
    int fd;
    char *target; /* the link's text: a path, "pipe:[1]", "anon_inode:[pidfd]", ... */
    mode_t mode;  /* st_mode; 0: not to be had */
    dev_t dev;
    ino_t ino;
    dev_t rdev;
    int flags;  /* O_*; -1: fdinfo not readable */
    int mnt_id; /* -1: fdinfo not readable */
};

struct kernel_fds {
    struct kernel_fd *list; /* by rising fd number */
    size_t count;
    size_t capacity;
};

/* Parses the text of /proc/PID/fdinfo/N. 0 or -EBADMSG. Lines of other kinds are skipped. */
int kernel_fdinfo_parse(const char *text, size_t len, struct kernel_fdinfo *info);

/* Lists all fds. One that is closed meanwhile is left out.
 * Returns 0, -ESRCH (also for a zombie), -EACCES when we may not look, -ENOMEM.
 * Nothing is opened: looking must neither wake a FIFO's other end nor wait for a FUSE server. */
int kernel_fds_read(pid_t pid, struct kernel_fds *fds);

void kernel_fds_free(struct kernel_fds *fds);

/* The entry of one fd number, or NULL. */
const struct kernel_fd *kernel_fds_find(const struct kernel_fds *fds, int fd);

#endif
