/* Lab 01, step 7: who shares a namespace with whom. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graders/01-process-readings.h"
#include "kernel/namespace.h"

enum { PEERS = 64 };

static int by_number(const void *a, const void *b)
{
    return *(const pid_t *)a - *(const pid_t *)b;
}

/* Our own reading: who shares it, as the room numbers them. The program that is asked, `self`, is
 * one of them if it lives there too, though it will be gone when we look. PID 1 of the room may
 * not be looked at by anybody in it. */
static size_t list_peers(struct run *helper, pid_t pid, const char *kind, pid_t self,
                         pid_t peers[PEERS])
{
    struct grade *g = run_grade(helper);
    struct process_list all = process_in_room(helper);
    struct kernel_ns_id wanted, room, id;
    size_t count = 0;

    if (kernel_ns(pid, kind, &wanted) < 0 || kernel_ns(run_outside_pid(helper), kind, &room) < 0)
        grade_error(g, 0, "cannot look at /proc/%d/ns/%s", pid, kind);
    if (kernel_ns_equal(wanted, room))
        peers[count++] = self;
    for (size_t i = 0; i < all.count && count < PEERS; i++)
        if (kernel_ns(all.list[i], kind, &id) == 0 && kernel_ns_equal(id, wanted))
            peers[count++] = process_inside(helper, all.list[i]);
    qsort(peers, count, sizeof *peers, by_number);
    return count;
}

static const char *list_text(struct grade *g, const pid_t *pids, size_t count)
{
    const char *text = "";

    for (size_t i = 0; i < count; i++)
        text = say(g, "%s%d\n", text, pids[i]);
    return text;
}

/* The list on one line, for verdicts. */
static const char *one_line(struct grade *g, const char *list)
{
    char line[120];

    snprintf(line, sizeof line, "%s", list);
    for (char *c = line; *c != '\0'; c++)
        if (*c == '\n')
            *c = ' ';
    return say(g, "%s", line[0] != '\0' ? line : "none");
}

/* max < 0: with room for all. */
static void check_peers(struct run *helper, pid_t inside, const char *kind, int max)
{
    struct grade *g = run_grade(helper);
    pid_t peers[PEERS];
    const char *value =
        max < 0 ? say(g, "%d:%s", inside, kind) : say(g, "%d:%s:%d", inside, kind, max);
    struct run *run = process_ask(helper, "--peers", value);
    const char *got = process_answer(run, "--peers", value);
    size_t count =
        list_peers(helper, process_outside(helper, inside), kind, run_program_inside(run), peers);
    size_t shown = max < 0 || (size_t)max > count ? count : (size_t)max, length;
    const char *wanted = list_text(g, peers, shown);
    const char *see = say(g, "for p in /proc/[0-9]*; do echo $p $(readlink $p/ns/%s); done", kind);

    length = strspn(got, "0123456789\n");
    expect(g, length == strlen(wanted) && strncmp(got, wanted, length) == 0,
           .because = max < 0 ? "other-peers" : "no-room",
           .expected = max < 0 ? say(g, "sharing %s: %s", value, one_line(g, wanted))
                               : say(g, "with room for %d, only the lowest are filled in: %s", max,
                                     one_line(g, wanted)),
           .kernel = say(g, "your program says: %s", one_line(g, got)), .see = see);
    expect(g, max < 0 || strcmp(got + length, say(g, "of %zu\n", count)) == 0, .because = "count",
           .expected = say(g, "process_peers returns how many there are, %zu, room or not", count),
           .kernel = say(g, "your program says: %s", one_line(g, got + length)), .see = see);
}

void process_step_peers(struct grade *g)
{
    struct run *helper = process_helper(g, NULL);
    int more = grade_between(g, 0, 1) ? CLONE_NEWNET : CLONE_NEWIPC;
    pid_t first = process_do(helper, "group %d %d", CLONE_NEWUTS, grade_between(g, 2, 5));
    pid_t second = process_do(helper, "group %d %d", CLONE_NEWUTS | more, grade_between(g, 2, 5));
    pid_t third = process_do(helper, "group %d %d", CLONE_NEWPID, grade_between(g, 3, 6));
    pid_t dead = process_do(helper, "child"), self = run_program_inside(helper);

    /* A zombie has no namespaces any more; it must not end the search. */
    process_do(helper, "kill %d %d", dead, SIGKILL);
    process_wait_for_state(helper, dead, 'Z');

    static const char *const kinds[] = {"uts", "net", "ipc", "pid"};
    const pid_t asked[] = {self, first, second, third};
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++)
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
            check_peers(helper, asked[i], kinds[k], -1);
    check_peers(helper, third, "pid_for_children", -1);
    check_peers(helper, second, "uts", 1);
    check_peers(helper, self, "user", grade_between(g, 2, 4));
    check_peers(helper, self, "user", 0);
    check_peers(helper, first, "uts", 40);

    process_check_error(helper, "--peers", say(g, "%d:uts", process_vanished(helper)), ESRCH,
                        "vanished", "a process that is gone");
    process_check_error(helper, "--peers", say(g, "%d:%s", first, grade_word(g, 6)), ENOENT,
                        "unknown-kind", "a kind of namespace that no kernel has");
}
