/* report.json: docs/report-format.md describes every field. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "grade/atomic.h"
#include "grade/lab.h"
#include "grade/report.h"
#include "grade/text.h"

/* Our results are clean; what came in by options and file names need not be. */
static json_t *string(const char *text)
{
    struct arena arena = {0};

    if (!text)
        return json_null();
    json_t *value = json_string(text);
    if (!value)
        value = json_string(text_cleaned(&arena, text));
    arena_clear(&arena);
    return value ? value : json_string("");
}

static json_t *words(const char *text)
{
    json_t *list = json_array();

    while (text && *text) {
        size_t length = strcspn(text, ", ");
        if (length > 0) {
            char *word = strndup(text, length);
            json_array_append_new(list, string(word ? word : ""));
            free(word);
        }
        text += length + (text[length] != '\0');
    }
    return list;
}

static json_t *evidence(const struct grade *g, const struct step *step, const struct result *result)
{
    char read[512];

    if (result->outcome != OUTCOME_FAIL)
        return json_null();
    snprintf(read, sizeof(read), "docs/%s.md#%s", g->lab->name, step->chapter);
    json_t *object = json_object();
    json_object_set_new(object, "because", string(result->evidence.because));
    json_object_set_new(object, "expected", string(result->evidence.expected));
    json_object_set_new(object, "kernel", string(result->evidence.kernel));
    json_object_set_new(object, "see", string(result->evidence.see));
    json_object_set_new(object, "read", string(read));
    json_object_set_new(object, "man", string(step->man));
    return object;
}

static json_t *log_lines(const struct result *result)
{
    json_t *list = json_array();

    for (size_t i = 0; i < result->log_count; i++)
        json_array_append_new(list, string(result->log[i]));
    return list;
}

json_t *report_step_json(const struct grade *g, size_t index)
{
    const struct step *step = &g->lab->steps[index];
    const struct result *result = &g->results[index];
    json_t *object = json_object();
    int earned = result->outcome == OUTCOME_PASS ? step->points : 0;

    json_object_set_new(object, "number", json_integer(step->number));
    json_object_set_new(object, "slug", string(step->slug));
    json_object_set_new(object, "title", string(step->title));
    json_object_set_new(object, "more", json_boolean(step->more));
    json_object_set_new(object, "outcome", string(outcome_name(result->outcome)));
    json_object_set_new(object, "points", json_integer(step->points));
    json_object_set_new(object, "earned", json_integer(earned));
    json_object_set_new(object, "seconds", json_real(result->seconds));
    json_object_set_new(object, "where", string(result->where));
    json_object_set_new(object, "reason",
                        string(result->outcome == OUTCOME_FAIL ? NULL : result->reason));
    json_object_set_new(object, "blocked_by",
                        result->blocked_by ? json_integer(result->blocked_by) : json_null());
    json_object_set_new(object, "passed_before", json_boolean(result->passed_before));
    json_object_set_new(object, "evidence", evidence(g, step, result));
    json_object_set_new(object, "note", string(result->note));
    json_object_set_new(object, "log", log_lines(result));
    json_object_set_new(object, "log_total", json_integer((json_int_t)result->log_total));
    json_object_set_new(object, "undo_error", string(result->undo_error));
    return object;
}

static json_t *score_object(const struct score *score)
{
    json_t *object = json_object();

    json_object_set_new(object, "core_passed", json_integer(score->core_passed));
    json_object_set_new(object, "core_total", json_integer(score->core_total));
    json_object_set_new(object, "points", json_integer(score->points));
    json_object_set_new(object, "gradable", json_integer(score->gradable));
    json_object_set_new(object, "not_graded", json_integer(score->not_graded));
    json_object_set_new(object, "bonus", json_integer(score->bonus));
    json_object_set_new(object, "bonus_total", json_integer(score->bonus_total));
    return object;
}

static json_t *digests(const struct grade *g)
{
    json_t *object = json_object();
    const char *layer = g->layer_digest && g->layer_digest[0] ? g->layer_digest : NULL;
    const char *kit = g->kit_digest && g->kit_digest[0] ? g->kit_digest : NULL;

    json_object_set_new(object, "layer", string(layer));
    json_object_set_new(object, "kit", string(kit));
    return object;
}

json_t *report_json(const struct grade *g)
{
    struct score score = score_of(g);
    char seed[9];
    json_t *report = json_object();
    json_t *steps = json_array();

    snprintf(seed, sizeof(seed), "%08x", g->options->seed);
    for (size_t i = 0; i < g->lab->count; i++)
        if (g->results[i].selected)
            json_array_append_new(steps, report_step_json(g, i));
    json_object_set_new(report, "schema", string("strata-report"));
    json_object_set_new(report, "version", json_integer(REPORT_VERSION));
    json_object_set_new(report, "lab", string(g->lab->name));
    json_object_set_new(report, "title", string(g->lab->title));
    json_object_set_new(report, "src", string(g->options->src));
    json_object_set_new(report, "seed", string(seed));
    json_object_set_new(report, "where",
                        string(report_where(g) ? report_where(g) : "several places"));
    json_object_set_new(report, "who", string(report_who(g)));
    json_object_set_new(report, "seconds", json_real(g->seconds));
    json_object_set_new(report, "borrowed", words(g->options->borrowed));
    json_object_set_new(report, "digests", digests(g));
    json_object_set_new(report, "partial", json_boolean(score.partial));
    json_object_set_new(report, "passed", json_boolean(score.lab_passed));
    json_object_set_new(report, "status", json_integer(score_status(g, &score)));
    json_object_set_new(report, "trouble", string(g->trouble));
    json_object_set_new(report, "score", score_object(&score));
    json_object_set_new(report, "steps", steps);
    return report;
}

static int write_json(const struct grade *g, int folder)
{
    json_t *report = report_json(g);
    char *text = report ? json_dumps(report, JSON_INDENT(2) | JSON_REAL_PRECISION(6)) : NULL;
    int error = text ? atomic_write(folder, "report.json", text, strlen(text)) : -ENOMEM;

    free(text);
    json_decref(report);
    return error;
}

static int write_tap(const struct grade *g, int folder)
{
    size_t length = 0;
    char *text = report_tap(g, &length);
    int error = text ? atomic_write(folder, "report.tap", text, length) : -ENOMEM;

    free(text);
    return error;
}

/* One line for the hints: which step to help with, and which fault was seen. */
static int write_last(const struct grade *g, int folder)
{
    struct score score = score_of(g);
    char line[512];

    if (score.failing && score.failing->evidence.because)
        snprintf(line, sizeof(line), "%d\t%s\t%s\n", g->lab->steps[score.failing_index].number,
                 g->lab->steps[score.failing_index].slug, score.failing->evidence.because);
    else if (score.failing)
        snprintf(line, sizeof(line), "%d\t%s\t-\n", g->lab->steps[score.failing_index].number,
                 g->lab->steps[score.failing_index].slug);
    else
        snprintf(line, sizeof(line), "0\t-\t-\n");
    return atomic_write(folder, "last", line, strlen(line));
}

int report_write(const struct grade *g, int folder)
{
    int json = write_json(g, folder);
    int tap = write_tap(g, folder);
    int last = write_last(g, folder);

    return json < 0 ? json : tap < 0 ? tap : last;
}
