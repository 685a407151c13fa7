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
static void check_outside(struct grade *g, struct run *room)
{
    const char *const files[] = {ROOTFS "/etc", "/tmp/flagged/etc", "/tmp"};

    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        const char *path = say(g, "%s/%s", files[i], grade_word(g, 8));
        const char *reply = run_ask(room, "write %s text", path);
        expect(g, strcmp(reply, "ok") == 0, .because = "super-block",
               .expected = say(g, "outside, %s can be written to", files[i]),
               .kernel = say(g, "outside, a write to %s says \"%s\" (errno)", path, reply),
               .see = "mount(2), MS_REMOUNT with and without MS_BIND");
    }
}

/* After a chroot "/" is a folder, and no mount that could be read-only. */
static void check_error_passed_on(struct grade *g, struct run *room)
{
    const char *const arguments[] = {"--without=user", "--rootfs", ROOTFS,      "--chroot",
                                     "--read-only",    "--",       "/bin/true", NULL};
    const char *said;
    int status = outside_run(room, &(struct run_options){.arguments = arguments}, &said);

    expect(g, status == REFUSED && strstr(said, "capabilities_protect_root: ") != NULL,
           .because = "error-ignored",
           .expected = "after --chroot, / is no mount: EINVAL, status 125",
           .kernel = say(g, "exit status %d: its error was not passed on", status),
           .see = "lab09 --rootfs " ROOTFS " --chroot --read-only true; echo $?");
}

void caps_step_read_only(struct grade *g)
{
    struct run *room = outside_open(g, true);
    const char *volume = say(g, "/tmp/%s", grade_word(g, 7));

    /* A volume with another below it, and a root whose mount has flags of its own. */
    for (int i = 0; i < 2; i++) {
        outside_do(room, "mkdir %s%s", volume, i == 0 ? "" : "/in");
        outside_do(room, "mount tmpfs %s%s 0", volume, i == 0 ? "" : "/in");
    }
    outside_do(room, "mkdir /tmp/flagged");
    outside_do(room, "mkdir " ROOTFS "/strata");
    outside_do(room, "copy 755 /strata/probe " ROOTFS "/strata/probe");
    outside_do(room, "mount " ROOTFS " /tmp/flagged %d", MS_BIND);
    outside_do(room, "mount none /tmp/flagged %d", MS_REMOUNT | MS_BIND | MS_NODEV | MS_NOSUID);
    for (int user = 0; user < 2; user++) { /* also in the user namespace of layer 08 */
        const char *arguments[] = {"--rootfs", "/tmp/flagged", "-v", say(g, "%s:/data", volume),
                                   "--tmpfs",  "/scratch",     NULL, NULL,
                                   NULL};
        size_t count = 6;
        if (user == 0)
            arguments[count++] = "--without=user";
        struct run *before = caps_start(g, room, NULL, NULL, arguments);
        run_payload(before);
        arguments[count++] = "--read-only";
        struct run *run = caps_start(g, room, NULL, NULL, arguments);
        check_mounts(g, before, run);
        check_outside(g, room);
        if (user == 0)
            check_writes(g, before, run);
    }
    check_error_passed_on(g, room);
}
