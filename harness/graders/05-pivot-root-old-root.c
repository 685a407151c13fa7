/* Lab 05, step 3: nothing of the host is mounted any more: neither below, nor on top, nor
 * underneath. */
#include "graders/05-pivot-root.h"

#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "grade/mounts.h"
#include "grade/run.h"
#include "grade/step.h"

/* No mount of a file system that outside has, but the root, device files, and sysfs (of which there
 * is one for each network namespace). */
static void check_no_host_mount(struct grade *g, struct run *run,
                                const struct kernel_mounts *outside)
{
    const struct payload *payload = run_payload(run);
    const struct kernel_mounts *inside = mounts_of(g, payload->pid);
    bool seen_root = false;

    for (size_t i = 0; i < inside->count; i++) {
        const struct kernel_mount *m = &inside->list[i];
        if (!root_has_device(outside, makedev(m->major, m->minor)) ||
            strcmp(m->fstype, "sysfs") == 0)
            continue;
        if (!seen_root && strcmp(m->target, "/") == 0 && strcmp(m->root, "/rootfs") == 0) {
            seen_root = true;
            continue;
        }
        struct place place = place_inside(run, m->target);
        bool on_root = strcmp(m->target, "/") == 0;
        expect(g, !on_root && S_ISCHR(place.mode), .because = "host-mount",
               .expected = say(g, "no mount of the host in /proc/%d/mountinfo", payload->pid),
               .kernel = mounts_line(g, m),
               .see = "lab05 --rootfs " ROOTFS " cat /proc/self/mountinfo");
    }
    expect(g, seen_root, .because = "no-root-mount",
           .expected = say(g, "/ in /proc/%d/mountinfo shows /rootfs", payload->pid),
           .kernel = mounts_line(g, kernel_mounts_at(inside, "/")),
           .see = "lab05 --rootfs " ROOTFS " cat /proc/self/mountinfo");
}

void root_stepold_root(struct grade *g)
{
    struct run *room = root_room(g);
    const struct kernel_mounts *before = mounts_of(g, run_outside_pid(room));
    const char *const arguments[] = {"--rootfs", ROOTFS, "--unmasked", NULL};
    struct run *run = root_beside(g, room, arguments);
    const struct payload *payload = run_payload(run);
    struct place root = root_check(g, run, ROOTFS), old = place_outside(run, "/");

    root_outside_kept(g, room, before);
    check_no_host_mount(g, run, before);
    root_check_cwd(g, run, &root);
    struct place top = place_of_namespace(g, payload->pid, payload->pidfd, false);
    expect(g, place_same(&top, &root), .because = "not-at-top",
           .expected = say(g, "the root of the mount namespace is %s", place_text(g, &root)),
           .kernel = say(g, "at the top of the namespace is %s", place_text(g, &top)),
           .see = "nsenter -t PID -m stat -c '%d %i' / (without -r)");
    struct place lifted = place_of_namespace(g, payload->pid, payload->pidfd, true);
    expect(g, !place_same(&lifted, &old), .because = "underneath",
           .expected = "under the new root is nothing of the old one",
           .kernel = say(g, "one umount of / uncovers it: %s", place_text(g, &lifted)),
           .see = "pivot_root(2): MS_MOVE only covers the old root");
    root_no_escape(g, room, run);
}
