/*
 * Lab 09: fewer powers.
 *
 * All is read from /proc/PID/status, of COMMAND and of an init. The init matters: exec computes
 * the sets anew, so that after it one cannot tell what had been written; an init executes nothing.
 * Where a step needs a start with other powers than a room's root has, the probe takes them and
 * executes the lab program (harness/probe/start_with.h).
 */
#include "graders/09-capabilities.h"

#include <dirent.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grade/facts.h"
#include "grade/world.h"
#include "kernel/file.h"
#include "kernel/own.h"
#include "kernel/status.h"

const char *const caps_lines[CAPS_SETS] = {"CapBnd", "CapPrm", "CapEff", "CapInh", "CapAmb"};

/* --- sets ------------------------------------------------------------------------------------ */

uint64_t caps_known(struct grade *g)
{
    autofree char *text = NULL;
    size_t length;
    int result = kernel_read_at(-1, "/proc/sys/kernel/cap_last_cap", &text, &length);
    int last = result == 0 ? atoi(text) : -1;

    if (last < SETFCAP || last > 62)
        grade_error(g, result, "cannot read /proc/sys/kernel/cap_last_cap");
    return bit(last + 1) - 1;
}

uint64_t caps_some(struct grade *g, uint64_t from)
{
    return from & ((uint64_t)grade_random(g, UINT32_MAX) << 32 | grade_random(g, UINT32_MAX));
}

/* --- what the kernel says -------------------------------------------------------------------- */

static struct powers read_powers(struct run *run, pid_t pid, const char *path)
{
    struct grade *g = run_grade(run);
    struct kernel_status status;
    const char *text =
        facts_read_within(g, run_outside_pid(run), run_outside_pidfd(run), CLONE_NEWUSER, path);
    int result = kernel_status_parse(text, strlen(text), &status);

    if (result < 0 || !status.has_caps || status.no_new_privs < 0)
        grade_error(g, result, "cannot make sense of %s", path);
    struct powers powers = {
        .pid = pid,
        .sets = {status.cap_bnd, status.cap_prm, status.cap_eff, status.cap_inh, status.cap_amb},
        .group_count = status.groups_count,
        .no_new_privs = status.no_new_privs,
    };
    memcpy(powers.uid, status.uid, sizeof powers.uid);
    memcpy(powers.gid, status.gid, sizeof powers.gid);
    grade_defer(g, free, status.groups);
    powers.groups = status.groups;
    status.groups = NULL;
    kernel_status_free(&status);
    return powers;
}

struct powers caps_of(struct run *run, pid_t pid)
{
    return read_powers(run, pid, say(run_grade(run), "/proc/%d/status", pid));
}

pid_t caps_init(struct run *run)
{
    struct grade *g = run_grade(run);
    struct kernel_status status;
    pid_t payload = run_payload(run)->pid;
    int result = kernel_status_read(payload, &status);
    pid_t parent = status.ppid;

    if (result < 0)
        grade_error(g, result, "cannot read /proc/%d/status", payload);
    kernel_status_free(&status);
    if (parent == run_program_pid(run))
        grade_error(g, 0, "--init is no process of its own");
    return parent;
}

/* --- starting -------------------------------------------------------------------------------- */

/* probe --start-with WORD... PROGRAM ARGUMENT...; returns what to execute. */
static const char *build(struct grade *g, const char *program, const char *powers,
                         const char *const *arguments, const char *argv[], size_t size)
{
    size_t count = 0;

    if (program == NULL)
        program = world_program(g);
    if (powers != NULL) {
        char *words = strdup(powers), *word;
        grade_defer(g, free, words);
        argv[count++] = "--start-with";
        while ((word = strsep(&words, " ")) != NULL && count + 2 < size)
            argv[count++] = word;
        argv[count++] = program;
    }
    for (; arguments != NULL && *arguments != NULL && count + 1 < size; arguments++)
        argv[count++] = *arguments;
    argv[count] = NULL;
    return powers != NULL ? "/strata/probe" : program;
}

struct run *caps_start(struct grade *g, struct run *room, const char *program, const char *powers,
                       const char *const *arguments)
{
    const char *argv[100];

    program = build(g, program, powers, arguments, argv, 100);
    return run_start(g,
                     &(struct run_options){.program = program, .arguments = argv, .beside = room});
}

int caps_run(struct run *room, const char *powers, const char *const *arguments, const char **said)
{
    static const char *const command[] = {"--", "/strata/busybox", "true", NULL};
    const char *argv[50];
    const char *program = build(run_grade(room), NULL, powers, arguments, argv, 50);
    int status = outside_run(
        room, &(struct run_options){.program = program, .arguments = argv, .command = command},
        said);

    if (strncmp(*said, "probe ", 6) == 0)
        grade_error(run_grade(room), 0, "%s", *said);
    return status;
}

/* --- what several steps ask ------------------------------------------------------------------ */

static void check_set(struct run *run, const struct powers *powers, enum caps_set set,
                      const char *who, uint64_t wanted, const char *asked)
{
    static const char *const more[] = {"bounding-more", "permitted-more", "effective-more",
                                       "inheritable", "ambient"};
    static const char *const less[] = {"bounding-less", "permitted-less", "effective-less",
                                       "inheritable", "ambient"};
    struct grade *g = run_grade(run);
    uint64_t got = powers->sets[set], extra = got & ~wanted, lost = wanted & ~got;

    expect(g, extra == 0, .because = more[set],
           .expected =
               say(g, "%s: %s of %s is %s", asked, caps_lines[set], who, caps_text(g, wanted)),
           .kernel = say(g, "%s %s of process %d: %s %s", caps_lines[set], caps_text(g, got),
                         powers->pid, got == caps_known(g) ? "nothing is gone of" : "still has",
                         got == caps_known(g) ? caps_lines[set] : caps_names(g, extra)),
           .see = "grep Cap /proc/PID/status; capabilities(7)");
    expect(g, lost == 0, .because = less[set],
           .expected =
               say(g, "%s: %s of %s is %s", asked, caps_lines[set], who, caps_text(g, wanted)),
           .kernel = say(g, "%s %s of process %d: has lost %s", caps_lines[set], caps_text(g, got),
                         powers->pid, caps_names(g, lost)),
           .see = "grep Cap /proc/PID/status; capabilities(7)");
}

void caps_check(struct run *run, pid_t pid, const char *who, const uint64_t wanted[CAPS_SETS],
                const char *asked)
{
    struct grade *g = run_grade(run);
    DIR *tasks = opendir(say(g, "/proc/%d/task", pid));
    pid_t threads[16];
    size_t count = 0;

    if (tasks == NULL)
        fail(g, .because = "payload-gone", .expected = say(g, "%s still runs", who),
             .kernel = say(g, "/proc/%d is gone", pid), .see = "make trace09");
    for (struct dirent *entry; (entry = readdir(tasks)) != NULL && count < 16;)
        if (atoi(entry->d_name) > 0)
            threads[count++] = atoi(entry->d_name);
    closedir(tasks);
    for (size_t i = 0; i < count; i++) {
        struct powers powers =
            read_powers(run, threads[i], say(g, "/proc/%d/task/%d/status", pid, threads[i]));
        for (enum caps_set set = BOUNDING; set < CAPS_SETS; set++)
            check_set(run, &powers, set, who, wanted[set], asked);
    }
}

void caps_check_root(struct run *run, pid_t pid, const char *who, uint64_t keep, const char *asked)
{
    caps_check(run, pid, who, (uint64_t[CAPS_SETS]){keep, keep, keep, 0, 0}, asked);
}

/* --- the steps ------------------------------------------------------------------------------ */

static const struct step steps[] = {
    {.number = 1,
     .slug = "ids",
     .title = "groups, gid and uid dropped in that order",
     .points = 20,
     .needs = NEED_USERNS | NEED_IDS,
     .chapter = "ids",
     .man = "credentials(7), setresuid(2), setgroups(2)",
     .run = caps_step_ids},
    {.number = 2,
     .slug = "sets",
     .title = "five sets down to the default fourteen",
     .points = 30,
     .needs = NEED_USERNS,
     .chapter = "sets",
     .man = "capabilities(7), cap_get_proc(3)",
     .run = caps_step_sets},
    {.number = 3,
     .slug = "drop-all",
     .title = "drop ALL, add one",
     .points = 20,
     .needs = NEED_USERNS,
     .after = {2},
     .chapter = "drop-all",
     .man = "cap_to_name(3), capabilities(7)",
     .run = caps_step_drop_all},
    {.number = 4,
     .slug = "no-new-privs",
     .title = "exec gives no power back",
     .points = 15,
     .needs = NEED_USERNS,
     .chapter = "no-new-privs",
     .man = "prctl(2), execve(2)",
     .run = caps_step_new_privs},
    {.number = 5,
     .slug = "read-only",
     .title = "a read-only root",
     .points = 15,
     .needs = NEED_USERNS,
     .chapter = "read-only",
     .man = "mount(2), mount_setattr(2)",
     .run = caps_step_read_only},
};

LAB(.name = "09-capabilities", .title = "fewer powers", .steps = steps,
    .count = sizeof steps / sizeof *steps);
