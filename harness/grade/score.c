#include "grade/score.h"

struct score score_of(const struct grade *g)
{
    struct score score = {0};
    bool all_core = true;

    for (size_t i = 0; i < g->lab->count; i++) {
        const struct step *step = &g->lab->steps[i];
        const struct result *result = &g->results[i];
        bool passed = result->selected && result->outcome == OUTCOME_PASS;
        bool failing = result->outcome == OUTCOME_FAIL || result->outcome == OUTCOME_ERROR;
        all_core = all_core && (step->more || passed);
        if (!result->selected) {
            score.partial = true;
            continue;
        }
        score.count[result->outcome]++;
        if (failing && !score.failing) {
            score.failing = result;
            score.failing_index = i;
        }
        if (step->more) {
            score.bonus += passed ? step->points : 0;
            score.bonus_total += step->points;
            continue;
        }
        score.core_total++;
        score.core_passed += passed;
        score.points += passed ? step->points : 0;
        *(result->outcome == OUTCOME_SKIP ? &score.not_graded : &score.gradable) += step->points;
    }
    score.lab_passed = all_core && !g->trouble;
    return score;
}

enum status score_status(const struct grade *g, const struct score *score)
{
    int total = 0;

    for (size_t i = 0; i < sizeof(score->count) / sizeof(score->count[0]); i++)
        total += score->count[i];
    for (size_t i = 0; i < g->lab->count; i++)
        if (g->results[i].selected && g->results[i].undo_error)
            return STATUS_HARNESS;
    if (total == 0 || score->count[OUTCOME_ERROR] > 0 || g->trouble)
        return STATUS_HARNESS;
    if (score->count[OUTCOME_FAIL] > 0 || score->count[OUTCOME_BLOCKED] > 0)
        return STATUS_FAILED;
    return score->count[OUTCOME_SKIP] > 0 ? STATUS_SKIPPED : STATUS_PASSED;
}

enum status score_worse(enum status one, enum status other)
{
    static const int weight[] = {[STATUS_PASSED] = 0,
                                 [STATUS_SKIPPED] = 1,
                                 [STATUS_FAILED] = 2,
                                 [STATUS_USAGE] = 3,
                                 [STATUS_HARNESS] = 4};

    return weight[one] >= weight[other] ? one : other;
}
