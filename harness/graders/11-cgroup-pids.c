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

/* Files of a group, read and written by name. */
static void check_files(struct grade *g)
{
    static const char *const files[] = {"pids.max", "pids.current", "cgroup.procs"};
    struct run *room = outside_open(g, false);
    struct cgroups groups = cgroups_of(g, room, "pids");
    const char *name = say(g, "/%s", grade_word(g, 6));
    int pid = run_program_inside(room);

    if (groups.version == 2)
        cgroups_shell(room, "echo +pids >%s/cgroup.subtree_control", groups.folder);
    cgroups_shell(room, "cd %s; mkdir .%s; echo %d >.%s/pids.max; echo %d >.%s/cgroup.procs",
                  groups.folder, name, grade_between(g, 100, 30000), name, pid, name);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        const char *said = cgroup_answer(room, "--cgroup-read", say(g, "%d:%s", pid, files[i]));
        const char *text = strcmp(files[i], "cgroup.procs") == 0
                               ? say(g, "%d", pid)
                               : cgroups_read(room, &groups, name, files[i]);
        expect(g, text != NULL && strcmp(said, text) == 0, .because = "misread",
               .expected = say(g, "%s of the group of process %d is \"%s\"", files[i], pid, text),
               .kernel = say(g, "your program says \"%s\"", said),
               .see = say(g, "cat %s%s/%s", groups.folder, name, files[i]));
    }
    const char *none = say(g, "pids.%s", grade_word(g, 5));
    cgroup_refused(room, "--cgroup-read", say(g, "%d:%s", pid, none), "No such file or directory",
                   "no-such-file");
    const char *const arguments[] = {
        "--cgroup-conf", say(g, "%s=1", none), "--", "/strata/busybox", "true", NULL};
    const char *text;
    int status = outside_run(room, &(struct run_options){.arguments = arguments}, &text);
    expect(g, status == 125 && strstr(text, "No such file or directory") != NULL,
           .because = "no-such-file",
           .expected = say(g, "--cgroup-conf %s=1: No such file or directory, 125", none),
           .kernel = say(g, "it ended with %d: %.80s", status, text),
           .see = say(g, "lab11 --cgroup-conf %s=1 true; echo $?", none));
}

static size_t lines_in(const char *text)
{
    size_t count = text[0] != '\0' ? 1 : 0;

    for (; (text = strchr(text, '\n')) != NULL && text[1] != '\0'; text++)
        count++;
    return count;
}

/* A file of many lines is read to its end. Lab 12 will want what stands there last. */
static void check_long_file(struct grade *g)
{
    struct run *room = outside_open(g, false);
    struct cgroups groups = cgroups_of(g, room, "memory");
    const char *name = groups.version == 2 ? "/init" : "", *said;
    const char *const arguments[] = {"--cgroup-read",
                                     say(g, "%d:memory.stat", run_program_inside(room)), NULL};

    if (groups.version == 2)
        cgroups_shell(room, "echo +memory >%s/cgroup.subtree_control", groups.folder);
    int status = outside_run(room, &(struct run_options){.arguments = arguments}, &said);
    const char *text = cgroups_read(room, &groups, name, "memory.stat");
    if (text == NULL)
        grade_error(g, 0, "%s%s has no memory.stat", groups.folder, name);
    expect(g, status == 0 && lines_in(said) == lines_in(text), .because = "cut-short",
           .expected = say(g, "memory.stat is read whole: %zu lines", lines_in(text)),
           .kernel =
               say(g, "your program ended with %d and showed %zu lines", status, lines_in(said)),
           .see = say(g, "lab11 --cgroup-read $$:memory.stat | wc -l"));
}

/* Its error is the kernel's own, whichever that is: ERANGE for a CPU that no kernel has room for.
 */
static void check_error(struct grade *g)
{
    static const char *const arguments[] = {
        "--cgroup-conf", "cpuset.cpus=99999", "--", "/strata/busybox", "true", NULL};
    const char *said;
    int status =
        outside_run(outside_open(g, false), &(struct run_options){.arguments = arguments}, &said);

    expect(g, status == 125 && strstr(said, "result out of range") != NULL,
           .because = "another-error",
           .expected = "cpuset.cpus=99999: Numerical result out of range (ERANGE), 125",
           .kernel = say(g, "it ended with %d: %.80s", status, said),
           .see = "lab11 --cgroup-conf cpuset.cpus=99999 true; echo $?");
}

/* "cgroup" is no controller: each hierarchy of version 1 has such a file, and each is meant. */
static void check_every_part(struct grade *g)
{
    static const char *const options[] = {"--cgroup-conf", "cgroup.clone_children=1", NULL};
    struct run *room = outside_open(g, false);

    if (cgroups_of(g, room, "pids").version == 2)
        return;
    struct start start = cgroup_start_in(g, room, options, NULL);
    run_payload(start.run);
    for (const char *const *c = cgroup_controllers(g, room); *c != NULL; c++) {
        struct cgroups groups = cgroups_of(g, room, *c);
        const char *text = cgroups_read(room, &groups, start.name, "cgroup.clone_children");
        expect(g, text != NULL && strcmp(text, "1") == 0, .because = "one-part",
               .expected = say(g, "cgroup.clone_children=1 is written in every part, %s too", *c),
               .kernel = say(g, "%s%s says %s", groups.folder, start.name,
                             text != NULL ? text : "nothing"),
               .see = "cat cgroup.clone_children of each of the group's folders");
    }
}

/* Version 1: a cpuset without CPUs takes nobody. */
static void check_join_refused(struct grade *g)
{
    static const char *const arguments[] = {"--cgroup-conf",
                                            "cpuset.cpus=\n",
                                            "--cgroup-conf",
                                            "cpu.shares=1024",
                                            "--",
                                            "/strata/busybox",
                                            "true",
                                            NULL};
    struct run *room = outside_open(g, false);
    const char *said;

    if (cgroups_of(g, room, "cpuset").version == 2)
        return;
    int status = outside_run(room, &(struct run_options){.arguments = arguments}, &said);
    expect(g, status == 125, .because = "join-lost",
           .expected = "a cpuset without CPUs lets no process in: 125, and COMMAND does not run",
           .kernel = say(g, "it ended with %d: %.80s", status, said),
           .see =
               "write(2) ENOSPC to cgroup.procs of the cpuset; and what did cgroup_join return?");
}

void cgroup_step_pids(struct grade *g)
{
    check_limit(g, grade_between(g, 5, 12));
    check_limit(g, grade_between(g, 13, 30));
    check_limit(g, 1);
    check_no_limit(g);
    check_files(g);
    check_long_file(g);
    check_every_part(g);
    check_join_refused(g);

    /* What the kernel refuses is not lost on the way: more than pid_max can never be. */
    static const char *const too_many[] = {"--pids-limit", "99999999", NULL};
    static const char *const command[] = {"/strata/busybox", "true", NULL};
    struct start start = cgroup_start_in(g, outside_open(g, false), too_many, command);
    int status = run_exit_status(start.run);
    expect(g, status == 125 && run_said(start.run, "Invalid argument"), .because = "refusal-lost",
           .expected = "a limit that the kernel refuses (EINVAL): 125, and COMMAND does not run",
           .kernel = say(g, "the program ended with %d", status),
           .see = "lab11 --pids-limit 99999999 true; echo $?");
    check_error(g);
}

/* --- what binds ---------------------------------------------------------------------------------
 */

/* Which of the three limits that is, in words: the lowest group is the process's own. */
static const char *whose(const char *const limits[3], const char *said, const char **because)
{
    static const char *const words[][2] = {{"the topmost group's", "bound-topmost"},
                                           {"the middle group's", "bound-middle"},
                                           {"the process's own group's", "bound-own"}};

    *because = "wrong-bound";
    for (int i = 2; i >= 0; i--) {
        if (limits[i] != NULL && strcmp(said, limits[i]) == 0) {
            *because = words[i][1];
            return words[i][0];
        }
    }
    return "nobody's";
}

/* Three groups, one in another, with these limits ("max" for none); our process in the lowest. */
static void check_bound(struct run *room, const char *controller, const char *const limits[3],
                        const char *wanted)
{
    struct grade *g = run_grade(room);
    struct cgroups groups = cgroups_of(g, room, controller);
    bool renamed = groups.version == 1 && strcmp(controller, "memory") == 0;
    const char *file = renamed ? "memory.limit_in_bytes" : say(g, "%s.max", controller);
    const char *script = say(g, "cd %s", groups.folder);

    for (int i = 0; i < 3; i++) {
        const char *name = grade_word(g, 5), *limit = limits[i];
        if (groups.version == 2 && limit != NULL)
            script = say(g, "%s && echo +%s >cgroup.subtree_control", script, controller);
        script = say(g, "%s && mkdir %s && cd %s", script, name, name);
        if (limit != NULL)
            script = say(g, "%s && echo %s >%s", script,
                         renamed && strcmp(limit, "max") == 0 ? "-1" : limit, file);
    }
    cgroups_shell(room, "%s && echo %d >cgroup.procs", script, run_program_inside(room));
    const char *said =
        cgroup_answer(room, "--cgroup-bound",
                      say(g, "%d:%s:%s.max", run_program_inside(room), controller, controller));
    const char *because, *owner = whose(limits, said, &because);
    expect(g, strcmp(said, wanted) == 0, .because = because,
           .expected = say(g, "%s of three nested groups: %s, %s, %s: %s binds", file, limits[0],
                           limits[1], limits[2] != NULL ? limits[2] : "no such file", wanted),
           .kernel = say(g, "your program says %s: that is %s", said, owner),
           .see = say(g, "cat %s in each folder from the process's group upwards", file));
}

/* However far up it is. */
static void check_far_above(struct run *room, const char *limit)
{
    struct grade *g = run_grade(room);
    struct cgroups groups = cgroups_of(g, room, "pids");
    const char *script = say(g, "cd %s", groups.folder);

    for (int i = 0; i < 8; i++) {
        const char *name = grade_word(g, 4);
        script = say(g, "%s%s && mkdir %s && cd %s%s%s", script,
                     groups.version == 2 ? " && echo +pids >cgroup.subtree_control" : "", name,
                     name, i == 0 ? " && echo " : "", i == 0 ? say(g, "%s >pids.max", limit) : "");
    }
    cgroups_shell(room, "%s && echo %d >cgroup.procs", script, run_program_inside(room));
    const char *said =
        cgroup_answer(room, "--cgroup-bound", say(g, "%d:pids:pids.max", run_program_inside(room)));
    expect(g, strcmp(said, limit) == 0, .because = "bound-far",
           .expected = say(g, "pids.max of the seventh group above is %s: that binds", limit),
           .kernel = say(g, "your program says %s", said),
           .see = "cat pids.max in each folder from the process's group upwards");
}

/* Version 1 calls memory.max otherwise; whoever has not written step 7 is not asked for it. */
static bool knows_memory(struct run *room)
{
    const char *const arguments[] = {"--cgroup-v1", "memory.max", NULL};
    const char *said;

    return cgroups_of(run_grade(room), room, "memory").version == 2 ||
           (outside_run(room, &(struct run_options){.arguments = arguments}, &said) == 0 &&
            strcmp(said, "memory.limit_in_bytes\n") == 0);
}

static void check_memory(struct run *room)
{
    struct grade *g = run_grade(room);
    const char *low = say(g, "%d", grade_between(g, 20, 99) << 20);
    const char *high = say(g, "%d", grade_between(g, 100, 999) << 20);

    if (!knows_memory(room))
        return;
    check_bound(room, "memory", (const char *const[]){high, low, "max"}, low);
    check_bound(room, "memory", (const char *const[]){"max", "max", "max"}, "max");
    /* more than 32 bits */
    check_bound(room, "memory", (const char *const[]){"8589934592", "6442450944", "7516192768"},
                "6442450944");
}

void cgroup_step_bound(struct grade *g)
{
    const char *low = say(g, "%d", grade_between(g, 60, 99));
    const char *middle = say(g, "%d", grade_between(g, 100, 199));
    const char *high = say(g, "%d", grade_between(g, 200, 999));

    struct run *room = outside_open(g, false);
    check_bound(room, "pids", (const char *const[]){low, high, "max"}, low);
    check_bound(room, "pids", (const char *const[]){high, low, middle}, low);
    check_bound(room, "pids", (const char *const[]){"max", high, middle}, middle);
    check_bound(room, "pids", (const char *const[]){"max", "max", "max"}, "max");
    if (cgroups_of(g, room, "pids").version == 2)
        check_bound(room, "pids", (const char *const[]){high, low, NULL}, low);
    check_far_above(room, middle);
    check_memory(room);
    check_bound(room, "pids", (const char *const[]){"0", "0", "0"}, "0"); /* a limit as well */
    cgroup_refused(room, "--cgroup-bound", "3999999:pids:pids.max", "No such process",
                   "no-such-process");
}
