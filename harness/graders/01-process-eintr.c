/* Lab 01, step 3: signal handlers run while the program waits, in each place where it does. */
#include "graders/01-process.h"

#include <signal.h>
#include <string.h>

#include "kernel/stat.h"

struct interruption {
    struct run *run;
    pid_t pid;
    int looks;
};

/* The handler has run (the signal no longer pends) and the process waits again, or has ended. */
static bool settled(void *arg)
{
    struct interruption *at = arg;
    struct kernel_status status;
    const uint64_t bit = (uint64_t)1 << (SIGWINCH - 1);

    if (run_ended(at->run) || kernel_status_read(at->pid, &status) < 0)
        return true;
    bool pends = ((status.sigpnd | status.shdpnd) & bit) != 0 && (status.sigblk & bit) == 0;
    char state = status.state;
    kernel_status_free(&status);
    if (state == 'Z' || state == 'X')
        return at->pid != run_program_pid(at->run); /* the program's own end is told in a moment */
    return !pends && (state != 'R' || ++at->looks > 100); /* a program that polls never sleeps */
}

static void interrupt(struct run *run, pid_t pid, int times)
{
    for (int i = 0; i < times && !run_ended(run); i++) {
        struct interruption at = {.run = run, .pid = pid};
        if (kill(pid, SIGWINCH) < 0)
            break;
        run_until(run, settled, &at);
    }
}

/* The caller's handler has to stay: a signal that is ignored meanwhile is lost to it. */
static void expect_handled(struct run *run)
{
    struct grade *g = run_grade(run);
    struct kernel_status status;

    if (kernel_status_read(run_program_pid(run), &status) < 0)
        return; /* what has ended is judged by its status */
    uint64_t ignored = status.sigign;
    kernel_status_free(&status);
    expect(g, (ignored & (uint64_t)1 << (SIGWINCH - 1)) == 0, .because = "ignored-instead",
           .expected = "the caller's signal handlers stay what they are during the wait",
           .kernel = say(g, "SIGWINCH is ignored now: SigIgn %016llx in /proc/%d/status",
                         (unsigned long long)ignored, run_program_pid(run)),
           .see = "lab01 sleep 9 & sleep 1; grep Sig /proc/$!/status");
}

static void expect_unmoved(struct run *run, const char *because, const char *what)
{
    struct grade *g = run_grade(run);
    bool ended = run_ended(run);

    expect(g, !ended, .because = because,
           .expected = say(g, "a signal handler that runs %s ends nothing", what),
           .kernel = say(g, "your program ended with status %d after SIGWINCH",
                         ended ? run_exit_status(run) : 0),
           .see = "lab01 sleep 9 & sleep 1; kill -WINCH $!; wait $!; echo $?");
}

struct release {
    struct run *run, *helper;
    const char *fifo;
};

/* Opens the FIFO, no more: the hook does not read. With nobody at its other end that is refused. */
static bool released(void *arg)
{
    struct release *release = arg;

    return strcmp(run_ask(release->helper, "write %s", release->fifo), "ok") == 0 ||
           run_ended(release->run);
}

struct going_on {
    struct run *run;
    pid_t child;
    char before[KERNEL_COMM_MAX]; /* its name as long as it has not executed COMMAND */
};

/* The child has executed COMMAND; or it is no more, and then the program ends. */
static bool went_on(void *arg)
{
    struct going_on *at = arg;
    struct kernel_stat stat;

    return run_ended(at->run) || (kernel_stat_read(at->child, &stat) == 0 && stat.state != 'Z' &&
                                  strcmp(stat.comm, at->before) != 0);
}

void process_step_eintr(struct grade *g)
{
    struct process_family family;

    /* While COMMAND runs. A stop and a continuation wake the sleeper as well. */
    struct run *run = run_start(g, &(struct run_options){0});
    run_payload(run);
    interrupt(run, run_program_pid(run), grade_between(g, 8, 16));
    expect_unmoved(run, "wait-interrupted", "while your program waits for COMMAND");
    kill(run_program_pid(run), SIGSTOP);
    kill(run_program_pid(run), SIGCONT);
    interrupt(run, run_program_pid(run), 2);
    expect_handled(run);
    expect_unmoved(run, "wait-interrupted", "while your program waits for COMMAND");
    process_check_end(run, grade_between(g, 1, 255));

    /* While the child is still on its way to exec, and the parent waits for its news. */
    struct run *helper = process_helper(g, NULL);
    const char *fifo = say(g, "/tmp/%s", grade_word(g, 6));
    run = process_start_held(helper, "child", fifo, &family);
    interrupt(run, run_program_pid(run), grade_between(g, 4, 8));
    expect_unmoved(run, "start-interrupted", "while the parent waits for exec");
    struct kernel_stat stat = {0};
    struct going_on going_on = {.run = run, .child = family.child};
    if (kernel_stat_read(family.child, &stat) == 0)
        memcpy(going_on.before, stat.comm, sizeof stat.comm);
    run_until(run, released, &(struct release){run, helper, fifo});
    run_until(run, went_on, &going_on);
    expect_unmoved(run, "start-interrupted", "while the parent waits for exec");
    process_check_end(run, grade_between(g, 1, 255));

    /* While the child waits for the parent's go-ahead. */
    fifo = say(g, "/tmp/%s", grade_word(g, 6));
    run = process_start_held(helper, "parent", fifo, &family);
    interrupt(run, family.child, grade_between(g, 4, 8));
    bool alive = kernel_stat_read(family.child, &stat) == 0 && stat.state != 'Z';
    expect(g, alive, .because = "child-interrupted",
           .expected = "a signal handler that runs while the child waits ends nothing",
           .kernel = say(g, "the child, process %d, has ended after SIGWINCH", family.child),
           .see = "mkfifo f; lab01 --hold parent:f true & sleep 1; kill -WINCH the child; ps f");
    run_until(run, released, &(struct release){run, helper, fifo});
    process_check_end(run, grade_between(g, 1, 255));
}
