/* Meeting the payload, talking to it, and waiting for the program's end. */
#include "grade/run.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "grade/crash.h"
#include "grade/grade.h"
#include "grade/run_private.h"
#include "grade/stuck.h"
#include "grade/world.h"

enum { REFUSED_MS = 500 /* how long the true payload may come after an impostor */ };

/* Also notes why it was killed, if that was not the program's own affair. */
static int exit_status(struct run *run)
{
    const struct room_process *process = &run->process;

    if (process->status == SIGKILL || process->status == 128 + SIGKILL)
        world_killed(run->g);
    return process->code == CLD_EXITED ? process->status : 128 + process->status;
}

static _Noreturn void fail_stuck(struct run *run, const char *expected)
{
    const char *stuck = stuck_describe(run->g, run->process.pid, run->room->pidfd, run->room->pid);

    run_drain(run);
    world_spent(run->g);
    fail(run->g, .because = "stuck", .expected = expected,
         .kernel = say(run->g, "nothing for %d seconds: %s", run_patience(), stuck),
         .see = "cat /proc/PID/syscall and /proc/PID/wchan of the process that waits");
}

static _Noreturn void fail_impostor(struct run *run, const char *kernel)
{
    fail(run->g, .because = "impostor", .expected = "COMMAND itself, with the caller's fds 0, 1, 2",
         .kernel = kernel, .see = "ls -l /proc/PID/exe /proc/PID/fd");
}

const struct payload *run_payload(struct run *run)
{
    struct grade *g = run->g;

    if (run->no_payload)
        grade_error(g, 0, "run_payload of a run without the probe");
    if (run->has_payload)
        return &run->payload;
    bool over = false;
    for (int64_t deadline = run_now_ms() + run_patience() * 1000;
         !over && run_now_ms() < deadline;) {
        run_pump(run, 50);
        if (run->refused[0] != '\0' && deadline > run_now_ms() + REFUSED_MS)
            deadline = run_now_ms() + REFUSED_MS;
        over = run->has_payload || run->process.ended;
    }
    if (run->has_payload)
        return &run->payload;
    if (!run->process.ended && run->refused[0] == '\0')
        fail_stuck(run, "your program starts COMMAND");
    run_drain(run);
    if (run->has_payload)
        return &run->payload;
    if (run->refused[0] != '\0')
        fail_impostor(run, say(g, "%s", run->refused));
    int status = exit_status(run);
    crash_note(g);
    fail(g, .because = "no-command", .expected = "your program starts COMMAND",
         .kernel = say(g, "it ended with status %d, and COMMAND never ran", status),
         .see = say(g, "make trace%.2s", g->lab->name));
}

static void send_request(struct run *run, const char *text)
{
    ssize_t sent;

    run_payload(run);
    run->has_reply = false;
    do
        sent = send(run->probe, text, strlen(text), MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    (void)sent; /* if it is gone, the wait for its reply says so */
}

const char *run_ask(struct run *run, const char *format, ...)
{
    char text[4096];
    va_list args;
    struct pollfd end;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    send_request(run, text);
    end = (struct pollfd){run->payload.pidfd, POLLIN, 0};
    int64_t deadline = run_now_ms() + run_patience() * 1000;
    while (!run->has_reply && run->probe >= 0 && run_now_ms() < deadline) {
        bool gone = poll(&end, 1, 0) > 0;
        run_pump(run, gone ? 0 : 20);
        if (gone && !run->has_reply)
            break;
    }
    if (run->two_voices)
        fail_impostor(run, say(run->g, "two processes spoke as process %d", run->payload.pid));
    if (!run->has_reply) {
        run_drain(run);
        fail(run->g, .because = "payload-gone",
             .expected = say(run->g, "COMMAND answers \"%s\"", text),
             .kernel = poll(&end, 1, 0) > 0 ? "COMMAND has ended" : "COMMAND does not answer",
             .see = say(run->g, "make trace%.2s", run->g->lab->name));
    }
    return say(run->g, "%s", run->reply);
}

void run_tell(struct run *run, const char *format, ...)
{
    char text[4096];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    send_request(run, text);
}

int run_exit_status(struct run *run)
{
    if (!run_pump_until(run, &run->process.ended, NULL))
        fail_stuck(run, "your program ends");
    run_drain(run);
    int status = exit_status(run);
    crash_note(run->g);
    return status;
}

bool run_ended(struct run *run)
{
    run_pump(run, 0);
    return run->process.ended;
}

const char *run_output(struct run *run)
{
    return run->text;
}

bool run_said(struct run *run, const char *text)
{
    const struct logring *log = &run->g->log;

    for (size_t i = 0; i < logring_count(log); i++)
        if (strstr(logring_line(log, i), text) != NULL)
            return true;
    return false;
}

struct grade *run_grade(const struct run *run)
{
    return run->g;
}

pid_t run_program_pid(const struct run *run)
{
    return run->process.pid;
}

pid_t run_program_inside(const struct run *run)
{
    return run->process.inside;
}

int run_program_pidfd(const struct run *run)
{
    return run->process.pidfd;
}

pid_t run_outside_pid(const struct run *run)
{
    return run->room->pid;
}

int run_outside_pidfd(const struct run *run)
{
    return run->room->pidfd;
}
