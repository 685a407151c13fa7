/* Lab 04, step 2: the same file or folder, by device and inode, at a second place. */
#include "graders/04-mount.h"

#include <errno.h>
#include <string.h>

#include "grade/mounts.h"
#include "grade/run.h"
#include "grade/step.h"

/* `target` inside is a mount, and the very same file or folder as `source` outside. */
static void check_bound(struct grade *g, struct run *run, const char *option, const char *source,
                        const char *target)
{
    const struct payload *payload = run_payload(run);
    const struct kernel_mount *m = kernel_mounts_at(mounts_of(g, payload->pid), target);
    struct place wanted = place_outside(run, source), got = place_inside(run, target);
    const char *see =
        say(g, "lab04 %s %s:%s grep %s /proc/self/mountinfo", option, source, target, target);

    expect(g, m != NULL, .because = "no-mount", .expected = say(g, "a mount at %s inside", target),
           .kernel =
               say(g, "no line of /proc/%d/mountinfo has %s as its target", payload->pid, target),
           .see = see);
    expect(g, place_same(&wanted, &got), .because = "another-thing",
           .expected = say(g, "%s is what %s is: %s", target, source, place_text(g, &wanted)),
           .kernel = say(g, "%s inside is %s; its mount: %s", target, place_text(g, &got),
                         mounts_line(g, m)),
           .see = see);
    expect(g, kernel_mount_has(m->options, "rw"), .because = "bind-ro",
           .expected = say(g, "%s can be written to, as %s can", target, source),
           .kernel = mounts_line(g, m), .see = see);
}

static void check_what_is_below(struct grade *g, struct run *run, const char *source,
                                const char *one, const char *all)
{
    const struct payload *payload = run_payload(run);
    const struct kernel_mounts *inside = mounts_of(g, payload->pid);

    for (const struct kernel_mount *m = NULL; (m = kernel_mounts_below(inside, one, m)) != NULL;)
        expect(g, strcmp(m->target, one) == 0, .because = "below-came-along",
               .expected = say(g, "--bind shows %s alone, not what is mounted below it", source),
               .kernel = say(g, "came along: %s", mounts_line(g, m)),
               .see = say(g, "lab04 --bind %s:%s cat /proc/self/mountinfo", source, one));
    static const char *const deeper[] = {"/in", "/in/deep"};
    for (size_t i = 0; i < 2; i++) {
        struct place wanted = place_outside(run, say(g, "%s%s", source, deeper[i]));
        struct place got = place_inside(run, say(g, "%s%s", all, deeper[i]));
        expect(g, place_same(&wanted, &got), .because = "below-missing",
               .expected =
                   say(g, "-v brings %s%s along: %s", source, deeper[i], place_text(g, &wanted)),
               .kernel =
                   say(g, "left behind: %s%s inside is %s", all, deeper[i], place_text(g, &got)),
               .see = say(g, "lab04 -v %s:%s cat /proc/self/mountinfo", source, all));
    }
}

void mount_stepbind(struct grade *g)
{
    struct run *room = outside_open(g, false);
    const char *source = say(g, "%s/%s", mount_mounted(g, room, 0), grade_word(g, 5));
    const char *file = say(g, "%s/note", source), *text = grade_word(g, 12);
    const char *one = mount_folder(g, room), *plain = say(g, "%s-file", one);
    const char *all = say(g, "/tmp/%s/%s", grade_word(g, 5), grade_word(g, 5));
    const char *note = say(g, "%s-note", one), *in = say(g, "%s-in", one);

    outside_do(room, "mkdir %s", source);
    outside_do(room, "write %s %s", file, text);
    outside_do(room, "write %s/covered yes", one);
    outside_do(room, "write %s a file", plain);
    for (int i = 0; i < 2; i++) {
        outside_do(room, "mkdir %s/in%s", source, i == 0 ? "" : "/deep");
        outside_do(room, "mount tmpfs %s/in%s 0", source, i == 0 ? "" : "/deep");
    }
    const char *const arguments[] = {
        "--bind", say(g, "%s:%s", source, one), "-v",     say(g, "%s:%s", source, all),
        "-v",     say(g, "%s:%s", file, note),  "--bind", say(g, "%s/in:%s", source, in),
        NULL};
    struct run *run = mount_beside(g, room, arguments);
    run_payload(run);
    check_bound(g, run, "--bind", source, one);
    check_bound(g, run, "-v", source, all);
    check_bound(g, run, "-v", file, note);
    check_bound(g, run, "--bind", say(g, "%s/in", source), in);
    check_what_is_below(g, run, source, one, all);

    const char *more = grade_word(g, 9);
    const char *reply = run_ask(run, "write %s/more %s", one, more);
    const char *seen = run_ask(room, "read %s/more", source);
    expect(g, strcmp(seen, say(g, "ok %s", more)) == 0, .because = "not-the-same",
           .expected = say(g, "what is written to %s inside is in %s outside", one, source),
           .kernel = say(g, "write: %s; outside, read: %s", reply, seen),
           .see = "mount(2), Creating a bind mount");
    mount_refused(g, room, "-v", say(g, "%s:%s", source, plain), ENOTDIR,
                  "a folder cannot be bound on a file");
}
