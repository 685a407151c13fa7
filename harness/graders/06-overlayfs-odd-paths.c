/* Lab 06, step 6: any path, and many of them. */
#include "graders/06-overlayfs.h"

#include <string.h>

enum { MANY = 64 };

/* Writes a file into the folder where the room's probe stands, whatever that is called. */
static void fill(struct run *room, const char *folder, const char *name, const char *text)
{
    outside_do(room, "chdir %s", folder);
    outside_do(room, "write %s %s", name, text);
    outside_do(room, "chdir /");
}

/* Starts COMMAND with the layers of a file mounted; first a COMMAND that only tells whether that
 * can be mounted at all. `what` it is, for a verdict. */
static struct run *start(struct grade *g, struct run *room, const char *const *arguments,
                         const char *because, const char *what)
{
    static const char *const command[] = {"true", NULL};
    const char *said;
    int status =
        outside_run(room, &(struct run_options){.arguments = arguments, .command = command}, &said);

    expect(g, status == 0, .because = because, .expected = say(g, "%s can be mounted", what),
           .kernel = say(g, "exit status %d: %.*s", status, (int)strcspn(said, "\n"), said),
           .see = "make trace06; mount(2), NOTES; proc_pid_fd(5)");
    struct run *run = layers_start(g, room, arguments);
    return run;
}

static void check_text(struct grade *g, struct run *run, const char *path, const char *wanted,
                       const char *because, const char *what)
{
    const char *text = layers_inside(run, path);

    expect(g, strcmp(text, wanted) == 0, .because = because,
           .expected = say(g, "%s: \"%s\"", what, wanted),
           .kernel = say(g, "there is \"%.80s\"", text),
           .see = "make shell06: such folders, lab06 --lower ... --merge T ls T");
}

/* What the mount must show of one layer: its own file, and `both` of the first. */
static void check_many(struct grade *g, struct run *room, bool upper)
{
    const char *base = layers_folder(g, room), *list = say(g, "%s/list", base);
    const char *target = layers_folder(g, room);
    const char *u = layers_folder(g, room), *w = layers_folder(g, room);

    outside_do(room, "write %s", list);
    for (int i = 0; i < MANY; i++) {
        const char *path = say(g, "%s/%s%d", base, grade_word(g, 100), i);
        outside_do(room, "put %s/own-%d x", path, i);
        outside_do(room, "put %s/both %d", path, i);
        outside_do(room, "append %s %s\n", list, path);
    }
    const char *const with[] = {"--lower-file", list, "--merge", target, "--upper", u,
                                "--work",       w,    NULL};
    const char *const without[] = {"--lower-file", list, "--merge", target, NULL};
    struct run *run = start(g, room, upper ? with : without, "layers-cut",
                            say(g, "an overlay of %d layers with long paths", MANY));
    layers_mounted(g, run, target);
    for (int i = 0; i < MANY; i++) {
        struct place own = place_inside(run, say(g, "%s/own-%d", target, i));
        expect(g, own.error == 0, .because = "layers-cut",
               .expected = say(g, "of %d layers with long paths, number %d shows", MANY, i + 1),
               .kernel = say(g, "its file is not in the mount: %s", strerror(own.error)),
               .see = "mount(2), NOTES: how long may `data` be?");
    }
    check_text(g, run, say(g, "%s/both", target), "0", "wrong-order",
               "of one name in all layers, that of the first shows");
    if (upper) {
        layers_do(run, "layers-cut", say(g, "write %s/both new", target));
        check_text(g, room, say(g, "%s/both", u), "new", "layers-cut", "the upper has the change");
    }
    layers_end(run);
}

/* The bytes that a mount option could be misread at: between two words, before, or behind them. */
static const struct {
    const char *before, *between, *behind;
} odd[] = {
    {"", ":", ""},
    {"", ",", ""},
    {"", "\\", ""},
    {"", "\\:", ""},
    {"", "\\\\", ""},
    {"", "\\,", ""},
    {"", " ", ""},
    {"", "=", ""},
    {"", "\"", ""},
    {":", "", ""},
    {",", "", ""},
    {"", "", "\\"},
    {"", "\\072", ""},
    {"", "%3a", ""},
    {"", "\t'", ""},
    {"", "::", ":"},
    {"#", ";", "&"},
    {"", "\xc3\xa9\xff", ""},
    {"upperdir=", ",workdir=", ""},
};
enum { ODD = sizeof odd / sizeof *odd };

/* Has it none of the three bytes that matter to mount(2), but for those of `bytes`? */
static bool of_class(const char *text, const char *bytes)
{
    for (; *text != '\0'; text++)
        if (strchr(":,\\", *text) != NULL && strchr(bytes, *text) == NULL)
            return false;
    return true;
}

/* Layers with such names. Beside each stand folders that a misread path would lead to. */
static void check_odd(struct grade *g, struct run *room, const char *bytes, const char *stood)
{
    const char *base = layers_folder(g, room), *target = say(g, "%s/t%s t", base, bytes);
    const char *upper = say(g, "%s/u%sx", base, bytes), *work = say(g, "%s/w%sx", base, bytes);
    const char *list = say(g, "%s/list", base), *names[ODD] = {NULL}, *texts[ODD], *last = "";

    outside_do(room, "write %s", list);
    outside_do(room, "mkdir %s", upper);
    outside_do(room, "mkdir %s", work);
    outside_do(room, "mkdir %s", target);
    outside_do(room, "mkdir %s/ux", base);
    outside_do(room, "mkdir %s/wx", base);
    for (size_t i = 0; i < ODD; i++) {
        const char *a = grade_word(g, 6), *b = grade_word(g, 6);
        const char *name = say(g, "%s%s%s%s%s", odd[i].before, a, odd[i].between, b, odd[i].behind);
        if (!of_class(name, bytes))
            continue;
        last = names[i] = grade_word(g, 9);
        texts[i] = grade_word(g, 9);
        outside_do(room, "mkdir %s/%s", base, name);
        fill(room, say(g, "%s/%s", base, name), names[i], texts[i]);
        outside_do(room, "put %s/%s/%s decoy", base, a, names[i]);
        outside_do(room, "put %s/%s/%s decoy", base, b, names[i]);
        outside_do(room, "put %s/%s%s/%s decoy", base, a, b, names[i]);
        outside_do(room, "append %s %s/%s\n", list, base, name);
    }
    /* A path need not begin at the root: one that goes up from where programs start, and down. */
    outside_do(room, "append %s %s%s\n", list, strcmp(stood, "/") == 0 ? "." : "..",
               layers_folder(g, room));
    const char *const arguments[] = {"--lower-file", list,     "--merge", target, "--upper",
                                     upper,          "--work", work,      NULL};
    struct run *run = start(g, room, arguments, "misread",
                            say(g, "an overlay of folders with %s in their names", bytes));
    for (size_t i = 0; i < ODD; i++)
        if (names[i] != NULL)
            check_text(g, run, say(g, "%s/%s", target, names[i]), texts[i], "misread",
                       say(g, "a layer named %sa%sb%s shows", odd[i].before, odd[i].between,
                           odd[i].behind));
    const char *stands = run_ask(run, "readlink /proc/self/cwd");
    expect(g, strcmp(stands, say(g, "ok %s", stood)) == 0, .because = "elsewhere",
           .expected = "COMMAND's working directory is that of its caller, with odd paths, too",
           .kernel = say(g, "it is %.80s", strncmp(stands, "ok ", 3) == 0 ? stands + 3 : stands),
           .see = "chdir(2); overlay.h");
    layers_do(run, "misread", say(g, "chdir %s", target));
    layers_do(run, "misread", say(g, "write %s changed", last));
    const char *text = layers_outside(room, say(g, "%s/%s", upper, last));
    expect(g, strcmp(text, "changed") == 0, .because = "misread",
           .expected = say(g, "the upper folder \"%s\" has the change", upper),
           .kernel = say(g, "in it, %s is \"%.60s\"", last, text), .see = say(g, "ls %s", base));
}

/* The first line of `after` that `before` has not. */
static const char *new_name(struct grade *g, const char *before, const char *after)
{
    const char *all = say(g, "\n%s\n", before);

    for (const char *at = after; *at != '\0'; at += strspn(at, "\n")) {
        const char *name = say(g, "%.*s", (int)strcspn(at, "\n"), at);
        if (strstr(all, say(g, "\n%s\n", name)) == NULL)
            return name;
        at += strlen(name);
    }
    return "nothing, but something is gone";
}

/* One path alone is odd, each in its turn: a lower, the upper, the work folder. The others give no
 * reason to think of anything. The odd one is a link to a folder, as good as the folder. */
static void check_alone(struct grade *g, struct run *room)
{
    static const char *const what[] = {"first lower", "last lower", "upper", "work folder"};
    enum { PATHS = 4 };

    for (int odd_one = 0; odd_one < PATHS; odd_one++) {
        const char *paths[PATHS], *target = layers_folder(g, room), *word = grade_word(g, 9);
        for (int i = 0; i < PATHS; i++)
            paths[i] = layers_folder(g, room);
        outside_do(room, "put %s/alone %s", paths[1], word);
        const char *link = say(g, "/tmp/%s,%s:%s\\%s", grade_word(g, 4), grade_word(g, 4),
                               grade_word(g, 4), grade_word(g, 4));
        outside_do(room, "symlink %s %s", link, paths[odd_one]);
        const char *upper = paths[2];
        paths[odd_one] = link;
        const char *const arguments[] = {"--lower", paths[0], "--lower", paths[1],
                                         "--upper", paths[2], "--work",  paths[3],
                                         "--merge", target,   NULL};
        const char *before = outside_do(room, "list /tmp");
        struct run *run =
            start(g, room, arguments, "misread",
                  say(g, "an overlay whose %s alone has an odd name, of a link", what[odd_one]));
        check_text(g, run, say(g, "%s/alone", target), word, "misread",
                   say(g, "with an odd name of the %s the layers show", what[odd_one]));
        layers_do(run, "misread", say(g, "write %s/alone changed", target));
        check_text(g, room, say(g, "%s/alone", upper), "changed", "misread",
                   "the upper has the change");
        layers_end(run);
        const char *after = outside_do(room, "list /tmp");
        expect(g, strcmp(before, after) == 0, .because = "left-behind",
               .expected = "once COMMAND has ended, /tmp has the names that it had before",
               .kernel = say(g, "there is also %s", new_name(g, before, after)),
               .see = "ls /tmp, before and after");
    }
}

/* Paths that fit in a page by themselves, but not with the words between them. */
static void check_nearly_full(struct grade *g, struct run *room)
{
    enum { COUNT = 20, PAGE = 4096, SHORT = 24 };
    const char *base = layers_folder(g, room), *list = say(g, "%s/list", base);
    const char *target = layers_folder(g, room);
    size_t room_left = PAGE - SHORT;

    outside_do(room, "write %s", list);
    for (int i = 0; i < COUNT; i++) {
        size_t each = room_left / (size_t)(COUNT - i) - 1; /* a colon */
        const char *path = say(g, "%s/%s", base, grade_word(g, each - strlen(base) - 1));
        room_left -= each + 1;
        outside_do(room, "put %s/own-%d x", path, i);
        outside_do(room, "append %s %s\n", list, path);
    }
    const char *const arguments[] = {"--lower-file", list, "--merge", target, NULL};
    struct run *run = start(g, room, arguments, "layers-cut",
                            say(g, "an overlay of paths with %d bytes in all", PAGE - SHORT));
    for (int i = 0; i < COUNT; i++) {
        struct place own = place_inside(run, say(g, "%s/own-%d", target, i));
        expect(g, own.error == 0, .because = "layers-cut",
               .expected =
                   say(g, "of %d layers that nearly fill a page, number %d shows", COUNT, i + 1),
               .kernel = say(g, "its file is not in the mount: %s", strerror(own.error)),
               .see = "the options of mount(2) are cut at the end of a page: words count, too");
    }
    layers_end(run);
}

/* Three paths that do not fit in a page together, and a part of which is longer than 255. */
static void check_long(struct grade *g, struct run *room)
{
    const char *paths[4], *target = layers_folder(g, room), *word = grade_word(g, 9);

    for (int i = 0; i < 4; i++) {
        paths[i] = layers_folder(g, room);
        for (int j = 0; j < 8; j++)
            paths[i] = say(g, "%s/%s", paths[i], grade_word(g, (size_t)grade_between(g, 180, 220)));
        outside_do(room, "folders %s", paths[i]);
    }
    outside_do(room, "put %s/long %s", paths[0], word);
    const char *const arguments[] = {"--lower", paths[0], "--lower", paths[1], "--upper", paths[2],
                                     "--work",  paths[3], "--merge", target,   NULL};
    struct run *run = start(g, room, arguments, "layers-cut", "an overlay of very long paths");
    check_text(g, run, say(g, "%s/long", target), word, "layers-cut",
               "layers with paths of 1600 bytes show");
    layers_do(run, "layers-cut", say(g, "write %s/long changed", target));
    check_text(g, run, say(g, "%s/long", target), "changed", "layers-cut", "a change shows");
}

void layers_stepodd_paths(struct grade *g)
{
    struct run *room = outside_open(g, false);

    const char *stood = outside_do(room, "readlink /proc/self/cwd"); /* as the lab program will */

    static const char *const classes[] = {":", ",", "\\", ":,\\"};
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        check_odd(g, room, classes[i], stood);
    check_alone(g, room);
    check_many(g, room, false);
    check_many(g, room, true);
    check_long(g, room);
    check_nearly_full(g, room);
}
