/* Lab 04, step 1: a tree that neither tells nor hears. What must not show outside is the matter of
 * this step alone. */
#include "graders/04-mount.h"

#include "grade/facts.h"
#include "grade/mounts.h"
#include "grade/run.h"
#include "grade/step.h"

static void check_outside_kept(struct grade *g, const struct kernel_mounts *before,
                               const struct kernel_mounts *after)
{
    for (size_t i = 0; i < before->count; i++) {
        const struct kernel_mount *was = &before->list[i];
        const struct kernel_mount *is = kernel_mounts_id(after, was->id);
        expect(g, is != NULL && is->shared == was->shared && is->master == was->master,
               .because = "outside-changed",
               .expected =
                   say(g, "outside, %s stays in peer group shared:%d", was->target, was->shared),
               .kernel = is != NULL ? say(g, "outside now: %s", mounts_line(g, is))
                                    : say(g, "outside, the mount at %s is gone", was->target),
               .see = "in make shell04: cat /proc/self/mountinfo before and after lab04 true");
    }
}

static void check_private(struct grade *g, const struct kernel_mounts *inside, pid_t pid)
{
    const struct kernel_mount *root = kernel_mounts_at(inside, "/");
    const char *expected = say(g, "no shared: and no master: in /proc/%d/mountinfo", pid);

    for (size_t i = 0; i < inside->count; i++) {
        const struct kernel_mount *m = &inside->list[i];
        const char *see = "lab04 --without=pid cat /proc/self/mountinfo";
        expect(g, m->master == 0, .because = "slave", .expected = expected,
               .kernel = say(g, "a slave still hears: %s", mounts_line(g, m)), .see = see);
        if (m->shared != 0 && root != NULL && root->shared == 0)
            fail(g, .because = "not-recursive", .expected = expected,
                 .kernel = say(g, "/ is private, what is below is not: %s", mounts_line(g, m)),
                 .see = see);
        expect(g, m->shared == 0, .because = "still-shared", .expected = expected,
               .kernel = say(g, "still in a peer group: %s", mounts_line(g, m)), .see = see);
        expect(g, !m->unbindable, .because = "unbindable",
               .expected = "private mounts, which can still be bound elsewhere",
               .kernel = say(g, "cannot be bound any more: %s", mounts_line(g, m)), .see = see);
    }
}

void mount_stepprivate(struct grade *g)
{
    struct run *room = outside_open(g, false);
    const char *there = mount_mounted(g, room, 0), *below = say(g, "%s/below", there);
    const char *early = mount_folder(g, room), *late = mount_folder(g, room);

    outside_do(room, "mkdir %s", below);
    outside_do(room, "mount tmpfs %s 0", below);
    const struct kernel_mounts *before = mounts_of(g, run_outside_pid(room));
    for (size_t i = 0; i < before->count; i++)
        if (before->list[i].shared == 0)
            grade_error(g, 0, "the room's %s is not shared", before->list[i].target);

    /* Without layer 03, whose /proc needs a namespace and a private tree as well. */
    const char *const arguments[] = {"--without=pid", NULL};
    struct run *run = mount_beside(g, room, arguments);
    const struct payload *payload = run_payload(run);
    facts_own_namespace(run, "mnt");
    check_outside_kept(g, before, mounts_of(g, run_outside_pid(room)));
    const struct kernel_mounts *inside = mounts_of(g, payload->pid);
    check_private(g, inside, payload->pid);
    expect(g, kernel_mounts_at(inside, below) != NULL, .because = "not-a-copy",
           .expected = say(g, "the tree inside is a copy: %s is mounted there too", below),
           .kernel = say(g, "no such line in /proc/%d/mountinfo", payload->pid),
           .see = "mount_namespaces(7), DESCRIPTION");

    /* And by deed: what is mounted on either side stays there. */
    outside_do(run, "mount tmpfs %s 0", early);
    outside_do(room, "mount tmpfs %s 0", late);
    const struct kernel_mounts *here = mounts_of(g, payload->pid);
    const struct kernel_mounts *out = mounts_of(g, run_outside_pid(room));
    if (kernel_mounts_at(here, early) == NULL || kernel_mounts_at(out, late) == NULL)
        grade_error(g, 0, "a mount of the probe did not appear where it was made");
    expect(g, kernel_mounts_at(out, early) == NULL, .because = "leaks-out",
           .expected = say(g, "a mount made inside at %s does not show outside", early),
           .kernel = say(g, "outside: %s", mounts_line(g, kernel_mounts_at(out, early))),
           .see = "mount_namespaces(7), SHARED SUBTREES");
    expect(g, kernel_mounts_at(here, late) == NULL, .because = "leaks-in",
           .expected = say(g, "a mount made outside at %s does not show inside", late),
           .kernel = say(g, "inside: %s", mounts_line(g, kernel_mounts_at(here, late))),
           .see = "mount_namespaces(7), SHARED SUBTREES");
}
