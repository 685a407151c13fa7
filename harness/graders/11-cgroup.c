/*
 * Lab 11: a control group.
 *
 * The room of each step has groups of its own, in the version that this machine has: a pure v2
 * tree, or one v1 hierarchy a controller. Which group a process is in is read from
 * /proc/PID/cgroup, as we see it from outside of every cgroup namespace.
 */
#include "graders/11-cgroup.h"

#include <string.h>

#include "grade/mounts.h"

const char *const cgroup_hidden[] = {NULL};

struct start cgroup_start_in(struct grade *g, struct run *room, const char *const *options,
                             const char *const *command)
{
    struct start start = {.room = room, .groups = cgroups_of(g, room, "pids")};
    /* Not with lab 10's filter, into which two thirds of a start's time go. */
    const char *arguments[24] = {"--cgroup-name", grade_word(g, 9), "--security-opt",
                                 "seccomp=unconfined"};
    size_t count = 4;

    start.name = say(g, "/%s", arguments[1]);
    if (options != cgroup_hidden) {
        arguments[count++] = "--cgroupns";
        arguments[count++] = "host";
    }
    for (; options != NULL && *options != NULL && count < 23; options++)
        arguments[count++] = *options;
    start.run = run_start(
        g, &(struct run_options){.arguments = arguments, .beside = room, .command = command});
    return start;
}

struct start cgroup_start_from(struct grade *g, struct run *room, const char *controller,
                               const char *from)
{
    struct start start = {.room = room, .groups = cgroups_of(g, room, "pids")};
    const char *word = grade_word(g, 9);
    const char *script = say(g, "echo 0 >%s%s/cgroup.procs && exec lab11 \"$@\"",
                             cgroups_of(g, room, controller).folder, from);
    const char *const arguments[] = {"sh", "-c",         script, "sh", "--cgroup-name",
                                     word, "--cgroupns", "host", NULL};

    start.name = say(g, "/%s", word);
    start.run =
        run_start(g, &(struct run_options){
                         .program = "/strata/busybox", .arguments = arguments, .beside = room});
    return start;
}

struct start cgroup_start(struct grade *g, const char *const *options)
{
    return cgroup_start_in(g, outside_open(g, false), options, NULL);
}

const char *const *cgroup_controllers(struct grade *g, struct run *room)
{
    static const char *const v1[] = {"pids", "freezer", NULL}, *const v2[] = {"pids", NULL};

    return cgroups_of(g, room, "pids").version == 1 ? v1 : v2;
}

const char *cgroup_answer(struct run *room, const char *option, const char *value)
{
    struct grade *g = run_grade(room);
    const char *const arguments[] = {option, value, NULL};
    const char *said;
    int status = outside_run(room, &(struct run_options){.arguments = arguments}, &said);

    expect(g, status == 0, .because = "no-answer",
           .expected =
               say(g, "lab11 %s %s answers and ends with 0", option, value != NULL ? value : ""),
           .kernel = say(g, "it ended with %d: %.100s", status, said),
           .see = say(g, "lab11 %s %s, in make shell11", option, value != NULL ? value : ""));
    return say(g, "%.*s", (int)strcspn(said, "\n"), said);
}

void cgroup_refused(struct run *room, const char *option, const char *value, const char *error,
                    const char *because)
{
    struct grade *g = run_grade(room);
    const char *const arguments[] = {option, value, NULL};
    const char *said;
    int status = outside_run(room, &(struct run_options){.arguments = arguments}, &said);

    expect(g, status == 125 && strstr(said, error) != NULL, .because = because,
           .expected = say(g, "%s %s is refused: %s", option, value, error),
           .kernel = say(g, "it ended with %d: %.100s", status, said),
           .see = say(g, "lab11 %s '%s'; echo $?, in make shell11", option, value));
}

static const struct step steps[] = {
    {.number = 1,
     .slug = "find",
     .title = "v1, v2 and hybrid told apart, the own group found",
     .points = 15,
     .needs = NEED_USERNS | NEED_CGROUP,
     .chapter = "find",
     .man = "cgroups(7), proc_pid_cgroup(5), proc_pid_mountinfo(5)",
     .run = cgroup_step_find},
    {.number = 2,
     .slug = "join",
     .title = "made and joined before COMMAND runs",
     .points = 20,
     .needs = NEED_USERNS | NEED_CGROUP,
     .after = {1},
     .chapter = "join",
     .man = "cgroups(7), clone(2) CLONE_INTO_CGROUP",
     .run = cgroup_step_join},
    {.number = 3,
     .slug = "pids",
     .title = "pids.max holds a fork bomb",
     .points = 15,
     .needs = NEED_USERNS | NEED_CGROUP,
     .after = {2},
     .chapter = "pids",
     .man = "cgroup-v2.rst, PID; fork(2) EAGAIN",
     .run = cgroup_step_pids},
    {.number = 4,
     .slug = "ancestor",
     .title = "an ancestor's limit binds",
     .points = 10,
     .needs = NEED_USERNS | NEED_CGROUP,
     .after = {1},
     .chapter = "ancestor",
     .man = "cgroups(7)",
     .run = cgroup_step_bound},
    {.number = 5,
     .slug = "namespace",
     .title = "a cgroup namespace, after joining",
     .points = 15,
     .needs = NEED_USERNS | NEED_CGROUP,
     .after = {2},
     .chapter = "namespace",
     .man = "cgroup_namespaces(7)",
     .run = cgroup_step_hide},
    {.number = 6,
     .slug = "removed",
     .title = "killed, emptied and removed on every way out",
     .points = 25,
     .needs = NEED_USERNS | NEED_CGROUP,
     .after = {2},
     .chapter = "removed",
     .man = "cgroups(7), rmdir(2) EBUSY; cgroup-v2.rst, cgroup.kill",
     .run = cgroup_step_remove},
    {.number = 7,
     .slug = "names",
     .title = "the names and units of version 1",
     .points = 10,
     .more = true,
     .needs = NEED_USERNS,
     .chapter = "names",
     .man = "cgroups(7), Cgroups version 1 controllers",
     .run = cgroup_step_names},
    {.number = 8,
     .slug = "freeze",
     .title = "frozen and thawed",
     .points = 10,
     .more = true,
     .needs = NEED_USERNS | NEED_CGROUP,
     .after = {2, 7},
     .chapter = "freeze",
     .man = "cgroup-v2.rst, cgroup.freeze; cgroup-v1/freezer-subsystem.rst",
     .run = cgroup_step_freeze},
};

LAB(.name = "11-cgroup", .title = "a control group", .steps = steps,
    .count = sizeof steps / sizeof *steps, .cgroups = true);
