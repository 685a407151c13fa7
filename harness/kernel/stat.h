/* /proc/PID/stat: one line of numbers about a process. proc_pid_stat(5), fs/proc/array.c. */
#ifndef KERNEL_STAT_H
#define KERNEL_STAT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A task's name is 15 bytes, but workqueue threads show up to 63 here. */
#define KERNEL_COMM_MAX 64

struct kernel_stat {
    pid_t pid;
    char comm[KERNEL_COMM_MAX]; /* raw: blanks, parentheses and newlines are all allowed in it */
    char state;                 /* R S D T t Z X I P */
    pid_t ppid;
    pid_t pgrp;
    pid_t session;
    int tty_nr;
    int tpgid;      /* -1 without a terminal */
    uint32_t flags; /* PF_* of include/linux/sched.h */
    uint64_t minflt;
    uint64_t cminflt;
    uint64_t majflt;
    uint64_t cmajflt;
    uint64_t utime; /* clock ticks, sysconf(_SC_CLK_TCK) a second */
    uint64_t stime; /* clock ticks */
    int64_t cutime; /* clock ticks, of reaped children */
    int64_t cstime; /* clock ticks, of reaped children */
    int priority;
    int nice;
    int num_threads;
    uint64_t starttime; /* clock ticks since boot (in the reader's time namespace) */
    uint64_t vsize;     /* bytes */
    int64_t rss;        /* pages */
    int exit_signal;    /* the rest: -1 when the line is an old kernel's and ends before it */
    int processor;      /* the CPU it last ran on */
    int rt_priority;
    int policy; /* SCHED_* */
};

/* Parses the text of /proc/PID/stat. The name ends at the LAST ')': a process may call itself
 * "a b) R (c" to be misread by whoever takes the first.
 * Returns 0, or -EBADMSG: fewer fields than up to rss, a number out of range, a NUL byte. */
int kernel_stat_parse(const char *text, size_t len, struct kernel_stat *stat);

/* Reads and parses it. 0, -ESRCH, -EBADMSG, or the errors of kernel_read_pid(). */
int kernel_stat_read(pid_t pid, struct kernel_stat *stat);

#endif
