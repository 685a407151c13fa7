/* Lab 11, step 2: COMMAND's group is there, and COMMAND in it, before it runs. */
#include "graders/11-cgroup.h"

#include <string.h>

#include "grade/mounts.h"
#include "kernel/tree.h"

static void check_in(struct start *start, pid_t pid, const char *who, const char *because)
{
    struct grade *g = run_grade(start->run);
    const char *const *controllers = cgroup_controllers(g, start->room);

    for (; *controllers != NULL; controllers++) {
        struct cgroups groups = cgroups_of(g, start->room, *controllers);
        const char *in = cgroups_group(g, &groups, *controllers, pid);
        expect(g, in != NULL && strcmp(in, start->name) == 0, .because = because,
               .expected = say(g, "%s (process %d) is in the group %s of %s", who, pid, start->name,
                               *controllers),
               .kernel = say(g, "/proc/%d/cgroup says %s", pid, in != NULL ? in : "elsewhere"),
               .see = "cat /proc/PID/cgroup");
    }
}

/* The lab program itself stays where it was. */
static void check_program(struct start *start)
{
    struct grade *g = run_grade(start->run);
    const char *in = cgroups_group(g, &start->groups, "pids", run_program_pid(start->run));
    const char *before = cgroups_group(g, &start->groups, "pids", run_program_pid(start->room));

    expect(g, in != NULL && strcmp(in, before) == 0, .because = "program-moved",
           .expected = say(g, "the program that starts COMMAND stays in its group, \"%s\"", before),
           .kernel = say(g, "it is in %s", in != NULL ? in : "another"),
           .see = "cat /proc/PID/cgroup of lab11 itself");
}

static void check_running(struct grade *g)
{
    struct start start = cgroup_start(g, NULL);
    const struct payload *payload = run_payload(start.run);
    struct kernel_pids children = {0};

    check_program(&start);
    check_in(&start, payload->pid, "COMMAND", "not-joined");
    run_ask(start.run, "child");
    if (kernel_children(payload->pid, &children) < 0 || children.count == 0)
        grade_error(g, 0, "COMMAND's child is not to be seen");
    pid_t child = children.list[0];
    kernel_pids_free(&children);
    check_in(&start, child, "a child of COMMAND", "child-outside");
}

struct waiting {
    pid_t program, child;
};

static bool has_child(void *arg)
{
    struct waiting *waiting = arg;
    struct kernel_pids children = {0};

    if (kernel_children(waiting->program, &children) == 0 && children.count == 1)
        waiting->child = children.list[0];
    kernel_pids_free(&children);
    return waiting->child != 0;
}

static bool is_joined(void *arg)
{
    struct start *start = ((void **)arg)[0];
    const struct waiting *waiting = ((void **)arg)[1];
    struct grade *g = run_grade(start->run);
    const char *const *c = cgroup_controllers(g, start->room);
    bool joined = true;

    for (; joined && *c != NULL; c++) {
        struct cgroups groups = cgroups_of(g, start->room, *c);
        const char *in = cgroups_group(g, &groups, *c, waiting->child);
        joined = in != NULL && strcmp(in, start->name) == 0;
    }
    return joined;
}

/* Held in its first hook, it is there already. */
static void check_early(struct grade *g)
{
    const char *fifo = say(g, "/tmp/%s", grade_word(g, 8));
    const char *const options[] = {"--hold", say(g, "child:%s", fifo), NULL};
    struct run *room = outside_open(g, false);

    outside_do(room, "fifo %s", fifo);
    struct start start = cgroup_start_in(g, room, options, NULL);
    struct waiting waiting = {.program = run_program_pid(start.run)};
    if (!run_until(start.run, has_child, &waiting))
        fail(g, .because = "no-command", .expected = "your program starts a process",
             .kernel = "it has no child", .see = "make trace11");
    run_until(start.run, is_joined, (void *[]){&start, &waiting});
    check_in(&start, waiting.child, "COMMAND, before its first hook,", "joined-late");
}

/* A program in `from` makes the group `above`/NAME. */
static void check_parent(struct run *room, const char *from, const char *above)
{
    struct grade *g = run_grade(room);
    struct start start = cgroup_start_from(g, room, "pids", from);
    const struct payload *payload = run_payload(start.run);
    const char *wanted = say(g, "%s%s", above, start.name);
    const char *in = cgroups_group(g, &start.groups, "pids", payload->pid);

    expect(g, in != NULL && strcmp(in, wanted) == 0, .because = "wrong-parent",
           .expected = say(g, "a program in the group %s makes %s", from, wanted),
           .kernel = say(g, "COMMAND is in %s", in != NULL ? in : "another"),
           .see = "cat /proc/PID/cgroup of lab11, and of COMMAND");
}

/* A program in /a/b. In version 1 its groups stand below its own; in version 2 below /a, which has
 * no processes: nearer than the topmost. Who is not asked to hand controllers down does not. */
static void check_nearest(struct grade *g)
{
    struct run *room = outside_open(g, false);
    struct cgroups groups = cgroups_of(g, room, "pids");
    const char *a = say(g, "/%s", grade_word(g, 5)), *b = say(g, "%s/%s", a, grade_word(g, 5));

    cgroups_shell(room, "mkdir -p %s%s", groups.folder, b);
    if (groups.version == 1) {
        check_parent(room, b, b);
        return;
    }
    cgroups_shell(room, "cd %s; echo +cpu +memory +pids >cgroup.subtree_control", groups.folder);
    check_parent(room, b, a);
    for (const char *const *at = (const char *const[]){"", a, NULL}; *at != NULL; at++) {
        const char *text = cgroups_read(room, &groups, *at, "cgroup.subtree_control");
        const char *wanted = *at == a ? "pids" : "cpu memory pids";
        expect(g, text != NULL && strcmp(text, wanted) == 0, .because = "too-much-down",
               .expected = say(g, "%s%s/cgroup.subtree_control is \"%s\" afterwards", groups.folder,
                               *at, wanted),
               .kernel = say(g, "it is \"%s\"", text != NULL ? text : ""),
               .see = "ask one group, and for what the limits need: each controller costs time");
    }
}

/* Version 2: a program in /a/b, and somebody in /a, so that neither can hand anything down. */
static void check_crowded(struct grade *g)
{
    struct run *room = outside_open(g, false);
    struct cgroups groups = cgroups_of(g, room, "pids");
    const char *a = say(g, "/%s", grade_word(g, 5)), *b = say(g, "%s/%s", a, grade_word(g, 5));

    if (groups.version != 2)
        return;
    cgroups_shell(room, "cd %s; mkdir -p .%s; echo %d >.%s/cgroup.procs", groups.folder, b,
                  run_program_inside(room), a);
    check_parent(room, b, "");
}

/* The program has ended, or COMMAND is there. */
static bool is_decided(void *arg)
{
    struct start *start = arg;
    struct waiting waiting = {.program = run_program_pid(start->run)};

    return run_ended(start->run) || (has_child(&waiting) && is_joined((void *[]){start, &waiting}));
}

/* The group of the program has room for one process, itself: so COMMAND is born elsewhere. */
static void check_born(struct grade *g)
{
    struct run *room = outside_open(g, false);
    struct cgroups groups = cgroups_of(g, room, "pids");
    const char *one = say(g, "/%s", grade_word(g, 5));

    if (groups.version != 2)
        return;
    cgroups_shell(room,
                  "cd %s; echo +pids >cgroup.subtree_control; mkdir .%s; echo 1 >.%s/pids.max",
                  groups.folder, one, one);
    struct start start = cgroup_start_from(g, room, "pids", one);
    int status = run_until(start.run, is_decided, &start) && run_ended(start.run)
                     ? run_exit_status(start.run)
                     : 0;
    expect(g, status == 0, .because = "not-born-there",
           .expected = say(g,
                           "COMMAND is born in its group, not in that of the program, %s, which "
                           "is full (pids.max 1)",
                           one),
           .kernel = say(g, "the program ended with %d", status),
           .see = "clone(2), CLONE_INTO_CGROUP: an fd of the group's folder");
    check_in(&start, run_payload(start.run)->pid, "COMMAND", "not-joined");
}

/* One of that name is there already: it stays as it was. (Step 6 asks whether the others went.) */
static void check_taken(struct grade *g, const char *controller)
{
    struct run *room = outside_open(g, false);
    struct cgroups groups = cgroups_of(g, room, controller);
    const char *name = grade_word(g, 9), *said;
    const char *const arguments[] = {"--cgroup-name", name, "--", "/strata/busybox", "true", NULL};

    cgroups_shell(room, "mkdir %s/%s", groups.folder, name);
    int status = outside_run(room, &(struct run_options){.arguments = arguments}, &said);
    expect(g, status == 125 && strstr(said, "File exists") != NULL, .because = "taken",
           .expected =
               say(g, "a group %s is there already (%s): File exists, 125", name, controller),
           .kernel = say(g, "it ended with %d: %.80s", status, said),
           .see = "mkdir(2) EEXIST: whose it is, you do not know");
    expect(g, cgroups_there(room, &groups, say(g, "/%s", name)), .because = "taken-removed",
           .expected = "the group that was there stays", .kernel = "it is gone",
           .see = "remove only what you made");
}

/* A controller that nobody has: no group is made, rather than one that lacks it. */
static void check_nowhere(struct grade *g)
{
    const char *conf = say(g, "%s.max=1", grade_word(g, 7)), *said;
    const char *const arguments[] = {"--cgroup-conf", conf, "--", "/strata/busybox", "true", NULL};
    int status =
        outside_run(outside_open(g, false), &(struct run_options){.arguments = arguments}, &said);

    expect(g, status == 125 && strstr(said, "cgroup_create: No such file or directory") != NULL,
           .because = "nowhere",
           .expected = say(g, "cgroup_create refuses a controller that is nowhere to be had (%.*s)",
                           (int)strcspn(conf, "."), conf),
           .kernel = say(g, "it ended with %d: %.80s", status, said),
           .see = say(g, "lab11 --cgroup-conf %s true; echo $?", conf));
}

void cgroup_step_join(struct grade *g)
{
    check_running(g);
    check_early(g);
    check_nearest(g);
    check_crowded(g);
    check_born(g);
    check_nowhere(g);

    const char *const *controllers = cgroup_controllers(g, outside_open(g, false));
    for (; *controllers != NULL; controllers++)
        check_taken(g, *controllers);
}
