/* Where a region stands: whether whole lines can be cut out there and leave C behind. */
#include "skeleton/plan.h"

#include <stdint.h>
#include <string.h>

static bool is_opening(const struct token *token)
{
    return token_is(token, "{") || token_is(token, "(") || token_is(token, "[");
}

static bool is_closing(const struct token *token)
{
    return token_is(token, "}") || token_is(token, ")") || token_is(token, "]");
}

/* The bracket that is open in front of code token i, or SIZE_MAX at file scope. */
static size_t enclosing(const struct tokens *code, size_t i)
{
    while (i-- > 0) {
        if (is_closing(&code->list[i]))
            i = code->list[i].partner;
        else if (is_opening(&code->list[i]))
            return i;
    }
    return SIZE_MAX;
}

/* Whether the { at code token i opens a block of statements, and not values or members. */
static bool is_block(const struct tokens *code, size_t i)
{
    static const char *const before_block[] = {"else", "do", ";", "{", "}", ":", "(", NULL};
    static const char *const before_literal[] = {"return", "sizeof", "(", ",", "=", "&", NULL};
    const struct token *before = &code->list[i - 1];

    if (!token_is(before, ")"))
        return token_among(before, before_block);
    /* (struct s){0} is a value, if (x) { a block: the word in front of the ( tells. */
    before = &code->list[before->partner - 1];
    return before->kind == TOKEN_WORD && !token_among(before, before_literal);
}

static int check_balance(const struct plan *plan, const struct region *region, size_t first,
                         size_t end, struct skeleton_error *error)
{
    int open_ifs = 0;

    for (size_t i = first; i < end; i++) {
        const struct token *token = &plan->code.list[i];

        if ((is_opening(token) || is_closing(token)) &&
            (token->partner < first || token->partner >= end))
            return skeleton_fail(error, token->line,
                                 "the region of line %u holds this %c without its partner; "
                                 "move a marker so that the region holds both or none",
                                 region->line, *token->at);
    }
    for (size_t i = tokens_from(&plan->all, region->body);
         i < plan->all.count && plan->all.list[i].at < region->finish && open_ifs >= 0; i++) {
        const struct token *token = &plan->all.list[i];
        const char *at = token->at + 1, *stop = token->at + token->length;

        if (token->kind != TOKEN_DIRECTIVE)
            continue;
        text_trim(&at, &stop);
        if (stop - at >= 2 && memcmp(at, "if", 2) == 0)
            open_ifs++;
        if (stop - at >= 5 && memcmp(at, "endif", 5) == 0)
            open_ifs--;
    }
    if (open_ifs != 0)
        return skeleton_fail(error, region->line,
                             "this region holds an #if without its #endif, or the other way "
                             "round; move a marker");
    return 0;
}

static int check_statements(const struct plan *plan, const struct region *region, size_t first,
                            size_t end, struct skeleton_error *error)
{
    static const char *const before[] = {"{", "}", ";", ":", NULL};
    static const char *const ending[] = {"}", ";", ":", NULL};
    const struct token *list = plan->code.list;

    if (!token_among(&list[first - 1], before))
        return skeleton_fail(error, region->line,
                             "this region begins inside of a statement (after \"%.*s\"); begin it "
                             "before, or put braces around it",
                             (int)list[first - 1].length, list[first - 1].at);
    if (end > first && !token_among(&list[end - 1], ending))
        return skeleton_fail(error, region->line,
                             "this region ends inside of a statement (after \"%.*s\"); end it "
                             "after the statement",
                             (int)list[end - 1].length, list[end - 1].at);
    if (token_is(&list[end], "else"))
        return skeleton_fail(error, region->line,
                             "an else follows this region and would lose its if; move the else "
                             "into the region");
    return 0;
}

static int check_kind(const struct region *region, const struct decision *d,
                      struct skeleton_error *error)
{
    if (region->kind == REGION_HELPER && d->function != SIZE_MAX)
        return skeleton_fail(error, region->line,
                             "helper inside of a function; helpers are functions and #includes at "
                             "file scope, so leave the word away");
    if (region->kind == REGION_RETURN && !d->statement)
        return skeleton_fail(error, region->line,
                             "return VALUE where no statement can stand; leave it away");
    return 0;
}

int plan_site(struct plan *plan, size_t r, struct skeleton_error *error)
{
    const struct region *region = &plan->regions.list[r];
    const struct tokens *code = &plan->code;
    struct decision *d = &plan->decisions[r];
    const size_t first = tokens_from(code, region->body);
    const size_t end = tokens_from(code, region->finish);
    const size_t outer = enclosing(code, first);
    int err = check_balance(plan, region, first, end, error);

    if (err < 0)
        return err;
    d->function = SIZE_MAX;
    for (size_t f = 0; f < plan->functions.count; f++) {
        const struct function *function = &plan->functions.list[f];

        if (first > function->open && first <= function->close)
            d->function = f;
    }
    if (outer != SIZE_MAX && !token_is(&code->list[outer], "{"))
        return skeleton_fail(error, region->line,
                             "this region stands inside of the brackets opened in line %u; take "
                             "the whole statement in",
                             code->list[outer].line);
    d->statement = d->function != SIZE_MAX &&
                   (outer == plan->functions.list[d->function].open || is_block(code, outer));
    err = check_kind(region, d, error);
    if (err < 0 || !d->statement)
        return err;
    d->lone_label = token_is(&code->list[first - 1], ":") && token_is(&code->list[end], "}");
    return check_statements(plan, region, first, end, error);
}
