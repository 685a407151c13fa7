#include "graders/01-process-readings.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kernel/stat.h"

/* How a process that we number `pid` is numbered in the room; 0: it has no number there. */
pid_t process_inside(struct run *run, pid_t pid)
{
    struct kernel_status room = process_status_of(run_grade(run), run_outside_pid(run));
    struct kernel_status status;

    if (kernel_status_read(pid, &status) < 0)
        return 0;
    kernel_status_free(&status);
    return status.nspid.count >= room.nspid.count ? status.nspid.pid[room.nspid.count - 1] : 0;
}

/* The other way. */
pid_t process_outside(struct run *run, pid_t inside)
{
    struct process_list pids = process_in_room(run);

    for (size_t i = 0; i < pids.count; i++)
        if (process_inside(run, pids.list[i]) == inside)
            return pids.list[i];
    grade_error(run_grade(run), -ESRCH, "process %d of the sandbox is not to be found", inside);
}

struct run *process_ask(struct run *helper, const char *option, const char *value)
{
    const char *const arguments[] = {option, value, NULL};

    return run_start(
        run_grade(helper),
        &(struct run_options){.arguments = arguments, .no_command = true, .beside = helper});
}

/* The answer, once the program has ended well. */
const char *process_answer(struct run *run, const char *option, const char *value)
{
    static const int errors[] = {ESRCH, ENOENT, EACCES, EPERM, EBADMSG, EINVAL};
    struct grade *g = run_grade(run);
    int status = run_exit_status(run);
    const char *words = "what your program said stands below";

    for (size_t i = 0; status != 0 && i < sizeof errors / sizeof *errors; i++)
        if (run_said(run, say(g, "%s %s: %s", option, value, strerror(errors[i]))))
            words = strerror(errors[i]);

    expect(g, status == 0, .because = "no-answer",
           .expected = say(g, "an answer to %s %s", option, value),
           .kernel = say(g, "exit status %d: %s", status, words),
           .see = say(g, "lab01 %s $$%s; echo $?", option,
                      strchr(value, ':') != NULL ? strchr(value, ':') : ""));
    return run_output(run);
}

/* A question without an answer ends with 125 and this error. */
void process_check_error(struct run *helper, const char *option, const char *value, int error,
                         const char *because, const char *what)
{
    struct grade *g = run_grade(helper);
    struct run *run = process_ask(helper, option, value);
    int status = run_exit_status(run);
    const char *line = say(g, "%s %s: %s", option, value, strerror(error));

    expect(g, status == 125 && run_said(run, line), .because = because,
           .expected = say(g, "%s: %s", what, strerror(error)),
           .kernel = say(g, "lab01 %s %s ended with status %d; its words are below", option, value,
                         status),
           .see = say(g, "lab01 %s %s; echo $?", option, value));
}

/* The number of a process that has been there and is gone, reaped and all. */
pid_t process_vanished(struct run *helper)
{
    struct run *run = process_helper(run_grade(helper), helper);

    run_tell(run, "exit 0");
    run_exit_status(run);
    return run_program_inside(run);
}

struct waiting {
    pid_t pid;
    char state;
};

static bool in_state(void *arg)
{
    const struct waiting *waiting = arg;
    struct kernel_stat stat;

    return kernel_stat_read(waiting->pid, &stat) == 0 && stat.state == waiting->state;
}

void process_wait_for_state(struct run *run, pid_t inside, char state)
{
    struct waiting waiting = {process_outside(run, inside), state};

    if (!run_until(run, in_state, &waiting))
        grade_error(run_grade(run), 0, "process %d never came into state %c", inside, state);
}
