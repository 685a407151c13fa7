/* Lab 13, step 2: the counters of a group, and the share of periods in which a quota stopped it.
 * The group is one of ours: what steps 1 and 3 do is no matter. */
#include "graders/13-cpu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grade/mounts.h"

/* --- the counters -------------------------------------------------------------------------------
 */

/* A group with this quota, "QUOTA PERIOD" ("" for none), and the room's probe in it. */
static const char *make_group(struct run *room, const struct cgroups *cpu,
                              const struct cgroups *accounts, const char *quota)
{
    struct grade *g = run_grade(room);
    const char *name = say(g, "/%s", grade_word(g, 8));
    const char *period = strchr(quota, ' ');
    int pid = run_program_inside(room);

    if (cpu->version == 2)
        cgroups_shell(room, "echo +cpu >%s/cgroup.subtree_control", cpu->folder);
    cgroups_shell(room, "mkdir %s%s", cpu->folder, name);
    if (cpu->version == 2 && period != NULL)
        cgroups_shell(room, "echo '%s' >%s%s/cpu.max", quota, cpu->folder, name);
    else if (period != NULL)
        cgroups_shell(room, "cd %s%s; echo %s >cpu.cfs_period_us && echo %.*s >cpu.cfs_quota_us",
                      cpu->folder, name, period + 1, (int)(period - quota), quota);
    cgroups_shell(room, "mkdir -p %s%s && echo %d >%s%s/cgroup.procs", accounts->folder, name, pid,
                  accounts->folder, name);
    cgroups_shell(room, "echo %d >%s%s/cgroup.procs", pid, cpu->folder, name);
    return name;
}

static const char *counted_text(struct grade *g, const struct counted *c)
{
    return say(g, "usage_usec %llu\nperiods %llu\nthrottled %llu\nthrottled_usec %llu", c->usage,
               c->periods, c->throttled, c->throttled_usec);
}

/* The first line in which they differ: what was answered, and what it should have been. */
static void first_difference(struct grade *g, const char *said, const char *wanted,
                             const char **said_line, const char **wanted_line)
{
    while (*said != '\0' && *wanted != '\0' && strcspn(said, "\n") == strcspn(wanted, "\n") &&
           strncmp(said, wanted, strcspn(said, "\n")) == 0) {
        said += strcspn(said, "\n") + (strchr(said, '\n') != NULL);
        wanted += strcspn(wanted, "\n") + (strchr(wanted, '\n') != NULL);
    }
    *said_line = say(g, "%.*s", (int)strcspn(said, "\n"), said);
    *wanted_line = say(g, "%.*s", (int)strcspn(wanted, "\n"), wanted);
}

struct still {
    struct run *room;
    const struct cgroups *cpu, *accounts;
    const char *name;
    struct counted counted; /* the same before and after the question */
    const char *said;
};

/* Asked while nothing changes: a period may still end after the last work was done. */
static bool asked_while_still(void *arg)
{
    struct still *still = arg;
    struct grade *g = run_grade(still->room);

    still->counted = cpu_counted(still->room, still->cpu, still->accounts, still->name);
    still->said =
        cpu_answer(still->room, "--cpu-stat", say(g, "%d", run_program_inside(still->room)));
    struct counted after = cpu_counted(still->room, still->cpu, still->accounts, still->name);
    return memcmp(&after, &still->counted, sizeof after) == 0;
}

static void check_counters(struct run *room, const struct cgroups *cpu,
                           const struct cgroups *accounts, const char *name, const char *because,
                           const char *what)
{
    struct grade *g = run_grade(room);
    struct still still = {.room = room, .cpu = cpu, .accounts = accounts, .name = name};
    const char *said, *wanted;

    if (!run_until(room, asked_while_still, &still))
        grade_error(g, 0, "the counters of %s do not come to rest", name);
    const char *text = counted_text(g, &still.counted);
    first_difference(g, still.said, text, &said, &wanted);
    expect(g, strcmp(still.said, text) == 0, .because = because,
           .expected = say(g, "%s: %s", what, wanted),
           .kernel = say(g, "your program says: %s", said[0] != '\0' ? said : "nothing more"),
           .see = say(g, "cat %s%s/cpu.stat", cpu->folder, name));
}

static void check_no_stat(struct run *room, const char *what)
{
    struct grade *g = run_grade(room);
    const char *const arguments[] = {"--cpu-stat", say(g, "%d", run_program_inside(room)), NULL};
    const char *said;
    int status = outside_run(room, &(struct run_options){.arguments = arguments}, &said);

    expect(g, status == 125 && strstr(said, "No such file or directory") != NULL,
           .because = "no-stat", .expected = say(g, "%s: No such file or directory, 125", what),
           .kernel = say(g, "it ended with %d: %.80s", status, said),
           .see = "cgroup_read's result is an error, too");
}

/* Over the group lie folders of ours, with these counters in files of ours: other lines than this
 * kernel has, in another order. */
static void cover(struct run *room, const struct cgroups *cpu, const struct cgroups *accounts,
                  const char *name, const struct counted *old)
{
    if (strcmp(cpu->folder, accounts->folder) != 0)
        cgroups_shell(room, "mount -t tmpfs none %s%s", accounts->folder, name);
    cgroups_shell(room, "mount -t tmpfs none %s%s", cpu->folder, name);
    if (cpu->version == 2)
        cgroups_shell(room,
                      "echo 'burst_usec 1\nusage_usec %llu\nuser_usec 2\nmade_up_usec 3\n"
                      "throttled_usec %llu\nnr_throttled %llu\nnr_periods %llu\nnr_bursts 4' "
                      ">%s%s/cpu.stat",
                      old->usage, old->throttled_usec, old->throttled, old->periods, cpu->folder,
                      name);
    else
        cgroups_shell(room,
                      "echo 'burst_time 1\nmade_up_time 2\nthrottled_time %llu000\n"
                      "nr_throttled %llu\nnr_periods %llu\nnr_bursts 3' >%s%s/cpu.stat && "
                      "echo %llu000 >%s%s/cpuacct.usage",
                      old->throttled_usec, old->throttled, old->periods, cpu->folder, name,
                      old->usage, accounts->folder, name);
}

/* What a month leaves behind, and what another kernel writes: nobody can wait for either. */
static void check_old(struct run *room, const struct cgroups *cpu, const struct cgroups *accounts,
                      const char *name)
{
    struct grade *g = run_grade(room);
    unsigned some = (unsigned)grade_between(g, 100000, 999999);
    const struct counted old = {.usage = 7000000000 + some,
                                .periods = 6000000000 + some,
                                .throttled = 5000000000 + some,
                                .throttled_usec = 8000000000 + some};
    const char *said, *wanted, *text = counted_text(g, &old);

    cover(room, cpu, accounts, name, &old);
    const char *answer = cpu_answer(room, "--cpu-stat", say(g, "%d", run_program_inside(room)));
    first_difference(g, answer, text, &said, &wanted);
    expect(g, strcmp(answer, text) == 0, .because = "counters-old",
           .expected =
               say(g, "an old group, and a kernel with other lines in cpu.stat: %s", wanted),
           .kernel = say(g, "your program says: %s", said[0] != '\0' ? said : "nothing more"),
           .see = "cpu.h, struct cpu_stat: by their names, in 64 bits");
    cgroups_shell(room, "rm %s%s/cpu.stat", cpu->folder, name);
    check_no_stat(room, "a group that has no cpu.stat");
    cgroups_shell(room, "umount %s%s", cpu->folder, name);
    if (strcmp(cpu->folder, accounts->folder) != 0)
        cgroups_shell(room, "umount %s%s", accounts->folder, name);
}

static void check_stats(struct grade *g)
{
    struct run *room = outside_open(g, false);
    struct cgroups cpu = cgroups_of(g, room, "cpu"), accounts = cpu_accounts(room, &cpu);
    const char *free = make_group(room, &cpu, &accounts, "");

    outside_do(room, "burn user %d", grade_between(g, 2, 3));
    outside_do(room, "burn system %d", grade_between(g, 2, 3));
    check_counters(room, &cpu, &accounts, free, "counters-free", "a group without a quota");

    const char *name =
        make_group(room, &cpu, &accounts, say(g, "%d 10000", 100 * grade_between(g, 10, 15)));
    struct counted counted = {0};
    for (int i = 0; i < 10 && counted.throttled < 3; i++) { /* it may be that neighbours held it */
        outside_do(room, "burn user %d", grade_between(g, 3, 5));
        counted = cpu_counted(room, &cpu, &accounts, name);
    }
    if (counted.throttled == 0 || counted.throttled_usec == 0 || counted.usage == 0)
        grade_error(g, 0, "a group that burned CPU was not throttled");
    check_counters(room, &cpu, &accounts, name, "counters", "a group that was throttled");
    outside_do(room, "burn user %d", grade_between(g, 1, 3));
    check_counters(room, &cpu, &accounts, name, "counters", "the same group, after more work");
    check_old(room, &cpu, &accounts, name);
    if (cpu.version != 1)
        return;

    /* Without the hierarchy of cpuacct there is no usage; without that of cpu nothing at all. (They
     * may be one.) */
    if (strcmp(accounts.folder, cpu.folder) == 0)
        return;
    cgroups_shell(room, "umount %s", accounts.folder);
    const char *pid = say(g, "%d", run_program_inside(room));
    const char *answer = cpu_answer(room, "--cpu-stat", pid);
    expect(g, strncmp(answer, "usage_usec 0\n", 13) == 0 && strstr(answer, "\nperiods 0") == NULL,
           .because = "no-account",
           .expected = "where no hierarchy has cpuacct: usage_usec 0, and the other counters",
           .kernel = say(g, "your program says: %.60s", answer), .see = "cpu.h, struct cpu_stat");
}

/* In version 1 there may be no hierarchy of cpu at all. */
static void check_no_hierarchy(struct grade *g)
{
    struct run *room = outside_open(g, false);
    struct cgroups cpu = cgroups_of(g, room, "cpu");

    if (cpu.version != 1 || strcmp(cpu.folder, cgroups_of(g, room, "cpuacct").folder) == 0)
        return;
    cgroups_shell(room, "umount %s", cpu.folder);
    check_no_stat(room, "a group without the hierarchy of cpu");
}

/* --- the share ----------------------------------------------------------------------------------
 */

/* To the nearest hundredth of a percent, with no tie between two. */
static void check_share(struct run *room, unsigned long long periods, unsigned long long throttled,
                        unsigned long long more_periods, unsigned long long more_throttled)
{
    struct grade *g = run_grade(room);
    unsigned long long share =
        more_periods == 0 ? 0 : (more_throttled * 20000 + more_periods) / (2 * more_periods);
    const char *value = say(g, "%llu:%llu:%llu:%llu", periods, throttled, periods + more_periods,
                            throttled + more_throttled);
    const char *wanted = say(g, "%llu.%02llu %%", share / 100, share % 100);
    const char *said = cpu_answer(room, "--cpu-throttled", value);
    unsigned long long ever =
        periods + more_periods == 0
            ? 0
            : ((throttled + more_throttled) * 20000 + periods + more_periods) /
                  (2 * (periods + more_periods));
    bool is_ever = strcmp(said, say(g, "%llu.%02llu %%", ever / 100, ever % 100)) == 0;

    expect(g, strcmp(said, wanted) == 0,
           .because = more_periods == 0 ? "no-period"
                      : periods == 0    ? "share"
                                        : "share-since",
           .expected =
               say(g, "throttled in %llu of %llu periods, then in %llu of %llu: %s", throttled,
                   periods, throttled + more_throttled, periods + more_periods, wanted),
           .kernel = say(g, "your program says %.40s%s", said,
                         is_ever ? ", the share since the group was made" : ""),
           .see = say(g, "lab13 --cpu-throttled %s", value));
}

static void check_shares(struct run *room)
{
    struct grade *g = run_grade(room);
    unsigned long long periods = (unsigned)grade_between(g, 1000, 99999);
    unsigned long long throttled = (unsigned)grade_between(g, 1, 999);
    unsigned long long more = 7ULL * (unsigned)grade_between(g, 11, 999);

    check_share(room, 0, 0, 3, 1);                         /* 33.33: down */
    check_share(room, 0, 0, 3, 2);                         /* 66.67: up   */
    check_share(room, 0, 0, more, 5 * more / 7);           /* 71.43       */
    check_share(room, periods, throttled, more, more / 7); /* 14.29       */
    check_share(room, periods, throttled, 3 * more, 2 * more);
    check_share(room, periods, throttled, 1, 1); /* 100.00: one is enough */
    check_share(room, periods, throttled, more, 0);
    check_share(room, periods, throttled, 0, 0);
    check_share(room, 0, 0, 0, 0);
    check_share(room, 5000000000 + periods, 4000000000, 6000000000, 2000000000);
}

void cpu_step_throttled(struct grade *g)
{
    struct run *room = outside_open(g, false);

    check_shares(room);
    check_stats(g);
    check_no_hierarchy(g);
}
