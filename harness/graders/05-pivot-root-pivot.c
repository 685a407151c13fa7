/* Lab 05, step 2: not only COMMAND, its whole mount namespace has another root. */
#include "graders/05-pivot-root.h"

#include <errno.h>
#include <string.h>
#include <sys/mount.h>

#include "grade/mounts.h"
#include "grade/run.h"
#include "grade/step.h"

/* The mount of the old root, if it can be reached from where COMMAND is. */
static const struct kernel_mount *old_root_in(const struct kernel_mounts *inside, dev_t old)
{
    for (size_t i = 0; i < inside->count; i++)
        if (root_is_device(&inside->list[i], old) && strcmp(inside->list[i].root, "/") == 0)
            return &inside->list[i];
    return NULL;
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
        root_no_escape(g, room, run);
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

void root_steppivot(struct grade *g)
{
    struct run *room = root_room(g);
    const char *volume = root_volume(g, room), *elsewhere = say(g, "/tmp/%s", grade_word(g, 8));
    const struct kernel_mounts *before = mounts_of(g, run_outside_pid(room));
    const char *const arguments[] = {
        "--rootfs", ROOTFS,     "-v",         say(g, "%s:/data", volume),
        "--tmpfs",  "/scratch", "--unmasked", NULL};
    struct run *run = root_beside(g, room, arguments);

    root_check(g, run, ROOTFS);
    root_outside_kept(g, room, before);
    check_namespace_root(g, room, run);
    check_came_along(g, run, volume);

    /* The same when it is a mount point already. */
    outside_do(room, "mkdir %s", elsewhere);
    outside_do(room, "mount " ROOTFS " %s %d", elsewhere, MS_BIND);
    const char *const again[] = {"--rootfs", elsewhere, "--unmasked", NULL};
    run = root_beside(g, room, again);
    root_check(g, run, elsewhere);
    check_namespace_root(g, room, run);
    check_error_passed_on(g, room);
}
