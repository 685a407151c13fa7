/* /proc/PID/status: what a process is, may and holds, line by line.
 * proc_pid_status(5), fs/proc/array.c. */
#ifndef KERNEL_STATUS_H
#define KERNEL_STATUS_H

#include "kernel/stat.h"
#include <stdbool.h>

/* The host and 32 levels below it: MAX_PID_NS_LEVEL in include/linux/pid_namespace.h. */
#define KERNEL_PID_LEVELS 33

/* One process's ids, from the pid namespace of this procfs down to the process's own, which comes
 * last: pid[count - 1]. count 0: no such line. */
struct kernel_pid_levels {
    pid_t pid[KERNEL_PID_LEVELS];
    size_t count;
};

struct kernel_status {
    char name[KERNEL_COMM_MAX]; /* unescaped */
    int umask;                  /* -1: no such line (zombies, kernel threads) */
    char state;                 /* R S D T t Z X I */
    pid_t tgid;                 /* -1: no such line; so are all ids here but pid */
    pid_t ngid;
    pid_t pid;
    pid_t ppid;
    pid_t tracer_pid;
    uid_t uid[4]; /* real, effective, saved, file system; (uid_t)-1: no such line */
    gid_t gid[4];
    gid_t *groups; /* supplementary groups, as the kernel lists them */
    size_t groups_count;
    struct kernel_pid_levels nstgid;
    struct kernel_pid_levels nspid;
    struct kernel_pid_levels nspgid;
    struct kernel_pid_levels nssid;
    int threads;     /* -1: no such line */
    uint64_t sigpnd; /* signal N is bit N - 1 */
    uint64_t shdpnd;
    uint64_t sigblk;
    uint64_t sigign;
    uint64_t sigcgt;
    bool has_caps;    /* all five lines below were there; else never take 0 for "none" */
    uint64_t cap_inh; /* capability N is bit N */
    uint64_t cap_prm;
    uint64_t cap_eff;
    uint64_t cap_bnd;
    uint64_t cap_amb;
    int no_new_privs;    /* 0, 1; -1: no such line */
    int seccomp;         /* 0 off, 1 strict, 2 filter; -1: no such line */
    int seccomp_filters; /* how many are stacked; -1: no such line (before 5.9) */
    int64_t vm_rss_kb;   /* KiB; -1: no such line (zombies, kernel threads) */
    int64_t rss_anon_kb;
    int64_t rss_file_kb;
    int64_t rss_shmem_kb;
    char *cpus_allowed_list; /* "0-1,4"; NULL: no such line */
};

/* Parses the text of /proc/PID/status. Unknown lines are skipped, most known ones may be missing;
 * *status is written over, not freed first.
 * Returns 0; -EBADMSG without Name, State or Pid, for a number that does not fit, a known line
 * that makes no sense, a NUL byte; -ENOMEM. On failure *status holds nothing to free. */
int kernel_status_parse(const char *text, size_t len, struct kernel_status *status);

/* Reads and parses it. 0, -ESRCH, -EBADMSG, -ENOMEM, or the errors of kernel_read_pid(). */
int kernel_status_read(pid_t pid, struct kernel_status *status);

/* Frees what it holds; harmless on a zeroed one and twice. */
void kernel_status_free(struct kernel_status *status);

#endif
