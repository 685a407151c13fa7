/* Lab 10, step 2: threads that were there before the filter have it as well, or nobody has. */
#include "graders/10-seccomp.h"

#include <errno.h>
#include <string.h>

#include "grade/mounts.h"

/* COMMAND is executed by the last of `count` threads, and has the filters that this one had. */
static void check_threads(struct grade *g, struct run *room, int count)
{
    struct victim victims[VICTIMS];
    const char *const first[] = {"--seccomp-open", "--seccomp-allow-namespaces", "--threads",
                                 say(g, "%d", count), NULL};

    filter_draw(g, victims);
    struct run *run = filter_start(g, room, filter_refusing(g, victims, first));
    filter_check_loaded(room, run);
    filter_check_victims(room, run, victims, "not-refused", "");
}

/* COMMAND does not start; and the thread that loads has no filter either: it refuses write, so that
 * the news of the failure would not come through. */
static void check_all_or_none(struct grade *g, struct run *room, int count)
{
    const char *number = say(g, "%d", count);
    const char *const arguments[] = {"--seccomp-open",
                                     "--seccomp-allow-namespaces",
                                     "--threads",
                                     number,
                                     "--thread-filter",
                                     "--seccomp-deny",
                                     "write=EDOM",
                                     "--",
                                     "/strata/busybox",
                                     "true",
                                     NULL};
    const char *said;
    int status = outside_run(room, &(struct run_options){.arguments = arguments}, &said);
    const char *see = say(g, "lab10 --threads %d --thread-filter true; echo $?", count);

    expect(
        g, status == NOT_STARTED, .because = "some-threads",
        .expected = "when one thread cannot have the filter none has it, and the start ends: 125",
        .kernel = say(g, "exit status %d: COMMAND was started all the same", status), .see = see);
    expect(
        g, said[0] != '\0', .because = "kept-by-one",
        .expected = "when one thread cannot have the filter none has it: the news can be written",
        .kernel = "status 125 without a word: the thread that loads has it, and write is refused",
        .see = say(g, "lab10 --threads %d --thread-filter --seccomp-deny write true", count));
    expect(g, strstr(said, strerror(ECANCELED)) != NULL, .because = "wrong-error",
           .expected = say(g, "filter_load says ECANCELED (%s)", strerror(ECANCELED)),
           .kernel = "it says something else: the program's words are below", .see = see);
}

void filter_stepthreads(struct grade *g)
{
    struct run *room = outside_open(g, false);

    check_threads(g, room, 1);
    check_threads(g, room, grade_between(g, 3, 9));
    check_all_or_none(g, room, grade_between(g, 2, 5));
}
