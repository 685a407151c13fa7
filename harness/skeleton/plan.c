/* Decides for every region what to return and which parameters to silence. */
#include "skeleton/plan.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

size_t plan_region_at(const struct plan *plan, const char *at)
{
    for (size_t r = 0; r < plan->regions.count; r++) {
        if (at >= plan->regions.list[r].begin && at < plan->regions.list[r].end)
            return r;
    }
    return SIZE_MAX;
}

static bool is_removed(const struct plan *plan, const char *at)
{
    const size_t r = plan_region_at(plan, at);

    return r != SIZE_MAX && plan->decisions[r].removed;
}

/* One past the statement that begins at code token i: a block, an if with its arms, up to a ;. */
static size_t after_statement(const struct tokens *code, size_t i, size_t end)
{
    for (; i < end; i++) {
        const struct token *token = &code->list[i];

        if (token_is(token, ";") || token_is(token, "{")) {
            i = token_is(token, "{") ? token->partner + 1 : i + 1;
            if (i < end && token_is(&code->list[i], "else"))
                continue;
            return i;
        }
        if (token_is(token, "(") || token_is(token, "["))
            i = token->partner;
    }
    return end;
}

/*
 * Whether control that leaves region r falls off the end of the function: only closing braces,
 * and else arms that it jumps over, come after it.
 */
static bool is_last(const struct plan *plan, size_t r)
{
    const struct function *f = &plan->functions.list[plan->decisions[r].function];
    const struct tokens *code = &plan->code;
    const char *reached = plan->regions.list[r].end;
    size_t i = tokens_from(code, reached);

    for (;;) {
        for (size_t k = r + 1; k < plan->regions.count; k++) {
            const char *begin = plan->regions.list[k].begin;

            if (plan->decisions[k].removed && begin >= reached && begin < code->list[i].at)
                return false;
        }
        if (i == f->close)
            return true;
        if (!token_is(&code->list[i], "}"))
            return false;
        i++;
        if (token_is(&code->list[i], "else"))
            i = after_statement(code, i + 1, f->close);
        reached = code->list[i - 1].at;
    }
}

/* Whether a return stands in the region itself, not in a block inside of it. */
static bool has_own_return(const struct plan *plan, const struct region *region)
{
    const struct tokens *code = &plan->code;

    for (size_t i = tokens_from(code, region->body);
         i < code->count && code->list[i].at < region->finish; i++) {
        if (token_is(&code->list[i], "return"))
            return true;
        if (token_is(&code->list[i], "{"))
            i = code->list[i].partner;
    }
    return false;
}

static int decide_explicit(struct plan *plan, size_t r, enum result kind, bool last,
                           struct skeleton_error *error)
{
    const struct region *region = &plan->regions.list[r];
    struct decision *d = &plan->decisions[r];

    if (kind == RESULT_NONE && region->value_length > 0)
        return skeleton_fail(error, region->line,
                             "the marker returns a value from a void function; leave it away");
    if (kind != RESULT_NONE && region->value_length == 0)
        return skeleton_fail(error, region->line,
                             "the marker says return without a value; add what this function "
                             "returns while the step is not written");
    if (!last && !has_own_return(plan, region))
        return skeleton_fail(error, region->line,
                             "the marker says return, but the region does not return and code "
                             "follows it; leave the return away");
    d->result = region->value;
    d->result_length = region->value_length;
    return 0;
}

/* Whether the code that the marker itself supplies mentions the word. */
static bool value_mentions(const struct region *region, const struct token *name)
{
    struct tokens all = {0}, code = {0};
    struct skeleton_error ignored;
    bool found = false;

    if (region->kind == REGION_RETURN || region->kind == REGION_REPLACE) {
        scan(region->value, region->value_length, &all, &code, &ignored);
        for (size_t i = 0; i < code.count; i++)
            found = found || token_same(&code.list[i], name);
    }
    tokens_free(&all);
    tokens_free(&code);
    return found;
}

/* Whether the replacement code itself ends the function. */
static bool leaves_by_itself(const struct region *region, enum result kind)
{
    const struct token give_back = {.at = "return", .length = 6};
    const struct token jump = {.at = "goto", .length = 4};

    return region->kind == REGION_REPLACE &&
           (kind == RESULT_NEVER || value_mentions(region, &give_back) ||
            value_mentions(region, &jump));
}

static int decide_return(struct plan *plan, size_t r, struct skeleton_error *error)
{
    static const char *const values[] = {[RESULT_SIGNED] = "STRATA_TODO",
                                         [RESULT_UNSIGNED] = "0",
                                         [RESULT_BOOL] = "false",
                                         [RESULT_POINTER] = "NULL"};
    const struct region *region = &plan->regions.list[r];
    struct decision *d = &plan->decisions[r];
    const enum result kind = function_result(&plan->code, &plan->functions.list[d->function]);
    const bool last = is_last(plan, r);

    if (region->kind == REGION_RETURN)
        return decide_explicit(plan, r, kind, last, error);
    if (!last || kind == RESULT_NONE || leaves_by_itself(region, kind))
        return 0;
    if (kind == RESULT_NEVER)
        return skeleton_fail(error, region->line,
                             "this function never returns; say in the marker how the skeleton "
                             "ends it, for instance replace: abort();");
    if (kind == RESULT_UNKNOWN)
        return skeleton_fail(error, region->line,
                             "what this function returns is no type that can hold STRATA_TODO; "
                             "add return VALUE to the marker");
    d->result = values[kind];
    d->result_length = strlen(d->result);
    return 0;
}

/* Whether code token i reads the parameter. A write alone does not count for the compilers. */
static bool is_use(const struct tokens *code, size_t i, const struct token *name)
{
    static const char *const elsewhere[] = {".", "goto", "struct", "union", "enum", NULL};
    const struct token *list = code->list;

    if (list[i].kind != TOKEN_WORD || !token_same(&list[i], name))
        return false;
    if (token_among(&list[i - 1], elsewhere))
        return false;
    if (token_is(&list[i - 1], ">") && token_is(&list[i - 2], "-") &&
        list[i - 2].at + 1 == list[i - 1].at)
        return false;
    const bool assigned = token_is(&list[i + 1], "=") && list[i + 2].at != list[i + 1].at + 1;
    return !assigned || token_is(&list[i - 1], "*");
}

static bool still_used(const struct plan *plan, size_t function, const struct token *name)
{
    const struct function *f = &plan->functions.list[function];

    for (size_t i = f->open + 1; i < f->close; i++) {
        if (is_use(&plan->code, i, name) && !is_removed(plan, plan->code.list[i].at))
            return true;
    }
    for (size_t r = 0; r < plan->regions.count; r++) {
        if (plan->decisions[r].removed && plan->decisions[r].function == function &&
            value_mentions(&plan->regions.list[r], name))
            return true;
    }
    return false;
}

/* The parameters are silenced in the last region of their function that takes statements. */
static int silence(struct plan *plan, size_t function, struct skeleton_error *error)
{
    const struct function *f = &plan->functions.list[function];
    const struct token *names[PLAN_PARAMETERS];
    struct decision *d = NULL;

    for (size_t r = 0; r < plan->regions.count; r++) {
        struct decision *candidate = &plan->decisions[r];

        if (candidate->removed && candidate->statement && candidate->function == function)
            d = candidate;
    }
    if (!d)
        return 0;
    const size_t count = function_parameters(&plan->code, f, names, PLAN_PARAMETERS);
    if (count > PLAN_PARAMETERS)
        return skeleton_fail(error, plan->code.list[f->name].line,
                             "more than %d parameters; a struct would serve the student better",
                             PLAN_PARAMETERS);
    for (size_t i = 0; i < count; i++) {
        if (!still_used(plan, function, names[i]))
            d->silenced[d->silenced_count++] = names[i];
    }
    return 0;
}

static int decide(struct plan *plan, unsigned first_open, struct skeleton_error *error)
{
    int err = 0;

    for (size_t r = 0; r < plan->regions.count && err == 0; r++) {
        plan->decisions[r].removed = plan->regions.list[r].step >= first_open;
        err = plan_site(plan, r, error);
    }
    for (size_t r = 0; r < plan->regions.count && err == 0; r++) {
        if (plan->decisions[r].removed && plan->decisions[r].statement)
            err = decide_return(plan, r, error);
    }
    for (size_t f = 0; f < plan->functions.count && err == 0; f++)
        err = silence(plan, f, error);
    return err;
}

int plan_make(const char *source, size_t length, unsigned first_open, struct plan *plan,
              struct skeleton_error *error)
{
    int err = scan(source, length, &plan->all, &plan->code, error);

    if (err == 0)
        err = regions_read(source, length, &plan->all, &plan->regions, error);
    if (err == 0)
        err = match_brackets(&plan->code, error);
    if (err == 0)
        err = functions_find(&plan->code, &plan->functions);
    if (err < 0)
        return err;
    plan->decisions = calloc(plan->regions.count, sizeof(*plan->decisions));
    return plan->decisions ? decide(plan, first_open, error) : -ENOMEM;
}

void plan_free(struct plan *plan)
{
    tokens_free(&plan->all);
    tokens_free(&plan->code);
    regions_free(&plan->regions);
    functions_free(&plan->functions);
    free(plan->decisions);
    *plan = (struct plan){0};
}
