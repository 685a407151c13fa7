/* Lab 12, step 2: what stands in the group's files, when it stands there, and what it holds. */
#include "graders/12-memory.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "grade/mounts.h"

static const uint64_t mib = 1 << 20, four_gib = 1ULL << 32;
static const uint64_t no_such_file = UINT64_MAX - 1; /* no limit is that: they are whole pages */

/* The limits that a group is to have. */
struct limits_wanted {
    uint64_t bytes, both;
};

/* The kernel counts in pages, and rounds down. */
static bool near(uint64_t is, uint64_t wanted)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

    return is == wanted ||
           (is != memory_max && wanted != memory_max && is <= wanted + page && is + page >= wanted);
}

/* Whoever takes one of the two quantities for the other gets one of these. */
static const char *swap_remark(const struct cgroups *groups, struct limits_wanted wanted,
                               uint64_t is)
{
    if (is == memory_max)
        return ": nobody limits swap";
    if (near(is, groups->version == 2 ? wanted.both : wanted.both + wanted.bytes))
        return ": the sum, taken for swap's part of it";
    return "";
}

static void check_limits(struct run *room, const struct cgroups *groups, const char *name,
                         struct limits_wanted wanted, const char *how)
{
    struct grade *g = run_grade(room);
    const char *folder = say(g, "%s%s", groups->folder, name);
    uint64_t bytes = memory_read(room, groups, name, "memory.max", 0);
    bool cut = wanted.bytes != memory_max && near(bytes, wanted.bytes & UINT32_MAX);

    expect(g, near(bytes, wanted.bytes), .because = "memory-max",
           .expected = say(g, "%s: %s of %s is %s", how,
                           groups->version == 2 ? "memory.max" : "memory.limit_in_bytes", folder,
                           memory_text(g, wanted.bytes)),
           .kernel = say(g, "it is %s%s", bytes == 0 ? "not there" : memory_text(g, bytes),
                         cut ? ": what 32 bits hold of it" : ""),
           .see = say(g, "cat %s/memory.*", folder));

    const char *file = groups->version == 2 ? "memory.swap.max" : "memory.memsw.limit_in_bytes";
    uint64_t swap = wanted.both;
    uint64_t is = memory_read(room, groups, name, file, no_such_file);
    if (is == no_such_file)
        return; /* a kernel that does not count swap */
    if (groups->version == 2 && swap != memory_max)
        swap -= wanted.bytes;
    expect(g, near(is, swap), .because = groups->version == 2 ? "swap-max" : "memsw",
           .expected = say(g, "%s: %s is %s (%s)", how, file, memory_text(g, swap),
                           groups->version == 2 ? "of swap alone" : "of memory and swap together"),
           .kernel = say(g, "it is %s%s", memory_text(g, is), swap_remark(groups, wanted, is)),
           .see = say(g, "cat %s/%s", folder, file));
}

/* --- as asked for at the start ------------------------------------------------------------------
 */

/* `swap`: the value of --memory-swap, or NULL. */
static void check_start(struct run *room, uint64_t bytes, const char *swap,
                        struct limits_wanted wanted)
{
    struct grade *g = run_grade(room);
    const char *text = say(g, "%llu", (unsigned long long)bytes);
    const char *const options[] = {"-m", text, swap != NULL ? "--memory-swap" : NULL, swap, NULL};
    struct memory_start start = memory_start(room, options, NULL);

    run_payload(start.run);
    check_limits(room, &start.groups, start.name, wanted,
                 swap != NULL ? say(g, "-m %s --memory-swap %s", text, swap)
                              : say(g, "-m %s", text));
    run_tell(start.run, "exit 0");
    run_exit_status(start.run);
}

static void check_starts(struct grade *g, struct run *room)
{
    uint64_t bytes = memory_mib(g, 24, 60);
    uint64_t odd = bytes + (uint64_t)grade_between(g, 1, 1 << 20);
    uint64_t more = bytes + memory_mib(g, 1, 40);

    check_start(room, odd, NULL, (struct limits_wanted){odd, 2 * odd});
    check_start(room, bytes, say(g, "%llu", (unsigned long long)bytes),
                (struct limits_wanted){bytes, bytes});
    check_start(room, bytes, say(g, "%llu", (unsigned long long)more),
                (struct limits_wanted){bytes, more});
    check_start(room, bytes, "-1", (struct limits_wanted){bytes, memory_max});
}

/* Swap below memory makes no sense, and COMMAND must not run without a limit. */
static void check_too_little(struct grade *g, struct run *room)
{
    const char *mark = say(g, "/tmp/%s", grade_word(g, 8)), *said;
    int bytes = grade_between(g, 24, 60);
    const char *const arguments[] = {"-m", say(g, "%dm", bytes), "--memory-swap",
                                     say(g, "%dm", bytes - grade_between(g, 1, 9)), NULL};
    const char *const command[] = {"/strata/busybox", "touch", mark, NULL};
    int status =
        outside_run(room, &(struct run_options){.arguments = arguments, .command = command}, &said);

    expect(g, status == 125 && strstr(said, "Invalid argument") != NULL, .because = "swap-below",
           .expected = say(g, "-m %s --memory-swap %s is refused: Invalid argument", arguments[1],
                           arguments[3]),
           .kernel = say(g, "it ended with %d: %.80s", status, said),
           .see = say(g, "lab12 -m %s --memory-swap %s true; echo $?", arguments[1], arguments[3]));
    expect(g, place_outside(room, mark).error != 0, .because = "ran-all-the-same",
           .expected = "COMMAND does not run when its limits are refused", .kernel = "it did run",
           .see = "what does your function return?");
}

/* --- in a group that has limits already ---------------------------------------------------------
 */

/* Sets them by hand, in an order that works whatever stands there. */
static void by_hand(struct run *room, const struct cgroups *groups, const char *name,
                    struct limits_wanted limits)
{
    struct grade *g = run_grade(room);
    const char *folder = say(g, "%s%s", groups->folder, name);
    const char *bytes = limits.bytes == memory_max ? "-1" : memory_text(g, limits.bytes);
    const char *both = limits.both == memory_max ? "-1" : memory_text(g, limits.both);

    if (groups->version == 2) {
        outside_do(room, "write %s/memory.max %s", folder, memory_text(g, limits.bytes));
        return;
    }
    const char *sum = "memory.memsw.limit_in_bytes";
    bool counts_swap = memory_read(room, groups, name, sum, no_such_file) != no_such_file;
    if (counts_swap)
        outside_do(room, "write %s/%s -1", folder, sum);
    outside_do(room, "write %s/memory.limit_in_bytes %s", folder, bytes);
    if (counts_swap)
        outside_do(room, "write %s/%s %s", folder, sum, both);
}

static void check_updates(struct grade *g, struct run *room)
{
    uint64_t a = memory_mib(g, 30, 60);
    uint64_t b = a + memory_mib(g, 10, 30);
    uint64_t c = b + memory_mib(g, 10, 30);
    uint64_t d = c + memory_mib(g, 10, 30);
    const struct {
        struct limits_wanted from, to;
    } cases[] = {
        {{memory_max, memory_max}, {a, b}},         {{a, b}, {c, d}},          {{c, d}, {a, b}},
        {{a, b}, {memory_max, memory_max}},         {{a, a}, {b, memory_max}}, {{b, c}, {a, a}},
        {{a, b}, {four_gib + c, 2 * four_gib + a}},
    };
    struct cgroups groups = cgroups_of(g, room, "memory");
    const char *name = say(g, "/%s", grade_word(g, 7)), *folder = memory_make(room, &groups, name);
    struct memory_rest rest = memory_rest(room, &groups, name);

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *bytes = memory_text(g, cases[i].to.bytes);
        const char *both = memory_text(g, cases[i].to.both);
        const char *const options[] = {"-m",   bytes, "--memory-swap", both, "--memory-update",
                                       folder, NULL};
        const char *said;
        by_hand(room, &groups, name, cases[i].from);
        memory_run(room, options, &said);
        const char *how = say(g, "from %s and %s to %s and %s", memory_text(g, cases[i].from.bytes),
                              memory_text(g, cases[i].from.both), bytes, both);
        expect(g, said[0] == '\0', .because = "update",
               .expected = say(g, "memory, and memory with swap: %s", how),
               .kernel = say(g, "your program says %.100s", said),
               .see = say(g, "lab12 -m ... --memory-swap ... --memory-update %s", folder));
        check_limits(room, &groups, name, cases[i].to, how);
    }
    memory_check_rest(room, &groups, name, &rest);
}

/* --- when, and what it holds --------------------------------------------------------------------
 */

/* A child of the program's need not be COMMAND: what is in the group is. */
static bool has_process(void *arg)
{
    struct memory_start *start = arg;
    const char *pids = cgroups_read(start->room, &start->groups, start->name, "cgroup.procs");

    return (pids != NULL && pids[0] != '\0') || run_ended(start->run);
}

/* Held in its first hook, COMMAND is limited already. */
static void check_early(struct grade *g, struct run *room)
{
    const char *fifo = say(g, "/tmp/%s", grade_word(g, 8));
    uint64_t bytes = memory_mib(g, 24, 60);
    const char *const options[] = {"-m", say(g, "%llu", (unsigned long long)bytes), "--hold",
                                   say(g, "child:%s", fifo), NULL};

    outside_do(room, "fifo %s", fifo);
    struct memory_start start = memory_start(room, options, NULL);
    if (!run_until(start.run, has_process, &start) || run_ended(start.run))
        fail(g, .because = "no-command", .expected = "your program starts a process in the group",
             .kernel = "the group has none", .see = "make trace12");
    check_limits(room, &start.groups, start.name, (struct limits_wanted){bytes, 2 * bytes},
                 "before COMMAND's first hook");
}

/* What the room has used at most so far: all groups in it together. 0 when this kernel keeps no
 * such number in version 2 (before Linux 5.19). */
static uint64_t room_peak(struct run *room, const struct cgroups *groups)
{
    return memory_read(room, groups, "", "memory.peak", 0);
}

/* COMMAND wants five times what it may have, from its first moment on. */
static void check_at_once(struct grade *g, struct run *room)
{
    static const char *const command[] = {
        "/strata/busybox", "dd", "if=/dev/zero", "of=/dev/null", "bs=62914560", "count=1", NULL};
    enum { LIMIT_MIB = 12, SLACK_MIB = 16 };
    const char *const options[] = {"-m", say(g, "%dm", LIMIT_MIB), "--memory-swap",
                                   say(g, "%dm", LIMIT_MIB), NULL};
    struct cgroups groups = cgroups_of(g, room, "memory");
    uint64_t before = room_peak(room, &groups);
    struct memory_start start = memory_start_whole(room, options, command);
    int status = run_exit_status(start.run);
    uint64_t after = room_peak(room, &groups);

    expect(g, status == 137, .because = "not-held",
           .expected =
               say(g, "COMMAND takes 60 MiB of %d at once: the kernel ends it, 137", LIMIT_MIB),
           .kernel = say(g, "it ended with %d", status),
           .see = say(g, "lab12 -m %dm dd if=/dev/zero of=/dev/null bs=60M count=1; echo $?",
                      LIMIT_MIB));
    expect(g, after <= before + (LIMIT_MIB + SLACK_MIB) * mib, .because = "escaped",
           .expected = say(g, "while it ran, all groups together had at most %d MiB more",
                           LIMIT_MIB + SLACK_MIB),
           .kernel = say(g, "they had %llu MiB more", (unsigned long long)(after - before) / mib),
           .see = "cat memory.peak (version 1: memory.max_usage_in_bytes) of the group above");
}

/* A child of COMMAND does: the group's own peak shows where it ended. */
static void check_peak(struct grade *g, struct run *room)
{
    uint64_t bytes = memory_mib(g, 12, 20);
    const char *text = say(g, "%llu", (unsigned long long)bytes);
    const char *const options[] = {"-m", text, "--memory-swap", text, NULL};
    struct memory_start start = memory_start(room, options, NULL);
    int status = 0, number = 0;

    run_payload(start.run);
    sscanf(run_ask(start.run, "hog %llu", 3 * (unsigned long long)bytes), "ok %d %d", &status,
           &number);
    uint64_t peak = memory_read(room, &start.groups, start.name, "memory.peak", bytes);
    expect(g, number == SIGKILL, .because = "not-held",
           .expected =
               say(g, "-m %s: a child of COMMAND that takes three times that is killed", text),
           .kernel = say(g, "it ended with status %d, signal %d", status, number),
           .see = "lab12 -m 12m sh -c 'dd if=/dev/zero of=/dev/null bs=36M count=1; echo $?'");
    expect(g, peak <= bytes && peak > bytes / 2, .because = "peak",
           .expected = say(g, "the group never had more than %s, and came near it", text),
           .kernel = say(g, "its peak is %llu", (unsigned long long)peak),
           .see = "cat memory.peak (version 1: memory.max_usage_in_bytes) of the group");
    run_tell(start.run, "exit 0");
    run_exit_status(start.run);
}

void memory_step_limit(struct grade *g)
{
    struct run *room = outside_open(g, false);

    check_starts(g, room);
    check_too_little(g, room);
    check_updates(g, room);
    memory_check_refusals(room, 2);
    memory_check_refusals(room, 1);
    check_early(g, room);
    check_at_once(g, room);
    check_peak(g, room);
}
