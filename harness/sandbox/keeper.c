#include "sandbox/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/inside.h"
#include "kernel/tree.h"
#include "sandbox/limits.h"
#include "sandbox/message.h"
#include "sandbox/watch.h"

enum {
    KEEPER_HARNESS = 3, /* where keep_fds puts what a keeper holds */
    KEEPER_CONTROL,
    KEEPER_LIFELINE,
    KEEPER_PROGRAM,
    KEEPER_OUR_LIFE,
    KEEPER_FDS,
};

enum { WATCH_MS = 50 };

/* Lets go of everything that the harness had open: a keeper that held its terminal or its pipes
 * would keep the harness's own readers waiting. */
static int keep_fds(const struct keeper_job *job)
{
    const int wanted[] = {job->harness, job->control, job->lifeline[0], job->program,
                          job->lifeline[1]};
    int copies[KEEPER_FDS - KEEPER_HARNESS];

    /* First copies that lie above all places, so that none is overwritten before its turn. */
    for (int i = 0; i < KEEPER_FDS - KEEPER_HARNESS; i++)
        if ((copies[i] = fcntl(wanted[i], F_DUPFD_CLOEXEC, KEEPER_FDS)) < 0)
            return -errno;
    for (int i = 0; i < KEEPER_FDS - KEEPER_HARNESS; i++)
        if (dup3(copies[i], KEEPER_HARNESS + i, O_CLOEXEC) < 0)
            return -errno;
    close_range(KEEPER_FDS, ~0U, 0);
    for (int i = 0; i < KEEPER_HARNESS; i++) {
        close(i);
        if (open("/dev/null", O_RDWR) != i)
            return -EBADF;
    }
    return 0;
}

/* The sandbox's PID 1 until it executes its own program. */
static _Noreturn void become_outer(const struct keeper_job *job, int go)
{
    char ids[16], processes[16], byte;
    char *argv[] = {"sandbox", ids, processes, job->options->address_sanitizer ? "1" : "0", NULL};
    char *envp[] = {NULL};

    if (read(go, &byte, 1) != 1)
        _exit(1);
    /* Root of the new user namespace: exec keeps capabilities only for a mapped uid 0. Without
     * more than one id there are no groups to drop, and dropping is denied. */
    if ((job->ids.count > 1 && setgroups(0, NULL) < 0) || setresgid(0, 0, 0) < 0 ||
        setresuid(0, 0, 0) < 0 || unshare(CLONE_NEWCGROUP) < 0)
        _exit(1);
    /* Keys are in no namespace: who has the caller's session keyring may read what is in it
     * (keyrings(7)). An empty one in its place; a kernel that has none (ENOSYS), or a filter that
     * forbids the call to everybody in here (EPERM), leaves nothing to hide. */
    if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 && errno != ENOSYS &&
        errno != EPERM)
        _exit(1);
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a help only; the lifeline is what counts */
    snprintf(ids, sizeof ids, "%u", job->ids.count);
    snprintf(processes, sizeof processes, "%u",
             job->options->processes != 0 ? job->options->processes : 400);

    int program = fcntl(KEEPER_PROGRAM, F_DUPFD_CLOEXEC, 10);
    int control = fcntl(KEEPER_CONTROL, F_DUPFD_CLOEXEC, 10);
    int lifeline = fcntl(KEEPER_LIFELINE, F_DUPFD_CLOEXEC, 10);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (program < 0 || dup2(control, 3) < 0 || dup2(lifeline, 4) < 0 ||
        close_range(5, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
        _exit(1);
    syscall(SYS_execveat, program, "", argv, envp, AT_EMPTY_PATH);
    message_fail(3, -errno, "cannot execute the sandbox's program: %s", strerror(errno));
    _exit(1);
}

static const char *clone_advice(int error)
{
    switch (error) {
    case -EPERM:
    case -EACCES:
        return "user namespaces are not allowed here; `make doctor` knows the cure";
    case -ENOSPC:
    case -EUSERS:
        return "no more user namespaces are allowed (user.max_user_namespaces); see `make doctor`";
    case -EINVAL:
    case -ENOSYS:
        return "this kernel has no user namespaces (CONFIG_USER_NS) or no clone3; see `make "
               "doctor`";
    default:
        return strerror(-error);
    }
}

/* Returns its pid, or -errno after the harness was told. */
static pid_t start_outer(const struct keeper_job *job, struct limits *limits, int *pidfd)
{
    int go[2];

    if (pipe2(go, O_CLOEXEC) < 0) {
        int error = -errno;
        message_fail(KEEPER_HARNESS, error, "cannot make a pipe: %s", strerror(-error));
        return error;
    }
    struct clone_args args = {
        .flags = CLONE_PIDFD | CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS |
                 CLONE_NEWIPC | CLONE_NEWNET,
        .pidfd = (uint64_t)(uintptr_t)pidfd,
        .exit_signal = SIGCHLD,
    };
    pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof args);
    int result = pid < 0 ? -errno : 0;
    if (pid == 0) {
        close(go[1]);
        become_outer(job, go[0]);
    }
    close(go[0]);
    if (result < 0) {
        message_blame(KEEPER_HARNESS, BLAME_MACHINE, result, "cannot make the sandbox: %s",
                      clone_advice(result));
    } else if ((result = ids_apply(pid, &job->ids)) < 0) {
        message_blame(KEEPER_HARNESS, BLAME_MACHINE, result, "cannot map ids into the sandbox: %s",
                      clone_advice(result));
    } else {
        limits_add(limits, pid);
        if (write(go[1], "", 1) != 1) {
            result = -errno;
            message_fail(KEEPER_HARNESS, result, "the sandbox ended before it began");
        }
    }
    close(go[1]);
    return result < 0 ? result : pid;
}

/* How much the sandbox uses in bytes, measured from inside of its user namespace: nothing in there
 * is hidden from a member with all capabilities, subordinate ids or not. */
static uint64_t measure(pid_t pid, int pidfd, struct watch *watch)
{
    uint64_t used = 0;
    char *bytes = NULL;
    size_t length = 0;

    watch->pid = pid;
    if (kernel_inside(pidfd, pid, CLONE_NEWUSER, watch_report, watch, &bytes, &length) == 0 &&
        length == sizeof used)
        memcpy(&used, bytes, sizeof used);
    free(bytes);
    return used;
}

/* The room's own PID 1 is not counted: the number is for the student. */
static size_t count_below(pid_t pid)
{
    struct kernel_pids pids = {0};

    kernel_descendants(pid, &pids);
    size_t count = pids.count > 0 ? pids.count - 1 : 0;
    kernel_pids_free(&pids);
    return count;
}

/* Tells the harness when the sandbox has used too much; true if so. Where a control group counts,
 * the kernel has stopped it by then; elsewhere we count. */
static bool used_too_much(const struct keeper_job *job, const struct limits *limits,
                          struct watch *watch, pid_t pid, int pidfd)
{
    unsigned long long allowed =
        job->options->memory != 0 ? job->options->memory : (uint64_t)SANDBOX_MEMORY_MIB << 20;

    if (limits->memory) {
        if (!limits_ran_out(limits))
            return false;
        message_blame(KEEPER_HARNESS, BLAME_PROGRAM, -ENOMEM,
                      "it used all of the %llu MiB of memory that are allowed (%zu processes)",
                      allowed >> 20, count_below(pid));
        return true;
    }
    unsigned long long used = measure(pid, pidfd, watch);
    if (used > allowed) {
        message_blame(KEEPER_HARNESS, BLAME_PROGRAM, -ENOMEM,
                      "it used %llu MiB of memory in all (%zu processes); %llu MiB are allowed",
                      used >> 20, count_below(pid), allowed >> 20);
        return true;
    }
    if (watch_machine_is_full()) {
        message_blame(KEEPER_HARNESS, BLAME_US, -ENOMEM,
                      "the machine has hardly any memory left (MemAvailable in /proc/meminfo)");
        return true;
    }
    return false;
}

/* Waits until either end is gone, or the sandbox uses too much. */
static void watch_over(const struct keeper_job *job, const struct limits *limits, pid_t pid,
                       int pidfd)
{
    struct watch watch;

    watch_begin(&watch);
    for (;;) {
        struct pollfd fds[2] = {{KEEPER_HARNESS, POLLIN, 0}, {pidfd, POLLIN, 0}};
        if (poll(fds, 2, WATCH_MS) < 0)
            continue;
        if (fds[0].revents != 0 || fds[1].revents != 0)
            return;
        if (used_too_much(job, limits, &watch, pid, pidfd))
            return;
    }
}

/* Returns when the last process of its PID namespaces is gone. What a student has frozen in a v1
 * group has to be thawed to die. */
static void await_end(const struct keeper_job *job, int pidfd)
{
    struct pollfd end = {pidfd, POLLIN, 0};
    siginfo_t info;

    while (job->options->cgroups && poll(&end, 1, WATCH_MS) <= 0)
        limits_thaw(job->run);
    while (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED) < 0 && errno == EINTR)
        ;
}

_Noreturn void keeper_run(const struct keeper_job *job)
{
    static const int deaf[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE};
    struct limits limits;
    int pidfd = -1;

    setsid();
    for (size_t i = 0; i < sizeof deaf / sizeof *deaf; i++)
        signal(deaf[i], SIG_IGN);
    signal(SIGCHLD, SIG_DFL); /* whatever the harness made of it: our children are ours to reap */
    if (keep_fds(job) < 0 || chdir("/") < 0)
        _exit(1);
    limits_make(&limits, job->run, job->options);
    pid_t pid = start_outer(job, &limits, &pidfd);
    close(KEEPER_CONTROL);
    close(KEEPER_LIFELINE); /* KEEPER_OUR_LIFE stays: it is what ties the sandbox to us */
    close(KEEPER_PROGRAM);
    if (pid > 0) {
        message_note(KEEPER_HARNESS, MESSAGE_READY, pidfd, 0, 0, 0);
        watch_over(job, &limits, pid, pidfd);
    }
    if (pidfd >= 0) {
        syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
        await_end(job, pidfd);
    }
    limits_remove(&limits);
    _exit(0);
}
