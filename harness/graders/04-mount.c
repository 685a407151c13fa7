/*
 * Lab 04: a private mount tree.
 *
 * Outside is the room that the student's program runs in; its "/" is shared with everything below,
 * as systemd leaves it. A probe of ours in there prepares folders and mounts, and looks afterwards
 * (grade/mounts.h). What must not show outside is the matter of step 1 alone: the other steps grade
 * what they make inside, and what they must leave as it was.
 */
#include "graders/04-mount.h"

#include <errno.h>
#include <string.h>

#include "grade/mounts.h"
#include "grade/run.h"
#include "grade/step.h"

enum { REFUSED = 125 };

struct run *mount_beside(struct grade *g, struct run *room, const char *const *arguments)
{
    return run_start(g, &(struct run_options){.arguments = arguments, .beside = room});
}

/* A new folder in /tmp. */
const char *mount_folder(struct grade *g, struct run *room)
{
    const char *path = say(g, "/tmp/%s", grade_word(g, 7));

    outside_do(room, "mkdir %s", path);
    return path;
}

/* ... with a tmpfs on it. */
const char *mount_mounted(struct grade *g, struct run *room, unsigned long flags)
{
    const char *path = mount_folder(g, room);

    outside_do(room, "mount tmpfs %s %lu", path, flags);
    return path;
}

/* The program must refuse: exit status 125, with the kernel's own error (mount(2) says ENOTDIR
 * where move_mount(2) says EINVAL). */
void mount_refused(struct grade *g, struct run *room, const char *option, const char *value,
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

/* --- the steps ------------------------------------------------------------------------------ */

static const struct step steps[] = {
    {.number = 1,
     .slug = "private",
     .title = "a mount tree of its own, private all the way down",
     .points = 25,
     .needs = NEED_USERNS,
     .chapter = "private",
     .man = "mount_namespaces(7), mount(2)",
     .run = mount_stepprivate},
    {.number = 2,
     .slug = "bind",
     .title = "bind, alone and with all that is below",
     .points = 20,
     .needs = NEED_USERNS,
     .chapter = "bind",
     .man = "mount(2), Creating a bind mount",
     .run = mount_stepbind},
    {.number = 3,
     .slug = "read-only",
     .title = "a volume is read-only, its source is not",
     .points = 25,
     .needs = NEED_USERNS,
     .after = {2},
     .chapter = "read-only",
     .man = "mount(2), Remounting an existing mount; statvfs(3)",
     .run = mount_stepreadonly},
    {.number = 4,
     .slug = "tmpfs",
     .title = "a tmpfs with a size, nosuid, nodev, noexec",
     .points = 15,
     .needs = NEED_USERNS,
     .chapter = "tmpfs",
     .man = "tmpfs(5), mount(2)",
     .run = mount_steptmpfs},
    {.number = 5,
     .slug = "detach",
     .title = "a mount in use is detached, with all below",
     .points = 15,
     .needs = NEED_USERNS,
     .chapter = "detach",
     .man = "umount2(2)",
     .run = mount_stepdetach},
};

LAB(.name = "04-mount", .title = "a private mount tree", .steps = steps,
    .count = sizeof steps / sizeof *steps);