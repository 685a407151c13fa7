/*
 * Lab 05: a new root.
 *
 * A file is known by device and inode, never by its path: "/" inside is right when it is the very
 * folder that lies at /tmp/rootfs outside. Steps 4 to 6 enter the root by --chroot, so that each
 * can be earned whatever became of pivot_root; and all but step 5 start --unmasked.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "grade/facts.h"
#include "grade/mounts.h"
#include "grade/run.h"
#include "grade/step.h"
#include "kernel/path.h"

enum { REFUSED = 125, NOT_FOUND = 127 };

#define ROOTFS "/tmp/rootfs"

/* A room with the root filesystem. The probe is in it at the path that it has outside, too: then it
 * runs also where the root was not changed, and the verdict can say so. */
static struct run *room_with_rootfs(struct grade *g)
{
    struct run *room = outside_open(g, true);

    outside_do(room, "mkdir " ROOTFS "/strata");
    outside_do(room, "link " ROOTFS "/bin/probe " ROOTFS "/strata/probe");
    return room;
}

static struct run *run_beside(struct grade *g, struct run *room, const char *const *arguments)
{
    return run_start(g, &(struct run_options){.arguments = arguments, .beside = room});
}

/* A folder in /tmp with a tmpfs on it, and in that "in" with another. */
static const char *make_volume(struct grade *g, struct run *room)
{
    const char *path = say(g, "/tmp/%s", grade_word(g, 7));

    for (int i = 0; i < 2; i++) {
        outside_do(room, "mkdir %s%s", path, i == 0 ? "" : "/in");
        outside_do(room, "mount tmpfs %s%s 0", path, i == 0 ? "" : "/in");
    }
    return path;
}

/* "/" inside is the folder `path` of outside. */
static struct place check_root(struct grade *g, struct run *run, const char *path)
{
    const struct payload *payload = run_payload(run);
    struct place wanted = place_outside(run, path), old = place_outside(run, "/");
    struct place root = place_inside(run, "/");

    expect(g, place_same(&root, &wanted),
           .because = place_same(&root, &old) ? "old-root" : "other-root",
           .expected = say(g, "/ of COMMAND is %s: %s", path, place_text(g, &wanted)),
           .kernel = say(g, "/proc/%d/root is %s%s", payload->pid, place_text(g, &root),
                         place_same(&root, &old) ? ", the / of outside" : ""),
           .see = say(g, "stat -c '%%d %%i' %s; then lab05 --rootfs %s stat -c '%%d %%i' /", path,
                      path));
    return root;
}

static void check_cwd(struct grade *g, struct run *run, const struct place *wanted)
{
    const struct payload *payload = run_payload(run);
    struct place cwd = place_of_cwd(g, payload->pid, payload->pidfd);
    struct place old = place_outside(run, "/");
    bool at_old = place_same(&cwd, &old);

    expect(g, place_same(&cwd, wanted), .because = at_old ? "cwd-old-root" : "cwd-stayed",
           .expected =
               say(g, "the working directory of COMMAND is its /: %s", place_text(g, wanted)),
           .kernel = say(g, "/proc/%d/cwd is %s: %s", payload->pid, place_text(g, &cwd),
                         at_old ? "the / of outside" : "it stayed behind"),
           .see = "ls -ld /proc/PID/root /proc/PID/cwd; chroot(2), DESCRIPTION");
}

/* --- 1: chroot ------------------------------------------------------------------------------ */

static void step_chroot(struct grade *g)
{
    struct run *room = room_with_rootfs(g);
    const char *elsewhere = say(g, "/tmp/%s", grade_word(g, 8));

    outside_do(room, "mkdir %s", elsewhere);
    outside_do(room, "mount " ROOTFS " %s %d", elsewhere, MS_BIND);
    const char *const paths[] = {ROOTFS, elsewhere};
    for (size_t i = 0; i < 2; i++) {
        const char *const arguments[] = {"--rootfs", paths[i], "--chroot", "--unmasked", NULL};
        struct run *run = run_beside(g, room, arguments);
        struct place root = check_root(g, run, paths[i]);
        check_cwd(g, run, &root);
    }
}

/* --- 2: pivot_root -------------------------------------------------------------------------- */

static bool is_device(const struct kernel_mount *m, dev_t dev)
{
    return makedev(m->major, m->minor) == dev;
}

/* The mount of the old root, if it can be reached from where COMMAND is. */
static const struct kernel_mount *old_root_in(const struct kernel_mounts *inside, dev_t old)
{
    for (size_t i = 0; i < inside->count; i++)
        if (is_device(&inside->list[i], old) && strcmp(inside->list[i].root, "/") == 0)
            return &inside->list[i];
    return NULL;
}

/* Where the escape from a chroot ends for this payload: "MAJOR:MINOR INODE". */
static const char *escape_to(struct grade *g, struct run *run)
{
    const char *reply = run_ask(run, "escape");
    const char *where = strncmp(reply, "ok ", 3) == 0 ? strchr(reply + 3, ' ') : NULL;
    unsigned high, low;
    unsigned long long inode;

    if (where == NULL || sscanf(where, "%u:%u %llu", &high, &low, &inode) != 3)
        grade_error(g, 0, "the escape could not be tried: %s", reply);
    return say(g, "device %u:%u inode %llu", high, low, inode);
}

/* First the presence: from a plain chroot the way out is open. Then from COMMAND. */
static void check_no_escape(struct grade *g, struct run *room, struct run *run)
{
    const char *const arguments[] = {"chroot", ROOTFS, "/strata/probe", NULL};
    struct run *jail =
        run_start(g, &(struct run_options){
                         .program = "/strata/busybox", .arguments = arguments, .beside = room});
    struct place outside = place_outside(room, "/"), root = place_inside(run, "/");
    const char *reached = escape_to(g, jail);

    outside_do(run, "chdir /"); /* a working directory that stayed outside is another matter */

    if (strcmp(reached, place_text(g, &outside)) != 0)
        grade_error(g, 0, "the escape from a chroot ended at %s", reached);
    reached = escape_to(g, run);
    expect(g, strcmp(reached, place_text(g, &root)) == 0, .because = "escaped",
           .expected =
               say(g, "the escape from a chroot ends where it began: %s", place_text(g, &root)),
           .kernel =
               say(g, "it got out: to %s (the / of outside: %s)", reached, place_text(g, &outside)),
           .see = "labs/05-pivot-root/escape.c, in make shell05: lab05 --rootfs ... escape");
}

static void check_outside_kept(struct grade *g, struct run *room,
                               const struct kernel_mounts *before)
{
    const struct kernel_mounts *after = mounts_of(g, run_outside_pid(room));

    for (size_t i = 0; i < before->count; i++)
        expect(g, kernel_mounts_id(after, before->list[i].id) != NULL, .because = "outside-lost",
               .expected = "outside, all is mounted as it was",
               .kernel = say(g, "gone outside: %s", mounts_line(g, &before->list[i])),
               .see = "mount_namespaces(7): what is unmounted on one shared mount goes from all");
    for (size_t i = 0; i < after->count; i++)
        expect(g, kernel_mounts_id(before, after->list[i].id) != NULL, .because = "outside-more",
               .expected = "outside, nothing more is mounted than before",
               .kernel = say(g, "new outside: %s", mounts_line(g, &after->list[i])),
               .see = "mount_namespaces(7), SHARED SUBTREES");
}

static void check_came_along(struct grade *g, struct run *run, const char *volume)
{
    const struct payload *payload = run_payload(run);
    const struct kernel_mounts *inside = mounts_of(g, payload->pid);
    static const char *const parts[] = {"", "/in"};
    static const char *const own[] = {"/scratch", "/proc"};

    for (size_t i = 0; i < 2; i++) {
        struct place wanted = place_outside(run, say(g, "%s%s", volume, parts[i]));
        struct place got = place_inside(run, say(g, "/data%s", parts[i]));
        expect(g, place_same(&wanted, &got), .because = "left-behind",
               .expected =
                   say(g, "the volume at /data%s came along: %s", parts[i], place_text(g, &wanted)),
               .kernel =
                   say(g, "a mount was left behind: /data%s is %s", parts[i], place_text(g, &got)),
               .see = say(g, "lab05 --rootfs " ROOTFS " -v %s:/data cat /proc/self/mountinfo",
                          volume));
    }
    for (size_t i = 0; i < 2; i++)
        expect(g, kernel_mounts_at(inside, own[i]) != NULL, .because = "left-behind",
               .expected = say(g, "what is mounted at %s came along", own[i]),
               .kernel = say(g, "a mount was left behind: no line of /proc/%d/mountinfo has %s",
                             payload->pid, own[i]),
               .see = "lab05 --rootfs " ROOTFS " --tmpfs /scratch cat /proc/self/mountinfo");
}

/* "/" is not only where COMMAND begins its lookups, but the root that the namespace has. As long
 * as the old root is there (step 3), it may well be mounted on top of the new one. */
static void check_namespace_root(struct grade *g, struct run *room, struct run *run)
{
    const struct payload *payload = run_payload(run);
    const struct kernel_mounts *inside = mounts_of(g, payload->pid);
    struct place root = place_inside(run, "/"), old = place_outside(run, "/");
    struct place top = place_of_namespace(g, payload->pid, payload->pidfd, false);
    const struct kernel_mount *on_top = old_root_in(inside, old.dev);

    expect(g, place_same(&top, &root) || on_top != NULL, .because = "chroot-only",
           .expected = say(g, "the root of the mount namespace is %s", place_text(g, &root)),
           .kernel = say(g, "only COMMAND's is; the namespace still has %s", place_text(g, &top)),
           .see = "nsenter -t PID -m stat -c '%d %i' / (without -r)");
    expect(g, kernel_mounts_at(inside, "/") != NULL, .because = "no-mount-point",
           .expected = say(g, "/proc/%d/mountinfo has a line for /", payload->pid),
           .kernel = "it has none: / is a folder, and not where anything is mounted",
           .see = "lab05 --rootfs " ROOTFS " cat /proc/self/mountinfo");
    if (on_top == NULL)
        check_no_escape(g, room, run);
}

/* pivot_root refuses when the present root is no mount point, as after an earlier chroot. */
static void check_error_passed_on(struct grade *g, struct run *room)
{
    static const char script[] =
        "set -e; b=/strata/busybox; j=/tmp/jail; mkdir $j; cd /\n"
        "for f in usr bin sbin lib lib32 lib64 libx32 etc nix gnu dev proc sys strata; do\n"
        "  if [ -L $f ]; then $b cp -d $f $j/; elif [ -d $f ]; then\n"
        "    $b mkdir $j/$f; $b mount -o rbind /$f $j/$f; fi\n"
        "done; $b mkdir $j/tmp $j/tmp/rootfs; $b mount -o rbind /tmp/rootfs $j/tmp/rootfs\n"
        "exec $b chroot $j /strata/lab05 --without=mount,pid --new mnt --rootfs /tmp/rootfs true";
    const char *const arguments[] = {"sh", "-c", script, NULL};
    const char *said;
    int status = outside_run(
        room, &(struct run_options){.program = "/strata/busybox", .arguments = arguments}, &said);

    expect(g, status == REFUSED && strstr(said, "root_pivot: ") != NULL, .because = "error-ignored",
           .expected =
               "where pivot_root(2) fails (after a chroot: EINVAL), so does root_pivot: 125",
           .kernel = say(g, "exit status %d: its error was not passed on", status),
           .see = "pivot_root(2), ERRORS; syscall(2) returns -1 and sets errno");
}

static void step_pivot(struct grade *g)
{
    struct run *room = room_with_rootfs(g);
    const char *volume = make_volume(g, room), *elsewhere = say(g, "/tmp/%s", grade_word(g, 8));
    const struct kernel_mounts *before = mounts_of(g, run_outside_pid(room));
    const char *const arguments[] = {
        "--rootfs", ROOTFS,     "-v",         say(g, "%s:/data", volume),
        "--tmpfs",  "/scratch", "--unmasked", NULL};
    struct run *run = run_beside(g, room, arguments);

    check_root(g, run, ROOTFS);
    check_outside_kept(g, room, before);
    check_namespace_root(g, room, run);
    check_came_along(g, run, volume);

    /* The same when it is a mount point already. */
    outside_do(room, "mkdir %s", elsewhere);
    outside_do(room, "mount " ROOTFS " %s %d", elsewhere, MS_BIND);
    const char *const again[] = {"--rootfs", elsewhere, "--unmasked", NULL};
    run = run_beside(g, room, again);
    check_root(g, run, elsewhere);
    check_namespace_root(g, room, run);
    check_error_passed_on(g, room);
}

/* --- 3: the old root ------------------------------------------------------------------------ */

static bool device_of(const struct kernel_mounts *mounts, dev_t dev)
{
    for (size_t i = 0; i < mounts->count; i++)
        if (is_device(&mounts->list[i], dev))
            return true;
    return false;
}

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
        if (!device_of(outside, makedev(m->major, m->minor)) || strcmp(m->fstype, "sysfs") == 0)
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

static void step_old_root(struct grade *g)
{
    struct run *room = room_with_rootfs(g);
    const struct kernel_mounts *before = mounts_of(g, run_outside_pid(room));
    const char *const arguments[] = {"--rootfs", ROOTFS, "--unmasked", NULL};
    struct run *run = run_beside(g, room, arguments);
    const struct payload *payload = run_payload(run);
    struct place root = check_root(g, run, ROOTFS), old = place_outside(run, "/");

    check_outside_kept(g, room, before);
    check_no_host_mount(g, run, before);
    check_cwd(g, run, &root);
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
    check_no_escape(g, room, run);
}

/* --- 4: /sys and /dev ----------------------------------------------------------------------- */

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
    expect(g, outside == NULL || !device_of(outside, makedev(m->major, m->minor)),
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

static void step_filesystems(struct grade *g)
{
    static const char *const sys[] = {"ro", "nosuid", "nodev", "noexec", NULL};
    static const char *const dev[] = {"nosuid", "noexec", "rw", NULL};
    static const char *const shm[] = {"nosuid", "nodev", "noexec", "rw", NULL};
    struct run *room = room_with_rootfs(g);
    const struct kernel_mounts *outside = mounts_of(g, run_outside_pid(room));
    const char *const arguments[] = {"--rootfs", ROOTFS, "--chroot", "--unmasked", NULL};
    struct run *run = run_beside(g, room, arguments);

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

/* --- 5: masked and read-only paths ---------------------------------------------------------- */

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
    struct place place = place_inside(run, path);
    const char *see = say(g, "lab05 --rootfs " ROOTFS " stat %s", path);

    expect(g, S_ISCHR(place.mode) && place.rdev == makedev(1, 3), .because = "file-not-masked",
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

static void step_masks(struct grade *g)
{
    struct run *room = room_with_rootfs(g);
    const char *volume = make_volume(g, room), *word = grade_word(g, 9);
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
    struct run *run = run_beside(g, room, arguments);

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

/* --- 6: no way back ------------------------------------------------------------------------- */

static void close_later(void *arg)
{
    close((int)(intptr_t)arg);
}

/* A folder of the room, held open: with O_PATH, or for reading. */
static int folder_of_room(struct grade *g, struct run *room, const char *path, bool for_reading)
{
    int fd = kernel_path_at(run_outside_pid(room), path, O_DIRECTORY);

    if (fd >= 0 && for_reading) {
        int found = fd;
        fd = open(say(g, "/proc/self/fd/%d", found), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        fd = fd < 0 ? -errno : fd;
        close(found);
    }
    if (fd < 0)
        grade_error(g, fd, "cannot open %s of the room", path);
    grade_defer(g, close_later, (void *)(intptr_t)fd);
    return fd;
}

/* -w with what must not be entered: 125, and the error is `error`. */
static void check_not_entered(struct grade *g, struct run *room, const char *path, int error,
                              const struct room_fd *fds, size_t count, const char *what)
{
    const char *const arguments[] = {"--rootfs", ROOTFS,       "--chroot", "--unmasked",
                                     "-v",       "/proc:/mnt", "-w",       path,
                                     "--",       "/bin/true",  NULL};
    const char *said;
    int status = outside_run(
        room, &(struct run_options){.arguments = arguments, .fds = fds, .fd_count = count}, &said);
    const char *see = say(g, "make shell05: lab05 --rootfs " ROOTFS " -w %s pwd; echo $?", path);

    expect(g, status == REFUSED,
           .because = error == ENOENT && count == 0 ? "not-refused" : "entered",
           .expected = say(g, "-w %s, %s, ends the start with status 125", path, what),
           .kernel = say(g, "exit status %d: COMMAND was started with it", status), .see = see);
    expect(g, error == EXDEV || strstr(said, strerror(EXDEV)) == NULL, .because = "still-open",
           .expected = say(g, "%s is closed before the working directory is entered", what),
           .kernel = say(g, "it was still open: chdir to %s worked", path), .see = see);
    expect(g, strstr(said, strerror(error)) != NULL, .because = "wrong-error",
           .expected = say(g, "-w %s, %s: %s", path, what, strerror(error)),
           .kernel = "another error: the program's words are below", .see = see);
}

/* fds that are no directories are still needed: by one of them the parent learns what failed. */
static void check_pipe_kept(struct grade *g, struct run *room)
{
    const char *const missing[] = {"--rootfs", ROOTFS,           "--chroot", "--unmasked",
                                   "--",       "/bin/not-there", NULL};
    const char *said;
    int status = outside_run(room, &(struct run_options){.arguments = missing}, &said);
    expect(
        g, status == NOT_FOUND && strstr(said, strerror(ENOENT)) != NULL, .because = "pipe-closed",
        .expected = "fds that are no directories stay: a COMMAND not found is told, and ends 127",
        .kernel =
            say(g, "exit status %d, and nobody said why: the pipe was closed as well", status),
        .see = "lab05 --rootfs " ROOTFS " not-there; echo $?");
}

static void check_fds(struct grade *g, struct run *room)
{
    static const struct {
        const char *path;
        int to;
        bool for_reading;
    } held[] = {{"/", 9, false}, {"/tmp", 3, true}, {"/usr", 200, true}, {"/etc", 1500, false}};
    enum { HELD = sizeof held / sizeof *held };
    struct room_fd fds[HELD];

    for (size_t i = 0; i < HELD; i++)
        fds[i] = (struct room_fd){folder_of_room(g, room, held[i].path, held[i].for_reading),
                                  held[i].to};
    for (size_t i = 0; i < HELD; i++)
        check_not_entered(g, room, say(g, "/proc/self/fd/%d", held[i].to), ENOENT, fds, HELD,
                          say(g, "fd %d, a folder outside%s", held[i].to,
                              held[i].for_reading ? "" : " (O_PATH)"));

    const char *const arguments[] = {"--rootfs", ROOTFS, "--chroot", "--unmasked", NULL};
    struct run *run =
        run_start(g, &(struct run_options){
                         .arguments = arguments, .beside = room, .fds = fds, .fd_count = HELD});
    const struct payload *payload = run_payload(run);
    const struct kernel_fds *open_fds = facts_fds(g, payload->pid, payload->pidfd);
    for (size_t i = 0; i < open_fds->count; i++)
        expect(g, open_fds->list[i].fd < 3 || !S_ISDIR(open_fds->list[i].mode),
               .because = "fd-inside", .expected = "COMMAND holds no directory open",
               .kernel = say(g, "/proc/%d/fd/%d -> %s", payload->pid, open_fds->list[i].fd,
                             open_fds->list[i].target),
               .see = "lab05 --rootfs " ROOTFS " ls -l /proc/self/fd");
}

static void step_no_way_back(struct grade *g)
{
    struct run *room = room_with_rootfs(g);
    const char *inner = say(g, "/home/%s", grade_word(g, 6));

    /* First the presence: a place that can be reached is entered. */
    outside_do(room, "mkdir " ROOTFS "%s", inner);
    const char *const arguments[] = {"--rootfs", ROOTFS, "--chroot", "--unmasked",
                                     "-w",       inner,  NULL};
    struct run *run = run_beside(g, room, arguments);
    const struct payload *payload = run_payload(run);
    struct place wanted = place_outside(room, say(g, ROOTFS "%s", inner));
    struct place cwd = place_of_cwd(g, payload->pid, payload->pidfd);
    expect(g, place_same(&cwd, &wanted), .because = "not-entered",
           .expected = say(g, "with -w %s COMMAND starts there: %s", inner, place_text(g, &wanted)),
           .kernel = say(g, "/proc/%d/cwd is %s", payload->pid, place_text(g, &cwd)),
           .see = say(g, "lab05 --rootfs " ROOTFS " -w %s pwd", inner));

    check_pipe_kept(g, room);
    check_not_entered(g, room, say(g, "/mnt/%s", grade_word(g, 7)), ENOENT, NULL, 0,
                      "which is not there");
    check_not_entered(g, room, say(g, "/mnt/%d/cwd", run_program_inside(room)), EXDEV, NULL, 0,
                      "a folder outside of the root");
    check_fds(g, room);
}

static const struct step steps[] = {
    {.number = 1,
     .slug = "chroot",
     .title = "chroot shows the new root",
     .points = 10,
     .needs = NEED_USERNS,
     .chapter = "chroot",
     .man = "chroot(2), path_resolution(7)",
     .run = step_chroot},
    {.number = 2,
     .slug = "pivot",
     .title = "pivot_root makes it the root of the mount namespace",
     .points = 20,
     .needs = NEED_USERNS,
     .chapter = "pivot",
     .man = "pivot_root(2)",
     .run = step_pivot},
    {.number = 3,
     .slug = "old-root",
     .title = "the old root is gone",
     .points = 20,
     .needs = NEED_USERNS,
     .after = {2},
     .chapter = "old-root",
     .man = "pivot_root(2), NOTES; umount2(2)",
     .run = step_old_root},
    {.number = 4,
     .slug = "filesystems",
     .title = "/sys and /dev, as programs expect them",
     .points = 20,
     .needs = NEED_USERNS,
     .after = {1},
     .chapter = "filesystems",
     .man = "sysfs(5), tmpfs(5), pts(4), mount(2)",
     .run = step_filesystems},
    {.number = 5,
     .slug = "masks",
     .title = "masked and read-only paths",
     .points = 15,
     .needs = NEED_USERNS,
     .after = {1, 4},
     .chapter = "masks",
     .man = "mount(2), mount_setattr(2)",
     .run = step_masks},
    {.number = 6,
     .slug = "no-way-back",
     .title = "no fd and no working directory leads back out",
     .points = 15,
     .needs = NEED_USERNS,
     .after = {1},
     .chapter = "no-way-back",
     .man = "getcwd(2), chdir(2), close(2), proc_pid_fd(5)",
     .run = step_no_way_back},
};

LAB(.name = "05-pivot-root", .title = "a new root", .steps = steps,
    .count = sizeof steps / sizeof *steps);
