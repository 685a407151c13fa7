/* Lab 04, step 4: an empty tmpfs with three flags, a mode, and a size that holds. */
#include "graders/04-mount.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "grade/mounts.h"
#include "grade/run.h"
#include "grade/step.h"

enum { TMPFS_TYPE = 0x01021994 }; /* TMPFS_MAGIC of linux/magic.h */

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

void mount_steptmpfs(struct grade *g)
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
        wanted[i].target = mount_folder(g, room);
        outside_do(room, "write %s/covered yes", wanted[i].target);
        arguments[2 * i] = "--tmpfs";
        arguments[2 * i + 1] = wanted[i].size != NULL
                                   ? say(g, "%s:size=%s", wanted[i].target, wanted[i].size)
                                   : wanted[i].target;
    }
    struct run *run = mount_beside(g, room, arguments);
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
    mount_refused(g, room, "--tmpfs", say(g, "%s-file", wanted[0].target), ENOTDIR,
                  "a tmpfs cannot be mounted on a file");
}
