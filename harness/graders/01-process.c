/*
 * Lab 01: start a program, wait for it.
 *
 * COMMAND is the probe or, where its end is the question, a small program of the system's. What it
 * was started with is read in /proc, from outside, while it runs. The other half of the lab,
 * reading about processes, is graded in 01-process-readings.c.
 */
#include "graders/01-process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "grade/facts.h"
#include "kernel/namespace.h"
#include "kernel/own.h"
#include "kernel/stat.h"
#include "kernel/status.h"
#include "kernel/tree.h"

/* --- helpers -------------------------------------------------------------------------------- */

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
static struct run *run_command(struct run *beside, const char *const *arguments,
                               const char *const *command)
{
    return run_start(run_grade(beside), &(struct run_options){.arguments = arguments,
                                                              .command = command,
                                                              .beside = beside});
}

/* --- step 1 --------------------------------------------------------------------------------- */

static void check_parent(struct run *run)
{
    struct grade *g = run_grade(run);
    const struct payload *payload = run_payload(run);
    struct kernel_stat stat;

    int result = kernel_stat_read(payload->pid, &stat);
    if (result < 0)
        grade_error(g, result, "cannot read /proc/%d/stat", payload->pid);
    expect(g, stat.ppid == run_program_pid(run), .because = "other-parent",
           .expected = say(g, "COMMAND is a child of your program, process %d",
                           run_program_pid(run)),
           .kernel = say(g, "PPid in /proc/%d/status is %d", payload->pid, stat.ppid),
           .see = "lab01 sleep 9 & sleep 1; ps -o pid,ppid,comm");
    struct process_list all = process_in_room(run);
    for (size_t i = 0; i < all.count; i++) {
        if (all.list[i] == payload->pid || all.list[i] == run_program_pid(run) ||
            kernel_stat_read(all.list[i], &stat) < 0)
            continue;
        fail(g, .because = "more-processes",
             .expected = "one process is made, and it becomes COMMAND",
             .kernel = say(g, "there is another one: %d (%s), state %c", stat.pid, stat.comm,
                           stat.state),
             .see = "lab01 sleep 9 & sleep 1; ps -o pid,ppid,stat,comm");
    }
}

/* /proc/PID/cmdline is argv, each string ended by NUL. */
static void check_arguments(struct run *run, const char *const *more)
{
    struct grade *g = run_grade(run);
    const struct payload *payload = run_payload(run);
    char wanted[512] = "/strata/probe";
    size_t length = strlen(wanted) + 1, got;

    for (; *more != NULL; more++)
        length += (size_t)snprintf(wanted + length, sizeof wanted - length, "%s", *more) + 1;
    const char *text = facts_bytes_within(g, payload->pid, payload->pidfd, CLONE_NEWUSER,
                                          say(g, "/proc/%d/cmdline", payload->pid), &got);
    expect(g, got == length && memcmp(text, wanted, length) == 0, .because = "arguments",
           .expected = "COMMAND gets its arguments as they are, empty ones and spaces too",
           .kernel = say(g, "/proc/%d/cmdline holds %zu bytes, not these %zu", payload->pid, got,
                         length),
           .see = "lab01 cat /proc/self/cmdline - 'a b' '' | od -c");
}

/* Exactly the namespaces asked for are new, and only for COMMAND. */
static void check_namespaces(struct run *run, unsigned wanted)
{
    struct grade *g = run_grade(run);
    struct kernel_ns_set inside, outside, program;
    pid_t pid = run_payload(run)->pid;

    if (kernel_ns_all(pid, &inside) < 0 || kernel_ns_all(run_outside_pid(run), &outside) < 0 ||
        kernel_ns_all(run_program_pid(run), &program) < 0)
        grade_error(g, 0, "cannot read /proc/%d/ns", pid);
    for (enum kernel_ns_kind kind = 0; kind < KERNEL_NS_KINDS; kind++) {
        const char *name = kernel_ns_name(kind);
        bool same = kernel_ns_shared(&inside, &outside, kind);
        if (!outside.present[kind] || kernel_ns_flag(kind) == 0)
            continue;
        expect(g, kernel_ns_shared(&program, &outside, kind), .because = "parent-moved",
               .expected = say(g, "your program itself keeps its %s namespace", name),
               .kernel = say(g, "/proc/%d/ns/%s of the parent has changed", run_program_pid(run),
                             name),
               .see = "unshare(2) changes its caller; the flags of clone3 change the child");
        bool asked = (wanted & kernel_ns_flag(kind)) != 0;
        expect(g, same != asked, .because = asked ? "namespace-missing" : "namespace-too-many",
               .expected = asked ? say(g, "a new %s namespace, as spec->namespaces asks for", name)
                                 : say(g, "the caller's %s namespace: nobody asked for a new one",
                                       name),
               .kernel = say(g, "/proc/%d/ns/%s is %s", pid, name,
                             same ? "the same as outside" : "another than outside"),
               .see = say(g, "lab01 --new %s readlink /proc/self/ns/%s; readlink /proc/self/ns/%s",
                          name, name, name));
    }
}

static void check_end(struct run *run, int wanted)
{
    struct grade *g = run_grade(run);

    run_tell(run, "exit %d", wanted);
    int status = run_exit_status(run);
    expect(g, status == wanted, .because = "exit-status",
           .expected = say(g, "COMMAND exits with %d, and so does your program", wanted),
           .kernel = say(g, "your program's exit status is %d", status),
           .see = say(g, "lab01 sh -c 'exit %d'; echo $?", wanted));
}

static void check_start(struct grade *g, const char *news, unsigned flags)
{
    const char *const with[] = {"--new", news, NULL};
    const char *const more[] = {grade_word(g, 5), "", say(g, "%s %s", grade_word(g, 2), "b"),
                                "--frob", "two\nlines", NULL};
    struct run *run = run_start(g, &(struct run_options){.arguments = news != NULL ? with : NULL,
                                                         .probe_arguments = more});

    run_payload(run);
    check_parent(run);
    check_arguments(run, more);
    check_namespaces(run, flags);
    check_end(run, grade_between(g, 2, 124));
}

struct family {
    pid_t parent;
    pid_t child; /* as we number it; 0: none yet */
    struct run *run;
};

/* The program has made a child, and the child waits for something. */
static bool child_waits(void *arg)
{
    struct family *family = arg;
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
static struct run *start_held(struct run *helper, const char *who, const char *fifo,
                              struct family *family)
{
    struct grade *g = run_grade(helper);
    const char *const arguments[] = {"--hold", say(g, "%s:%s", who, fifo), NULL};

    process_do(helper, "fifo %s", fifo);
    struct run *run =
        run_start(g, &(struct run_options){.arguments = arguments, .beside = helper});
    *family = (struct family){.parent = run_program_pid(run), .run = run};
    if (!run_until(run, child_waits, family) || run_ended(run) || family->child == 0)
        fail(g, .because = "no-child",
             .expected = say(g, "a child, while a hook of the %s takes its time", who),
             .kernel = say(g, "process %d has none", family->parent),
             .see = say(g, "mkfifo f; lab01 --hold %s:f true & sleep 1; ps f", who));
    return run;
}

static bool child_gone_or_command(void *arg)
{
    struct family *family = arg;
    struct kernel_stat stat;

    return kernel_stat_read(family->child, &stat) < 0 || stat.state == 'Z' ||
           strcmp(stat.comm, "lab01") != 0;
}

/* The child runs nothing before the parent's hooks are done, nor when the parent dies in one. */
static void check_go_ahead(struct run *helper)
{
    struct grade *g = run_grade(helper);
    struct family family;
    struct kernel_stat stat;
    struct run *run = start_held(helper, "parent", say(g, "/tmp/%s", grade_word(g, 6)), &family);

    expect(g, kernel_stat_read(family.child, &stat) == 0 && strcmp(stat.comm, "lab01") == 0,
           .because = "no-go-ahead", .expected = "the child waits until the parent's hooks are done",
           .kernel = say(g, "a parent hook still runs, and process %d is %s already", family.child,
                         stat.comm),
           .see = "mkfifo f; lab01 --hold parent:f sleep 9 & sleep 1; ps f");
    syscall(SYS_pidfd_send_signal, run_program_pidfd(run), SIGKILL, NULL, 0);
    run_exit_status(run);
    bool over = run_until(helper, child_gone_or_command, &family);
    bool alive = kernel_stat_read(family.child, &stat) == 0 && stat.state != 'Z';
    expect(g, over && !alive, .because = "orphan-goes-on",
           .expected = "a child whose parent dies while it waits ends as well",
           .kernel = alive ? say(g, "process %d (%s) is still there", family.child, stat.comm)
                           : "it is still there",
           .see = "mkfifo f; lab01 --hold parent:f true & sleep 1; kill -KILL $!; ps f");
}

/* When a hook fails COMMAND does not run, and the program says so; what it says is step 2's. */
static void check_hook_failure(struct run *helper, const char *who, bool said)
{
    struct grade *g = run_grade(helper);
    const char *word = grade_word(g, 8);
    const char *const command[] = {"/strata/busybox", "echo", word, NULL};
    const char *const arguments[] = {"--hold", say(g, "%s:/%s/nothing", who, word), NULL};
    struct run *good = run_command(helper, NULL, command);
    int status = run_exit_status(good);

    expect(g, status == 0 && strstr(run_output(good), word) != NULL, .because = "no-command",
           .expected = say(g, "without a hook that fails, \"echo %s\" runs", word),
           .kernel = say(g, "exit status %d, and it printed nothing", status),
           .see = say(g, "lab01 echo %s", word));
    struct run *bad = run_command(helper, arguments, command);
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

/* A stopped process has not ended; a wait that takes it for dead returns too early. */
static void check_stop(struct grade *g)
{
    int wanted = grade_between(g, 2, 124);
    struct run *run = run_start(g, &(struct run_options){0});

    kill(run_payload(run)->pid, SIGSTOP);
    kill(run_payload(run)->pid, SIGCONT);
    kill(run_payload(run)->pid, SIGSTOP);
    struct kernel_stat stat = {.state = 0};
    while (kernel_stat_read(run_payload(run)->pid, &stat) == 0 && stat.state != 'T')
        run_ended(run);
    kill(run_payload(run)->pid, SIGCONT);
    run_tell(run, "exit %d", wanted);
    int status = run_exit_status(run);
    expect(g, status == wanted, .because = "stopped",
           .expected = say(g, "COMMAND is stopped, goes on and exits with %d: so do you", wanted),
           .kernel = say(g, "your program's exit status is %d: a stop is not an end", status),
           .see = "lab01 sleep 5 & sleep 1; pkill -STOP -P $!; sleep 1; jobs");
}

/* The kernel refuses the process: no more UTS namespaces are allowed in this room. */
static void check_refused_clone(struct run *helper)
{
    struct grade *g = run_grade(helper);
    const char *word = grade_word(g, 8);
    const char *const command[] = {"/strata/busybox", "echo", word, NULL};
    const char *const arguments[] = {"--new", "uts", NULL};
    const char *see = "echo 0 >/proc/sys/user/max_uts_namespaces; lab01 --new uts echo ran";

    process_do(helper, "write /proc/sys/user/max_uts_namespaces 0");
    struct run *run = run_command(helper, arguments, command);
    int status = run_exit_status(run);
    expect(g, status != 0 && strstr(run_output(run), word) == NULL, .because = "refused-ran",
           .expected = "no UTS namespace is to be had (ENOSPC): then COMMAND does not run",
           .kernel = "your program has started it all the same, without", .see = see);
    expect(g, status == 125 && run_said(run, strerror(ENOSPC)), .because = "refused-error",
           .expected = say(g, "status 125 and the kernel's own error: %s", strerror(ENOSPC)),
           .kernel = say(g, "exit status %d; its words are below", status), .see = see);
}

static void step_run(struct grade *g)
{
    static const struct {
        const char *name;
        unsigned flag;
    } kinds[] = {{"uts", CLONE_NEWUTS}, {"ipc", CLONE_NEWIPC}, {"net", CLONE_NEWNET},
                 {"mnt", CLONE_NEWNS},  {"pid", CLONE_NEWPID}, {"cgroup", CLONE_NEWCGROUP}};
    enum { KINDS = sizeof kinds / sizeof *kinds };
    size_t one = grade_random(g, KINDS), two = (one + 1 + grade_random(g, KINDS - 1)) % KINDS;

    check_start(g, NULL, 0);
    check_start(g, kinds[one].name, kinds[one].flag);
    check_start(g, say(g, "%s,%s", kinds[one].name, kinds[two].name),
                kinds[one].flag | kinds[two].flag);
    check_stop(g);
    struct run *helper = process_helper(g, NULL);
    check_go_ahead(helper);
    check_hook_failure(helper, "parent", false);
    check_refused_clone(helper);
}

/* --- step 2 --------------------------------------------------------------------------------- */

static void check_exits(struct run *helper)
{
    struct grade *g = run_grade(helper);
    const int exits[] = {0, 1, grade_between(g, 2, 124), 125, 126, 127,
                         grade_between(g, 128, 254), 255};

    for (size_t i = 0; i < sizeof exits / sizeof *exits; i++)
        check_end(run_start(g, &(struct run_options){.beside = helper}), exits[i]);
}

static void check_signals(struct run *helper)
{
    struct grade *g = run_grade(helper);
    const int signals[] = {SIGKILL, SIGTERM, SIGSEGV, SIGHUP, grade_between(g, 34, 63), 64};

    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        struct run *run = run_start(g, &(struct run_options){.beside = helper});
        run_tell(run, "die %d", signals[i]);
        int status = run_exit_status(run);
        expect(g, status == 128 + signals[i], .because = "signal",
               .expected = say(g, "signal %d ended COMMAND: exit status %d (128 + %d)", signals[i],
                               128 + signals[i], signals[i]),
               .kernel = say(g, "your program's exit status is %d", status),
               .see = say(g, "lab01 sh -c 'kill -%d $$'; echo $?", signals[i]));
    }
}

/* One way in which exec fails. */
struct refusal {
    const char *what;
    const char *command;
    const char *path; /* the PATH to look in, or NULL */
    int status;
    int error;
};

static void check_refusal(struct run *helper, const struct refusal *refusal)
{
    struct grade *g = run_grade(helper);
    const char *banner = grade_word(g, 9);
    const char *path = say(g, "PATH=%s", refusal->path != NULL ? refusal->path : "/usr/bin:/bin");
    const char *const arguments[] = {"--banner", banner, "-e", path, NULL};
    const char *const command[] = {refusal->command, "x", NULL};
    const char *const environment[] = {path, NULL}; /* whose counts is step 4's question */
    struct run *run = run_start(g, &(struct run_options){.arguments = arguments,
                                                         .command = command,
                                                         .environment = environment,
                                                         .beside = helper});
    int status = run_exit_status(run);
    const char *first = strstr(run_output(run), banner);
    const char *see = say(g, "lab01 %s; echo $?", refusal->command);

    expect(g, status == refusal->status, .because = say(g, "status-%d", refusal->status),
           .expected = say(g, "%s: exit status %d", refusal->what, refusal->status),
           .kernel = say(g, "your program's exit status for %s is %d", refusal->command, status),
           .see = see);
    const char *line = say(g, "%s: %s", refusal->command, strerror(refusal->error));
    expect(g, run_said(run, line), .because = "untold",
           .expected = say(g, "the parent is told why, and says it: %s", line),
           .kernel = "your program said something else, or nothing: see below", .see = see);
    expect(g, first != NULL && strstr(first + 1, banner) == NULL, .because = "printed-twice",
           .expected = "text that waits in a buffer of stdio comes out once",
           .kernel = say(g, "\"%s\" came out %s", banner, first == NULL ? "never" : "twice"),
           .see = say(g, "lab01 --banner hello %s | cat", refusal->command));
}

static void check_refusals(struct run *helper)
{
    struct grade *g = run_grade(helper);
    const char *word = grade_word(g, 8), *plain = grade_word(g, 8), *text = grade_word(g, 8);
    const struct refusal refusals[] = {
        {"no such command in PATH", word, NULL, 127, ENOENT},
        {"no such file", say(g, "/tmp/%s", word), NULL, 127, ENOENT},
        {"no such folder on the way", say(g, "/%s/%s", word, word), NULL, 127, ENOENT},
        {"a file where a folder should be", say(g, "/tmp/%s/%s", plain, word), NULL, 127, ENOTDIR},
        {"PATH with a file and nothing in it", word, say(g, "/tmp/%s:/%s", plain, word), 127,
         ENOENT},
        {"a file that nobody may execute", say(g, "/tmp/%s", plain), NULL, 126, EACCES},
        {"the same found in PATH, before a folder without", plain, "/tmp:/bin", 126, EACCES},
        {"a folder", "/tmp", NULL, 126, EACCES},
        {"a file in no format that the kernel knows", say(g, "/tmp/%s", text), NULL, 126, ENOEXEC},
    };

    process_do(helper, "write /tmp/%s %s", plain, word);
    process_do(helper, "write /tmp/%s %s", text, word);
    process_do(helper, "chmod 755 /tmp/%s", text);
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        check_refusal(helper, &refusals[i]);
}

static void step_status(struct grade *g)
{
    struct run *helper = process_helper(g, NULL);

    check_exits(helper);
    check_signals(helper);
    check_refusals(helper);
    check_hook_failure(helper, "parent", true);
    check_hook_failure(helper, "child", true);

    const char *const arguments[] = {"--frob", NULL};
    const char *const command[] = {"/strata/busybox", "true", NULL};
    int status = run_exit_status(run_command(helper, arguments, command));
    expect(g, status == 125, .because = "own-failure",
           .expected = "an option that does not exist: exit status 125",
           .kernel = say(g, "exit status %d", status), .see = "lab01 --frob true; echo $?");
}

/* --- step 3 --------------------------------------------------------------------------------- */

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

static void release(struct run *helper, const char *fifo)
{
    process_do(helper, "write %s", fifo); /* opens it, no more: the hook does not read */
}

static void step_eintr(struct grade *g)
{
    struct family family;

    /* While COMMAND runs. A stop and a continuation wake the sleeper as well. */
    struct run *run = run_start(g, &(struct run_options){0});
    run_payload(run);
    interrupt(run, run_program_pid(run), grade_between(g, 8, 16));
    expect_unmoved(run, "wait-interrupted", "while your program waits for COMMAND");
    kill(run_program_pid(run), SIGSTOP);
    kill(run_program_pid(run), SIGCONT);
    interrupt(run, run_program_pid(run), 2);
    expect_unmoved(run, "wait-interrupted", "while your program waits for COMMAND");
    check_end(run, grade_between(g, 1, 255));

    /* While the child is still on its way to exec, and the parent waits for its news. */
    struct run *helper = process_helper(g, NULL);
    const char *fifo = say(g, "/tmp/%s", grade_word(g, 6));
    run = start_held(helper, "child", fifo, &family);
    interrupt(run, run_program_pid(run), grade_between(g, 4, 8));
    expect_unmoved(run, "start-interrupted", "while the parent waits for exec");
    release(helper, fifo);
    check_end(run, grade_between(g, 1, 255));

    /* While the child waits for the parent's go-ahead. */
    fifo = say(g, "/tmp/%s", grade_word(g, 6));
    run = start_held(helper, "parent", fifo, &family);
    interrupt(run, family.child, grade_between(g, 4, 8));
    struct kernel_stat stat;
    bool alive = kernel_stat_read(family.child, &stat) == 0 && stat.state != 'Z';
    expect(g, alive, .because = "child-interrupted",
           .expected = "a signal handler that runs while the child waits ends nothing",
           .kernel = say(g, "the child, process %d, has ended after SIGWINCH", family.child),
           .see = "mkfifo f; lab01 --hold parent:f true & sleep 1; kill -WINCH the child; ps f");
    release(helper, fifo);
    check_end(run, grade_between(g, 1, 255));
}

/* --- step 4 --------------------------------------------------------------------------------- */

enum { EXTRA_FDS = 8 };

/* Every signal that can be ignored or blocked, for real: not KILL and STOP, nor libc's own two.
 * CHLD and WINCH the lab program sets for itself. */
static uint64_t draw_signals(struct grade *g)
{
    uint64_t set = 0;

    for (int number = 1; number <= 64; number++) {
        if (number == SIGKILL || number == SIGSTOP || number == 32 || number == 33 ||
            number == SIGCHLD || number == SIGWINCH || number == SIGSEGV || number == SIGBUS ||
            number == SIGFPE || number == SIGILL || number == SIGABRT)
            continue;
        if (grade_random(g, 2) == 0 || number == SIGPIPE || number == 64)
            set |= (uint64_t)1 << (number - 1);
    }
    return set;
}

/* 32 and 33 libc keeps for itself: its functions neither set nor reset them. */
static const uint64_t libc_signals = (uint64_t)3 << 31;

static int first_signal(uint64_t set)
{
    return set == 0 ? 0 : __builtin_ctzll(set) + 1;
}

static struct kernel_status status_of(struct grade *g, pid_t pid)
{
    struct kernel_status status;
    int result = kernel_status_read(pid, &status);

    if (result < 0)
        grade_error(g, result, "cannot read /proc/%d/status", pid);
    kernel_status_free(&status); /* its numbers stay */
    return status;
}

static void check_clean_signals(struct run *run, uint64_t ignored, uint64_t blocked)
{
    struct grade *g = run_grade(run);
    pid_t pid = run_payload(run)->pid;
    struct kernel_status parent = status_of(g, run_program_pid(run)), child = status_of(g, pid);

    child.sigign &= ~libc_signals;
    child.sigblk &= ~libc_signals;
    expect(g, (parent.sigign & ignored) == ignored && (parent.sigblk & blocked) == blocked,
           .because = "caller-changed",
           .expected = "your program's own signal settings stay as they were: clean the child's",
           .kernel = say(g, "SigIgn %016llx, SigBlk %016llx in /proc/%d/status: some are gone",
                         (unsigned long long)parent.sigign, (unsigned long long)parent.sigblk,
                         run_program_pid(run)),
           .see = "grep Sig /proc/PID/status of the lab program");
    expect(g, child.sigign == 0, .because = "ignored",
           .expected = "COMMAND ignores no signal, whatever its caller ignored",
           .kernel = say(g, "SigIgn %016llx in /proc/%d/status: signal %d and maybe more",
                         (unsigned long long)child.sigign, pid, first_signal(child.sigign)),
           .see = "trap '' PIPE; lab01 grep SigIgn /proc/self/status");
    expect(g, child.sigblk == 0, .because = "blocked",
           .expected = "COMMAND blocks no signal, whatever its caller blocked",
           .kernel = say(g, "SigBlk %016llx in /proc/%d/status: signal %d and maybe more",
                         (unsigned long long)child.sigblk, pid, first_signal(child.sigblk)),
           .see = "lab01 grep SigBlk /proc/self/status; sigprocmask(2)");
}

static void check_clean_fds(struct run *run, const struct room_fd *extra)
{
    struct grade *g = run_grade(run);
    const struct payload *payload = run_payload(run);
    struct kernel_fds *parent = facts_fds(g, run_program_pid(run), run_program_pidfd(run));
    struct kernel_fds *child = facts_fds(g, payload->pid, payload->pidfd);

    for (size_t i = 0; i < EXTRA_FDS; i++)
        expect(g, kernel_fds_find(parent, extra[i].to) != NULL, .because = "caller-closed",
               .expected = say(g, "your program's own fd %d stays open: clean the child's",
                               extra[i].to),
               .kernel = say(g, "/proc/%d/fd has no %d any more", run_program_pid(run),
                             extra[i].to),
               .see = "ls -l /proc/PID/fd of the lab program");
    for (size_t i = 0; i < child->count; i++)
        expect(g, child->list[i].fd <= 2, .because = "open-fds",
               .expected = "COMMAND has the fds 0, 1, 2 and no other",
               .kernel = say(g, "/proc/%d/fd/%d -> %s", payload->pid, child->list[i].fd,
                             child->list[i].target),
               .see = "lab01 ls -l /proc/self/fd 7</etc/passwd");
    for (int i = 0; i < 3; i++)
        expect(g, kernel_fds_find(child, i) != NULL, .because = "no-stdio",
               .expected = "COMMAND has the fds 0, 1 and 2 of its caller",
               .kernel = say(g, "/proc/%d/fd has no %d", payload->pid, i),
               .see = "lab01 ls -l /proc/self/fd");
    for (size_t i = 0; i < parent->count; i++) {
        const struct kernel_fd *fd = &parent->list[i];
        bool given = fd->fd <= 2;
        for (size_t k = 0; k < EXTRA_FDS; k++)
            given = given || fd->fd == extra[k].to;
        expect(g, given || (strncmp(fd->target, "pipe:", 5) != 0 &&
                            strncmp(fd->target, "socket:", 7) != 0),
               .because = "left-open", .expected = "process_start closes what it opened",
               .kernel = say(g, "/proc/%d/fd/%d -> %s, while COMMAND runs", run_program_pid(run),
                             fd->fd, fd->target),
               .see = "lab01 sleep 9 & sleep 1; ls -l /proc/$!/fd");
    }
}

/* The strings of `wanted`, each ended by NUL, and nothing else. */
static void check_environment(struct run *run, const char *const *wanted, const char *secret)
{
    struct grade *g = run_grade(run);
    const struct payload *payload = run_payload(run);
    size_t length, own_length;
    const char *own = facts_bytes_within(g, run_program_pid(run), run_program_pidfd(run),
                                         CLONE_NEWUSER,
                                         say(g, "/proc/%d/environ", run_program_pid(run)),
                                         &own_length);
    const char *text = facts_bytes_within(g, payload->pid, payload->pidfd, CLONE_NEWUSER,
                                          say(g, "/proc/%d/environ", payload->pid), &length);
    const char *see = "SECRET=1 lab01 -e A=b env";

    if (memmem(own, own_length, secret, strlen(secret)) == NULL)
        grade_error(g, 0, "the lab program was started without its environment");
    expect(g, memmem(text, length, secret, strlen(secret)) == NULL, .because = "environment-leaks",
           .expected = "nothing of the caller's own environment",
           .kernel = say(g, "/proc/%d/environ holds %s", payload->pid, secret), .see = see);
    const char *at = text;
    for (; *wanted != NULL; wanted++) {
        bool there = at < text + length && strcmp(at, *wanted) == 0;
        expect(g, there, .because = "environment-differs",
               .expected = say(g, "the environment of spec, in its order: %s", *wanted),
               .kernel = say(g, "/proc/%d/environ has %s there", payload->pid,
                             at < text + length ? at : "nothing"),
               .see = see);
        at += strlen(at) + 1;
    }
    expect(g, at == text + length, .because = "environment-differs",
           .expected = "exactly the environment of spec",
           .kernel = say(g, "/proc/%d/environ goes on with %s", payload->pid, at), .see = see);
}

static void check_clean(struct grade *g, uint64_t ignored, uint64_t blocked)
{
    const char *secret = say(g, "SECRET_%s=%s", grade_word(g, 4), grade_word(g, 12));
    const char *const junk[] = {"PATH=/strata:/usr/bin:/bin", "HOME=/tmp", "LD_STRATA=1", secret,
                                NULL};
    const char *const wanted[] = {say(g, "PATH=/%s:/bin", grade_word(g, 4)),
                                  say(g, "A_%s=%s =x", grade_word(g, 3), grade_word(g, 5)), "EMPTY=",
                                  say(g, "LINES=%s\n%s", grade_word(g, 3), grade_word(g, 3)), NULL};
    const char *const arguments[] = {"-e", wanted[0], "-e", wanted[1],
                                     "-e", wanted[2], "-e", wanted[3], NULL};
    struct room_fd extra[EXTRA_FDS];
    autoclose int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

    for (int i = 0; i < EXTRA_FDS; i++) /* the lowest, some in between, the far end */
        extra[i] = (struct room_fd){null, i < 2 ? 3 + i : 10 + 400 * i + grade_between(g, 0, 180)};
    struct run *run = run_start(g, &(struct run_options){.arguments = arguments,
                                                         .environment = junk,
                                                         .fds = extra,
                                                         .fd_count = EXTRA_FDS,
                                                         .ignored = ignored,
                                                         .blocked = blocked});
    run_payload(run);
    check_clean_signals(run, ignored, blocked);
    check_clean_fds(run, extra);
    check_environment(run, wanted, secret);
    check_end(run, grade_between(g, 0, 255));
}

static void step_clean_start(struct grade *g)
{
    uint64_t ignored = draw_signals(g), blocked = draw_signals(g);

    check_clean(g, ignored, blocked);
    /* With CHLD ignored the kernel would keep no exit status, if that reached the wait. */
    check_clean(g, ~ignored & draw_signals(g), (uint64_t)1 << (SIGCHLD - 1));
}

static const struct step steps[] = {
    {.number = 1,
     .slug = "run",
     .title = "run it and return its exit status",
     .points = 25,
     .needs = NEED_USERNS,
     .chapter = "run",
     .man = "clone(2), \"clone3\"; waitid(2)",
     .run = step_run},
    {.number = 2,
     .slug = "status",
     .title = "125, 126, 127 and 128+n",
     .points = 25,
     .needs = NEED_USERNS,
     .after = {1},
     .chapter = "status",
     .man = "waitid(2), execve(2) ERRORS, pipe(7)",
     .run = step_status},
    {.number = 3,
     .slug = "eintr",
     .title = "the wait goes on after a signal handler",
     .points = 15,
     .needs = NEED_USERNS,
     .after = {1},
     .chapter = "eintr",
     .man = "signal(7), \"Interruption of system calls\"",
     .run = step_eintr},
    {.number = 4,
     .slug = "clean-start",
     .title = "a clean start: fds, signals, environment",
     .points = 20,
     .needs = NEED_USERNS,
     .after = {1},
     .chapter = "clean-start",
     .man = "execve(2), close_range(2), sigprocmask(2)",
     .run = step_clean_start},
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
