/* Lab 05, step 5: what is hidden is empty and stays so, what is protected is there and stays as it
 * is. */
#include "graders/05-pivot-root.h"

#include <errno.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "grade/mounts.h"
#include "grade/run.h"
#include "grade/step.h"

/* The lists of given_wiring.c. A path that the kernel does not have is left alone. */
static const char *const masked[] = {"/proc/acpi",
                                     "/proc/asound",
                                     "/proc/interrupts",
                                     "/proc/kcore",
                                     "/proc/keys",
                                     "/proc/latency_stats",
                                     "/proc/sched_debug",
                                     "/proc/scsi",
                                     "/proc/timer_list",
                                     "/proc/timer_stats",
                                     "/sys/devices/virtual/powercap",
                                     "/sys/firmware"};
static const char *const readonly[] = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
                                       "/proc/sysrq-trigger"};
static const char ttl[] = "/proc/sys/net/ipv4/ip_default_ttl"; /* the room's root may write it */

static void check_masked_file(struct grade *g, struct run *run, const char *path)
{
    const struct payload *payload = run_payload(run);
    const struct kernel_mount *m = kernel_mounts_at(mounts_of(g, payload->pid), path);
    struct place place = place_inside(run, path);
    const char *see = say(g, "lab05 --rootfs " ROOTFS " stat %s", path);
    bool null = S_ISCHR(place.mode) && place.rdev == makedev(1, 3);

    expect(g, null || m == NULL, .because = "wrong-mask",
           .expected = say(g, "what hides the file %s is /dev/null (device 1:3)", path),
           .kernel = say(g, "something else hides it: %s", mounts_line(g, m)), .see = see);
    expect(g, null, .because = "file-not-masked",
           .expected = say(g, "the file %s is under /dev/null (device 1:3)", path),
           .kernel = say(g, "%s: mode %o, device %u:%u", path, place.mode, major(place.rdev),
                         minor(place.rdev)),
           .see = see);
    const char *reply = run_ask(run, "read %s", path);
    expect(g, strcmp(reply, "ok ") == 0, .because = "mask-unreadable",
           .expected = say(g, "%s reads as empty", path), .kernel = say(g, "read: %.60s", reply),
           .see = see);
}

static void check_masked_folder(struct grade *g, struct run *run, const char *path)
{
    const struct payload *payload = run_payload(run);
    const struct kernel_mount *m = kernel_mounts_at(mounts_of(g, payload->pid), path);
    const char *see = say(g, "lab05 --rootfs " ROOTFS " grep ' %s ' /proc/self/mountinfo", path);
    const char *names = run_ask(run, "list %s", path);

    expect(g, m != NULL && strcmp(m->fstype, "tmpfs") == 0, .because = "folder-not-masked",
           .expected = say(g, "the folder %s is under a tmpfs", path),
           .kernel = say(g, "not masked: %s", mounts_line(g, m)), .see = see);
    expect(g, strcmp(names, "ok") == 0, .because = "mask-not-empty",
           .expected = say(g, "the tmpfs on %s is empty", path),
           .kernel = say(g, "it can be listed: %.60s", names), .see = see);
    expect(g, kernel_mount_has(m->options, "ro"), .because = "mask-writable",
           .expected = say(g, "the tmpfs on %s is read-only", path),
           .kernel = say(g, "it could be filled: %s", mounts_line(g, m)), .see = see);
}

/* All mounts at and below `path` are read-only. */
static void check_protected(struct grade *g, struct run *run, const char *path)
{
    const struct payload *payload = run_payload(run);
    const struct kernel_mounts *inside = mounts_of(g, payload->pid);
    const struct kernel_mount *top = kernel_mounts_at(inside, path);
    const char *see = say(g, "lab05 --rootfs " ROOTFS " grep ' %s' /proc/self/mountinfo", path);

    expect(g, top != NULL, .because = "not-protected",
           .expected = say(g, "%s is a mount of its own, and read-only", path),
           .kernel = "nothing is mounted there, and only a mount can be read-only", .see = see);
    expect(g, kernel_mount_has(top->options, "ro"), .because = "protected-rw",
           .expected = say(g, "the mount at %s is ro", path),
           .kernel = say(g, "it is rw: %s", mounts_line(g, top)), .see = see);
    for (const struct kernel_mount *m = NULL; (m = kernel_mounts_below(inside, path, m)) != NULL;) {
        const struct kernel_mount *last = kernel_mounts_at(inside, m->target);
        expect(g, kernel_mount_has(last->options, "ro"), .because = "below-rw",
               .expected = say(g, "what is mounted below %s is ro as well", path),
               .kernel = say(g, "below it, still rw: %s", mounts_line(g, last)), .see = see);
    }
}

static void check_refuses(struct grade *g, struct run *run, const char *path)
{
    const char *reply = run_ask(run, "write %s 1", path);

    expect(g, strcmp(reply, say(g, "error %d", EROFS)) == 0, .because = "write-worked",
           .expected = say(g, "a write to %s: Read-only file system", path),
           .kernel = say(g, "it says \"%s\" (errno)", reply),
           .see = say(g, "lab05 --rootfs " ROOTFS " sh -c 'echo 1 > %s'", path));
}

/* Docker's lists. What is there outside is there inside, or hidden. */
static void check_lists(struct grade *g, struct run *room, struct run *run)
{
    for (size_t i = 0; i < sizeof masked / sizeof *masked; i++) {
        struct place there = place_outside(room, masked[i]);
        if (there.error == 0 && S_ISDIR(there.mode))
            check_masked_folder(g, run, masked[i]);
        else if (there.error == 0)
            check_masked_file(g, run, masked[i]);
    }
    for (size_t i = 0; i < sizeof readonly / sizeof *readonly; i++)
        if (place_outside(room, readonly[i]).error == 0)
            check_protected(g, run, readonly[i]);
    outside_do(room, "write %s 64", ttl);
    check_refuses(g, run, ttl);
}

void root_stepmasks(struct grade *g)
{
    struct run *room = root_room(g);
    const char *volume = root_volume(g, room), *word = grade_word(g, 9);
    const char *file = say(g, "/etc/%s", grade_word(g, 6)), *gone = say(g, "/mnt/%s", word);
    const char *folder = say(g, "/home/%s", grade_word(g, 6));
    const char *kept = say(g, "/etc/%s", grade_word(g, 7));

    outside_do(room, "write " ROOTFS "%s %s", file, word);
    outside_do(room, "write " ROOTFS "%s %s", kept, word);
    outside_do(room, "mkdir " ROOTFS "%s", folder);
    outside_do(room, "write " ROOTFS "%s/secret %s", folder, word);
    outside_do(room, "write %s/note %s", volume, word);
    const char *const arguments[] = {
        "--rootfs",  ROOTFS,      "--chroot", "-v",        say(g, "%s:/data", volume),
        "--mask",    file,        "--mask",   folder,      "--mask",
        gone,        "--protect", kept,       "--protect", "/data",
        "--protect", gone,        NULL};
    struct run *run = root_beside(g, room, arguments);

    run_payload(run);
    check_masked_file(g, run, file);
    check_masked_folder(g, run, folder);
    check_refuses(g, run, say(g, "%s/new", folder));
    check_protected(g, run, kept);
    check_protected(g, run, "/data");
    check_refuses(g, run, kept);
    check_refuses(g, run, "/data/new");
    check_refuses(g, run, "/data/in/new");
    const char *files[] = {kept, "/data/note"};
    for (size_t i = 0; i < 2; i++) {
        const char *reply = run_ask(run, "read %s", files[i]);
        expect(g, strcmp(reply, say(g, "ok %s", word)) == 0, .because = "hidden-instead",
               .expected = say(g, "%s, protected, can still be read", files[i]),
               .kernel = say(g, "read: %s", reply), .see = "root.h: root_protect is not root_mask");
    }
    const char *reply = run_ask(room, "write %s/new text", volume);
    expect(g, strcmp(reply, "ok") == 0, .because = "super-ro",
           .expected = say(g, "outside, %s stays writable: only the mount is ro", volume),
           .kernel = say(g, "a write outside says \"%s\" (errno)", reply),
           .see = "mount(2), MS_REMOUNT with MS_BIND; mount_setattr(2)");
    check_lists(g, room, run);
}
