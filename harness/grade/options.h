/*
 * The command line of build/grade.
 */
#pragma once

#include "grade/grade.h"

enum mode {
    MODE_GRADE,
    MODE_BOARD,
    MODE_STANDINGS,
    MODE_LIST,
    MODE_HINT,
    MODE_DOCTOR,
    MODE_HELP,
    MODE_VERSION,
};

enum { OPTIONS_LABS = 64 };

struct options {
    enum mode mode;
    struct grade_options grade;
    const struct lab *labs[OPTIONS_LABS]; /* to grade, or to hint at */
    size_t labs_count;
    struct track track; /* grade.track, where there is one */
    int tier;           /* of --hint; 0: the next   */
    bool json;          /* --list --json            */
    char root[4096];
    char report[4096]; /* where the reports go, NN not yet added */
};

/* Reads the command line and the environment (STRATA_ROOT, SEED). STATUS_PASSED; STATUS_USAGE when
 * it makes no sense, STATUS_HARNESS when the kit's folder or a random seed cannot be had; `fault`
 * (`size` bytes) then says why. */
enum status options_read(struct options *options, int argc, char **argv, char *fault, size_t size);

/* What --help prints. */
extern const char options_help[];
