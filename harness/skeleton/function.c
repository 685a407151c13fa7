/* Function definitions, found by the shape of what stands before a { at file scope. */
#include "skeleton/function.h"

#include <errno.h>
#include <stdlib.h>

/* Words that are followed by a ( which opens no parameter list. */
static const char *const not_names[] = {
    "__attribute__", "__attribute", "_Alignas", "alignas", "typeof",         "__typeof__",
    "_Atomic",       "__declspec",  "asm",      "__asm__", "_Static_assert", NULL};

static bool is_word(const struct tokens *code, size_t i)
{
    return i < code->count && code->list[i].kind == TOKEN_WORD;
}

/* Whether the ( at i lists nothing but names: what an old-style definition does. */
static bool only_names(const struct tokens *code, size_t i)
{
    const size_t close = code->list[i].partner;

    for (size_t k = i + 1; k < close; k++) {
        if ((k - i) % 2 == 1 ? !is_word(code, k) : !tokens_mark(code, k, ','))
            return false;
    }
    return close > i + 1 && (close - i) % 2 == 0;
}

/*
 * Whether the ( at i belongs to a macro in front of the definition, CLEANUP(x) int f(int a):
 * two words, or a word and a star, stand between it and the next bracket.
 */
static bool is_prefix_macro(const struct tokens *code, size_t i, size_t end)
{
    size_t k = code->list[i].partner + 1, between = 0;

    for (; k < end && (is_word(code, k) || tokens_mark(code, k, '*')); k++)
        between++;
    return between >= 2 && tokens_mark(code, k, '(');
}

/*
 * Finds name and parameter list among the tokens [from, end) of a declarator.
 * inner: inside of the brackets of int (*f(int a))(int), where no type stands in front.
 */
static bool find_declarator(const struct tokens *code, size_t from, size_t end, bool inner,
                            struct function *f)
{
    for (size_t i = from; i < end; i = tokens_step_over(code, i)) {
        if (tokens_mark(code, i, '='))
            return false;
        if (!tokens_mark(code, i, '('))
            continue;
        const size_t close = code->list[i].partner;
        const bool after_word = i > from && is_word(code, i - 1);

        if (after_word && token_among(&code->list[i - 1], not_names))
            continue;
        if ((tokens_mark(code, i + 1, '*') || tokens_mark(code, i + 1, '(')) &&
            tokens_mark(code, close + 1, '('))
            return find_declarator(code, i + 1, close, true, f);
        if (close == i + 2 && is_word(code, i + 1) && tokens_mark(code, close + 1, '(')) {
            f->name = i + 1;
            f->params = close + 1;
            return true;
        }
        if (!after_word || (i - 1 == from && !inner) || is_prefix_macro(code, i, end))
            continue;
        f->name = i - 1;
        f->params = i;
        return true;
    }
    return false;
}

/* int f(a, b) int a; char *b; { : the ; belongs to the definition. */
static bool is_old_style(const struct tokens *code, size_t head, size_t semicolon)
{
    struct function f = {0};

    return find_declarator(code, head, semicolon, false, &f) && only_names(code, f.params) &&
           is_word(code, code->list[f.params].partner + 1) &&
           !token_among(&code->list[code->list[f.params].partner + 1], not_names);
}

/* What the { at i opens: fills f and returns true if it is the body of a function. */
static bool is_definition(const struct tokens *code, size_t head, size_t i, struct function *f)
{
    if (!find_declarator(code, head, i, false, f))
        return false;
    f->head = head;
    f->open = i;
    f->close = code->list[i].partner;
    return true;
}

int functions_find(const struct tokens *code, struct functions *functions)
{
    size_t head = 0;

    functions->list = calloc(code->count / 4 + 1, sizeof(*functions->list));
    if (!functions->list)
        return -ENOMEM;
    for (size_t i = 0; i < code->count; i = tokens_step_over(code, i)) {
        struct function f = {0};

        if (tokens_mark(code, i, ';') && !is_old_style(code, head, i))
            head = i + 1;
        if (tokens_mark(code, i, '{') && is_definition(code, head, i, &f)) {
            functions->list[functions->count++] = f;
            head = f.close + 1;
        }
    }
    return 0;
}

void functions_free(struct functions *functions)
{
    free(functions->list);
    *functions = (struct functions){0};
}
