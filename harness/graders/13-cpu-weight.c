/* Lab 13, steps 3 and 5: weights, as they are written, as the kernel takes them, and as Kubernetes
 * works them out. */
#include "graders/13-cpu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grade/mounts.h"

/* --- the file -----------------------------------------------------------------------------------
 */

static const char *weight_file(const struct cgroups *cpu)
{
    return cpu->version == 2 ? "cpu.weight" : "cpu.shares";
}

enum { BEFORE = 300 }; /* a weight that the group has had */

/* What stands in the file for a weight; the kernel's own rounding for version 1. */
static const char *weight_text(struct grade *g, const struct cgroups *cpu, int weight)
{
    return say(g, "%d", cpu->version == 2 ? weight : (weight * 1024 + 50) / 100);
}

static void check_weight_file(const struct start *start, int weight)
{
    struct grade *g = run_grade(start->run);
    const char *file = weight_file(&start->cpu), *wanted = weight_text(g, &start->cpu, weight);
    const char *shares = weight_text(g, &start->cpu, (weight * 1024 + 50) / 100);
    const char *before = weight_text(g, &start->cpu, BEFORE);
    const char *text = cgroups_read(start->room, &start->cpu, start->name, file);
    const char *quota = cpu_quota(start->room, &start->cpu, start->name);

    expect(g, text != NULL && strcmp(text, wanted) == 0, .because = "weight-file",
           .expected = say(g, "--cpu-weight %d: %s of the group is %s", weight, file, wanted),
           .kernel = say(g, "it is %s%s", text != NULL ? text : "not there",
                         text == NULL                ? ""
                         : strcmp(text, shares) == 0 ? ", shares in place of a weight"
                         : strcmp(text, before) == 0 ? ", what it was before"
                                                     : ""),
           .see = say(g, "cat %s/GROUP/%s", start->cpu.folder, file));
    expect(g, quota != NULL && strncmp(quota, "max", 3) == 0, .because = "weight-limits",
           .expected = "a weight sets no quota: who is alone gets everything",
           .kernel = say(g, "quota and period of the group are \"%s\"", quota != NULL ? quota : ""),
           .see = "cgroup-v2.rst, Weights and Limits");
}

/* In a group that has had another weight before. */
static void check_weight(struct run *room, int weight)
{
    struct grade *g = run_grade(room);
    const char *const options[] = {"--cgroup-conf", say(g, "cpu.weight=%d", BEFORE), "--cpu-weight",
                                   say(g, "%d", weight), NULL};
    struct start start = cpu_start(room, options, NULL);

    run_payload(start.run);
    check_weight_file(&start, weight);
}

/* --- two that want the same CPU ------------------------------------------------------------------
 */

struct pair {
    struct start starts[2];
    unsigned long long first[2], used[2]; /* microseconds: at the beginning, and since */
    unsigned long long enough;
};

static void read_pair(struct pair *pair)
{
    for (int i = 0; i < 2; i++) {
        struct start *start = &pair->starts[i];
        struct counted counted =
            cpu_counted(start->room, &start->cpu, &start->accounts, start->name);
        pair->used[i] = counted.usage - pair->first[i];
    }
}

static bool enough_used(void *arg)
{
    struct pair *pair = arg;

    read_pair(pair);
    return pair->used[0] + pair->used[1] >= pair->enough;
}

/* Waits until the two have used so many microseconds more, from now on. */
static void measure(struct pair *pair, unsigned long long microseconds)
{
    struct grade *g = run_grade(pair->starts[0].run);

    pair->first[0] = pair->first[1] = 0;
    read_pair(pair);
    memcpy(pair->first, pair->used, sizeof pair->first);
    pair->enough = microseconds;
    if (!run_until(pair->starts[0].run, enough_used, pair) &&
        pair->used[0] + pair->used[1] < microseconds / 3) /* neighbours leave nothing at all */
        grade_error(g, 0, "two that burn CPU used %llu us of it only",
                    pair->used[0] + pair->used[1]);
}

static int first_cpu(struct grade *g, pid_t pid)
{
    int list[1];

    if (cpu_list(cpu_allowed(g, pid), list, 1) == 0)
        grade_error(g, 0, "process %d may run on no CPU", pid);
    return list[0];
}

/* Neighbours take from both alike: only the ratio of the two is looked at. */
static void check_ratio(struct grade *g)
{
    struct run *room = outside_open(g, false);
    int light = grade_between(g, 40, 120), heavy = light * grade_between(g, 25, 45) / 10;
    int weights[2] = {heavy, light};
    struct pair pair;

    if (grade_between(g, 0, 1) == 1) {
        weights[0] = light;
        weights[1] = heavy;
    }
    for (int i = 0; i < 2; i++) {
        const char *const options[] = {"--cpu-weight", say(g, "%d", weights[i]), NULL};
        pair.starts[i] = cpu_start(room, options, NULL);
        int cpu = first_cpu(g, run_payload(pair.starts[i].run)->pid);
        check_weight_file(&pair.starts[i], weights[i]);
        run_ask(pair.starts[i].run, "pin %d", cpu);
    }
    run_ask(pair.starts[0].run, "spin 1");
    run_ask(pair.starts[1].run, "spin 1");
    measure(&pair, 40000); /* until both have begun in earnest */
    measure(&pair, 300000);
    unsigned long long sum = pair.used[0] + pair.used[1];
    int share = (int)(pair.used[0] * 1000 / sum);
    int wanted = weights[0] * 1000 / (weights[0] + weights[1]);
    expect(g, abs(share - wanted) <= 60, .because = "ratio",
           .expected = say(g, "weights %d and %d on one CPU: %d and %d %% of what both get",
                           weights[0], weights[1], (wanted + 5) / 10, (1005 - wanted) / 10),
           .kernel =
               say(g, "%d and %d %% of %llu ms", (share + 5) / 10, (1005 - share) / 10, sum / 1000),
           .see = "two at once: lab13 --cpu-weight N -- grind 500, pinned to one CPU");
}

static void check_no_weight(struct run *room, const char *weight)
{
    cpu_refused(room, (const char *const[]){"--cpu-weight", weight, NULL},
                "Numerical result out of range", "out-of-range",
                say(run_grade(room), "a weight of %s", weight));
}

void cpu_step_weight(struct grade *g)
{
    struct run *room = outside_open(g, false);

    check_weight(room, 1);
    check_weight(room, 100);
    check_weight(room, 10000);
    check_no_weight(room, "0");
    check_no_weight(room, "10001");
    check_no_weight(room, say(g, "%d", 65536 + grade_between(g, 1, 4000))); /* in 16 bits, one */
    check_no_weight(room, "4294967295");                                    /* in an int, -1 */
    check_ratio(g);
}

/* --- Kubernetes ---------------------------------------------------------------------------------
 */

static void check_request(struct run *room, unsigned long long millis)
{
    struct grade *g = run_grade(room);
    unsigned long long shares = millis * 1024 / 1000;
    int said_shares = -1, said_weight = -1;

    shares = shares < 2 ? 2 : shares > 262144 ? 262144 : shares;
    unsigned long long weight = 1 + (shares - 2) * 9999 / 262142;
    const char *said = cpu_answer(room, "--cpu-request", say(g, "%llum", millis));
    sscanf(said, "shares %d\nweight %d", &said_shares, &said_weight);
    expect(g, said_shares == (int)shares,
           .because = shares == 2        ? "shares-least"
                      : shares == 262144 ? "shares-most"
                                         : "shares",
           .expected = say(g, "a request of %llum is %llu shares", millis, shares),
           .kernel = say(g, "your program says %d", said_shares),
           .see = say(g, "lab13 --cpu-request %llum", millis));
    expect(g, said_weight == (int)weight, .because = "request-weight",
           .expected = say(g, "a request of %llum, %llu shares, is a weight of %llu", millis,
                           shares, weight),
           .kernel = say(g, "your program says %d", said_weight),
           .see = "cpu.h: 1 + ((shares - 2) * 9999) / 262142");
}

void cpu_step_units(struct grade *g)
{
    /* The last, times 1024, is 1024 in 32 bits. */
    static const unsigned edges[] = {1, 0, 2, 3, 250, 999, 1000, 255999, 256000, 256001, 4194305};
    struct run *room = outside_open(g, false);

    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++)
        check_request(room, edges[i]);
    check_request(room, (unsigned)grade_between(g, 4, 999));
    check_request(room, (unsigned)grade_between(g, 1001, 255000));
    check_request(room, (unsigned)grade_between(g, 260000, 1000000000));
    check_request(room, 1000000000);
}
