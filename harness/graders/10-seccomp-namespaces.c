/* Lab 10, step 4: no way to a new namespace, and none closed that leads elsewhere. */
#include "graders/10-seccomp.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

#include "grade/mounts.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

static const struct {
    const char *name;
    unsigned flag;
} kinds[] = {{"CLONE_NEWNS", CLONE_NEWNS},     {"CLONE_NEWCGROUP", CLONE_NEWCGROUP},
             {"CLONE_NEWUTS", CLONE_NEWUTS},   {"CLONE_NEWIPC", CLONE_NEWIPC},
             {"CLONE_NEWUSER", CLONE_NEWUSER}, {"CLONE_NEWPID", CLONE_NEWPID},
             {"CLONE_NEWNET", CLONE_NEWNET},   {"CLONE_NEWTIME", CLONE_NEWTIME}};
enum { KINDS = sizeof kinds / sizeof *kinds };

struct pair {
    struct run *without, *with;
    int unshare; /* its number */
};

static struct attempt try_unshare(struct run *run, const struct pair *pair, unsigned flags)
{
    return filter_try(run, "call %d %u", pair->unshare, flags);
}

/* It works without the filter, and with it is refused. */
static void check_refused(struct grade *g, const struct attempt *without,
                          const struct attempt *with, int error, const char *because,
                          const char *what)
{
    if (without->error != 0 || without->result < 0 || without->signal != 0)
        return; /* this kernel has no such namespaces */
    expect(g, with->error == 0 && with->signal == 0 && with->result == -error, .because = because,
           .expected = say(g, "%s: %s", what, filter_error_name(g, error)),
           .kernel = say(g, "%s: %s", what, filter_attempt_text(g, with)),
           .see = "unshare(1) and strace in make shell10: lab10 --unlimited unshare -u true");
}

/* Is there any rule at all? */
static void check_touched(struct grade *g, const struct pair *pair)
{
    struct attempt clone = filter_try(pair->with, "clone 0 %u", (unsigned)CLONE_NEWUTS);
    struct attempt clone3 = filter_try(pair->with, "clone3 0 %u", (unsigned)CLONE_NEWUTS);
    struct attempt unshare = try_unshare(pair->with, pair, CLONE_NEWUTS);

    expect(g, clone.result != 0 || clone3.result != 0 || unshare.result != 0,
           .because = "untouched", .expected = "no way to a new namespace",
           .kernel = "clone, clone3 and unshare each make a new UTS namespace",
           .see = "lab10 --unlimited unshare -u true; echo $?");
}

static void check_kinds(struct grade *g, const struct pair *pair)
{
    for (size_t i = 0; i < KINDS; i++) {
        unsigned flag = kinds[i].flag;
        if (flag != CLONE_NEWTIME) { /* in clone's flags this is part of a signal's number */
            struct attempt without = filter_try(pair->without, "clone 0 %u", flag);
            struct attempt with = filter_try(pair->with, "clone 0 %u", flag);
            check_refused(g, &without, &with, EPERM, "clone", say(g, "clone(%s)", kinds[i].name));
        }
        struct attempt without = try_unshare(pair->without, pair, flag);
        struct attempt with = try_unshare(pair->with, pair, flag);
        check_refused(g, &without, &with, EPERM, "unshare", say(g, "unshare(%s)", kinds[i].name));
        without = filter_try(pair->without, "clone3 0 %u", flag);
        with = filter_try(pair->with, "clone3 0 %u", flag);
        check_refused(g, &without, &with, ENOSYS, "clone3", say(g, "clone3(%s)", kinds[i].name));
    }
}

/* Several at once, other flags beside them, and bits that the kernel does not look at. */
static void check_mixed(struct grade *g, const struct pair *pair)
{
    for (int i = 0; i < 4; i++) {
        unsigned a = kinds[grade_random(g, KINDS - 1)].flag,
                 b = kinds[grade_random(g, KINDS - 1)].flag;
        unsigned long long flags = a | b | CLONE_FILES;
        if (((a | b) & CLONE_NEWNS) == 0 && ((a | b) & CLONE_NEWUSER) == 0)
            flags |= CLONE_FS;
        struct attempt without = filter_try(pair->without, "clone 0 %llu", flags);
        struct attempt with = filter_try(pair->with, "clone 0 %llu", flags);
        check_refused(g, &without, &with, EPERM, "clone", say(g, "clone(0x%llx)", flags));
        without = try_unshare(pair->without, pair, (unsigned)flags);
        with = try_unshare(pair->with, pair, (unsigned)flags);
        check_refused(g, &without, &with, EPERM, "unshare", say(g, "unshare(0x%llx)", flags));
        flags |= (unsigned long long)grade_between(g, 1, 1000) << 32;
        if (sizeof(long) == 8) {
            without = filter_try(pair->without, "clone 0 %llu", flags);
            with = filter_try(pair->with, "clone 0 %llu", flags);
            check_refused(g, &without, &with, EPERM, "clone", say(g, "clone(0x%llx)", flags));
        }
    }
    struct attempt without = filter_try(pair->without, "clone3 0 0");
    struct attempt with = filter_try(pair->with, "clone3 0 0");
    check_refused(g, &without, &with, ENOSYS, "clone3", "clone3 without any flag");
    /* A bad fd shows how far setns came. */
    int setns_number = filter_number("setns");
    with = filter_try(pair->with, "call %d 99 0", setns_number);
    expect(g, with.error == 0 && with.signal == 0 && with.result == -EPERM, .because = "setns",
           .expected = "setns with a bad fd: EPERM, where the kernel itself says EBADF",
           .kernel = say(g, "setns: %s", filter_attempt_text(g, &with)), .see = "setns(2)");
}

/* Processes and threads are made as before. */
static void check_left_alone(struct grade *g, const struct pair *pair)
{
    static const struct {
        const char *verb, *what;
    } tries[] = {{"clone 0 0", "clone without flags (fork)"},
                 {"clone 0 1024", "clone(CLONE_FILES)"},
                 {"clone 0 16896", "clone(CLONE_FS|CLONE_VFORK)"}};

    for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
        struct attempt with = filter_try(pair->with, "%s", tries[i].verb);
        expect(g, with.error == 0 && with.signal == 0 && with.result == 0, .because = "no-process",
               .expected = say(g, "%s makes a process", tries[i].what),
               .kernel = say(g, "%s: %s", tries[i].what, filter_attempt_text(g, &with)),
               .see = "lab10 sh -c 'ls | wc -l'");
    }
    const unsigned plain[] = {0, CLONE_FILES, CLONE_FS | CLONE_SYSVSEM};
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        struct attempt with = try_unshare(pair->with, pair, plain[i]);
        expect(g, with.error == 0 && with.signal == 0 && with.result == 0, .because = "no-unshare",
               .expected =
                   say(g, "unshare works with flags 0x%x, no namespace among them", plain[i]),
               .kernel = say(g, "it gives %s", filter_attempt_text(g, &with)),
               .see = "unshare(2): CLONE_FILES, CLONE_FS");
    }
    filter_check_doors(pair->with, 64,
                       &(struct filter_reasons){"clone", "unshare", "setns", "clone3", "no-process",
                                                "no-unshare"});
    int count = grade_between(g, 2, 6);
    const char *reply = run_ask(pair->with, "threads %d", count);
    expect(g, strcmp(reply, "ok") == 0, .because = "no-threads",
           .expected = say(g, "COMMAND can start %d threads", count),
           .kernel = say(g, "pthread_create: %s (errno)", reply),
           .see = "clone(2): what does libc do when clone3 gives ENOSYS?");
}

/* The same doors for 32-bit programs, if the filter is about them at all (step 3). */
static void check_sister(struct grade *g, const struct pair *pair, const struct victim *victim)
{
    int number = filter_number_32("unshare"), clone = filter_number_32("clone");

    if (number < 0)
        return;
    struct attempt known =
        filter_try(pair->with, "call32 %d %s", filter_number_32(victim->name), victim->arguments);
    if (known.error != 0 || known.signal != 0 || known.result != -victim->error)
        return;
    for (size_t i = 0; i < KINDS - 1; i++) {
        struct attempt without = filter_try(pair->without, "call32 %d %u", number, kinds[i].flag);
        struct attempt with = filter_try(pair->with, "call32 %d %u", number, kinds[i].flag);
        check_refused(g, &without, &with, EPERM, "sister",
                      say(g, "by int 0x80, unshare(%s)", kinds[i].name));
        without = filter_try(pair->without, "call32 %d %u 0", clone, kinds[i].flag | 17);
        with = filter_try(pair->with, "call32 %d %u 0", clone, kinds[i].flag | 17);
        check_refused(g, &without, &with, EPERM, "sister",
                      say(g, "by int 0x80, clone(%s)", kinds[i].name));
    }
    struct attempt with = filter_try(pair->with, "call32 %d 0 0", filter_number_32("clone3"));
    expect(g, with.signal == 0 && with.result == -ENOSYS, .because = "sister",
           .expected = "by int 0x80, clone3: ENOSYS",
           .kernel = say(g, "by int 0x80, clone3: %s", filter_attempt_text(g, &with)),
           .see = "seccomp_arch_add(3): to whom does a rule apply?");
    filter_check_doors(
        pair->with, 32,
        &(struct filter_reasons){"sister", "sister", "sister", "sister", "sister", "sister"});
}

void filter_stepnamespaces(struct grade *g)
{
    struct victim victims[VICTIMS];
    const char *const first[] = {"--unlimited", "--seccomp-open", NULL};
    struct run *room = outside_open(g, false);

    filter_draw(g, victims);
    const char *const *arguments = filter_refusing(g, victims, first);
    struct pair pair = {.unshare = filter_number("unshare")};
    pair.without = filter_start_without(g, room, arguments);
    pair.with = filter_start(g, room, arguments);

    /* Presence: root of its user namespace, with all capabilities, may make namespaces. */
    struct attempt makes = try_unshare(pair.without, &pair, CLONE_NEWUTS);
    if (makes.error != 0 || makes.result != 0)
        grade_error(g, (int)makes.result, "without a filter no namespace can be made either");
    filter_check_loaded(room, pair.with);
    check_touched(g, &pair);
    check_kinds(g, &pair);
    check_mixed(g, &pair);
    check_left_alone(g, &pair);
    check_sister(g, &pair, &victims[0]);
}
