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
    /* TODO(step 1): which flag of clone(2) begins a new numbering of processes? Note whom it is
     *               for: the process that clone makes, or the one that calls it? (And what would
     *               unshare(2) say to that?)
     */
    (void)flags;
    /* TODO(step 2): a /proc of its own is a mount of its own. Which flag keeps it from everybody
     *               else?
     */
    return 0;
}

int pid_mount_proc(const char *target)
{
    /* TODO(step 2): a new mount namespace begins as a copy whose mounts still pass on to their
     *               originals what happens below them. Sever that for the whole tree first, then
     *               mount: mount(2), "Changing the propagation type of an existing mount". Whose
     *               processes does a proc show that is mounted here and now? pid_namespaces(7).
     */
    (void)target;
    return STRATA_TODO;
}

/* --- init ----------------------------------------------------------------------------------- */

/* Fills `signals` with those that wake init up. They are to be blocked, which does not drop them:
 * each stays pending until sigwaitinfo takes it, so none can slip in between a look and a wait. */
static void signals_of_init(sigset_t *signals)
{
    sigemptyset(signals);
    sigaddset(signals, SIGCHLD);
    /* TODO(step 4): the kernel drops every signal to PID 1 that it neither handles nor blocks.
     *               Which ones should a container's init not let go by? sigsetops(3)
     */
}

/* Starts COMMAND, with the signals of init blocked from before it lives, and lets go of all fds
 * that are not for it. */
static int start_command(const struct process_spec *command, const sigset_t *signals, pid_t *pid)
{
    /* TODO(step 3): block the signals (sigprocmask(2)): why before COMMAND is started, and why does
     *               COMMAND itself not begin with them blocked? Then process_start; when it fails,
     *               its error is ours. Then close all fds from 3 up: close_range(2). Among them is
     *               the pipe by which our parent learns that COMMAND runs: why not any sooner?
     */
    (void)command;
    (void)signals;
    (void)pid;
    return STRATA_TODO;
}

/* Reaps every child that has ended, ours or inherited. Returns true, with *end filled in, when
 * COMMAND was among them. */
static bool reap_ended(pid_t command, siginfo_t *end)
{
    /* TODO(step 3): waitid(2) for any child, again and again, until none is left that has ended:
     *               several may end and leave a single SIGCHLD behind, signal(7). It must not wait
     *               for those that still run (which flag?); how does it then tell "none"?
     */
    (void)command;
    (void)end;
    return true;
}

/* Passes on to COMMAND a signal that init was sent. */
static void forward(pid_t command, const siginfo_t *sent)
{
    /* TODO(step 4): kill(2). One kind may be left out: the terminal sends its signals (Ctrl-C) to a
     *               whole process group. Who else is in ours? See si_code in sigaction(2).
     */
    (void)command;
    (void)sent;
}

/* With what status init ends, now that COMMAND has ended like this. */
static int status_of(const siginfo_t *end)
{
    /* TODO(step 5): whoever waits for the container sees only its PID 1 end. What should that be if
     *               COMMAND exited with 7? And if a signal ended it? You have written the function.
     */
    (void)end;
    return 0;
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

int pid_nest(struct process_spec *command)
{
    /* TODO(step 6): the flags are those of steps 1 and 2. Fresh flags alone leave the old /proc in
     *               place; who must mount the new one, and when? process.h knows of functions that
     *               the new process calls before it becomes COMMAND. What you hand over must still
     *               be there when this function has returned.
     */
    (void)command;
    return STRATA_TODO;
}
