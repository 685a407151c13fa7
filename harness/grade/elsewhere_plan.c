#include "grade/elsewhere_plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "grade/lab.h"
#include "grade/session.h"
#include "vm/guest.h"

enum wish { WISH_NEEDED, WISH_NEVER, WISH_ALL, WISH_ALL_OF_A_KIND };

static int read_wish(enum wish *wish, int *kind)
{
    const char *text = getenv("VM");

    *wish = WISH_NEEDED;
    *kind = GUEST_V2;
    if (getenv("STRATA_ASAN")) { /* its libraries, and its terabytes, are not for a guest */
        *wish = WISH_NEVER;
        return 0;
    }
    if (!text || !text[0])
        return 0;
    *wish = strcmp(text, "0") == 0 ? WISH_NEVER : WISH_ALL;
    if (strcmp(text, "0") == 0 || strcmp(text, "1") == 0)
        return 0;
    *wish = WISH_ALL_OF_A_KIND;
    for (*kind = 0; *kind < GUEST_CGROUPS; (*kind)++)
        if (strcmp(text, guest_cgroup_name((enum guest_cgroup) * kind)) == 0)
            return 0;
    return -EINVAL;
}

/* The hierarchy that meets what the step asks of control groups. */
static int kind_for(const struct step *step)
{
    return (step->needs & NEED_CGROUP1) != 0 ? GUEST_V1 : GUEST_V2;
}

static int place_of(const struct step *step, enum wish wish, int kind)
{
    const char *name;

    if (wish == WISH_ALL_OF_A_KIND)
        return kind;
    if (wish == WISH_ALL)
        return kind_for(step);
    /* Every step needs the sandbox, and the sandbox user namespaces. */
    return needs_missing(step->needs | NEED_USERNS, &name) != 0 ? kind_for(step) : PLAN_HERE;
}

static void plan_lab(struct plan *plan, const struct lab *lab, const struct grade_options *options,
                     enum wish wish, int kind)
{
    struct plan_lab *entry = &plan->labs[plan->count];
    struct result *selected = calloc(STEP_MAX, sizeof(*selected));

    if (selected && lab_select_set(lab, track_asked(options, lab), selected) > 0) {
        entry->lab = lab;
        session_program(lab, options, entry->program, sizeof(entry->program));
        for (size_t i = 0; i < lab->count; i++) {
            entry->place[i] =
                selected[i].selected ? place_of(&lab->steps[i], wish, kind) : PLAN_HERE;
            plan->wanted |= entry->place[i] != PLAN_HERE;
            plan->here |= selected[i].selected && entry->place[i] == PLAN_HERE;
        }
        plan->count++;
    }
    free(selected);
}

int plan_make(struct plan *plan, const struct lab *const *labs, size_t count,
              const struct grade_options *options)
{
    enum wish wish;
    int kind;
    int error = read_wish(&wish, &kind);

    *plan = (struct plan){0};
    if (error < 0 || wish == WISH_NEVER)
        return error;
    for (size_t i = 0; i < count && i < PLAN_LABS; i++)
        plan_lab(plan, labs[i], options, wish, kind);
    if (plan->wanted)
        plan->lacking = guest_lacking(options->root);
    return 0;
}

bool plan_goes(const struct plan_lab *lab, int place)
{
    for (size_t i = 0; i < lab->lab->count; i++)
        if (lab->place[i] == place)
            return true;
    return false;
}
