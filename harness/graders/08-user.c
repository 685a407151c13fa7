/*
 * Lab 08: rootless.
 *
 * The room's root is root of a user namespace that holds 65536 ids, or one. Anybody else who runs
 * the lab program there is to the kernel what an ordinary user is on any machine: no capability,
 * one id. All ids in verdicts are as the room has them.
 */
#include "graders/08-user.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "grade/facts.h"
#include "kernel/own.h"

/* --- namespaces ------------------------------------------------------------------------------- */

struct kernel_ns_id user_namespace_of(struct grade *g, pid_t pid, const char *kind)
{
    struct kernel_ns_id id;
    int result = kernel_ns(pid, kind, &id);

    if (result < 0)
        grade_error(g, result, "cannot look at /proc/%d/ns/%s", pid, kind);
    return id;
}

/* What NS_GET_USERNS or NS_GET_PARENT says of a process's namespace: ioctl_ns(2). */
static struct kernel_ns_id ask_namespace(struct grade *g, pid_t pid, const char *kind,
                                         unsigned long what)
{
    struct kernel_ns_id id;
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/ns/%s", pid, kind);
    autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
    autoclose int other = fd < 0 ? -1 : ioctl(fd, what);
    if (other < 0 || kernel_ns_fd(other, &id) < 0)
        grade_error(g, -errno, "cannot ask what %s belongs to", path);
    return id;
}

struct kernel_ns_id user_owner_of(struct grade *g, pid_t pid, const char *kind)
{
    return ask_namespace(g, pid, kind, NS_GET_USERNS);
}

void user_check_namespace(struct run *run)
{
    struct grade *g = run_grade(run);
    pid_t pid = run_payload(run)->pid;
    struct kernel_ns_id room = user_namespace_of(g, run_outside_pid(run), "user");

    facts_own_namespace(run, "user");
    expect(g, kernel_ns_equal(ask_namespace(g, pid, "user", NS_GET_PARENT), room),
           .because = "deeper",
           .expected = "one new user namespace: its parent is that of the lab program",
           .kernel = say(g, "/proc/%d/ns/user lies deeper: there is another one between", pid),
           .see = "ioctl_ns(2), NS_GET_PARENT; lsns -t user");
}

/* --- the steps -------------------------------------------------------------------------------- */

static const struct step steps[] = {
    {.number = 1,
     .slug = "unmapped",
     .title = "an id without a map is 65534",
     .points = 10,
     .needs = NEED_USERNS,
     .chapter = "unmapped",
     .man = "user_namespaces(7)",
     .run = user_step_unmapped},
    {.number = 2,
     .slug = "map",
     .title = "the parent maps after a handshake",
     .points = 20,
     .needs = NEED_USERNS,
     .after = {1},
     .chapter = "map",
     .man = "user_namespaces(7), \"Defining user and group ID mappings\"",
     .run = user_step_map},
    {.number = 3,
     .slug = "setgroups",
     .title = "setgroups denied before gid_map, each map in one write",
     .points = 20,
     .needs = NEED_USERNS | NEED_IDS,
     .after = {2},
     .chapter = "setgroups",
     .man = "user_namespaces(7), \"The /proc/pid/setgroups file\"",
     .run = user_step_setgroups},
    {.number = 4,
     .slug = "owner",
     .title = "files made inside belong to the caller outside",
     .points = 25,
     .needs = NEED_USERNS | NEED_IDS,
     .after = {3},
     .chapter = "owner",
     .man = "setresuid(2), setgroups(2), user_namespaces(7)",
     .run = user_step_owner},
    {.number = 5,
     .slug = "owned",
     .title = "the other namespaces belong to the new user namespace",
     .points = 25,
     .needs = NEED_USERNS,
     .after = {1},
     .chapter = "owned",
     .man = "ioctl_ns(2), namespaces(7)",
     .run = user_step_owned},
    {.number = 6,
     .slug = "subordinate",
     .title = "subordinate ranges through newuidmap and newgidmap",
     .points = 15,
     .more = true,
     .needs = NEED_USERNS | NEED_IDS | NEED_NEWUIDMAP,
     .after = {4},
     .chapter = "subordinate",
     .man = "newuidmap(1), subuid(5)",
     .run = user_step_subordinate},
};

LAB(.name = "08-user", .title = "rootless", .steps = steps, .count = sizeof steps / sizeof *steps);
