/* Lab 03, step 5: init ends when COMMAND does, and as it did. */
#include "graders/03-pid.h"

#include <signal.h>

void pid_check_end(struct run *run, const struct init *init, int wanted, const char *how)
{
    struct grade *g = run_grade(run);
    struct settling settling = {
        .run = run, .holds = pid_has_ended, .init = init->pid, .command = run_payload(run)->pid};

    bool ended = pid_settle(&settling);
    expect(g, ended, .because = "init-stays", .expected = say(g, "COMMAND %s, and init ends", how),
           .kernel = say(g, "COMMAND has ended; init, process %d, still runs (state %c)", init->pid,
                         pid_state_of(init->pid)),
           .see = "lab03 --init sh -c 'sleep 60 & exit 3'; echo $?");
    int status = run_exit_status(run);
    expect(g, status == wanted, .because = "wrong-status",
           .expected = say(g, "COMMAND %s: the program ends with %d", how, wanted),
           .kernel = say(g, "it ended with %d", status),
           .see = "lab03 --init sh -c 'exit 7'; echo $?, and with kill -KILL $$");
}

static void check_exits(struct grade *g, int status)
{
    struct init init;
    struct run *run = pid_start_init(g, &init);

    run_tell(run, "exit %d", status);
    pid_check_end(run, &init, status, say(g, "exits with %d", status));
}

static void check_dies(struct grade *g, int number)
{
    struct init init;
    struct run *run = pid_start_init(g, &init);

    run_tell(run, "die %d", number);
    pid_check_end(run, &init, 128 + number, say(g, "is ended by %s", pid_signal_name(g, number)));
}

/* An orphan that still runs does not keep the container alive. */
static void check_leaves_others(struct grade *g, int status)
{
    struct init init;
    struct run *run = pid_start_init(g, &init);

    run_ask(run, "orphan hold");
    run_tell(run, "exit %d", status);
    pid_check_end(run, &init, status, say(g, "exits with %d while an orphan runs on", status));
}

/* Others end together with COMMAND, with another status. */
static void check_among_others(struct grade *g, int status, int other)
{
    struct init init;
    struct run *run = pid_start_init(g, &init);
    struct settling settling = {.run = run, .init = init.pid, .children = 0};

    run_ask(run, "orphans 5 %d", other);
    pid_send_signal(run, init.pid, SIGSTOP);
    pid_await_state(run, init.pid, 'T');
    run_ask(run, "release");
    run_tell(run, "exit %d", status);
    if (!run_until(run, pid_alive_are, &settling))
        grade_error(g, 0, "five orphans and COMMAND do not end");
    pid_send_signal(run, init.pid, SIGCONT);
    pid_check_end(
        run, &init, status,
        say(g, "exits with %d, and five orphans with %d at the same time", status, other));
}

/* Stopped, or gone with an init that took it for ended. */
static bool is_stopped(void *arg)
{
    const struct in_state *wanted = arg;

    return pid_is_in_state(arg) || pid_state_of(wanted->pid) == 'Z';
}

/* A process that is stopped has not ended, although its parent gets a SIGCHLD. */
static void check_stopped(struct grade *g)
{
    struct init init;
    struct run *run = pid_start_init(g, &init);
    pid_t command = run_payload(run)->pid;
    struct settling settling = {
        .run = run, .holds = pid_has_ended, .init = init.pid, .command = init.pid};

    pid_send_signal(run, command, SIGSTOP);
    run_until(run, is_stopped, &(struct in_state){command, 'T'});
    bool ended = pid_settle(&settling);
    expect(g, !ended, .because = "stopped",
           .expected = "COMMAND is stopped (state T), and init waits on",
           .kernel = "init took that for COMMAND's end, and has ended",
           .see = "waitid(2): WSTOPPED, and si_code");
    pid_send_signal(run, command, SIGCONT);
    run_ask(run, "who");
}

static void check_cannot_start(struct grade *g, const char *name, int wanted, const char *why)
{
    const char *const arguments[] = {"--init", NULL}, *const command[] = {name, NULL};
    struct run *run =
        run_start(g, &(struct run_options){.arguments = arguments, .command = command});
    int status = run_exit_status(run);

    expect(g, status == wanted, .because = "start-status",
           .expected = say(g, "a COMMAND that %s: the program ends with %d", why, wanted),
           .kernel = say(g, "it ended with %d", status),
           .see = say(g, "lab03 --init %s; echo $?", name));
}

void pid_step_status(struct grade *g)
{
    check_exits(g, 0);
    check_exits(g, grade_between(g, 1, 120));
    check_exits(g, grade_between(g, 129, 254));
    check_exits(g, 255);
    check_dies(g, SIGKILL);
    check_dies(g, SIGSEGV);
    check_dies(g, SIGRTMIN + grade_between(g, 1, 20));
    check_leaves_others(g, grade_between(g, 1, 120));
    check_among_others(g, grade_between(g, 1, 50), grade_between(g, 60, 120));
    check_stopped(g);
    check_cannot_start(g, say(g, "no-%s", grade_word(g, 7)), 127, "is not there");
    check_cannot_start(g, "/tmp", 126, "cannot be executed");
}
