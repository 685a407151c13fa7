#include "11-cgroup/given_freezer.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static const struct cgroup *frozen_group;
static const char *program_name;

static void *serve(void *arg)
{
    sigset_t *signals = arg;
    int number;

    while (sigwait(signals, &number) == 0) {
        int result = cgroup_freeze(frozen_group, number == SIGUSR1);
        if (result < 0)
            fprintf(stderr, "%s: cgroup_freeze: %s\n", program_name,
                    result == STRATA_TODO ? "not written yet" : strerror(-result));
    }
    return NULL;
}

int freezer_listen(const struct cgroup *group, const char *program)
{
    static sigset_t signals;
    pthread_t thread;

    frozen_group = group;
    program_name = program;
    sigemptyset(&signals);
    sigaddset(&signals, SIGUSR1);
    sigaddset(&signals, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    return -pthread_create(&thread, NULL, serve, &signals);
}
