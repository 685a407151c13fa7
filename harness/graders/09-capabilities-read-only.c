/* Lab 09, step 5: nothing can be written to the root, and to all the rest as before. */
#include "graders/09-capabilities.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#include "grade/mounts.h"
#include "grade/run.h"
#include "grade/step.h"

#define ROOTFS "/tmp/rootfs"

/* What the root's mount has besides read-only. */
static const char *other_flags(struct grade *g, const struct kernel_mount *m)
{
    const char *rest = m != NULL ? strchr(m->options, ',') : NULL;

    return rest != NULL ? say(g, "%s", rest) : "";
}

/* Only the root's line of mountinfo differs, and only by "ro". */
static void check_mounts(struct grade *g, struct run *before, struct run *run)
{
    const struct kernel_mounts *old = mounts_of(g, run_payload(before)->pid);
    const struct kernel_mounts *new = mounts_of(g, run_payload(run)->pid);
    const struct kernel_mount *was = kernel_mounts_at(old, "/"), *is = kernel_mounts_at(new, "/");
    const char *see = "lab09 --rootfs " ROOTFS " --read-only cat /proc/self/mountinfo";

    if (was == NULL || kernel_mount_has(was->options, "ro") || is == NULL)
        grade_error(g, 0, "the root is no mount, or read-only from the start");
    size_t roots = 0;
    for (size_t i = 0; i < new->count; i++)
        roots += strcmp(new->list[i].target, "/") == 0;
    expect(g, roots == 1, .because = "covered", .expected = "the mount of / itself is ro",
           .kernel = say(g, "%zu mounts at /, and COMMAND's root is still the first: %s", roots,
                         mounts_line(g, is)),
           .see = see);
    expect(g, kernel_mount_has(is->super, "rw"), .because = "super-block",
           .expected = "the super block of the root's file system is rw, as it was",
           .kernel = say(g, "the file system itself is ro now, for all who mount it: %s",
                         mounts_line(g, is)),
           .see = see);
    expect(g, kernel_mount_has(is->options, "ro"), .because = "still-rw",
           .expected = "the mount of / is ro", .kernel = say(g, "it is rw: %s", mounts_line(g, is)),
           .see = see);
    expect(g, strcmp(other_flags(g, was), other_flags(g, is)) == 0, .because = "flags-lost",
           .expected = say(g, "its other flags stay: ro%s", other_flags(g, was)),
           .kernel = say(g, "other flags were changed: %s", mounts_line(g, is)), .see = see);
    for (size_t i = 0; i < old->count; i++) {
        const struct kernel_mount *m = kernel_mounts_at(new, old->list[i].target);
        if (strcmp(old->list[i].target, "/") == 0)
            continue;
        expect(g, m != NULL && strcmp(m->options, old->list[i].options) == 0, .because = "below-ro",
               .expected =
                   say(g, "%s stays as it is: %s", old->list[i].target, old->list[i].options),
               .kernel = say(g, "what is mounted below has changed: %s", mounts_line(g, m)),
               .see = see);
    }
}

/* Makes the request of the probe in both containers. Without --read-only it works. */
static void check_write(struct run *before, struct run *run, const char *request, bool refused)
{
    struct grade *g = run_grade(run);
    const char *new = run_ask(run, "%s", request);
    const char *wanted = refused ? say(g, "error %d", EROFS) : "ok";

    expect(g, strcmp(new, wanted) == 0, .because = refused ? "written" : "below-ro",
           .expected = say(g, "%s: %s", request, refused ? "Read-only file system" : "it works"),
           .kernel = say(g, "it says \"%s\" (errno)", new),
           .see = "lab09 --rootfs " ROOTFS " --read-only sh -c 'echo > /etc/x'");
    const char *old = run_ask(before, "%s", request);
    if (strcmp(old, "ok") != 0)
        grade_error(g, 0, "without --read-only, %s: %s", request, old);
}

static void check_writes(struct grade *g, struct run *before, struct run *run)
{
    const char *word = grade_word(g, 7);
    const char *const refused[] = {say(g, "write /%s text", word), say(g, "mkdir /etc/%s", word),
                                   say(g, "unlink /etc/profile"), "chmod 600 /etc/group"};
    const char *const works[] = {say(g, "write /scratch/%s text", word),
                                 say(g, "write /data/%s text", word),
                                 say(g, "write /data/in/%s text", word),
                                 say(g, "write /dev/shm/%s text", word),
                                 "write /dev/null text",
                                 say(g, "name %s", word)};

    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        check_write(before, run, refused[i], true);
    for (size_t i = 0; i < sizeof works / sizeof *works; i++)
        check_write(before, run, works[i], false);
}

/* The same file system, by another mount and by the folder's own path. */
static void check_outside(struct grade *g, struct run *room, const char *rootfs)
{
    const char *const folders[] = {ROOTFS "/etc", say(g, "%s/etc", rootfs), "/tmp"};

    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        const char *path = say(g, "%s/%s", folders[i], grade_word(g, 8));
        const char *reply = run_ask(room, "write %s text", path);
        expect(g, strcmp(reply, "ok") == 0, .because = "super-block",
               .expected = say(g, "outside, %s can be written to", folders[i]),
               .kernel = say(g, "outside, a write to %s says \"%s\" (errno)", path, reply),
               .see = "mount(2), MS_REMOUNT with and without MS_BIND");
    }
}

/* After a chroot "/" is a folder, and no mount that could be read-only. */
static void check_error_passed_on(struct grade *g, struct run *room)
{
    const char *const arguments[] = {"--without=user", "--rootfs", ROOTFS,      "--chroot",
                                     "--read-only",    "--",       "/bin/true", NULL};
    const char *said, *see = "lab09 --rootfs " ROOTFS " --chroot --read-only true; echo $?";
    int status = outside_run(room, &(struct run_options){.arguments = arguments}, &said);

    expect(g, status == REFUSED && strstr(said, "capabilities_protect_root: ") != NULL,
           .because = "error-ignored",
           .expected = "after --chroot, / is no mount: EINVAL, status 125",
           .kernel = say(g, "exit status %d: its error was not passed on", status), .see = see);
    expect(g, strstr(said, strerror(EINVAL)) != NULL, .because = "wrong-error",
           .expected = say(g, "after --chroot, / is no mount: %s", strerror(EINVAL)),
           .kernel = say(g, "another error: %.60s", said), .see = see);
}

/* A root whose mount has these flags of its own; what is not among them must not be added. */
static const char *flagged_root(struct grade *g, struct run *room, unsigned long flags)
{
    const char *path = say(g, "/tmp/%s", grade_word(g, 9));

    outside_do(room, "mkdir %s", path);
    outside_do(room, "mount " ROOTFS " %s %d", path, MS_BIND);
    outside_do(room, "mount none %s %lu", path, MS_REMOUNT | MS_BIND | flags);
    return path;
}

void caps_step_read_only(struct grade *g)
{
    struct run *room = outside_open(g, true);
    const char *volume = say(g, "/tmp/%s", grade_word(g, 7));

    /* A volume with another below it. */
    for (int i = 0; i < 2; i++) {
        outside_do(room, "mkdir %s%s", volume, i == 0 ? "" : "/in");
        outside_do(room, "mount tmpfs %s%s 0", volume, i == 0 ? "" : "/in");
    }
    outside_do(room, "mkdir " ROOTFS "/strata");
    const struct {
        unsigned long flags;
        const char *without;
    } roots[] = {{MS_NOSUID | MS_NODEV | MS_NOATIME, "--without=user"},
                 {MS_NOEXEC, "--without=user"},
                 {MS_NOSUID | MS_NODEV, NULL}}; /* also in the user namespace of layer 08 */
    for (size_t i = 0; i < sizeof roots / sizeof *roots; i++) {
        const char *rootfs = flagged_root(g, room, roots[i].flags);
        /* What is executed lies in a volume: there is a root where nothing can be. */
        const char *arguments[] = {"--rootfs",
                                   rootfs,
                                   "-v",
                                   say(g, "%s:/data", volume),
                                   "-v",
                                   "/strata:/strata",
                                   "--tmpfs",
                                   "/scratch",
                                   roots[i].without,
                                   NULL,
                                   NULL};
        struct run *before = caps_start(g, room, NULL, NULL, arguments);
        run_payload(before);
        arguments[roots[i].without != NULL ? 9 : 8] = "--read-only";
        struct run *run = caps_start(g, room, NULL, NULL, arguments);
        check_mounts(g, before, run);
        check_outside(g, room, rootfs);
        if (i == 0)
            check_writes(g, before, run);
    }
    check_error_passed_on(g, room);
}
