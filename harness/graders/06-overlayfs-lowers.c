/* Lab 06, step 1: which layer a name is shown of. */
#include "graders/06-overlayfs.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* What each of three layers has at a path: 'f' a file, 'd' a folder, '.' nothing. And what shows
 * when they lie 0 on 1 on 2, and when they lie 2 on 1 on 0: the file of layer 0, 1 or 2, 'd' a
 * folder, '-' nothing, '!' nothing, for there is a file in the way. */
static const struct {
    const char *path;
    char types[LAYERS + 1];
    char down, up;
} entries[] = {
    {"everywhere", "fff", '0', '2'},
    {"upper-two", "ff.", '0', '1'},
    {"lower-two", ".ff", '1', '2'},
    {"top", "f..", '0', '0'},
    {"middle", ".f.", '1', '1'},
    {"bottom", "..f", '2', '2'},
    {"folder", "ddd", 'd', 'd'},
    {"folder/everywhere", "fff", '0', '2'},
    {"folder/top", "f..", '0', '0'},
    {"folder/bottom", "..f", '2', '2'},
    {"folder/deep", ".dd", 'd', 'd'},
    {"folder/deep/lower-two", ".ff", '1', '2'},
    {"folder/deep/bottom", "..f", '2', '2'},
    {"folder-on-file", "df.", 'd', '1'},
    {"folder-on-file/in", "f..", '0', '!'},
    {"file-on-folder", "fd.", '0', 'd'},
    {"file-on-folder/in", ".f.", '!', '1'},
};
enum { ENTRIES = sizeof entries / sizeof *entries };

struct layers {
    const char *paths[LAYERS], *words[LAYERS];
    struct folder before[LAYERS];
};

static void make_layers(struct grade *g, struct run *room, struct layers *layers)
{
    for (int i = 0; i < LAYERS; i++) {
        layers->paths[i] = layers_folder(g, room);
        layers->words[i] = grade_word(g, 6);
        for (size_t e = 0; e < ENTRIES; e++) {
            const char *path = say(g, "%s/%s", layers->paths[i], entries[e].path);
            if (entries[e].types[i] == 'f')
                outside_do(room, "write %s %s of %s", path, entries[e].path, layers->words[i]);
            else if (entries[e].types[i] == 'd')
                outside_do(room, "mkdir %s", path);
        }
        /* Different ones, all of which let everybody in. */
        outside_do(room, "chmod %o %s", 0711 | (unsigned)i << 4, layers->paths[i]);
        outside_do(room, "chmod %o %s/folder", 0751 | (unsigned)i << 1, layers->paths[i]);
        layers->before[i] = folder_of(room, layers->paths[i]);
    }
}

static const char *wanted_text(struct grade *g, const struct layers *layers, size_t e, char shows)
{
    switch (shows) {
    case 'd':
        return "a folder";
    case '-':
        return strerror(ENOENT);
    case '!':
        return strerror(ENOTDIR);
    default:
        return say(g, "%s of %s", entries[e].path, layers->words[shows - '0']);
    }
}

static void check_shown(struct grade *g, struct run *run, const char *target,
                        const struct layers *layers, bool down)
{
    const char *see = say(g, "lab06 --lower A --lower B ... --merge %s ls -lR %s", target, target);

    layers_mounted(g, run, target);
    for (size_t e = 0; e < ENTRIES; e++) {
        const char *path = say(g, "%s/%s", target, entries[e].path);
        const char *text = layers_inside(run, path);
        const char *wanted = wanted_text(g, layers, e, down ? entries[e].down : entries[e].up);
        bool of_a_layer = false;
        for (int i = 0; i < LAYERS; i++)
            of_a_layer |= strstr(text, layers->words[i]) != NULL;
        expect(g, strcmp(text, wanted) == 0,
               .because = strcmp(text, strerror(ENOENT)) == 0 ? "missing"
                          : of_a_layer                        ? "wrong-layer"
                                                              : "wrong-shown",
               .expected = say(g, "%s shows \"%s\"", path, wanted),
               .kernel =
                   say(g, "it shows \"%.80s\"%s", text, of_a_layer ? ", of another layer" : ""),
               .see = see);
    }
    /* Of a folder that several layers have, mode and owner are the topmost one's. */
    static const char *const folders[] = {"", "/folder"};
    for (size_t i = 0; i < 2; i++) {
        struct place top =
            place_outside(run, say(g, "%s%s", layers->paths[down ? 0 : LAYERS - 1], folders[i]));
        struct place merged = place_inside(run, say(g, "%s%s", target, folders[i]));
        expect(g, (merged.mode & 07777) == (top.mode & 07777), .because = "wrong-layer",
               .expected = say(g, "%s%s has the mode of the topmost layer's: %04o", target,
                               folders[i], top.mode & 07777),
               .kernel = say(g, "it has %04o", merged.mode & 07777), .see = see);
    }
}

static void check_readonly(struct grade *g, struct run *run, const char *target)
{
    const struct kernel_mount *m = layers_mounted(g, run, target);
    const char *reply = run_ask(run, "write %s/%s new", target, grade_word(g, 7));

    expect(g, strcmp(reply, say(g, "error %d", EROFS)) == 0, .because = "writable",
           .expected = say(g, "without an upper, a write to %s: %s", target, strerror(EROFS)),
           .kernel = say(g, "it says \"%s\" (errno); the mount: %s", reply, mounts_line(g, m)),
           .see = "overlayfs.rst: an overlay without upperdir= is read-only");
}

/* As many layers as are given, each with a file of its own. */
static void check_count(struct grade *g, struct run *room)
{
    enum { MOST = 12 };
    const char *arguments[2 * MOST + 3], *names[MOST], *target = layers_folder(g, room);
    int count = grade_between(g, 5, MOST), used = 0;

    for (int i = 0; i < count; i++) {
        const char *layer = layers_folder(g, room);
        names[i] = grade_word(g, 9);
        outside_do(room, "write %s/%s layer %d", layer, names[i], i);
        outside_do(room, "write %s/both layer %d", layer, i);
        arguments[used++] = "--lower";
        arguments[used++] = layer;
    }
    arguments[used++] = "--merge";
    arguments[used++] = target;
    arguments[used] = NULL;
    struct run *run = layers_start(g, room, arguments);
    layers_mounted(g, run, target);
    for (int i = 0; i < count; i++) {
        const char *text = layers_inside(run, say(g, "%s/%s", target, names[i]));
        expect(g, strcmp(text, say(g, "layer %d", i)) == 0, .because = "missing",
               .expected = say(g, "of %d layers each shows; number %d has the file %s", count,
                               i + 1, names[i]),
               .kernel = say(g, "in the mount: %.80s", text),
               .see = "lab06 --lower ... --merge TARGET ls TARGET");
    }
    const char *text = layers_inside(run, say(g, "%s/both", target));
    expect(g, strcmp(text, "layer 0") == 0, .because = "wrong-layer",
           .expected = say(g, "of %d files of one name, that of the first --lower shows", count),
           .kernel = say(g, "the text shown is \"%.80s\", of another layer", text),
           .see = "overlayfs.rst, Multiple lower layers");
}

/* What the kernel refuses is refused: a single lower, and what is not there. */
static void check_errors(struct grade *g, struct run *room, const struct layers *layers)
{
    static const char *const command[] = {"true", NULL};
    const char *missing = say(g, "/tmp/%s", grade_word(g, 9)), *target = layers_folder(g, room);
    const struct {
        const char *lowers[2], *target;
        int error;
        const char *what;
    } tries[] = {
        {{layers->paths[0], missing}, target, ENOENT, "a lower that is not there is an error"},
        {{layers->paths[0], layers->paths[1]},
         missing,
         ENOENT,
         "a target that is not there is an error"},
        {{layers->paths[0], NULL},
         target,
         EINVAL,
         "a single lower without an upper is an error, as the kernel has it"},
    };

    for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
        const char *arguments[] = {"--merge", tries[i].target,    "--lower", tries[i].lowers[0],
                                   "--lower", tries[i].lowers[1], NULL};
        if (tries[i].lowers[1] == NULL)
            arguments[4] = NULL;
        layers_refused(g, room, &(struct run_options){.arguments = arguments, .command = command},
                       tries[i].error, "error-ignored", tries[i].what);
    }
}

/* COMMAND starts where the lab program stood, wherever somebody had to stand to mount. */
static void check_cwd(struct grade *g, struct run *room, struct run *run)
{
    const char *stood = outside_do(room, "readlink /proc/self/cwd");
    const char *stands = run_ask(run, "readlink /proc/self/cwd");

    expect(g, strcmp(stands, say(g, "ok %s", stood)) == 0, .because = "elsewhere",
           .expected = say(g, "COMMAND's working directory is that of its caller: %s", stood),
           .kernel = say(g, "it is %s", strncmp(stands, "ok ", 3) == 0 ? stands + 3 : stands),
           .see = "lab06 --lower A --lower B --merge T pwd; overlay.h");
}

void layers_steplowers(struct grade *g)
{
    struct run *room = outside_open(g, false);
    struct layers layers;
    const char *target = layers_folder(g, room);

    make_layers(g, room, &layers);
    const char *const down[] = {"--lower",       layers.paths[0], "--lower",
                                layers.paths[1], "--lower",       layers.paths[2],
                                "--merge",       target,          NULL};
    const char *const up[] = {"--lower",       layers.paths[2], "--lower",
                              layers.paths[1], "--lower",       layers.paths[0],
                              "--merge",       target,          NULL};
    struct run *run = layers_start(g, room, down);
    check_shown(g, run, target, &layers, true);
    check_readonly(g, run, target);
    check_cwd(g, room, run);
    expect(g, strcmp(layers_outside(room, say(g, "%s/top", target)), strerror(ENOENT)) == 0,
           .because = "outside", .expected = say(g, "outside, %s is empty as before", target),
           .kernel = "the layers' files are in there", .see = say(g, "ls -l %s, outside", target));
    run = layers_start(g, room, up);
    check_shown(g, run, target, &layers, false);
    for (int i = 0; i < LAYERS; i++)
        layers_kept(g, room, &layers.before[i], layers.paths[i]);
    check_count(g, room);
    check_errors(g, room, &layers);
}
