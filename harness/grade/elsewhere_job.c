/* What a guest is to do, and what it needs for that. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grade/elsewhere_plan.h"
#include "grade/lab.h"

char *plan_job(const struct plan *plan, const struct grade_options *options, int place,
               const char *where)
{
    char *job = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&job, &size);
    const char *first = getenv("STRATA_GUEST_FIRST"); /* for tests of guests that go wrong */

    if (!out)
        return NULL;
    fprintf(out, "env VM=0\n");
    if (getenv("STRATA_SINGLE_ID"))
        fprintf(out, "env STRATA_SINGLE_ID=1\n");
    if (first && first[0])
        fprintf(out, "do %s\n", first);
    for (size_t i = 0; i < plan->count; i++) {
        const struct plan_lab *lab = &plan->labs[i];
        char number[3];
        const char *comma = "";
        if (!plan_goes(lab, place))
            continue;
        fprintf(out, "grade --src\t%s\t--seed\t%08x\t--no-progress\t--report\t/run/report\t",
                options->src, options->seed);
        fprintf(out, "--where\t%s\t--steps\t", where);
        for (size_t k = 0; k < lab->lab->count; k++) {
            if (lab->place[k] != place)
                continue;
            fprintf(out, "%s%zu", comma, k + 1);
            comma = ",";
        }
        fprintf(out, "\t%s\n", lab_number(lab->lab, number));
    }
    fclose(out);
    return job;
}

size_t plan_files(const struct plan *plan, const struct grade_options *options, int place,
                  struct guest_file files[PLAN_LABS], char paths[PLAN_LABS][64])
{
    size_t count = 0;

    for (size_t i = 0; i < plan->count; i++) {
        const struct plan_lab *lab = &plan->labs[i];
        char number[3];
        if (!plan_goes(lab, place))
            continue;
        lab_number(lab->lab, number);
        snprintf(paths[count], sizeof(paths[count]), "kit/build/%s/%s/lab%s", options->src, number,
                 number);
        files[count] = (struct guest_file){paths[count], lab->program, 0755};
        count++;
    }
    return count;
}
