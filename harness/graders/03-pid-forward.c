/* Lab 03, step 4: signals to init reach COMMAND. */
#include "graders/03-pid.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/tree.h"

/* How often COMMAND has counted this signal. */
static int times(struct run *run, int number)
{
    const char *reply = run_ask(run, "tallied");
    const char *entry = strstr(reply, say(run_grade(run), " %d:", number));

    return entry != NULL ? atoi(strchr(entry, ':') + 1) : 0;
}

static bool all_came(struct settling *settling)
{
    if (run_ended(settling->run))
        return true;
    const char *reply = run_ask(settling->run, "tallied");
    for (int number = 1; number < NSIG; number++)
        if ((settling->mask & pid_bit(number)) != 0 &&
            strstr(reply, say(run_grade(settling->run), " %d:", number)) == NULL)
            return false;
    return true;
}

static void check_alive(struct run *run)
{
    expect(run_grade(run), !run_ended(run), .because = "program-gone",
           .expected = "a signal to init goes to COMMAND, and to nobody else",
           .kernel = "the program above init has ended",
           .see = "kill(2): what do 0, -1 and -PID mean?");
}

/* Sends all of `mask` to init; COMMAND, which counts, gets each once. */
static void check_forwarded(struct run *run, const struct init *init, uint64_t mask)
{
    struct grade *g = run_grade(run);
    struct settling settling = {.run = run,
                                .holds = all_came,
                                .init = init->pid,
                                .command = run_payload(run)->pid,
                                .mask = mask};
    const char *missing = "";
    int first = 0, lacking = 0, sent = 0, doubled = 0;

    pid_send_signals(run, init->pid, mask);
    bool came = pid_settle(&settling);
    check_alive(run);
    for (int number = 1; number < NSIG; number++) {
        if ((mask & pid_bit(number)) == 0)
            continue;
        int count = times(run, number);
        sent++;
        if (count > 1)
            doubled = number;
        if (count == 0) {
            first = first != 0 ? first : number;
            if (++lacking <= 6)
                missing = say(g, "%s %s", missing, pid_signal_name(g, number));
        }
    }
    expect(g, came, .because = lacking == sent ? "deaf" : "some-signals",
           .expected = say(g, "each of %d signals sent to init (process %d) reaches COMMAND", sent,
                           init->pid),
           .kernel = lacking == sent ? "COMMAND caught none of them"
                                     : say(g, "COMMAND did not catch %d:%s%s", lacking, missing,
                                           lacking > 6 ? " …" : ""),
           .see = say(g, "lab03 --init sleep 60; then kill -%d its PID 1 from outside", first));
    expect(g, doubled == 0, .because = "twice",
           .expected =
               say(g, "%s, sent to init once, reaches COMMAND once", pid_signal_name(g, doubled)),
           .kernel = "COMMAND caught it more than once", .see = "strace -f of your init");
}

/* Signals come one by one, more than once, and from inside too. */
static void check_again(struct run *run, const struct init *init)
{
    static const int numbers[] = {SIGTERM, SIGTERM, SIGUSR2, SIGHUP};
    struct grade *g = run_grade(run);

    for (int inside = 0; inside < 2; inside++) {
        for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
            run_ask(run, "tally");
            if (inside == 0) {
                check_forwarded(run, init, pid_bit(numbers[i]));
                continue;
            }
            run_ask(run, "kill 1 %d", numbers[i]);
            struct settling settling = {.run = run,
                                        .holds = all_came,
                                        .init = init->pid,
                                        .command = run_payload(run)->pid,
                                        .mask = pid_bit(numbers[i])};
            bool came = pid_settle(&settling) && !run_ended(run);
            expect(g, came, .because = "from-inside",
                   .expected = say(g, "%s that COMMAND sends to PID 1 comes back to it",
                                   pid_signal_name(g, numbers[i])),
                   .kernel = "COMMAND did not catch it", .see = "kill -TERM 1, as COMMAND");
        }
    }
}

/* The kernel's own SIGCHLD is for init: an orphan's end is no news for COMMAND. */
static void check_not_forwarded(struct run *run, const struct init *init)
{
    struct grade *g = run_grade(run);
    size_t zombies, before = pid_count_children(init->pid, &zombies);
    struct settling settling = {.run = run,
                                .holds = pid_children_are,
                                .init = init->pid,
                                .command = run_payload(run)->pid,
                                .children = before};

    run_ask(run, "tally");
    run_ask(run, "orphans 1 0");
    int count = times(run, SIGCHLD);
    run_ask(run, "release");
    if (!pid_settle(&settling))
        return;                                   /* step 3 has the word */
    check_forwarded(run, init, pid_bit(SIGUSR1)); /* by then the other would be there as well */
    expect(g, times(run, SIGCHLD) == count, .because = "child-forwarded",
           .expected = "SIGCHLD, which tells init that an orphan ended, is not passed on",
           .kernel = "COMMAND caught a SIGCHLD, and no child of its own has ended",
           .see = "signal(7); strace -f of your init");
}

/* What it is for: COMMAND, which catches nothing, ends by a signal that PID 1 is deaf to. */
static void check_ends_by(struct grade *g, int number)
{
    struct init init;
    struct run *run = pid_start_init(g, &init);
    struct settling settling = {
        .run = run, .holds = pid_has_ended, .init = init.pid, .command = run_payload(run)->pid};

    pid_send_signal(run, init.pid, number);
    bool ended = pid_settle(&settling);
    expect(g, ended, .because = "not-ended",
           .expected =
               say(g, "%s to init ends COMMAND, and so the container", pid_signal_name(g, number)),
           .kernel = say(g, "process %d: state %c; init, process %d: state %c", settling.command,
                         pid_state_of(settling.command), init.pid, pid_state_of(init.pid)),
           .see = "lab03 --init sleep 60; then kill its PID 1 from outside");
}

void pid_step_forward(struct grade *g)
{
    const uint64_t no =
        pid_bit(SIGKILL) | pid_bit(SIGSTOP) | pid_bit(SIGCHLD) | pid_bit(32) | pid_bit(33);
    struct init init;
    struct run *run = pid_start_init(g, &init);
    struct kernel_pids children = {0};

    run_ask(run, "child"); /* a bystander: any of these signals would end it */
    if (kernel_children(run_payload(run)->pid, &children) < 0 || children.count != 1)
        grade_error(g, 0, "COMMAND has %zu children in place of one", children.count);
    pid_t bystander = children.list[0];
    kernel_pids_free(&children);
    run_ask(run, "tally");

    /* CONT apart: it takes away a pending TSTP, TTIN or TTOU, and they take it away. */
    check_forwarded(run, &init, ~no & ~pid_bit(SIGCONT));
    check_forwarded(run, &init, pid_bit(SIGCONT));
    check_again(run, &init);
    check_not_forwarded(run, &init);
    expect(g, pid_state_of(bystander) != 'Z', .because = "bystander",
           .expected = "signals to init reach COMMAND, and no other process of the container",
           .kernel = say(g, "process %d, a child of COMMAND, was ended by one", bystander),
           .see = "kill(2): what do 0, -1 and -PID mean?");

    static const int deadly[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGALRM};
    check_ends_by(g, SIGTERM);
    check_ends_by(g, deadly[grade_between(g, 1, sizeof deadly / sizeof *deadly - 1)]);
}
