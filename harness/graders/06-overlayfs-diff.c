/* Lab 06, step 4: the list of changes is compared with what the layers are known to be made of. */
#include "graders/06-overlayfs-diff.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void fixture_new(struct fixture *fixture, struct grade *g, struct run *room)
{
    *fixture = (struct fixture){.g = g, .room = room, .word = grade_word(g, 5)};
    for (int i = 0; i < LAYERS; i++)
        fixture->lowers[i] = layers_folder(g, room);
    fixture->upper = layers_folder(g, room);
}

void fixture_want(struct fixture *fixture, char kind, const char *because, const char *why,
                  const char *path)
{
    if (fixture->count == LINES_MAX)
        grade_error(fixture->g, 0, "the fixture has too many lines");
    fixture->lines[fixture->count++] =
        (struct line){kind, say(fixture->g, "/%s", path), because, why};
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct line *)a)->path, ((const struct line *)b)->path);
}

/* The arguments of a diff; `more` are two of them, or NULL. */
static const char *diff(const struct fixture *fixture, const char *option, const char *value)
{
    const char *const arguments[] = {"--lower",
                                     fixture->lowers[0],
                                     "--lower",
                                     fixture->lowers[1],
                                     "--lower",
                                     fixture->lowers[2],
                                     option != NULL ? option : "--diff",
                                     option != NULL ? value : fixture->upper,
                                     option != NULL ? "--diff" : NULL,
                                     fixture->upper,
                                     NULL};

    return layers_ask(fixture->g, fixture->room, &(struct run_options){.arguments = arguments},
                      "no-list");
}

/* The next line of a list: its kind, and *path. 0 at the end. */
static char next_line(struct grade *g, const char **list, const char **path)
{
    size_t length = strcspn(*list, "\n");
    char kind = **list;

    if (kind == '\0')
        return '\0';
    *path = say(g, "%.*s", length > 2 ? (int)length - 2 : 0, *list + (length > 2 ? 2 : length));
    *list += length + ((*list)[length] == '\n');
    return kind;
}

static const struct line *find(const struct fixture *fixture, const char *path)
{
    for (size_t i = 0; i < fixture->count; i++)
        if (strcmp(fixture->lines[i].path, path) == 0)
            return &fixture->lines[i];
    return NULL;
}

/* A path as a verdict shows it. */
static const char *short_path(struct grade *g, const char *path)
{
    enum { WHOLE = 90, PART = 40 };
    size_t length = strlen(path);

    return length <= WHOLE ? path : say(g, "%.*s…%s", PART, path, path + length - PART);
}

/* How a list reports a path, 0 when it does not. */
static char kind_of(struct grade *g, const char *list, const char *wanted)
{
    const char *path;
    char kind;

    while ((kind = next_line(g, &list, &path)) != '\0')
        if (strcmp(path, wanted) == 0)
            return kind;
    return '\0';
}

static const char *kind_text(struct grade *g, char kind, const char *path)
{
    path = short_path(g, path);
    return kind != '\0' ? say(g, "%c %s", kind, path) : say(g, "no line for %s", path);
}

static void check_list(const struct fixture *fixture, const char *list, const char *see)
{
    struct grade *g = fixture->g;
    const char *path, *last = "";

    for (size_t i = 0; i < fixture->count; i++) {
        const struct line *line = &fixture->lines[i];
        char kind = kind_of(g, list, line->path);
        expect(g, kind == line->kind, .because = line->because,
               .expected = say(g, "%s (%s)", kind_text(g, line->kind, line->path), line->why),
               .kernel = say(g, "the list has %s", kind_text(g, kind, line->path)), .see = see);
    }
    for (const char *rest = list; next_line(g, &rest, &path) != '\0'; last = path) {
        expect(g, find(fixture, path) != NULL, .because = "reported-too-much",
               .expected = "no path but those that changed",
               .kernel = say(g, "the list has %s as well", path), .see = see);
        expect(g, strcmp(last, path) != 0, .because = "twice", .expected = "each path once",
               .kernel = say(g, "%s stands there twice", path), .see = see);
        expect(g, strcmp(last, path) < 0, .because = "not-sorted",
               .expected = say(g, "sorted by path, as strcmp does: %s before %s", path, last),
               .kernel = say(g, "%s stands after %s", path, last), .see = see);
    }
}

/* A layer may be named by a link to it. */
static void check_link(struct fixture *fixture, const char *list)
{
    struct grade *g = fixture->g;
    const char *upper = fixture->upper, *link = say(g, "/tmp/%s", grade_word(g, 9));

    outside_do(fixture->room, "symlink %s %s", link, upper);
    fixture->upper = link;
    const char *said = diff(fixture, NULL, NULL);
    fixture->upper = upper;
    expect(g, strcmp(said, list) == 0, .because = "link-followed",
           .expected = "the same list of an upper folder that is named by a link to it",
           .kernel = say(g, "another: %.80s", said),
           .see = say(g, "ln -s %s L; lab06 --lower ... --diff L", upper));
}

/* A report that returns something ends the list there. */
static void check_first(struct fixture *fixture, const char *list)
{
    struct grade *g = fixture->g;
    int count = grade_between(g, 2, 9);
    const char *rest = list, *path;

    for (int i = 0; i < count; i++)
        next_line(g, &rest, &path);
    const char *said = diff(fixture, "--first", say(g, "%d", count));
    expect(g, strcmp(said, say(g, "%.*s", (int)(rest - list), list)) == 0, .because = "not-stopped",
           .expected =
               say(g, "overlay_diff ends when `report` returns other than 0: %d lines", count),
           .kernel = say(g, "it reports others: %.80s", said),
           .see = say(g, "lab06 --lower ... --first %d --diff UPPER", count));
}

static void check_errors(struct fixture *fixture)
{
    struct grade *g = fixture->g;
    const char *missing = say(g, "/tmp/%s", grade_word(g, 9));
    const char *const no_upper[] = {"--lower", fixture->lowers[0], "--diff", missing, NULL};
    const char *const no_lower[] = {"--lower", fixture->lowers[0], "--lower", missing,
                                    "--diff",  fixture->upper,     NULL};

    layers_refused(g, fixture->room, &(struct run_options){.arguments = no_upper}, ENOENT,
                   "error-ignored", "an upper folder that is not there");
    layers_refused(g, fixture->room, &(struct run_options){.arguments = no_lower}, ENOENT,
                   "error-ignored", "a lower folder that is not there");

    /* What may not be read is not passed over. */
    const char *locked = say(g, "%s/locked-%s", fixture->upper, fixture->word);
    const char *const powerless[] = {"--start-with",     "noroot", "/strata/lab06", "--lower",
                                     fixture->lowers[0], "--diff", fixture->upper,  NULL};
    outside_do(fixture->room, "mkdir %s", locked);
    outside_do(fixture->room, "chmod 0 %s", locked);
    layers_refused(g, fixture->room,
                   &(struct run_options){.program = "/strata/probe", .arguments = powerless},
                   EACCES, "error-ignored", "a folder of the upper that may not be read");
}

void layers_stepdiff(struct grade *g)
{
    struct run *room = outside_open(g, false);
    static struct fixture fixed; /* too big for a stack */
    struct fixture *fixture = &fixed;

    fixture_new(fixture, g, room);
    const char *list = diff(fixture, NULL, NULL);
    expect(g, list[0] == '\0', .because = "reported-too-much",
           .expected = "an empty upper folder changes nothing: an empty list",
           .kernel = say(g, "the list has %.80s", list), .see = "lab06 --lower L --diff EMPTY");
    fixture_by_mount(fixture);
    check_list(fixture, diff(fixture, NULL, NULL),
               "mount an overlay, change something in it, lab06 --lower L --diff U");

    fixture_new(fixture, g, room);
    fixture_by_hand(fixture);
    fixture_odd(fixture);
    qsort(fixture->lines, fixture->count, sizeof *fixture->lines, by_path);
    struct folder before[LAYERS], upper = folder_of(room, fixture->upper);
    for (int i = 0; i < LAYERS; i++)
        before[i] = folder_of(room, fixture->lowers[i]);
    list = diff(fixture, NULL, NULL);
    check_list(fixture, list, "layers by hand: mkdir, --hide, --replace; then lab06 --diff U");
    for (int i = 0; i < LAYERS; i++)
        layers_kept(g, room, &before[i], fixture->lowers[i]);
    layers_kept(g, room, &upper, fixture->upper);
    const char *const again[] = {"--lower", fixture->lowers[0], "--diff", fixture->upper, NULL};
    layers_check_both_kinds(g, room, again);
    check_link(fixture, list);
    check_first(fixture, list);
    check_errors(fixture);
}
