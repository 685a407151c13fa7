/* Lab 09, step 4: what exec may give, and what it no longer does. */
#include "graders/09-capabilities.h"

#include <string.h>

#include "grade/run.h"
#include "grade/step.h"

static void check_flag(struct run *run, pid_t pid, const char *who, bool allowed)
{
    struct grade *g = run_grade(run);
    struct powers powers = caps_of(run, pid);
    const char *see = "lab09 grep NoNewPrivs /proc/self/status";

    if (allowed) {
        expect(g, powers.no_new_privs == 0, .because = "not-asked",
               .expected = say(g, "--allow-new-privs: NoNewPrivs of %s is 0", who),
               .kernel = say(g, "NoNewPrivs 1 of process %d, and nobody asked for it", pid),
               .see = "lab09 --allow-new-privs grep NoNewPrivs /proc/self/status");
        return;
    }
    const char *bits = run_ask(run, "securebits");
    expect(g, strcmp(bits, "ok 0") == 0, .because = "securebits",
           .expected = say(g, "NoNewPrivs of %s is 1, and its securebits are as they were: 0", who),
           .kernel = say(g, "NoNewPrivs %d of process %d; its securebits were changed: %s",
                         powers.no_new_privs, pid, bits + 3),
           .see = see);
    expect(g, powers.no_new_privs == 1, .because = "not-set",
           .expected = say(g, "NoNewPrivs of %s is 1", who),
           .kernel = say(g, "/proc/%d/status of %s: NoNewPrivs is 0", pid, who), .see = see);
}

/* Whoever it is: an ordinary user, and a root to whom nothing is left. */
static void check_others(struct grade *g, bool allowed)
{
    const char *const user[] = {BARE, "--unlimited", allowed ? "--allow-new-privs" : NULL, NULL};
    const char *const nothing[] = {BARE, "--keep", "0", NULL};
    unsigned uid = (unsigned)grade_between(g, 1, 60000);
    const char *powers = say(g, "alone=%u:%u amb=%s", uid, uid, caps_text(g, IDENTITY)), *said;
    struct run *run = caps_start(g, NULL, NULL, powers, user);

    check_flag(run, run_payload(run)->pid, "an ordinary user's COMMAND", allowed);
    if (allowed || caps_run(run, NULL, nothing, &said) != 0) /* that it starts is for step 2 */
        return;
    run = caps_start(g, run, NULL, NULL, nothing);
    check_flag(run, run_payload(run)->pid, "COMMAND without a capability", allowed);
}

/* COMMAND, root, gives its powers away and executes something: a root gets them back by that. */
static void check_root(struct grade *g, bool allowed)
{
    const char *const arguments[] = {"--without=user", "--init",
                                     allowed ? "--allow-new-privs" : NULL, NULL};
    struct run *run = caps_start(g, NULL, NULL, NULL, arguments);
    pid_t pid = run_payload(run)->pid;

    check_flag(run, pid, "COMMAND", allowed);
    check_flag(run, caps_init(run), "the init, PID 1", allowed);
    outside_do(run, "capabilities 0");
    outside_do(run, "again /strata/probe");
    struct powers after = caps_of(run, pid);
    if (allowed && after.sets[PERMITTED] == 0)
        grade_error(g, 0, "a root that executes something gets no capability back");
    expect(g, allowed || after.sets[PERMITTED] == 0, .because = "given-back",
           .expected = "a root that gave all away has none after exec either",
           .kernel = say(g, "exec gave back CapPrm %s", caps_text(g, after.sets[PERMITTED])),
           .see = "capabilities(7), \"Transformation of capabilities during execve()\"");
}

/* COMMAND is an ordinary user and executes a file that would give it something. */
static void check_file(struct grade *g, struct run *room, const char *path, bool allowed)
{
    unsigned uid = (unsigned)grade_between(g, 1000, 60000);
    const char *const arguments[] = {
        BARE, "--unlimited", "-u", say(g, "%u:%u", uid, uid), allowed ? "--allow-new-privs" : NULL,
        NULL};
    struct run *run = caps_start(
        g, room, NULL, say(g, "uid=%u gid=%u groups= amb=%s", uid, uid, caps_text(g, IDENTITY)),
        arguments);
    pid_t pid = run_payload(run)->pid;
    struct powers before = caps_of(run, pid);

    outside_do(run, "again %s", path);
    struct powers after = caps_of(run, pid);
    bool gained =
        after.uid[1] != before.uid[1] || (after.sets[PERMITTED] & ~before.sets[PERMITTED]) != 0;
    if (allowed && !gained)
        grade_error(g, 0, "%s gave nothing to uid %u", path, uid);
    expect(g, allowed || !gained, .because = "file-gave",
           .expected = say(g, "%s gives uid %u nothing", path, uid),
           .kernel = say(g, "after exec: effective uid %u, CapPrm %s", after.uid[1],
                         caps_text(g, after.sets[PERMITTED])),
           .see = say(g, "ls -l %s; getcap %s", path, path));
}

static void check_files(struct grade *g)
{
    struct run *room = outside_open(g, false);
    const char *folder = say(g, "/tmp/%s", grade_word(g, 7));
    const char *set_uid = say(g, "%s/set-uid", folder), *caps = say(g, "%s/caps", folder);

    outside_do(room, "mkdir %s", folder);
    outside_do(room, "mount tmpfs %s 0", folder); /* /tmp itself is nosuid */
    outside_do(room, "copy 4755 /strata/probe %s", set_uid);
    outside_do(room, "copy 755 /strata/probe %s", caps);
    outside_do(room, "setcap %s 1 %s", caps_text(g, bit(SYS_ADMIN) | bit(NET_RAW)), caps);
    for (int allowed = 1; allowed >= 0; allowed--) {
        check_file(g, room, set_uid, allowed);
        check_file(g, room, caps, allowed);
    }
}

void caps_step_new_privs(struct grade *g)
{
    for (int allowed = 1; allowed >= 0; allowed--) {
        check_root(g, allowed);
        check_others(g, allowed);
    }
    if (run_ids(g) > 1)
        check_files(g);
}
