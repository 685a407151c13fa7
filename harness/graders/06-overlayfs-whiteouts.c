/* Lab 06, step 3: how a layer says that something of the layers below is gone. */
#include "graders/06-overlayfs.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

enum { SOMEBODY = 1000 };

/* --- which attributes ------------------------------------------------------------------------- */

static void check_attributes(struct grade *g, struct run *room)
{
    const char *folder = layers_folder(g, room), *word = grade_word(g, 7);
    const char *wanted, *see = say(g, "lab06 --attributes %s; xattr(7)", folder);

    outside_do(room, "put %s/file %s", folder, word);
    wanted = strcmp(run_ask(room, "set-attribute trusted.overlay.strata y %s", folder), "ok") == 0
                 ? "trusted.overlay\n"
                 : "user.overlay\n";
    run_ask(room, "set-attribute trusted.overlay.opaque y %s", folder);
    outside_do(room, "set-attribute user.overlay.opaque y %s", folder);
    outside_do(room, "set-attribute user.%s y %s", word, folder);
    const char *before = outside_do(room, "attributes %s", folder);
    struct folder contents = folder_of(room, folder);

    const char *const arguments[] = {"--attributes", folder, NULL};
    const char *said =
        layers_ask(g, room, &(struct run_options){.arguments = arguments}, "attributes");
    expect(g, strcmp(said, wanted) == 0, .because = "wrong-kind",
           .expected =
               say(g, "the marks here are of the kind %.*s", (int)strlen(wanted) - 1, wanted),
           .kernel = say(g, "overlay_attributes says %.40s; tried: trusted.* is %s", said,
                         wanted[0] == 'u' ? "refused here (EPERM)" : "allowed here"),
           .see = see);
    const char *after = outside_do(room, "attributes %s", folder);
    expect(g, strcmp(before, after) == 0,
           .because = strlen(after) < strlen(before) ? "mark-lost" : "left-behind",
           .expected = say(g, "the folder is left with the attributes that it had: %s", before),
           .kernel = say(g, "%s: %.100s",
                         strlen(after) < strlen(before) ? "a mark was lost; it has only"
                                                        : "something was left behind; it has",
                         after),
           .see = see);
    layers_kept(g, room, &contents, folder);
}

/* A file system without any: devpts. */
static void check_no_attributes(struct grade *g, struct run *room)
{
    const char *folder = layers_folder(g, room), *missing = say(g, "/tmp/%s", grade_word(g, 9));

    outside_do(room, "mount devpts %s 0", folder);
    const char *const neither[] = {"--attributes", folder, NULL};
    const char *const nothing[] = {"--attributes", missing, NULL};
    layers_refused(g, room, &(struct run_options){.arguments = neither}, EOPNOTSUPP, "wrong-kind",
                   "a file system with neither kind of mark");
    layers_refused(g, room, &(struct run_options){.arguments = nothing}, ENOENT, "wrong-kind",
                   "a folder that is not there");
}

/* --- marks made by hand ----------------------------------------------------------------------- */

static void check_whiteout(struct grade *g, const struct folder *layer, const char *name,
                           const char *where)
{
    const struct item *item = folder_find(layer, name);

    expect(g, item != NULL && S_ISCHR(item->mode) && item->rdev == makedev(0, 0),
           .because = "no-whiteout",
           .expected = say(g, "%s/%s is a character device 0:0", where, name),
           .kernel = say(g, "it is %s", item_text(g, item)),
           .see = say(g, "lab06 --hide %s/%s; ls -l %s", where, name, where));
}

static void check_opaque(struct grade *g, struct run *room, const char *path)
{
    const char *value = run_ask(room, "get-attribute user.overlay.opaque %s", path);

    expect(g, strcmp(value, "ok y") == 0, .because = "no-opaque",
           .expected = say(g, "%s has the attribute user.overlay.opaque, \"y\"", path),
           .kernel = strncmp(value, "ok ", 3) == 0 ? say(g, "its value is \"%.40s\"", value + 3)
                                                   : say(g, "it has none: \"%s\" (errno)", value),
           .see = "fsetxattr(2); getfattr -n user.overlay.opaque FOLDER");
}

/* Three layers; all of them have all of it. The middle one is marked. */
struct scene {
    const char *layers[LAYERS], *target;
    const char *words[LAYERS];
};

static void make_scene(struct grade *g, struct run *room, struct scene *scene)
{
    scene->target = layers_folder(g, room);
    for (int i = 0; i < LAYERS; i++) {
        const char *at = scene->layers[i] = layers_folder(g, room);
        scene->words[i] = grade_word(g, 7);
        outside_do(room, "put %s/opaque/of-%d %s", at, i, scene->words[i]);
        outside_do(room, "put %s/opaque/in/of-%d %s", at, i, scene->words[i]);
        outside_do(room, "put %s/merged/of-%d %s", at, i, scene->words[i]);
        if (i == 2) {
            outside_do(room, "put %s/hidden %s", at, scene->words[i]);
            outside_do(room, "put %s/tree/a/b %s", at, scene->words[i]);
            outside_do(room, "put %s/merged/hidden %s", at, scene->words[i]);
            outside_do(room, "put %s/kept %s", at, scene->words[i]);
        }
    }
}

struct shown {
    const char *path;
    int layer;   /* whose text shows before the middle layer is marked */
    bool hidden; /* ... and not afterwards                              */
};

static void check_shown(struct grade *g, struct run *room, const struct scene *scene, bool marked)
{
    static const struct shown all[] = {
        {"opaque/of-0", 0, false},    {"opaque/of-1", 1, false},    {"opaque/of-2", 2, true},
        {"opaque/in/of-0", 0, false}, {"opaque/in/of-1", 1, false}, {"opaque/in/of-2", 2, true},
        {"merged/of-0", 0, false},    {"merged/of-2", 2, false},    {"hidden", 2, true},
        {"tree/a/b", 2, true},        {"merged/hidden", 2, true},   {"kept", 2, false},
    };
    const char *const arguments[] = {"--lower",        scene->layers[0], "--lower",
                                     scene->layers[1], "--lower",        scene->layers[2],
                                     "--merge",        scene->target,    NULL};
    struct run *run = layers_start(g, room, arguments);

    layers_mounted(g, run, scene->target);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        const char *path = say(g, "%s/%s", scene->target, all[i].path);
        const char *text = layers_inside(run, path);
        bool hidden = marked && all[i].hidden;
        bool there = strcmp(text, scene->words[all[i].layer]) == 0;
        expect(g, hidden ? strcmp(text, strerror(ENOENT)) == 0 : there,
               .because = hidden ? "still-shows" : "hides-more",
               .expected = say(g, "%s %s", path,
                               hidden ? "is gone, hidden by the middle layer"
                                      : "shows, since no layer above hides it"),
               .kernel = say(g, "in the mount: \"%.80s\"", text),
               .see = "overlayfs.rst, whiteouts and opaque directories");
    }
    layers_end(run);
}

static void check_by_hand(struct grade *g, struct run *room)
{
    static const char *const hidden[] = {"hidden", "tree", "merged/hidden"};
    struct scene scene;

    make_scene(g, room, &scene);
    check_shown(g, room, &scene, false);
    const char *middle = scene.layers[1];
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++) {
        const char *const hide[] = {"--hide", say(g, "%s/%s", middle, hidden[i]), NULL};
        layers_ask(g, room, &(struct run_options){.arguments = hide}, "no-whiteout");
    }
    const char *const replace[] = {"--replace", say(g, "%s/opaque", middle), NULL};
    layers_ask(g, room, &(struct run_options){.arguments = replace}, "no-opaque");

    struct folder layer = folder_of(room, middle);
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
        check_whiteout(g, &layer, hidden[i], middle);
    check_opaque(g, room, say(g, "%s/opaque", middle));
    check_shown(g, room, &scene, true);

    /* What is there is not overwritten, a whiteout included. */
    static const char *const there[] = {"merged/of-1", "opaque", "hidden"};
    layer = folder_of(room, middle);
    for (size_t i = 0; i < sizeof there / sizeof *there; i++) {
        const char *const hide[] = {"--hide", say(g, "%s/%s", middle, there[i]), NULL};
        layers_refused(g, room, &(struct run_options){.arguments = hide}, EEXIST, "overwritten",
                       "hiding a name that the layer itself has");
    }
    layers_kept(g, room, &layer, middle);
}

/* A folder that has a mark already, be it another one; and a name in a folder far down. */
static void check_marked(struct grade *g, struct run *room)
{
    const char *layer = layers_folder(g, room), *far = say(g, "%s/%s", layer, grade_word(g, 200));
    const char *marked = say(g, "%s/marked", layer);

    far = say(g, "%s/%s", far, grade_word(g, 200));
    outside_do(room, "folders %s", far);
    outside_do(room, "folders %s", marked);
    outside_do(room, "set-attribute user.overlay.opaque n %s", marked);
    const char *const hide[] = {"--hide", say(g, "%s/hidden", far), NULL};
    const char *const replace[] = {"--replace", marked, NULL};
    layers_ask(g, room, &(struct run_options){.arguments = hide}, "no-whiteout");
    struct folder contents = folder_of(room, far);
    check_whiteout(g, &contents, "hidden", far);
    for (int i = 0; i < 2; i++) {
        layers_ask(g, room, &(struct run_options){.arguments = replace}, "no-opaque");
        check_opaque(g, room, marked);
    }

    const char *none = layers_folder(g, room);
    const char *const no_mark[] = {"--replace", none, NULL};
    outside_do(room, "mount devpts %s 0", none);
    layers_refused(g, room, &(struct run_options){.arguments = no_mark}, EOPNOTSUPP, "no-opaque",
                   "to mark a folder where there are no attributes");
}

/* No capability is needed for either mark. */
static void check_ordinary_user(struct grade *g, struct run *room)
{
    const char *folder = layers_folder(g, room);

    outside_do(room, "mkdir %s/sub", folder);
    outside_do(room, "chown %d %d %s", SOMEBODY, SOMEBODY, folder);
    outside_do(room, "chown %d %d %s/sub", SOMEBODY, SOMEBODY, folder);
    const char *const hide[] = {"--hide", say(g, "%s/gone", folder), NULL};
    const char *const replace[] = {"--replace", say(g, "%s/sub", folder), NULL};
    layers_ask(g, room, &(struct run_options){.arguments = hide, .user = SOMEBODY}, "no-whiteout");
    layers_ask(g, room, &(struct run_options){.arguments = replace, .user = SOMEBODY}, "no-opaque");
    struct folder layer = folder_of(room, folder);
    check_whiteout(g, &layer, "gone", folder);
    check_opaque(g, room, say(g, "%s/sub", folder));
}

/* --- marks made by the kernel ----------------------------------------------------------------- */

static void check_by_kernel(struct grade *g, struct run *room)
{
    const char *lower = layers_folder(g, room), *upper = layers_folder(g, room);
    const char *work = layers_folder(g, room), *target = layers_folder(g, room);
    const char *word = grade_word(g, 8);
    const char *const arguments[] = {"--lower", lower,     "--upper", upper, "--work",
                                     work,      "--merge", target,    NULL};

    outside_do(room, "put %s/file %s", lower, word);
    outside_do(room, "put %s/folder/file %s", lower, word);
    struct folder before = folder_of(room, lower);
    struct run *run = layers_start(g, room, arguments);
    layers_mounted(g, run, target);
    const char *requests[] = {"remove %s/file", "remove %s/folder/file", "remove %s/folder",
                              "mkdir %s/folder", "write %s/folder/own x"};
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        const char *verb = say(g, "%.*s", (int)strcspn(requests[i], "%"), requests[i]);
        layers_do(run, "not-replaced",
                  say(g, "%s%s%s", verb, target, requests[i] + strcspn(requests[i], "%") + 2));
    }
    struct folder changed = folder_of(room, upper);
    check_whiteout(g, &changed, "file", upper);
    check_opaque(g, room, say(g, "%s/folder", upper));
    layers_end(run);
    run = layers_start(g, room, arguments);
    static const char *const gone[] = {"file", "folder/file"};
    for (size_t i = 0; i < 2; i++) {
        const char *path = say(g, "%s/%s", target, gone[i]);
        const char *text = layers_inside(run, path);
        expect(g, strcmp(text, strerror(ENOENT)) == 0, .because = "back-again",
               .expected = say(g, "mounted once more, %s, deleted before, is gone", path),
               .kernel = say(g, "it is back: \"%.80s\"", text),
               .see = "userxattr in overlayfs.rst; overlay_attributes");
    }
    layers_kept(g, room, &before, lower);
}

void layers_stepwhiteouts(struct grade *g)
{
    struct run *room = outside_open(g, false);

    check_attributes(g, room);
    check_no_attributes(g, room);
    check_by_hand(g, room);
    check_marked(g, room);
    layers_check_trusted(g, room);
    check_by_kernel(g, room);
    if (run_ids(g) > SOMEBODY)
        check_ordinary_user(g, room);
}
