/* What the probe does about signals, and for an init to do. */
#include "probe/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t came[NSIG];
static bool releasing;
static int gate = -1; /* write end of the pipe at which orphans wait for its end */

static void count_signal(int number)
{
    came[number]++;
}

void probe_tally(void)
{
    struct sigaction action = {.sa_handler = count_signal, .sa_flags = SA_RESTART};

    for (int number = 1; number < NSIG; number++) {
        came[number] = 0;
        sigaction(number, &action, NULL); /* KILL, STOP and libc's own two refuse */
    }
}

int probe_tallied(int number)
{
    return came[number];
}

static _Noreturn void wait_at_gate(int end, int status)
{
    char byte;

    close(gate);
    while (read(end, &byte, 1) < 0 && errno == EINTR)
        ;
    _exit(status);
}

int probe_orphans(int count, int status)
{
    int ends[2], result = 0;

    if (gate >= 0)
        return -EBUSY;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    gate = ends[1];
    pid_t between = fork();
    if (between == 0) {
        for (int i = 0; i < count; i++) {
            pid_t pid = fork();
            if (pid == 0)
                wait_at_gate(ends[0], status);
            if (pid < 0)
                _exit(1);
        }
        _exit(0);
    }
    close(ends[0]);
    if (between < 0)
        return -errno;
    while (waitpid(between, &result, 0) < 0 && errno == EINTR)
        ;
    return result == 0 ? 0 : -EAGAIN;
}

void probe_release(void)
{
    releasing = true;
}

void probe_after_reply(void)
{
    if (!releasing)
        return;
    releasing = false;
    if (gate >= 0)
        close(gate);
    gate = -1;
}
