/* Verbs for control groups: what uses up processes, and CPU. */
#include "probe/verbs.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* forks MAX: children that stay, until the kernel refuses one. The reply: how many, and the error
 * (0 when MAX came to be). */
static void verb_forks(char *arguments, struct answer *answer)
{
    int max = atoi(arguments), count = 0, error = 0;

    while (count < max && error == 0) {
        pid_t child = fork();
        if (child == 0)
            for (;;)
                pause();
        if (child < 0)
            error = errno;
        else
            count++;
    }
    put(answer, "ok %d %d", count, error);
}

/* spin COUNT: children that use all the CPU they get; the reply names the last of them. */
static void verb_spin(char *arguments, struct answer *answer)
{
    pid_t child = 0;

    for (int i = 0; i < atoi(arguments) && child >= 0; i++) {
        child = fork();
        if (child == 0)
            for (volatile unsigned long count = 0;;)
                count++;
    }
    if (child < 0)
        put_result(answer, false);
    else
        put(answer, "ok %d", child);
}

/* pin CPU: from now on we, and whoever we start, run there only. */
static void verb_pin(char *arguments, struct answer *answer)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET((size_t)atoi(arguments), &set);
    put_result(answer, sched_setaffinity(0, sizeof set, &set) == 0);
}

/* bomb: a child that forks without end, and so do its children. They ignore what can be ignored. */
static void verb_bomb(char *arguments, struct answer *answer)
{
    (void)arguments;
    signal(SIGCHLD, SIG_IGN); /* nobody has to reap them */
    if (fork() == 0) {
        signal(SIGTERM, SIG_IGN);
        signal(SIGHUP, SIG_IGN);
        for (;;)
            if (fork() < 0)
                sched_yield(); /* no room for one more right now */
    }
    put_result(answer, true);
}

const struct verb verbs_of_groups[] = {
    {"forks", verb_forks}, {"spin", verb_spin}, {"pin", verb_pin}, {"bomb", verb_bomb}, {0}};
