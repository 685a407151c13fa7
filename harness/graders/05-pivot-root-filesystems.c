/* Lab 05, step 4: each line of what root.h says of /sys and /dev. */
#include "graders/05-pivot-root.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "grade/mounts.h"
#include "grade/run.h"
#include "grade/step.h"

/* A mount of type `type` at `target`, with all of `flags`, the file system not one of outside. */
static const struct kernel_mount *check_mount(struct grade *g, struct run *run, const char *target,
                                              const char *type, const char *const *flags,
                                              const struct kernel_mounts *outside)
{
    const struct payload *payload = run_payload(run);
    const struct kernel_mount *m = kernel_mounts_at(mounts_of(g, payload->pid), target);
    const char *see = say(g, "lab05 --rootfs " ROOTFS " grep ' %s ' /proc/self/mountinfo", target);

    expect(g, m != NULL && strcmp(m->fstype, type) == 0, .because = say(g, "no-%s", target + 1),
           .expected = say(g, "a %s at %s", type, target), .kernel = mounts_line(g, m), .see = see);
    expect(g, outside == NULL || !root_has_device(outside, makedev(m->major, m->minor)),
           .because = "of-the-host", .expected = say(g, "the %s at %s is a new one", type, target),
           .kernel = say(g, "it is that of outside: %s", mounts_line(g, m)), .see = see);
    for (; *flags != NULL; flags++)
        expect(g, kernel_mount_has(m->options, *flags), .because = "no-flag",
               .expected = say(g, "%s is %s", target, *flags),
               .kernel = say(g, "%s is missing: %s", *flags, mounts_line(g, m)), .see = see);
    return m;
}

static void check_mode(struct grade *g, struct run *run, const char *path, unsigned mode)
{
    struct place place = place_inside(run, path);

    expect(g, (place.mode & 07777) == mode, .because = "wrong-mode",
           .expected = say(g, "%s has mode %04o", path, mode),
           .kernel = say(g, "%s has mode %04o", path, place.mode & 07777),
           .see = say(g, "lab05 --rootfs " ROOTFS " stat %s; tmpfs(5), mode=", path));
}

static const struct {
    const char *name;
    unsigned major, minor;
} devices[] = {{"null", 1, 3},   {"zero", 1, 5},    {"full", 1, 7},
               {"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0}};
enum { DEVICES = sizeof devices / sizeof *devices };

static void check_devices(struct grade *g, struct run *run)
{
    const struct payload *payload = run_payload(run);
    const struct kernel_mounts *inside = mounts_of(g, payload->pid);

    for (size_t i = 0; i < DEVICES; i++) {
        const char *path = say(g, "/dev/%s", devices[i].name);
        struct place place = place_inside(run, path);
        const char *see = say(g, "lab05 --rootfs " ROOTFS " stat %s", path);
        expect(g, place.error == 0, .because = "no-device", .expected = say(g, "a device %s", path),
               .kernel = say(g, "%s: %s", path, strerror(place.error)), .see = see);
        expect(g, S_ISCHR(place.mode) && place.rdev == makedev(devices[i].major, devices[i].minor),
               .because = "wrong-device",
               .expected = say(g, "%s is the character device %u:%u", path, devices[i].major,
                               devices[i].minor),
               .kernel = S_ISCHR(place.mode)
                             ? say(g, "%s is %u:%u", path, major(place.rdev), minor(place.rdev))
                             : say(g, "%s is no device: mode %o", path, place.mode),
               .see = see);
        const struct kernel_mount *m = kernel_mounts_at(inside, path);
        expect(g, m != NULL && !kernel_mount_has(m->options, "nodev"), .because = "not-bound",
               .expected = say(g, "%s is the host's node, bound on an empty file", path),
               .kernel = mounts_line(g, m), .see = see);
    }
    static const struct {
        const char *request, *reply, *what;
    } tries[] = {{"write /dev/null text", "ok", "takes everything"},
                 {"write /dev/full text", "error 28", "is full (ENOSPC)"},
                 {"read /dev/zero", "ok ", "can be read"}};
    for (size_t i = 0; i < 3; i++) {
        const char *reply = run_ask(run, "%s", tries[i].request);
        expect(g, strcmp(reply, tries[i].reply) == 0, .because = "dead-device",
               .expected = say(g, "a device that works: %.9s %s", strchr(tries[i].request, ' ') + 1,
                               tries[i].what),
               .kernel = say(g, "\"%s\" by COMMAND: %s (errno)", tries[i].request, reply),
               .see = "mount(2), MS_NODEV");
    }
}

/* What else is in /dev: no device of the host that nobody asked for. */
static void check_nothing_else(struct grade *g, struct run *run)
{
    const char *names = run_ask(run, "list /dev");

    for (const char *name = strchr(names, '\n'); name != NULL; name = strchr(name, '\n')) {
        name++;
        const char *path = say(g, "/dev/%.*s", (int)strcspn(name, "\n"), name);
        const struct payload *payload = run_payload(run);
        struct place place = place_of(g, payload->pid, payload->pidfd, path, true);
        bool known = !S_ISCHR(place.mode) && !S_ISBLK(place.mode);
        for (size_t i = 0; i < DEVICES; i++)
            known = known || strcmp(path + strlen("/dev/"), devices[i].name) == 0;
        expect(g, known, .because = "extra-device",
               .expected = "six devices in /dev, and no other of the host's",
               .kernel =
                   say(g, "%s is there too: %u:%u", path, major(place.rdev), minor(place.rdev)),
               .see = "lab05 --rootfs " ROOTFS " ls -l /dev");
    }
}

static void check_links(struct grade *g, struct run *run)
{
    static const char *const links[][2] = {{"fd", "/proc/self/fd"},
                                           {"stdin", "/proc/self/fd/0"},
                                           {"stdout", "/proc/self/fd/1"},
                                           {"stderr", "/proc/self/fd/2"},
                                           {"ptmx", "pts/ptmx"}};

    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        const char *reply = run_ask(run, "readlink /dev/%s", links[i][0]);
        expect(g, strcmp(reply, say(g, "ok %s", links[i][1])) == 0, .because = "wrong-link",
               .expected = say(g, "/dev/%s -> %s", links[i][0], links[i][1]),
               .kernel = say(g, "readlink /dev/%s: %s", links[i][0], reply),
               .see = say(g, "lab05 --rootfs " ROOTFS " ls -l /dev/%s", links[i][0]));
    }
}

/* Modes and group are those of a terminal that COMMAND opens. */
static void check_terminals(struct grade *g, struct run *run, const struct kernel_mounts *outside)
{
    static const char *const flags[] = {"nosuid", "noexec", NULL};
    const struct kernel_mount *m = check_mount(g, run, "/dev/pts", "devpts", flags, outside);
    const char *options[] = {"ptmxmode=666", "mode=620"};
    const char *see = "lab05 --rootfs " ROOTFS " grep devpts /proc/self/mountinfo";

    for (size_t i = 0; i < 2; i++)
        expect(g, kernel_mount_has(m->super, options[i]), .because = "pts-options",
               .expected = say(g, "the devpts has the option %s", options[i]),
               .kernel = mounts_line(g, m), .see = see);
    bool grouped = kernel_mount_has(m->super, "gid=");
    bool mapped = run_ids(g) > 5;
    expect(g, grouped == mapped, .because = "pts-group",
           .expected = mapped ? "terminals belong to group 5 (gid=5)"
                              : "no gid= where group 5 is not mapped",
           .kernel = mounts_line(g, m), .see = see);
    const char *reply = run_ask(run, "pty");
    unsigned number, mode, group;
    expect(g, sscanf(reply, "ok %u %o %u", &number, &mode, &group) == 3, .because = "no-terminal",
           .expected = "COMMAND can open a terminal by /dev/ptmx",
           .kernel = say(g, "open(\"/dev/ptmx\"): %s (errno)", reply),
           .see = "Documentation/filesystems/devpts.rst, ptmxmode");
    expect(g, mode == 0620 && (!mapped || group == 5), .because = "pts-group",
           .expected = say(g, "/dev/pts/%u has mode 620%s", number, mapped ? " and group 5" : ""),
           .kernel = say(g, "it has mode %o and group %u", mode, group), .see = see);
}

void root_stepfilesystems(struct grade *g)
{
    static const char *const sys[] = {"ro", "nosuid", "nodev", "noexec", NULL};
    static const char *const dev[] = {"nosuid", "noexec", "rw", NULL};
    static const char *const shm[] = {"nosuid", "nodev", "noexec", "rw", NULL};
    struct run *room = root_room(g);
    const struct kernel_mounts *outside = mounts_of(g, run_outside_pid(room));
    const char *const arguments[] = {"--rootfs", ROOTFS, "--chroot", "--unmasked", NULL};
    struct run *run = root_beside(g, room, arguments);

    check_mount(g, run, "/sys", "sysfs", sys, NULL);
    check_mount(g, run, "/dev", "tmpfs", dev, outside);
    check_mode(g, run, "/dev", 0755);
    check_devices(g, run);
    check_nothing_else(g, run);
    check_links(g, run);
    check_terminals(g, run, outside);
    check_mount(g, run, "/dev/shm", "tmpfs", shm, outside);
    check_mode(g, run, "/dev/shm", 01777);
}
