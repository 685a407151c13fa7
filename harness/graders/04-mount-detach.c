/* Lab 04, step 5: a mount in use leaves the tree at once, and its last user is none the worse for
 * it. */
#include "graders/04-mount.h"

#include <errno.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "grade/mounts.h"
#include "grade/run.h"
#include "grade/step.h"

static void check_gone(struct grade *g, struct run *run, const char *target)
{
    const struct payload *payload = run_payload(run);
    const struct kernel_mounts *inside = mounts_of(g, payload->pid);
    const struct kernel_mount *m = kernel_mounts_at(inside, target);
    const char *see = say(g, "lab04 --detach %s cat /proc/self/mountinfo", target);

    expect(g, m == NULL, .because = "still-mounted",
           .expected = say(g, "nothing is mounted at %s any more", target),
           .kernel = say(g, "still there: %s", mounts_line(g, m)), .see = see);
    m = kernel_mounts_below(inside, target, NULL);
    expect(g, m == NULL, .because = "below-left",
           .expected = say(g, "what was mounted below %s has gone with it", target),
           .kernel = say(g, "left over: %s", mounts_line(g, m)), .see = see);
}

/* A mount with others below it, which is busy by that alone; and two on top of each other. */
static void check_detach_tree(struct grade *g, struct run *room)
{
    const char *target = mount_folder(g, room), *stack = mount_mounted(g, room, 0);

    outside_do(room, "write %s/covered yes", target);
    outside_do(room, "mount tmpfs %s 0", target);
    struct place busy = place_outside(room, target);
    outside_do(room, "mkdir %s/in", target);
    outside_do(room, "mount tmpfs %s/in 0", target);
    outside_do(room, "write %s/in/note text", target);
    struct place lower = place_outside(room, stack);
    outside_do(room, "mount tmpfs %s 0", stack);
    const char *const arguments[] = {"--detach", target, "--detach", stack, NULL};
    struct run *run = mount_beside(g, room, arguments);
    const struct payload *payload = run_payload(run);

    check_gone(g, run, target);
    const struct kernel_mounts *inside = mounts_of(g, payload->pid);
    for (size_t i = 0; i < inside->count; i++) {
        const struct kernel_mount *m = &inside->list[i];
        bool same = makedev(m->major, m->minor) == busy.dev && strcmp(m->fstype, "tmpfs") == 0;
        expect(g, !same, .because = "elsewhere",
               .expected = say(g, "the mount that was at %s is in no mount table", target),
               .kernel = say(g, "it has only moved: %s", mounts_line(g, m)),
               .see = "umount2(2), MNT_DETACH");
    }
    const char *note = run_ask(run, "read %s/covered", target);
    expect(g, strcmp(note, "ok yes") == 0, .because = "still-covered",
           .expected = say(g, "what %s covered can be seen again", target),
           .kernel = say(g, "read %s/covered: %s (errno)", target, note),
           .see = say(g, "lab04 --detach %s ls %s", target, target));
    struct place now = place_inside(run, stack);
    expect(g, place_same(&now, &lower), .because = "too-much-gone",
           .expected = say(g, "of two mounts on %s the upper one goes: then it is %s", stack,
                           place_text(g, &lower)),
           .kernel = say(g, "it is %s", place_text(g, &now)),
           .see = say(g, "lab04 --detach %s grep %s /proc/self/mountinfo", stack, stack));
}

/* /tmp is in use, for the start happens there: it is the working directory, and COMMAND's too. */
static void check_detach_in_use(struct grade *g, struct run *room)
{
    const char *word = grade_word(g, 10), *name = grade_word(g, 6);
    struct place held = place_outside(room, "/tmp");

    outside_do(room, "write /tmp/%s %s", name, word);
    const char *const arguments[] = {"--detach", "/tmp", NULL};
    struct run *run = mount_beside(g, room, arguments);
    const struct payload *payload = run_payload(run);
    struct place cwd = place_of_cwd(g, payload->pid, payload->pidfd);

    check_gone(g, run, "/tmp");
    const char *found = run_ask(run, "read /tmp/%s", name);
    expect(g, strcmp(found, say(g, "error %d", ENOENT)) == 0, .because = "still-found",
           .expected = say(g, "nobody finds /tmp/%s any more", name),
           .kernel = say(g, "read /tmp/%s: %s", name, found), .see = "umount2(2), MNT_DETACH");
    const char *kept = run_ask(run, "read %s", name);
    expect(g, place_same(&cwd, &held) && strcmp(kept, say(g, "ok %s", word)) == 0,
           .because = "holder-lost",
           .expected = say(g, "COMMAND, whose working directory it is, still reads %s", name),
           .kernel = say(g, "its working directory is %s; read: %s", place_text(g, &cwd), kept),
           .see = "umount2(2), MNT_DETACH");
}

void mount_stepdetach(struct grade *g)
{
    struct run *room = outside_open(g, false);
    const char *target = mount_mounted(g, room, 0), *plain = mount_folder(g, room);
    const char *link = say(g, "/tmp/%s", grade_word(g, 8));

    outside_do(room, "symlink %s %s", link, target);
    check_detach_tree(g, room);
    mount_refused(g, room, "--detach", link, EINVAL, "a symbolic link is not followed");
    mount_refused(g, room, "--detach", plain, EINVAL, "a folder on which nothing is mounted");
    check_detach_in_use(g, room);
}
