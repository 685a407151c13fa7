/* A scanner for C that knows comments, strings, directives and brackets, and nothing more. */
#include "skeleton/scan.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct scanner {
    const char *at;
    const char *end;
    unsigned line;
    bool line_start;   /* only white space (or comments) so far on this line */
    bool in_directive; /* until the newline that no backslash hides */
};

bool token_is(const struct token *token, const char *text)
{
    return strlen(text) == token->length && memcmp(token->at, text, token->length) == 0;
}

bool token_among(const struct token *token, const char *const *texts)
{
    for (; *texts; texts++) {
        if (token_is(token, *texts))
            return true;
    }
    return false;
}

bool token_same(const struct token *a, const struct token *b)
{
    return a->length == b->length && memcmp(a->at, b->at, a->length) == 0;
}

bool tokens_mark(const struct tokens *code, size_t i, char mark)
{
    return i < code->count && code->list[i].kind == TOKEN_MARK && *code->list[i].at == mark;
}

size_t tokens_step_over(const struct tokens *code, size_t i)
{
    const bool opens =
        tokens_mark(code, i, '(') || tokens_mark(code, i, '[') || tokens_mark(code, i, '{');

    return (opens ? code->list[i].partner : i) + 1;
}

size_t tokens_from(const struct tokens *tokens, const char *at)
{
    size_t low = 0, high = tokens->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (tokens->list[middle].at < at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void tokens_free(struct tokens *tokens)
{
    free(tokens->list);
    *tokens = (struct tokens){0};
}

static int add(struct tokens *tokens, const struct token *token)
{
    if (tokens->count == tokens->room) {
        size_t room = 2 * tokens->room + 256;
        struct token *grown = reallocarray(tokens->list, room, sizeof(*grown));

        if (!grown)
            return -ENOMEM;
        tokens->list = grown;
        tokens->room = room;
    }
    tokens->list[tokens->count++] = *token;
    return 0;
}

/* How many bytes a line continuation takes at p: backslash, perhaps CR, newline; 0 if none. */
static size_t continuation(const char *p, const char *end)
{
    if (end - p >= 2 && p[0] == '\\' && p[1] == '\n')
        return 2;
    if (end - p >= 3 && p[0] == '\\' && p[1] == '\r' && p[2] == '\n')
        return 3;
    return 0;
}

static const char *end_of_literal(const char *p, const char *end)
{
    const char quote = *p++;

    while (p < end && *p != quote && *p != '\n') {
        size_t skipped = continuation(p, end);

        if (skipped > 0)
            p += skipped;
        else
            p += *p == '\\' && p + 1 < end && p[1] != '\n' ? 2 : 1;
    }
    return p < end && *p == quote ? p + 1 : p;
}

/* Returns NULL for a block comment that nothing closes. */
static const char *end_of_comment(const char *p, const char *end)
{
    if (p[1] == '*') {
        const char *close = memmem(p + 2, (size_t)(end - p - 2), "*/", 2);

        return close ? close + 2 : NULL;
    }
    while (p < end && *p != '\n') {
        size_t skipped = continuation(p, end);

        p += skipped > 0 ? skipped : 1;
    }
    return p;
}

static bool comment_begins(const char *p, const char *end)
{
    return end - p >= 2 && p[0] == '/' && (p[1] == '/' || p[1] == '*');
}

static const char *end_of_directive(const char *p, const char *end)
{
    while (p < end && *p != '\n' && !comment_begins(p, end)) {
        size_t skipped = continuation(p, end);

        if (skipped > 0)
            p += skipped;
        else if (*p == '"' || *p == '\'')
            p = end_of_literal(p, end);
        else
            p++;
    }
    return p;
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '$' || (unsigned char)c >= 0x80;
}

/* Decides what begins at s->at, which is no white space, and where it ends (NULL: it does not). */
static const char *classify(struct scanner *s, enum token_kind *kind)
{
    const char *p = s->at;

    if (comment_begins(p, s->end)) {
        *kind = TOKEN_COMMENT;
        return end_of_comment(p, s->end);
    }
    if (s->in_directive || (s->line_start && *p == '#')) {
        s->in_directive = true;
        *kind = TOKEN_DIRECTIVE;
        return end_of_directive(p, s->end);
    }
    if (*p == '"' || *p == '\'') {
        *kind = TOKEN_LITERAL;
        return end_of_literal(p, s->end);
    }
    if (is_word(*p)) {
        *kind = TOKEN_WORD;
        while (p < s->end && is_word(*p))
            p++;
        return p;
    }
    *kind = TOKEN_MARK;
    return p + 1;
}

static int next(struct scanner *s, struct token *token, struct skeleton_error *error)
{
    while (s->at < s->end && (isspace((unsigned char)*s->at) || continuation(s->at, s->end))) {
        size_t skipped = continuation(s->at, s->end);

        if (skipped > 0 || *s->at == '\n')
            s->line++;
        if (skipped == 0 && *s->at == '\n') {
            s->line_start = true;
            s->in_directive = false;
        }
        s->at += skipped > 0 ? skipped : 1;
    }
    *token = (struct token){.at = s->at, .line = s->line, .partner = SIZE_MAX};
    if (s->at == s->end)
        return 0;

    const char *end = classify(s, &token->kind);
    if (!end)
        return skeleton_fail(error, s->line, "this comment is never closed; add the */");
    for (const char *p = s->at; p < end; p++)
        s->line += *p == '\n';
    if (token->kind != TOKEN_COMMENT)
        s->line_start = false;
    token->length = (size_t)(end - s->at);
    s->at = end;
    return 0;
}

int match_brackets(struct tokens *code, struct skeleton_error *error)
{
    size_t top = SIZE_MAX; /* the innermost open one; those below it in the partner fields */

    for (size_t i = 0; i < code->count; i++) {
        struct token *token = &code->list[i];
        const char c = token->kind == TOKEN_MARK ? *token->at : ' ';

        if (c == '(' || c == '[' || c == '{') {
            token->partner = top;
            top = i;
        } else if (c == ')' || c == ']' || c == '}') {
            const char open = c == ')' ? '(' : c == ']' ? '[' : '{';

            if (top == SIZE_MAX || *code->list[top].at != open)
                return skeleton_fail(error, token->line,
                                     "this %c closes nothing; balance the brackets (a brace opened "
                                     "in both arms of an #if must be written once)",
                                     c);
            token->partner = top;
            size_t below = code->list[top].partner;
            code->list[top].partner = i;
            top = below;
        }
    }
    if (top != SIZE_MAX)
        return skeleton_fail(error, code->list[top].line,
                             "this %c is never closed; balance the brackets (a brace opened in "
                             "both arms of an #if must be written once)",
                             *code->list[top].at);
    return 0;
}

int scan(const char *source, size_t length, struct tokens *all, struct tokens *code,
         struct skeleton_error *error)
{
    struct scanner s = {.at = source, .end = source + length, .line = 1, .line_start = true};

    for (;;) {
        struct token token;
        int err = next(&s, &token, error);

        if (err == 0 && token.length == 0)
            break;
        if (err == 0)
            err = add(all, &token);
        if (err == 0 && token.kind != TOKEN_COMMENT && token.kind != TOKEN_DIRECTIVE)
            err = add(code, &token);
        if (err < 0)
            return err;
    }
    return 0;
}
