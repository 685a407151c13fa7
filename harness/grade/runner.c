/* The steps of a lab as one group of cmocka tests. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#undef fail /* ours has evidence */

#include "grade/elsewhere.h"
#include "grade/grade.h"
#include "grade/guard.h"
#include "grade/lab.h"
#include "grade/report.h"
#include "grade/seed.h"
#include "grade/text.h"

/* What cmocka hands back to us with each test. */
struct slot {
    struct grade *g;
    size_t index;
};

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

const char *outcome_name(enum outcome outcome)
{
    static const char *const names[] = {"ERROR", "PASS", "FAIL", "BLOCKED", "SKIP"};

    return (size_t)outcome < sizeof(names) / sizeof(names[0]) ? names[outcome] : "ERROR";
}

static const char *crash_text(struct grade *g, const char *where)
{
    const char *name = sigabbrev_np(g->crash);

    return arena_format(&g->arena, "%s crashed: SIG%s", where, name ? name : "?");
}

static void begin(struct slot *slot)
{
    struct grade *g = slot->g;

    g->step = &g->lab->steps[slot->index];
    g->result = &g->results[slot->index];
    g->result->outcome = OUTCOME_ERROR;
    g->result->reason = "no result: the step's function was left without a verdict";
    g->result->ended = false;
    g->result->where = g->options->where;
    g->fetched = false;
    g->expects = 0;
    g->undo_count = 0;
    g->note[0] = '\0';
    logring_clear(&g->log);
    g->random = seed_state(g->options->seed, g->lab->name, g->step->number);
}

/* Sets SKIP or BLOCKED if a step that this one comes after did not pass; true if so. A skipped
 * one makes this one skipped, too: what the machine lacks is not the student's fault. */
static bool held_up(struct grade *g)
{
    for (size_t i = 0; i < sizeof(g->step->after) / sizeof(g->step->after[0]); i++) {
        int number = g->step->after[i];
        if (number == 0)
            break;
        const struct result *needed = &g->results[number - 1];
        if (needed->outcome == OUTCOME_PASS)
            continue;
        bool skip = needed->outcome == OUTCOME_SKIP;
        g->result->outcome = skip ? OUTCOME_SKIP : OUTCOME_BLOCKED;
        g->result->blocked_by = number;
        g->result->reason = arena_format(
            &g->arena, skip ? "needs step %d, which was skipped" : "needs step %d", number);
        if (!skip)
            return true;
    }
    return g->result->outcome == OUTCOME_SKIP;
}

static bool lacking(struct grade *g)
{
    const char *name = NULL;

    if (g->step->needs == 0 || needs_missing(g->step->needs, &name) == 0)
        return false;
    g->result->outcome = OUTCOME_SKIP;
    g->result->reason = arena_format(&g->arena, "needs %s", name ? name : "what is not here");
    return true;
}

static void run_step(struct grade *g)
{
    size_t index = (size_t)(g->result - g->results);

    g->fetched = elsewhere_takes(g->options->elsewhere, g->lab, index);
    if (g->fetched)
        g->result->where = elsewhere_where(g->options->elsewhere, g->lab, index);
    if (held_up(g))
        return;
    if (g->fetched) {
        elsewhere_fetch(g->options->elsewhere, g, index);
        return;
    }
    if (lacking(g))
        return;
    g->phase = PHASE_STEP;
    g->step->run(g);
    if (g->expects > 0) {
        g->result->outcome = OUTCOME_PASS;
        g->result->reason = NULL;
    } else {
        g->result->reason = "the grader checked nothing";
    }
}

static void run_newest_undo(struct grade *g)
{
    /* Taken off first: an undo that fails must not run twice, nor keep the others from it. */
    struct undo undo = g->undo[--g->undo_count];

    undo.function(undo.argument);
}

static void after(struct grade *g, void (*work)(struct grade *g), const char *what)
{
    if (!guard(g, work) && g->crash != 0 && !g->result->undo_error)
        g->result->undo_error = crash_text(g, what);
}

/* Brings what the step's program said into its result. */
static void keep_words(struct grade *g, struct result *result)
{
    logring_finish(&g->log);
    result->log_total = g->log.total;
    result->log_count = logring_count(&g->log);
    result->log = arena_take(&g->arena, sizeof(*result->log) * (result->log_count + 1));
    if (!result->log)
        result->log_count = 0;
    for (size_t i = 0; i < result->log_count; i++) {
        const char *line = logring_line(&g->log, i);
        result->log[i] = arena_copy(&g->arena, line, strlen(line));
    }
    result->note = g->note[0] ? text_cleaned(&g->arena, g->note) : NULL;
}

static void settle(struct grade *g)
{
    struct result *result = g->result;

    if (!g->fetched) /* else its words came with it */
        keep_words(g, result);
    /* A machine that may be dirty now is no place to hand out points. */
    if (result->undo_error && result->outcome == OUTCOME_PASS) {
        result->outcome = OUTCOME_ERROR;
        result->reason = result->undo_error;
    }
    g->step = NULL;
    g->result = NULL;
    arena_clear(&g->step_arena);
}

static void step_test(void **state)
{
    struct slot *slot = *state;
    struct grade *g = slot->g;
    double started = now();

    if (grade_interrupted())
        skip();
    begin(slot);
    bool finished = guard(g, run_step);
    if (!finished && g->crash != 0 && !g->result->ended)
        g->result->reason = crash_text(g, "the grader itself");
    g->phase = PHASE_AFTER;
    while (g->undo_count > 0)
        after(g, run_newest_undo, "a clean-up of the grader");
    after(g, run_step_end, "the clean-up after the step");
    g->phase = PHASE_OUTSIDE;
    if (!g->fetched)
        g->result->seconds = now() - started;
    settle(g);
    if (g->options->stream >= 0)
        report_stream(g, slot->index, g->options->stream);
    enum outcome outcome = g->results[slot->index].outcome;
    if (outcome == OUTCOME_SKIP || outcome == OUTCOME_BLOCKED)
        skip();
    if (outcome != OUTCOME_PASS)
        _fail(slot->g->lab->name, g->lab->steps[slot->index].number);
}

static void prepare(struct grade *g)
{
    int error = run_prepare(g);

    if (error < 0)
        grade_error(g, error, "the sandbox could not be prepared");
}

static struct grade *group; /* cmocka hands no state of ours to a group's own fixtures */

static int group_setup(void **state)
{
    struct grade *g = group;

    (void)state;
    g->phase = PHASE_OUTSIDE;
    if (guard(g, prepare))
        return 0;
    if (!g->trouble)
        g->trouble = g->crash ? crash_text(g, "the preparation") : "the preparation was left";
    for (size_t i = 0; i < g->lab->count; i++) {
        g->results[i].outcome = OUTCOME_ERROR;
        g->results[i].reason = g->trouble;
    }
    return -1;
}

static int group_teardown(void **state)
{
    struct grade *g = group;

    (void)state;
    if (!guard(g, run_finish) && !g->trouble)
        g->trouble = g->crash ? crash_text(g, "the clean-up after the lab") : "left half-way";
    return 0;
}

/* cmocka's own words go into a file of the report: its verdicts know neither points nor reasons.
 * It opens the file by name and never overwrites one. */
static void tell_cmocka(int directory, const char *lab, char name[128])
{
    char path[192];

    snprintf(name, 128, "cmocka.%d.%s", (int)getpid(), lab);
    unlinkat(directory, name, 0);
    /* "%g" becomes the group's name, and makes cmocka open a file for each group rather than one
     * for the whole process. */
    snprintf(path, sizeof(path), "/proc/self/fd/%d/cmocka.%d.%%g", directory, (int)getpid());
    setenv("CMOCKA_XML_FILE", path, 1);
    setenv("CMOCKA_MESSAGE_OUTPUT", "XML", 1);
    unsetenv("CMOCKA_TEST_ABORT");
}

static void run_group(struct grade *g)
{
    struct CMUnitTest tests[STEP_MAX];
    struct slot slots[STEP_MAX];
    size_t count = 0;

    for (size_t i = 0; i < g->lab->count; i++) {
        if (!g->results[i].selected)
            continue;
        slots[count] = (struct slot){g, i};
        tests[count] = (struct CMUnitTest){
            .name = g->lab->steps[i].slug, .test_func = step_test, .initial_state = &slots[count]};
        count++;
    }
    group = g;
    _cmocka_run_group_tests(g->lab->name, tests, count, group_setup, group_teardown);
    group = NULL;
}

int grade_run(struct grade *g, int directory)
{
    char name[128];
    double started = now();

    g->pid = getpid();
    int selected = lab_select_set(g->lab, track_asked(g->options, g->lab), g->results);
    if (selected < 0)
        return selected;
    tell_cmocka(directory, g->lab->name, name);
    run_group(g);
    g->seconds = now() - started;
    if (grade_interrupted()) {
        unlinkat(directory, name, 0);
        return -EINTR;
    }
    renameat(directory, name, directory, "cmocka.xml");
    return 0;
}

void grade_free(struct grade *g)
{
    arena_clear(&g->arena);
    arena_clear(&g->step_arena);
}
