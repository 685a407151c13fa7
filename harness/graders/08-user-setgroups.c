/* Lab 08, step 3: who may map groups only after letting go of setgroups does so, who may anyway
 * keeps it; and maps of many lines are one write. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "graders/08-user.h"

enum { LINES_MAX = 340 }; /* of a map: user_namespaces(7) */

static void check_setgroups(struct run *outside, struct run *run, const char *wanted,
                            const char *because, const char *who)
{
    struct grade *g = run_grade(run);
    pid_t pid = run_payload(run)->pid;
    const char *got = user_setgroups_of(outside, pid);

    expect(g, strcmp(got, wanted) == 0, .because = because,
           .expected = say(g, "%s maps: /proc/%d/setgroups says %s", who, pid, wanted),
           .kernel = say(g, "it says %s", got),
           .see = "lab08 cat /proc/self/setgroups; user_namespaces(7)");
}

static void check_ordinary(struct run *outside, unsigned user)
{
    static const char *const none[] = {NULL};
    struct grade *g = run_grade(outside);

    user_check_starts(outside, user, none, "not-allowed");
    struct run *run = user_start(outside, user, 0, none);
    user_check_map(outside, run, "gid_map", say(g, "0 %u 1", user), "no-gid-map",
                   "lab08 cat /proc/self/gid_map");
    check_setgroups(outside, run, "deny", "not-denied", "an ordinary user");
    struct kernel_status status = user_status_of_self(run);
    expect(g, user_ids_are(status.gid, 0), .because = "no-gid-map",
           .expected = "COMMAND is gid 0 in its user namespace",
           .kernel = say(g, "Gid %s", user_ids_text(g, status.gid)), .see = "lab08 id -g");
    user_check_program(outside, run, user);
}

/* Uid 0 is not the right: CAP_SETGID is. */
static void check_powerless(struct run *outside)
{
    static const char *const arguments[] = {USER_WITHOUT_SETGID, "--map", "0:0:1", NULL};
    struct run *run =
        run_start(run_grade(outside), &(struct run_options){.program = "/strata/probe",
                                                            .arguments = arguments,
                                                            .beside = outside});
    user_check_map(outside, run, "gid_map", "0 0 1", "no-gid-map",
                   "setpriv --bounding-set -setgid lab08 --map 0:0:1 cat /proc/self/gid_map");
    check_setgroups(outside, run, "deny", "not-denied", "uid 0 without CAP_SETGID");
}

/* By root of the room, who has the right: one range, the one id that anybody else could map too,
 * then two ranges that differ for users and groups. */
static void check_privileged(struct run *outside)
{
    static const char *const none[] = {NULL}, *const own[] = {"--map", "0:0:1", NULL};
    struct grade *g = run_grade(outside);
    unsigned count = (unsigned)grade_between(g, 2, 900);
    unsigned first = (unsigned)grade_between(g, 2000, 9000);
    const char *uids = say(g, "0:%u:1,1:%u:%u", first - 1000, first, count);
    const char *gids = say(g, "0:%u:2,%u:%u:%u", first + 20000, count, first + 30000, count);
    const char *const arguments[] = {"--uid-map", uids, "--gid-map", gids, NULL};
    const char *see =
        say(g, "lab08 --uid-map %s --gid-map %s cat /proc/self/uid_map ...", uids, gids);
    struct run *run = user_start(outside, 0, 0, none);

    user_check_map(outside, run, "gid_map", say(g, "0 0 %u", run_ids(g)), "no-gid-map",
                   "lab08 cat /proc/self/gid_map");
    check_setgroups(outside, run, "allow", "denied", "root, who has CAP_SETGID,");

    run = user_start(outside, 0, 0, own);
    check_setgroups(outside, run, "allow", "denied", "root, who has its own group alone,");

    user_check_starts(outside, 0, arguments, "lines");
    run = user_start(outside, 0, 0, arguments);
    user_check_map(outside, run, "uid_map", say(g, "0 %u 1, 1 %u %u", first - 1000, first, count),
                   "lines", see);
    user_check_map(outside, run, "gid_map",
                   say(g, "0 %u 2, %u %u %u", first + 20000, count, first + 30000, count), "lines",
                   see);
    check_setgroups(outside, run, "allow", "denied", "root, who has CAP_SETGID,");
}

/* `count` ranges of one id each, with these between the numbers and between the ranges. */
static const char *many_ranges(struct grade *g, unsigned count, unsigned first, char number,
                               const char *range)
{
    const char *text = "";

    for (unsigned i = 0; i < count; i++)
        text =
            say(g, "%s%s%u%c%u%c1", text, i > 0 ? range : "", i, number, first + count - i, number);
    return text;
}

static void check_many(struct run *outside)
{
    static const char see[] = "user_namespaces(7): at most 340 lines, all in one write(2)";
    struct grade *g = run_grade(outside);
    unsigned first = (unsigned)grade_between(g, 1, 600);
    const char *const most[] = {"--map", many_ranges(g, LINES_MAX, first, ':', ","), NULL};
    const char *const more[] = {"--map", many_ranges(g, LINES_MAX + 1, first, ':', ","), NULL};
    const char *wanted = many_ranges(g, LINES_MAX, first, ' ', ", ");

    user_check_starts(outside, 0, most, "many-lines");
    struct run *run = user_start(outside, 0, 0, most);
    static const char *const names[] = {"uid_map", "gid_map"};

    for (size_t i = 0; i < 2; i++) {
        const char *map = user_map_of(outside, run_payload(run)->pid, names[i]);
        size_t lines = 1;
        for (const char *at = map; (at = strchr(at, ',')) != NULL; at++)
            lines++;
        expect(g, strcmp(map, wanted) == 0, .because = "many-lines",
               .expected = say(g, "a %s of 340 lines, as many as the kernel takes", names[i]),
               .kernel =
                   say(g, "it has %zu: %.60s...", strcmp(map, "nothing") == 0 ? 0 : lines, map),
               .see = see);
    }
    user_check_refused(outside, &(struct refusal){.arguments = more,
                                                  .error = EINVAL,
                                                  .because = "too-many",
                                                  .what = "341 ranges",
                                                  .see = see});
}

/* 273 lines of the map are 4095 bytes: who cuts the text there has a map that the kernel takes. */
static void check_page(struct run *outside)
{
    enum { PAGE = 4096 };
    struct grade *g = run_grade(outside);
    unsigned inside = (unsigned)grade_between(g, 1000000, 9000000);
    unsigned first = (unsigned)grade_between(g, 1000, 9000);
    const char *map = "";

    if (sysconf(_SC_PAGESIZE) != PAGE) /* where it is more, this map fits */
        return;
    for (unsigned i = 0; i < LINES_MAX; i++)
        map = say(g, "%s%s%u:%u:1", map, i > 0 ? "," : "", inside + i, first + i);
    const char *const arguments[] = {"--userns", "keep-id", "--map", map, NULL};
    user_check_refused(outside,
                       &(struct refusal){.arguments = arguments,
                                         .error = EINVAL,
                                         .because = "too-long",
                                         .what = "340 ranges whose text is longer than a page",
                                         .see = "user_namespaces(7): less than a page of text"});
}

/* Maps that the kernel takes of nobody. Their first line by itself would be one that it takes. */
static void check_senseless(struct run *outside, unsigned user)
{
    struct grade *g = run_grade(outside);
    const char *const maps[] = {say(g, "0:%u:1,7:%u:1", user, user),
                                say(g, "0:%u:1,7:%u:0", user, user + 1)};
    static const char *const what[] = {"a uid that two ranges have", "a range of no ids"};

    for (size_t i = 0; i < 2; i++) {
        const char *const arguments[] = {"--userns",  "keep-id", "--uid-map", maps[i],
                                         "--gid-map", "none",    NULL};
        user_check_refused(
            outside,
            &(struct refusal){.arguments = arguments,
                              .user = user,
                              .error = EINVAL,
                              .because = "senseless",
                              .what = say(g, "%s (%s)", what[i], maps[i]),
                              .see = say(g, "lab08 --userns keep-id --uid-map %s true", maps[i])});
    }
}

static void check_foreign(struct run *outside, unsigned user)
{
    struct grade *g = run_grade(outside);
    const char *map = say(g, "0:%u:1", user + 1 + grade_random(g, 1000));
    const char *const arguments[] = {"--userns", "keep-id", "--gid-map", map, NULL};

    user_check_refused(
        outside, &(struct refusal){.arguments = arguments,
                                   .user = user,
                                   .error = EPERM,
                                   .because = "foreign-gid",
                                   .what = say(g, "a gid that is not ours (%s)", map),
                                   .see = say(g, "lab08 --userns keep-id --gid-map %s true", map)});
}

void user_step_setgroups(struct grade *g)
{
    struct run *outside = outside_open(g, false);
    unsigned user = user_draw(g);

    check_ordinary(outside, user);
    check_powerless(outside);
    check_privileged(outside);
    check_many(outside);
    check_page(outside);
    check_foreign(outside, user);
    check_senseless(outside, user);
}
