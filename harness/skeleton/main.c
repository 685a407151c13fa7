/* build/skeleton: the skeletons that students edit, made from the solutions. */
#include "skeleton/labs.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "skeleton --generate SOLUTIONS LABS [--digests FILE] [NN...]\n"
    "    writes LABS/NN-name/FILE.c for every SOLUTIONS/NN-name/FILE.c (or for labs NN only),\n"
    "    except over a file that somebody has edited\n"
    "skeleton --check SOLUTIONS LABS [--digests FILE] [NN...]\n"
    "    compares what the solutions give with the record; LABS is never opened\n"
    "skeleton --reset SOLUTIONS LABS [--digests FILE] [--step N] NN...\n"
    "    starts a lab afresh; an edited file is kept as FILE.c.backup-DATE-TIME\n"
    "skeleton --step N SOLUTION_FILE [-o OUT]\n"
    "    the file with the steps before N solved\n"
    "\n"
    "  --digests FILE   the record of skeletons (harness/skeleton/digests)\n"
    "  --quiet          say only what went wrong\n"
    "\n"
    "Exit status: 0 done, 1 drift found by --check, 2 a fault in a solution or in the call,\n"
    "3 a file could not be read or written.\n";

static bool quiet;

static void say(bool trouble, const char *sentence)
{
    if (trouble)
        fprintf(stderr, "skeleton: %s\n", sentence);
    else if (!quiet)
        printf("%s\n", sentence);
    fflush(stdout);
}

static int complain(const char *what)
{
    fprintf(stderr, "skeleton: %s; see skeleton --help\n", what);
    return LABS_WRONG;
}

static bool parse_step(const char *text, unsigned *step)
{
    char *end;
    const long number = strtol(text, &end, 10);

    *step = (unsigned)number;
    return end != text && *end == '\0' && number >= 1 && number <= 100;
}

static int run(int verb, struct labs *labs, int count, char **operands, const char *out,
               bool stepped)
{
    if (verb == 0 && stepped)
        return count == 1 ? (int)labs_step(labs, operands[0], out)
                          : complain("--step takes one solution file");
    if (verb == 0)
        return complain("say --generate, --check, --reset or --step");
    if (out || (stepped && verb != 'r'))
        return complain("-o goes with --step alone, and --step with --reset or alone");
    if (count < 2)
        return complain("name the solutions folder and the labs folder");
    labs->solutions = operands[0];
    labs->labs = operands[1];
    labs->names = (const char *const *)operands + 2;
    labs->name_count = (size_t)count - 2;
    if (verb == 'g')
        return (int)labs_generate(labs);
    return (int)(verb == 'c' ? labs_check(labs) : labs_reset(labs));
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"generate", no_argument, NULL, 'g'},
                                            {"check", no_argument, NULL, 'c'},
                                            {"reset", no_argument, NULL, 'r'},
                                            {"step", required_argument, NULL, 's'},
                                            {"digests", required_argument, NULL, 'd'},
                                            {"output", required_argument, NULL, 'o'},
                                            {"quiet", no_argument, NULL, 'q'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    struct labs labs = {.digests = "harness/skeleton/digests", .first_open = 1, .say = say};
    const char *out = NULL;
    bool stepped = false;
    int verb = 0, option;

    while ((option = getopt_long(argc, argv, "o:qh", options, NULL)) != -1) {
        if (strchr("gcr", option) && verb != 0 && verb != option)
            return complain("one of --generate, --check and --reset at a time");
        if (option == 'h')
            return fputs(usage, stdout) < 0 ? LABS_TROUBLE : LABS_FINE;
        else if (option == 'd')
            labs.digests = optarg;
        else if (option == 'o')
            out = optarg;
        else if (option == 'q')
            quiet = true;
        else if (option == 's' && parse_step(optarg, &labs.first_open))
            stepped = true;
        else if (option == 's')
            return complain("--step takes a number from 1 to 100");
        else if (strchr("gcr", option))
            verb = option;
        else
            return complain("that was not understood");
    }
    return run(verb, &labs, argc - optind, argv + optind, out, stepped);
}
