#include "grade/session.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "grade/atomic.h"
#include "grade/lab.h"
#include "grade/progress.h"
#include "kernel/own.h"

struct session {
    const struct lab *lab;
    const struct grade_options *options;
    FILE *errors;
    char program[PATH_MAX];
    char layer[PATH_MAX];
    char layer_digest[DIGEST_HEX];
    char kit_digest[DIGEST_HEX];
    char next[128];
};

static int complain(const struct session *session, const char *what, int error)
{
    fprintf(session->errors, "grade: %s%s%s\n", what, error ? ": " : "",
            error ? strerror(-error) : "");
    return STATUS_HARNESS;
}

void session_program(const struct lab *lab, const struct grade_options *options, char *path,
                     size_t size)
{
    char number[3];

    lab_number(lab, number);
    if (options->program)
        snprintf(path, size, "%s", options->program);
    else
        snprintf(path, size, "%s/build/%s/%s/lab%s", options->root, options->src, number, number);
}

static void find_files(struct session *session)
{
    const struct grade_options *options = session->options;
    const char *name = session->lab->name;

    session_program(session->lab, options, session->program, sizeof(session->program));
    if (options->layer)
        snprintf(session->layer, sizeof(session->layer), "%s", options->layer);
    else if (lab_layer_path(options->root, options->src, name, session->layer,
                            sizeof(session->layer)) < 0)
        session->layer[0] = '\0';
    /* Before the run: who edits while it runs must not get the pass for the new file. */
    if (session->layer[0])
        progress_layer_digest(session->layer, session->layer_digest);
    progress_kit_digest(options->root, name, session->kit_digest);
}

/* What the last line recommends. */
static const char *next_step(struct session *session, const struct score *score)
{
    size_t count;
    const struct lab *const *labs = labs_all(&count);
    char number[3];

    lab_number(session->lab, number);
    if (score->count[OUTCOME_FAIL] > 0 && !(score->lab_passed && session->options->next)) {
        snprintf(session->next, sizeof(session->next), "make hint%s", number);
        return session->next;
    }
    if (score->count[OUTCOME_ERROR] > 0 || score->count[OUTCOME_SKIP] > 0)
        return "make doctor";
    if (track_next(session->options, session->lab, session->next, sizeof(session->next)))
        return session->next;
    if (score->partial) {
        snprintf(session->next, sizeof(session->next), "make lab%s", number);
        return session->next;
    }
    if (session->options->next)
        return session->options->next;
    for (size_t i = 0; i + 1 < count; i++) {
        if (labs[i] != session->lab)
            continue;
        snprintf(session->next, sizeof(session->next), "make lab%s",
                 lab_number(labs[i + 1], number));
        return session->next;
    }
    return "make";
}

static void keep_record(const struct session *session, struct grade *g)
{
    struct progress progress;
    size_t garbage = 0;

    if (!session->options->progress)
        return;
    int error = progress_load(session->options->root, &progress);
    if (error == 0)
        progress_compare(&progress, g);
    progress_free(&progress);
    if (error == 0 && session->layer_digest[0])
        error = progress_record(g, &garbage);
    if (error < 0)
        complain(session, ".progress/passed", error);
    else if (!session->layer_digest[0])
        complain(session, "no layer's source found: nothing goes on record", 0);
    if (garbage > 0)
        fprintf(session->errors, "grade: .progress/passed: %zu lines made no sense and are gone\n",
                garbage);
}

static int conclude(struct session *session, struct grade *g, int folder, const struct style *style,
                    bool brief, FILE *out)
{
    struct score score = score_of(g);
    enum status status = score_status(g, &score);

    keep_record(session, g);
    int error = report_write(g, folder);
    if (error < 0)
        status = score_worse(status, (enum status)complain(session, "the report", error));
    if (brief)
        report_line(out, style, g);
    else
        report_verdict(out, style, g, next_step(session, &score));
    return (int)status;
}

static int grade_in(struct session *session, struct grade *g, const struct style *style, bool brief,
                    FILE *out)
{
    char path[PATH_MAX];
    char number[3];

    snprintf(path, sizeof(path), "%s/%s", session->options->report,
             lab_number(session->lab, number));
    autoclose int folder = atomic_folder(path);
    if (folder < 0)
        return complain(session, path, folder);
    int error = grade_run(g, folder);
    if (error == -EINTR)
        return 128 + grade_interrupted();
    if (error < 0)
        return complain(session, "the run", error);
    return conclude(session, g, folder, style, brief, out);
}

/* The highest of the steps that were asked for. */
static int last_asked(const struct grade_options *options)
{
    int last = options->step;

    for (unsigned rest = options->steps; rest != 0 && last < STEP_MAX; rest >>= 1)
        last++;
    return last;
}

int session_grade(const struct lab *lab, const struct grade_options *options,
                  const struct style *style, bool brief, FILE *out, FILE *errors)
{
    struct session session = {.lab = lab, .options = options, .errors = errors};
    const char *fault = lab_fault(lab);

    if (fault) {
        fprintf(errors, "grade: %s: %s\n", lab->name, fault);
        return STATUS_HARNESS;
    }
    if (options->step < 0 || (size_t)options->step > lab->count ||
        options->steps >> lab->count != 0) {
        fprintf(errors, "grade: %s has no step %d; it has %zu\n", lab->name, last_asked(options),
                lab->count);
        return STATUS_USAGE;
    }
    find_files(&session);
    if (access(session.program, X_OK) < 0) {
        fprintf(errors, "grade: %s: %s\n", session.program, strerror(errno));
        return STATUS_USAGE;
    }
    struct grade *g = calloc(1, sizeof(*g));
    if (!g)
        return complain(&session, "a run", -ENOMEM);
    g->lab = lab;
    g->options = options;
    g->program = session.program;
    g->layer_digest = session.layer_digest;
    g->kit_digest = session.kit_digest;
    int status = grade_in(&session, g, style, brief, out);
    grade_free(g);
    free(g);
    return status;
}
