/* What run.c and needs.c give the runner, without a sandbox. */
#include <errno.h>
#include <string.h>

#include "grade/grade.h"

int run_prepare(struct grade *g)
{
    return strcmp(g->lab->name, "38-prepare") == 0 ? -EPERM : 0;
}

void run_step_end(struct grade *g)
{
    if (strcmp(g->step->slug, "leak") == 0)
        grade_error(g, 0, "a mount is left behind");
}

void run_finish(struct grade *g)
{
    (void)g;
}

unsigned needs_missing(unsigned needs, const char **name)
{
    *name = "ids:65536";
    return needs & NEED_IDS;
}
