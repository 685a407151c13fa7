/* build/grade: the command. What it does lies in the pages around it. */
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grade/board.h"
#include "grade/elsewhere.h"
#include "grade/hint.h"
#include "grade/lab.h"
#include "grade/options.h"
#include "grade/session.h"

/* What doctor.c gives: probes each need by doing it, prints the cure for those that do not hold,
 * returns what to exit with. */
int doctor(FILE *out) __attribute__((weak));

static int complain(const char *what)
{
    fprintf(stderr, "grade: %s\n", what);
    return STATUS_HARNESS;
}

static int run_grade(const struct options *options, const struct style *style)
{
    struct grade_options grade = options->grade;
    char fault[128];
    bool usage;
    int worst = STATUS_PASSED;

    grade_catch_interrupts();
    grade.elsewhere =
        elsewhere_open(options->labs, options->labs_count, &grade, &usage, fault, sizeof(fault));
    if (usage) {
        complain(fault);
        return STATUS_USAGE;
    }
    for (size_t i = 0; i < options->labs_count && worst < 128; i++) {
        bool brief = options->labs_count > 1;
        int status = session_grade(options->labs[i], &grade, style, brief, stdout, stderr);
        fflush(stdout);
        worst = status >= 128 ? status : (int)score_worse((enum status)worst, (enum status)status);
    }
    if (options->labs_count > 1 && worst < 128)
        printf("ran %s, as %s, SEED=%08x\n",
               grade.elsewhere ? elsewhere_summary(grade.elsewhere) : grade.where, grade.who,
               grade.seed);
    elsewhere_close(grade.elsewhere);
    return worst;
}

static int run_hint(const struct options *options, const struct style *style)
{
    struct arena arena = {0};
    char report[4200];
    char number[3];
    const char *fault = NULL;

    snprintf(report, sizeof(report), "%s/%s", options->grade.report,
             lab_number(options->labs[0], number));
    struct hint_request request = {.root = options->root,
                                   .report = report,
                                   .lab = options->labs[0],
                                   .step = options->grade.step,
                                   .tier = options->tier};
    enum status status = hint_show(&request, style, stdout, &arena, &fault);
    if (fault)
        complain(fault);
    arena_clear(&arena);
    return (int)status;
}

static int run_list(const struct options *options, const struct style *style)
{
    size_t count;

    labs_all(&count);
    if (count == 0)
        return complain("no labs");
    if (!options->json) {
        list_print(stdout, style);
        return STATUS_PASSED;
    }
    json_t *list = list_json();
    if (json_dumpf(list, stdout, JSON_INDENT(2)) < 0)
        return complain("the list could not be written");
    putchar('\n');
    json_decref(list);
    return STATUS_PASSED;
}

static int board(const struct options *options, const struct style *style)
{
    int error = options->mode == MODE_STANDINGS ? board_standings(stdout, options->root)
                : options->grade.track
                    ? board_track(stdout, style, options->root, options->grade.track)
                    : board_print(stdout, style, options->root);

    if (error == 0)
        return STATUS_PASSED;
    fprintf(stderr, "grade: .progress/passed: %s\n", strerror(-error));
    return STATUS_HARNESS;
}

static int run(const struct options *options)
{
    struct style style = style_for(stdout);

    switch (options->mode) {
    case MODE_GRADE:
        return run_grade(options, &style);
    case MODE_BOARD:
    case MODE_STANDINGS:
        return board(options, &style);
    case MODE_LIST:
        return run_list(options, &style);
    case MODE_HINT:
        return run_hint(options, &style);
    case MODE_DOCTOR:
        return doctor ? doctor(stdout) : complain("this build has no doctor");
    case MODE_HELP:
        fputs(options_help, stdout);
        return STATUS_PASSED;
    case MODE_VERSION:
        printf("grade (Strata) 1.0, report schema %d\n", REPORT_VERSION);
        return STATUS_PASSED;
    }
    return STATUS_USAGE;
}

int main(int argc, char **argv)
{
    static struct options options;
    char fault[512];

    setlocale(LC_CTYPE, "");
    enum status status = options_read(&options, argc, argv, fault, sizeof(fault));
    if (status != STATUS_PASSED) {
        complain(fault);
        return (int)status;
    }
    return run(&options);
}
