/* report.tap: TAP 13, testanything.org/tap-version-13-specification.html. The plan comes first, so
 * that a report that breaks off is seen to; what a step has to say is YAML below its line. */
#include <stdlib.h>
#include <string.h>

#include "grade/report.h"
#include "grade/text.h"

/* In a description '#' would begin a directive, and a line feed end the line. */
static void describe(FILE *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '#' || *text == '\\')
            fputc('\\', out);
        fputc(*text == '\n' ? ' ' : *text, out);
    }
}

/* A JSON string is a YAML string in double quotes. */
static void quote(FILE *out, const char *text)
{
    struct arena arena = {0};
    json_t *value = json_string(text);

    if (!value)
        value = json_string(text_cleaned(&arena, text));
    char *quoted = value ? json_dumps(value, JSON_ENCODE_ANY) : NULL;
    fputs(quoted ? quoted : "\"\"", out);
    free(quoted);
    json_decref(value);
    arena_clear(&arena);
}

static void field(FILE *out, const char *name, const char *text)
{
    if (!text)
        return;
    fprintf(out, "  %s: ", name);
    quote(out, text);
    fputc('\n', out);
}

static void diagnose(FILE *out, const struct grade *g, size_t index)
{
    const struct step *step = &g->lab->steps[index];
    const struct result *result = &g->results[index];
    char read[512];

    snprintf(read, sizeof(read), "docs/%s.md#%s", g->lab->name, step->chapter);
    fputs("  ---\n", out);
    field(out, "outcome", outcome_name(result->outcome));
    field(out, "slug", step->slug);
    field(out, "where", result->where);
    if (result->outcome == OUTCOME_FAIL) {
        field(out, "because", result->evidence.because);
        field(out, "expected", result->evidence.expected);
        field(out, "kernel", result->evidence.kernel);
        field(out, "see", result->evidence.see);
    } else {
        field(out, "reason", result->reason);
    }
    field(out, "read", read);
    field(out, "man", step->man);
    field(out, "note", result->note);
    field(out, "undo_error", result->undo_error);
    if (result->log_count > 0)
        fputs("  log:\n", out);
    for (size_t i = 0; i < result->log_count; i++) {
        fputs("    - ", out);
        quote(out, result->log[i]);
        fputc('\n', out);
    }
    fputs("  ...\n", out);
}

static void point(FILE *out, const struct grade *g, size_t index, int number)
{
    const struct step *step = &g->lab->steps[index];
    const struct result *result = &g->results[index];
    bool ok = result->outcome == OUTCOME_PASS || result->outcome == OUTCOME_SKIP;

    fprintf(out, "%sok %d - step %d: ", ok ? "" : "not ", number, step->number);
    describe(out, step->title);
    if (result->outcome == OUTCOME_SKIP) {
        fputs(" # SKIP ", out);
        describe(out, result->reason ? result->reason : "");
    }
    fputc('\n', out);
    if (!ok || result->undo_error)
        diagnose(out, g, index);
}

char *report_tap(const struct grade *g, size_t *length)
{
    char *text = NULL;
    int plan = 0;
    int number = 0;
    FILE *out = open_memstream(&text, length);

    if (!out)
        return NULL;
    for (size_t i = 0; i < g->lab->count; i++)
        plan += g->results[i].selected;
    /* What went wrong around the steps is a point of its own, or nobody would count it. */
    plan += g->trouble != NULL;
    fprintf(out, "TAP version 13\n1..%d\n", plan);
    fprintf(out, "# lab %s, SEED=%08x, ran %s, as %s, %.1f s\n", g->lab->name, g->options->seed,
            report_where(g) ? report_where(g) : "in several places", report_who(g), g->seconds);
    for (size_t i = 0; i < g->lab->count; i++)
        if (g->results[i].selected)
            point(out, g, i, ++number);
    if (g->trouble) {
        fprintf(out, "not ok %d - around the steps: ", plan);
        describe(out, g->trouble);
        fputc('\n', out);
    }
    if (fclose(out) != 0) {
        free(text);
        return NULL;
    }
    return text;
}
