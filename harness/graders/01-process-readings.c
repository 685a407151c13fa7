/*
 * Lab 01, the second half: what the program says about processes.
 *
 * Here the product is a reading, so the program prints it, and we compare it with a reading of our
 * own. The processes are made fresh by probes in the same room, with values drawn at random. We
 * know them by other numbers than the room does, and translate.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "graders/01-process.h"
#include "kernel/namespace.h"
#include "kernel/stat.h"
#include "kernel/status.h"

/* --- numbers -------------------------------------------------------------------------------- */

/* How a process that we number `pid` is numbered in the room; 0: it has no number there. */
static pid_t inside_of(struct run *run, pid_t pid)
{
    struct kernel_status room = process_status_of(run_grade(run), run_outside_pid(run));
    struct kernel_status status;

    if (kernel_status_read(pid, &status) < 0)
        return 0;
    kernel_status_free(&status);
    return status.nspid.count >= room.nspid.count ? status.nspid.pid[room.nspid.count - 1] : 0;
}

/* The other way. */
static pid_t outside_of(struct run *run, pid_t inside)
{
    struct process_list pids = process_in_room(run);

    for (size_t i = 0; i < pids.count; i++)
        if (inside_of(run, pids.list[i]) == inside)
            return pids.list[i];
    grade_error(run_grade(run), -ESRCH, "process %d of the sandbox is not to be found", inside);
}

/* --- asking the program --------------------------------------------------------------------- */

static struct run *ask(struct run *helper, const char *option, const char *value)
{
    const char *const arguments[] = {option, value, NULL};

    return run_start(run_grade(helper), &(struct run_options){.arguments = arguments,
                                                              .no_command = true,
                                                              .beside = helper});
}

/* The answer, once the program has ended well. */
static const char *answer(struct run *run, const char *option, const char *value)
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
static void check_error(struct run *helper, const char *option, const char *value, int error,
                        const char *because, const char *what)
{
    struct grade *g = run_grade(helper);
    struct run *run = ask(helper, option, value);
    int status = run_exit_status(run);
    const char *line = say(g, "%s %s: %s", option, value, strerror(error));

    expect(g, status == 125 && run_said(run, line), .because = because,
           .expected = say(g, "%s: %s", what, strerror(error)),
           .kernel = say(g, "lab01 %s %s ended with status %d; its words are below", option, value,
                         status),
           .see = say(g, "lab01 %s %s; echo $?", option, value));
}

/* The number of a process that has been there and is gone, reaped and all. */
static pid_t vanished(struct run *helper)
{
    struct run *run = process_helper(run_grade(helper), helper);

    run_tell(run, "exit 0");
    run_exit_status(run);
    return run_program_inside(run);
}

/* --- step 5 --------------------------------------------------------------------------------- */

static void check_namespace(struct run *helper, pid_t inside, const char *kind)
{
    struct grade *g = run_grade(helper);
    struct kernel_ns_id id;
    pid_t pid = outside_of(helper, inside);
    const char *value = say(g, "%d:%s", inside, kind);
    int result = kernel_ns(pid, kind, &id);

    if (result == -ENOENT)
        return; /* a kernel without this kind */
    if (result < 0)
        grade_error(g, result, "cannot look at /proc/%d/ns/%s", pid, kind);
    const char *got = answer(ask(helper, "--namespace", value), "--namespace", value);
    unsigned high = 0, low = 0;
    unsigned long long inode = 0;
    char name[32] = "", end = 0;
    int fields = sscanf(got, "%31s %u:%u %llu%c", name, &high, &low, &inode, &end);

    expect(g, fields == 5 && end == '\n' && inode == (unsigned long long)id.ino,
           .because = "wrong-inode",
           .expected = say(g, "/proc/%d/ns/%s is inode %llu", inside, kind,
                           (unsigned long long)id.ino),
           .kernel = say(g, "your program says: %s", got),
           .see = say(g, "stat -L -c '%%i' /proc/PID/ns/%s; lab01 --namespace PID:%s", kind, kind));
    expect(g, makedev(high, low) == id.dev, .because = "wrong-device",
           .expected = say(g, "inode %llu of device %u:%u", inode, major(id.dev), minor(id.dev)),
           .kernel = say(g, "your program says device %u:%u", high, low),
           .see = say(g, "stat -L -c '%%d %%i' /proc/PID/ns/%s", kind));
}

void process_step_namespaces(struct grade *g)
{
    struct run *helper = process_helper(g, NULL);
    const int flags[] = {CLONE_NEWUTS | CLONE_NEWNET, CLONE_NEWIPC | CLONE_NEWNS,
                         CLONE_NEWCGROUP | CLONE_NEWUTS};
    static const char *const kinds[] = {"cgroup", "ipc", "mnt", "net", "pid", "user", "uts", "time"};
    size_t count = sizeof kinds / sizeof *kinds;

    for (size_t k = 0; k < count; k++)
        check_namespace(helper, run_program_inside(helper), kinds[k]);
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        pid_t pid = process_do(helper, "group %d %d", flags[i], grade_between(g, 1, 3));
        for (size_t k = 0; k < count; k++)
            check_namespace(helper, pid, kinds[k]);
    }
    /* Now its children are born elsewhere than it lives itself. */
    process_do(helper, "unshare %d", CLONE_NEWPID);
    pid_t child = process_do(helper, "child");
    check_namespace(helper, run_program_inside(helper), "pid");
    check_namespace(helper, run_program_inside(helper), "pid_for_children");
    check_namespace(helper, child, "pid");

    pid_t gone = vanished(helper);
    check_error(helper, "--namespace", say(g, "%d:uts", gone), ESRCH, "vanished",
                "a process that is gone");
    check_error(helper, "--namespace", say(g, "%d:%s", gone, grade_word(g, 6)), ESRCH, "vanished",
                "a process that is gone, whatever is asked");
    check_error(helper, "--namespace",
                say(g, "%d:%s", run_program_inside(helper), grade_word(g, 6)), ENOENT,
                "unknown-kind", "a kind of namespace that no kernel has");
    check_error(helper, "--namespace", "1:uts", EACCES, "not-allowed",
                "a process that may not be looked at (the sandbox's PID 1)");
}

/* --- step 6 --------------------------------------------------------------------------------- */

/* What the program printed, but for the name. */
struct described {
    char state;
    int parent;
    unsigned long long user_ticks, system_ticks;
    unsigned long threads, resident;
    unsigned long long capabilities;
    int innermost;
};

struct look {
    struct kernel_stat stat;
    struct kernel_status status;
};

static struct look look_at(struct grade *g, pid_t pid)
{
    struct look look = {.status = process_status_of(g, pid)};
    int result = kernel_stat_read(pid, &look.stat);

    if (result < 0)
        grade_error(g, result, "cannot read /proc/%d/stat", pid);
    return look;
}

static void check_number(struct run *helper, const char *key, unsigned long long got,
                         unsigned long long low, unsigned long long high, const char *where)
{
    struct grade *g = run_grade(helper);

    expect(g, got >= low && got <= high, .because = key,
           .expected = low == high ? say(g, "%s %llu", key, low)
                                   : say(g, "%s between %llu and %llu", key, low, high),
           .kernel = say(g, "your program says %s %llu", key, got),
           .see = say(g, "%s of /proc/PID/%s", key, where));
}

static void check_description(struct run *helper, pid_t inside)
{
    struct grade *g = run_grade(helper);
    const char *value = say(g, "%d", inside);
    pid_t pid = outside_of(helper, inside);
    struct look before = look_at(g, pid);
    const char *got = answer(ask(helper, "--describe", value), "--describe", value);
    struct look after = look_at(g, pid);
    const struct kernel_pid_levels *levels = &after.status.nspid;
    struct described said = {0};

    /* The name first: it may look like anything that follows. */
    const char *name = say(g, "name %s\nstate ", after.stat.comm);
    expect(g, strncmp(got, name, strlen(name)) == 0, .because = "name",
           .expected = say(g, "the name of process %d is \"%s\"", inside, after.stat.comm),
           .kernel = say(g, "your program says: %.60s", got), .see = "cat /proc/PID/stat");
    int fields = sscanf(got + strlen(name),
                        "%c\nparent %d\nuser_ticks %llu\nsystem_ticks %llu\nthreads %lu\n"
                        "resident_kib %lu\neffective_capabilities %llx\ninnermost_pid %d",
                        &said.state, &said.parent, &said.user_ticks, &said.system_ticks,
                        &said.threads, &said.resident, &said.capabilities, &said.innermost);
    if (fields != 8)
        grade_error(g, -EBADMSG, "a description that cannot be read: %s", got);
    expect(g, said.state == after.stat.state, .because = "state",
           .expected = say(g, "process %d (%s) is in state %c", inside, after.stat.comm,
                           after.stat.state),
           .kernel = say(g, "your program says %c", said.state), .see = "cat /proc/PID/stat");
    pid_t parent = inside_of(helper, after.stat.ppid);
    check_number(helper, "parent", (unsigned long long)said.parent, (unsigned long long)parent,
                 (unsigned long long)parent, "stat (field 4)");
    check_number(helper, "user_ticks", said.user_ticks, before.stat.utime, after.stat.utime,
                 "stat (field 14)");
    check_number(helper, "system_ticks", said.system_ticks, before.stat.stime, after.stat.stime,
                 "stat (field 15)");
    check_number(helper, "threads", said.threads, (unsigned)after.stat.num_threads,
                 (unsigned)after.stat.num_threads, "status");
    int64_t one = before.status.vm_rss_kb, two = after.status.vm_rss_kb; /* -1: no such line */
    check_number(helper, "resident_kib", said.resident,
                 one < 0 ? 0 : (unsigned long long)(one < two ? one : two),
                 two < 0 ? 0 : (unsigned long long)(one > two ? one : two), "status (VmRSS)");
    expect(g, said.capabilities == after.status.cap_eff, .because = "effective_capabilities",
           .expected = say(g, "effective_capabilities %016llx",
                           (unsigned long long)after.status.cap_eff),
           .kernel = say(g, "your program says %016llx", said.capabilities),
           .see = "CapEff of /proc/PID/status (hexadecimal)");
    check_number(helper, "innermost_pid", (unsigned long long)said.innermost,
                 (unsigned long long)levels->pid[levels->count - 1],
                 (unsigned long long)levels->pid[levels->count - 1], "status (last of NSpid)");
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

static void wait_for_state(struct run *run, pid_t inside, char state)
{
    struct waiting waiting = {outside_of(run, inside), state};

    if (!run_until(run, in_state, &waiting))
        grade_error(run_grade(run), 0, "process %d never came into state %c", inside, state);
}

/* A probe with a name, threads, memory, powers and CPU time drawn at random. */
static struct run *odd_process(struct run *helper, const char *name, bool in_kernel)
{
    struct grade *g = run_grade(helper);
    struct run *run = process_helper(g, helper);
    int little = grade_between(g, 2, 4), much = grade_between(g, 7, 11);

    process_do(run, "name %s", name);
    process_do(run, "threads %d", grade_between(g, 1, 9));
    process_do(run, "take %d", grade_between(g, 1, 24));
    process_do(run, "burn user %d", in_kernel ? little : much);
    process_do(run, "burn system %d", in_kernel ? much : little);
    process_do(run, "capabilities %x%08x", grade_between(g, 0, 0xff),
               grade_between(g, 1, 0x7fffffff));
    wait_for_state(run, run_program_inside(run), 'S');
    return run;
}

void process_step_describe(struct grade *g)
{
    struct run *helper = process_helper(g, NULL);
    const char *const names[] = {
        grade_word(g, 15),
        say(g, "%s b) (c", grade_word(g, 1)),
        say(g, ") Z %d (%s", grade_between(g, 2, 9), grade_word(g, 3)),
        say(g, "%s\nx y", grade_word(g, 4)),
        say(g, "Threads:\t%d", grade_between(g, 20, 99)),
        say(g, "VmRSS:\t%d", grade_between(g, 20, 99)),
    };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct run *odd = odd_process(helper, names[i], i % 2 == 0);
        check_description(helper, run_program_inside(odd));
    }

    pid_t stopped = process_do(helper, "child"), dead = process_do(helper, "child");
    process_do(helper, "kill %d %d", stopped, SIGSTOP);
    process_do(helper, "kill %d %d", dead, SIGKILL);
    wait_for_state(helper, stopped, 'T');
    wait_for_state(helper, dead, 'Z');
    check_description(helper, stopped);
    check_description(helper, dead);

    /* The first of the group stays in our PID namespace; its children have a number of their own. */
    process_do(helper, "group %d %d", CLONE_NEWPID, grade_between(g, 3, 6));
    struct process_list all = process_in_room(helper);
    size_t levels = process_status_of(g, run_outside_pid(helper)).nspid.count;
    for (size_t i = 0; i < all.count; i++)
        if (process_status_of(g, all.list[i]).nspid.count > levels)
            check_description(helper, inside_of(helper, all.list[i]));

    check_error(helper, "--describe", say(g, "%d", vanished(helper)), ESRCH, "vanished",
                "a process that is gone");
}

/* --- step 7 --------------------------------------------------------------------------------- */

enum { PEERS = 64 };

static int by_number(const void *a, const void *b)
{
    return *(const pid_t *)a - *(const pid_t *)b;
}

/* Our own reading: who shares it, as the room numbers them. The program that is asked, `self`, is
 * one of them if it lives there too, though it will be gone when we look. PID 1 of the room may
 * not be looked at by anybody in it. */
static size_t list_peers(struct run *helper, pid_t pid, const char *kind, pid_t self,
                         pid_t peers[PEERS])
{
    struct grade *g = run_grade(helper);
    struct process_list all = process_in_room(helper);
    struct kernel_ns_id wanted, room, id;
    size_t count = 0;

    if (kernel_ns(pid, kind, &wanted) < 0 || kernel_ns(run_outside_pid(helper), kind, &room) < 0)
        grade_error(g, 0, "cannot look at /proc/%d/ns/%s", pid, kind);
    if (kernel_ns_equal(wanted, room))
        peers[count++] = self;
    for (size_t i = 0; i < all.count && count < PEERS; i++)
        if (kernel_ns(all.list[i], kind, &id) == 0 && kernel_ns_equal(id, wanted))
            peers[count++] = inside_of(helper, all.list[i]);
    qsort(peers, count, sizeof *peers, by_number);
    return count;
}

static const char *list_text(struct grade *g, const pid_t *pids, size_t count)
{
    const char *text = "";

    for (size_t i = 0; i < count; i++)
        text = say(g, "%s%d\n", text, pids[i]);
    return text;
}

/* The list on one line, for verdicts. */
static const char *one_line(struct grade *g, const char *list)
{
    char line[120];

    snprintf(line, sizeof line, "%s", list);
    for (char *c = line; *c != '\0'; c++)
        if (*c == '\n')
            *c = ' ';
    return say(g, "%s", line[0] != '\0' ? line : "none");
}

/* max < 0: with room for all. */
static void check_peers(struct run *helper, pid_t inside, const char *kind, int max)
{
    struct grade *g = run_grade(helper);
    pid_t peers[PEERS];
    const char *value = max < 0 ? say(g, "%d:%s", inside, kind)
                                : say(g, "%d:%s:%d", inside, kind, max);
    struct run *run = ask(helper, "--peers", value);
    const char *got = answer(run, "--peers", value);
    size_t count = list_peers(helper, outside_of(helper, inside), kind, run_program_inside(run),
                              peers);
    size_t shown = max < 0 || (size_t)max > count ? count : (size_t)max, length;
    const char *wanted = list_text(g, peers, shown);
    const char *see = say(g, "for p in /proc/[0-9]*; do echo $p $(readlink $p/ns/%s); done", kind);

    length = strspn(got, "0123456789\n");
    expect(g, length == strlen(wanted) && strncmp(got, wanted, length) == 0,
           .because = max < 0 ? "other-peers" : "no-room",
           .expected = max < 0 ? say(g, "sharing %s: %s", value, one_line(g, wanted))
                               : say(g, "with room for %d, only the lowest are filled in: %s", max,
                                     one_line(g, wanted)),
           .kernel = say(g, "your program says: %s", one_line(g, got)), .see = see);
    expect(g, max < 0 || strcmp(got + length, say(g, "of %zu\n", count)) == 0, .because = "count",
           .expected = say(g, "process_peers returns how many there are, %zu, room or not", count),
           .kernel = say(g, "your program says: %s", one_line(g, got + length)), .see = see);
}

void process_step_peers(struct grade *g)
{
    struct run *helper = process_helper(g, NULL);
    int more = grade_between(g, 0, 1) ? CLONE_NEWNET : CLONE_NEWIPC;
    pid_t first = process_do(helper, "group %d %d", CLONE_NEWUTS, grade_between(g, 2, 5));
    pid_t second = process_do(helper, "group %d %d", CLONE_NEWUTS | more, grade_between(g, 2, 5));
    pid_t third = process_do(helper, "group %d %d", CLONE_NEWPID, grade_between(g, 3, 6));
    pid_t dead = process_do(helper, "child"), self = run_program_inside(helper);

    /* A zombie has no namespaces any more; it must not end the search. */
    process_do(helper, "kill %d %d", dead, SIGKILL);
    wait_for_state(helper, dead, 'Z');

    static const char *const kinds[] = {"uts", "net", "ipc", "pid"};
    const pid_t asked[] = {self, first, second, third};
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++)
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
            check_peers(helper, asked[i], kinds[k], -1);
    check_peers(helper, third, "pid_for_children", -1);
    check_peers(helper, second, "uts", 1);
    check_peers(helper, self, "user", grade_between(g, 2, 4));
    check_peers(helper, self, "user", 0);
    check_peers(helper, first, "uts", 40);

    check_error(helper, "--peers", say(g, "%d:uts", vanished(helper)), ESRCH, "vanished",
                "a process that is gone");
    check_error(helper, "--peers", say(g, "%d:%s", first, grade_word(g, 6)), ENOENT, "unknown-kind",
                "a kind of namespace that no kernel has");
}
