/* Lab 04, step 3: one mount is read-only; its other flags, its source, its siblings and what is
 * below are not touched. */
#include "graders/04-mount.h"

#include <errno.h>
#include <string.h>
#include <sys/mount.h>

#include "grade/mounts.h"
#include "grade/run.h"
#include "grade/step.h"

static const struct {
    const char *name;
    unsigned long flag;
} kept_flags[] = {
    {"nosuid", MS_NOSUID}, {"nodev", MS_NODEV}, {"noexec", MS_NOEXEC}, {"noatime", MS_NOATIME}};
enum { KEPT = 4, CASES = 3 };

static void check_flags_kept(struct grade *g, const struct kernel_mount *m, unsigned long flags)
{
    for (size_t i = 0; i < KEPT; i++) {
        bool had = (flags & kept_flags[i].flag) != 0;
        bool has = kernel_mount_has(m->options, kept_flags[i].name);
        expect(g, has || !had, .because = "flag-lost",
               .expected =
                   say(g, "%s keeps its other flags: it was %s", m->target, kept_flags[i].name),
               .kernel = say(g, "it lost %s: %s", kept_flags[i].name, mounts_line(g, m)),
               .see = "statvfs(3) on the target, before the remount");
        expect(g, had || !has, .because = "flag-added",
               .expected = say(g, "ro is all that changes at %s", m->target),
               .kernel = say(g, "%s was added: %s", kept_flags[i].name, mounts_line(g, m)),
               .see = "statvfs(3) on the target, before the remount");
    }
}

/* Does this mount cover another at the same place? */
static bool is_on_another(const struct kernel_mounts *mounts, const struct kernel_mount *m)
{
    const struct kernel_mount *parent = kernel_mounts_id(mounts, m->parent);

    return parent != NULL && strcmp(parent->target, m->target) == 0;
}

/* The mount at `target` inside is read-only; the super block behind it is not. */
static void check_readonly(struct grade *g, struct run *run, const char *source, const char *target)
{
    const struct payload *payload = run_payload(run);
    const struct kernel_mounts *inside = mounts_of(g, payload->pid);
    const struct kernel_mount *m = kernel_mounts_at(inside, target);
    const char *see =
        say(g, "lab04 -v %s:%s:ro grep %s /proc/self/mountinfo", source, target, target);

    expect(g, m != NULL, .because = "no-mount", .expected = say(g, "a mount at %s inside", target),
           .kernel = say(g, "no line of /proc/%d/mountinfo has %s", payload->pid, target),
           .see = see);
    expect(g, !kernel_mount_has(m->super, "ro"), .because = "super-ro",
           .expected = "only this mount becomes read-only, not the file system behind it",
           .kernel = say(g, "the super block is ro, for all: %s", mounts_line(g, m)), .see = see);
    expect(g, kernel_mount_has(m->options, "ro") || !is_on_another(inside, m),
           .because = "bound-again",
           .expected = say(g, "the mount that is at %s becomes ro", target),
           .kernel = say(g, "another was put on top of it, rw: %s", mounts_line(g, m)), .see = see);
    expect(g, kernel_mount_has(m->options, "ro"), .because = "still-rw",
           .expected = say(g, "the mount at %s is ro", target),
           .kernel = say(g, "still rw: %s", mounts_line(g, m)), .see = see);
}

static void check_write(struct grade *g, struct run *run, const char *path, int error)
{
    const char *reply = run_ask(run, "write %s no", path);
    const char *wanted = error != 0 ? say(g, "error %d", error) : "ok";

    expect(g, strcmp(reply, wanted) == 0, .because = error != 0 ? "write-worked" : "write-refused",
           .expected = say(g, "a write to %s: %s", path, error != 0 ? strerror(error) : "done"),
           .kernel = say(g, "the payload's write says \"%s\" (errno)", reply),
           .see = "mount(2), MS_RDONLY and MS_REMOUNT");
}

/* Flags of a mount that comes from a more privileged namespace cannot be cleared: a remount that
 * does not repeat them is refused. In the sandbox /etc is such a mount. */
static void check_locked(struct grade *g, struct run *room)
{
    const char *option = say(g, "/etc:%s:ro", mount_folder(g, room)), *said;
    const char *const arguments[] = {"-v", option, "--", "/strata/busybox", "true", NULL};
    int status = outside_run(room, &(struct run_options){.arguments = arguments}, &said);

    expect(g, status == 0, .because = "locked",
           .expected = "a volume whose flags are locked (nosuid, of /etc) becomes read-only too",
           .kernel = say(g, "exit status %d: the kernel refuses to clear a locked flag", status),
           .see = say(g, "lab04 -v %s true; mount_namespaces(7), locked mounts", option));
}

void mount_stepreadonly(struct grade *g)
{
    struct run *room = outside_open(g, false);
    unsigned long flags[CASES] = {MS_NOSUID | MS_NODEV | MS_NOEXEC, 0,
                                  kept_flags[grade_random(g, 3)].flag | MS_NOATIME};
    const char *source[CASES], *target[CASES];

    for (size_t i = 0; i < CASES; i++) {
        source[i] = mount_mounted(g, room, flags[i]);
        target[i] = mount_folder(g, room);
    }
    outside_do(room, "mkdir %s/in", source[0]);
    outside_do(room, "mount tmpfs %s/in 0", source[0]);
    outside_do(room, "write %s/note text", source[1]);
    const char *writable = mount_folder(g, room), *file = say(g, "%s-file", writable);
    const char *file_source = say(g, "%s/note", source[1]);
    const char *const arguments[] = {"-v",     say(g, "%s:%s", source[1], writable),
                                     "-v",     say(g, "%s:%s:ro", source[0], target[0]),
                                     "-v",     say(g, "%s:%s:ro", source[1], target[1]),
                                     "--bind", say(g, "%s:%s:ro", source[2], target[2]),
                                     "-v",     say(g, "%s:%s:ro", file_source, file),
                                     NULL};
    struct run *run = mount_beside(g, room, arguments);
    const struct payload *payload = run_payload(run);

    for (size_t i = 0; i < CASES; i++)
        check_readonly(g, run, source[i], target[i]);
    check_readonly(g, run, file_source, file);
    const struct kernel_mounts *inside = mounts_of(g, payload->pid);
    for (size_t i = 0; i < CASES; i++)
        check_flags_kept(g, kernel_mounts_at(inside, target[i]), flags[i]);
    const struct kernel_mount *below = kernel_mounts_at(inside, say(g, "%s/in", target[0]));
    expect(g, below != NULL && kernel_mount_has(below->options, "rw"), .because = "below-too",
           .expected = "what is mounted below the volume is not touched (mount.h)",
           .kernel = below != NULL ? say(g, "read-only as well: %s", mounts_line(g, below))
                                   : say(g, "no mount at %s/in", target[0]),
           .see = "mount_setattr(2), AT_RECURSIVE");
    for (size_t i = 0; i < CASES; i++) {
        const struct kernel_mount *m = kernel_mounts_at(inside, source[i]);
        expect(g, m != NULL && kernel_mount_has(m->options, "rw"), .because = "source-ro",
               .expected = say(g, "%s, where it was, stays writable", source[i]),
               .kernel = m != NULL ? say(g, "the source has changed: %s", mounts_line(g, m))
                                   : say(g, "no mount at %s any more", source[i]),
               .see = "mount(2), MS_REMOUNT with MS_BIND");
    }
    check_write(g, run, say(g, "%s/x", writable), 0); /* the same file system, by another mount */
    for (size_t i = 0; i < CASES; i++)
        check_write(g, run, say(g, "%s/x", target[i]), EROFS);
    check_write(g, run, file, EROFS);
    for (size_t i = 0; i < CASES; i++)
        check_write(g, room, say(g, "%s/y", source[i]), 0);
    check_locked(g, room);
}
