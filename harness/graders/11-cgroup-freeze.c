/* Lab 11, steps 7 and 8: version 1's names; and frozen means that not one clock tick is used. */
#include "graders/11-cgroup.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "grade/mounts.h"
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

static void ask_for(struct freezing *f, bool frozen)
{
    struct grade *g = run_grade(f->start.run);

    f->frozen = frozen;
    syscall(SYS_pidfd_send_signal, run_program_pidfd(f->start.run), frozen ? SIGUSR1 : SIGUSR2,
            NULL, 0);
    bool done = run_until(f->start.run, is_so, f);
    expect(g, done, .because = frozen ? "not-frozen" : "not-thawed",
           .expected =
               say(g, "after %s the group is %s", frozen ? "SIGUSR1" : "SIGUSR2", wanted_state(f)),
           .kernel = say(g, "it is %s, and process %d in state %c", state_of(f), f->spinner,
                         stat_of(g, f->spinner).state),
           .see = "cat cgroup.events (version 1: freezer.state) of the group");
}

void cgroup_step_freeze(struct grade *g)
{
    struct freezing f = {.start = cgroup_start(g, NULL)};
    const struct payload *payload = run_payload(f.start.run);
    struct kernel_pids children = {0};

    f.groups =
        f.start.groups.version == 1 ? cgroups_of(g, f.start.room, "freezer") : f.start.groups;
    run_ask(f.start.run, "spin 1");
    if (kernel_children(payload->pid, &children) < 0 || children.count == 0)
        grade_error(g, 0, "COMMAND's child is not to be seen");
    f.spinner = children.list[0];
    kernel_pids_free(&children);
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
    }
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
