/*
 * What a grader is made of: a lab, its steps, and what a step may say about the kernel.
 *
 * A grader (harness/graders/NN-name.c) is a story in steps. A step runs the student's program in
 * the sandbox, looks at the kernel, and states what it expects with `expect`. The first
 * expectation that does not hold ends the step: what was expected, what the kernel said instead
 * and how to see it by hand become the verdict.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STEP_MAX = 16 };

/* What a step needs of the machine; harness/grade/needs.c finds out by doing it. */
enum need {
    NEED_NONE = 0,
    NEED_USERNS = 1 << 0,    /* user namespaces that give capabilities             */
    NEED_IDS = 1 << 1,       /* 65536 ids in the sandbox: root or subordinate ids  */
    NEED_MQUEUE = 1 << 2,    /* POSIX message queues (CONFIG_POSIX_MQUEUE)         */
    NEED_NEWUIDMAP = 1 << 3, /* newuidmap(1), newgidmap(1) and the files that they read */
    NEED_OVERLAY = 1 << 4,   /* overlayfs in a user namespace, and user.* attributes on tmpfs */
    NEED_CGROUP = 1 << 5,    /* control groups for rooms: memory, pids, cpu, cpuset */
    NEED_CGROUP1 = 1 << 6,   /* the same, in version 1 */
    NEED_CGROUP2 = 1 << 7,   /* the same, in version 2 */
    NEED_SECCOMP = 1 << 8,   /* filters of system calls: CONFIG_SECCOMP_FILTER */
    NEED_FOREIGN = 1 << 9,   /* calls of another architecture: x86_64's x32 */
    NEED_PSI = 1 << 10,      /* the same as NEED_CGROUP, and memory.pressure in version 2 */
};

enum outcome {
    OUTCOME_ERROR = 0, /* the harness's own fault; also what a step is until it has a result */
    OUTCOME_PASS,
    OUTCOME_FAIL,
    OUTCOME_BLOCKED, /* a step that it needs did not pass  */
    OUTCOME_SKIP,    /* the machine lacks a need           */
};

struct grade; /* one run of one lab's steps; opaque to graders */

struct step {
    int number;          /* 1, 2, …: as in the contract and the chapter                    */
    const char *slug;    /* the name progress is stored by: never reused, never renamed    */
    const char *title;   /* "the host name changes inside only"                            */
    int points;          /* core steps of a lab add up to 100; a *more* step's are a bonus */
    bool more;           /* bonus: not needed to pass the lab                              */
    unsigned needs;      /* enum need, or-ed                                               */
    int after[4];        /* steps that must have passed, else BLOCKED; 0 ends the list     */
    const char *chapter; /* anchor in the lab's chapter: "hostname"                        */
    const char *man;     /* "sethostname(2), uts_namespaces(7)"                            */
    void (*run)(struct grade *g);
};

struct lab {
    const char *name;  /* "02-uts-ipc": the folder's name everywhere */
    const char *title; /* "a host name and queues of its own"        */
    const struct step *steps;
    size_t count;
    bool cgroups; /* its rooms have control groups of their own at /sys/fs/cgroup */
};

/* A grader file ends with LAB(...): it puts itself on the list, so that adding a lab edits none. */
#define LAB(...)                                                                                   \
    static const struct lab this_lab = {__VA_ARGS__};                                              \
    __attribute__((used, section("strata_labs"))) static const struct lab *const this_lab_entry =  \
        &this_lab

/*
 * Why an expectation did not hold.
 *   because   a word of this grader's that names the fault ("same-uts"): picks the first hint
 *   expected  what the kernel should have said
 *   kernel    what it said
 *   see       how to see it by hand: a command to type
 */
struct evidence {
    const char *because;
    const char *expected;
    const char *kernel;
    const char *see;
};

/* expect(g, holds, .because = "…", .expected = say(g, "…"), .kernel = …, .see = …):
 * ends the step as FAIL with this evidence unless `holds`. */
#define expect(g, holds, ...) grade_expect((g), (holds), &(const struct evidence){__VA_ARGS__})
void grade_expect(struct grade *g, bool holds, const struct evidence *evidence);

/* Ends the step as FAIL. */
#define fail(g, ...) grade_fail((g), &(const struct evidence){__VA_ARGS__})
_Noreturn void grade_fail(struct grade *g, const struct evidence *evidence);

/* Ends the step as ERROR: the harness, not the student, could not do something (`error`: -errno
 * or 0). */
_Noreturn void grade_error(struct grade *g, int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Ends the step as SKIP: a need that only showed itself while the step ran. */
_Noreturn void grade_skip(struct grade *g, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The lab's name: "02-uts-ipc". */
const char *grade_lab(const struct grade *g);

/* A formatted text that lives as long as the step. */
const char *say(struct grade *g, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Random values of this run, drawn from the seed that is printed; each step has its own sequence,
 * so that a step repeats alone as it ran among others. */
uint32_t grade_random(struct grade *g, uint32_t below);
int grade_between(struct grade *g, int low, int high); /* both ends possible        */
const char *grade_word(struct grade *g,
                       size_t length); /* lower-case letters, no vowel pairs needed */

/* Calls `undo(arg)` when the step ends, on every way out, last registered first. */
void grade_defer(struct grade *g, void (*undo)(void *arg), void *arg);

/* For a step that tries many things one after the other: undoes now what has been registered since
 * grade_deferred() said `mark`. */
size_t grade_deferred(const struct grade *g);
void grade_undo(struct grade *g, size_t mark);

/* Adds what the student's program printed to the step's log (bounded; the last lines are shown). */
void grade_log(struct grade *g, const char *text, size_t length);

/* A line about how a program ended that belongs above its last lines: "killed by SIGSEGV in …". */
void grade_note(struct grade *g, const char *format, ...) __attribute__((format(printf, 2, 3)));
