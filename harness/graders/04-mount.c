/*
 * Lab 04: a private mount tree.
 *
 * Outside is the room that the student's program runs in; its "/" is shared with everything below,
 * as systemd leaves it. A probe of ours in there prepares folders and mounts, and looks afterwards
 * (grade/mounts.h). What must not show outside is the matter of step 1 alone: the other steps grade
 * what they make inside, and what they must leave as it was.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "grade/facts.h"
#include "grade/mounts.h"
#include "grade/run.h"
#include "grade/step.h"

enum { TMPFS_TYPE = 0x01021994 /* TMPFS_MAGIC of linux/magic.h */, REFUSED = 125 };

static struct run *run_beside(struct grade *g, struct run *room, const char *const *arguments)
{
    return run_start(g, &(struct run_options){.arguments = arguments, .beside = room});
}

/* A new folder in /tmp. */
static const char *folder(struct grade *g, struct run *room)
{
    const char *path = say(g, "/tmp/%s", grade_word(g, 7));

    outside_do(room, "mkdir %s", path);
    return path;
}

/* ... with a tmpfs on it. */
static const char *mounted(struct grade *g, struct run *room, unsigned long flags)
{
    const char *path = folder(g, room);

    outside_do(room, "mount tmpfs %s %lu", path, flags);
    return path;
}

/* The program must refuse: exit status 125, with the kernel's own error (mount(2) says ENOTDIR
 * where move_mount(2) says EINVAL). */
static void check_refused(struct grade *g, struct run *room, const char *option, const char *value,
                          int error, const char *why)
{
    const char *const arguments[] = {option, value, "--", "/strata/busybox", "true", NULL};
    const char *said;
    int status = outside_run(room, &(struct run_options){.arguments = arguments}, &said);

    expect(g, status == REFUSED, .because = "not-refused",
           .expected = say(g, "%s: the start ends with status 125", why),
           .kernel = say(g, "exit status %d, as if all were well", status),
           .see = say(g, "lab04 %s %s true; echo $?", option, value));
    expect(g, strstr(said, strerror(error)) != NULL || strstr(said, strerror(EINVAL)) != NULL,
           .because = "wrong-error",
           .expected = say(g, "the kernel's own error is passed on: %s", strerror(error)),
           .kernel = "the program failed with another one: its words are below",
           .see = "errno(3); a layer function returns -errno");
}

/* --- 1: private ----------------------------------------------------------------------------- */

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

static void step_private(struct grade *g)
{
    struct run *room = outside_open(g, false);
    const char *there = mounted(g, room, 0), *below = say(g, "%s/below", there);
    const char *early = folder(g, room), *late = folder(g, room);

    outside_do(room, "mkdir %s", below);
    outside_do(room, "mount tmpfs %s 0", below);
    const struct kernel_mounts *before = mounts_of(g, run_outside_pid(room));
    for (size_t i = 0; i < before->count; i++)
        if (before->list[i].shared == 0)
            grade_error(g, 0, "the room's %s is not shared", before->list[i].target);

    /* Without layer 03, whose /proc needs a namespace and a private tree as well. */
    const char *const arguments[] = {"--without=pid", NULL};
    struct run *run = run_beside(g, room, arguments);
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

/* --- 2: bind -------------------------------------------------------------------------------- */

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

static void step_bind(struct grade *g)
{
    struct run *room = outside_open(g, false);
    const char *source = say(g, "%s/%s", mounted(g, room, 0), grade_word(g, 5));
    const char *file = say(g, "%s/note", source), *text = grade_word(g, 12);
    const char *one = folder(g, room), *plain = say(g, "%s-file", one);
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
    struct run *run = run_beside(g, room, arguments);
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
    check_refused(g, room, "-v", say(g, "%s:%s", source, plain), ENOTDIR,
                  "a folder cannot be bound on a file");
}

/* --- 3: read-only --------------------------------------------------------------------------- */

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
    const char *option = say(g, "/etc:%s:ro", folder(g, room)), *said;
    const char *const arguments[] = {"-v", option, "--", "/strata/busybox", "true", NULL};
    int status = outside_run(room, &(struct run_options){.arguments = arguments}, &said);

    expect(g, status == 0, .because = "locked",
           .expected = "a volume whose flags are locked (nosuid, of /etc) becomes read-only too",
           .kernel = say(g, "exit status %d: the kernel refuses to clear a locked flag", status),
           .see = say(g, "lab04 -v %s true; mount_namespaces(7), locked mounts", option));
}

static void step_readonly(struct grade *g)
{
    struct run *room = outside_open(g, false);
    unsigned long flags[CASES] = {MS_NOSUID | MS_NODEV | MS_NOEXEC, 0,
                                  kept_flags[grade_random(g, 3)].flag | MS_NOATIME};
    const char *source[CASES], *target[CASES];

    for (size_t i = 0; i < CASES; i++) {
        source[i] = mounted(g, room, flags[i]);
        target[i] = folder(g, room);
    }
    outside_do(room, "mkdir %s/in", source[0]);
    outside_do(room, "mount tmpfs %s/in 0", source[0]);
    outside_do(room, "write %s/note text", source[1]);
    const char *writable = folder(g, room), *file = say(g, "%s-file", writable);
    const char *file_source = say(g, "%s/note", source[1]);
    const char *const arguments[] = {"-v",     say(g, "%s:%s", source[1], writable),
                                     "-v",     say(g, "%s:%s:ro", source[0], target[0]),
                                     "-v",     say(g, "%s:%s:ro", source[1], target[1]),
                                     "--bind", say(g, "%s:%s:ro", source[2], target[2]),
                                     "-v",     say(g, "%s:%s:ro", file_source, file),
                                     NULL};
    struct run *run = run_beside(g, room, arguments);
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

/* --- 4: tmpfs ------------------------------------------------------------------------------- */

struct wanted_tmpfs {
    const char *target;
    const char *size; /* the option's text, or NULL */
    uint64_t bytes;
};

static void check_tmpfs(struct grade *g, struct run *run, const struct wanted_tmpfs *wanted)
{
    static const char *const flags[] = {"nosuid", "nodev", "noexec"};
    const struct payload *payload = run_payload(run);
    const struct kernel_mount *m = kernel_mounts_at(mounts_of(g, payload->pid), wanted->target);
    struct place place = place_inside(run, wanted->target);
    const char *option =
        wanted->size != NULL ? say(g, "%s:size=%s", wanted->target, wanted->size) : wanted->target;
    const char *see =
        say(g, "lab04 --tmpfs %s grep %s /proc/self/mountinfo", option, wanted->target);

    expect(g, m != NULL && strcmp(m->fstype, "tmpfs") == 0 && place.fs_type == TMPFS_TYPE,
           .because = "no-tmpfs", .expected = say(g, "a tmpfs at %s inside", wanted->target),
           .kernel = m != NULL ? mounts_line(g, m)
                               : say(g, "no line of /proc/%d/mountinfo has %s", payload->pid,
                                     wanted->target),
           .see = see);
    for (size_t i = 0; i < 3; i++)
        expect(g, kernel_mount_has(m->options, flags[i]), .because = "no-flag",
               .expected = say(g, "the mount at %s is %s", m->target, flags[i]),
               .kernel = say(g, "%s is not among its flags: %s", flags[i], mounts_line(g, m)),
               .see = see);
    expect(g, kernel_mount_has(m->options, "rw"), .because = "tmpfs-ro",
           .expected = say(g, "%s can be written to", m->target), .kernel = mounts_line(g, m),
           .see = see);
    expect(g, place.fs_size == wanted->bytes, .because = "wrong-size",
           .expected = say(g, "size=%s is %llu bytes, in whole pages",
                           wanted->size != NULL ? wanted->size : "64m (the default)",
                           (unsigned long long)wanted->bytes),
           .kernel = say(g, "statfs says %llu bytes: %s", (unsigned long long)place.fs_size,
                         mounts_line(g, m)),
           .see = say(g, "lab04 --tmpfs %s df %s", option, wanted->target));
    expect(g, (place.mode & 07777) == 01777, .because = "wrong-mode",
           .expected = say(g, "%s has mode 1777", wanted->target),
           .kernel = say(g, "its mode is %o", place.mode & 07777), .see = "tmpfs(5), mode=");
}

static void step_tmpfs(struct grade *g)
{
    struct run *room = outside_open(g, false);
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t pages = (uint64_t)grade_between(g, 3, 60);
    uint64_t uneven = pages * page + (uint64_t)grade_between(g, 1, (int)page - 1);
    int kib = grade_between(g, 10, 99) * 4, mib = grade_between(g, 2, 9);
    struct wanted_tmpfs wanted[] = {
        {NULL, say(g, "%llu", (unsigned long long)(pages * page)), pages * page},
        {NULL, say(g, "%llu", (unsigned long long)uneven), (pages + 1) * page},
        {NULL, "1", page},
        {NULL, say(g, "%dk", kib), ((uint64_t)kib * 1024 + page - 1) / page * page},
        {NULL, say(g, "%dm", mib), (uint64_t)mib << 20},
        {NULL, "5g", (uint64_t)5 << 30}, /* more than 32 bits hold */
        {NULL, NULL, (uint64_t)64 << 20},
    };
    enum { COUNT = sizeof wanted / sizeof *wanted };
    const char *arguments[2 * COUNT + 1] = {NULL};

    for (size_t i = 0; i < COUNT; i++) {
        wanted[i].target = folder(g, room);
        outside_do(room, "write %s/covered yes", wanted[i].target);
        arguments[2 * i] = "--tmpfs";
        arguments[2 * i + 1] = wanted[i].size != NULL
                                   ? say(g, "%s:size=%s", wanted[i].target, wanted[i].size)
                                   : wanted[i].target;
    }
    struct run *run = run_beside(g, room, arguments);
    run_payload(run);
    for (size_t i = 0; i < COUNT; i++)
        check_tmpfs(g, run, &wanted[i]);
    const char *names = run_ask(run, "list %s", wanted[0].target);
    expect(g, strcmp(names, "ok") == 0, .because = "not-empty",
           .expected = say(g, "the new tmpfs at %s is empty", wanted[0].target),
           .kernel = say(g, "it holds %s", names + 3), .see = "tmpfs(5)");
    for (size_t i = 0; i < 2; i++) {
        const char *reply = run_ask(run, "fill %s/big %llu", wanted[i].target,
                                    (unsigned long long)(wanted[i].bytes + 8 * page));
        const char *full = say(g, "ok %llu %d", (unsigned long long)wanted[i].bytes, ENOSPC);
        expect(g, strcmp(reply, full) == 0, .because = "no-limit",
               .expected = say(g, "%s is full after %llu bytes: No space left on device",
                               wanted[i].target, (unsigned long long)wanted[i].bytes),
               .kernel = say(g, "the payload's writes say \"%s\" (bytes, errno)", reply),
               .see = "tmpfs(5), size=");
    }
    outside_do(room, "write %s-file text", wanted[0].target);
    check_refused(g, room, "--tmpfs", say(g, "%s-file", wanted[0].target), ENOTDIR,
                  "a tmpfs cannot be mounted on a file");
}

/* --- 5: detach ------------------------------------------------------------------------------ */

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
    const char *target = folder(g, room), *stack = mounted(g, room, 0);

    outside_do(room, "write %s/covered yes", target);
    outside_do(room, "mount tmpfs %s 0", target);
    struct place busy = place_outside(room, target);
    outside_do(room, "mkdir %s/in", target);
    outside_do(room, "mount tmpfs %s/in 0", target);
    outside_do(room, "write %s/in/note text", target);
    struct place lower = place_outside(room, stack);
    outside_do(room, "mount tmpfs %s 0", stack);
    const char *const arguments[] = {"--detach", target, "--detach", stack, NULL};
    struct run *run = run_beside(g, room, arguments);
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
    struct run *run = run_beside(g, room, arguments);
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

static void step_detach(struct grade *g)
{
    struct run *room = outside_open(g, false);
    const char *target = mounted(g, room, 0), *plain = folder(g, room);
    const char *link = say(g, "/tmp/%s", grade_word(g, 8));

    outside_do(room, "symlink %s %s", link, target);
    check_detach_tree(g, room);
    check_refused(g, room, "--detach", link, EINVAL, "a symbolic link is not followed");
    check_refused(g, room, "--detach", plain, EINVAL, "a folder on which nothing is mounted");
    check_detach_in_use(g, room);
}

static const struct step steps[] = {
    {.number = 1,
     .slug = "private",
     .title = "a mount tree of its own, private all the way down",
     .points = 25,
     .needs = NEED_USERNS,
     .chapter = "private",
     .man = "mount_namespaces(7), mount(2)",
     .run = step_private},
    {.number = 2,
     .slug = "bind",
     .title = "bind, alone and with all that is below",
     .points = 20,
     .needs = NEED_USERNS,
     .chapter = "bind",
     .man = "mount(2), Creating a bind mount",
     .run = step_bind},
    {.number = 3,
     .slug = "read-only",
     .title = "a volume is read-only, its source is not",
     .points = 25,
     .needs = NEED_USERNS,
     .after = {2},
     .chapter = "read-only",
     .man = "mount(2), Remounting an existing mount; statvfs(3)",
     .run = step_readonly},
    {.number = 4,
     .slug = "tmpfs",
     .title = "a tmpfs with a size, nosuid, nodev, noexec",
     .points = 15,
     .needs = NEED_USERNS,
     .chapter = "tmpfs",
     .man = "tmpfs(5), mount(2)",
     .run = step_tmpfs},
    {.number = 5,
     .slug = "detach",
     .title = "a mount in use is detached, with all below",
     .points = 15,
     .needs = NEED_USERNS,
     .chapter = "detach",
     .man = "umount2(2)",
     .run = step_detach},
};

LAB(.name = "04-mount", .title = "a private mount tree", .steps = steps,
    .count = sizeof steps / sizeof *steps);
