/*
 * Hints: harness/graders/NN-name.hints, three tiers a step.
 *
 *     # a comment
 *     [hostname]                    the step's slug
 *     1 same-uts: Which of the two  tier 1: a question, chosen by the word that the grader gave
 *       host names did you change?  (an indented line goes on)
 *     1 *: What …                   tier 1, whatever was observed
 *     2: sethostname(2), …          tier 2: where to look
 *     3: Call …                     tier 3: each call and flag in order, in words
 */
#pragma once

#include <stddef.h>
#include <stdio.h>

#include "grade/arena.h"
#include "grade/report.h"
#include "grade/step.h"

enum { HINT_TIERS = 3 };

struct hint {
    const char *slug;
    int tier;
    const char *because; /* "*" for any; also for tiers 2 and 3 */
    const char *text;    /* one paragraph                       */
    int line;            /* where it begins in the file         */
};

struct hints {
    struct arena arena;
    struct hint *list;
    size_t count;
    const char *fault; /* what is wrong with the file: "path:12: …" */
};

/* Reads a file of hints. 0, -EBADMSG with hints->fault set, or -errno of open(2).
 * hints_free() it in each case. */
int hints_read(const char *path, struct hints *hints);
void hints_free(struct hints *hints);

/* The hint of a step's tier; for tier 1 the one of `because` if there is one, else "*".
 * NULL if there is none. */
const struct hint *hints_choose(const struct hints *hints, const char *slug, int tier,
                                const char *because);

/* Checks hints against their lab: each step has a tier 1 for anything, a tier 2 and a tier 3; no
 * two texts of a step are the same; no step is unknown. 0, or -EBADMSG with hints->fault set. */
int hints_check(struct hints *hints, const struct lab *lab, const char *path);

struct hint_request {
    const char *root;
    const char *report; /* the lab's own report folder */
    const struct lab *lab;
    int step; /* 0: the first that failed        */
    int tier; /* 0: the next that was not shown  */
};

/* Prints the hint asked for, and remembers that it did. Returns what to exit with; on failure
 * *fault says why in words that live in `arena`. */
enum status hint_show(const struct hint_request *request, const struct style *style, FILE *out,
                      struct arena *arena, const char **fault);
