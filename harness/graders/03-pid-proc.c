/* Lab 03, step 2: a proc of its own, seen by nobody else. */
#include "graders/03-pid.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "grade/facts.h"
#include "grade/mounts.h"
#include "kernel/inside.h"
#include "kernel/mountinfo.h"
#include "kernel/own.h"
#include "kernel/tree.h"

/* The proc at `target` in the mounts of `pid` is none of those in `older`, and may do little. */
void pid_check_proc_mount(struct grade *g, pid_t pid, const char *target,
                          const struct kernel_mounts *older)
{
    static const char *const flags[] = {"rw", "nosuid", "nodev", "noexec"};
    const struct kernel_mount *mount = kernel_mounts_at(mounts_of(g, pid), target);
    const char *see = "lab03 cat /proc/self/mountinfo";

    expect(g, mount != NULL && strcmp(mount->fstype, "proc") == 0 && strcmp(mount->root, "/") == 0,
           .because = "no-proc", .expected = say(g, "a proc is mounted at %s", target),
           .kernel = mount != NULL ? say(g, "mountinfo: %s", mounts_line(g, mount))
                                   : say(g, "no mount at %s in /proc/%d/mountinfo", target, pid),
           .see = see);
    for (size_t i = 0; i < older->count; i++)
        expect(g, older->list[i].major != mount->major || older->list[i].minor != mount->minor,
               .because = "old-proc",
               .expected = say(g, "a fresh proc at %s, not one that was there before", target),
               .kernel = say(g, "device %u:%u, as outside: %s", mount->major, mount->minor,
                             mounts_line(g, mount)),
               .see = see);
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        expect(g, kernel_mount_has(mount->options, flags[i]), .because = "proc-flags",
               .expected = say(g, "%s is mounted with %s", target, flags[i]),
               .kernel = say(g, "mountinfo: %s", mounts_line(g, mount)), .see = see);
}

/* How a mount could come out of the container: what its tree says about it. */
struct leak {
    const char *because, *how;
};

static struct leak explain_leak(struct grade *g, pid_t inside, pid_t outside)
{
    const struct kernel_mounts *mounts = mounts_of(g, inside);
    const struct kernel_mount *root = kernel_mounts_at(mounts, "/");

    if (pid_same_namespace(g, inside, outside, "mnt"))
        return (struct leak){"same-mounts", "COMMAND shares the mount namespace of outside"};
    if (root != NULL && root->shared != 0)
        return (struct leak){"not-private", say(g, "/ inside is still shared:%d", root->shared)};
    for (size_t i = 0; i < mounts->count; i++)
        if (mounts->list[i].shared != 0)
            return (struct leak){"not-recursive",
                                 say(g, "/ inside is private, but %s is shared:%d",
                                     mounts->list[i].target, mounts->list[i].shared)};
    return (struct leak){"too-late",
                         "inside all is private now: it was not yet when that was mounted"};
}

/* The mounts of the room are those that it had: nothing has come out of the container. */
void pid_check_outside(struct grade *g, const struct kernel_mounts *before, pid_t outside,
                       pid_t inside)
{
    const struct kernel_mounts *after = mounts_of(g, outside);
    struct leak leak = explain_leak(g, inside, outside);

    for (size_t i = 0; i < after->count; i++)
        expect(g, kernel_mounts_id(before, after->list[i].id) != NULL, .because = leak.because,
               .expected = "outside no mount appears",
               .kernel =
                   say(g, "mountinfo outside: %s; %s", mounts_line(g, &after->list[i]), leak.how),
               .see = "cat /proc/self/mountinfo in make shell03, before and after");
    expect(g, after->count == before->count, .because = "mount-gone",
           .expected = "outside no mount goes away",
           .kernel =
               say(g, "%zu mounts outside, where there were %zu", after->count, before->count),
           .see = "cat /proc/self/mountinfo in make shell03, before and after");
}

/* Runs as a member of the mount namespace: the numbers in /proc. */
static int list_numbers(void *arg, int out)
{
    DIR *folder = opendir(arg);
    int result = folder == NULL ? -errno : 0;

    for (struct dirent *entry; result == 0 && (entry = readdir(folder)) != NULL;) {
        char line[32];
        long number = strtol(entry->d_name, NULL, 10);
        if (number > 0)
            result =
                kernel_write_all(out, line, (size_t)snprintf(line, sizeof line, "%ld ", number));
    }
    if (folder != NULL)
        closedir(folder);
    return result;
}

static int ascending(const void *a, const void *b)
{
    const pid_t *left = a, *right = b;

    return (*left > *right) - (*left < *right);
}

/* What the kernel says that /proc should show: the numbers, in their own namespace, of all in the
 * namespace of `pid`, and in those further in. */
static const char *numbers_in(struct grade *g, pid_t pid)
{
    struct kernel_pids all = {0};
    size_t level = pid_status_of(g, pid).nspid.count - 1;
    const char *text = "";
    int result = kernel_pids_in_ns(pid_namespace_of(g, pid, "pid"), &all);

    if (result < 0)
        grade_error(g, result, "cannot list the processes of a PID namespace");
    for (size_t i = 0; i < all.count; i++)
        all.list[i] = pid_status_of(g, all.list[i]).nspid.pid[level];
    qsort(all.list, all.count, sizeof *all.list, ascending);
    for (size_t i = 0; i < all.count; i++)
        text = say(g, "%s%d ", text, all.list[i]);
    kernel_pids_free(&all);
    return text;
}

void pid_check_proc_shows(struct grade *g, pid_t pid, int pidfd, const char *folder)
{
    autofree char *text = NULL;
    size_t length;
    int result = kernel_inside(pidfd, pid, CLONE_NEWUSER | CLONE_NEWNS, list_numbers,
                               (void *)folder, &text, &length);

    if (result < 0)
        grade_error(g, result, "cannot list %s of process %d", folder, pid);
    const char *shown = say(g, "%s", text), *wanted = numbers_in(g, pid);
    expect(g, strcmp(shown, wanted) == 0, .because = "proc-shows",
           .expected = say(g, "%s shows the processes of the namespace: %s", folder, wanted),
           .kernel = say(g, "%s shows: %.80s", folder, shown), .see = "lab03 ls /proc");
}

void pid_step_proc(struct grade *g)
{
    struct run *room =
        run_start(g, &(struct run_options){.program = "/strata/probe", .no_command = true});
    const struct kernel_mounts *before = mounts_of(g, run_outside_pid(room));
    struct run *run = run_start(g, &(struct run_options){.beside = room});
    const struct payload *payload = run_payload(run);
    const struct kernel_mounts *inside = mounts_of(g, payload->pid);

    pid_check_outside(g, before, run_outside_pid(run), payload->pid);
    facts_own_namespace(run, "mnt");
    pid_check_proc_mount(g, payload->pid, "/proc", before);
    for (size_t i = 0; i < inside->count; i++)
        expect(g, inside->list[i].shared == 0, .because = "tree-shared",
               .expected = "no mount inside passes on to outside what happens below it",
               .kernel = say(g, "mountinfo inside: %s has shared:%d", inside->list[i].target,
                             inside->list[i].shared),
               .see = "lab03 grep shared: /proc/self/mountinfo");
    pid_check_proc_shows(g, payload->pid, payload->pidfd, "/proc");
    for (int i = grade_between(g, 2, 4); i > 0; i--)
        run_ask(run, "child");
    pid_check_proc_shows(g, payload->pid, payload->pidfd, "/proc");

    /* Where it is told to mount it: in a folder of a random name, and in one that is not there. */
    const char *folder = say(g, "/tmp/%s", grade_word(g, 8));
    const char *const elsewhere[] = {"--proc", folder, NULL}, *const command[] = {"/strata/probe",
                                                                                  NULL};
    run_ask(run, "mkdir %s", folder);
    struct run *other = run_start(g, &(struct run_options){.arguments = elsewhere, .beside = room});
    payload = run_payload(other);
    pid_check_proc_mount(g, payload->pid, folder, before);
    pid_check_proc_shows(g, payload->pid, payload->pidfd, folder);
    pid_check_outside(g, before, run_outside_pid(run), payload->pid);

    const char *const missing[] = {"--proc", say(g, "/tmp/%s", grade_word(g, 9)), NULL};
    other = run_start(
        g, &(struct run_options){.arguments = missing, .command = command, .beside = room});
    int status = run_exit_status(other);
    expect(g, status == 125, .because = "error-ignored",
           .expected = say(g, "no folder %s: the start ends with 125", missing[1]),
           .kernel = say(g, "exit status %d: COMMAND was started without its /proc", status),
           .see = "lab03 --proc /nowhere true; echo $?");
    expect(g, run_said(other, "lab03: pid_mount_proc: No such file or directory"),
           .because = "wrong-error",
           .expected = "the kernel's own error is passed on: No such file or directory",
           .kernel = "pid_mount_proc returned another one: its words are below",
           .see = "lab03 --proc /nowhere true");
}
