/* Lab 11, steps 7 and 8: version 1's names; and frozen means that not one clock tick is used. */
#include "graders/11-cgroup.h"

#include <dirent.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "grade/mounts.h"
#include "kernel/file.h"
#include "kernel/inside.h"
#include "kernel/own.h"
#include "kernel/stat.h"
#include "kernel/tree.h"

/* --- freezing -----------------------------------------------------------------------------------
 */

struct freezing {
    struct start start;
    struct cgroups groups; /* the hierarchy that freezes */
    pid_t spinner;         /* one that uses all the CPU it gets */
    bool frozen;           /* what is waited for         */
    uint64_t ticks;
};

static const char *state_of(const struct freezing *f)
{
    struct grade *g = run_grade(f->start.run);

    if (f->groups.version == 2)
        return say(
            g, "frozen %llu",
            cgroups_key(f->start.room, &f->groups, f->start.name, "cgroup.events", "frozen"));
    const char *text = cgroups_read(f->start.room, &f->groups, f->start.name, "freezer.state");
    return text != NULL ? text : "no group";
}

static const char *wanted_state(const struct freezing *f)
{
    if (f->groups.version == 2)
        return f->frozen ? "frozen 1" : "frozen 0";
    return f->frozen ? "FROZEN" : "THAWED";
}

static bool is_so(void *arg)
{
    const struct freezing *f = arg;

    return strcmp(state_of(f), wanted_state(f)) == 0;
}

static struct kernel_stat stat_of(struct grade *g, pid_t pid)
{
    struct kernel_stat stat;

    if (kernel_stat_read(pid, &stat) < 0)
        fail(g, .because = "died-frozen", .expected = "what is frozen lives on",
             .kernel = say(g, "process %d is gone", pid), .see = "cgroup-v2.rst, cgroup.freeze");
    return stat;
}

static uint64_t ticks_of(struct grade *g, pid_t pid)
{
    struct kernel_stat stat = stat_of(g, pid);

    return stat.utime + stat.stime;
}

static bool has_run(void *arg)
{
    struct freezing *f = arg;

    return ticks_of(run_grade(f->start.run), f->spinner) > f->ticks + 1;
}

/* A file of the program's; a member of its room may read what an ordinary user outside may not. */
static const char *program_file(struct run *run, const char *name)
{
    struct grade *g = run_grade(run);
    autofree char *text = NULL;
    size_t length;
    const char *path = say(g, "/proc/%d/%s", run_program_pid(run), name);

    if (kernel_read_pid(run_program_pid(run), name, &text, &length) < 0 &&
        kernel_inside_read(run_outside_pidfd(run), run_outside_pid(run), CLONE_NEWUSER, path, &text,
                           &length) < 0)
        return "";
    return say(g, "%s", text);
}

/* Whether the program has dealt with the signal: it is pending no more, and the thread that takes
 * signals sits in sigwait for the next one (a call that blocks only when there is none). So what
 * cgroup_freeze has not done by now it will not do, and nobody has to wait for it. */
static bool is_served(struct freezing *f)
{
    struct run *run = f->start.run;
    struct grade *g = run_grade(run);
    const char *wanted = say(g, "%d 0x", SYS_rt_sigtimedwait);
    bool waits = false;

    if (strstr(program_file(run, "status"), "ShdPnd:\t0000000000000000") == NULL)
        return false;
    DIR *tasks = opendir(say(g, "/proc/%d/task", run_program_pid(run)));
    for (struct dirent *task; !waits && tasks != NULL && (task = readdir(tasks)) != NULL;) {
        const char *call = say(g, "task/%s/syscall", task->d_name);
        waits =
            task->d_name[0] != '.' && strncmp(program_file(run, call), wanted, strlen(wanted)) == 0;
    }
    if (tasks != NULL)
        closedir(tasks);
    return waits;
}

/* The kernel has been asked; until it is so, takes time that is no fault of the program's. */
static bool is_asked(const struct freezing *f)
{
    const char *text =
        cgroups_read(f->start.room, &f->groups, f->start.name,
                     f->groups.version == 1 ? "freezer.self_freezing" : "cgroup.freeze");

    return text != NULL && (text[0] == '1') == f->frozen;
}

static bool is_settled(void *arg)
{
    struct freezing *f = arg;

    return is_so(f) || (is_served(f) && !is_asked(f));
}

/* Returns at once when it is done, or when the program believes that it is. */
static void ask_for(struct freezing *f, bool frozen)
{
    struct grade *g = run_grade(f->start.run);

    f->frozen = frozen;
    syscall(SYS_pidfd_send_signal, run_program_pidfd(f->start.run), frozen ? SIGUSR1 : SIGUSR2,
            NULL, 0);
    run_until(f->start.run, is_settled, f);
    bool done = is_so(f);
    expect(g, done, .because = frozen ? "not-frozen" : "not-thawed",
           .expected =
               say(g, "after %s the group is %s", frozen ? "SIGUSR1" : "SIGUSR2", wanted_state(f)),
           .kernel = say(g, "it is %s, and process %d in state %c", state_of(f), f->spinner,
                         stat_of(g, f->spinner).state),
           .see = "cat cgroup.events (version 1: freezer.state) of the group");
}

/* In a group /a of our own, which can be frozen as well, with the program outside of it. */
static struct freezing start_within(struct grade *g, const char *a)
{
    struct run *room = outside_open(g, false);
    struct cgroups groups = cgroups_of(g, room, "pids");
    bool v1 = groups.version == 1;
    const char *b = v1 ? a : say(g, "%s/b", a);

    if (v1) {
        groups = cgroups_of(g, room, "freezer");
        cgroups_shell(room, "mkdir %s%s", groups.folder, a);
    } else {
        cgroups_shell(room,
                      "cd %s; echo +pids >cgroup.subtree_control; mkdir -p .%s; "
                      "echo +pids >.%s/cgroup.subtree_control",
                      groups.folder, b, a);
    }
    struct freezing f = {.start = cgroup_start_from(g, room, v1 ? "freezer" : "pids", b),
                         .groups = groups};
    f.start.name = say(g, "%s%s", a, f.start.name);
    run_payload(f.start.run);
    cgroups_shell(room, "echo %d >%s%s/cgroup.procs", run_program_inside(f.start.run),
                  groups.folder, v1 ? "" : "/init");
    return f;
}

/* (Not bounded any tighter than run_until: who counts naps in place of looking at the clock takes
 * several seconds for his one on a machine that is busy, and is right all the same.) */
static bool is_over(void *arg)
{
    return is_served(arg);
}

/* What stays frozen because the group above is: cgroup_freeze waits for a second, and gives up. */
static void check_in_vain(struct freezing *f, const char *above)
{
    struct grade *g = run_grade(f->start.run);
    bool v1 = f->groups.version == 1;

    cgroups_shell(f->start.room, "echo %s >%s%s/%s", v1 ? "FROZEN" : "1", f->groups.folder, above,
                  v1 ? "freezer.state" : "cgroup.freeze");
    f->frozen = true;
    if (!run_until(f->start.run, is_so, f))
        grade_error(g, 0, "what is in a frozen group is not frozen");
    int64_t asked = run_now_ms();
    syscall(SYS_pidfd_send_signal, run_program_pidfd(f->start.run), SIGUSR2, NULL, 0);
    bool done = run_until(f->start.run, is_over, f);
    int64_t waited = run_now_ms() - asked;
    run_ended(f->start.run); /* takes what it has printed */
    expect(g, done && waited >= 50 && run_said(f->start.run, "timed out"), .because = "no-wait",
           .expected = "thawed, but the group above is frozen: after a second, -ETIMEDOUT",
           .kernel = done ? say(g, "it is %s; cgroup_freeze returned after %lld ms%s", state_of(f),
                                (long long)waited,
                                run_said(f->start.run, "timed out") ? "" : ", with no error")
                          : "cgroup_freeze has not returned",
           .see = "cgroup.events (version 1: freezer.state) says when it is so, not the write");
}

/* A child that is stopped; as we number it. */
static pid_t stop_child(struct freezing *f)
{
    struct grade *g = run_grade(f->start.run);
    struct kernel_pids children = {0};
    int child = 0;

    sscanf(run_ask(f->start.run, "child"), "ok %d", &child);
    if (kernel_children(run_payload(f->start.run)->pid, &children) < 0 || children.count != 2)
        grade_error(g, 0, "COMMAND's children are not to be seen");
    pid_t pid = children.list[children.list[0] == f->spinner ? 1 : 0];
    kernel_pids_free(&children);
    run_ask(f->start.run, "kill %d %d", child, SIGSTOP);
    return pid;
}

void cgroup_step_freeze(struct grade *g)
{
    const char *above = say(g, "/%s", grade_word(g, 6));
    struct freezing f = start_within(g, above);
    const struct payload *payload = run_payload(f.start.run);
    struct kernel_pids children = {0};

    run_ask(f.start.run, "spin 1");
    if (kernel_children(payload->pid, &children) < 0 || children.count == 0)
        grade_error(g, 0, "COMMAND's child is not to be seen");
    f.spinner = children.list[0];
    kernel_pids_free(&children);
    pid_t stopped = stop_child(&f);
    f.ticks = ticks_of(g, f.spinner);
    if (!run_until(f.start.run, has_run, &f))
        grade_error(g, 0, "a child that should use the CPU does not");

    for (int round = 0; round < 2; round++) {
        ask_for(&f, true);
        f.ticks = ticks_of(g, f.spinner);
        for (int64_t end = run_now_ms() + 60; run_now_ms() < end;) /* six ticks, if it ran */
            run_ended(f.start.run);
        expect(g, ticks_of(g, f.spinner) == f.ticks, .because = "runs-on",
               .expected = "what is frozen uses no CPU",
               .kernel = say(g, "process %d used %llu ticks more", f.spinner,
                             (unsigned long long)(ticks_of(g, f.spinner) - f.ticks)),
               .see = "proc_pid_stat(5), utime");
        ask_for(&f, false);
        if (!run_until(f.start.run, has_run, &f))
            fail(g, .because = "not-thawed", .expected = "after SIGUSR2 it runs again",
                 .kernel = say(g, "process %d uses no CPU", f.spinner),
                 .see = "cat cgroup.events of the group");
        expect(g, stat_of(g, stopped).state == 'T', .because = "by-signals",
               .expected = "a process that was stopped before is stopped still",
               .kernel = say(g, "process %d is in state %c: it got a SIGCONT", stopped,
                             stat_of(g, stopped).state),
               .see = "what is frozen cannot notice: no SIGSTOP, no SIGCONT");
    }
    check_in_vain(&f, above);
}

/* --- the names of version 1 ---------------------------------------------------------------------
 */

static void check_name(struct run *room, const char *value, const char *wanted)
{
    struct grade *g = run_grade(room);
    const char *said = cgroup_answer(room, "--cgroup-v1", value);

    bool weight = strncmp(value, "cpu.weight", 10) == 0, unit = strchr(value, '=') != NULL;
    expect(g, strcmp(said, wanted) == 0,
           .because = weight ? "v1-weight"
                      : unit ? "v1-value"
                             : "v1-name",
           .expected = say(g, "in version 1, %s is: %s", value, wanted),
           .kernel = say(g, "your program says: %s", said),
           .see = say(g, "lab11 --cgroup-v1 %s, in make shell11", value));
}

void cgroup_step_names(struct grade *g)
{
    static const char *const names[] = {"memory.stat", "pids.current", "cpu.stat", "cpuset.mems"};
    const char *same = names[grade_random(g, sizeof names / sizeof *names)];
    struct run *room = outside_open(g, false);
    int bytes = grade_between(g, 1 << 20, 1 << 30), weight = grade_between(g, 101, 9999);
    int small = grade_between(g, 2, 99), pids = grade_between(g, 2, 999);

    check_name(room, say(g, "memory.max=%d", bytes), say(g, "memory.limit_in_bytes %d", bytes));
    check_name(room, "memory.max=1234567890123456", "memory.limit_in_bytes 1234567890123456");
    check_name(room, "memory.max=max", "memory.limit_in_bytes -1");
    check_name(room, "memory.current", "memory.usage_in_bytes");
    check_name(room, say(g, "pids.max=%d", pids), say(g, "pids.max %d", pids));
    check_name(room, "pids.max=max", "pids.max max");
    check_name(room, "cpu.weight=100", "cpu.shares 1024");
    check_name(room, "cpu.weight=1", "cpu.shares 10"); /* 10.24 */
    check_name(room, "cpu.weight=3", "cpu.shares 31"); /* 30.72 */
    check_name(room, say(g, "cpu.weight=%d", weight),
               say(g, "cpu.shares %d", (weight * 1024 + 50) / 100));
    check_name(room, say(g, "cpu.weight=%d", small),
               say(g, "cpu.shares %d", (small * 1024 + 50) / 100));
    check_name(room, same, same);
    check_name(room, "cpuset.cpus=0-1,3", "cpuset.cpus 0-1,3");
    check_name(room, "cgroup.freeze=1", "freezer.state FROZEN");
    check_name(room, "cgroup.freeze=0", "freezer.state THAWED");
    cgroup_refused(room, "--cgroup-v1", say(g, "%s.max", grade_word(g, 5)),
                   "No such file or directory", "v1-unknown");
    cgroup_refused(room, "--cgroup-v1", "cpu.max=max", "No such file or directory", "v1-unknown");
}
