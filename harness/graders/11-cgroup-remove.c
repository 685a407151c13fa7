/* Lab 11, step 6: whatever becomes of COMMAND and its children, the group is gone in the end. First
 * it is shown to be there. */
#include "graders/11-cgroup.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "grade/mounts.h"

/* Without lab 03's namespace the kernel does not end children together with COMMAND. */
static const char *const no_pid[] = {"--without", "pid", NULL};

static void check_there(struct start *start)
{
    struct grade *g = run_grade(start->run);

    for (const char *const *c = cgroup_controllers(g, start->room); *c != NULL; c++) {
        struct cgroups groups = cgroups_of(g, start->room, *c);
        expect(g, cgroups_there(start->room, &groups, start->name), .because = "not-made",
               .expected = say(g, "while COMMAND runs, there is a group %s of %s", start->name, *c),
               .kernel = "there is none", .see = say(g, "ls %s, in make shell11", groups.folder));
    }
}

static void check_gone(struct start *start, const char *when)
{
    struct grade *g = run_grade(start->run);

    run_exit_status(start->run);
    for (const char *const *c = cgroup_controllers(g, start->room); *c != NULL; c++) {
        struct cgroups groups = cgroups_of(g, start->room, *c);
        const char *members = cgroups_read(start->room, &groups, start->name, "cgroup.procs");
        expect(g, members == NULL || members[0] == '\0', .because = "not-emptied",
               .expected = say(g, "%s: nothing runs in the group any more", when),
               .kernel = say(g, "%s%s/cgroup.procs has process %d", groups.folder, start->name,
                             members != NULL ? atoi(members) : 0),
               .see = "cat cgroup.procs of the group, after lab11 has ended");
        expect(g, !cgroups_there(start->room, &groups, start->name), .because = "not-removed",
               .expected = say(g, "%s: the group is gone", when),
               .kernel = say(g, "%s%s is still there", groups.folder, start->name),
               .see = say(g, "ls %s, after lab11 has ended", groups.folder));
    }
}

static void check_exit(struct grade *g, int status)
{
    struct start start = cgroup_start(g, NULL);

    run_payload(start.run);
    check_there(&start);
    run_tell(start.run, "exit %d", status);
    check_gone(&start, say(g, "COMMAND has ended with %d", status));
}

/* Children that outlive COMMAND: waiting, stopped, making children faster than one can count. */
static void check_children(struct grade *g, const char *request, const char *what)
{
    struct start start = cgroup_start(g, no_pid);

    run_payload(start.run);
    check_there(&start);
    const char *reply = run_ask(start.run, "%s", request);
    if (strncmp(reply, "ok", 2) != 0)
        grade_error(g, 0, "COMMAND cannot do \"%s\": %s", request, reply);
    run_tell(start.run, "exit 0");
    check_gone(&start, say(g, "COMMAND has ended, and left %s", what));
}

static bool is_full(void *arg)
{
    const struct start *start = arg;
    const char *text = cgroups_read(start->room, &start->groups, start->name, "pids.current");

    return text != NULL && atoi(text) >= 40;
}

/* At its limit, a fork bomb has a new process for each that is killed. */
static void check_bomb(struct grade *g)
{
    const char *const options[] = {"--without", "pid", "--pids-limit", "40", NULL};
    struct start start = cgroup_start(g, options);

    run_payload(start.run);
    run_ask(start.run, "bomb");
    if (!run_until(start.run, is_full, &start))
        fail(g, .because = "no-limit", .expected = "a fork bomb grows to the limit of 40",
             .kernel = say(g, "pids.max is %s, pids.current %s",
                           cgroups_read(start.room, &start.groups, start.name, "pids.max"),
                           cgroups_read(start.room, &start.groups, start.name, "pids.current")),
             .see = "cat pids.max and pids.current of the group");
    run_tell(start.run, "exit 0");
    check_gone(&start, "COMMAND has ended, and left a fork bomb");
}

static void check_stopped(struct grade *g)
{
    struct start start = cgroup_start(g, no_pid);
    int child = 0;

    run_payload(start.run);
    sscanf(run_ask(start.run, "child"), "ok %d", &child);
    run_ask(start.run, "kill %d %d", child, SIGSTOP);
    /* Until it has stopped, a SIGTERM would be taken first, and it would die of that. */
    cgroups_shell(start.room, "until grep -q '^State:.T' /proc/%d/status; do usleep 1000; done",
                  child);
    run_tell(start.run, "exit 0");
    check_gone(&start, "COMMAND has ended, and left a stopped child");
}

/* Empty groups within, one in another. */
static void check_nested(struct grade *g)
{
    struct start start = cgroup_start(g, no_pid);

    run_payload(start.run);
    for (const char *const *c = cgroup_controllers(g, start.room); *c != NULL; c++) {
        struct cgroups groups = cgroups_of(g, start.room, *c);
        cgroups_shell(start.room, "cd %s%s && mkdir -p a/b/c a/d", groups.folder, start.name);
    }
    run_tell(start.run, "exit 0");
    check_gone(&start, "COMMAND has ended, and left empty groups one in another");
}

/* Groups within, in every hierarchy, with somebody in the lowest, frozen. */
static void check_frozen(struct grade *g)
{
    struct start start = cgroup_start(g, no_pid);
    bool v1 = start.groups.version == 1;
    const char *word = grade_word(g, 5), *inner = NULL;
    int child = 0;

    run_payload(start.run);
    sscanf(run_ask(start.run, "child"), "ok %d", &child);
    for (const char *const *c = cgroup_controllers(g, start.room); *c != NULL; c++) {
        struct cgroups groups = cgroups_of(g, start.room, *c);
        inner = say(g, "%s%s/%s/in", groups.folder, start.name, word); /* the freezer is last */
        cgroups_shell(start.room, "mkdir -p %s && echo %d >%s/cgroup.procs", inner, child, inner);
    }
    cgroups_shell(start.room, "echo %s >%s/%s", v1 ? "FROZEN" : "1", inner,
                  v1 ? "freezer.state" : "cgroup.freeze");
    run_tell(start.run, "exit 0");
    check_gone(&start, "COMMAND has ended, and left a frozen child in a group within");
}

/* Version 1: somebody has left the group in one hierarchy, and is in it in the other. */
static void check_half_out(struct grade *g)
{
    struct start start = cgroup_start(g, no_pid);
    int child = 0;

    run_payload(start.run);
    sscanf(run_ask(start.run, "child"), "ok %d", &child);
    cgroups_shell(start.room, "echo %d >%s/cgroup.procs", child, start.groups.folder);
    run_tell(start.run, "exit 0");
    check_gone(&start, "COMMAND has ended, and left a child that is in the freezer's group only");
}

static void make_writable(struct run *room, const struct cgroups *groups, const char *how)
{
    cgroups_shell(room, "mount -o remount,bind,%s %s %s", how, groups->folder, groups->folder);
}

/* One folder cannot go (its mount can only be read by now): that is said, and the others go. */
static void check_unremovable(struct grade *g, size_t which)
{
    struct run *room = outside_open(g, false);
    const char *const *controllers = cgroup_controllers(g, room);
    struct start start = cgroup_start_in(g, room, NULL, NULL);
    struct cgroups stays = cgroups_of(g, room, controllers[which]);

    run_payload(start.run);
    make_writable(room, &stays, "ro");
    run_tell(start.run, "exit 0");
    run_exit_status(start.run);
    expect(g, run_said(start.run, "cgroup_remove: "), .because = "silent",
           .expected =
               say(g, "the folder in %s cannot be removed (read-only): an error", stays.folder),
           .kernel = "it is still there, and cgroup_remove has returned 0",
           .see = "rmdir(2) EROFS: -errno when a folder stayed");
    for (size_t i = 0; controllers[i] != NULL; i++) {
        struct cgroups groups = cgroups_of(g, room, controllers[i]);
        expect(g, i == which || !cgroups_there(room, &groups, start.name), .because = "gave-up",
               .expected = say(g, "one folder cannot go (%s): that in %s goes all the same",
                               controllers[which], controllers[i]),
               .kernel = say(g, "%s%s is still there", groups.folder, start.name),
               .see = "an error with one part is no reason to leave the others");
    }
    make_writable(room, &stays, "rw");
    cgroups_shell(room, "rmdir %s%s", stays.folder, start.name);
}

/* Asks again until it has ended: two signals of one kind that meet are one. */
static bool ends_when_asked(void *arg)
{
    const struct start *start = ((void **)arg)[0];
    const int *number = ((void **)arg)[1];

    if (run_ended(start->run))
        return true;
    syscall(SYS_pidfd_send_signal, run_program_pidfd(start->run), *number, NULL, 0);
    return false;
}

/* The lab program is asked to end, and takes COMMAND along. */
static void check_signal(struct grade *g, int number, const char *name)
{
    struct start start = cgroup_start(g, NULL);

    run_payload(start.run);
    check_there(&start);
    run_until(start.run, ends_when_asked, (void *[]){&start, &number});
    check_gone(&start, say(g, "your program got %s, and once more", name));
}

static void check_no_command(struct grade *g)
{
    const char *const command[] = {say(g, "/no-%s", grade_word(g, 6)), NULL};
    struct start start = cgroup_start_in(g, outside_open(g, false), NULL, command);
    int status = run_exit_status(start.run);

    expect(g, status == 127, .because = "start-status",
           .expected = "a COMMAND that is not there: 127",
           .kernel = say(g, "it ended with %d", status), .see = "lab11 /no-such-thing; echo $?");
    check_gone(&start, "COMMAND could not be started");
}

/* A start that fails half-way: a name that is taken in one hierarchy, a limit that is refused. */
static void check_half_made(struct grade *g)
{
    static const char *const command[] = {"/strata/busybox", "true", NULL};
    static const char *const too_many[] = {"--pids-limit", "99999999", NULL};
    const char *const unknown[] = {"--cgroup-conf", say(g, "%s.max=1", grade_word(g, 6)), NULL};
    struct run *room = outside_open(g, false);
    const char *const *controllers = cgroup_controllers(g, room), *name = grade_word(g, 9), *said;

    for (const char *const *taken = controllers; *taken != NULL; taken++) {
        struct cgroups groups = cgroups_of(g, room, *taken);
        const char *const arguments[] = {"--cgroup-name", name, "--", command[0], command[1], NULL};
        cgroups_shell(room, "mkdir %s/%s", groups.folder, name);
        outside_run(room, &(struct run_options){.arguments = arguments}, &said);
        cgroups_shell(room, "rmdir %s/%s", groups.folder, name);
        for (const char *const *c = controllers; *c != NULL; c++) {
            struct cgroups other = cgroups_of(g, room, *c);
            expect(g, !cgroups_there(room, &other, say(g, "/%s", name)), .because = "half-made",
                   .expected = say(g, "the name is taken in %s: nothing is left in %s", *taken, *c),
                   .kernel = say(g, "%s/%s is there", other.folder, name),
                   .see = "undo what was made before the failure");
        }
    }
    struct start start = cgroup_start_in(g, room, too_many, command);
    check_gone(&start, "a limit was refused");
    start = cgroup_start_in(g, room, unknown, command);
    check_gone(&start, "a controller was asked for that is nowhere to be had");
}

void cgroup_step_remove(struct grade *g)
{
    bool v1 = cgroups_of(g, outside_open(g, false), "pids").version == 1;
    size_t mark = grade_deferred(g);

    check_exit(g, 0);
    check_exit(g, grade_between(g, 1, 120));
    check_children(g, "forks 3", "three children");
    check_stopped(g);
    check_bomb(g);
    check_nested(g);
    check_frozen(g);
    if (v1)
        check_half_out(g);
    grade_undo(g, mark); /* the rooms of all that */
    for (size_t which = 0; which < (v1 ? 2 : 1); which++)
        check_unremovable(g, which);
    check_signal(g, SIGTERM, "SIGTERM");
    check_no_command(g);
    check_half_made(g);
}
