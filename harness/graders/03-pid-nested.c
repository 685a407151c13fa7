/* Lab 03, step 6: one level further in. */
#include "graders/03-pid.h"

#include <unistd.h>

#include "grade/facts.h"
#include "grade/mounts.h"
#include "kernel/mountinfo.h"

void pid_step_nested(struct grade *g)
{
    static const char *const own[] = {"pid", "mnt"}, *const kept[] = {"uts", "ipc", "user", "net"};
    struct run *room =
        run_start(g, &(struct run_options){.program = "/strata/probe", .no_command = true});
    const struct kernel_mounts *before = mounts_of(g, run_outside_pid(room));
    const char *const arguments[] = {"--nested", NULL};
    struct run *run = run_start(g, &(struct run_options){.arguments = arguments, .beside = room});
    const struct payload *payload = run_payload(run);

    expect(g, pid_number_at(run, payload->pid, 2) == 1, .because = "not-nested",
           .expected = "COMMAND has three numbers: one outside, 2, and 1",
           .kernel = say(g, "NSpid of /proc/%d/status: %s", payload->pid,
                         pid_numbers_of(run, payload->pid)),
           .see = "lab03 --nested sleep 9; then grep NSpid /proc/PID/status outside");
    struct init init = pid_find_init(run, payload->pid);
    for (size_t i = 0; i < 2; i++)
        expect(g, !pid_same_namespace(g, payload->pid, init.pid, own[i]), .because = "same-inner",
               .expected = say(g, "COMMAND has another %s namespace than init", own[i]),
               .kernel = say(g, "both are in %s", facts_namespace(g, init.pid, own[i])),
               .see = say(g, "readlink /proc/PID/ns/%s of both", own[i]));
    for (size_t i = 0; i < 4; i++)
        expect(g, pid_same_namespace(g, payload->pid, init.pid, kept[i]), .because = "more-inner",
               .expected = say(g, "COMMAND and init share the %s namespace", kept[i]),
               .kernel = say(g, "COMMAND: %s, init: %s", facts_namespace(g, payload->pid, kept[i]),
                             facts_namespace(g, init.pid, kept[i])),
               .see = say(g, "readlink /proc/PID/ns/%s of both", kept[i]));
    pid_check_outside(g, before, run_outside_pid(run), payload->pid);
    const struct kernel_mounts *middle = mounts_of(g, init.pid);
    pid_check_proc_mount(g, init.pid, "/proc", before);
    pid_check_proc_mount(g, payload->pid, "/proc", middle);
    run_ask(run, "child");
    pid_check_proc_shows(g, payload->pid, payload->pidfd, "/proc");

    int status = grade_between(g, 1, 120);
    run_tell(run, "exit %d", status);
    pid_check_end(run, &init, status, say(g, "exits with %d", status));
}
