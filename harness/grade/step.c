/* What graders call: step.h says what each of these does. */
#include "grade/step.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "grade/grade.h"
#include "grade/guard.h"
#include "grade/seed.h"
#include "grade/text.h"

/* Before anything that a grader calls: a stop asked for ends the step here. */
void grade_check_interrupt(struct grade *g)
{
    if (g->phase == PHASE_STEP && grade_interrupted())
        guard_escape(g);
}

static struct evidence kept(struct grade *g, const struct evidence *evidence)
{
    return (struct evidence){
        .because = text_cleaned(&g->arena, evidence->because),
        .expected = text_cleaned(&g->arena, evidence->expected),
        .kernel = text_cleaned(&g->arena, evidence->kernel),
        .see = text_cleaned(&g->arena, evidence->see),
    };
}

/* A verdict counts while the step's own function runs; later ones are told beside it. */
static void record(struct grade *g, enum outcome outcome, const char *reason)
{
    if (g->phase == PHASE_STEP) {
        g->result->outcome = outcome;
        g->result->reason = reason;
        g->result->ended = true;
    } else if (g->phase == PHASE_AFTER && !g->result->undo_error) {
        g->result->undo_error = reason;
    } else if (g->phase == PHASE_OUTSIDE && !g->trouble) {
        g->trouble = reason;
    }
}

void grade_expect(struct grade *g, bool holds, const struct evidence *evidence)
{
    grade_check_interrupt(g);
    g->expects++;
    if (!holds)
        grade_fail(g, evidence);
}

void grade_fail(struct grade *g, const struct evidence *evidence)
{
    if (g->phase == PHASE_STEP)
        g->result->evidence = kept(g, evidence);
    record(g, OUTCOME_FAIL, "an expectation outside of the step's own function did not hold");
    guard_escape(g);
}

void grade_error(struct grade *g, int error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    const char *what = arena_vformat(&g->arena, format, arguments);
    va_end(arguments);
    if (error != 0)
        what = arena_format(&g->arena, "%s: %s", what, strerror(error < 0 ? -error : error));
    record(g, OUTCOME_ERROR, text_cleaned(&g->arena, what));
    guard_escape(g);
}

void grade_skip(struct grade *g, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    const char *what = arena_vformat(&g->arena, format, arguments);
    va_end(arguments);
    record(g, OUTCOME_SKIP, text_cleaned(&g->arena, what));
    guard_escape(g);
}

const char *say(struct grade *g, const char *format, ...)
{
    va_list arguments;

    grade_check_interrupt(g);
    va_start(arguments, format);
    const char *text = arena_vformat(&g->step_arena, format, arguments);
    va_end(arguments);
    return text;
}

uint32_t grade_random(struct grade *g, uint32_t below)
{
    return seed_below(&g->random, below);
}

int grade_between(struct grade *g, int low, int high)
{
    if (high < low)
        grade_error(g, 0, "grade_between(%d, %d): nothing lies between", low, high);
    /* In unsigned arithmetic, where the widest range neither overflows nor needs a case of its
     * own: its size wraps to 0, which stands for 2^32. */
    uint32_t range = (uint32_t)high - (uint32_t)low + 1;
    return (int)((uint32_t)low + seed_below(&g->random, range));
}

const char *grade_word(struct grade *g, size_t length)
{
    char *word = arena_take(&g->step_arena, length + 1);

    if (!word)
        grade_error(g, 0, "no memory for a word");
    for (size_t i = 0; i < length; i++)
        word[i] = (char)('a' + seed_below(&g->random, 26));
    return word;
}

void grade_defer(struct grade *g, void (*undo)(void *arg), void *arg)
{
    if (g->undo_count == GRADE_UNDO_MAX) {
        undo(arg);
        grade_error(g, 0, "more than %d grade_defer() calls in one step", GRADE_UNDO_MAX);
    }
    g->undo[g->undo_count++] = (struct undo){undo, arg};
}

size_t grade_deferred(const struct grade *g)
{
    return g->undo_count;
}

void grade_undo(struct grade *g, size_t mark)
{
    while (g->undo_count > mark) {
        struct undo undo = g->undo[--g->undo_count];
        undo.function(undo.argument);
    }
}

void grade_log(struct grade *g, const char *text, size_t length)
{
    logring_add(&g->log, text, length);
}

void grade_note(struct grade *g, const char *format, ...)
{
    size_t used = strlen(g->note);
    va_list arguments;

    if (used > 0 && used + 1 < sizeof(g->note))
        g->note[used++] = '\n';
    va_start(arguments, format);
    vsnprintf(g->note + used, sizeof(g->note) - used, format, arguments);
    va_end(arguments);
}
