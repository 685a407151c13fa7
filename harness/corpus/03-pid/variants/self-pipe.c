/* Different: the self-pipe: handlers write the signal's number into a pipe of init's own, at which
 * it waits; the flags of clone(2) from a table. */
#include "03-pid/pid.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int notes[2];

static void note(int number)
{
    unsigned char byte = (unsigned char)number;
    int saved = errno;

    (void)!write(notes[1], &byte, 1);
    errno = saved;
}

int pid_namespaces(uint64_t *flags)
{
    static const uint64_t wanted[] = {CLONE_NEWNS, CLONE_NEWPID};

    for (unsigned i = 0; i < 2; i++)
        if ((*flags & wanted[i]) == 0)
            *flags += wanted[i];
    return 0;
}

int pid_mount_proc(const char *target)
{
    int result = mount("", "/", NULL, MS_PRIVATE | MS_REC, NULL);

    if (result == 0)
        result = mount("fresh", target, "proc", MS_NOSUID | MS_NOEXEC | MS_NODEV, NULL);
    return result == 0 ? 0 : -errno;
}

static void take_notes(pid_t command)
{
    unsigned char bytes[64];
    ssize_t got = read(notes[0], bytes, sizeof bytes);

    for (ssize_t i = 0; i < got; i++)
        if (bytes[i] != SIGCHLD)
            kill(command, bytes[i]);
}

static bool ended(pid_t command, int *status)
{
    bool found = false;

    for (;;) {
        siginfo_t info = {0};
        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG) < 0 || info.si_pid == 0)
            return found;
        if (info.si_pid == command) {
            *status = process_exit_status(info.si_code, info.si_status);
            found = true;
        }
    }
}

int pid_init(const struct process_spec *command)
{
    struct process process;
    sigset_t all, none;
    int status = 0;

    sigfillset(&all);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &all, NULL);
    int result = process_start(command, &process, NULL);
    if (result < 0)
        return result;
    syscall(SYS_close_range, 3U, ~0U, 0U);
    if (pipe2(notes, O_CLOEXEC | O_NONBLOCK) < 0)
        return -errno;
    for (int number = 1; number < NSIG; number++)
        sigaction(number, &(struct sigaction){.sa_handler = note}, NULL);
    sigprocmask(SIG_SETMASK, &none, NULL);

    while (!ended(process.pid, &status)) {
        struct pollfd waiting = {.fd = notes[0], .events = POLLIN};
        if (poll(&waiting, 1, -1) > 0)
            take_notes(process.pid);
    }
    _exit(status);
}

static int inner(const struct process *process, void *arg)
{
    (void)arg;
    return process != NULL ? pid_mount_proc("/proc") : -EINVAL;
}

int pid_nest(struct process_spec *command)
{
    static struct process_hook hooks[8];
    unsigned count = 0;

    /* Whatever hooks there are stay, ours comes last. */
    for (const struct process_hook *hook = command->child_hooks;
         hook != NULL && hook->run != NULL && count < 6; hook++)
        hooks[count++] = *hook;
    hooks[count++] = (struct process_hook){"inner", inner, NULL};
    hooks[count] = (struct process_hook){NULL, NULL, NULL};
    command->child_hooks = hooks;
    return pid_namespaces(&command->namespaces);
}
