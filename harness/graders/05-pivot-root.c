/*
 * Lab 05: a new root.
 *
 * A file is known by device and inode, never by its path: "/" inside is right when it is the very
 * folder that lies at /tmp/rootfs outside. Steps 4 to 6 enter the root by --chroot, so that each
 * can be earned whatever became of pivot_root; and all but step 5 start --unmasked.
 */
#include "graders/05-pivot-root.h"

#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "grade/mounts.h"
#include "grade/run.h"
#include "grade/step.h"

/* A room with the root filesystem. The probe is in it at the path that it has outside, too: then it
 * runs also where the root was not changed, and the verdict can say so. */
struct run *root_room(struct grade *g)
{
    struct run *room = outside_open(g, true);

    outside_do(room, "mkdir " ROOTFS "/strata");
    outside_do(room, "link " ROOTFS "/bin/probe " ROOTFS "/strata/probe");
    return room;
}

struct run *root_beside(struct grade *g, struct run *room, const char *const *arguments)
{
    return run_start(g, &(struct run_options){.arguments = arguments, .beside = room});
}

/* A folder in /tmp with a tmpfs on it, and in that "in" with another. */
const char *root_volume(struct grade *g, struct run *room)
{
    const char *path = say(g, "/tmp/%s", grade_word(g, 7));

    for (int i = 0; i < 2; i++) {
        outside_do(room, "mkdir %s%s", path, i == 0 ? "" : "/in");
        outside_do(room, "mount tmpfs %s%s 0", path, i == 0 ? "" : "/in");
    }
    return path;
}

/* "/" inside is the folder `path` of outside. */
struct place root_check(struct grade *g, struct run *run, const char *path)
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

void root_check_cwd(struct grade *g, struct run *run, const struct place *wanted)
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

/* --- what several steps ask ------------------------------------------------------------------ */

bool root_is_device(const struct kernel_mount *m, dev_t dev)
{
    return makedev(m->major, m->minor) == dev;
}

/* Where the escape from a chroot ends for this payload: "MAJOR:MINOR INODE". */
const char *root_escape_to(struct grade *g, struct run *run)
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
void root_no_escape(struct grade *g, struct run *room, struct run *run)
{
    const char *const arguments[] = {"chroot", ROOTFS, "/strata/probe", NULL};
    struct run *jail =
        run_start(g, &(struct run_options){
                         .program = "/strata/busybox", .arguments = arguments, .beside = room});
    struct place outside = place_outside(room, "/"), root = place_inside(run, "/");
    const char *reached = root_escape_to(g, jail);

    outside_do(run, "chdir /"); /* a working directory that stayed outside is another matter */

    if (strcmp(reached, place_text(g, &outside)) != 0)
        grade_error(g, 0, "the escape from a chroot ended at %s", reached);
    reached = root_escape_to(g, run);
    expect(g, strcmp(reached, place_text(g, &root)) == 0, .because = "escaped",
           .expected =
               say(g, "the escape from a chroot ends where it began: %s", place_text(g, &root)),
           .kernel =
               say(g, "it got out: to %s (the / of outside: %s)", reached, place_text(g, &outside)),
           .see = "labs/05-pivot-root/escape.c, in make shell05: lab05 --rootfs ... escape");
}

void root_outside_kept(struct grade *g, struct run *room, const struct kernel_mounts *before)
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

bool root_has_device(const struct kernel_mounts *mounts, dev_t dev)
{
    for (size_t i = 0; i < mounts->count; i++)
        if (root_is_device(&mounts->list[i], dev))
            return true;
    return false;
}

/* --- the steps ------------------------------------------------------------------------------ */

static const struct step steps[] = {
    {.number = 1,
     .slug = "chroot",
     .title = "chroot shows the new root",
     .points = 10,
     .needs = NEED_USERNS,
     .chapter = "chroot",
     .man = "chroot(2), path_resolution(7)",
     .run = root_stepchroot},
    {.number = 2,
     .slug = "pivot",
     .title = "pivot_root makes it the root of the mount namespace",
     .points = 20,
     .needs = NEED_USERNS,
     .chapter = "pivot",
     .man = "pivot_root(2)",
     .run = root_steppivot},
    {.number = 3,
     .slug = "old-root",
     .title = "the old root is gone",
     .points = 20,
     .needs = NEED_USERNS,
     .after = {2},
     .chapter = "old-root",
     .man = "pivot_root(2), NOTES; umount2(2)",
     .run = root_stepold_root},
    {.number = 4,
     .slug = "filesystems",
     .title = "/sys and /dev, as programs expect them",
     .points = 20,
     .needs = NEED_USERNS,
     .after = {1},
     .chapter = "filesystems",
     .man = "sysfs(5), tmpfs(5), pts(4), mount(2)",
     .run = root_stepfilesystems},
    {.number = 5,
     .slug = "masks",
     .title = "masked and read-only paths",
     .points = 15,
     .needs = NEED_USERNS,
     .after = {1, 4},
     .chapter = "masks",
     .man = "mount(2), mount_setattr(2)",
     .run = root_stepmasks},
    {.number = 6,
     .slug = "no-way-back",
     .title = "no fd and no working directory leads back out",
     .points = 15,
     .needs = NEED_USERNS,
     .after = {1},
     .chapter = "no-way-back",
     .man = "getcwd(2), chdir(2), close(2), proc_pid_fd(5)",
     .run = root_stepno_way_back},
};

LAB(.name = "05-pivot-root", .title = "a new root", .steps = steps,
    .count = sizeof steps / sizeof *steps);