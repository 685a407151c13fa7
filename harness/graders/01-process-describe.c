/* Lab 01, step 6: what a process is called, does, has and may. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "graders/01-process-readings.h"
#include "kernel/stat.h"

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

/* A process just born may still be on its way to where it waits. */
static bool at_rest(void *arg)
{
    const pid_t *pid = arg;
    struct kernel_stat stat;

    return kernel_stat_read(*pid, &stat) == 0 && strchr("STZ", stat.state) != NULL;
}

static void check_description(struct run *helper, pid_t inside)
{
    struct grade *g = run_grade(helper);
    const char *value = say(g, "%d", inside);
    pid_t pid = process_outside(helper, inside);

    if (!run_until(helper, at_rest, &pid))
        grade_error(g, 0, "process %d never came to rest", inside);
    struct look before = look_at(g, pid);
    const char *got = process_answer(process_ask(helper, "--describe", value), "--describe", value);
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
           .expected =
               say(g, "process %d (%s) is in state %c", inside, after.stat.comm, after.stat.state),
           .kernel = say(g, "your program says %c", said.state), .see = "cat /proc/PID/stat");
    pid_t parent = process_inside(helper, after.stat.ppid);
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
           .expected =
               say(g, "effective_capabilities %016llx", (unsigned long long)after.status.cap_eff),
           .kernel = say(g, "your program says %016llx", said.capabilities),
           .see = "CapEff of /proc/PID/status (hexadecimal)");
    check_number(helper, "innermost_pid", (unsigned long long)said.innermost,
                 (unsigned long long)levels->pid[levels->count - 1],
                 (unsigned long long)levels->pid[levels->count - 1], "status (last of NSpid)");
}

/* Where a process spends its time. A tick is ten milliseconds, which somebody has to wait for. */
enum spends { MOST_IN_KERNEL, MOST_IN_USER, NONE };

/* A probe with a name, threads, memory, powers and CPU time drawn at random. */
static struct run *odd_process(struct run *helper, const char *name, enum spends spends)
{
    struct grade *g = run_grade(helper);
    struct run *run = process_helper(g, helper);
    int little = grade_between(g, 2, 3), much = grade_between(g, 5, 8);

    process_do(run, "name %s", name);
    process_do(run, "threads %d", grade_between(g, 1, 9));
    process_do(run, "take %d", grade_between(g, 1, 24));
    if (spends != NONE) {
        process_do(run, "burn user %d", spends == MOST_IN_KERNEL ? little : much);
        process_do(run, "burn system %d", spends == MOST_IN_KERNEL ? much : little);
    }
    process_do(run, "capabilities %x%08x", grade_between(g, 0, 0xff),
               grade_between(g, 1, 0x7fffffff));
    process_wait_for_state(run, run_program_inside(run), 'S');
    return run;
}

void process_step_describe(struct grade *g)
{
    struct run *helper = process_helper(g, NULL);
    const char *word = grade_word(g, 4); /* one draw a statement: their order is then certain */
    int number = grade_between(g, 20, 99);
    const char *const names[] = {
        say(g, "%s%s%s%s", word, word, word, "end"),
        say(g, "%c b) (c", word[0]),
        say(g, ") Z %d (%s", number, word),
        say(g, "%s\nx y", word),
        say(g, "Threads:\t%d", number),
        say(g, "VmRSS:\t%d", number),
    };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct run *odd = odd_process(helper, names[i], i < NONE ? (enum spends)i : NONE);
        check_description(helper, run_program_inside(odd));
    }

    pid_t stopped = process_do(helper, "child"), dead = process_do(helper, "child");
    process_do(helper, "kill %d %d", stopped, SIGSTOP);
    process_do(helper, "kill %d %d", dead, SIGKILL);
    process_wait_for_state(helper, stopped, 'T');
    process_wait_for_state(helper, dead, 'Z');
    check_description(helper, stopped);
    check_description(helper, dead);

    /* The first of the group stays in our PID namespace; its children have a number of their own.
     */
    process_do(helper, "group %d %d", CLONE_NEWPID, grade_between(g, 3, 6));
    struct process_list all = process_in_room(helper);
    size_t levels = process_status_of(g, run_outside_pid(helper)).nspid.count;
    for (size_t i = 0; i < all.count; i++)
        if (process_status_of(g, all.list[i]).nspid.count > levels)
            check_description(helper, process_inside(helper, all.list[i]));

    process_check_error(helper, "--describe", say(g, "%d", process_vanished(helper)), ESRCH,
                        "vanished", "a process that is gone");
}
