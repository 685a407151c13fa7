/* Lab 13, step 4: which processors. What a process may run on stands in its /proc/PID/status. */
#include "graders/13-cpu.h"

#include <stdio.h>
#include <string.h>

#include "grade/mounts.h"
#include "kernel/own.h"
#include "kernel/tree.h"

enum { CPUS_MAX = 1024 };

struct machine {
    const char *all; /* "0-3": what the room may run on */
    int list[CPUS_MAX];
    size_t count;
};

static bool has(const struct machine *machine, int cpu)
{
    size_t i = 0;

    while (i < machine->count && machine->list[i] != cpu)
        i++;
    return i < machine->count;
}

static void check_file(const struct start *start, const struct cgroups *cpuset, const char *file,
                       const char *wanted, const char *because)
{
    struct grade *g = run_grade(start->run);
    const char *text = cgroups_read(start->room, cpuset, start->name, file);

    expect(g, text != NULL && strcmp(text, wanted) == 0, .because = because,
           .expected = say(g, "%s of the group is \"%s\"", file, wanted),
           .kernel = say(g, "it is \"%s\"", text != NULL ? text : "not there"),
           .see = say(g, "cat %s/GROUP/%s", cpuset->folder, file));
}

static void check_allowed(struct start *start, pid_t pid, const char *who, const char *asked,
                          const char *wanted)
{
    struct grade *g = run_grade(start->run);
    const char *list = cpu_allowed(g, pid);

    expect(g, strcmp(list, wanted) == 0, .because = "cpus-allowed",
           .expected = say(g, "--cpuset-cpus %.40s: %s may run on %s", asked, who, wanted),
           .kernel = say(g, "/proc/%d/status says Cpus_allowed_list %s", pid, list),
           .see =
               say(g, "lab13 --cpuset-cpus %.40s grep Cpus_allowed_list /proc/self/status", asked));
}

/* `wanted` is how the kernel writes the list that is asked for. `nodes`: NULL, or that list. The
 * group had fewer processors before: `before`. */
static void check_cpus(struct run *room, const char *before, const char *asked, const char *wanted,
                       const char *nodes)
{
    struct grade *g = run_grade(room);
    struct cgroups cpuset = cgroups_of(g, room, "cpuset");
    const char *const options[] = {"--cgroup-conf",
                                   say(g, "cpuset.cpus=%s", before),
                                   "--cpuset-cpus",
                                   asked,
                                   nodes != NULL ? "--cpuset-mems" : NULL,
                                   nodes,
                                   NULL};
    struct start start = cpu_start(room, options, NULL);
    const struct payload *payload = run_payload(start.run);
    struct kernel_pids children = {0};

    check_file(&start, &cpuset, "cpuset.cpus", wanted, "cpus-file");
    if (nodes != NULL)
        check_file(&start, &cpuset, "cpuset.mems", nodes, "mems-file");
    else if (cpuset.version == 2)
        check_file(&start, &cpuset, "cpuset.mems", "", "mems-left");
    check_allowed(&start, payload->pid, "COMMAND", asked, wanted);
    run_ask(start.run, "child");
    if (kernel_children(payload->pid, &children) < 0 || children.count == 0)
        grade_error(g, 0, "COMMAND's child is not to be seen");
    pid_t child = children.list[0];
    kernel_pids_free(&children);
    check_allowed(&start, child, "a child of COMMAND", asked, wanted);
}

/* A list that is no short text, and not in the order and the form that the kernel gives it. */
static void check_long_list(struct run *room, const struct machine *machine)
{
    struct grade *g = run_grade(room);
    int low = machine->list[0], next = machine->count > 1 ? machine->list[1] : low;
    const char *asked = say(g, "%d", low);

    while (strlen(asked) < 36) /* lab 11 has room for 63 */
        asked = say(g, "%d,%d-%d,%s", low, low, low, asked);
    check_cpus(room, say(g, "%d", low), say(g, "%s,%d", asked, next),
               next == low       ? say(g, "%d", low)
               : next == low + 1 ? say(g, "%d-%d", low, next)
                                 : say(g, "%d,%d", low, next),
               NULL);
}

/* The nodes alone: the processors stay. */
static void check_mems(struct run *room, const struct machine *machine)
{
    struct grade *g = run_grade(room);
    struct cgroups cpuset = cgroups_of(g, room, "cpuset");
    struct start start = cpu_start(room, (const char *const[]){"--cpuset-mems", "0", NULL}, NULL);

    run_payload(start.run);
    check_file(&start, &cpuset, "cpuset.mems", "0", "mems-file");
    check_file(&start, &cpuset, "cpuset.cpus", cpuset.version == 2 ? "" : machine->all,
               "cpus-left");
}

/* All controllers, or the container's group would be made further up. */
static void hand_down(struct run *room, const char *folder)
{
    cgroups_shell(room,
                  "cd %s; for c in $(cat cgroup.controllers); do echo +$c >cgroup.subtree_control; "
                  "done",
                  folder);
}

/* Below a group that has one processor less, that one is not to be had. Version 2 would take it
 * into cpuset.cpus, and give nothing. */
static void check_below(struct grade *g, const struct machine *machine)
{
    struct run *room = outside_open(g, false);
    struct cgroups cpuset = cgroups_of(g, room, "cpuset");
    const char *above = say(g, "%s/%s", cpuset.folder, grade_word(g, 6)), *said;
    int kept = machine->list[0], missing = machine->list[machine->count - 1];

    if (cpuset.version == 2)
        hand_down(room, cpuset.folder);
    cgroups_shell(room, "mkdir %s && echo %d >%s/cpuset.cpus && cat %s/cpuset.mems >%s/cpuset.mems",
                  above, kept, above, cpuset.folder, above);
    if (cpuset.version == 2) {
        hand_down(room, above);
        cgroups_shell(room, "mkdir %s/own", above);
    }
    const char *script = say(g, "echo $$ >%s%s/cgroup.procs && exec lab13 \"$@\"", above,
                             cpuset.version == 2 ? "/own" : "");
    const char *const asks[] = {say(g, "%d", missing), machine->all};
    for (int i = 0; i < 2; i++) {
        const char *const arguments[] = {
            "sh",   "-c", script, "sh", "--cpuset-cpus", asks[i], "--", "/strata/busybox",
            "true", NULL};
        int status = outside_run(
            room, &(struct run_options){.program = "/strata/busybox", .arguments = arguments},
            &said);
        /* Version 1 says it itself, and with another error. */
        const char *error = cpuset.version == 2 ? "cpu_set: Invalid argument" : "cpu_set:";
        expect(g, status == 125 && strstr(said, error) != NULL, .because = "less-than-asked",
               .expected = say(g,
                               "--cpuset-cpus %s below a group that has %d only (%d is not to be "
                               "had) is refused: 125",
                               asks[i], kept, missing),
               .kernel = say(g, "it ended with %d: %.80s", status, said),
               .see = "cat cpuset.cpus cpuset.cpus.effective of the group");
    }
}

/* Processors that this machine could have, and has not: version 2 takes even those. Then it gives
 * all that there are, or the rest. */
static void check_switched_off(struct run *room, const struct machine *machine)
{
    struct grade *g = run_grade(room);
    autofclose FILE *file = fopen("/sys/devices/system/cpu/possible", "re");
    static int list[CPUS_MAX];
    char possible[256] = "";

    if (file == NULL || fgets(possible, sizeof possible, file) == NULL)
        return;
    size_t count = cpu_list(possible, list, CPUS_MAX), at = 0;
    while (at < count && has(machine, list[at]))
        at++;
    if (at == count)
        return;
    const char *asks[] = {say(g, "%d", list[at]), say(g, "%d,%d", machine->list[0], list[at])};
    bool v2 = cgroups_of(g, room, "cpuset").version == 2;
    for (int i = 0; i < 2; i++)
        cpu_refused(room, (const char *const[]){"--cpuset-cpus", asks[i], NULL},
                    v2 ? "cpu_set: Invalid argument" : "cpu_set:", "less-than-asked",
                    say(g, "CPU %s (%d is not to be had)", asks[i], list[at]));
}

static void check_refusals(struct run *room, const struct machine *machine)
{
    struct grade *g = run_grade(room);
    const char *absent = say(g, "%d", grade_between(g, 100000, 999999));

    cpu_refused(room, (const char *const[]){"--cpuset-cpus", absent, NULL},
                "cpu_set:", "no-such-cpu", say(g, "CPU %s (there is none)", absent));
    cpu_refused(room, (const char *const[]){"--cpuset-cpus", "one", NULL},
                "cpu_set:", "no-such-cpu", "a CPU called \"one\"");
    check_switched_off(room, machine);
    cpu_refused(room,
                (const char *const[]){"--cpuset-cpus", machine->all, "--cpuset-mems", "1022", NULL},
                "cpu_set:", "no-such-node", "memory node 1022 (there is none)");
    cpu_refused(room, (const char *const[]){"--cpuset-mems", "1022", NULL},
                "cpu_set:", "no-such-node", "node 1022 (there is none) without a CPU");
}

void cpu_step_cpuset(struct grade *g)
{
    static struct machine machine;
    struct run *room = outside_open(g, false);

    machine.all = cpu_allowed(g, run_program_pid(room));
    machine.count = cpu_list(machine.all, machine.list, CPUS_MAX);
    if (machine.count == 0)
        grade_error(g, 0, "the room may run on no CPU");
    const char *one = say(g, "%d", machine.list[grade_random(g, (uint32_t)machine.count)]);
    const char *low = say(g, "%d", machine.list[0]);
    check_refusals(room, &machine);
    check_cpus(room, one, say(g, "%s-%s", one, one), one, NULL);
    check_cpus(room, low, machine.all, machine.all, "0");
    check_long_list(room, &machine);
    if (machine.count > 1)
        check_below(g, &machine);
    check_mems(room, &machine);
}
