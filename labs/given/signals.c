#include "given/signals.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct container *running;
static volatile sig_atomic_t asked, undelivered;

static void send_on(int number)
{
    syscall(SYS_pidfd_send_signal, running->process.pidfd, number, NULL, 0);
}

static void on_end_signal(int number, siginfo_t *info, void *context)
{
    int error = errno;

    (void)context;
    if (running->process.pidfd < 0)
        undelivered = number;
    else if (asked > 0)
        send_on(SIGKILL);
    else if (info->si_code != SI_KERNEL)
        send_on(number);
    asked++;
    errno = error;
}

/* What is ignored already (nohup) stays ignored. */
void signals_pass_on(const struct container *container)
{
    static const int numbers[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};
    struct sigaction action = {.sa_sigaction = on_end_signal, .sa_flags = SA_SIGINFO}, old;

    running = container;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (sigaction(numbers[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            sigaction(numbers[i], &action, NULL);
}

void signals_catch_up(void)
{
    if (undelivered != 0)
        send_on(SIGKILL);
}
