/* One result as a line of JSON, and back: the way it takes from a guest to the report. What comes
 * from there was clean when it was sent (text.h); it is cleaned once more. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grade/report.h"
#include "grade/text.h"

void report_stream(const struct grade *g, size_t index, int fd)
{
    json_t *step = report_step_json(g, index);

    json_object_set_new(step, "lab", json_string(g->lab->name));
    char *text = json_dumps(step, JSON_COMPACT | JSON_REAL_PRECISION(6));
    if (!text || dprintf(fd, "%s\n", text) < 0) {
        /* whoever reads has none then, and that is an ERROR there */
    }
    free(text);
    json_decref(step);
}

static const char *text_of(struct grade *g, const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text_cleaned(&g->arena, text) : NULL;
}

static enum outcome outcome_of(const char *name)
{
    for (int i = OUTCOME_ERROR; name && i <= OUTCOME_SKIP; i++)
        if (strcmp(outcome_name((enum outcome)i), name) == 0)
            return (enum outcome)i;
    return OUTCOME_ERROR;
}

static void read_log(struct grade *g, struct result *result, const json_t *lines)
{
    size_t count = json_array_size(lines);

    result->log = arena_take(&g->arena, sizeof(*result->log) * (count + 1));
    result->log_count = 0;
    for (size_t i = 0; result->log && i < count; i++) {
        const char *line = json_string_value(json_array_get(lines, i));
        if (line)
            result->log[result->log_count++] = text_cleaned(&g->arena, line);
    }
}

void report_step_read(struct grade *g, size_t index, const json_t *step)
{
    struct result *result = &g->results[index];
    const json_t *evidence = json_object_get(step, "evidence");

    result->outcome = outcome_of(json_string_value(json_object_get(step, "outcome")));
    result->reason = text_of(g, step, "reason");
    if (result->outcome == OUTCOME_ERROR && !result->reason)
        result->reason = "a result without a reason";
    result->undo_error = text_of(g, step, "undo_error");
    result->note = text_of(g, step, "note");
    result->seconds = json_number_value(json_object_get(step, "seconds"));
    result->blocked_by = (int)json_integer_value(json_object_get(step, "blocked_by"));
    result->evidence = (struct evidence){
        .because = text_of(g, evidence, "because"),
        .expected = text_of(g, evidence, "expected"),
        .kernel = text_of(g, evidence, "kernel"),
        .see = text_of(g, evidence, "see"),
    };
    read_log(g, result, json_object_get(step, "log"));
    result->log_total = (size_t)json_integer_value(json_object_get(step, "log_total"));
}
