/* The command line of a lab program: getopt_long(3) over the options of all layers. */
#include "given/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPTIONS_MAX = 256, FIRST_LONG = 512 };

static const char *without = "";

bool option_without(const char *layer)
{
    size_t length = strlen(layer);

    for (const char *word = without; *word != '\0'; word += strcspn(word, ",")) {
        word += *word == ',';
        if (strncmp(word, layer, length) == 0 && (word[length] == ',' || word[length] == '\0'))
            return true;
    }
    return false;
}

/* All layers' options side by side: entry i of `longs` belongs to `owners[i]`. */
struct table {
    const struct layer_option *owners[OPTIONS_MAX];
    struct option longs[OPTIONS_MAX + 3];
    char letters[2 * OPTIONS_MAX + 8];
    size_t count;
};

static void table_fill(struct table *table, const struct layer *const *layers)
{
    char *letter = stpcpy(table->letters, "+:h"); /* '+': stop at COMMAND; ':': we tell errors */

    for (; *layers != NULL; layers++) {
        for (const struct layer_option *o = (*layers)->options; o != NULL && o->name != NULL; o++) {
            if (table->count == OPTIONS_MAX)
                abort(); /* a mistake of ours */
            table->owners[table->count] = o;
            table->longs[table->count] =
                (struct option){o->name, o->argument != NULL ? required_argument : no_argument,
                                NULL, FIRST_LONG + (int)table->count};
            if (o->letter != 0) {
                *letter++ = o->letter;
                if (o->argument != NULL)
                    *letter++ = ':';
            }
            table->count++;
        }
    }
    *letter = '\0';
    table->longs[table->count] = (struct option){"without", required_argument, NULL, 'W'};
    table->longs[table->count + 1] = (struct option){"help", no_argument, NULL, 'h'};
}

static const struct layer_option *table_find(const struct table *table, int code)
{
    if (code >= FIRST_LONG)
        return table->owners[code - FIRST_LONG];
    for (size_t i = 0; i < table->count; i++)
        if (table->owners[i]->letter == code)
            return table->owners[i];
    return NULL;
}

static void print_help(const struct lab_program *program)
{
    printf("usage: %s [OPTION...] [--] COMMAND [ARGUMENT...]\n%s\n\n", program->name,
           program->title);
    for (const struct layer *const *layer = program->layers; *layer != NULL; layer++) {
        for (const struct layer_option *o = (*layer)->options; o != NULL && o->name != NULL; o++) {
            char name[64];
            char dash[8] = "    ";
            if (o->letter != 0)
                snprintf(dash, sizeof dash, "-%c, ", o->letter);
            snprintf(name, sizeof name, "%s--%s%s%s", dash, o->name, o->argument != NULL ? " " : "",
                     o->argument != NULL ? o->argument : "");
            printf("  %-32s %s\n", name, o->help);
        }
    }
    printf("  %-32s %s\n  %-32s %s\n\nlayers:", "    --without LAYER[,LAYER...]",
           "switch a layer off", "-h, --help", "show this");
    for (const struct layer *const *layer = program->layers; *layer != NULL; layer++)
        printf(" %s", (*layer)->name);
    printf("\nexit status: COMMAND's; 128+n when signal n ended it; 127 not found;\n"
           "  126 found but not executable; 125 when %s itself failed\n",
           program->name);
}

static int usage(const struct lab_program *program, const char *what, const char *which)
{
    fprintf(stderr, "%s: %s%s; see %s --help\n", program->name, what, which, program->name);
    return 125;
}

/* A misspelt layer in --without would leave on what its user believes to be off. */
static const char *unknown_layer(const struct lab_program *program)
{
    static char name[64];

    for (const char *word = without; *word != '\0'; word += strcspn(word, ",")) {
        word += *word == ',';
        snprintf(name, sizeof name, "%.*s", (int)strcspn(word, ","), word);
        const struct layer *const *layer = program->layers;
        while (*layer != NULL && strcmp((*layer)->name, name) != 0)
            layer++;
        if (*layer == NULL)
            return name;
    }
    return NULL;
}

int options_parse(const struct lab_program *program, struct container *container, int argc,
                  char **argv)
{
    struct table table = {0};
    int code;

    table_fill(&table, program->layers);
    opterr = 0;
    while ((code = getopt_long(argc, argv, table.letters, table.longs, NULL)) != -1) {
        const char *given = argv[optind - 1];
        if (code == 'h') {
            print_help(program);
            return 0;
        }
        if (code == 'W') {
            without = optarg;
            continue;
        }
        if (code == ':')
            return usage(program, "a value is missing after ", given);
        const struct layer_option *option = code == '?' ? NULL : table_find(&table, code);
        if (option == NULL)
            return usage(program, "unknown option ", given);
        int result = option->set(container, optarg);
        if (result == OPTION_DONE)
            return 0;
        if (result < 0) {
            fprintf(stderr, "%s: --%s %s: %s\n", program->name, option->name,
                    optarg != NULL ? optarg : "",
                    result == STRATA_TODO ? "not written yet" : strerror(-result));
            return 125;
        }
    }
    const char *unknown = unknown_layer(program);
    if (unknown != NULL)
        return usage(program, "no such layer here: ", unknown);
    if (optind < argc)
        container->argv = argv + optind;
    else if (container->argv == NULL) /* an image (lab 07) brings its own */
        return usage(program, "no COMMAND given", "");
    return -1;
}
