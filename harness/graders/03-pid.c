/*
 * Lab 03: PID 1 and its duties.
 *
 * All is seen from outside, where every process of the container has a number as well: who its
 * parent is, which of them are zombies, whether an init sleeps. Absences ("no zombie stays") are
 * graded after their presence was shown, and never by waiting for a while: an init that sleeps
 * although there is something to do will not do it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "grade/facts.h"
#include "grade/run.h"
#include "grade/step.h"
#include "kernel/file.h"
#include "kernel/inside.h"
#include "kernel/mountinfo.h"
#include "kernel/namespace.h"
#include "kernel/own.h"
#include "kernel/stat.h"
#include "kernel/status.h"
#include "kernel/tree.h"

static struct run *run_option(struct grade *g, const char *option)
{
    const char *const arguments[] = {option, NULL};

    return run_start(g, &(struct run_options){.arguments = arguments});
}

/* --- processes, as /proc shows them outside ------------------------------------------------- */

/* A process's state; 'Z' also when it is gone already. */
static char state_of(pid_t pid)
{
    struct kernel_stat stat;

    return kernel_stat_read(pid, &stat) == 0 ? stat.state : 'Z';
}

static struct kernel_status status_of(struct grade *g, pid_t pid)
{
    struct kernel_status status;
    int result = kernel_status_read(pid, &status);

    if (result == -ESRCH)
        fail(g, .because = "payload-gone", .expected = say(g, "process %d still runs", pid),
             .kernel = say(g, "/proc/%d is gone", pid), .see = "make trace03");
    if (result < 0)
        grade_error(g, result, "cannot read /proc/%d/status", pid);
    kernel_status_free(&status); /* its lists; the numbers stay */
    return status;
}

static struct kernel_ns_id namespace_of(struct grade *g, pid_t pid, const char *kind)
{
    struct kernel_ns_id id;
    int result = kernel_ns(pid, kind, &id);

    if (result < 0)
        grade_error(g, result, "cannot look at /proc/%d/ns/%s", pid, kind);
    return id;
}

static bool same_namespace(struct grade *g, pid_t a, pid_t b, const char *kind)
{
    return kernel_ns_equal(namespace_of(g, a, kind), namespace_of(g, b, kind));
}

/* The numbers that a process has from the room inwards, as NSpid shows them there: "41 2 1". */
static const char *numbers_of(struct run *run, pid_t pid)
{
    struct grade *g = run_grade(run);
    size_t from = status_of(g, run_outside_pid(run)).nspid.count - 1;
    struct kernel_status status = status_of(g, pid);
    const char *text = "";

    for (size_t i = from; i < status.nspid.count; i++)
        text = say(g, "%s%s%d", text, i > from ? " " : "", status.nspid.pid[i]);
    return text;
}

/* Its last number, when it is `levels` PID namespaces further in than the room; else 0. */
static pid_t number_at(struct run *run, pid_t pid, size_t levels)
{
    struct grade *g = run_grade(run);
    size_t outside = status_of(g, run_outside_pid(run)).nspid.count;
    struct kernel_status status = status_of(g, pid);

    return status.nspid.count == outside + levels ? status.nspid.pid[outside + levels - 1] : 0;
}

struct signals {
    pid_t pid;
    uint64_t mask; /* bit n-1 for signal n */
};

/* Runs as a member of the room's user namespace, where we may signal everybody. */
static int send_all(void *arg, int out)
{
    const struct signals *signals = arg;

    (void)out;
    for (int number = 1; number < NSIG; number++)
        if ((signals->mask >> (number - 1) & 1) != 0 && kill(signals->pid, number) < 0)
            return -errno;
    return 0;
}

static uint64_t bit(int number)
{
    return (uint64_t)1 << (number - 1);
}

static void send_signals(struct run *run, pid_t pid, uint64_t mask)
{
    struct signals signals = {pid, mask};
    autofree char *text = NULL;
    size_t length;
    int result = kernel_inside(run_outside_pidfd(run), run_outside_pid(run), CLONE_NEWUSER, send_all,
                               &signals, &text, &length);

    if (result < 0 && result != -ESRCH)
        grade_error(run_grade(run), result, "cannot send a signal to process %d", pid);
}

static void send_signal(struct run *run, pid_t pid, int number)
{
    send_signals(run, pid, bit(number));
}

struct in_state {
    pid_t pid;
    char state;
};

static bool is_in_state(void *arg)
{
    const struct in_state *wanted = arg;

    return state_of(wanted->pid) == wanted->state;
}

static void await_state(struct run *run, pid_t pid, char state)
{
    if (!run_until(run, is_in_state, &(struct in_state){pid, state}))
        grade_error(run_grade(run), 0, "process %d does not reach state %c", pid, state);
}

/* --- waiting for an init -------------------------------------------------------------------- */

enum { ASLEEP_MS = 250, ASLEEP_LOOKS = 10 };

/* What is waited for, and who would have to wake up for it. */
struct settling {
    struct run *run;
    bool (*holds)(struct settling *settling);
    pid_t init, command;
    size_t children;     /* children_are: how many                 */
    uint64_t mask;       /* all_came: which signals                */
    int64_t asleep_from; /* when both were first seen asleep; 0    */
    int looks;           /* how often since                        */
    bool held;
};

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool settled(void *arg)
{
    struct settling *settling = arg;
    bool asleep = strchr("SZ", state_of(settling->init)) != NULL &&
                  strchr("SZ", state_of(settling->command)) != NULL;

    settling->held = settling->holds(settling);
    if (settling->held)
        return true;
    if (!asleep) {
        settling->asleep_from = 0;
        return false;
    }
    if (settling->asleep_from == 0) {
        settling->asleep_from = now_ms();
        settling->looks = 0;
    }
    return ++settling->looks >= ASLEEP_LOOKS && now_ms() - settling->asleep_from >= ASLEEP_MS;
}

/* Waits until it holds. False as soon as init (and COMMAND) sleep on without that, or when it takes
 * too long. */
static bool settle(struct settling *settling)
{
    settling->asleep_from = 0;
    run_until(settling->run, settled, settling);
    return settling->held;
}

static size_t count_children(pid_t pid, size_t *zombies)
{
    struct kernel_pids children = {0};
    size_t count = 0;

    *zombies = 0;
    if (kernel_children(pid, &children) == 0)
        for (size_t i = 0; i < children.count; i++)
            *zombies += state_of(children.list[i]) == 'Z';
    count = children.count;
    kernel_pids_free(&children);
    return count;
}

static bool children_are(struct settling *settling)
{
    size_t zombies;

    return count_children(settling->init, &zombies) == settling->children || run_ended(settling->run);
}

static bool has_ended(struct settling *settling)
{
    return run_ended(settling->run);
}

/* All have ended: zombies now, or gone, where init lets the kernel reap. */
static bool zombies_are(void *arg)
{
    const struct settling *settling = arg;
    size_t zombies, count = count_children(settling->init, &zombies);

    return zombies == settling->children || count <= 1;
}

/* Is init on its way out? The kernel marks it before it kills the others: PF_EXITING. */
static bool is_leaving(pid_t pid)
{
    struct kernel_stat stat;

    return kernel_stat_read(pid, &stat) < 0 || stat.state == 'Z' || (stat.flags & 4) != 0;
}

struct idling {
    pid_t pid;
    int64_t from; /* when it was first seen asleep; 0: it was not */
};

/* Asleep at every look for a while (or gone): it has done what there was to do. */
static bool is_idle(void *arg)
{
    struct idling *idling = arg;

    if (is_leaving(idling->pid))
        return true;
    if (state_of(idling->pid) != 'S')
        idling->from = 0;
    else if (idling->from == 0)
        idling->from = now_ms();
    return idling->from != 0 && now_ms() - idling->from >= 15;
}

static bool await_idle(struct run *run, pid_t pid)
{
    return run_until(run, is_idle, &(struct idling){.pid = pid});
}

/* Runs as a member of the user namespace: the number of the system call that a process waits in. */
static int look_at_call(void *arg, int out)
{
    const pid_t *pid = arg;
    autofree char *text = NULL;
    size_t length;
    int result = kernel_read_pid(*pid, "syscall", &text, &length);

    return result < 0 ? result : kernel_write_all(out, text, length);
}

static const char *call_of(struct run *run, pid_t pid)
{
    struct grade *g = run_grade(run);
    autofree char *text = NULL;
    size_t length;
    int number;

    if (kernel_inside(run_outside_pidfd(run), run_outside_pid(run), CLONE_NEWUSER, look_at_call, &pid,
                      &text, &length) < 0 ||
        sscanf(text, "%d", &number) != 1)
        return say(g, "state %c", state_of(pid));
    autofree char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);
    return say(g, "%s", name != NULL ? name : "a system call");
}

/* --- an init ---------------------------------------------------------------------------------- */

struct init {
    pid_t pid; /* as we number it */
    int pidfd;
};

static void close_fd(void *fd)
{
    close((int)(intptr_t)fd);
}

/* Runs as a member of the user namespace: which file a process executes. */
static int look_at_program(void *arg, int out)
{
    const pid_t *pid = arg;
    char path[64];
    struct stat st;

    snprintf(path, sizeof path, "/proc/%d/exe", *pid);
    if (stat(path, &st) < 0)
        return -errno;
    uint64_t identity[2] = {st.st_dev, st.st_ino};
    return kernel_write_all(out, identity, sizeof identity);
}

static bool same_program(struct run *run, pid_t a, pid_t b)
{
    autofree char *first = NULL, *second = NULL;
    size_t length;
    int fd = run_outside_pidfd(run);
    pid_t pid = run_outside_pid(run);

    return kernel_inside(fd, pid, CLONE_NEWUSER, look_at_program, &a, &first, &length) == 0 &&
           kernel_inside(fd, pid, CLONE_NEWUSER, look_at_program, &b, &second, &length) == 0 &&
           memcmp(first, second, length) == 0;
}

/* The init of a run with --init: PID 1, and the student's program still; `command` is its child. */
static struct init find_init(struct run *run, pid_t command)
{
    struct grade *g = run_grade(run);
    struct init init = {.pid = status_of(g, command).ppid};
    const char *see = "lab03 --init sh -c 'echo $$ $PPID'";

    expect(g, number_at(run, command, 1) != 1, .because = "no-init",
           .expected = "with --init, COMMAND is PID 2 and your init is PID 1",
           .kernel = say(g, "NSpid of /proc/%d/status: %s: COMMAND is PID 1 itself", command,
                         numbers_of(run, command)), .see = see);
    expect(g, init.pid != 0 && init.pid != run_program_pid(run) && number_at(run, init.pid, 1) == 1,
           .because = "init-not-1", .expected = "the parent of COMMAND is PID 1 of a new namespace",
           .kernel = say(g, "the parent of COMMAND, NSpid: %s, is process %d, NSpid: %s",
                         numbers_of(run, command), init.pid,
                         init.pid != 0 ? numbers_of(run, init.pid) : "none"), .see = see);
    expect(g, same_program(run, init.pid, run_program_pid(run)), .because = "init-foreign",
           .expected = "init is your program: it goes on, it does not execute another",
           .kernel = say(g, "/proc/%d/exe is another file than that of the program", init.pid),
           .see = "ls -l /proc/PID/exe");
    expect(g, same_namespace(g, init.pid, run_outside_pid(run), "user"), .because = "init-user",
           .expected = "init is in the user namespace of outside",
           .kernel = say(g, "/proc/%d/ns/user -> %s", init.pid,
                         facts_namespace(g, init.pid, "user")),
           .see = "lab03 --init readlink /proc/self/ns/user");
    init.pidfd = (int)syscall(SYS_pidfd_open, init.pid, 0);
    if (init.pidfd < 0)
        grade_error(g, -errno, "cannot hold the init, process %d", init.pid);
    grade_defer(g, close_fd, (void *)(intptr_t)init.pidfd);
    return init;
}

static struct run *start_init(struct grade *g, struct init *init)
{
    struct run *run = run_option(g, "--init");

    *init = find_init(run, run_payload(run)->pid);
    return run;
}

/* --- 1: PID 1 --------------------------------------------------------------------------------- */

static void step_pid_1(struct grade *g)
{
    static const char *const others[] = {"uts", "ipc"}, *const kept[] = {"user", "net", "cgroup"};
    struct run *run = run_start(g, &(struct run_options){0});
    pid_t pid = run_payload(run)->pid, program = run_program_pid(run), out = run_outside_pid(run);

    facts_own_namespace(run, "pid");
    expect(g, same_namespace(g, program, out, "pid_for_children"), .because = "moved-children",
           .expected = "only COMMAND's start asks for a namespace; the program's other children "
                       "stay outside",
           .kernel = say(g, "/proc/%d/ns/pid_for_children is no longer what it was", program),
           .see = "unshare(2) changes where its caller's children are born: pid_namespaces(7)");
    expect(g, number_at(run, pid, 1) == 1, .because = "not-1",
           .expected = "COMMAND has two numbers: one outside, and 1",
           .kernel = say(g, "NSpid of /proc/%d/status: %s", pid, numbers_of(run, pid)),
           .see = "lab03 sh -c 'echo $$'");
    expect(g, status_of(g, pid).ppid == program, .because = "not-child",
           .expected = say(g, "COMMAND is the child of the program, process %d", program),
           .kernel = say(g, "PPid of /proc/%d/status: %d", pid, status_of(g, pid).ppid),
           .see = "lab03 sleep 9 &  and then: cat /proc/$!/task/$!/children");
    for (size_t i = 0; i < 2; i++)
        expect(g, !same_namespace(g, pid, out, others[i]), .because = "lost-flags",
               .expected = say(g, "the %s namespace of layer 02 is still there", others[i]),
               .kernel = say(g, "/proc/%d/ns/%s -> %s, the same as outside", pid, others[i],
                             facts_namespace(g, pid, others[i])),
               .see = say(g, "lab03 readlink /proc/self/ns/%s", others[i]));
    for (size_t i = 0; i < 3; i++)
        expect(g, same_namespace(g, pid, out, kept[i]), .because = "more-namespaces",
               .expected = say(g, "COMMAND's %s namespace is that of outside", kept[i]),
               .kernel = say(g, "/proc/%d/ns/%s -> %s, outside %s", pid, kept[i],
                             facts_namespace(g, pid, kept[i]), facts_namespace(g, out, kept[i])),
               .see = say(g, "lab03 readlink /proc/self/ns/%s", kept[i]));
}

/* --- 2: /proc --------------------------------------------------------------------------------- */

static void free_mounts(void *mounts)
{
    kernel_mounts_free(mounts);
    free(mounts);
}

static const struct kernel_mounts *mounts_of(struct grade *g, pid_t pid)
{
    struct kernel_mounts *mounts = calloc(1, sizeof *mounts);
    int result = mounts != NULL ? kernel_mounts_read(pid, mounts) : -ENOMEM;

    if (result < 0)
        grade_error(g, result, "cannot read /proc/%d/mountinfo", pid);
    grade_defer(g, free_mounts, mounts);
    return mounts;
}

static const char *describe_mount(struct grade *g, const struct kernel_mount *mount)
{
    return say(g, "%d %d %u:%u %s %s %s - %s", mount->id, mount->parent, mount->major, mount->minor,
               mount->root, mount->target, mount->options, mount->fstype);
}

/* The proc at `target` in the mounts of `pid` is none of those in `older`, and may do little. */
static void check_proc_mount(struct grade *g, pid_t pid, const char *target,
                             const struct kernel_mounts *older)
{
    static const char *const flags[] = {"nosuid", "nodev", "noexec"};
    const struct kernel_mount *mount = kernel_mounts_at(mounts_of(g, pid), target);
    const char *see = "lab03 cat /proc/self/mountinfo";

    expect(g, mount != NULL && strcmp(mount->fstype, "proc") == 0 && strcmp(mount->root, "/") == 0,
           .because = "no-proc", .expected = say(g, "a proc is mounted at %s", target),
           .kernel = mount != NULL ? say(g, "mountinfo: %s", describe_mount(g, mount))
                                   : say(g, "no mount at %s in /proc/%d/mountinfo", target, pid),
           .see = see);
    for (size_t i = 0; i < older->count; i++)
        expect(g, older->list[i].major != mount->major || older->list[i].minor != mount->minor,
               .because = "old-proc",
               .expected = say(g, "a fresh proc at %s, not one that was there before", target),
               .kernel = say(g, "device %u:%u, as outside: %s", mount->major, mount->minor,
                             describe_mount(g, mount)), .see = see);
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        expect(g, kernel_mount_has(mount->options, flags[i]), .because = "proc-flags",
               .expected = say(g, "%s is mounted with %s", target, flags[i]),
               .kernel = say(g, "mountinfo: %s", describe_mount(g, mount)), .see = see);
}

/* How a mount could come out of the container: what its tree says about it. */
struct leak {
    const char *because, *how;
};

static struct leak explain_leak(struct grade *g, pid_t inside, pid_t outside)
{
    const struct kernel_mounts *mounts = mounts_of(g, inside);
    const struct kernel_mount *root = kernel_mounts_at(mounts, "/");

    if (same_namespace(g, inside, outside, "mnt"))
        return (struct leak){"same-mounts", "COMMAND shares the mount namespace of outside"};
    if (root != NULL && root->shared != 0)
        return (struct leak){"not-private", say(g, "/ inside is still shared:%d", root->shared)};
    for (size_t i = 0; i < mounts->count; i++)
        if (mounts->list[i].shared != 0)
            return (struct leak){"not-recursive", say(g, "/ inside is private, but %s is shared:%d",
                                                      mounts->list[i].target, mounts->list[i].shared)};
    return (struct leak){"too-late", "inside all is private now: it was not yet when that was mounted"};
}

/* The mounts of the room are those that it had: nothing has come out of the container. */
static void check_outside(struct grade *g, const struct kernel_mounts *before, pid_t outside,
                          pid_t inside)
{
    const struct kernel_mounts *after = mounts_of(g, outside);
    struct leak leak = explain_leak(g, inside, outside);

    for (size_t i = 0; i < after->count; i++)
        expect(g, kernel_mounts_id(before, after->list[i].id) != NULL, .because = leak.because,
               .expected = "outside no mount appears",
               .kernel = say(g, "mountinfo outside: %s; %s", describe_mount(g, &after->list[i]),
                             leak.how),
               .see = "cat /proc/self/mountinfo in make shell03, before and after");
    expect(g, after->count == before->count, .because = "mount-gone",
           .expected = "outside no mount goes away",
           .kernel = say(g, "%zu mounts outside, where there were %zu", after->count, before->count),
           .see = "cat /proc/self/mountinfo in make shell03, before and after");
}

/* Runs as a member of the mount namespace: the numbers in /proc. */
static int list_numbers(void *arg, int out)
{
    DIR *folder = opendir(arg);
    int result = folder == NULL ? -errno : 0;

    for (struct dirent *entry; result == 0 && (entry = readdir(folder)) != NULL;) {
        char line[32];
        long number = strtol(entry->d_name, NULL, 10);
        if (number > 0)
            result = kernel_write_all(out, line,
                                      (size_t)snprintf(line, sizeof line, "%ld ", number));
    }
    if (folder != NULL)
        closedir(folder);
    return result;
}

static int ascending(const void *a, const void *b)
{
    const pid_t *left = a, *right = b;

    return (*left > *right) - (*left < *right);
}

/* What the kernel says that /proc should show: the numbers, in their own namespace, of all in the
 * namespace of `pid`, and in those further in. */
static const char *numbers_in(struct grade *g, pid_t pid)
{
    struct kernel_pids all = {0};
    size_t level = status_of(g, pid).nspid.count - 1;
    const char *text = "";
    int result = kernel_pids_in_ns(namespace_of(g, pid, "pid"), &all);

    if (result < 0)
        grade_error(g, result, "cannot list the processes of a PID namespace");
    for (size_t i = 0; i < all.count; i++)
        all.list[i] = status_of(g, all.list[i]).nspid.pid[level];
    qsort(all.list, all.count, sizeof *all.list, ascending);
    for (size_t i = 0; i < all.count; i++)
        text = say(g, "%s%d ", text, all.list[i]);
    kernel_pids_free(&all);
    return text;
}

static void check_proc_shows(struct grade *g, pid_t pid, int pidfd, const char *folder)
{
    autofree char *text = NULL;
    size_t length;
    int result = kernel_inside(pidfd, pid, CLONE_NEWUSER | CLONE_NEWNS, list_numbers,
                               (void *)folder, &text, &length);

    if (result < 0)
        grade_error(g, result, "cannot list %s of process %d", folder, pid);
    const char *shown = say(g, "%s", text), *wanted = numbers_in(g, pid);
    expect(g, strcmp(shown, wanted) == 0, .because = "proc-shows",
           .expected = say(g, "%s shows the processes of the namespace: %s", folder, wanted),
           .kernel = say(g, "%s shows: %.80s", folder, shown), .see = "lab03 ls /proc");
}

static void step_proc(struct grade *g)
{
    struct run *room = run_start(
        g, &(struct run_options){.program = "/strata/probe", .no_command = true});
    const struct kernel_mounts *before = mounts_of(g, run_outside_pid(room));
    struct run *run = run_start(g, &(struct run_options){.beside = room});
    const struct payload *payload = run_payload(run);
    const struct kernel_mounts *inside = mounts_of(g, payload->pid);

    check_outside(g, before, run_outside_pid(run), payload->pid);
    facts_own_namespace(run, "mnt");
    check_proc_mount(g, payload->pid, "/proc", before);
    for (size_t i = 0; i < inside->count; i++)
        expect(g, inside->list[i].shared == 0, .because = "tree-shared",
               .expected = "no mount inside passes on to outside what happens below it",
               .kernel = say(g, "mountinfo inside: %s has shared:%d", inside->list[i].target,
                             inside->list[i].shared),
               .see = "lab03 grep shared: /proc/self/mountinfo");
    check_proc_shows(g, payload->pid, payload->pidfd, "/proc");
    for (int i = grade_between(g, 2, 4); i > 0; i--)
        run_ask(run, "child");
    check_proc_shows(g, payload->pid, payload->pidfd, "/proc");

    /* Where it is told to mount it: in a folder of a random name, and in one that is not there. */
    const char *folder = say(g, "/tmp/%s", grade_word(g, 8));
    const char *const elsewhere[] = {"--proc", folder, NULL}, *const command[] = {"/strata/probe", NULL};
    run_ask(run, "mkdir %s", folder);
    struct run *other = run_start(g, &(struct run_options){.arguments = elsewhere, .beside = room});
    payload = run_payload(other);
    check_proc_mount(g, payload->pid, folder, before);
    check_proc_shows(g, payload->pid, payload->pidfd, folder);
    check_outside(g, before, run_outside_pid(run), payload->pid);

    const char *const missing[] = {"--proc", say(g, "/tmp/%s", grade_word(g, 9)), NULL};
    other = run_start(
        g, &(struct run_options){.arguments = missing, .command = command, .beside = room});
    int status = run_exit_status(other);
    expect(g, status == 125, .because = "error-ignored",
           .expected = say(g, "no folder %s: the start ends with 125", missing[1]),
           .kernel = say(g, "exit status %d: COMMAND was started without its /proc", status),
           .see = "lab03 --proc /nowhere true; echo $?");
    expect(g, run_said(other, "lab03: pid_mount_proc: No such file or directory"),
           .because = "wrong-error",
           .expected = "the kernel's own error is passed on: No such file or directory",
           .kernel = "pid_mount_proc returned another one: its words are below",
           .see = "lab03 --proc /nowhere true");
}

/* --- 3: reap ---------------------------------------------------------------------------------- */

/* `count` orphans end at the same moment. With `at_once` init is stopped meanwhile, so that all of
 * them leave it one SIGCHLD: signals of a kind that is pending already are not counted. */
static void check_orphans(struct run *run, const struct init *init, size_t count, bool at_once)
{
    struct grade *g = run_grade(run);
    struct settling settling = {.run = run, .holds = children_are, .init = init->pid,
                                .command = run_payload(run)->pid, .children = count + 1};
    size_t zombies;

    run_ask(run, "orphans %zu %d", count, grade_between(g, 1, 99));
    if (!settle(&settling) && !run_ended(run))
        grade_error(g, 0, "init has %zu children in place of %zu", count_children(init->pid, &zombies),
                    count + 1);
    if (at_once) {
        send_signal(run, init->pid, SIGSTOP);
        await_state(run, init->pid, 'T');
    }
    if (!run_ended(run))
        run_ask(run, "release");
    if (at_once) {
        settling.children = count;
        if (!run_until(run, zombies_are, &settling))
            grade_error(g, 0, "%zu orphans do not end", count);
        send_signal(run, init->pid, SIGCONT);
    }
    settling.children = 1;
    bool reaped = settle(&settling);
    await_idle(run, init->pid);
    expect(g, !is_leaving(init->pid), .because = "init-left",
           .expected = say(g, "%zu orphans end, and init and COMMAND go on", count),
           .kernel = "init has ended with them, and so the kernel has killed COMMAND",
           .see = "lab03 --init sh -c '(sleep 1 &); sleep 3; echo done'");
    count_children(init->pid, &zombies);
    expect(g, reaped, .because = zombies < count ? "some-zombies" : "zombies",
           .expected = say(g, "init reaps %zu orphan%s that ended%s", count, count > 1 ? "s" : "",
                           count > 1 ? " at once" : ""),
           .kernel = say(g, "%s of %zu are zombies, and init (process %d) sleeps in %s",
                         zombies < count ? say(g, "%zu", zombies) : "all", count, init->pid,
                         call_of(run, init->pid)),
           .see = "lab03 --init sh -c '/tmp/rootfs/usr/local/bin/orphans 30; exec sleep 4'");
}

static bool is_inherited(const struct kernel_fd *fd, const struct kernel_fds *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->list[i].fd > 2 && list->list[i].dev == fd->dev && list->list[i].ino == fd->ino &&
            (S_ISFIFO(fd->mode) || S_ISREG(fd->mode) || S_ISSOCK(fd->mode)))
            return true;
    return false;
}

struct fd_check {
    struct run *run;
    const struct init *init;
    struct stat given;
    const struct kernel_fd *left; /* one that should be closed */
};

/* Nothing that the program above has, or had, is open in init any more. What init has opened for
 * itself (a signalfd, say) is its own affair. */
static bool is_clean(void *arg)
{
    struct fd_check *check = arg;
    struct grade *g = run_grade(check->run);
    const struct kernel_fds *own = facts_fds(g, check->init->pid, check->init->pidfd);
    const struct kernel_fds *above =
        facts_fds(g, run_program_pid(check->run), run_program_pidfd(check->run));

    check->left = NULL;
    for (size_t i = 0; i < own->count; i++) {
        const struct kernel_fd *fd = &own->list[i];
        if (fd->fd > 2 && (is_inherited(fd, above) || (fd->dev == check->given.st_dev &&
                                                       fd->ino == check->given.st_ino)))
            check->left = fd;
    }
    return check->left == NULL;
}

/* init starts with descriptors that are not for it: two of ours, and the pipes of process_start. */
static void check_fds(struct grade *g)
{
    const char *const arguments[] = {"--init", NULL};
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        grade_error(g, -errno, "no pipe");
    grade_defer(g, close_fd, (void *)(intptr_t)ends[0]);
    grade_defer(g, close_fd, (void *)(intptr_t)ends[1]);
    const struct room_fd fds[] = {{ends[0], grade_between(g, 5, 30)},
                                  {ends[1], grade_between(g, 40, 900)}};
    struct run *run = run_start(
        g, &(struct run_options){.arguments = arguments, .fds = fds, .fd_count = 2});
    struct init init = find_init(run, run_payload(run)->pid);
    struct fd_check check = {.run = run, .init = &init};
    if (fstat(ends[0], &check.given) < 0)
        grade_error(g, -errno, "no pipe");
    /* COMMAND runs, so init has been told; once it sleeps again it has done what it does then. */
    bool clean = false;
    for (int look = 0; look < 5 && !clean; look++)
        clean = await_idle(run, init.pid) && is_clean(&check);
    if (!clean)
        fail(g, .because = "init-fds",
             .expected = "init closes every descriptor from 3 up once COMMAND runs",
             .kernel = say(g, "/proc/%d/fd/%d -> %s", init.pid, check.left->fd, check.left->target),
             .see = "ls -l /proc/PID/fd of your init");
}

/* COMMAND that is not there: the pipe to the parent must still be open then. */
static void check_not_started(struct grade *g)
{
    const char *const arguments[] = {"--init", NULL};
    const char *const command[] = {say(g, "no-%s", grade_word(g, 7)), NULL};
    struct run *run = run_start(g, &(struct run_options){.arguments = arguments, .command = command});

    run_exit_status(run);
    expect(g, run_said(run, say(g, "lab03: %s: No such file or directory", command[0])),
           .because = "start-error",
           .expected = say(g, "your program tells why it cannot start: \"lab03: %s: No such …\"",
                           command[0]),
           .kernel = "pid_init returned the error, but nobody above init heard of it",
           .see = "lab03 --init no-such-command");
}

static void step_reap(struct grade *g)
{
    struct init init;
    struct run *run = start_init(g, &init);
    pid_t command = run_payload(run)->pid;

    expect(g, number_at(run, command, 1) == 2, .because = "not-2",
           .expected = "with --init, COMMAND is PID 2",
           .kernel = say(g, "NSpid of /proc/%d/status: %s", command, numbers_of(run, command)),
           .see = "lab03 --init sh -c 'echo $$'");
    const uint64_t of_libc = bit(32) | bit(33); /* which it lets nobody reset */
    expect(g, ((status_of(g, command).sigblk | status_of(g, command).sigign) & ~of_libc) == 0,
           .because = "command-deaf", .expected = "COMMAND starts with no signal blocked or ignored",
           .kernel = say(g, "/proc/%d/status: SigBlk %016llx, SigIgn %016llx", command,
                         (unsigned long long)status_of(g, command).sigblk,
                         (unsigned long long)status_of(g, command).sigign),
           .see = "lab03 --init grep Sig /proc/self/status");
    bool idle = await_idle(run, init.pid);
    expect(g, idle, .because = "init-busy",
           .expected = "with nothing to do, init sleeps",
           .kernel = say(g, "/proc/%d/stat: state %c, at every look", init.pid, state_of(init.pid)),
           .see = "top, while lab03 --init sleep 9 runs");
    run_ask(run, "tally"); /* whatever init may pass on: COMMAND stays */
    check_orphans(run, &init, 1, false);
    check_orphans(run, &init, (size_t)grade_between(g, 20, 40), true);
    for (int i = 0; i < 4; i++)
        check_orphans(run, &init, (size_t)grade_between(g, 2, 20), false);
    check_fds(g);
    check_not_started(g);
}

/* --- 4: forward ------------------------------------------------------------------------------- */

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
        if ((settling->mask & bit(number)) != 0 &&
            strstr(reply, say(run_grade(settling->run), " %d:", number)) == NULL)
            return false;
    return true;
}

static const char *signal_name(struct grade *g, int number)
{
    const char *name = sigabbrev_np(number);

    return name != NULL ? say(g, "SIG%s", name) : say(g, "signal %d", number);
}

static void check_alive(struct run *run)
{
    expect(run_grade(run), !run_ended(run), .because = "program-gone",
           .expected = "a signal to init goes to COMMAND, and to nobody else",
           .kernel = "the program above init has ended", .see = "kill(2): what do 0, -1 and -PID mean?");
}

/* Sends all of `mask` to init; COMMAND, which counts, gets each once. */
static void check_forwarded(struct run *run, const struct init *init, uint64_t mask)
{
    struct grade *g = run_grade(run);
    struct settling settling = {.run = run, .holds = all_came, .init = init->pid,
                                .command = run_payload(run)->pid, .mask = mask};
    const char *missing = "";
    int first = 0, lacking = 0, sent = 0;

    send_signals(run, init->pid, mask);
    bool came = settle(&settling);
    check_alive(run);
    for (int number = 1; number < NSIG; number++) {
        if ((mask & bit(number)) == 0)
            continue;
        int count = times(run, number);
        sent++;
        expect(g, count <= 1, .because = "twice",
               .expected = say(g, "%s, sent to init once, reaches COMMAND once", signal_name(g, number)),
               .kernel = say(g, "COMMAND caught it %d times", count), .see = "strace -f of your init");
        if (count == 0) {
            first = first != 0 ? first : number;
            if (++lacking <= 6)
                missing = say(g, "%s %s", missing, signal_name(g, number));
        }
    }
    expect(g, came, .because = lacking == sent ? "deaf" : "some-signals",
           .expected = say(g, "each of %d signals sent to init (process %d) reaches COMMAND", sent,
                           init->pid),
           .kernel = lacking == sent ? "COMMAND caught none of them"
                                     : say(g, "COMMAND did not catch %d:%s%s", lacking, missing,
                                           lacking > 6 ? " …" : ""),
           .see = say(g, "lab03 --init sleep 60; then kill -%d its PID 1 from outside", first));
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
                check_forwarded(run, init, bit(numbers[i]));
                continue;
            }
            run_ask(run, "kill 1 %d", numbers[i]);
            struct settling settling = {.run = run, .holds = all_came, .init = init->pid,
                                        .command = run_payload(run)->pid, .mask = bit(numbers[i])};
            bool came = settle(&settling) && !run_ended(run);
            expect(g, came, .because = "from-inside",
                   .expected = say(g, "%s that COMMAND sends to PID 1 comes back to it",
                                   signal_name(g, numbers[i])),
                   .kernel = "COMMAND did not catch it", .see = "kill -TERM 1, as COMMAND");
        }
    }
}

/* The kernel's own SIGCHLD is for init: an orphan's end is no news for COMMAND. */
static void check_not_forwarded(struct run *run, const struct init *init)
{
    struct grade *g = run_grade(run);
    size_t zombies, before = count_children(init->pid, &zombies);
    struct settling settling = {.run = run, .holds = children_are, .init = init->pid,
                                .command = run_payload(run)->pid, .children = before};

    run_ask(run, "tally");
    run_ask(run, "orphans 1 0");
    int count = times(run, SIGCHLD);
    run_ask(run, "release");
    if (!settle(&settling))
        return; /* step 3 has the word */
    check_forwarded(run, init, bit(SIGUSR1)); /* by then the other would be there as well */
    expect(g, times(run, SIGCHLD) == count, .because = "child-forwarded",
           .expected = "SIGCHLD, which tells init that an orphan ended, is not passed on",
           .kernel = "COMMAND caught a SIGCHLD, and no child of its own has ended",
           .see = "signal(7); strace -f of your init");
}

/* What it is for: COMMAND, which catches nothing, ends by a signal that PID 1 is deaf to. */
static void check_ends_by(struct grade *g, int number)
{
    struct init init;
    struct run *run = start_init(g, &init);
    struct settling settling = {.run = run, .holds = has_ended, .init = init.pid,
                                .command = run_payload(run)->pid};

    send_signal(run, init.pid, number);
    bool ended = settle(&settling);
    expect(g, ended, .because = "not-ended",
           .expected = say(g, "%s to init ends COMMAND, and so the container", signal_name(g, number)),
           .kernel = say(g, "process %d: state %c; init, process %d: state %c", settling.command,
                         state_of(settling.command), init.pid, state_of(init.pid)),
           .see = "lab03 --init sleep 60; then kill its PID 1 from outside");
}

static void step_forward(struct grade *g)
{
    const uint64_t no = bit(SIGKILL) | bit(SIGSTOP) | bit(SIGCHLD) | bit(32) | bit(33);
    struct init init;
    struct run *run = start_init(g, &init);
    struct kernel_pids children = {0};

    run_ask(run, "child"); /* a bystander: any of these signals would end it */
    if (kernel_children(run_payload(run)->pid, &children) < 0 || children.count != 1)
        grade_error(g, 0, "COMMAND has %zu children in place of one", children.count);
    pid_t bystander = children.list[0];
    kernel_pids_free(&children);
    run_ask(run, "tally");

    /* CONT apart: it takes away a pending TSTP, TTIN or TTOU, and they take it away. */
    check_forwarded(run, &init, ~no & ~bit(SIGCONT));
    check_forwarded(run, &init, bit(SIGCONT));
    check_again(run, &init);
    check_not_forwarded(run, &init);
    expect(g, state_of(bystander) != 'Z', .because = "bystander",
           .expected = "signals to init reach COMMAND, and no other process of the container",
           .kernel = say(g, "process %d, a child of COMMAND, was ended by one", bystander),
           .see = "kill(2): what do 0, -1 and -PID mean?");

    static const int deadly[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGALRM};
    check_ends_by(g, SIGTERM);
    check_ends_by(g, deadly[grade_between(g, 1, sizeof deadly / sizeof *deadly - 1)]);
}

/* --- 5: status -------------------------------------------------------------------------------- */

static void check_end(struct run *run, const struct init *init, int wanted, const char *how)
{
    struct grade *g = run_grade(run);
    struct settling settling = {.run = run, .holds = has_ended, .init = init->pid,
                                .command = run_payload(run)->pid};

    bool ended = settle(&settling);
    expect(g, ended, .because = "init-stays",
           .expected = say(g, "COMMAND %s, and init ends", how),
           .kernel = say(g, "COMMAND has ended; init, process %d, still runs (state %c)", init->pid,
                         state_of(init->pid)),
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
    struct run *run = start_init(g, &init);

    run_tell(run, "exit %d", status);
    check_end(run, &init, status, say(g, "exits with %d", status));
}

static void check_dies(struct grade *g, int number)
{
    struct init init;
    struct run *run = start_init(g, &init);

    run_tell(run, "die %d", number);
    check_end(run, &init, 128 + number, say(g, "is ended by %s", signal_name(g, number)));
}

/* An orphan that still runs does not keep the container alive. */
static void check_leaves_others(struct grade *g, int status)
{
    struct init init;
    struct run *run = start_init(g, &init);

    run_ask(run, "orphan hold");
    run_tell(run, "exit %d", status);
    check_end(run, &init, status, say(g, "exits with %d while an orphan runs on", status));
}

/* Others end together with COMMAND, with another status. */
static void check_among_others(struct grade *g, int status, int other)
{
    struct init init;
    struct run *run = start_init(g, &init);
    struct settling settling = {.init = init.pid, .children = 6};

    run_ask(run, "orphans 5 %d", other);
    send_signal(run, init.pid, SIGSTOP);
    await_state(run, init.pid, 'T');
    run_ask(run, "release");
    run_tell(run, "exit %d", status);
    if (!run_until(run, zombies_are, &settling))
        grade_error(g, 0, "five orphans and COMMAND do not end");
    send_signal(run, init.pid, SIGCONT);
    check_end(run, &init, status,
              say(g, "exits with %d, and five orphans with %d at the same time", status, other));
}

/* Stopped, or gone with an init that took it for ended. */
static bool is_stopped(void *arg)
{
    const struct in_state *wanted = arg;

    return is_in_state(arg) || state_of(wanted->pid) == 'Z';
}

/* A process that is stopped has not ended, although its parent gets a SIGCHLD. */
static void check_stopped(struct grade *g)
{
    struct init init;
    struct run *run = start_init(g, &init);
    pid_t command = run_payload(run)->pid;
    struct settling settling = {.run = run, .holds = has_ended, .init = init.pid, .command = init.pid};

    send_signal(run, command, SIGSTOP);
    run_until(run, is_stopped, &(struct in_state){command, 'T'});
    bool ended = settle(&settling);
    expect(g, !ended, .because = "stopped",
           .expected = "COMMAND is stopped (state T), and init waits on",
           .kernel = "init took that for COMMAND's end, and has ended",
           .see = "waitid(2): WSTOPPED, and si_code");
    send_signal(run, command, SIGCONT);
    run_ask(run, "who");
}

static void check_cannot_start(struct grade *g, const char *name, int wanted, const char *why)
{
    const char *const arguments[] = {"--init", NULL}, *const command[] = {name, NULL};
    struct run *run = run_start(g, &(struct run_options){.arguments = arguments, .command = command});
    int status = run_exit_status(run);

    expect(g, status == wanted, .because = "start-status",
           .expected = say(g, "a COMMAND that %s: the program ends with %d", why, wanted),
           .kernel = say(g, "it ended with %d", status),
           .see = say(g, "lab03 --init %s; echo $?", name));
}

static void step_status(struct grade *g)
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

/* --- 6: nested -------------------------------------------------------------------------------- */

static void step_nested(struct grade *g)
{
    static const char *const own[] = {"pid", "mnt"}, *const kept[] = {"uts", "ipc", "user", "net"};
    struct run *room = run_start(
        g, &(struct run_options){.program = "/strata/probe", .no_command = true});
    const struct kernel_mounts *before = mounts_of(g, run_outside_pid(room));
    const char *const arguments[] = {"--nested", NULL};
    struct run *run = run_start(g, &(struct run_options){.arguments = arguments, .beside = room});
    const struct payload *payload = run_payload(run);

    expect(g, number_at(run, payload->pid, 2) == 1, .because = "not-nested",
           .expected = "COMMAND has three numbers: one outside, 2, and 1",
           .kernel = say(g, "NSpid of /proc/%d/status: %s", payload->pid,
                         numbers_of(run, payload->pid)),
           .see = "lab03 --nested sleep 9; then grep NSpid /proc/PID/status outside");
    struct init init = find_init(run, payload->pid);
    for (size_t i = 0; i < 2; i++)
        expect(g, !same_namespace(g, payload->pid, init.pid, own[i]), .because = "same-inner",
               .expected = say(g, "COMMAND has another %s namespace than init", own[i]),
               .kernel = say(g, "both are in %s", facts_namespace(g, init.pid, own[i])),
               .see = say(g, "readlink /proc/PID/ns/%s of both", own[i]));
    for (size_t i = 0; i < 4; i++)
        expect(g, same_namespace(g, payload->pid, init.pid, kept[i]), .because = "more-inner",
               .expected = say(g, "COMMAND and init share the %s namespace", kept[i]),
               .kernel = say(g, "COMMAND: %s, init: %s", facts_namespace(g, payload->pid, kept[i]),
                             facts_namespace(g, init.pid, kept[i])),
               .see = say(g, "readlink /proc/PID/ns/%s of both", kept[i]));
    check_outside(g, before, run_outside_pid(run), payload->pid);
    const struct kernel_mounts *middle = mounts_of(g, init.pid);
    check_proc_mount(g, init.pid, "/proc", before);
    check_proc_mount(g, payload->pid, "/proc", middle);
    run_ask(run, "child");
    check_proc_shows(g, payload->pid, payload->pidfd, "/proc");

    int status = grade_between(g, 1, 120);
    run_tell(run, "exit %d", status);
    check_end(run, &init, status, say(g, "exits with %d", status));
}

static const struct step steps[] = {
    {.number = 1,
     .slug = "pid-1",
     .title = "COMMAND is PID 1",
     .points = 15,
     .needs = NEED_USERNS,
     .chapter = "pid-1",
     .man = "pid_namespaces(7), clone(2)",
     .run = step_pid_1},
    {.number = 2,
     .slug = "proc",
     .title = "a fresh /proc shows only the container",
     .points = 25,
     .needs = NEED_USERNS,
     .chapter = "proc",
     .man = "mount(2), proc(5), pid_namespaces(7)",
     .run = step_proc},
    {.number = 3,
     .slug = "reap",
     .title = "init reaps orphans",
     .points = 25,
     .needs = NEED_USERNS,
     .chapter = "reap",
     .man = "waitid(2), sigwaitinfo(2), close_range(2)",
     .run = step_reap},
    {.number = 4,
     .slug = "forward",
     .title = "init forwards signals",
     .points = 20,
     .needs = NEED_USERNS,
     .chapter = "forward",
     .man = "signal(7), kill(2), sigsetops(3)",
     .run = step_forward},
    {.number = 5,
     .slug = "status",
     .title = "init passes on the exit status",
     .points = 15,
     .needs = NEED_USERNS,
     .chapter = "status",
     .man = "waitid(2), _exit(2), pid_namespaces(7)",
     .run = step_status},
    {.number = 6,
     .slug = "nested",
     .title = "one level further in",
     .points = 10,
     .more = true,
     .needs = NEED_USERNS,
     .after = {1, 2, 3},
     .chapter = "nested",
     .man = "pid_namespaces(7), proc(5)",
     .run = step_nested},
};

LAB(.name = "03-pid", .title = "PID 1 and its duties", .steps = steps,
    .count = sizeof steps / sizeof *steps);
