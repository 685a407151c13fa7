/* Lab 08, step 5: which user namespace a namespace belongs to: by the kernel's word, and by the
 * student's reading of it. */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "graders/08-user.h"

static const char *const kinds[] = {"cgroup", "ipc", "mnt", "net", "pid", "user", "uts"};
enum { KINDS = sizeof kinds / sizeof *kinds };

static const char *id_text(struct grade *g, struct kernel_ns_id id)
{
    return say(g, "user:[%llu]", (unsigned long long)id.ino);
}

/* What is new belongs to the new one; what COMMAND shares with the room, to the room's. */
static void check_owned(struct run *run)
{
    struct grade *g = run_grade(run);
    pid_t pid = run_payload(run)->pid, room = run_outside_pid(run);
    struct kernel_ns_id own = user_namespace_of(g, pid, "user");
    struct kernel_ns_id outer = user_namespace_of(g, room, "user");

    for (size_t i = 0; i < KINDS; i++) {
        bool is_user = strcmp(kinds[i], "user") == 0;
        bool is_new = !kernel_ns_equal(user_namespace_of(g, pid, kinds[i]),
                                       user_namespace_of(g, room, kinds[i]));
        struct kernel_ns_id wanted = is_new && !is_user ? own : outer;
        struct kernel_ns_id owner = user_owner_of(g, pid, kinds[i]);
        expect(g, kernel_ns_equal(owner, wanted), .because = "not-owned",
               .expected = say(g, "/proc/%d/ns/%s, %s, belongs to %s", pid, kinds[i],
                               is_new ? "new" : "shared", id_text(g, wanted)),
               .kernel = say(g, "it belongs to %s", id_text(g, owner)),
               .see = "ioctl_ns(2), NS_GET_USERNS; clone(2), CLONE_NEWUSER with "
                      "other flags");
    }
}

/* What a wrong inode is, if it is something that lies near. */
static const char *mistaken_for(struct run *outside, pid_t pid, const char *kind,
                                unsigned long long inode)
{
    struct grade *g = run_grade(outside);

    if (inode == (unsigned long long)user_namespace_of(g, pid, kind).ino)
        return ": that is the namespace itself";
    if (inode == (unsigned long long)user_namespace_of(g, pid, "user").ino)
        return ": that is the user namespace that the process is in";
    if (inode == (unsigned long long)user_namespace_of(g, run_outside_pid(outside), "user").ino)
        return ": that is the user namespace of who asks";
    return "";
}

/* The student's reading of one, against ours. */
static void check_answer(struct run *outside, pid_t pid, pid_t number, const char *kind)
{
    struct grade *g = run_grade(outside);
    const char *value = say(g, "%d:%s", number, kind);
    const char *const arguments[] = {"--owner", value, NULL};
    struct kernel_ns_id owner = user_owner_of(g, pid, kind);
    const char *got =
        user_answer(outside, arguments, "no-answer", say(g, "the owner of a %s namespace", kind));
    unsigned high = 0, low = 0;
    unsigned long long inode = 0;
    char end = 0;
    int fields = sscanf(got, "user %u:%u %llu%c", &high, &low, &inode, &end);
    const char *see = say(g, "lab08 --owner %s; lsns -o NS,TYPE,PATH,ONS", value);

    expect(g, fields == 4 && end == '\n' && inode == (unsigned long long)owner.ino,
           .because = "wrong-owner",
           .expected = say(g, "process %d's %s belongs to %s", number, kind, id_text(g, owner)),
           .kernel =
               say(g, "user_owner says %llu%s", inode, mistaken_for(outside, pid, kind, inode)),
           .see = see);
    expect(g, makedev(high, low) == owner.dev, .because = "wrong-device",
           .expected = say(g, "user namespace %llu is on device %u:%u", inode, major(owner.dev),
                           minor(owner.dev)),
           .kernel = say(g, "user_owner says device %u:%u", high, low), .see = see);
}

/* A probe beside, in new namespaces of its own making: two rounds of unshare(2). Who is to make
 * a user namespace must be mapped in its own. */
static struct run *probe_with(struct run *outside, int first, int second)
{
    struct run *probe = run_start(
        run_grade(outside), &(struct run_options){.program = "/strata/probe", .beside = outside});

    run_payload(probe);
    outside_do(probe, "unshare %d", first);
    if ((first & CLONE_NEWUSER) != 0) {
        outside_do(probe, "write /proc/self/setgroups deny");
        outside_do(probe, "write /proc/self/uid_map 0 0 1");
        outside_do(probe, "write /proc/self/gid_map 0 0 1");
    }
    outside_do(probe, "unshare %d", second);
    return probe;
}

static void check_answers(struct run *outside, struct run *run)
{
    pid_t pid = run_payload(run)->pid, number = user_number_in_room(outside, pid);

    for (size_t i = 0; i < KINDS; i++)
        check_answer(outside, pid, number, kinds[i]);
}

void user_step_owned(struct grade *g)
{
    static const char *const arguments[] = {"--unmapped", "--new", "cgroup", NULL};
    struct run *outside = outside_open(g, false);
    int more = grade_between(g, 0, 1) ? CLONE_NEWNET : CLONE_NEWNS;
    int user = CLONE_NEWUSER;
    struct run *run = user_start(outside, user_draw(g), 0, arguments);

    user_check_namespace(run);
    check_owned(run);

    check_answers(outside, run);
    check_answers(outside, probe_with(outside, user | CLONE_NEWUTS, user | CLONE_NEWIPC | more));
    check_answers(outside, probe_with(outside, CLONE_NEWIPC, user | CLONE_NEWUTS | more));

    /* The owner of the room's own user namespace is not for those in the room to see. */
    const char *value = say(g, "%d:user", run_program_inside(outside));
    const char *const question[] = {"--owner", value, NULL};
    user_check_refused(outside, &(struct refusal){.arguments = question,
                                                  .error = EPERM,
                                                  .because = "out-of-sight",
                                                  .what = "an owner outside of our own namespace",
                                                  .see = "ioctl_ns(2), EPERM"});
}
