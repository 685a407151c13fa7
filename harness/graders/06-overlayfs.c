/*
 * Lab 06: layered files.
 *
 * Layers are made fresh in the room, with names and contents that nobody knows before. What the
 * mount shows is read from outside of COMMAND, as a member of its mount namespace; what became of
 * the layers is read in the room, where they are ordinary folders.
 */
#include "graders/06-overlayfs.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "grade/facts.h"

const char *layers_folder(struct grade *g, struct run *room)
{
    const char *path = say(g, "/tmp/%s", grade_word(g, 8));

    outside_do(room, "mkdir %s", path);
    return path;
}

struct run *layers_start(struct grade *g, struct run *room, const char *const *arguments)
{
    struct run *run = run_start(g, &(struct run_options){.arguments = arguments, .beside = room});

    run_payload(run);
    return run;
}

void layers_end(struct run *run)
{
    run_tell(run, "exit 0");
    run_exit_status(run);
}

static const char *text_at(struct grade *g, pid_t pid, int pidfd, const char *path)
{
    struct place place = place_of(g, pid, pidfd, path, true);

    if (place.error != 0)
        return strerror(place.error);
    if (S_ISDIR(place.mode))
        return "a folder";
    if (!S_ISREG(place.mode))
        return "another type";
    return facts_word_within(g, pid, pidfd, CLONE_NEWUSER | CLONE_NEWNS, path);
}

const char *layers_inside(struct run *run, const char *path)
{
    const struct payload *payload = run_payload(run);

    return text_at(run_grade(run), payload->pid, payload->pidfd, path);
}

const char *layers_outside(struct run *room, const char *path)
{
    return text_at(run_grade(room), run_outside_pid(room), run_outside_pidfd(room), path);
}

/* No other restriction than that of the layers: what is in an image may be set-user-ID. */
static void check_flags(struct grade *g, const struct kernel_mount *m, const char *see)
{
    static const char *const flags[] = {"nosuid", "nodev", "noexec", "ro"};

    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        expect(g, !kernel_mount_has(m->options, flags[i]) || kernel_mount_has(m->super, flags[i]),
               .because = "restricted",
               .expected = say(g, "the mount at %s restricts nothing: no %s", m->target, flags[i]),
               .kernel = mounts_line(g, m), .see = see);
}

const struct kernel_mount *layers_mounted(struct grade *g, struct run *run, const char *target)
{
    const struct payload *payload = run_payload(run);
    const struct kernel_mounts *mounts = mounts_of(g, payload->pid);
    const struct kernel_mount *m = kernel_mounts_at(mounts, target);
    const char *see = say(g, "make shell06: lab06 ... grep ' %s ' /proc/self/mountinfo", target);
    size_t count = 0;

    expect(g, m != NULL && strcmp(m->fstype, "overlay") == 0, .because = "no-overlay",
           .expected = say(g, "an overlay mounted at %s", target), .kernel = mounts_line(g, m),
           .see = see);
    for (size_t i = 0; i < mounts->count; i++)
        count += strcmp(mounts->list[i].target, target) == 0;
    expect(g, count == 1, .because = "mounted-twice", .expected = say(g, "one mount at %s", target),
           .kernel = say(g, "%zu lie there, one upon the other", count), .see = see);
    check_flags(g, m, see);
    return m;
}

void layers_do(struct run *run, const char *because, const char *request)
{
    struct grade *g = run_grade(run);
    const char *reply = run_ask(run, "%s", request);
    int error = 0;

    sscanf(reply, "error %d", &error);
    expect(g, error == 0, .because = because, .expected = say(g, "COMMAND can %s", request),
           .kernel = say(g, "it gets: %s", strerror(error)),
           .see = "make shell06, and do the same by hand; mount(2), overlayfs.rst");
}

void layers_kept(struct grade *g, struct run *room, const struct folder *before, const char *path)
{
    struct folder after = folder_of(room, path);

    /* An attribute that was set and taken away again leaves nothing but this time. */
    for (size_t i = 0; i < before->count; i++)
        before->list[i].changed = 0;
    for (size_t i = 0; i < after.count; i++)
        after.list[i].changed = 0;
    const char *difference = folder_difference(g, before, &after, NULL);
    expect(g, difference == NULL, .because = "lower-changed",
           .expected = say(g, "the lower layer %s is as it was, byte for byte", path),
           .kernel = say(g, "in it, %s", difference),
           .see = say(g, "find %s -type f -exec sha256sum {} + before and after", path));
}

void layers_refused(struct grade *g, struct run *room, const struct run_options *options, int error,
                    const char *because, const char *what)
{
    const char *said;
    int status = outside_run(room, options, &said);
    const char *see = "make shell06, and echo $? after it; overlay.h has the errors";

    expect(g, status == REFUSED, .because = because,
           .expected = say(g, "%s: exit status 125, %s", what, strerror(error)),
           .kernel = say(g, "exit status %d", status), .see = see);
    expect(g, strstr(said, strerror(error)) != NULL, .because = "other-error",
           .expected = say(g, "%s: %s", what, strerror(error)),
           .kernel = say(g, "another error: %.100s", said), .see = see);
}

const char *layers_ask(struct grade *g, struct run *room, const struct run_options *options,
                       const char *because)
{
    const char *said;
    const char *question = "";
    int status = outside_run(room, options, &said);

    for (const char *const *a = options->arguments; *a != NULL; a++)
        question = say(g, "%s %.60s", question, *a);
    expect(g, status == 0, .because = because,
           .expected = say(g, "lab06%s works: status 0", question),
           .kernel = say(g, "exit status %d: %.80s", status, said),
           .see = say(g, "make shell06: lab06%s; echo $?", question));
    return said;
}

/* --- the steps ------------------------------------------------------------------------------ */

static const struct step steps[] = {
    {.number = 1,
     .slug = "lowers",
     .title = "several lowers, the leftmost wins",
     .points = 15,
     .needs = NEED_USERNS | NEED_OVERLAY,
     .chapter = "lowers",
     .man = "mount(2); overlayfs.rst, Multiple lower layers",
     .run = layers_steplowers},
    {.number = 2,
     .slug = "copy-up",
     .title = "copy-up leaves the lowers untouched",
     .points = 15,
     .needs = NEED_USERNS | NEED_OVERLAY,
     .after = {1},
     .chapter = "copy-up",
     .man = "mount(2); overlayfs.rst, Upper and Lower",
     .run = layers_stepcopy_up},
    {.number = 3,
     .slug = "whiteouts",
     .title = "whiteouts and opaque directories",
     .points = 20,
     .needs = NEED_USERNS | NEED_OVERLAY,
     .after = {1, 2},
     .chapter = "whiteouts",
     .man = "xattr(7), setxattr(2), mknodat(2)",
     .run = layers_stepwhiteouts},
    {.number = 4,
     .slug = "diff",
     .title = "diff lists A, C and D exactly",
     .points = 25,
     .needs = NEED_USERNS | NEED_OVERLAY,
     .chapter = "diff",
     .man = "lstat(2), lgetxattr(2); docker-diff(1)",
     .run = layers_stepdiff},
    {.number = 5,
     .slug = "container",
     .title = "a container on an overlay root; two of one image without cross-talk",
     .points = 25,
     .needs = NEED_USERNS | NEED_OVERLAY,
     .after = {1, 2},
     .chapter = "container",
     .man = "mkdir(2), unlinkat(2), openat2(2)",
     .run = layers_stepcontainer},
    {.number = 6,
     .slug = "odd-paths",
     .title = "64 lowers and odd paths",
     .points = 10,
     .more = true,
     .needs = NEED_USERNS | NEED_OVERLAY,
     .after = {1, 2},
     .chapter = "odd-paths",
     .man = "mount(2), NOTES; open(2), O_PATH; proc_pid_fd(5)",
     .run = layers_stepodd_paths},
};

LAB(.name = "06-overlayfs", .title = "layered files", .steps = steps,
    .count = sizeof steps / sizeof *steps);
