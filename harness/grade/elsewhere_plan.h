/* Which steps of a run go to which guest. */
#pragma once

#include <limits.h>
#include <stdbool.h>

#include "grade/grade.h"
#include "vm/guest.h"

enum { PLAN_HERE = -1, PLAN_LABS = 64 };

struct plan_lab {
    const struct lab *lab;
    char program[PATH_MAX];
    int place[STEP_MAX]; /* PLAN_HERE, or enum guest_cgroup */
};

struct plan {
    struct plan_lab labs[PLAN_LABS];
    size_t count;
    bool here;           /* at least one step stays          */
    bool wanted;         /* at least one step goes somewhere  */
    const char *lacking; /* why there can be no guest, or NULL */
};

/* Asks VM=, and the needs of each selected step. 0, or -EINVAL for a VM= that makes no sense. */
int plan_make(struct plan *plan, const struct lab *const *labs, size_t count,
              const struct grade_options *options);

/* Does any step of this lab go there? */
bool plan_goes(const struct plan_lab *lab, int place);

/* What the guest is to do: build/grade, once a lab, with the steps that it has to have. A text that
 * is the caller's to free, or NULL without memory. elsewhere_job.c */
char *plan_job(const struct plan *plan, const struct grade_options *options, int place,
               const char *where);

/* Which programs go along, and to where build/grade finds them in there; returns how many. */
size_t plan_files(const struct plan *plan, const struct grade_options *options, int place,
                  struct guest_file files[PLAN_LABS], char paths[PLAN_LABS][64]);
