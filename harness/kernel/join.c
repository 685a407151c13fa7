/* The child's side of kernel_inside(): it protects itself, joins the namespaces, and runs fn.
 * inside.h says why it may go among strangers. */
#include "kernel/collect.h"
#include "kernel/file.h"
#include "kernel/inside.h"
#include "kernel/namespace.h"
#include "kernel/own.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* Closes every fd from 3 up that is not in keep[]; -1 entries are no fds. */
static void close_others(const int keep[], size_t count)
{
    unsigned from = 3;

    for (;;) {
        int next = -1;

        for (size_t i = 0; i < count; i++)
            if (keep[i] >= (int)from && (next < 0 || keep[i] < next))
                next = keep[i];
        if (next < 0)
            break;
        if ((unsigned)next > from)
            syscall(SYS_close_range, from, (unsigned)next - 1, 0);
        from = (unsigned)next + 1;
    }
    syscall(SYS_close_range, from, ~0U, 0);
}

/* Our handlers must not run in the child, and a blocked signal would block its end, too. */
static void reset_signals(void)
{
    sigset_t none;

    for (int signo = 1; signo < NSIG; signo++)
        signal(signo, SIG_DFL);
    signal(SIGPIPE, SIG_IGN); /* a reader that gave up is seen as EPIPE */
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Neither traced by anybody nor left alone: done again after every change of credentials, for the
 * kernel clears the death signal then (kernel/cred.c, commit_creds). `parent` is a pidfd of the
 * process whose end shall be ours: getppid() would be 0 for a parent in another pid namespace.
 * The alarm goes off by itself soon after the deadline, whoever else is gone by then. */
static void protect(int parent, int milliseconds)
{
    struct pollfd gone = {.fd = parent, .events = POLLIN};

    prctl(PR_SET_DUMPABLE, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (poll(&gone, 1, 0) != 0)
        _exit(1);
    alarm((unsigned)(milliseconds / 1000) + 2);
}

/* Those of the flags whose namespace is another one than ours: for one that we share there is
 * nothing to do, and it could fail (a user namespace cannot be joined twice, and one that belongs
 * to the host cannot be joined from within a user namespace). */
static int differing(const struct kernel_task *task, unsigned *flags)
{
    unsigned known = 0;

    *flags = 0;
    for (enum kernel_ns_kind kind = 0; kind < KERNEL_NS_KINDS; kind++) {
        struct kernel_ns_id ours, theirs;
        int error;

        known |= kernel_ns_flag(kind);
        if (!(task->namespaces & kernel_ns_flag(kind)))
            continue;
        error = kernel_ns(task->pid, kernel_ns_name(kind), &theirs);
        if (!error)
            error = kernel_ns(getpid(), kernel_ns_name(kind), &ours);
        if (error)
            return error;
        if (!kernel_ns_equal(ours, theirs))
            *flags |= kernel_ns_flag(kind);
    }
    return task->namespaces & ~known ? -EINVAL : 0;
}

/* All in one call if possible: the kernel takes the user namespace first and checks every right
 * against it, and a target in mid-exec is judged once. Who has too few powers of its own for that
 * (CAP_SYS_CHROOT, say) gets them all by joining the user namespace by itself. */
static int join(int pidfd, unsigned flags)
{
    if (flags == 0 || setns(pidfd, (int)flags) == 0)
        return 0;
    if (errno != EPERM || !(flags & CLONE_NEWUSER) || flags == CLONE_NEWUSER)
        return -errno;
    if (setns(pidfd, CLONE_NEWUSER) < 0 ||
        setns(pidfd, (int)(flags & ~(unsigned)CLONE_NEWUSER)) < 0)
        return -errno;
    return 0;
}

/* setns(2) gives the root of the mount namespace; a process that went on to chroot has another. */
static int enter_root(int root)
{
    return fchdir(root) < 0 || chroot(".") < 0 ? -errno : 0;
}

static int join_all(const struct kernel_task *task, unsigned *joined)
{
    autoclose int root = -1;
    int error = differing(task, joined);

    if (error)
        return error;
    if (task->namespaces & CLONE_NEWNS) {
        autoclose int proc = kernel_proc_open(task->pid);

        root = proc < 0 ? -1 : openat(proc, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (root < 0)
            return proc < 0 ? proc : kernel_proc_error(proc, -errno);
    }
    /* Everything so far went by number. It was the right process if that is still alive now. */
    if (pidfd_send_signal(task->pidfd, 0, NULL, 0) < 0 && errno == ESRCH)
        return -ESRCH;
    error = join(task->pidfd, *joined);
    return error || root < 0 ? error : enter_root(root);
}

static void report(const struct kernel_task *task, int error)
{
    kernel_write_all(task->result, &error, sizeof(error));
}

/* In the new pid namespace: a member of it at last. */
__attribute__((noreturn)) static void run_member(const struct kernel_task *task, int parent)
{
    protect(parent, task->milliseconds);
    close(parent);
    report(task, task->fn(task->arg, task->out));
    _exit(0);
}

/* setns(2) moves no process into a pid namespace, only its later children. The one between waits,
 * keeps the deadline, and leaves nobody behind in there. */
static void run_below(const struct kernel_task *task)
{
    autoclose int self = pidfd_open(getpid(), 0);
    autoclose int member = -1;
    struct pollfd ended = {.events = POLLIN};
    pid_t pid;

    if (self < 0 || (pid = fork()) < 0) {
        report(task, -errno);
        return;
    }
    if (pid == 0)
        run_member(task, self);
    close(task->out); /* the parent waits for the end of the text */
    member = pidfd_open(pid, 0);
    ended.fd = member;
    if (member < 0 || poll(&ended, 1, task->milliseconds) <= 0)
        kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

void kernel_task_run(const struct kernel_task *task, int parent)
{
    const int keep[] = {task->pidfd, task->keep, task->out, task->result, parent};
    unsigned joined = 0;
    int error;

    reset_signals();
    close_others(keep, sizeof(keep) / sizeof(keep[0]));
    protect(parent, task->milliseconds);
    error = join_all(task, &joined);
    protect(parent, task->milliseconds);
    close(parent);
    close(task->pidfd);
    if (error)
        report(task, error);
    else if (joined & CLONE_NEWPID)
        run_below(task);
    else
        report(task, task->fn(task->arg, task->out));
    _exit(0);
}
