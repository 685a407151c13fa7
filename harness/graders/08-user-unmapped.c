/* Lab 08, step 1: a user namespace without a map, and the arithmetic of maps. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#include "grade/facts.h"
#include "graders/08-user.h"
#include "kernel/idmap.h"

enum { RANGES = 4 };
static const uint32_t last_id = UINT32_MAX - 1; /* (uid_t)-1 is nobody's */

/* Ranges with gaps between, the last one up to the last id there is. Outside they lie the other
 * way round. */
static void draw_ranges(struct grade *g, struct kernel_idrange ranges[RANGES])
{
    uint32_t next = (uint32_t)grade_between(g, 1, 1000);

    for (uint32_t i = 0; i < RANGES - 1; i++) {
        ranges[i] = (struct kernel_idrange){.inside = next,
                                            .outside = 4000000000U - i * 100000000 -
                                                       grade_random(g, 50000000),
                                            .count = i == 1 ? 1 : 2 + grade_random(g, 5000)};
        next += ranges[i].count + 2 + grade_random(g, 100);
    }
    uint32_t count = (uint32_t)grade_between(g, 100, 70000);
    ranges[RANGES - 1] = (struct kernel_idrange){last_id - count + 1,
                                                 (uint32_t)grade_between(g, 100000, 900000), count};
}

static const char *ranges_text(struct grade *g, const struct kernel_idrange *ranges,
                               const size_t order[RANGES])
{
    const char *text = "";

    for (size_t i = 0; i < RANGES; i++) {
        const struct kernel_idrange *r = &ranges[order[i]];
        text = say(g, "%s%s%u:%u:%u", text, i > 0 ? "," : "", r->inside, r->outside, r->count);
    }
    return text;
}

static void check_answer(struct run *outside, const char *map, uint32_t id, uint32_t wanted,
                         const char *because, const char *what)
{
    struct grade *g = run_grade(outside);
    const char *number = say(g, "%u", id);
    const char *const mapped[] = {"--map", map, "--translate", number, NULL};
    const char *got = user_answer(outside, map != NULL ? mapped : mapped + 2, "no-answer", what);

    expect(g, strcmp(got, say(g, "%u\n", wanted)) == 0, .because = because,
           .expected = say(g, "%u, %s, is %u outside", id, what, wanted),
           .kernel = say(g, "user_translate says %.40s", got),
           .see = say(g, "lab08 %s%s --translate %u", map != NULL ? "--map " : "",
                      map != NULL ? map : "", id));
}

static void check_translations(struct grade *g, struct run *outside, uint32_t nobody)
{
    static const size_t sorted[RANGES] = {0, 1, 2, 3}, mixed[RANGES] = {2, 0, 3, 1};
    struct kernel_idrange ranges[RANGES];

    draw_ranges(g, ranges);
    const char *map = ranges_text(g, ranges, sorted);
    for (size_t i = 0; i < RANGES; i++) {
        const struct kernel_idrange *r = &ranges[i];
        check_answer(outside, map, r->inside, r->outside, "wrong-id", "the first of a range");
        check_answer(outside, map, r->inside + r->count - 1, r->outside + r->count - 1, "wrong-id",
                     "the last of a range");
        check_answer(outside, map, r->inside - 1, nobody, "not-nobody", "just below a range");
        if (i < RANGES - 1)
            check_answer(outside, map, r->inside + r->count, nobody, "not-nobody",
                         "just above a range");
    }
    uint32_t middle = grade_random(g, ranges[3].count);
    check_answer(outside, map, ranges[3].inside + middle, ranges[3].outside + middle, "wrong-id",
                 "within a range");
    map = ranges_text(g, ranges, mixed);
    for (size_t i = 0; i < 2; i++)
        check_answer(outside, map, ranges[i].inside, ranges[i].outside, "out-of-order",
                     "where the ranges are in no order");
    check_answer(outside, NULL, (uint32_t)grade_between(g, 0, 100000), nobody, "not-nobody",
                 "without any map");
}

/* The machine's own number, and then another in its place: a file of ours over that of /proc. */
static void check_overflow(struct grade *g, struct run *outside)
{
    static const char path[] = "/proc/sys/kernel/overflowuid";
    const char *file = say(g, "/tmp/%s", grade_word(g, 9));
    uint32_t id = (uint32_t)grade_between(g, 70000, 90000), other = 0;

    outside_do(outside, "write %s %u\n", file, id);
    outside_do(outside, "mount %s %s %d", file, path, MS_BIND);
    sscanf(outside_do(outside, "read %s", path), "%u", &other);
    if (other != id)
        grade_error(g, 0, "%s could not be covered", path);
    check_answer(outside, "0:1000:10", 4711, id, "fixed-nobody",
                 say(g, "unmapped, while %s holds %u", path, id));
}

static void check_unmapped(struct run *outside, unsigned user, uint32_t nobody)
{
    static const char *const arguments[] = {"--unmapped", NULL};
    struct grade *g = run_grade(outside);
    struct run *run = user_start(outside, user, 0, arguments);

    user_check_namespace(run);
    struct kernel_status status = user_status_of_self(run);
    expect(g, user_ids_are(status.uid, nobody) && status.cap_eff == 0, .because = "mapped",
           .expected = say(g, "without a map COMMAND is %u, with no capability", nobody),
           .kernel = say(g, "Uid %s, CapEff %016llx", user_ids_text(g, status.uid),
                         (unsigned long long)status.cap_eff),
           .see = "lab08 --unmapped cat /proc/self/uid_map /proc/self/status");
}

/* A flag that is there already stays, and of the kinds that nobody asked for none is new. */
static void check_flags(struct run *outside)
{
    static const char *const arguments[] = {"--unmapped", "--new", "user", NULL};
    static const char *const shared[] = {"cgroup", "net"};
    struct grade *g = run_grade(outside);
    struct run *run = user_start(outside, 0, 0, arguments);
    pid_t pid = run_payload(run)->pid, room = run_outside_pid(outside);

    expect(g,
           !kernel_ns_equal(user_namespace_of(g, pid, "user"), user_namespace_of(g, room, "user")),
           .because = "flag-lost",
           .expected = "with --new user, which sets the flag before, there is a new one as well",
           .kernel = say(g, "/proc/%d/ns/user is the same as outside", pid),
           .see = "lab08 --unmapped --new user readlink /proc/self/ns/user");
    for (size_t i = 0; i < sizeof shared / sizeof *shared; i++)
        expect(g,
               kernel_ns_equal(user_namespace_of(g, pid, shared[i]),
                               user_namespace_of(g, room, shared[i])),
               .because = "flag-too-many",
               .expected = "no other namespace is made than those of labs 01 to 08",
               .kernel = say(g, "/proc/%d/ns/%s is new, and nobody asked for it", pid, shared[i]),
               .see = say(g, "readlink /proc/self/ns/%s, then the same as COMMAND", shared[i]));
}

void user_step_unmapped(struct grade *g)
{
    struct run *outside = outside_open(g, false);
    uint32_t nobody = 65534;

    sscanf(outside_do(outside, "read /proc/sys/kernel/overflowuid"), "%u", &nobody);
    check_unmapped(outside, 0, nobody);
    check_unmapped(outside, user_draw(g), nobody); /* needs no right at all */
    check_flags(outside);
    check_translations(g, outside, nobody);
    check_overflow(g, outside);
}
