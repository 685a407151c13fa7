/* Lab 08, step 2: the map stands before COMMAND runs, is the one that was asked for, and what
 * the kernel does not allow ends the start. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "graders/08-user.h"

static const char see_held[] =
    "mkfifo p c; lab08 --hold parent:p --hold child:c sh & cat /proc/PID/uid_map; : >p";

/* All that there are: 0 to the number in cap_last_cap. */
static uint64_t all_capabilities(struct run *outside)
{
    unsigned last = 0;

    if (sscanf(outside_do(outside, "read /proc/sys/kernel/cap_last_cap"), "%u", &last) != 1)
        grade_error(run_grade(outside), 0, "cap_last_cap cannot be read");
    return ((uint64_t)2 << last) - 1;
}

/* Only the uid map: groups are step 3, becoming root is step 4. Who is mapped to 0 is root at once.
 */
static const char *only_uids(struct grade *g, const char *map, const char *arguments[7])
{
    const char *const all[] = {"--userns", "keep-id", "--uid-map", map, "--gid-map", "none", NULL};

    memcpy(arguments, all, sizeof all);
    return say(g, "lab08 --userns keep-id --uid-map %s --gid-map none", map);
}

/* COMMAND is root of its user namespace, with all powers over it. */
static void check_root(struct run *outside, struct run *run, const char *line)
{
    struct grade *g = run_grade(run);
    struct kernel_status status = user_status_of_self(run);
    uint64_t all = all_capabilities(outside);

    expect(g, user_ids_are(status.uid, 0), .because = "not-root",
           .expected = "COMMAND is uid 0 in its user namespace",
           .kernel = say(g, "Uid %s", user_ids_text(g, status.uid)),
           .see = say(g, "%s id -u", line));
    expect(g, status.cap_eff == all, .because = "no-powers",
           .expected = say(g, "COMMAND has all capabilities over it: CapEff %016llx",
                           (unsigned long long)all),
           .kernel = say(g, "CapEff %016llx", (unsigned long long)status.cap_eff),
           .see = say(g, "%s grep Cap /proc/self/status", line));
}

/* The caller's id becomes 0 while the child waits, and not by the child's own hand. */
static void check_handshake(struct run *outside, unsigned user)
{
    struct grade *g = run_grade(outside);
    const char *arguments[7], *asked = say(g, "0:%u:1", user), *wanted = say(g, "0 %u 1", user);
    const char *line = only_uids(g, asked, arguments);

    user_check_starts(outside, user, arguments, "not-allowed");
    struct held held = user_hold(outside, user, asked, true, NULL);
    user_release(&held, held.parent);
    user_await_child(&held);
    if (run_ended(held.run))
        run_payload(held.run); /* which says so */
    const char *map = user_map_of(outside, held.child, "uid_map");
    expect(g, strcmp(map, wanted) == 0, .because = "too-late",
           .expected =
               say(g, "when the child goes on, /proc/%d/uid_map holds: %s", held.child, wanted),
           .kernel = say(g, "the parent is done with it, and it holds %.70s", map),
           .see = see_held);
    user_release(&held, held.child_fifo);
    check_root(outside, held.run, line);
    user_check_map(outside, held.run, "uid_map", wanted, "wrong-map",
                   say(g, "%s cat /proc/self/uid_map", line));
    struct kernel_status room = user_status_of_room(outside, run_payload(held.run)->pid);
    expect(g, user_ids_are(room.uid, user), .because = "other-outside",
           .expected = say(g, "outside, COMMAND stays uid %u", user),
           .kernel = say(g, "Uid %s", user_ids_text(g, room.uid)),
           .see = "ps -o pid,uid,args, in another shell");
    user_check_program(outside, held.run, user);
}

/* A number that fits 32 bits only without a sign, and differs inside and outside. */
static void check_numbers(struct run *outside, unsigned user)
{
    struct grade *g = run_grade(outside);
    unsigned inside = 3000000000 + (unsigned)grade_between(g, 0, 1000000000);
    const char *map = say(g, "%u:%u:1", inside, user);
    const char *arguments[7], *see = only_uids(g, map, arguments);

    user_check_starts(outside, user, arguments, "not-allowed");
    struct run *run = user_start(outside, user, 0, arguments);
    user_check_map(outside, run, "uid_map", say(g, "%u %u 1", inside, user), "wrong-map", see);
    struct kernel_status status = user_status_of_self(run);
    expect(g, user_ids_are(status.uid, inside), .because = "wrong-map",
           .expected = say(g, "COMMAND is uid %u there", inside),
           .kernel = say(g, "Uid %s", user_ids_text(g, status.uid)), .see = see);
}

/* Somebody has mapped already: the kernel takes no second map, and the start must not go on with
 * one that nobody asked for. */
static void check_second_write(struct run *outside, unsigned user)
{
    static const char *const command[] = {"/strata/busybox", "echo", "COMMAND RAN", NULL};
    struct grade *g = run_grade(outside);
    struct held held = user_hold(outside, user, say(g, "0:%u:1", user), false, command);
    pid_t number = user_number_in_room(outside, held.child);

    outside_do(outside, "write /proc/%d/uid_map %d %u 1", number, grade_between(g, 1, 999), user);
    user_release(&held, held.parent);
    int status = run_exit_status(held.run);
    expect(g, status == REFUSED && run_said(held.run, strerror(EPERM)), .because = "second-write",
           .expected = "there is a map already: the write is EPERM, and the "
                       "start ends with 125",
           .kernel = say(g, "it ended with %d%s", status,
                         strstr(run_output(held.run), command[2]) != NULL
                             ? ", and COMMAND ran with the map of somebody else"
                             : ""),
           .see = "user_namespaces(7): each map can be written once");
}

/* An id that the caller has no right to. Root of the room has one id here, or any but those
 * above the 65536. */
static void check_foreign(struct run *outside, unsigned user)
{
    struct grade *g = run_grade(outside);
    const char *map = say(g, "0:%u:1", user + 1 + grade_random(g, 1000));
    const char *arguments[7], *see = only_uids(g, map, arguments);

    user_check_refused(outside,
                       &(struct refusal){.arguments = arguments,
                                         .user = user,
                                         .error = EPERM,
                                         .because = "foreign",
                                         .what = say(g, "a uid that is not ours (%s)", map),
                                         .see = see});
}

void user_step_map(struct grade *g)
{
    struct run *outside = outside_open(g, false);
    unsigned user = user_draw(g);

    check_handshake(outside, user);
    check_numbers(outside, user);
    check_second_write(outside, user);
    check_foreign(outside, user);
}
