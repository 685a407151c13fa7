/*
 * What the results of a lab add up to.
 */
#pragma once

#include "grade/grade.h"

struct score {
    int core_passed, core_total;  /* core steps that were graded in this run                   */
    int points;                   /* of core steps that passed                                 */
    int gradable;                 /* of core steps that were not skipped                       */
    int not_graded;               /* of core steps that were skipped                           */
    int bonus, bonus_total;       /* of *more* steps                                           */
    int count[5];                 /* by enum outcome, core and more                            */
    bool partial;                 /* not all of the lab's steps were selected                  */
    bool lab_passed;              /* every core step of the lab passed in this run             */
    const struct result *failing; /* the first FAIL or ERROR, or NULL                          */
    size_t failing_index;
};

/* Adds up the selected results of g. */
struct score score_of(const struct grade *g);

/* What build/grade has to end with for this lab. An empty run is a fault of the harness. */
enum status score_status(const struct grade *g, const struct score *score);

/* The status of several labs: a fault of the harness, then a failure, then a skip outweighs. */
enum status score_worse(enum status one, enum status other);
