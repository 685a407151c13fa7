/*
 * Lab 01: start a program, wait for it, describe it.
 *
 * COMMAND is the probe or, where its end is the question, a small program of the system's. What it
 * was started with is read in /proc, from outside, while it runs.
 *
 * The steps stand in files of their own: 01-process-run.c (1), -status.c (2), -eintr.c (3),
 * -clean.c (4), -namespaces.c (5), -describe.c (6) and -peers.c (7). Here are the list of them and
 * what they share.
 */
#include "graders/01-process.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "kernel/stat.h"
#include "kernel/tree.h"

struct run *process_helper(struct grade *g, struct run *beside)
{
    struct run *run =
        run_start(g, &(struct run_options){.program = "/strata/probe", .beside = beside});

    run_payload(run);
    return run;
}

int process_do(struct run *run, const char *format, ...)
{
    char request[2048];
    va_list args;
    int number = 0;

    va_start(args, format);
    vsnprintf(request, sizeof request, format, args);
    va_end(args);
    const char *reply = run_ask(run, "%s", request);
    if (strncmp(reply, "ok", 2) != 0)
        grade_error(run_grade(run), 0, "the probe could not do \"%s\": %s", request, reply);
    sscanf(reply, "ok %d", &number);
    return number;
}

struct process_list process_in_room(struct run *run)
{
    struct process_list all = {.count = 0};
    struct kernel_pids pids;
    int result = kernel_descendants(run_outside_pid(run), &pids);

    if (result < 0)
        grade_error(run_grade(run), result, "cannot list the processes of the sandbox");
    for (; all.count < pids.count && all.count < SANDBOX_PROCESSES; all.count++)
        all.list[all.count] = pids.list[all.count];
    kernel_pids_free(&pids);
    return all;
}

/* COMMAND is `command`, in the room of `beside`. */
struct run *process_run_command(struct run *beside, const char *const *arguments,
                                const char *const *command)
{
    return run_start(
        run_grade(beside),
        &(struct run_options){.arguments = arguments, .command = command, .beside = beside});
}

void process_check_end(struct run *run, int wanted)
{
    struct grade *g = run_grade(run);

    run_tell(run, "exit %d", wanted);
    int status = run_exit_status(run);
    expect(g, status == wanted, .because = "exit-status",
           .expected = say(g, "COMMAND exits with %d, and so does your program", wanted),
           .kernel = say(g, "your program's exit status is %d", status),
           .see = say(g, "lab01 sh -c 'exit %d'; echo $?", wanted));
}

/* The program has made a child, and the child waits for something. */
static bool child_waits(void *arg)
{
    struct process_family *family = arg;
    struct kernel_pids pids = {0};
    struct kernel_stat stat;
    bool found = kernel_children(family->parent, &pids) == 0 && pids.count > 0;

    if (found)
        family->child = pids.list[0];
    kernel_pids_free(&pids);
    return run_ended(family->run) ||
           (found && kernel_stat_read(family->child, &stat) == 0 && stat.state == 'S');
}

/* Starts COMMAND with the start held in a hook of `who`; returns the child. */
struct run *process_start_held(struct run *helper, const char *who, const char *fifo,
                               struct process_family *family)
{
    struct grade *g = run_grade(helper);
    const char *const arguments[] = {"--hold", say(g, "%s:%s", who, fifo), NULL};

    process_do(helper, "fifo %s", fifo);
    struct run *run = run_start(g, &(struct run_options){.arguments = arguments, .beside = helper});
    *family = (struct process_family){.parent = run_program_pid(run), .run = run};
    if (!run_until(run, child_waits, family) || run_ended(run) || family->child == 0)
        fail(g, .because = "no-child",
             .expected = say(g, "a child, while a hook of the %s takes its time", who),
             .kernel = say(g, "process %d has none", family->parent),
             .see = say(g, "mkfifo f; lab01 --hold %s:f true & sleep 1; ps f", who));
    return run;
}

/* When a hook fails COMMAND does not run, and the program says so; what it says is step 2's. */
void process_check_hook_failure(struct run *helper, const char *who, bool said)
{
    struct grade *g = run_grade(helper);
    const char *word = grade_word(g, 8);
    const char *const command[] = {"/strata/busybox", "echo", word, NULL};
    const char *const arguments[] = {"--hold", say(g, "%s:/%s/nothing", who, word), NULL};
    struct run *good = process_run_command(helper, NULL, command);
    int status = run_exit_status(good);

    expect(g, status == 0 && strstr(run_output(good), word) != NULL, .because = "no-command",
           .expected = say(g, "without a hook that fails, \"echo %s\" runs", word),
           .kernel = say(g, "exit status %d, and it printed nothing", status),
           .see = say(g, "lab01 echo %s", word));
    struct run *bad = process_run_command(helper, arguments, command);
    status = run_exit_status(bad);
    expect(g, strstr(run_output(bad), word) == NULL, .because = say(g, "%s-hook-ignored", who),
           .expected = say(g, "a hook of the %s fails, and COMMAND never runs", who),
           .kernel = "COMMAND ran all the same",
           .see = say(g, "lab01 --hold %s:/nothing echo COMMAND RAN", who));
    expect(g, said ? status == 125 : status != 0, .because = say(g, "%s-hook-status", who),
           .expected = say(g, "a hook of the %s fails: exit status 125, our own failure", who),
           .kernel = say(g, "exit status %d", status),
           .see = say(g, "lab01 --hold %s:/nothing true; echo $?", who));
    expect(g, !said || run_said(bad, say(g, "hold_%s: No such file or directory", who)),
           .because = "hook-error",
           .expected = say(g, "the hook's name and its error: hold_%s, ENOENT", who),
           .kernel = "your program said something else: see below",
           .see = say(g, "lab01 --hold %s:/nothing true", who));
    expect(g, process_in_room(helper).count == 1, .because = "child-left",
           .expected = "after a start that failed no child is left", .kernel = "there is one",
           .see = say(g, "lab01 --hold %s:/nothing true; ps f", who));
}

struct kernel_status process_status_of(struct grade *g, pid_t pid)
{
    struct kernel_status status;
    int result = kernel_status_read(pid, &status);

    if (result < 0)
        grade_error(g, result, "cannot read /proc/%d/status", pid);
    kernel_status_free(&status); /* its numbers stay */
    return status;
}

static const struct step steps[] = {
    {.number = 1,
     .slug = "run",
     .title = "run it and return its exit status",
     .points = 25,
     .needs = NEED_USERNS,
     .chapter = "run",
     .man = "clone(2), \"clone3\"; waitid(2)",
     .run = process_step_run},
    {.number = 2,
     .slug = "status",
     .title = "125, 126, 127 and 128+n",
     .points = 25,
     .needs = NEED_USERNS,
     .after = {1},
     .chapter = "status",
     .man = "waitid(2), execve(2) ERRORS, pipe(7)",
     .run = process_step_status},
    {.number = 3,
     .slug = "eintr",
     .title = "the wait goes on after a signal handler",
     .points = 15,
     .needs = NEED_USERNS,
     .after = {1},
     .chapter = "eintr",
     .man = "signal(7), \"Interruption of system calls\"",
     .run = process_step_eintr},
    {.number = 4,
     .slug = "clean-start",
     .title = "a clean start: fds, signals, environment",
     .points = 20,
     .needs = NEED_USERNS,
     .after = {1},
     .chapter = "clean-start",
     .man = "execve(2), close_range(2), sigprocmask(2)",
     .run = process_step_clean_start},
    {.number = 5,
     .slug = "namespaces",
     .title = "namespace ids of any pid",
     .points = 15,
     .needs = NEED_USERNS,
     .chapter = "namespaces",
     .man = "namespaces(7), stat(2)",
     .run = process_step_namespaces},
    {.number = 6,
     .slug = "describe",
     .title = "what /proc/PID/stat and status say",
     .points = 20,
     .more = true,
     .needs = NEED_USERNS,
     .chapter = "describe",
     .man = "proc(5), /proc/[pid]/stat and status",
     .run = process_step_describe},
    {.number = 7,
     .slug = "peers",
     .title = "which processes share a namespace",
     .points = 20,
     .more = true,
     .needs = NEED_USERNS,
     .chapter = "peers",
     .man = "proc(5), readdir(3), lsns(8)",
     .run = process_step_peers},
};

LAB(.name = "01-process", .title = "start a program, wait for it, describe it", .steps = steps,
    .count = sizeof steps / sizeof *steps);
