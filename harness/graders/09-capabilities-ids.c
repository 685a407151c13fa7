/* Lab 09, step 1: who COMMAND is. */
#include "graders/09-capabilities.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "grade/run.h"
#include "grade/step.h"
#include "grade/trace.h"

/* As many as --group-add takes: whoever copies them into a list of his own sees how long it is. */
enum { MANY = 32, SHOWN = 5 };

/* "7 9 1000", for verdicts; "7 9 11 13 15 and 27 more". */
static const char *groups_text(struct grade *g, const struct powers *powers)
{
    size_t count = powers->group_count, shown = count > SHOWN + 1 ? SHOWN : count;
    const char *text = "";

    for (size_t i = 0; i < shown; i++)
        text = say(g, "%s%s%u", text, i > 0 ? " " : "", powers->groups[i]);
    if (shown < count)
        return say(g, "%s and %zu more", text, count - shown);
    return count == 0 ? "none" : text;
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
    gid_t groups[MANY];
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

/* "-u UID:GID --group-add GROUP ..." of `wanted`, after the options that are there. */
static void add_options(struct grade *g, const struct wanted *wanted, const char **arguments)
{
    while (*arguments != NULL)
        arguments++;
    *arguments++ = "-u";
    *arguments++ = say(g, "%u:%u", wanted->uid, wanted->gid);
    for (size_t i = 0; i < wanted->count; i++) {
        *arguments++ = "--group-add";
        *arguments++ = say(g, "%u", wanted->groups[i]);
    }
}

static struct wanted somebody(struct grade *g, size_t count)
{
    struct wanted wanted = {.uid = (uid_t)grade_between(g, 2000, 20000),
                            .gid = (gid_t)grade_between(g, 20001, 40000),
                            .count = count};

    for (int i = 0; i + 1 < (int)count; i++)
        wanted.groups[i] = (gid_t)grade_between(g, 40001 + 700 * i, 40700 + 700 * i);
    wanted.groups[count - 1] = 65535;
    wanted.asked = say(g, "-u %u:%u", wanted.uid, wanted.gid);
    return wanted;
}

/* Another user, started by a root that is in other groups. The init has executed nothing, so that
 * it still has what was permitted before. */
static void check_becomes(struct grade *g)
{
    unsigned before[2] = {(unsigned)grade_between(g, 2, 900),
                          (unsigned)grade_between(g, 901, 1900)};
    struct wanted wanted = somebody(g, MANY);
    const char *arguments[6 + 2 * MANY] = {"--without=user", "--unlimited", "--init"};

    add_options(g, &wanted, arguments);
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

enum who { GROUPS, GID, UID, NOBODY };

static enum who changes(const struct trace_call *call)
{
    switch (call->number) {
    case SYS_setgroups:
        return GROUPS;
    case SYS_setgid:
    case SYS_setregid:
    case SYS_setresgid:
        return GID;
    case SYS_setuid:
    case SYS_setreuid:
    case SYS_setresuid:
        return UID;
    default:
        return NOBODY;
    }
}

/* What cannot be seen afterwards: in which order it was, and that the flag which kept the permitted
 * set is off again, for a process that does not execute anything keeps it. */
static void check_order(struct grade *g, struct run *room)
{
    static const char *const names[] = {"setgroups", "setresgid", "setresuid"};
    const char *arguments[12] = {"--without=user", "--unlimited"}, *see = "make trace09";
    struct wanted wanted = somebody(g, 2);
    enum who last = GROUPS;
    uint64_t keeps = 0;
    struct trace *trace;

    add_options(g, &wanted, arguments);
    struct run *run =
        trace_start(g, &(struct run_options){.arguments = arguments, .beside = room}, &trace);
    pid_t pid = run_payload(run)->pid;
    trace_finish(trace);
    for (size_t i = 0; i < trace_count(trace); i++) {
        const struct trace_call *call = trace_at(trace, i);
        if (call->pid != pid || !call->done || call->result != 0)
            continue;
        if (call->number == SYS_prctl && call->args[0] == PR_SET_KEEPCAPS)
            keeps = call->args[1];
        enum who now = changes(call);
        if (now == NOBODY)
            continue;
        expect(g, now >= last, .because = "order",
               .expected = "setgroups(2), then the gid, then the uid",
               .kernel = say(g, "the system calls of process %d: %s comes after %s", pid,
                             names[now], names[last]),
               .see = see);
        last = now;
    }
    expect(g, keeps == 0, .because = "keepcaps",
           .expected = "PR_SET_KEEPCAPS is off again after the change of uid",
           .kernel = say(g, "the last prctl(PR_SET_KEEPCAPS) of process %d sets it", pid),
           .see = see);
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

struct refusal {
    const char *powers, *option, *value;
    int error;
    const char *because, *what;
};

static void check_refused(struct run *room, const struct refusal *refusal)
{
    struct grade *g = run_grade(room);
    const char *option = refusal->option;
    const char *const arguments[] = {BARE, "--unlimited", option, refusal->value, NULL};
    const char *said;
    int status = caps_run(room, refusal->powers, arguments, &said);
    const char *typed = option != NULL ? say(g, "%s %s", option, refusal->value) : "no option";
    const char *see = say(g, "lab09 %s id; echo $?", option != NULL ? typed : "");

    expect(g, status == REFUSED && strstr(said, "capabilities_become: ") != NULL,
           .because = refusal->because,
           .expected = say(g, "%s, %s: an error, status 125", typed, refusal->what),
           .kernel = say(g, "exit status %d: COMMAND ran, though %s", status, refusal->what),
           .see = see);
    expect(g, strstr(said, strerror(refusal->error)) != NULL, .because = "wrong-error",
           .expected = say(g, "%s, %s: %s", typed, refusal->what, strerror(refusal->error)),
           .kernel = say(g, "another error: %.60s", said), .see = see);
}

static void check_refusals(struct grade *g, struct run *room)
{
    const char *far = say(g, "%d", grade_between(g, 65536, 99999));
    const char *unmapped = "that id is not mapped here";
    const struct refusal refusals[] = {
        {NULL, "-u", far, EINVAL, "unmapped", unmapped},
        {NULL, "-u", say(g, "0:%s", far), EINVAL, "unmapped", unmapped},
        {NULL, "--group-add", far, EINVAL, "unmapped", "that group is not mapped here"},
        {NULL, "-u", "4294967295:0", EINVAL, "minus-one", "(uid_t)-1 is nobody's number"},
        {NULL, "-u", "0:4294967295", EINVAL, "minus-one", "(gid_t)-1 is nobody's number"},
        {say(g, "groups=%d alone", grade_between(g, 2, 900)), "--group-add", "0", EPERM,
         "denied-ignored", "setgroups is denied in this user namespace"},
        /* Not denied, only not permitted: then the groups of before would stay. */
        {say(g, "groups=%d bnd=%s", grade_between(g, 2, 900),
             caps_text(g, caps_known(g) & ~bit(SETGID))),
         NULL, NULL, EPERM, "groups-kept", "setgroups(2) was EPERM and its groups stay"},
    };

    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        check_refused(room, &refusals[i]);
}

static void check_accepted(struct run *room, const char *powers, const char *who,
                           const char *because, const char *expected, const char *see)
{
    struct grade *g = run_grade(room);
    const char *const arguments[] = {BARE, "--unlimited", who != NULL ? "-u" : NULL, who, NULL};
    const char *said;
    int status = caps_run(room, powers, arguments, &said);

    expect(g, status == 0, .because = because, .expected = expected,
           .kernel = say(g, "exit status %d: %.80s", status, said), .see = see);
}

/* Ids that look as if they were none: as numbers of 16 bits, and as signed ones of 32. */
static void check_odd_ids(struct grade *g, struct run *room)
{
    const uint32_t half = UINT32_C(1) << 31;
    uint32_t uid = half + grade_random(g, half - 1), gid = half + grade_random(g, half - 1);
    const char *who[] = {"65535:65534", "65534:65535", say(g, "%u:%u", uid, gid)};
    const char *other = say(g, "alone=%s amb=%s", who[2], caps_text(g, caps_known(g)));

    for (size_t i = 0; i < sizeof who / sizeof *who; i++)
        check_accepted(room, i == 2 ? other : NULL, who[i], "odd-id",
                       say(g, "-u %s, all mapped here: only -1 is no id", who[i]),
                       say(g, "lab09 -u %s id; cat /proc/self/uid_map", who[i]));
}

void caps_step_ids(struct grade *g)
{
    check_becomes(g);
    check_root(g);

    struct run *room = outside_open(g, false);
    check_order(g, room);
    check_refusals(g, room);
    check_odd_ids(g, room);
    /* A user namespace of one id, in which setgroups is denied, as ordinary users make it. */
    check_accepted(room, say(g, "groups=%d alone", grade_between(g, 2, 900)), NULL, "denied",
                   "where setgroups is denied and no group was asked for: no failure",
                   "unshare -r lab09 --without=user id; cat /proc/self/setgroups");
}
