/*
 * One run of one lab's steps, as the harness sees it. Graders see step.h only.
 *
 * The way of a step: its needs are asked for, its `after` steps looked up, then its function runs
 * as a cmocka test; expect() records the verdict and jumps out; the undo stack runs; the result is
 * settled. A result is OUTCOME_ERROR until somebody says otherwise, so that no crash and no
 * forgotten path can become a pass.
 */
#pragma once

#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "grade/arena.h"
#include "grade/logring.h"
#include "grade/step.h"
#include "grade/track.h"

enum {
    GRADE_UNDO_MAX = 256, /* grade_defer() calls a step can have open */
    GRADE_NOTE_MAX = 600, /* bytes of a step's notes, all together    */
};

/* What build/grade ends with: design.md, section 8. */
enum status {
    STATUS_PASSED = 0,
    STATUS_FAILED = 1, /* FAIL or BLOCKED                         */
    STATUS_USAGE = 2,
    STATUS_HARNESS = 3, /* an ERROR, or nothing was graded at all  */
    STATUS_SKIPPED = 4, /* nothing failed, but some were skipped   */
};

/* What became of a step. All texts are clean (text.h) and live as long as the struct grade. */
struct result {
    bool selected; /* part of this run                                        */
    bool ended;    /* a second verdict on the same step is ignored            */
    enum outcome outcome;
    struct evidence evidence; /* of FAIL                                                 */
    const char *reason;       /* of ERROR, BLOCKED, SKIP: one sentence                   */
    const char *undo_error;   /* what went wrong after the verdict: a clean-up that failed */
    const char *note;         /* grade_note(); NULL without                              */
    const char **log;         /* the last lines that the program printed                 */
    const char *log_of;       /* whose they are, if not the program's; or NULL            */
    const char *where;        /* it ran: "here", "in the guest (cgroup v2, TCG)"         */
    size_t log_count;
    size_t log_total; /* how many it printed                                     */
    double seconds;
    int blocked_by;     /* of BLOCKED: a step's number                             */
    bool passed_before; /* of FAIL: this step is on record as passed               */
};

/* What the caller asked for; the same for all labs of a run. Strings are borrowed. */
struct grade_options {
    const char *root;          /* the kit's folder                                            */
    const char *src;           /* "labs" or "solutions"                                       */
    const char *layer;         /* the source that is graded; NULL: found in root/src/NN-name  */
    const char *program;       /* the program that is run; NULL: root/build/NN/labNN          */
    const char *report;        /* where NN/report.json goes; NULL: root/build/report          */
    const char *borrowed;      /* the layers that came from solutions/, "01-process 02-…"; NULL */
    const char *next;          /* what follows a passed lab: "make lab06"; NULL: found        */
    const char *where;         /* "here", "guest"                                             */
    const char *who;           /* "root", "an ordinary user"                                  */
    int step;                  /* only this step and its `after` chain; 0: all                */
    unsigned steps;            /* the same for several: bit n-1 for step n; 0: all            */
    const struct track *track; /* which steps of which labs, where nobody says more; or NULL */
    int stream;                /* fd to write each result to as soon as it is there; -1: none */
    struct elsewhere *elsewhere; /* what runs in guests; NULL: nothing                   */
    uint32_t seed;
    bool progress; /* read and write .progress/passed                             */
};

enum phase {
    PHASE_OUTSIDE, /* around the steps: run_prepare, run_finish */
    PHASE_STEP,    /* the step's own function                   */
    PHASE_AFTER,   /* its undo stack and run_step_end           */
};

struct undo {
    void (*function)(void *argument);
    void *argument;
};

struct grade {
    const struct lab *lab;
    const struct grade_options *options;
    void *user; /* run.c's own */

    const struct step *step; /* the one that runs, or NULL */
    struct result *result;   /* its result, or NULL        */
    enum phase phase;
    size_t expects; /* expectations looked at so far */
    bool fetched;   /* its result came from elsewhere */
    uint64_t random;
    struct undo undo[GRADE_UNDO_MAX];
    size_t undo_count;
    struct logring log;
    char note[GRADE_NOTE_MAX];
    struct arena step_arena; /* say(), grade_word()  */

    struct result results[STEP_MAX]; /* as lab->steps                             */
    struct arena arena;              /* whatever results point to                 */
    const char *trouble;             /* what run_prepare or run_finish could not do */
    double seconds;
    const char *program;      /* what run.c runs                           */
    const char *layer_digest; /* SHA-256 of the layer's source; "" unknown */
    const char *kit_digest;   /* of the grader and the contract            */

    sigjmp_buf *escape;          /* where a verdict jumps to           */
    volatile sig_atomic_t crash; /* the signal that ended the grader   */
    pid_t pid;                   /* a forked child must give no verdict */
};

/* Grades the selected steps of g->lab by cmocka. The caller has zeroed *g and filled `lab`,
 * `options` and `program`; results and `seconds` are filled in. `directory` is the open report
 * folder, which gets cmocka.xml.
 * Returns 0, -EINTR if a signal stopped the run (everything is undone; there is no report then),
 * or another -errno. */
int grade_run(struct grade *g, int directory);

/* Gives back what results point to. */
void grade_free(struct grade *g);

/* The signal that asked us to stop (SIGINT, SIGTERM, SIGHUP), or 0. Every wait of the harness ends
 * with EINTR then, and every loop around one asks here. A second signal ends us at once. */
int grade_interrupted(void);

/* Makes these signals ask, once per process. */
void grade_catch_interrupts(void);

/* Ends the step if we have been asked to stop: for loops in run.c. */
void grade_check_interrupt(struct grade *g);

/* The names of outcomes: "PASS", "FAIL", … */
const char *outcome_name(enum outcome outcome);

/*
 * What run.c gives: called once around a lab's steps, and after each step when its undo stack has
 * run. run_prepare returns 0 or -errno; all three may call grade_error(), grade_log() and
 * grade_note(). Errors of run_step_end and run_finish are kept beside the verdict.
 */
int run_prepare(struct grade *g);
void run_step_end(struct grade *g);
void run_finish(struct grade *g);

/* What needs.c gives: those of `needs` (enum need) that this machine lacks, or 0; *name then tells
 * the first of them: "ids:65536". The text lives as long as the process. */
unsigned needs_missing(unsigned needs, const char **name);

/* The name of one need, "ids:65536", or NULL: for --list. */
const char *need_name(unsigned need) __attribute__((weak));
