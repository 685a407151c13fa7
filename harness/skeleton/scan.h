/* C cut into tokens: just enough to know code from comment, and which bracket closes which. */
#ifndef STRATA_SKELETON_SCAN_H
#define STRATA_SKELETON_SCAN_H

#include "skeleton/skeleton.h"

#include <stdbool.h>

enum token_kind {
    TOKEN_WORD,      /* an identifier, a keyword or a number */
    TOKEN_LITERAL,   /* a string or a character */
    TOKEN_MARK,      /* one character of punctuation; "->" is two tokens */
    TOKEN_COMMENT,   /* with its delimiters */
    TOKEN_DIRECTIVE, /* a line of the preprocessor, up to a comment on it */
};

struct token {
    enum token_kind kind;
    const char *at; /* into the source */
    size_t length;  /* bytes */
    unsigned line;  /* of its first byte, from 1 */
    size_t partner; /* of a bracket: the index of the other one */
};

struct tokens {
    struct token *list;
    size_t count;
    size_t room;
};

/*
 * Cuts source (length bytes) into all: every token; and code: those that the compiler proper
 * sees. Strings that are not closed end with their line, for the
 * apostrophe in an #error is no character constant.
 * Returns 0, -EINVAL with error filled for a comment that is never closed, -ENOMEM.
 * tokens_free both in either case.
 */
int scan(const char *source, size_t length, struct tokens *all, struct tokens *code,
         struct skeleton_error *error);

/*
 * Sets the partner of every bracket in code. Returns 0, or -EINVAL with error filled when the
 * brackets do not balance: everything that walks over code relies on partners.
 */
int match_brackets(struct tokens *code, struct skeleton_error *error);

void tokens_free(struct tokens *tokens);

/* Whether the token is exactly this text. */
bool token_is(const struct token *token, const char *text);

/* Whether the token is one of a NULL-terminated list of texts. */
bool token_among(const struct token *token, const char *const *texts);

/* Whether two tokens have the same text. */
bool token_same(const struct token *a, const struct token *b);

/* Whether token i exists and is this character of punctuation. */
bool tokens_mark(const struct tokens *code, size_t i, char mark);

/* One past i, or past the bracket that closes what i opens. */
size_t tokens_step_over(const struct tokens *code, size_t i);

/* The index of the first token that does not begin before at (tokens->count if none). */
size_t tokens_from(const struct tokens *tokens, const char *at);

#endif
