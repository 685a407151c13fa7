/*
 * Lab 01: start a program, wait for it, describe it.
 *
 * A container is a process that was started with care. process_start is the only place in the
 * whole course that makes a new process: later labs give it namespaces, a control group and hooks,
 * and never write a second clone.
 *
 * Every function here works like a system call of the kernel: 0 (or a count) on success, -errno
 * on failure. None prints, none exits, and each closes what it opened.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "given/todo.h"

struct process {
    pid_t pid; /* as the caller's PID namespace numbers it                                   */
    int pidfd; /* a handle that no other process can ever take over; the caller closes it    */
};

/* One thing to do while a container starts. Hooks run in order; the first that returns a negative
 * value ends the start. An array of them ends with .run == NULL. */
struct process_hook {
    const char *name;
    int (*run)(const struct process *process, void *arg);
    void *arg;
};

/* Where a start ended. */
enum process_stage {
    PROCESS_CLONE,       /* the kernel refused a new process                                 */
    PROCESS_PARENT_HOOK, /* a parent hook failed; the child never ran                        */
    PROCESS_CHILD_HOOK,  /* a child hook failed                                              */
    PROCESS_EXEC,        /* COMMAND could not be executed                                    */
};

struct process_failure {
    enum process_stage stage;
    char hook[32]; /* the hook's name, "" when no hook was at fault                          */
};

struct process_spec {
    uint64_t namespaces; /* CLONE_NEW* flags: clone(2)                                        */
    int cgroup;          /* fd of a cgroup v2 directory to be born into, or -1                */
    const struct process_hook *parent_hooks; /* run while the child waits; NULL for none      */
    const struct process_hook *child_hooks;  /* run in the child before COMMAND; NULL for none */
    char *const *argv;                       /* COMMAND; looked for in the PATH of envp       */
    char *const *envp;                       /* its whole environment                         */
    int (*main)(void *arg); /* what the child becomes in place of COMMAND, or NULL: returns a
                             * negative value (reported as an exec failure) or exits           */
    void *main_arg;
    int stdio[3]; /* what becomes its fd 0, 1, 2; -1 keeps the caller's                       */
};

/* Starts a process as `spec` describes.
 *
 * The order: clone3 with all namespace flags at once (and into the control group); the child
 * waits; the parent's hooks run (id maps, network); the child goes on: its hooks, its stdio, a
 * clean start, exec. A child whose parent died while it waited ends.
 * A clean start (step 4) is: no fd but 0, 1 and 2, every signal at its default action, none
 * blocked, and exactly the environment of `spec`. (Signals 32 and 33 are libc's own business.)
 * Where clone3 is no system call (-ENOSYS: an old kernel, or a filter like that of lab 10),
 * clone(2) does the same for all but a control group.
 * All of it happens in the child: the caller's own fds, signals and namespaces stay as they are.
 *
 * Returns 0 once COMMAND runs (its exec has succeeded), with *process filled in. Else -errno of
 * what failed, *failure says where (when not NULL), and no child is left, not even a zombie.
 * A child that is killed on its way to exec looks like a COMMAND that ended at once: process_wait
 * tells how.
 * See clone(2) "clone3", execve(2), close_range(2).
 */
int process_start(const struct process_spec *spec, struct process *process,
                  struct process_failure *failure);

/* Waits until `process` has ended and reaps it. A signal handler that runs meanwhile does not
 * end the wait. *status becomes what process_exit_status makes of it.
 * Returns 0, or -errno. See waitid(2), P_PIDFD. */
int process_wait(const struct process *process, int *status);

/* The exit status by the shell's rule: `code` and `status` are si_code and si_status of waitid(2).
 * A process that exited: its own status; one that a signal ended: 128 + the signal's number. */
int process_exit_status(int code, int status);

/* The exit status of a program whose process_start failed with `error` (-errno) at `stage`:
 * 127 when COMMAND was not found, 126 when it was found and could not be executed, else 125. */
int process_failure_status(enum process_stage stage, int error);

/* What identifies a namespace: the device and inode of /proc/PID/ns/NAME. namespaces(7) */
struct process_namespace {
    dev_t device;
    ino_t inode;
};

/* Which namespace of kind `name` ("uts", "mnt", "pid_for_children", …) `pid` is in.
 * Returns 0, or -errno: -ESRCH when there is no such process. */
int process_namespace(pid_t pid, const char *name, struct process_namespace *id);

/* A process, as /proc/PID/stat and /proc/PID/status describe it. proc(5) */
struct process_info {
    char name[64]; /* comm: may hold spaces, parentheses, anything                     */
    char state;    /* R, S, D, T, Z, …                                                 */
    pid_t parent;
    unsigned long long user_ticks; /* CPU time, in clock ticks: sysconf(_SC_CLK_TCK) a second */
    unsigned long long system_ticks;
    unsigned long threads;
    unsigned long resident_kib;      /* VmRSS; 0 for a kernel thread or a zombie              */
    uint64_t effective_capabilities; /* CapEff                                                */
    pid_t innermost_pid;             /* last of NSpid: its pid in its own PID namespace       */
};

/* Describes `pid`. Returns 0, or -errno: -ESRCH when there is no such process. */
int process_describe(pid_t pid, struct process_info *info);

/* Which processes share the namespace of kind `name` with `pid`: fills pids[0..max), in
 * ascending order. Processes that may not be looked at are left out.
 * Returns how many there are (possibly more than max), or -errno. */
int process_peers(pid_t pid, const char *name, pid_t *pids, size_t max);
