/* Lab 03: PID 1 and its duties. The contract is pid.h. */
#include "03-pid/pid.h"

#include <errno.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

int pid_namespaces(uint64_t *flags)
{
    /* BEGIN SOLUTION step 1 replace: (void)flags;
     * TODO(step 1): which flag of clone(2) begins a new numbering of processes? Note whom it is
     *               for: the process that clone makes, or the one that calls it? (And what would
     *               unshare(2) say to that?)
     */
    *flags |= CLONE_NEWPID;
    /* END SOLUTION */
    /* BEGIN SOLUTION step 2
     * TODO(step 2): a /proc of its own is a mount of its own. Which flag keeps it from everybody
     *               else?
     */
    *flags |= CLONE_NEWNS;
    /* END SOLUTION */
    return 0;
}

int pid_mount_proc(const char *target)
{
    /* BEGIN SOLUTION step 2
     * TODO(step 2): a new mount namespace begins as a copy whose mounts still pass on to their
     *               originals what happens below them. Sever that for the whole tree first, then
     *               mount: mount(2), "Changing the propagation type of an existing mount". Whose
     *               processes does a proc show that is mounted here and now? pid_namespaces(7).
     */
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return -errno;
    if (mount("proc", target, "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
        return -errno;
    return 0;
    /* END SOLUTION */
}

/* --- init ----------------------------------------------------------------------------------- */

/* Fills `signals` with those that wake init up. They are to be blocked, which does not drop them:
 * each stays pending until sigwaitinfo takes it, so none can slip in between a look and a wait. */
static void signals_of_init(sigset_t *signals)
{
    sigemptyset(signals);
    sigaddset(signals, SIGCHLD);
    /* BEGIN SOLUTION step 4
     * TODO(step 4): the kernel drops every signal to PID 1 that it neither handles nor blocks.
     *               Which ones should a container's init not let go by? sigsetops(3)
     */
    /* Also SIGSEGV and the like: one that somebody sends is forwarded. A fault of our own does not
     * wait for us: the kernel ends a process that faults while that signal is blocked. */
    sigfillset(signals);
    /* END SOLUTION */
}

/* Starts COMMAND, with the signals of init blocked from before it lives, and lets go of all fds
 * that are not for it. */
static int start_command(const struct process_spec *command, const sigset_t *signals, pid_t *pid)
{
    /* BEGIN SOLUTION step 3
     * TODO(step 3): block the signals (sigprocmask(2)): why before COMMAND is started, and why does
     *               COMMAND itself not begin with them blocked? Then process_start; when it fails,
     *               its error is ours. Then close all fds from 3 up: close_range(2). Among them is
     *               the pipe by which our parent learns that COMMAND runs: why not any sooner?
     */
    struct process process;

    if (sigprocmask(SIG_BLOCK, signals, NULL) < 0)
        return -errno;
    int result = process_start(command, &process, NULL);
    if (result < 0)
        return result;
    /* The pidfd goes too. The pid is as good here: nobody but us reaps it, so that it cannot become
     * another's before we know. */
    *pid = process.pid;
    return close_range(3, ~0U, 0) < 0 ? -errno : 0;
    /* END SOLUTION */
}

/* Reaps every child that has ended, ours or inherited. Returns true, with *end filled in, when
 * COMMAND was among them. */
static bool reap_ended(pid_t command, siginfo_t *end)
{
    /* BEGIN SOLUTION step 3 return true
     * TODO(step 3): waitid(2) for any child, again and again, until none is left that has ended:
     *               several may end and leave a single SIGCHLD behind, signal(7). It must not wait
     *               for those that still run (which flag?); how does it then tell "none"?
     */
    bool ended = false;
    siginfo_t info = {0};

    while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG) == 0 && info.si_pid != 0) {
        if (info.si_pid == command) {
            *end = info;
            ended = true;
        }
        info.si_pid = 0;
    }
    return ended;
    /* END SOLUTION */
}

/* Passes on to COMMAND a signal that init was sent. */
static void forward(pid_t command, const siginfo_t *sent)
{
    /* BEGIN SOLUTION step 4
     * TODO(step 4): kill(2). One kind may be left out: the terminal sends its signals (Ctrl-C) to a
     *               whole process group. Who else is in ours? See si_code in sigaction(2).
     */
    if (sent->si_code == SI_KERNEL && getpgid(command) == getpgrp())
        return; /* the terminal's: COMMAND has had it, and would take a second for impatience */
    kill(command, sent->si_signo);
    /* END SOLUTION */
}

/* With what status init ends, now that COMMAND has ended like this. */
static int status_of(const siginfo_t *end)
{
    /* BEGIN SOLUTION step 5 return 0
     * TODO(step 5): whoever waits for the container sees only its PID 1 end. What should that be if
     *               COMMAND exited with 7? And if a signal ended it? You have written the function.
     */
    return process_exit_status(end->si_code, end->si_status);
    /* END SOLUTION */
}

int pid_init(const struct process_spec *command)
{
    sigset_t signals;
    siginfo_t sent, end = {0};
    pid_t pid = -1;

    signals_of_init(&signals);
    int result = start_command(command, &signals, &pid);
    if (result < 0)
        return result;

    /* Look first, then wait: a child may have ended before we came here. */
    while (!reap_ended(pid, &end))
        if (sigwaitinfo(&signals, &sent) > 0 && sent.si_signo != SIGCHLD)
            forward(pid, &sent);

    /* The kernel now kills whoever is left in the namespace, and waits until they are gone. */
    _exit(status_of(&end));
}

/* --- one level further in ------------------------------------------------------------------- */

/* BEGIN SOLUTION step 6 helper */
/* Runs in the inner PID 1, when the container's root is the root already. */
static int mount_inner_proc(const struct process *process, void *arg)
{
    (void)process;
    (void)arg;
    return pid_mount_proc("/proc");
}
/* END SOLUTION */

int pid_nest(struct process_spec *command)
{
    /* BEGIN SOLUTION step 6
     * TODO(step 6): the flags are those of steps 1 and 2. Fresh flags alone leave the old /proc in
     *               place; who must mount the new one, and when? process.h knows of functions that
     *               the new process calls before it becomes COMMAND. What you hand over must still
     *               be there when this function has returned.
     */
    static const struct process_hook hooks[] = {{"mount_inner_proc", mount_inner_proc, NULL}, {0}};

    command->child_hooks = hooks;
    return pid_namespaces(&command->namespaces);
    /* END SOLUTION */
}
