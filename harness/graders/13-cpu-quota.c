/* Lab 13, step 1: a quota. The amount as a number, the kernel's files, and what the kernel then
 * allows by its own count. */
#include "graders/13-cpu.h"

#include <stdio.h>
#include <string.h>

#include "grade/mounts.h"

/* --- amounts ------------------------------------------------------------------------------------
 */

static void check_amount(struct run *room, const char *text, unsigned long long millis)
{
    struct grade *g = run_grade(room);
    const char *said = cpu_answer(room, "--cpu-parse", text), *wanted = say(g, "%llu", millis);

    expect(g, strcmp(said, wanted) == 0, .because = "amount",
           .expected = say(g, "%s is %s thousandths of a processor", text, wanted),
           .kernel = say(g, "your program says %.40s", said),
           .see = say(g, "lab13 --cpu-parse %s, in make shell13", text));
}

static void check_no_amount(struct run *room, const char *text, const char *error,
                            const char *because)
{
    struct grade *g = run_grade(room);
    const char *const arguments[] = {"--cpu-parse", text, NULL};
    const char *said;
    int status = outside_run(room, &(struct run_options){.arguments = arguments}, &said);

    expect(g, status == 125 && strstr(said, error) != NULL, .because = because,
           .expected = say(g, "--cpu-parse '%s' is refused: %s", text, error),
           .kernel = say(g, "it ended with %d: %.80s", status, said),
           .see = say(g, "lab13 --cpu-parse '%s'; echo $?, in make shell13", text));
}

static void check_amounts(struct run *room)
{
    static const char *const nonsense[] = {"",   "m",   "1.",  ".5",   "-1",  "+1",  " 1",
                                           "1 ", "1,5", "1e3", "1.5m", "1mm", "1.-5"};
    struct grade *g = run_grade(room);
    int whole = grade_between(g, 2, 99), tenths = grade_between(g, 1, 9);
    int hundredths = grade_between(g, 1, 9), thousandths = grade_between(g, 1, 9);
    int millis = grade_between(g, 1001, 99999);
    unsigned eights = 10 * (unsigned)grade_between(g, 1, 7) + (unsigned)grade_between(g, 0, 7);

    check_amount(room, say(g, "%d", whole), (unsigned)whole * 1000);
    check_amount(room, say(g, "0%u", eights), eights * 1000); /* not octal */
    check_amount(room, say(g, "0.%d", tenths), (unsigned)tenths * 100);
    check_amount(room, say(g, "%d.0%d", whole, hundredths),
                 (unsigned)(whole * 1000 + hundredths * 10));
    check_amount(room, say(g, "0.0%d%d", hundredths, thousandths),
                 (unsigned)(hundredths * 10 + thousandths));
    check_amount(room, say(g, "%d.%d%d%d", whole, tenths, hundredths, thousandths),
                 (unsigned)(whole * 1000 + tenths * 100 + hundredths * 10 + thousandths));
    check_amount(room, say(g, "%dm", millis), (unsigned)millis);
    check_amount(room, "1m", 1);
    check_amount(room, "1000000000m", 1000000000);
    for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; i++)
        check_no_amount(room, nonsense[i], "Invalid argument", "nonsense");
    check_no_amount(room, say(g, "%d.%d%d%d%d", whole, tenths, tenths, tenths, thousandths),
                    "Invalid argument", "too-fine");
    check_no_amount(room, say(g, "%d.%d0000", whole, tenths), "Invalid argument", "too-fine");
    check_no_amount(room, "0", "Invalid argument", "zero");
    check_no_amount(room, "0m", "Invalid argument", "zero");
    check_no_amount(room, "0.000", "Invalid argument", "zero");
    check_no_amount(room, "1000000.001", "Numerical result out of range", "too-much");
    check_no_amount(room, "1000000001m", "Numerical result out of range", "too-much");
    /* Times 1000 that is 384 modulo 2^64; and what no 64 bits hold. */
    check_no_amount(room, "18446744073709552", "Numerical result out of range", "too-much");
    check_no_amount(room, "99999999999999999999999m", "Numerical result out of range", "too-much");
}

/* --- the kernel's files -------------------------------------------------------------------------
 */

/* What was mistaken, if it can be told from the two numbers. */
static const char *mistaken(struct grade *g, const char *is, const char *wanted)
{
    unsigned long long quota = 0, period = 0, is_quota = 0, is_period = 0;

    if (is == NULL || sscanf(wanted, "%llu %llu", &quota, &period) != 2 ||
        sscanf(is, "%llu %llu", &is_quota, &is_period) != 2)
        return "";
    if (is_quota == period && is_period == quota)
        return ", the other way round";
    if (is_period == period && is_quota * 10 == quota)
        return ", a tenth of it";
    if (is_period == period && is_quota == quota + 1)
        return ", a microsecond more";
    if (is_period == period && is_quota < quota && quota - is_quota < 1000)
        return say(g, ", %llu microseconds less", quota - is_quota);
    return is_period == period ? say(g, ", %llu %% of a CPU", is_quota * 100 / is_period) : "";
}

static void check_files(struct run *room, const char *const *options, const char *wanted)
{
    struct grade *g = run_grade(room);
    struct start start = cpu_start(room, options, NULL);

    run_payload(start.run);
    const char *quota = cpu_quota(start.room, &start.cpu, start.name);
    expect(g, quota != NULL && strcmp(quota, wanted) == 0, .because = "quota-file",
           .expected =
               say(g, "%s %s%s%s: quota and period of the group are \"%s\"", options[0],
                   cpu_quoted(g, options[1]), options[2] != NULL ? " " : "",
                   options[2] != NULL ? say(g, "%s %s", options[2], options[3]) : "", wanted),
           .kernel = say(g, "they are \"%s\"%s", quota != NULL ? quota : "not there",
                         mistaken(g, quota, wanted)),
           .see = say(g, "cat %s/GROUP/%s", start.cpu.folder,
                      start.cpu.version == 2 ? "cpu.max" : "cpu.cfs_*_us"));
}

/* A period that these millis do not divide into whole microseconds: more than half of one is left
 * over. (They are odd and no multiple of 5, so one is soon found.) */
static int odd_period(struct grade *g, int millis)
{
    int period = 1000 * grade_between(g, 50, 990) + grade_between(g, 300, 800);

    while ((long long)millis * period % 1000 <= 500)
        period++;
    return period;
}

/* A quota and a period that the group had before stay nowhere: the usual one is written, too. */
static const char *had_before(struct run *room)
{
    bool v2 = cgroups_of(run_grade(room), room, "cpu").version == 2;

    return v2 ? "cpu.max=70000 50000" : "cpu.cfs_period_us=50000";
}

/* Not too small: COMMAND has to start on it. More than 32 bits hold as well: thousandths times
 * microseconds, of 45 processors. */
static void check_quotas(struct grade *g)
{
    int millis = 10 * grade_between(g, 30, 99) + 7, whole = grade_between(g, 45, 900);
    int period = odd_period(g, millis);
    struct run *room = outside_open(g, false);

    check_files(room,
                (const char *const[]){"--cgroup-conf", had_before(room), "--cpus",
                                      say(g, "0.%d", millis), NULL},
                say(g, "%d 100000", millis * 100));
    check_files(room, (const char *const[]){"--cpus", say(g, "%d.5", whole), NULL},
                say(g, "%d 100000", whole * 100000 + 50000));
    check_files(room,
                (const char *const[]){"--cpus", say(g, "%dm", millis), "--cpu-period",
                                      say(g, "%d", period), NULL},
                say(g, "%lld %d", (long long)millis * period / 1000, period));
    check_files(room, (const char *const[]){"--cpus", "1", "--cpu-period", "1000", NULL},
                "1000 1000");
    check_files(room, (const char *const[]){"--cpus", "2", "--cpu-period", "1000000", NULL},
                "2000000 1000000");
    check_files(room, (const char *const[]){"--cpu-period", say(g, "%d", period), NULL},
                say(g, "max %d", period));
}

static void check_refusals(struct run *room)
{
    struct grade *g = run_grade(room);
    int small = grade_between(g, 1, 9); /* tens of thousandths, hundreds of microseconds */
    const char *half = say(g, "%d", grade_between(g, 1, 9));

    cpu_refused(room, (const char *const[]){"--cpus", "0.5", "--cpu-period", "1000001", NULL},
                "Invalid argument", "refusal-lost", "a period above one second");
    cpu_refused(
        room, (const char *const[]){"--cpus", say(g, "%d0m", small), "--cpu-period", "10000", NULL},
        "Invalid argument", "quota-too-small", say(g, "a quota of %d00 us", small));
    cpu_refused(room,
                (const char *const[]){"--cpus", half, "--cpu-period",
                                      say(g, "%d", grade_between(g, 100, 999)), NULL},
                "Invalid argument", "refusal-lost", "a period below 1000 us");
}

/* --- what the kernel allows ---------------------------------------------------------------------
 */

enum { PERIOD = 20000 };

struct burning {
    struct start start;
    struct counted now;
    unsigned long long periods, throttled; /* what is waited for */
};

static bool long_enough(void *arg)
{
    struct burning *burning = arg;

    burning->now = cpu_counted(burning->start.room, &burning->start.cpu, &burning->start.accounts,
                               burning->start.name);
    return burning->now.periods >= burning->periods && burning->now.throttled >= burning->throttled;
}

/* Waits for so many more periods, and for the quota to be used up in some of them. That it is not,
 * because neighbours take the CPU, is nobody's fault: then it is not exceeded, either. */
static struct counted wait_for(struct burning *burning, unsigned periods, unsigned throttled)
{
    struct grade *g = run_grade(burning->start.run);

    burning->periods = burning->now.periods + periods;
    burning->throttled = burning->now.throttled + throttled;
    if (!run_until(burning->start.run, long_enough, burning) &&
        burning->now.periods < burning->periods)
        fail(g, .because = "not-counted",
             .expected = "the periods of a group that burns CPU under a quota are counted",
             .kernel = say(g, "nr_periods is %llu, usage %llu us", burning->now.periods,
                           burning->now.usage),
             .see = "cat cpu.stat of the group");
    return burning->now;
}

/* Two that burn all they get, on any processor, share one quota. By the group's own counters they
 * get all of it in a period in which it was throttled, and never more. The kernel looks once a tick
 * on each processor, and takes an excess back in the next period: hence a tolerance of some ticks.
 * A small share, so that even a busy machine has it to give. */
static void check_measured(struct grade *g)
{
    unsigned long long percent = (unsigned)grade_between(g, 8, 20);
    const char *const options[] = {"--cpus", say(g, "%llum", percent * 10), "--cpu-period",
                                   say(g, "%d", PERIOD), NULL};
    struct burning burning = {.start = cpu_start(outside_open(g, false), options, NULL)};

    run_payload(burning.start.run);
    run_ask(burning.start.run, "spin 2");
    struct counted before = wait_for(&burning, 2, 1), after = wait_for(&burning, 16, 2);
    unsigned long long usage = after.usage - before.usage;
    unsigned long long periods = after.periods - before.periods;
    unsigned long long share = usage * 100 / (periods * PERIOD);
    unsigned long long least = (after.throttled - before.throttled) * PERIOD * percent / 100;
    unsigned long long most = periods * PERIOD * percent / 100;

    expect(g, usage <= most * 5 / 4 + 10000 && usage >= least * 3 / 4, .because = "not-held",
           .expected = say(g, "two workers under --cpus %s use %llu %% of a CPU together",
                           options[1], percent),
           .kernel = say(g, "they used %llu us in %llu periods of %d us: %llu %%", usage, periods,
                         PERIOD, share),
           .see = "cat cpu.stat of the group, twice");
}

void cpu_step_quota(struct grade *g)
{
    struct run *room = outside_open(g, false);

    check_amounts(room);
    check_quotas(g);
    check_refusals(room);
    check_measured(g);
}
