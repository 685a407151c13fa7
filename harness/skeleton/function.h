/* Where the functions of a C file are, what their parameters are called, what they return. */
#ifndef STRATA_SKELETON_FUNCTION_H
#define STRATA_SKELETON_FUNCTION_H

#include "skeleton/scan.h"

/* All indices are of the code tokens that functions_find was given. */
struct function {
    size_t head;   /* first token of the definition */
    size_t name;   /* its name */
    size_t params; /* the ( of its parameter list */
    size_t open;   /* the { of its body */
    size_t close;  /* the } of its body */
};

struct functions {
    struct function *list;
    size_t count;
};

/* What kind of value a function returns, by the words in front of its name. */
enum result {
    RESULT_NONE,     /* void */
    RESULT_SIGNED,   /* STRATA_TODO fits */
    RESULT_UNSIGNED, /* it does not: 0 */
    RESULT_BOOL,
    RESULT_POINTER,
    RESULT_NEVER,  /* noreturn */
    RESULT_UNKNOWN /* a struct, an enum, a type that we do not know */
};

/*
 * Finds the function definitions at file scope, in order. Knows old-style parameter lists,
 * attributes, and functions that return pointers to functions.
 * Returns 0 or -ENOMEM; functions_free in either case.
 */
int functions_find(const struct tokens *code, struct functions *functions);

void functions_free(struct functions *functions);

/*
 * The names of the parameters, into at most room places of names, as tokens. Unnamed ones,
 * (void) and ... have none. Returns how many there are, which can be more than room.
 */
size_t function_parameters(const struct tokens *code, const struct function *function,
                           const struct token **names, size_t room);

enum result function_result(const struct tokens *code, const struct function *function);

#endif
