/*
 * Lab 03: PID 1 and its duties.
 *
 * All is seen from outside, where every process of the container has a number as well: who its
 * parent is, which of them are zombies, whether an init sleeps. Absences ("no zombie stays") are
 * graded after their presence was shown, and never by waiting for a while: an init that sleeps
 * although there is something to do will not do it.
 */
#include "graders/03-pid.h"

#include <sched.h>
#include <signal.h>

#include "grade/facts.h"

static void step_pid_1(struct grade *g)
{
    static const char *const others[] = {"uts", "ipc"}, *const kept[] = {"user", "net", "cgroup"};
    struct run *run = run_start(g, &(struct run_options){0});
    pid_t pid = run_payload(run)->pid, program = run_program_pid(run), out = run_outside_pid(run);

    facts_own_namespace(run, "pid");
    expect(g, pid_same_namespace(g, program, out, "pid_for_children"), .because = "moved-children",
           .expected = "only COMMAND's start asks for a namespace; the program's other children "
                       "stay outside",
           .kernel = say(g, "/proc/%d/ns/pid_for_children is no longer what it was", program),
           .see = "unshare(2) changes where its caller's children are born: pid_namespaces(7)");
    expect(g, pid_number_at(run, pid, 1) == 1, .because = "not-1",
           .expected = "COMMAND has two numbers: one outside, and 1",
           .kernel = say(g, "NSpid of /proc/%d/status: %s", pid, pid_numbers_of(run, pid)),
           .see = "lab03 sh -c 'echo $$'");
    expect(g, pid_status_of(g, pid).ppid == program, .because = "not-child",
           .expected = say(g, "COMMAND is the child of the program, process %d", program),
           .kernel = say(g, "PPid of /proc/%d/status: %d", pid, pid_status_of(g, pid).ppid),
           .see = "lab03 sleep 9 &  and then: cat /proc/$!/task/$!/children");
    for (size_t i = 0; i < 2; i++)
        expect(g, !pid_same_namespace(g, pid, out, others[i]), .because = "lost-flags",
               .expected = say(g, "the %s namespace of layer 02 is still there", others[i]),
               .kernel = say(g, "/proc/%d/ns/%s -> %s, the same as outside", pid, others[i],
                             facts_namespace(g, pid, others[i])),
               .see = say(g, "lab03 readlink /proc/self/ns/%s", others[i]));
    for (size_t i = 0; i < 3; i++)
        expect(g, pid_same_namespace(g, pid, out, kept[i]), .because = "more-namespaces",
               .expected = say(g, "COMMAND's %s namespace is that of outside", kept[i]),
               .kernel = say(g, "/proc/%d/ns/%s -> %s, outside %s", pid, kept[i],
                             facts_namespace(g, pid, kept[i]), facts_namespace(g, out, kept[i])),
               .see = say(g, "lab03 readlink /proc/self/ns/%s", kept[i]));
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
     .run = pid_step_proc},
    {.number = 3,
     .slug = "reap",
     .title = "init reaps orphans",
     .points = 25,
     .needs = NEED_USERNS,
     .chapter = "reap",
     .man = "waitid(2), sigwaitinfo(2), close_range(2)",
     .run = pid_step_reap},
    {.number = 4,
     .slug = "forward",
     .title = "init forwards signals",
     .points = 20,
     .needs = NEED_USERNS,
     .chapter = "forward",
     .man = "signal(7), kill(2), sigsetops(3)",
     .run = pid_step_forward},
    {.number = 5,
     .slug = "status",
     .title = "init passes on the exit status",
     .points = 15,
     .needs = NEED_USERNS,
     .chapter = "status",
     .man = "waitid(2), _exit(2), pid_namespaces(7)",
     .run = pid_step_status},
    {.number = 6,
     .slug = "nested",
     .title = "one level further in",
     .points = 10,
     .more = true,
     .needs = NEED_USERNS,
     .after = {1, 2, 3},
     .chapter = "nested",
     .man = "pid_namespaces(7), proc(5)",
     .run = pid_step_nested},
};

LAB(.name = "03-pid", .title = "PID 1 and its duties", .steps = steps,
    .count = sizeof steps / sizeof *steps);
