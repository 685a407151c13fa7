/* Lab 01, step 1: one process, the namespaces that were asked for, and a wait for its end. */
#include "graders/01-process.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "grade/facts.h"
#include "kernel/namespace.h"
#include "kernel/stat.h"
#include "kernel/tree.h"

static void check_parent(struct run *run)
{
    struct grade *g = run_grade(run);
    const struct payload *payload = run_payload(run);
    struct kernel_stat stat;

    int result = kernel_stat_read(payload->pid, &stat);
    if (result < 0)
        grade_error(g, result, "cannot read /proc/%d/stat", payload->pid);
    expect(g, stat.ppid == run_program_pid(run), .because = "other-parent",
           .expected =
               say(g, "COMMAND is a child of your program, process %d", run_program_pid(run)),
           .kernel = say(g, "PPid in /proc/%d/status is %d", payload->pid, stat.ppid),
           .see = "lab01 sleep 9 & sleep 1; ps -o pid,ppid,comm");
    struct process_list all = process_in_room(run);
    for (size_t i = 0; i < all.count; i++) {
        if (all.list[i] == payload->pid || all.list[i] == run_program_pid(run) ||
            kernel_stat_read(all.list[i], &stat) < 0)
            continue;
        fail(g, .because = "more-processes",
             .expected = "one process is made, and it becomes COMMAND",
             .kernel =
                 say(g, "there is another one: %d (%s), state %c", stat.pid, stat.comm, stat.state),
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
           .kernel =
               say(g, "/proc/%d/cmdline holds %zu bytes, not these %zu", payload->pid, got, length),
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
               .kernel =
                   say(g, "/proc/%d/ns/%s of the parent has changed", run_program_pid(run), name),
               .see = "unshare(2) changes its caller; the flags of clone3 change the child");
        bool asked = (wanted & kernel_ns_flag(kind)) != 0;
        expect(g, same != asked, .because = asked ? "namespace-missing" : "namespace-too-many",
               .expected =
                   asked ? say(g, "a new %s namespace, as spec->namespaces asks for", name)
                         : say(g, "the caller's %s namespace: nobody asked for a new one", name),
               .kernel = say(g, "/proc/%d/ns/%s is %s", pid, name,
                             same ? "the same as outside" : "another than outside"),
               .see = say(g, "lab01 --new %s readlink /proc/self/ns/%s; readlink /proc/self/ns/%s",
                          name, name, name));
    }
}

static void check_start(struct grade *g, const char *news, unsigned flags)
{
    const char *const with[] = {"--new", news, NULL};
    const char *const more[] = {
        grade_word(g, 5), "", say(g, "%s %s", grade_word(g, 2), "b"), "--frob", "two\nlines", NULL};
    struct run *run = run_start(
        g, &(struct run_options){.arguments = news != NULL ? with : NULL, .probe_arguments = more});

    run_payload(run);
    check_parent(run);
    check_arguments(run, more);
    check_namespaces(run, flags);
    process_check_end(run, grade_between(g, 2, 124));
}

/* A filter that cannot see clone3's flags says that there is no clone3: lab 10 makes one. */
static void check_without_clone3(struct grade *g)
{
    const char *const arguments[] = {"--start-with", "noclone3", "/strata/lab01", NULL};
    const char *const command[] = {"/strata/busybox", "true", NULL};
    struct run *run =
        run_start(g, &(struct run_options){
                         .program = "/strata/probe", .arguments = arguments, .command = command});
    int status = run_exit_status(run);

    expect(g, status == 0, .because = "no-clone3",
           .expected = "without clone3 (ENOSYS) COMMAND is started all the same, by clone",
           .kernel = say(g, "the program ended with %d", status),
           .see = "clone(2), \"C library/kernel differences\"; process.h, process_start");
}

static bool child_gone_or_command(void *arg)
{
    struct process_family *family = arg;
    struct kernel_stat stat;

    return kernel_stat_read(family->child, &stat) < 0 || stat.state == 'Z' ||
           strcmp(stat.comm, "lab01") != 0;
}

/* The child runs nothing before the parent's hooks are done, nor when the parent dies in one. */
static void check_go_ahead(struct run *helper)
{
    struct grade *g = run_grade(helper);
    struct process_family family;
    struct kernel_stat stat;
    struct run *run =
        process_start_held(helper, "parent", say(g, "/tmp/%s", grade_word(g, 6)), &family);

    expect(g, kernel_stat_read(family.child, &stat) == 0 && strcmp(stat.comm, "lab01") == 0,
           .because = "no-go-ahead",
           .expected = "the child waits until the parent's hooks are done",
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

struct stop {
    struct run *run;
    int looks;
};

/* COMMAND is stopped, and its parent has had time to take that for an end. */
static bool stopped_a_while(void *arg)
{
    struct stop *stop = arg;
    struct kernel_stat stat;

    if (run_ended(stop->run) || kernel_stat_read(run_payload(stop->run)->pid, &stat) < 0)
        return true;
    stop->looks += stat.state == 'T';
    return stop->looks > 40;
}

/* A stopped process has not ended; a wait that takes it for dead returns too early. */
static void check_stop(struct grade *g)
{
    int wanted = grade_between(g, 2, 124);
    struct stop stop = {.run = run_start(g, &(struct run_options){0})};
    struct run *run = stop.run;

    kill(run_payload(run)->pid, SIGSTOP);
    run_until(run, stopped_a_while, &stop);
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
    struct run *run = process_run_command(helper, arguments, command);
    int status = run_exit_status(run);
    expect(g, status != 0 && strstr(run_output(run), word) == NULL, .because = "refused-ran",
           .expected = "no UTS namespace is to be had (ENOSPC): then COMMAND does not run",
           .kernel = "your program has started it all the same, without", .see = see);
    expect(g, status == 125 && run_said(run, strerror(ENOSPC)), .because = "refused-error",
           .expected = say(g, "status 125 and the kernel's own error: %s", strerror(ENOSPC)),
           .kernel = say(g, "exit status %d; its words are below", status), .see = see);
}

/* A control group is a folder of a cgroup2 file system. Any other one the kernel refuses (EBADF),
 * so a start that goes well has not passed it on. */
static void check_cgroup_passed(struct run *helper)
{
    struct grade *g = run_grade(helper);
    const char *word = grade_word(g, 8);
    const char *const command[] = {"/strata/busybox", "echo", word, NULL};
    const char *const arguments[] = {"--into", "/tmp", NULL};
    struct run *run = process_run_command(helper, arguments, command);
    int status = run_exit_status(run);

    expect(g, status == 125 && strstr(run_output(run), word) == NULL, .because = "cgroup-ignored",
           .expected =
               "spec->cgroup reaches the kernel, which refuses one that is none: status 125",
           .kernel = say(g, "exit status %d: /tmp was taken for a control group", status),
           .see = "lab01 --into /tmp true; echo $?");
}

static bool other_child_ended(void *arg)
{
    struct run *run = arg;
    struct kernel_pids pids = {0};
    struct kernel_stat stat;
    bool found = false;

    if (kernel_children(run_program_pid(run), &pids) == 0)
        for (size_t i = 0; i < pids.count; i++)
            found = found || (kernel_stat_read(pids.list[i], &stat) == 0 && stat.state == 'Z');
    kernel_pids_free(&pids);
    return found || run_ended(run);
}

/* The other child waits for somebody to write; before it does, there is nobody to write to. */
static bool other_child_let_go(void *arg)
{
    return strncmp(run_ask(arg, "write /tmp/gate go"), "ok", 2) == 0;
}

/* The program may have a child that it knows nothing of: whoever executed it made one before. That
 * one ends while COMMAND runs. */
static void check_other_child(struct grade *g)
{
    int wanted = grade_between(g, 2, 62), other = grade_between(g, 63, 124);
    const char *const arguments[] = {
        "sh", "-c",
        say(g, "mkfifo /tmp/gate; (read word </tmp/gate; exit %d) & exec /strata/lab01 -- \"$@\"",
            other),
        NULL};
    struct run *run =
        run_start(g, &(struct run_options){.program = "/strata/busybox", .arguments = arguments});

    run_payload(run);
    run_until(run, other_child_let_go, run);
    run_until(run, other_child_ended, run);
    run_tell(run, "exit %d", wanted);
    int status = run_exit_status(run);
    expect(g, status == wanted, .because = "other-child",
           .expected = say(g, "the wait is for COMMAND, which exits with %d", wanted),
           .kernel =
               say(g, "exit status %d: another child of the same process was waited for", status),
           .see = "sh -c '(exit 9) & exec lab01 sleep 2'; echo $?");
}

void process_step_run(struct grade *g)
{
    static const struct {
        const char *name;
        unsigned flag;
    } kinds[] = {{"uts", CLONE_NEWUTS}, {"ipc", CLONE_NEWIPC}, {"net", CLONE_NEWNET},
                 {"mnt", CLONE_NEWNS},  {"pid", CLONE_NEWPID}, {"cgroup", CLONE_NEWCGROUP}};
    enum { KINDS = sizeof kinds / sizeof *kinds };
    size_t one = grade_random(g, KINDS), two = (one + 1 + grade_random(g, KINDS - 1)) % KINDS;

    check_start(g, NULL, 0);
    check_without_clone3(g);
    check_start(g, kinds[one].name, kinds[one].flag);
    check_start(g, say(g, "%s,%s", kinds[one].name, kinds[two].name),
                kinds[one].flag | kinds[two].flag);
    check_stop(g);
    check_other_child(g);
    struct run *helper = process_helper(g, NULL);
    check_go_ahead(helper);
    process_check_hook_failure(helper, "parent", false);
    check_refused_clone(helper);
    check_cgroup_passed(helper);
}
