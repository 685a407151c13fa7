/* Lab 11, step 5: COMMAND's group is the root of all that COMMAND can see. */
#include "graders/11-cgroup.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "grade/facts.h"
#include "grade/mounts.h"

/* The path of the controller's line in a text of /proc/PID/cgroup. */
static const char *line_path(struct grade *g, const char *text, const char *controller, int version)
{
    for (const char *line = text; line != NULL && *line != '\0';
         line = strchr(line, '\n') != NULL ? strchr(line, '\n') + 1 : NULL) {
        const char *names = strchr(line, ':'),
                   *path = names != NULL ? strchr(names + 1, ':') : NULL;
        if (path == NULL)
            continue;
        const char *list = say(g, ",%.*s,", (int)(path - names - 1), names + 1);
        if (version == 2 ? strcmp(list, ",,") == 0
                         : strstr(list, say(g, ",%s,", controller)) != NULL)
            return say(g, "%.*s", (int)strcspn(path + 1, "\n"), path + 1);
    }
    return "(no line)";
}

static void check_hidden(struct grade *g)
{
    struct start start = cgroup_start(g, cgroup_hidden);
    const struct payload *payload = run_payload(start.run);

    facts_own_namespace(start.run, "cgroup");
    const char *text =
        facts_read_within(g, payload->pid, payload->pidfd, CLONE_NEWUSER | CLONE_NEWCGROUP,
                          say(g, "/proc/%d/cgroup", payload->pid));
    for (const char *const *c = cgroup_controllers(g, start.room); *c != NULL; c++) {
        const char *path = line_path(g, text, *c, start.groups.version);
        expect(g, strcmp(path, "/") == 0, .because = "not-the-root",
               .expected = say(g, "COMMAND sees its group of %s as /", *c),
               .kernel = say(g, "/proc/self/cgroup in there says %s", path),
               .see = "lab11 cat /proc/self/cgroup, in make shell11");
    }
    /* And seen from outside, it is where it was put: what is hidden has not moved. */
    const char *in = cgroups_group(g, &start.groups, "pids", payload->pid);
    expect(g, in != NULL && strcmp(in, start.name) == 0, .because = "not-joined",
           .expected = say(g, "seen from outside, COMMAND is in %s", start.name),
           .kernel = say(g, "it is in %s", in != NULL ? in : "another"),
           .see = "cat /proc/PID/cgroup, outside");
}

/* A cgroup namespace, and nothing besides: that of lab 02 is left out here. */
static void check_only(struct grade *g)
{
    static const char *const kinds[] = {"uts", "ipc", "net", "time"};
    static const char *const arguments[] = {"--without", "uts", "--security-opt",
                                            "seccomp=unconfined", NULL};
    struct run *room = outside_open(g, false);
    struct run *run = run_start(g, &(struct run_options){.arguments = arguments, .beside = room});
    const struct payload *payload = run_payload(run);

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const char *inside = facts_namespace(g, payload->pid, kinds[i]);
        const char *outside = facts_namespace(g, run_outside_pid(room), kinds[i]);
        expect(g, strcmp(inside, outside) == 0, .because = "too-much",
               .expected = say(g, "cgroup_hide makes a cgroup namespace and no other: %s", outside),
               .kernel = say(g, "lab11 --without uts: COMMAND is in %s", inside),
               .see = "unshare(2) in cgroup_hide: which flags?");
    }
}

/* The room may have no more cgroup namespaces: without one COMMAND does not start. */
static void check_refused(struct grade *g)
{
    static const char *const command[] = {"/strata/busybox", "true", NULL};
    struct run *room = outside_open(g, false);

    cgroups_shell(room, "echo 0 >/proc/sys/user/max_cgroup_namespaces");
    struct start start = cgroup_start_in(g, room, cgroup_hidden, command);
    int status = run_exit_status(start.run);
    expect(g, status == 125, .because = "refusal-lost",
           .expected = "unshare is refused (ENOSPC): 125, and COMMAND does not run",
           .kernel = say(g, "the program ended with %d", status),
           .see = "echo 0 >/proc/sys/user/max_cgroup_namespaces; lab11 true; echo $?");
}

void cgroup_step_hide(struct grade *g)
{
    check_hidden(g);
    check_only(g);
    check_refused(g);

    struct start start = cgroup_start(g, NULL);
    const struct payload *payload = run_payload(start.run);
    const char *inside = facts_namespace(g, payload->pid, "cgroup");
    const char *outside = facts_namespace(g, run_outside_pid(start.room), "cgroup");
    expect(g, strcmp(inside, outside) == 0, .because = "not-asked-for",
           .expected = say(g, "--cgroupns host: COMMAND stays in %s", outside),
           .kernel = say(g, "it is in %s", inside),
           .see = "unshare(2) in cgroup_hide, and nowhere else");
}
