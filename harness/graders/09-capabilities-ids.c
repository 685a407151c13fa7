/* Lab 09, step 1: who COMMAND is. */
#include "graders/09-capabilities.h"

#include <string.h>

#include "grade/run.h"
#include "grade/step.h"

/* "7 9 1000", for verdicts. */
static const char *groups_text(struct grade *g, const struct powers *powers)
{
    const char *text = "";

    for (size_t i = 0; i < powers->group_count; i++)
        text = say(g, "%s%s%u", text, i > 0 ? " " : "", powers->groups[i]);
    return powers->group_count == 0 ? "none" : text;
}

static bool has_group(const struct powers *powers, gid_t gid)
{
    for (size_t i = 0; i < powers->group_count; i++)
        if (powers->groups[i] == gid)
            return true;
    return false;
}

/* What a process is to be. */
struct wanted {
    const char *asked;
    uid_t uid;
    gid_t gid;
    gid_t groups[3];
    size_t count;
};

static void check_four(struct run *run, const struct powers *powers, const char *line,
                       const unsigned ids[4], unsigned wanted, const char *asked)
{
    static const char *const kinds[] = {"real", "effective", "saved", "file system"};
    static const char *const because[] = {"real", "effective", "saved", "effective"};
    struct grade *g = run_grade(run);
    const char *name = line[0] == 'U' ? "uid" : "gid";

    for (size_t i = 0; i < 4; i++)
        expect(g, ids[i] == wanted, .because = say(g, "%s-%s", because[i], name),
               .expected =
                   say(g, "%s: %s %u %u %u %u", asked, line, wanted, wanted, wanted, wanted),
               .kernel = say(g, "%s %u %u %u %u of process %d: the %s %s is not %u%s", line, ids[0],
                             ids[1], ids[2], ids[3], powers->pid, kinds[i], name, wanted,
                             i == 0 && ids[1] == wanted ? ", though the effective one is" : ""),
               .see = say(g, "lab09 -u 1000:1000 grep %s /proc/self/status", line));
}

static void check_identity(struct run *run, pid_t pid, const struct wanted *wanted)
{
    struct grade *g = run_grade(run);
    struct powers powers = caps_of(run, pid);
    const char *see = "lab09 -u 1000 --group-add 7 grep -E '^(Uid|Gid|Groups)' /proc/self/status";

    check_four(run, &powers, "Uid", powers.uid, wanted->uid, wanted->asked);
    check_four(run, &powers, "Gid", powers.gid, wanted->gid, wanted->asked);
    for (size_t i = 0; i < powers.group_count; i++) {
        bool known = powers.groups[i] == wanted->gid; /* a member of that it is anyway */
        for (size_t k = 0; k < wanted->count; k++)
            known |= powers.groups[i] == wanted->groups[k];
        expect(g, known, .because = "more-groups",
               .expected = say(g, "%s: no group of before is left", wanted->asked),
               .kernel = say(g, "Groups of process %d: %s; it still is in group %u", pid,
                             groups_text(g, &powers), powers.groups[i]),
               .see = see);
    }
    for (size_t k = 0; k < wanted->count; k++)
        expect(g, has_group(&powers, wanted->groups[k]), .because = "fewer-groups",
               .expected = say(g, "%s: a member of group %u", wanted->asked, wanted->groups[k]),
               .kernel = say(g, "Groups of process %d: %s; it is not among them", pid,
                             groups_text(g, &powers)),
               .see = see);
}

/* Another user, started by a root that is in other groups. The init has executed nothing, so that
 * it still has what was permitted before. */
static void check_becomes(struct grade *g)
{
    unsigned before[2] = {(unsigned)grade_between(g, 2, 900),
                          (unsigned)grade_between(g, 901, 1900)};
    struct wanted wanted = {.uid = (uid_t)grade_between(g, 2000, 20000),
                            .gid = (gid_t)grade_between(g, 20001, 40000),
                            .groups = {(gid_t)grade_between(g, 40001, 50000),
                                       (gid_t)grade_between(g, 50001, 60000), 65535},
                            .count = 3};
    wanted.asked = say(g, "-u %u:%u", wanted.uid, wanted.gid);
    const char *const arguments[] = {"--without=user",
                                     "--unlimited",
                                     "--init",
                                     "-u",
                                     say(g, "%u:%u", wanted.uid, wanted.gid),
                                     "--group-add",
                                     say(g, "%u", wanted.groups[0]),
                                     "--group-add",
                                     say(g, "%u", wanted.groups[1]),
                                     "--group-add",
                                     say(g, "%u", wanted.groups[2]),
                                     NULL};
    struct run *run = caps_start(
        g, NULL, NULL, say(g, "groups=%u,%u gid=%u", before[0], before[1], before[0]), arguments);
    const struct wanted kept = {.asked = "lab09 itself stays as it is",
                                .gid = before[0],
                                .groups = {before[0], before[1]},
                                .count = 2};

    check_identity(run, run_payload(run)->pid, &wanted);
    pid_t init = caps_init(run);
    check_identity(run, init, &wanted);
    check_identity(run, run_program_pid(run), &kept);

    struct powers powers = caps_of(run, init);
    uint64_t all = caps_known(g);
    expect(g, powers.sets[PERMITTED] == all, .because = "permitted-lost",
           .expected =
               say(g, "what was permitted still is: CapPrm of the init is %s", caps_text(g, all)),
           .kernel = say(g, "the change of uid took it: CapPrm %s of process %d",
                         caps_text(g, powers.sets[PERMITTED]), init),
           .see = "capabilities(7), \"Effect of user ID changes on capabilities\"");
    const char *bits = run_ask(run, "securebits");
    expect(g, strcmp(bits, "ok 0") == 0, .because = "securebits",
           .expected = "the securebits that COMMAND has are as they were: 0",
           .kernel = say(g, "prctl(PR_GET_SECUREBITS) in COMMAND: %s", bits),
           .see = "capabilities(7), \"The securebits flags\"");
}

/* Without -u: root, and in no group, whatever the caller was. */
static void check_root(struct grade *g)
{
    unsigned group = (unsigned)grade_between(g, 2, 900);
    const char *const arguments[] = {"--without=user", "--unlimited", NULL};
    struct run *run = caps_start(g, NULL, NULL,
                                 say(g, "groups=%u,%u gid=%u", group, group + 1, group), arguments);

    check_identity(run, run_payload(run)->pid, &(struct wanted){.asked = "without -u"});
}

static void check_refused(struct run *room, const char *powers, const char *option,
                          const char *value, const char *because, const char *what)
{
    struct grade *g = run_grade(room);
    const char *const arguments[] = {BARE, "--unlimited", option, value, NULL};
    const char *said;
    int status = caps_run(room, powers, arguments, &said);
    const char *typed = option != NULL ? say(g, "%s %s", option, value) : "no option";

    expect(g, status == REFUSED && strstr(said, "capabilities_become: ") != NULL,
           .because = because, .expected = say(g, "%s, %s: an error, status 125", typed, what),
           .kernel = say(g, "exit status %d: COMMAND ran, though %s", status, what),
           .see = say(g, "lab09 %s id; echo $?", option != NULL ? typed : ""));
}

/* A user namespace of one id, in which setgroups is denied, as ordinary users make it. */
static void check_denied(struct grade *g, struct run *room)
{
    const char *const arguments[] = {BARE, "--unlimited", NULL};
    const char *powers = say(g, "groups=%d alone", grade_between(g, 2, 900)), *said;
    int status = caps_run(room, powers, arguments, &said);

    expect(g, status == 0, .because = "denied",
           .expected = "where setgroups is denied and no group was asked for: no failure",
           .kernel = say(g, "exit status %d, and setgroups(2) was EPERM", status),
           .see = "unshare -r lab09 --without=user id; cat /proc/self/setgroups");
    check_refused(room, powers, "--group-add", "0", "denied-ignored",
                  "setgroups is denied in this user namespace");
}

void caps_step_ids(struct grade *g)
{
    check_becomes(g);
    check_root(g);

    struct run *room = outside_open(g, false);
    check_refused(room, NULL, "-u", say(g, "%d", grade_between(g, 65536, 99999)), "unmapped",
                  "that id is not mapped here");
    check_refused(room, NULL, "-u", say(g, "0:%d", grade_between(g, 65536, 99999)), "unmapped",
                  "that id is not mapped here");
    check_refused(room, NULL, "-u", "4294967295:0", "minus-one", "(uid_t)-1 is nobody's number");
    check_refused(room, NULL, "-u", "0:4294967295", "minus-one", "(gid_t)-1 is nobody's number");
    check_denied(g, room);
    /* Not denied, only not permitted: then the groups of before would stay. */
    check_refused(room,
                  say(g, "groups=%d bnd=%s", grade_between(g, 2, 900),
                      caps_text(g, caps_known(g) & ~bit(SETGID))),
                  NULL, NULL, "groups-kept", "setgroups(2) was EPERM and its groups stay");
}
