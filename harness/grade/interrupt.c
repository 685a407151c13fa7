/* A stop that the user asks for: the signal sets a flag, and whoever waits looks at it. */
#include <signal.h>
#include <stddef.h>

#include "grade/grade.h"

static volatile sig_atomic_t asked;

static void ask(int number)
{
    asked = number;
}

/* SIGPIPE is caught rather than ignored: exec resets a handler to the default, but an ignored
 * signal would stay ignored in the student's program. signal(7) */
static void broken_pipe(int number)
{
    (void)number;
}

int grade_interrupted(void)
{
    return asked;
}

void grade_catch_interrupts(void)
{
    /* No SA_RESTART: a wait is to end. SA_RESETHAND: whoever insists is not kept waiting; the
     * sandbox's keeper cleans up behind us then. */
    struct sigaction stop = {.sa_handler = ask, .sa_flags = (int)SA_RESETHAND};
    struct sigaction pipe = {.sa_handler = broken_pipe};
    static const int stops[] = {SIGINT, SIGTERM, SIGHUP};

    sigemptyset(&stop.sa_mask);
    sigemptyset(&pipe.sa_mask);
    for (size_t i = 0; i < sizeof(stops) / sizeof(stops[0]); i++) {
        struct sigaction before;
        /* nohup(1) and background jobs of plain shells ignore them on purpose. */
        if (sigaction(stops[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
            sigaction(stops[i], &stop, NULL);
    }
    sigaction(SIGPIPE, &pipe, NULL);
}
