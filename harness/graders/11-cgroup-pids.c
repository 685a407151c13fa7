/* Lab 11, steps 3 and 4: a limit holds COMMAND with all that it starts; and whose limit that is. */
#include "graders/11-cgroup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grade/mounts.h"

/* --- pids.max -----------------------------------------------------------------------------------
 */

static void check_limit(struct grade *g, int limit)
{
    const char *const options[] = {"--pids-limit", say(g, "%d", limit), NULL};
    struct start start = cgroup_start(g, options);
    const char *see =
        say(g, "lab11 --pids-limit %d sh -c 'for i in ...; do sleep 9 & done'", limit);
    int count = -1, error = 0;

    run_payload(start.run);
    const char *text = cgroups_read(start.room, &start.groups, start.name, "pids.max");
    expect(g, text != NULL && strcmp(text, options[1]) == 0, .because = "pids-max",
           .expected = say(g, "pids.max of %s is %d", start.name, limit),
           .kernel = say(g, "it is %s%s", text != NULL ? text : "not there",
                         text != NULL && strcmp(text, "max") != 0 ? ", another limit" : ""),
           .see = say(g, "cat %s/GROUP/pids.max", start.groups.folder));
    sscanf(run_ask(start.run, "forks 60"), "ok %d %d", &count, &error);
    expect(g, count == limit - 1 && error == EAGAIN, .because = "not-held",
           .expected = say(g, "COMMAND can have %d children, and then fork says EAGAIN", limit - 1),
           .kernel = say(g, "it had %d, and then: %s", count, strerror(error)), .see = see);
    text = cgroups_read(start.room, &start.groups, start.name, "pids.current");
    expect(g, text != NULL && atoi(text) == limit, .because = "pids-current",
           .expected = say(g, "pids.current is %d", limit),
           .kernel = say(g, "it is %s", text != NULL ? text : "not there"), .see = see);
}

static void check_no_limit(struct grade *g)
{
    static const char *const options[] = {"--pids-limit", "-1", NULL};
    struct start start = cgroup_start(g, options);

    run_payload(start.run);
    const char *text = cgroups_read(start.room, &start.groups, start.name, "pids.max");
    expect(g, text != NULL && strcmp(text, "max") == 0, .because = "pids-max",
           .expected = "--pids-limit -1: pids.max is max",
           .kernel = say(g, "it is %s", text != NULL ? text : "not there"),
           .see = "cgroup-v2.rst, PID");
}

void cgroup_step_pids(struct grade *g)
{
    check_limit(g, grade_between(g, 5, 12));
    check_limit(g, grade_between(g, 13, 30));
    check_limit(g, 1);
    check_no_limit(g);

    /* What the kernel refuses is not lost on the way: more than pid_max can never be. */
    static const char *const too_many[] = {"--pids-limit", "99999999", NULL};
    static const char *const command[] = {"/strata/busybox", "true", NULL};
    struct start start = cgroup_start_in(g, outside_open(g, false), too_many, command);
    int status = run_exit_status(start.run);
    expect(g, status == 125 && run_said(start.run, "Invalid argument"), .because = "refusal-lost",
           .expected = "a limit that the kernel refuses (EINVAL): 125, and COMMAND does not run",
           .kernel = say(g, "the program ended with %d", status),
           .see = "lab11 --pids-limit 99999999 true; echo $?");
}

/* --- what binds ---------------------------------------------------------------------------------
 */

/* Which of the three limits that is, in words: the lowest group is the process's own. */
static const char *whose(const char *const limits[3], const char *said)
{
    static const char *const words[] = {"the topmost group's", "the middle group's",
                                        "the process's own group's"};

    for (int i = 2; i >= 0; i--)
        if (strcmp(said, limits[i]) == 0)
            return words[i];
    return "nobody's";
}

/* Three groups, one in another, with these limits ("max" for none); our process in the lowest. */
static void check_bound(struct run *room, const char *const limits[3], const char *wanted)
{
    struct grade *g = run_grade(room);
    struct cgroups groups = cgroups_of(g, room, "pids");
    const char *name = "";

    for (int i = 0; i < 3; i++) {
        if (groups.version == 2)
            cgroups_shell(room, "echo +pids >%s%s/cgroup.subtree_control", groups.folder, name);
        name = say(g, "%s/%s", name, grade_word(g, 5));
        cgroups_shell(room, "mkdir %s%s && echo %s >%s%s/pids.max", groups.folder, name, limits[i],
                      groups.folder, name);
    }
    cgroups_shell(room, "echo %d >%s%s/cgroup.procs", run_program_inside(room), groups.folder,
                  name);
    const char *said =
        cgroup_answer(room, "--cgroup-bound", say(g, "%d:pids:pids.max", run_program_inside(room)));
    expect(g, strcmp(said, wanted) == 0, .because = "wrong-bound",
           .expected = say(g, "pids.max of three nested groups: %s, %s, %s: %s binds", limits[0],
                           limits[1], limits[2], wanted),
           .kernel = say(g, "your program says %s: that is %s", said, whose(limits, said)),
           .see = "cat pids.max in each folder from the process's group upwards");
}

void cgroup_step_bound(struct grade *g)
{
    const char *low = say(g, "%d", grade_between(g, 60, 99));
    const char *middle = say(g, "%d", grade_between(g, 100, 199));
    const char *high = say(g, "%d", grade_between(g, 200, 999));

    check_bound(outside_open(g, false), (const char *const[]){low, high, "max"}, low);
    check_bound(outside_open(g, false), (const char *const[]){high, low, middle}, low);
    check_bound(outside_open(g, false), (const char *const[]){"max", high, middle}, middle);
    check_bound(outside_open(g, false), (const char *const[]){"max", "max", "max"}, "max");
    cgroup_refused(outside_open(g, false), "--cgroup-bound", "3999999:pids:pids.max",
                   "No such process", "no-such-process");
}
