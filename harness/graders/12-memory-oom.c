/*
 * Lab 12, step 3: why it ended. The program's line is compared with the counters that the kernel
 * keeps of the same group, read by us before the group is gone.
 */
#include "graders/12-memory.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "grade/mounts.h"

static const char hog_bytes[] = "41943040"; /* 40 MiB, more than any limit here */

/* --- the kernel's counters ----------------------------------------------------------------------
 */

struct counters {
    uint64_t kills, kills_local, limit_hits;
    bool v1;
};

/* Of a group, and in version 1 of those groups below it whose names are given. */
static struct counters counters_of(struct run *room, const struct cgroups *groups, const char *name,
                                   const char *const *below)
{
    struct counters c = {.v1 = groups->version == 1};

    if (!c.v1) {
        c.kills = cgroups_key(room, groups, name, "memory.events", "oom_kill");
        c.kills_local = cgroups_key(room, groups, name, "memory.events.local", "oom_kill");
        c.limit_hits = cgroups_key(room, groups, name, "memory.events", "oom");
        return c;
    }
    c.kills = c.kills_local = cgroups_key(room, groups, name, "memory.oom_control", "oom_kill");
    for (; below != NULL && *below != NULL; below++)
        c.kills += cgroups_key(room, groups, *below, "memory.oom_control", "oom_kill");
    return c;
}

static void check_counters(struct run *room, const char *folder, struct counters wanted,
                           const char *what, const char *because)
{
    struct grade *g = run_grade(room);
    const char *said = memory_answer(room, "--memory-events", folder);
    const char *text =
        say(g, "kills %llu\nkills_local %llu\nlimit_hits %llu", (unsigned long long)wanted.kills,
            (unsigned long long)wanted.kills_local, (unsigned long long)wanted.limit_hits);
    const char *remark = "";

    if (wanted.v1 && wanted.kills_local > 0 && memory_word(said, "kills_local") == 0)
        remark = " (or is that oom_kill_disable?)";
    else if (wanted.v1 && memory_word(said, "limit_hits") != 0)
        remark = ", which nobody counts in version 1";

    expect(g, strcmp(said, text) == 0, .because = because,
           .expected =
               say(g, "%s: kills %llu, of which in the group itself %llu; limit hits %llu", what,
                   (unsigned long long)wanted.kills, (unsigned long long)wanted.kills_local,
                   (unsigned long long)wanted.limit_hits),
           .kernel = say(g, "your program says: kills %llu, kills_local %llu, limit_hits %llu%s",
                         (unsigned long long)memory_word(said, "kills"),
                         (unsigned long long)memory_word(said, "kills_local"),
                         (unsigned long long)memory_word(said, "limit_hits"), remark),
           .see = say(g, "cat %s/memory.events* (version 1: memory.oom_control)", folder));
}

/* --- the reason ---------------------------------------------------------------------------------
 */

static struct memory_start start_limited(struct run *room, const char *const *command)
{
    static const char *const options[] = {"-m", "12m", "--memory-swap", "12m", NULL};

    return memory_start(room, options, command);
}

/* Waits for its end; it has to say this reason and these kills. (No two starts of the step end with
 * the same line, unless they end for the same reason.) */
static void check_reason(struct memory_start *start, int status, const char *word, uint64_t kills,
                         const char *what, const char *because)
{
    struct grade *g = run_grade(start->run);
    int ended = run_exit_status(start->run);

    expect(g, ended == status, .because = "status",
           .expected = say(g, "%s: your program ends with %d", what, status),
           .kernel = say(g, "it ended with %d", ended), .see = "echo $?");
    const char *line = say(g, "reason %s, exit status %d, killed for memory %llu", word, status,
                           (unsigned long long)kills);
    expect(g, run_said(start->run, line), .because = because,
           .expected = say(g, "%s, and the kernel counts %llu kills: %s", what,
                           (unsigned long long)kills, word),
           .kernel = say(g, "your program does not say \"%s\"", line),
           .see = "cat memory.events (version 1: memory.oom_control) of the group");
}

static bool is_gone(void *arg)
{
    struct memory_start *start = arg;
    const char *file = start->groups.version == 2 ? "memory.events" : "memory.oom_control";

    return cgroups_key(start->room, &start->groups, start->name, file, "oom_kill") > 0 ||
           run_ended(start->run);
}

/* COMMAND itself is killed. Your program is held meanwhile, or it would be faster than we are with
 * the group. */
static void check_command_killed(struct run *room)
{
    struct memory_start start = start_limited(room, NULL);
    struct grade *g = run_grade(room);

    run_payload(start.run);
    syscall(SYS_pidfd_send_signal, run_program_pidfd(start.run), SIGSTOP, NULL, 0);
    run_tell(start.run, "grab %s", hog_bytes);
    bool gone = run_until(start.run, is_gone, &start);
    struct counters c = counters_of(room, &start.groups, start.name, NULL);
    expect(g, gone && c.kills == 1, .because = "not-killed",
           .expected = "COMMAND takes 40 MiB of 12: the kernel kills it, and counts 1",
           .kernel = say(g, "it counts %llu", (unsigned long long)c.kills),
           .see = "lab12 -m 12m dd if=/dev/zero of=/dev/null bs=40M count=1");
    check_counters(room, say(g, "%s%s", start.groups.folder, start.name), c,
                   "COMMAND was killed for memory", "counters");
    syscall(SYS_pidfd_send_signal, run_program_pidfd(start.run), SIGCONT, NULL, 0);
    check_reason(&start, 137, "OOMKilled", c.kills, "COMMAND was killed for memory", "oom-killed");
}

/* Somebody else's SIGKILL; before it a SIGTERM, which a PID 1 without a handler ignores. */
static void check_kill(struct run *room)
{
    struct memory_start start = start_limited(room, NULL);
    const struct payload *payload = run_payload(start.run);
    struct grade *g = run_grade(room);

    syscall(SYS_pidfd_send_signal, payload->pidfd, SIGTERM, NULL, 0);
    const char *reply = run_ask(start.run, "hog 4096");
    if (strncmp(reply, "ok", 2) != 0)
        grade_error(g, 0, "COMMAND does not answer: %s", reply);
    syscall(SYS_pidfd_send_signal, payload->pidfd, SIGKILL, NULL, 0);
    check_reason(&start, 137, "Error", 0, "COMMAND ignored SIGTERM and was killed by us",
                 "not-oom");
}

/* A child of COMMAND is killed, COMMAND ends as it likes. */
static void check_inside(struct run *room, int children, int status)
{
    struct memory_start start = start_limited(room, NULL);
    struct grade *g = run_grade(room);

    run_payload(start.run);
    for (int i = 0; i < children; i++)
        run_ask(start.run, "hog %s", hog_bytes);
    struct counters c = counters_of(room, &start.groups, start.name, NULL);
    if (c.kills != (uint64_t)children)
        fail(g, .because = "not-killed",
             .expected = say(g, "%d children of COMMAND take too much and are killed", children),
             .kernel = say(g, "the kernel counts %llu", (unsigned long long)c.kills),
             .see = "cat memory.events (version 1: memory.oom_control) of the group");
    check_counters(room, say(g, "%s%s", start.groups.folder, start.name), c,
                   say(g, "%d children were killed for memory", children), "counters");
    run_tell(start.run, "exit %d", status);
    check_reason(&start, status, "OOMKilled inside", c.kills,
                 say(g, "%d children of COMMAND were killed for memory, and it ended with %d",
                     children, status),
                 status == 0 ? "oom-and-0" : "oom-inside");
}

static void check_plain(struct run *room, int status, const char *word)
{
    const char *const command[] = {"/strata/busybox", "sh", "-c",
                                   say(run_grade(room), "exit %d", status), NULL};
    struct memory_start start = start_limited(room, command);

    check_reason(&start, status, word, 0, say(run_grade(room), "COMMAND ended with %d", status),
                 status == 137 ? "not-oom" : "plain");
}

/* --- a group below ------------------------------------------------------------------------------
 */

/* A container that has groups of its own: somebody is killed in one of them, at our limit. */
static void check_below(struct run *room)
{
    struct memory_start start = start_limited(room, NULL);
    struct grade *g = run_grade(room);
    const char *home = say(g, "%s/home", start.name), *below = say(g, "%s/below", start.name);
    const char *const names[] = {home, below, NULL};
    const char *folder = say(g, "%s%s", start.groups.folder, start.name);

    run_payload(start.run);
    cgroups_shell(
        room,
        "cd %s && mkdir home && for p in $(cat cgroup.procs); do echo $p >home/cgroup.procs; done; "
        "[ ! -e cgroup.subtree_control ] || echo +memory >cgroup.subtree_control; mkdir below; "
        "for i in 1 2; do (echo 0 >below/cgroup.procs; exec /strata/busybox dd if=/dev/zero "
        "of=/dev/null bs=%s count=1); done; true",
        folder, hog_bytes);
    struct counters c = counters_of(room, &start.groups, start.name, names);
    if (c.kills != 2 || c.kills_local != 0)
        grade_error(g, 0, "%s: %llu kills, %llu in itself", folder, (unsigned long long)c.kills,
                    (unsigned long long)c.kills_local);
    check_counters(room, folder, c, "two were killed in a group below, at this group's limit",
                   "kill-below");
    check_counters(room, say(g, "%s/below", folder), counters_of(room, &start.groups, below, NULL),
                   "the group of those killed", "kill-local");
    check_counters(room, say(g, "%s/home", folder), counters_of(room, &start.groups, home, NULL),
                   "the group beside that", "kill-beside");
    run_tell(start.run, "exit 0");
    check_reason(&start, 0, "OOMKilled inside", 2, "two were killed in a group below",
                 "kill-below");
}

/* --- numbers of our choice ----------------------------------------------------------------------
 */

/* The counters as the kernel of either version shows them; every one another number. */
static void check_format(struct run *room)
{
    struct grade *g = run_grade(room);
    int a = grade_between(g, 100, 199), b = grade_between(g, 200, 299);
    int c = grade_between(g, 300, 399), d = grade_between(g, 400, 499);
    int own = grade_between(g, 10, 99);
    const char *events = "low %d\nhigh %d\nmax %d\noom %d\noom_kill %d\noom_group_kill %d\n";
    const char *const v2[][2] = {{"memory.events", say(g, events, c, d, c + d, b, a, c + 1)},
                                 {"memory.events.local", say(g, events, 1, 2, 3, 4, own, 5)},
                                 {NULL, NULL}};
    const char *const old_v2[][2] = {{"memory.events", say(g, events, d, c, a + d, a, b, d + 1)},
                                     {NULL, NULL}};
    const char *control = "oom_kill_disable %d\nunder_oom %d\noom_kill %d\n";
    const char *const v1[][2] = {{"memory.oom_control", say(g, control, 0, 1, own)},
                                 {"memory.failcnt", say(g, "%d\n", c)},
                                 {NULL, NULL}};
    const char *folder = memory_folder(room, 2, v2);

    check_counters(room, folder, (struct counters){(uint64_t)a, (uint64_t)own, (uint64_t)b, false},
                   "files of version 2", "format-v2");
    folder = memory_folder(room, 2, old_v2);
    check_counters(room, folder, (struct counters){(uint64_t)b, 0, (uint64_t)a, false},
                   "files of version 2 before Linux 5.2", "format-v2");
    folder = memory_folder(room, 1, v1);
    const char *in = say(g, "%s/in", folder);
    outside_do(room, "mkdir %s", in);
    outside_do(room, "mkdir %s/in", in);
    outside_do(room, "write %s/memory.oom_control %s", in, say(g, control, 1, 0, a));
    outside_do(room, "write %s/in/memory.oom_control %s", in, say(g, control, 0, 0, b));
    check_counters(room, folder, (struct counters){(uint64_t)(own + a + b), (uint64_t)own, 0, true},
                   "files of version 1, with a group below and one below that", "format-v1");
    memory_refused(room,
                   (const char *const[]){"--memory-events",
                                         memory_folder(room, 2, (const char *const[][2]){{NULL}}),
                                         NULL},
                   "No such file or directory", "no-controller");
}

/* Exit status, kills before and after, and what that means. */
struct ending {
    int status, before, after;
    const char *word;
};

static const char *kills_text(struct grade *g, int before, int after)
{
    if (after == 0)
        return "no kills at all";
    return after == before ? say(g, "%d kills before and none since", before)
                           : say(g, "kills before %d and after %d", before, after);
}

static void check_words(struct run *room, const struct ending *list, size_t count)
{
    struct grade *g = run_grade(room);
    const char *value = "";

    for (size_t i = 0; i < count; i++)
        value = say(g, "%s%s%d:%d:%d", value, i > 0 ? "," : "", list[i].status, list[i].before,
                    list[i].after);
    const char *said = memory_answer(room, "--memory-reason", value);
    for (size_t i = 0; i < count; i++) {
        const char *answer = say(g, "%.*s", (int)strcspn(said, "\n"), said);
        said += strlen(answer) + (said[strlen(answer)] == '\n');
        expect(g, strcmp(answer, list[i].word) == 0,
               .because = list[i].after == 0 ? "no-kills" : "reason-word",
               .expected = say(g, "exit status %d, %s: %s", list[i].status,
                               kills_text(g, list[i].before, list[i].after), list[i].word),
               .kernel = say(g, "your program says %s", answer),
               .see = say(g, "lab12 --memory-reason %d:%d:%d, in make shell12", list[i].status,
                          list[i].before, list[i].after));
    }
}

void memory_step_oom(struct grade *g)
{
    struct run *room = outside_open(g, false);
    int before = grade_between(g, 1, 50), more = grade_between(g, 51, 99);
    int status = grade_between(g, 1, 99);

    check_command_killed(room);
    check_kill(room);
    check_plain(room, 137, "Error");
    check_inside(room, 1, 0);
    check_inside(room, 2, status);
    check_plain(room, 0, "Completed");
    check_plain(room, status, "Error");
    check_below(room);
    check_format(room);
    check_words(room,
                (const struct ending[]){{137, 0, 0, "Error"},
                                        {137, before, before, "Error"},
                                        {0, before, before, "Completed"},
                                        {137, before, more, "OOMKilled"},
                                        {0, before, more, "OOMKilled inside"},
                                        {143, before, more, "OOMKilled inside"},
                                        {143, before, before, "Error"},
                                        {9, before, more, "OOMKilled inside"},
                                        {128, before, before, "Error"}},
                9);
}
