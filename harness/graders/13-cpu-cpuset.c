/* Lab 13, step 4: which processors. What a process may run on stands in its /proc/PID/status. */
#include "graders/13-cpu.h"

#include <string.h>

#include "grade/mounts.h"
#include "kernel/tree.h"

enum { CPUS_MAX = 1024 };

struct machine {
    const char *all; /* "0-3": what the room may run on */
    int list[CPUS_MAX];
    size_t count;
};

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
           .expected = say(g, "--cpuset-cpus %s: %s may run on %s", asked, who, wanted),
           .kernel = say(g, "/proc/%d/status says Cpus_allowed_list %s", pid, list),
           .see = say(g, "lab13 --cpuset-cpus %s grep Cpus_allowed_list /proc/self/status", asked));
}

/* `wanted` is how the kernel writes the list that is asked for. `nodes`: NULL, or that list. */
static void check_cpus(struct run *room, const char *asked, const char *wanted, const char *nodes)
{
    struct grade *g = run_grade(room);
    struct cgroups cpuset = cgroups_of(g, room, "cpuset");
    const char *const options[] = {"--cpuset-cpus", asked, nodes != NULL ? "--cpuset-mems" : NULL,
                                   nodes, NULL};
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
        expect(g, status == 125 && strstr(said, "cpu_set") != NULL, .because = "less-than-asked",
               .expected = say(g, "--cpuset-cpus %s below a group that has %d only is refused: 125",
                               asks[i], kept),
               .kernel = say(g, "it ended with %d: %.80s", status, said),
               .see = "cat cpuset.cpus cpuset.cpus.effective of the group");
    }
}

static void check_refusals(struct run *room, const struct machine *machine)
{
    struct grade *g = run_grade(room);
    const char *absent = say(g, "%d", grade_between(g, 100000, 999999));

    cpu_refused(room, (const char *const[]){"--cpuset-cpus", absent, NULL},
                "cpu_set:", "no-such-cpu", say(g, "CPU %s (there is none)", absent));
    cpu_refused(room, (const char *const[]){"--cpuset-cpus", "one", NULL},
                "cpu_set:", "no-such-cpu", "a CPU called \"one\"");
    cpu_refused(room,
                (const char *const[]){"--cpuset-cpus", machine->all, "--cpuset-mems", "1022", NULL},
                "cpu_set:", "no-such-node", "memory node 1022 (there is none)");
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
    check_refusals(room, &machine);
    check_cpus(room, one, one, NULL);
    check_cpus(room, machine.all, machine.all, "0");
    if (machine.count > 1) {
        int low = machine.list[0], next = machine.list[1];
        check_cpus(room, say(g, "%d,%d", next, low),
                   say(g, next == low + 1 ? "%d-%d" : "%d,%d", low, next), NULL);
        check_below(g, &machine);
    }
    check_mems(room, &machine);
}
