/* What a function takes and returns, read off its declaration. */
#include "skeleton/function.h"

/* Words of a parameter that are neither its type nor its name. */
static const char *const no_types[] = {
    "const",     "volatile", "restrict",      "__restrict", "__restrict__", "register", "_Atomic",
    "_Nullable", "_Nonnull", "__extension__", "struct",     "union",        "enum",     NULL};
static const char *const type_keywords[] = {"void",     "char",     "short",    "int",    "long",
                                            "signed",   "unsigned", "float",    "double", "_Bool",
                                            "_Complex", "bool",     "__int128", NULL};
static const char *const attributes[] = {"__attribute__", "__attribute", "_Alignas", "alignas",
                                         NULL};

/* In (*name), (*name)[3] or (*(*name)(int)): the last word that can be a name, innermost. */
static const struct token *name_in_group(const struct tokens *code, size_t from, size_t end)
{
    const struct token *name = NULL;

    for (size_t i = from; i < end; i = tokens_step_over(code, i)) {
        if (tokens_mark(code, i, '(') && !name)
            return name_in_group(code, i + 1, code->list[i].partner);
        if (code->list[i].kind == TOKEN_WORD && !token_among(&code->list[i], no_types))
            name = &code->list[i];
    }
    return name;
}

/* Whether the ( at i holds a declarator, (*f) or (f), and not the parameters of a function type. */
static bool holds_declarator(const struct tokens *code, size_t i, size_t end)
{
    const size_t close = code->list[i].partner;

    if (tokens_mark(code, i + 1, '*') || tokens_mark(code, i + 1, '('))
        return true;
    return close == i + 2 && close + 1 < end && tokens_mark(code, close + 1, '(') &&
           code->list[i + 1].kind == TOKEN_WORD && !token_among(&code->list[i + 1], type_keywords);
}

/* The name of the one parameter whose declaration is the tokens [from, end), or NULL. */
static const struct token *parameter_name(const struct tokens *code, size_t from, size_t end)
{
    const struct token *name = NULL;
    bool typed = false; /* a type stands before what comes now */

    for (size_t i = from; i < end; i = tokens_step_over(code, i)) {
        const struct token *token = &code->list[i];

        if (token->kind == TOKEN_WORD && token_among(token, attributes)) {
            if (i + 1 < end && tokens_mark(code, i + 1, '('))
                i++;
        } else if (tokens_mark(code, i, '(')) {
            return holds_declarator(code, i, end)
                       ? name_in_group(code, i + 1, code->list[i].partner)
                       : name;
        } else if (token->kind == TOKEN_WORD && !token_among(token, no_types)) {
            if (typed && !token_among(token, type_keywords))
                name = token;
            typed = true;
        }
    }
    return name;
}

size_t function_parameters(const struct tokens *code, const struct function *function,
                           const struct token **names, size_t room)
{
    const size_t close = code->list[function->params].partner;
    size_t from = function->params + 1, count = 0;
    bool old_style = close + 1 < function->open && close > from;

    /* Old-style: nothing but names. Attributes after the list do not make it so. */
    for (size_t i = from; i < close; i++)
        old_style = old_style && ((i - from) % 2 == 0 ? code->list[i].kind == TOKEN_WORD
                                                      : tokens_mark(code, i, ','));
    while (from < close) {
        const struct token *name;
        size_t end = from;

        while (end < close && !tokens_mark(code, end, ','))
            end = tokens_step_over(code, end);
        name = old_style && !token_is(&code->list[from], "void") ? &code->list[from]
                                                                 : parameter_name(code, from, end);
        if (name && count < room)
            names[count] = name;
        count += name != NULL;
        from = end + 1;
    }
    return count;
}

enum result function_result(const struct tokens *code, const struct function *function)
{
    static const char *const never[] = {"noreturn", "_Noreturn", "__noreturn__", NULL};
    static const char *const unsigned_types[] = {"unsigned", "size_t",   "uint8_t",   "uint16_t",
                                                 "uint32_t", "uint64_t", "uintmax_t", "uintptr_t",
                                                 "nfds_t",   "dev_t",    "ino_t",     "mode_t",
                                                 "nlink_t",  "rlim_t",   NULL};
    static const char *const signed_types[] = {
        "int",     "long",    "signed", "pid_t",    "ssize_t",  "off_t",     "off64_t",
        "int32_t", "int64_t", "time_t", "intmax_t", "intptr_t", "ptrdiff_t", "clock_t",
        "key_t",   "mqd_t",   "double", "float",    NULL};
    static const char *const small_types[] = {"short", "char", "struct", "union", "enum", NULL};
    static const char *const bool_types[] = {"bool", "_Bool", NULL};
    enum result result = RESULT_UNKNOWN;
    bool small = false, is_unsigned = false;

    for (size_t i = function->head; i < function->name; i++) {
        const struct token *token = &code->list[i];

        if (tokens_mark(code, i, '*'))
            return RESULT_POINTER;
        if (token->kind != TOKEN_WORD)
            continue;
        if (token_among(token, never))
            return RESULT_NEVER;
        if (token_is(token, "void"))
            result = RESULT_NONE;
        else if (token_among(token, bool_types))
            result = RESULT_BOOL;
        else if (token_among(token, unsigned_types))
            is_unsigned = true;
        else if (token_among(token, small_types))
            small = true;
        else if (token_among(token, signed_types))
            result = RESULT_SIGNED;
    }
    return is_unsigned ? RESULT_UNSIGNED : small ? RESULT_UNKNOWN : result;
}
