/* Lab 08, step 4: COMMAND is root inside, and outside its files are the caller's. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "graders/08-user.h"

/* How the room sees the owner of a file: "1000:1000". */
static const char *owner_of(struct run *outside, const char *path)
{
    unsigned uid, gid;

    if (sscanf(outside_do(outside, "stat %s", path), "%*o %*s %*s %*s %*s %u %u", &uid, &gid) != 2)
        grade_error(run_grade(outside), 0, "stat %s has no owner in it", path);
    return say(run_grade(outside), "%u:%u", uid, gid);
}

static const char *path_in_tmp(struct grade *g)
{
    return say(g, "/tmp/%s", grade_word(g, 9));
}

/* Real, effective, saved, and that of the file system: all 0 inside, all the same one outside. */
static void check_root(struct run *outside, struct run *run, unsigned uid, unsigned gid)
{
    struct grade *g = run_grade(run);
    struct kernel_status inside = user_status_of_self(run);
    struct kernel_status room = user_status_of_room(outside, run_payload(run)->pid);

    expect(g, user_ids_are(inside.uid, 0) && user_ids_are(inside.gid, 0), .because = "not-root",
           .expected = "COMMAND: uid 0 and gid 0, real, effective, saved, of files",
           .kernel =
               say(g, "Uid %s; Gid %s", user_ids_text(g, inside.uid), user_ids_text(g, inside.gid)),
           .see = "lab08 --map 0:100:10 grep '[UG]id' /proc/self/status");
    expect(g, inside.cap_eff != 0 && inside.cap_eff == inside.cap_bnd, .because = "no-powers",
           .expected = "COMMAND has all capabilities over its user namespace",
           .kernel = say(g, "CapEff %016llx, CapBnd %016llx", (unsigned long long)inside.cap_eff,
                         (unsigned long long)inside.cap_bnd),
           .see = "lab08 grep Cap /proc/self/status");
    expect(g, user_ids_are(room.uid, uid) && user_ids_are(room.gid, gid),
           .because = "other-outside", .expected = say(g, "outside it is uid %u, gid %u", uid, gid),
           .kernel =
               say(g, "Uid %s; Gid %s", user_ids_text(g, room.uid), user_ids_text(g, room.gid)),
           .see = "ps -o pid,uid,gid,args, in another shell");
}

static void check_file(struct run *outside, struct run *run, unsigned uid, unsigned gid)
{
    struct grade *g = run_grade(run);
    const char *path = path_in_tmp(g), *wanted = say(g, "%u:%u", uid, gid);
    const char *reply = run_ask(run, "write %s by-command", path);

    expect(g, strcmp(reply, "ok") == 0, .because = "no-file",
           .expected = say(g, "COMMAND can make the file %s", path),
           .kernel = say(g, "open(2): %s (errno)", reply), .see = "lab08 touch /tmp/x");
    const char *owner = owner_of(outside, path);
    expect(g, strcmp(owner, wanted) == 0, .because = "wrong-owner",
           .expected = say(g, "a file that COMMAND makes belongs to %s outside", wanted),
           .kernel = say(g, "%s belongs to %s", path, owner),
           .see = "lab08 touch /tmp/x; ls -ln /tmp/x");
}

/* Who may not let go of groups keeps them: that is no failure. */
static void check_ordinary(struct run *outside, unsigned user, unsigned group)
{
    static const char *const none[] = {NULL};
    struct grade *g = run_grade(outside);

    user_check_starts(outside, user, none, "not-allowed");
    struct run *run = user_start(outside, user, group, none);
    check_root(outside, run, user, user);
    check_file(outside, run, user, user);
    struct kernel_status room = user_status_of_room(outside, run_payload(run)->pid);
    expect(g, room.groups_count == 1 && room.groups[0] == group, .because = "groups-lost",
           .expected = say(g, "group %u stays: setgroups is denied here", group),
           .kernel = say(g, "Groups %s", user_groups_text(g, &room)), .see = "setgroups(2), EPERM");
}

/* COMMAND's own group, which is `gid` outside, may be in the list or not. */
static void check_no_groups(struct run *outside, struct run *run, unsigned group, unsigned gid)
{
    struct grade *g = run_grade(run);
    struct kernel_status room = user_status_of_room(outside, run_payload(run)->pid);
    struct kernel_status program = user_status_of_room(outside, run_program_pid(run));

    expect(g, program.groups_count == 1 && program.groups[0] == group, .because = "caller-changed",
           .expected = say(g, "the lab program itself stays in group %u", group),
           .kernel = say(g, "Groups %s", user_groups_text(g, &program)),
           .see = "grep Groups /proc/PID/status, of the lab program");
    bool others = room.groups_count > 1 || (room.groups_count == 1 && room.groups[0] != gid);
    expect(g, !others, .because = "groups-kept",
           .expected = say(g, "COMMAND is in no other group; the caller is in %u", group),
           .kernel = say(g, "Groups %s, as outside has them", user_groups_text(g, &room)),
           .see = "setgroups(2); lab08 grep Groups /proc/self/status");
}

/* Root of the room, as somebody who is not mapped: ids first .. first + count - 1 are 1 and up. */
static void check_range(struct run *outside, unsigned group)
{
    struct grade *g = run_grade(outside);
    unsigned uid = (unsigned)grade_between(g, 100, 900), gid = (unsigned)grade_between(g, 100, 900);
    unsigned first = (unsigned)grade_between(g, 1000, 30000), count = 2 + grade_random(g, 500);
    unsigned one = grade_random(g, count);
    const char *uids = say(g, "0:%u:1,1:%u:%u", uid, first, count);
    const char *gids = say(g, "0:%u:1,1:%u:%u", gid, first + 1000, count);
    const char *const arguments[] = {"--uid-map", uids, "--gid-map", gids, NULL};
    struct run *run = user_start(outside, 0, group, arguments);

    check_root(outside, run, uid, gid);
    check_no_groups(outside, run, group, gid);
    check_file(outside, run, uid, gid);

    const char *path = path_in_tmp(g), *wanted = say(g, "%u:%u", first + one, first + 1000 + one);
    run_ask(run, "write %s x", path);
    const char *reply = run_ask(run, "chown %u %u %s", one + 1, one + 1, path);
    const char *owner = owner_of(outside, path);
    expect(g, strcmp(reply, "ok") == 0 && strcmp(owner, wanted) == 0, .because = "chown",
           .expected = say(g, "given to %u inside, the file is %s outside", one + 1, wanted),
           .kernel = say(g, "chown: %s; the file belongs to %s", reply, owner),
           .see = say(g, "lab08 --uid-map %s ... chown", uids));
    reply = run_ask(run, "chown %u %u %s", count + 1, count + 1, path);
    expect(g, strcmp(reply, say(g, "error %d", EINVAL)) == 0, .because = "chown-unmapped",
           .expected = say(g, "chown to %u, which is not mapped, is EINVAL", count + 1),
           .kernel = say(g, "chown: %s (errno)", reply), .see = "chown(2)");
}

/* Where all ids are mapped, groups too could stay. They must not. */
static void check_identity(struct run *outside, unsigned group)
{
    static const char *const none[] = {NULL};
    struct run *run = user_start(outside, 0, group, none);

    check_root(outside, run, 0, 0);
    check_no_groups(outside, run, group, 0);
}

/* Root of the room, as somebody who has a number inside, which is not 0. */
static void check_elsewhere(struct run *outside, unsigned group)
{
    struct grade *g = run_grade(outside);
    unsigned id = (unsigned)grade_between(g, 100, 900);
    const char *const arguments[] = {"--map", say(g, "0:%u:1,7:0:1", id), NULL};
    struct run *run = user_start(outside, 0, group, arguments);

    check_root(outside, run, id, id);
    check_no_groups(outside, run, group, id);
}

/* Who may map any uid and no group has to become root though it cannot let go of its groups. */
static void check_denied(struct run *outside)
{
    struct grade *g = run_grade(outside);
    unsigned uid = (unsigned)grade_between(g, 100, 900);
    const char *const arguments[] = {USER_WITHOUT_SETGID, "--uid-map", say(g, "0:%u:1", uid),
                                     "--gid-map",         "0:0:1",     NULL};

    check_root(outside,
               run_start(g, &(struct run_options){.program = "/strata/probe",
                                                  .arguments = arguments,
                                                  .beside = outside}),
               uid, 0);
}

/* Without a 0 to become there is no container. */
static void check_no_root(struct run *outside)
{
    static const struct {
        const char *arguments[5], *what;
    } cases[] = {
        {{"--uid-map", "1:0:100", "--gid-map", "0:0:100", NULL}, "no uid 0 in the map"},
        {{"--uid-map", "0:0:100", "--gid-map", "1:0:100", NULL}, "no gid 0 in the map"},
    };
    struct grade *g = run_grade(outside);

    for (size_t i = 0; i < 2; i++)
        user_check_refused(
            outside, &(struct refusal){.arguments = cases[i].arguments,
                                       .error = EINVAL,
                                       .because = "no-zero",
                                       .what = cases[i].what,
                                       .see = say(g, "lab08 %s %s %s %s id", cases[i].arguments[0],
                                                  cases[i].arguments[1], cases[i].arguments[2],
                                                  cases[i].arguments[3])});
}

void user_step_owner(struct grade *g)
{
    struct run *outside = outside_open(g, false);
    unsigned group = (unsigned)grade_between(g, 100, 999);

    check_ordinary(outside, user_draw(g), group);
    check_range(outside, group);
    check_identity(outside, group);
    check_elsewhere(outside, group);
    check_denied(outside);
    check_no_root(outside);
}
