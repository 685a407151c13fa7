#include "grade/options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "grade/lab.h"
#include "grade/seed.h"

enum option_code {
    OPTION_STEP = 256,
    OPTION_STEPS,
    OPTION_TRACK,
    OPTION_STREAM,
    OPTION_SEED,
    OPTION_SRC,
    OPTION_LAYER,
    OPTION_PROGRAM,
    OPTION_REPORT,
    OPTION_BORROWED,
    OPTION_NEXT,
    OPTION_WHERE,
    OPTION_NO_PROGRESS,
    OPTION_HINT,
    OPTION_TIER,
    OPTION_BOARD,
    OPTION_STANDINGS,
    OPTION_LIST,
    OPTION_JSON,
    OPTION_DOCTOR,
    OPTION_HELP,
    OPTION_VERSION,
};

static const struct option long_options[] = {
    {"step", required_argument, NULL, OPTION_STEP},
    {"steps", required_argument, NULL, OPTION_STEPS},
    {"track", required_argument, NULL, OPTION_TRACK},
    {"stream", required_argument, NULL, OPTION_STREAM},
    {"seed", required_argument, NULL, OPTION_SEED},
    {"src", required_argument, NULL, OPTION_SRC},
    {"layer", required_argument, NULL, OPTION_LAYER},
    {"program", required_argument, NULL, OPTION_PROGRAM},
    {"report", required_argument, NULL, OPTION_REPORT},
    {"borrowed", required_argument, NULL, OPTION_BORROWED},
    {"next", required_argument, NULL, OPTION_NEXT},
    {"where", required_argument, NULL, OPTION_WHERE},
    {"no-progress", no_argument, NULL, OPTION_NO_PROGRESS},
    {"hint", no_argument, NULL, OPTION_HINT},
    {"tier", required_argument, NULL, OPTION_TIER},
    {"board", no_argument, NULL, OPTION_BOARD},
    {"standings", no_argument, NULL, OPTION_STANDINGS},
    {"list", no_argument, NULL, OPTION_LIST},
    {"json", no_argument, NULL, OPTION_JSON},
    {"doctor", no_argument, NULL, OPTION_DOCTOR},
    {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, OPTION_VERSION},
    {NULL, 0, NULL, 0},
};

struct reading {
    struct options *options;
    char *fault;
    size_t size;
    const char *seed;
    const char *track;
};

static enum status usage(const struct reading *reading, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static enum status usage(const struct reading *reading, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(reading->fault, reading->size, format, arguments);
    va_end(arguments);
    return STATUS_USAGE;
}

static enum status read_number(const struct reading *reading, const char *text, int most,
                               int *number)
{
    char *end;
    long value = strtol(text, &end, 10);

    if (end == text || *end || value < 1 || value > most)
        return usage(reading, "%s: not a number from 1 to %d", text, most);
    *number = (int)value;
    return STATUS_PASSED;
}

static enum status set_mode(const struct reading *reading, enum mode mode)
{
    if (reading->options->mode != MODE_GRADE && reading->options->mode != mode)
        return usage(reading, "one thing at a time, please");
    reading->options->mode = mode;
    return STATUS_PASSED;
}

static enum status read_mode(struct reading *reading, int option)
{
    switch (option) {
    case OPTION_HINT:
        return set_mode(reading, MODE_HINT);
    case OPTION_BOARD:
        return set_mode(reading, MODE_BOARD);
    case OPTION_STANDINGS:
        return set_mode(reading, MODE_STANDINGS);
    case OPTION_LIST:
        return set_mode(reading, MODE_LIST);
    case OPTION_DOCTOR:
        return set_mode(reading, MODE_DOCTOR);
    case OPTION_HELP:
        return set_mode(reading, MODE_HELP);
    case OPTION_VERSION:
        return set_mode(reading, MODE_VERSION);
    default:
        return usage(reading, "no such option (see --help)");
    }
}

static enum status read_option(struct reading *reading, int option, const char *value)
{
    struct grade_options *grade = &reading->options->grade;

    switch (option) {
    case OPTION_STEP:
        return read_number(reading, value, STEP_MAX, &grade->step);
    case OPTION_STEPS:
        if (lab_read_steps(value, &grade->steps) < 0)
            return usage(reading, "--steps %s: numbers from 1 to %d, as 1-3 or 1,4", value,
                         STEP_MAX);
        break;
    case OPTION_STREAM:
        return read_number(reading, value, 1023, &grade->stream);
    case OPTION_TIER:
        return read_number(reading, value, 3, &reading->options->tier);
    case OPTION_SEED:
        reading->seed = value;
        break;
    case OPTION_TRACK:
        reading->track = value;
        break;
    case OPTION_SRC:
        grade->src = value;
        break;
    case OPTION_LAYER:
        grade->layer = value;
        break;
    case OPTION_PROGRAM:
        grade->program = value;
        break;
    case OPTION_REPORT:
        grade->report = value;
        break;
    case OPTION_BORROWED:
        grade->borrowed = value;
        break;
    case OPTION_NEXT:
        grade->next = value;
        break;
    case OPTION_WHERE:
        grade->where = value;
        break;
    case OPTION_NO_PROGRESS:
        grade->progress = false;
        break;
    case OPTION_JSON:
        reading->options->json = true;
        break;
    default:
        return read_mode(reading, option);
    }
    return STATUS_PASSED;
}

static enum status read_labs(struct reading *reading, int count, char **names)
{
    struct options *options = reading->options;
    bool wanted = options->mode == MODE_GRADE || options->mode == MODE_HINT;

    if (wanted && count == 0)
        return usage(reading, "which lab? (see --help)");
    if (!wanted && count > 0)
        return usage(reading, "%s: no lab is wanted here", names[0]);
    if (options->mode == MODE_HINT && count > 1)
        return usage(reading, "--hint takes one lab");
    for (int i = 0; i < count && i < OPTIONS_LABS; i++) {
        const struct lab *lab = lab_find(names[i]);
        size_t known;
        labs_all(&known);
        if (!lab && known == 0) {
            usage(reading, "this build/grade has no labs at all");
            return STATUS_HARNESS;
        }
        if (!lab)
            return usage(reading, "%s: no such lab (see --list)", names[i]);
        options->labs[options->labs_count++] = lab;
    }
    if (count > 1 && (options->grade.layer || options->grade.program || options->grade.step ||
                      options->grade.steps))
        return usage(reading, "--layer, --program and --step are for a single lab");
    return STATUS_PASSED;
}

/* Where the caller names no step, a track does. */
static enum status read_track(struct reading *reading)
{
    struct options *options = reading->options;

    if (!reading->track)
        return STATUS_PASSED;
    if (options->mode != MODE_GRADE && options->mode != MODE_BOARD)
        return usage(reading, "--track goes with --board, or with labs");
    if (track_load(&options->track, options->root, reading->track, reading->fault, reading->size) <
        0)
        return STATUS_USAGE;
    options->grade.track = &options->track;
    return STATUS_PASSED;
}

/* The kit is where this program lies: KIT/build/grade. STRATA_ROOT knows better. */
static int find_root(char *root, size_t size)
{
    char path[PATH_MAX];
    const char *given = getenv("STRATA_ROOT");

    if (given && given[0]) {
        if (!realpath(given, path))
            return -errno;
    } else {
        ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
        if (length < 0)
            return -errno;
        path[length] = '\0';
        for (int up = 0; up < 2; up++) {
            char *slash = strrchr(path, '/');
            if (!slash)
                return -ENOENT;
            *slash = '\0';
        }
    }
    return snprintf(root, size, "%s", path[0] ? path : "/") < (int)size ? 0 : -ENAMETOOLONG;
}

static enum status finish(struct reading *reading)
{
    struct options *options = reading->options;
    struct grade_options *grade = &options->grade;

    if (strcmp(grade->src, "labs") != 0 && strcmp(grade->src, "solutions") != 0)
        return usage(reading, "--src %s: labs or solutions", grade->src);
    /* A solution that passes is no progress of the student's. */
    if (strcmp(grade->src, "solutions") == 0)
        grade->progress = false;
    if (options->json && options->mode != MODE_LIST)
        return usage(reading, "--json goes with --list");
    if (options->tier && options->mode != MODE_HINT)
        return usage(reading, "--tier goes with --hint");
    if (reading->seed && reading->seed[0] && seed_parse(reading->seed, &grade->seed) < 0)
        return usage(reading, "%s: a seed has 1 to 8 hexadecimal digits", reading->seed);
    int error = find_root(options->root, sizeof(options->root));
    if (error == 0 && (!reading->seed || !reading->seed[0]))
        error = seed_fresh(&grade->seed);
    if (error < 0) {
        usage(reading, "the kit's folder, or a seed: %s", strerror(-error));
        return STATUS_HARNESS;
    }
    grade->root = options->root;
    if (!grade->report) {
        if (snprintf(options->report, sizeof(options->report), "%s/build/report", options->root) >=
            (int)sizeof(options->report))
            return usage(reading, "the kit's path is too long");
        grade->report = options->report;
    }
    return read_track(reading);
}

enum status options_read(struct options *options, int argc, char **argv, char *fault, size_t size)
{
    struct reading reading = {options, fault, size, getenv("SEED"), NULL};

    *options = (struct options){
        .grade = {.src = "labs",
                  .where = "here",
                  .who = geteuid() == 0 ? "root" : "an ordinary user",
                  .stream = -1,
                  .progress = true},
    };
    opterr = 0;
    optind = 0;
    for (int option; (option = getopt_long(argc, argv, "h", long_options, NULL)) != -1;) {
        if (option == '?')
            return usage(&reading, "%s: not an option, or without its value (see --help)",
                         argv[optind - 1]);
        enum status status = read_option(&reading, option == 'h' ? OPTION_HELP : option, optarg);
        if (status != STATUS_PASSED)
            return status;
    }
    enum status status = read_labs(&reading, argc - optind, argv + optind);
    return status == STATUS_PASSED ? finish(&reading) : status;
}
