/* Lab 12, steps 5 and 6: how long a group waited for memory, and how much there is to be had. */
#include "graders/12-memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grade/mounts.h"
#include "kernel/file.h"
#include "kernel/own.h"

/* --- pressure -----------------------------------------------------------------------------------
 */

static const char *pressure_folder(struct run *room, const char *text)
{
    const char *const files[][2] = {{"memory.pressure", text}, {NULL, NULL}};

    return memory_folder(room, 2, files);
}

/* Numbers as long and as short as the kernel writes them. */
static void check_numbers(struct run *room, const char *what, int some, int full,
                          unsigned long long some_total, unsigned long long full_total)
{
    struct grade *g = run_grade(room);
    const char *text =
        say(g,
            "some avg10=%d.%02d avg60=%d.01 avg300=0.02 total=%llu\nfull avg10=%d.%02d "
            "avg60=%d.03 avg300=0.04 total=%llu\n",
            some / 100, some % 100, grade_between(g, 0, 99), some_total, full / 100, full % 100,
            grade_between(g, 0, 99), full_total);
    const char *said = memory_answer(room, "--memory-pressure", pressure_folder(room, text));
    const char *wanted = say(g, "some %d.%02d %% %llu us\nfull %d.%02d %% %llu us", some / 100,
                             some % 100, some_total, full / 100, full % 100, full_total);

    expect(g, strcmp(said, wanted) == 0, .because = "numbers",
           .expected = say(g, "avg10 and total of both lines, %s: %s", what, wanted),
           .kernel = say(g, "your program says: %s", said),
           .see = "cat memory.pressure of a group of version 2");
}

/* The hierarchy of version 2, wherever the room has it; it needs no controller to count. */
static struct cgroups second_version(struct run *room)
{
    struct cgroups groups = cgroups_of(run_grade(room), room, "memory");

    if (groups.version == 1)
        groups = (struct cgroups){2, "/sys/fs/cgroup/unified", NULL};
    return groups;
}

struct totals {
    unsigned long long some, full;
};

static struct totals totals_of(struct run *room, const struct cgroups *groups, const char *name)
{
    const char *text = cgroups_read(room, groups, name, "memory.pressure");
    struct totals t = {0};

    if (text == NULL || sscanf(text,
                               "some avg10=%*s avg60=%*s avg300=%*s total=%llu full avg10=%*s "
                               "avg60=%*s avg300=%*s total=%llu",
                               &t.some, &t.full) != 2)
        grade_error(run_grade(room), 0, "no memory.pressure in %s%s", groups->folder, name);
    return t;
}

/* Somebody runs into a limit, which takes the kernel some microseconds of search. */
static void check_real(struct run *room)
{
    struct grade *g = run_grade(room);
    struct cgroups memory = cgroups_of(g, room, "memory"), groups = second_version(room);
    const char *name = say(g, "/%s", grade_word(g, 6)), *limit = memory_make(room, &memory, name);
    const char *folder = say(g, "%s%s", groups.folder, name);

    outside_do(room, "write %s/%s 8m", limit,
               memory.version == 1 ? "memory.limit_in_bytes" : "memory.max");
    if (memory.version == 1)
        outside_do(room, "mkdir %s", folder);
    else
        run_ask(room, "write %s/memory.swap.max 0", limit); /* where there is swap */
    cgroups_shell(room,
                  "(for f in %s %s; do echo 0 >$f/cgroup.procs; done; exec /strata/busybox dd "
                  "if=/dev/zero of=/dev/null bs=40M count=1) || true",
                  limit, folder);
    struct totals before = totals_of(room, &groups, name);
    const char *said = memory_answer(room, "--memory-pressure", folder);
    struct totals after = totals_of(room, &groups, name);
    unsigned long long some = 0, full = 0;
    int got = sscanf(said, "some %*u.%*u %% %llu us full %*u.%*u %% %llu us", &some, &full);

    if (before.some == 0)
        grade_error(g, 0, "nobody waited for memory in %s", folder);
    expect(g,
           got == 2 && some >= before.some && some <= after.some && full >= before.full &&
               full <= after.full,
           .because = "totals",
           .expected =
               say(g, "%s: some waited %llu us in all, full %llu", folder, after.some, after.full),
           .kernel = say(g, "your program says: %s", said),
           .see = say(g, "cat %s/memory.pressure", folder));
}

void memory_step_pressure(struct grade *g)
{
    static const char *const version_1[][2] = {{"memory.stat", "total_rss 0\n"}, {NULL, NULL}};
    static const char *const nonsense[] = {
        "some avg10=nothing\n",
        "some avg10=1.25 avg60=0.30 avg300=0.07 total=4839\nfull avg10=nothing\n"};
    struct run *room = outside_open(g, false);

    check_numbers(room, "with digits behind the point",
                  grade_between(g, 10, 99) * 100 + grade_between(g, 11, 99),
                  grade_between(g, 1, 9) * 100 + grade_between(g, 1, 9), grade_random(g, 1U << 30),
                  grade_random(g, 1U << 30));
    check_numbers(room, "when nobody ever waited", 0, 0, 0, 0);
    check_numbers(room, "with totals above 32 bits", 10000, 5,
                  4300000000ULL + grade_random(g, 1U << 30), (1ULL << 40) + grade_random(g, 999));
    check_real(room);
    memory_refused(
        room, (const char *const[]){"--memory-pressure", memory_folder(room, 1, version_1), NULL},
        "No such file or directory", "version-1");
    for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; i++)
        memory_refused(
            room,
            (const char *const[]){"--memory-pressure", pressure_folder(room, nonsense[i]), NULL},
            "Bad message", "nonsense");
}

/* --- what can be had ----------------------------------------------------------------------------
 */

static uint64_t machine(struct grade *g)
{
    autofree char *text = NULL;
    unsigned long long kib = 0;
    size_t length;

    if (kernel_read_at(-1, "/proc/meminfo", &text, &length) < 0 ||
        sscanf(text, "MemTotal: %llu kB", &kib) != 1)
        grade_error(g, 0, "cannot read /proc/meminfo");
    return (uint64_t)kib << 10;
}

/* The lab program asks for itself: in three groups, one in another, with these limits. Only it is
 * there: who starts it is not. */
static void check_three(struct run *room, const char *const limits[3], uint64_t wanted,
                        const char *because)
{
    struct grade *g = run_grade(room);
    struct cgroups groups = cgroups_of(g, room, "memory");
    const char *word = grade_word(g, 5), *name = "", *folder = "";

    for (int i = 0; i < 3; i++) {
        name = say(g, "%s/%s.%d", name, word, i);
        folder = memory_make(room, &groups, name);
        outside_do(room, "write %s/%s %s", folder,
                   groups.version == 1 ? "memory.limit_in_bytes" : "memory.max",
                   groups.version == 1 && strcmp(limits[i], "max") == 0 ? "-1" : limits[i]);
    }
    const char *said = cgroups_shell(
        room, "(echo 0 >%s/cgroup.procs && exec /strata/lab12 --memory-available 2>&1) || true",
        folder);
    said = say(g, "%.*s", (int)strcspn(said, "\n"), said);
    uint64_t is = strtoull(said, NULL, 10);
    expect(g, is == wanted, .because = because,
           .expected = say(g, "limits %s, %s, %s from top to bottom, on a machine of %llu: %llu",
                           limits[0], limits[1], limits[2], (unsigned long long)machine(g),
                           (unsigned long long)wanted),
           .kernel = say(g, "your program says %.80s%s", said,
                         is == 0           ? ""
                         : is > machine(g) ? ": more than the machine has"
                         : is < wanted     ? ": less than can be had"
                                           : ""),
           .see = "cat memory.max (memory.limit_in_bytes) upwards; grep MemTotal /proc/meminfo");
}

void memory_step_available(struct grade *g)
{
    unsigned long long pages = (unsigned long long)grade_between(g, 900, 1400) * 16;
    const char *low = say(g, "%llu", pages * 4096);
    const char *middle = say(g, "%llu", pages * 8192);
    const char *high = say(g, "%llu", pages * 16384);
    const char *huge = say(g, "%llu", (unsigned long long)machine(g) * 2 / 65536 * 65536);
    struct run *room = outside_open(g, false);

    check_three(room, (const char *const[]){"max", "max", low}, pages * 4096, "own-limit");
    check_three(room, (const char *const[]){low, high, "max"}, pages * 4096, "ancestor");
    check_three(room, (const char *const[]){high, middle, "max"}, pages * 8192, "ancestor");
    check_three(room, (const char *const[]){high, low, middle}, pages * 4096, "ancestor");
    check_three(room, (const char *const[]){"max", huge, "max"}, machine(g), "machine");
    check_three(room, (const char *const[]){"max", "max", "max"}, machine(g), "no-limit");

    const struct kernel_mounts *mounts = mounts_of(g, run_outside_pid(room));
    for (size_t i = 0; i < mounts->count; i++)
        if (strncmp(mounts->list[i].fstype, "cgroup", 6) == 0)
            outside_do(room, "umount %s", mounts->list[i].target);
    const char *said = memory_answer(room, "--memory-available", NULL);
    expect(g, strtoull(said, NULL, 10) == machine(g), .because = "no-groups",
           .expected = say(g, "without control groups, what the machine has: %llu",
                           (unsigned long long)machine(g)),
           .kernel = say(g, "your program says %.80s", said), .see = "grep MemTotal /proc/meminfo");
}
