/*
 * Lab 13: CPU.
 *
 * What was written is read from the group's files, in whichever version this machine has. What the
 * kernel makes of it is measured by its own counters of CPU time: a machine that has little of it
 * to give only takes longer.
 */
#include "graders/13-cpu.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "grade/mounts.h"
#include "kernel/status.h"

struct start cpu_start(struct run *room, const char *const *options, const char *const *command)
{
    struct grade *g = run_grade(room);
    struct start start = {.room = room, .cpu = cgroups_of(g, room, "cpu")};
    /* Not with lab 10's filter, into which two thirds of a start's time go. */
    const char *arguments[24] = {"--cgroup-name", grade_word(g, 9), "--cgroupns",
                                 "host",          "--security-opt", "seccomp=unconfined"};
    size_t count = 6;

    start.accounts = cpu_accounts(room, &start.cpu);
    start.name = say(g, "/%s", arguments[1]);
    for (; *options != NULL && count < 23; options++)
        arguments[count++] = *options;
    start.run = run_start(
        g, &(struct run_options){.arguments = arguments, .beside = room, .command = command});
    return start;
}

static const char *not_refused(struct run *run, int status, const char *what)
{
    struct grade *g = run_grade(run);

    if (run_said(run, "not written yet"))
        return "COMMAND ran: the step is not written yet";
    if (status == 0)
        return say(g, "COMMAND ran in spite of %s", what);
    return say(g, "the program ended with %d, and said something else", status);
}

void cpu_refused(struct run *room, const char *const *options, const char *error,
                 const char *because, const char *what)
{
    static const char *const command[] = {"/strata/busybox", "true", NULL};
    struct grade *g = run_grade(room);
    struct start start = cpu_start(room, options, command);
    int status = run_exit_status(start.run);

    expect(g, status == 125 && run_said(start.run, error), .because = because,
           .expected = say(g, "%s is refused (%s): 125, and COMMAND does not run", what, error),
           .kernel = not_refused(start.run, status, what),
           .see = say(g, "lab13 %s %s%s%s true; echo $?", options[0], options[1],
                      options[2] != NULL ? " " : "",
                      options[2] != NULL ? say(g, "%s %s", options[2], options[3]) : ""));
    expect(g, !cgroups_there(room, &start.cpu, start.name), .because = "group-stays",
           .expected = say(g, "%s is refused, and no group stays", what),
           .kernel = say(g, "%s%s is there", start.cpu.folder, start.name),
           .see = "what a hook returns ends the start: hand the error on");
}

const char *cpu_quoted(struct grade *g, const char *text)
{
    return strchr(text, ' ') != NULL ? say(g, "'%s'", text) : text;
}

const char *cpu_quota(struct run *room, const struct cgroups *cpu, const char *name)
{
    struct grade *g = run_grade(room);

    if (cpu->version == 2)
        return cgroups_read(room, cpu, name, "cpu.max");
    const char *quota = cgroups_read(room, cpu, name, "cpu.cfs_quota_us");
    const char *period = cgroups_read(room, cpu, name, "cpu.cfs_period_us");
    if (quota == NULL || period == NULL)
        return NULL;
    return say(g, "%s %s", strcmp(quota, "-1") == 0 ? "max" : quota, period);
}

struct cgroups cpu_accounts(struct run *room, const struct cgroups *cpu)
{
    return cpu->version == 2 ? *cpu : cgroups_of(run_grade(room), room, "cpuacct");
}

struct counted cpu_counted(struct run *room, const struct cgroups *cpu,
                           const struct cgroups *accounts, const char *name)
{
    struct counted c = {.periods = cgroups_key(room, cpu, name, "cpu.stat", "nr_periods"),
                        .throttled = cgroups_key(room, cpu, name, "cpu.stat", "nr_throttled")};

    if (cpu->version == 2) {
        c.usage = cgroups_key(room, cpu, name, "cpu.stat", "usage_usec");
        c.throttled_usec = cgroups_key(room, cpu, name, "cpu.stat", "throttled_usec");
        return c;
    }
    const char *usage = cgroups_read(room, accounts, name, "cpuacct.usage");
    c.usage = usage != NULL ? strtoull(usage, NULL, 10) / 1000 : 0;
    c.throttled_usec = cgroups_key(room, cpu, name, "cpu.stat", "throttled_time") / 1000;
    return c;
}

const char *cpu_answer(struct run *room, const char *option, const char *value)
{
    struct grade *g = run_grade(room);
    const char *const arguments[] = {option, value, NULL};
    const char *said;
    int status = outside_run(room, &(struct run_options){.arguments = arguments}, &said);
    size_t length = strlen(said);

    expect(g, status == 0, .because = "no-answer",
           .expected = say(g, "lab13 %s %s answers and ends with 0", option, value),
           .kernel = say(g, "it ended with %d: %.100s", status, said),
           .see = say(g, "lab13 %s %s, in make shell13", option, value));
    return say(g, "%.*s", (int)(length - (length > 0 && said[length - 1] == '\n')), said);
}

const char *cpu_allowed(struct grade *g, pid_t pid)
{
    struct kernel_status status;
    int result = kernel_status_read(pid, &status);

    if (result == -ESRCH)
        fail(g, .because = "payload-gone", .expected = say(g, "process %d still runs", pid),
             .kernel = say(g, "/proc/%d is gone", pid), .see = "make trace13");
    if (result < 0)
        grade_error(g, result, "cannot read /proc/%d/status", pid);
    const char *list =
        say(g, "%s", status.cpus_allowed_list != NULL ? status.cpus_allowed_list : "");
    kernel_status_free(&status);
    return list;
}

size_t cpu_list(const char *text, int *list, size_t size)
{
    size_t count = 0;

    while (*text >= '0' && *text <= '9') {
        char *end;
        int low = (int)strtol(text, &end, 10), high = low;
        if (*end == '-')
            high = (int)strtol(end + 1, &end, 10);
        for (; low <= high && count < size; low++)
            list[count++] = low;
        text = *end == ',' ? end + 1 : end;
    }
    return count;
}

static const struct step steps[] = {
    {.number = 1,
     .slug = "quota",
     .title = "a quota from --cpus",
     .points = 25,
     .needs = NEED_USERNS | NEED_CGROUP,
     .chapter = "quota",
     .man = "cgroup-v2.rst, cpu.max; sched-bwc.rst",
     .run = cpu_step_quota},
    {.number = 2,
     .slug = "throttled",
     .title = "the throttled share, from differences",
     .points = 25,
     .needs = NEED_USERNS | NEED_CGROUP,
     .chapter = "throttled",
     .man = "cgroup-v2.rst, cpu.stat; sched-bwc.rst, Statistics",
     .run = cpu_step_throttled},
    {.number = 3,
     .slug = "weight",
     .title = "weights share what is fought over",
     .points = 25,
     .needs = NEED_USERNS | NEED_CGROUP,
     .chapter = "weight",
     .man = "cgroup-v2.rst, Weights and cpu.weight",
     .run = cpu_step_weight},
    {.number = 4,
     .slug = "cpuset",
     .title = "which processors",
     .points = 15,
     .needs = NEED_USERNS | NEED_CGROUP,
     .chapter = "cpuset",
     .man = "cpuset(7); cgroup-v2.rst, Cpuset",
     .run = cpu_step_cpuset},
    {.number = 5,
     .slug = "units",
     .title = "Kubernetes' units",
     .points = 10,
     .needs = NEED_USERNS,
     .chapter = "units",
     .man = "cgroup-v2.rst, cpu.weight",
     .run = cpu_step_units},
    {.number = 6,
     .slug = "io",
     .title = "a limit on reading and writing",
     .points = 10,
     .more = true,
     .needs = NEED_USERNS | NEED_CGROUP,
     .chapter = "io",
     .man = "cgroup-v2.rst, io.max; cgroup-v1/blkio-controller.rst",
     .run = cpu_step_io},
};

LAB(.name = "13-cpu", .title = "a share of the processors", .steps = steps,
    .count = sizeof steps / sizeof *steps, .cgroups = true);
