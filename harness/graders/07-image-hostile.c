/*
 * Lab 07, step 3: whatever an archive says, what comes of it lies below the folder.
 *
 * Outside of the folder, and one "../" away, lies a victim: a folder with a marker file. First it
 * is shown that it can be reached on the ways that hostile archives take; then, after each of them,
 * that nothing in the room but the folder itself has changed: no byte, no mode, no time.
 */
#include "graders/07-image-hostile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char see_tree[] = "lab07 --unpack LAYER.tar=/tmp/x; ls -lR /tmp";
static const char see_place[] = "openat2(2), RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS";

/* The scene of the crime: BASE/root is where the archive is unpacked, BASE/victim what it is after.
 */
struct scene {
    struct run *room;
    const char *base, *root;
};

static struct scene scene_open(struct run *room)
{
    struct grade *g = run_grade(room);
    struct scene scene = {.room = room, .base = image_folder(room)};

    scene.root = say(g, "%s/root", scene.base);
    outside_do(room, "mkdir %s", scene.root);
    outside_do(room, "mkdir %s-like", scene.root); /* its path begins as the root's does */
    outside_do(room, "mkdir %s/victim", scene.base);
    outside_do(room, "write %s/victim/marker %s", scene.base, grade_word(g, 30));
    return scene;
}

/* --- lines ---------------------------------------------------------------------------------- */

/* "@/victim" is the scene's. "a/#256/x": "#256" stands for a name of so many bytes (of more than
 * 700: for several names). */
static const char *spelt(struct grade *g, const struct scene *scene, const char *text)
{
    const char *mark = text != NULL ? strchr(text, '#') : NULL;
    char *rest;

    if (text != NULL && text[0] == '@')
        return say(g, "%s%s", scene->base, text + 1);
    if (mark == NULL)
        return text;
    size_t length = strtoul(mark + 1, &rest, 10);
    char *name = craft_noise(g, length);
    for (size_t i = 0; i < length; i++)
        name[i] = length > 700 && i % 200 == 199 ? '/' : 'n';
    return say(g, "%.*s%s%s", (int)(mark - text), text, name, rest);
}

static enum craft_type type_of(char kind)
{
    static const struct {
        char kind;
        enum craft_type type;
    } types[] = {{'f', CRAFT_FILE},      {'h', CRAFT_HARD_LINK}, {'l', CRAFT_SYMLINK},
                 {'c', CRAFT_CHARACTER}, {'b', CRAFT_BLOCK},     {'d', CRAFT_FOLDER}};

    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].kind == kind)
            return types[i].type;
    return CRAFT_FIFO;
}

static void add_line(struct craft *craft, struct grade *g, const struct scene *scene,
                     const struct line *line)
{
    const char *to = spelt(g, scene, line->to);
    bool links = line->kind == 'l' || line->kind == 'h';
    bool whiteout = strstr(line->path, ".wh.") != NULL;
    bool file = line->kind == 'f' && !whiteout;
    const char *text = to != NULL ? to : line->path;

    craft_add(craft, &(struct craft_entry){.type = type_of(line->kind),
                                           .path = spelt(g, scene, line->path),
                                           .link = links ? to : NULL,
                                           .mode = line->mode,
                                           .data = file ? text : NULL,
                                           .size = file ? strlen(text) : 0,
                                           .major = strcmp(line->path, "null") == 0   ? 1
                                                    : strcmp(line->path, "disk") == 0 ? 8
                                                                                      : 0,
                                           .minor = strcmp(line->path, "null") == 0 ? 3 : 0});
}

static struct craft *archive_of(struct grade *g, const struct scene *scene,
                                const struct line *lines)
{
    struct craft *craft = craft_new(g);

    for (size_t i = 0; i < LINES && lines[i].path != NULL; i++)
        add_line(craft, g, scene, &lines[i]);
    return craft;
}

/* What was there before. */
static void plant(const struct scene *scene, const struct attack *attack)
{
    struct grade *g = run_grade(scene->room);

    if (attack->by_archive) {
        struct answer answer =
            image_unpack_into(scene->room, archive_of(g, scene, attack->planted), scene->root);
        image_does(scene->room, &answer, "an earlier layer with a symbolic link", see_tree);
        return;
    }
    for (size_t i = 0; i < LINES && attack->planted[i].path != NULL; i++)
        outside_do(scene->room, "symlink %s/%s %s", scene->root, attack->planted[i].path,
                   spelt(g, scene, attack->planted[i].to));
}

/* --- what became of it ---------------------------------------------------------------------- */

static void check_wanted(struct grade *g, const struct scene *scene, const struct attack *attack,
                         const struct folder *root)
{
    for (size_t i = 0; i < LINES && attack->wanted[i].path != NULL; i++) {
        const struct line *line = &attack->wanted[i];
        const char *path = spelt(g, scene, line->path), *to = spelt(g, scene, line->to);
        const struct item *item = folder_find(root, path);
        bool link = line->kind == 'l';
        const char *text = link ? to : craft_raw(g, to, strlen(to)).digest;

        expect(g, item != NULL && (link ? S_ISLNK(item->mode) : S_ISREG(item->mode)),
               .because = attack->because,
               .expected = say(g, "%s: in the folder lies %.60s, a %s", attack->what, path,
                               link ? "symbolic link" : "file"),
               .kernel = say(g, "there it is %s", item_text(g, item)), .see = see_tree);
        expect(g, strcmp(item->text, text) == 0, .because = attack->because,
               .expected = say(g, "%s: %.60s is \"%.60s\"", attack->what, path, to),
               .kernel = say(g, "it is %s", item_text(g, item)), .see = see_tree);
    }
}

/* What no archive may bring, and what a folder is that the layer hides and has. */
static void check_kinds(struct grade *g, const struct attack *attack, const struct folder *root)
{
    const struct item *hidden = folder_find(root, "new");

    for (size_t i = 0; strcmp(attack->because, "device") == 0 && i < root->count; i++)
        expect(g, !S_ISCHR(root->list[i].mode) && !S_ISBLK(root->list[i].mode), .because = "device",
               .expected = "no device of the archive is made, forged 0:0 or not",
               .kernel = say(g, "%s is %s", root->list[i].path, item_text(g, &root->list[i])),
               .see = see_tree);
    if (strcmp(attack->because, "hidden-folder") == 0)
        expect(g, hidden != NULL && hidden->opaque, .because = "hidden-folder",
               .expected = "a folder that the layer hides, and has by \"new/deep/x\", is opaque",
               .kernel = say(g, "it is %s", item_text(g, hidden)), .see = "image.h, image_place");
}

static void attack_run(struct run *room, const struct attack *attack)
{
    struct grade *g = run_grade(room);
    struct scene scene = scene_open(room);
    const char *root_path = scene.root + strlen("/tmp/");

    plant(&scene, attack);
    struct craft *craft = archive_of(g, &scene, attack->archive);
    struct folder before = folder_of(room, "/tmp");
    struct answer answer = image_unpack_into(room, craft, scene.root);
    struct folder after = folder_of(room, "/tmp");
    const char *difference = folder_difference(g, &before, &after, root_path);

    expect(g, difference == NULL, .because = attack->because,
           .expected = say(g, "%s: outside of the folder nothing changes", attack->what),
           .kernel = say(g, "it got out: %s", difference), .see = see_tree);
    if (attack->error > 0)
        image_refuses(room, &answer, attack->error, attack->because, attack->what, see_place);
    else if (attack->error == 0)
        image_does(room, &answer, attack->what, see_tree);
    else
        expect(g, answer.status == 0 || answer.status == REFUSED, .because = "crash",
               .expected = say(g, "%s: refused, or unpacked below the folder", attack->what),
               .kernel = say(g, "the program ended with status %d", answer.status),
               .see = see_place);
    struct folder root = folder_part(g, &after, root_path);
    check_wanted(g, &scene, attack, &root);
    if (answer.status == 0)
        check_kinds(g, attack, &root);
}

/* First the presence: the ways lead out. */
static void check_reachable(struct run *room)
{
    struct grade *g = run_grade(room);
    struct scene scene = scene_open(room);

    outside_do(room, "symlink %s/away %s/victim", scene.root, scene.base);
    outside_do(room, "symlink %s/back ../victim", scene.root);
    const char *const ways[] = {"../victim", "away", "back"};
    for (size_t i = 0; i < 3; i++) {
        const char *word = grade_word(g, 12);
        outside_do(room, "write %s/%s/marker %s", scene.root, ways[i], word);
        struct folder victim = folder_of(room, say(g, "%s/victim", scene.base));
        const struct item *marker = folder_find(&victim, "marker");
        if (marker == NULL || strcmp(marker->text, craft_raw(g, word, strlen(word)).digest) != 0)
            grade_error(g, 0, "%s does not lead out of the folder", ways[i]);
    }
}

/* A few scenes are soon looked at; hundreds are not. */
static void clear_away(struct run *room)
{
    /* First by short paths: some are as long as a path can be. */
    static const char script[] = "for root in /tmp/*/root; do cd $root && rm -rf -- *; done\n"
                                 "cd / && rm -rf /tmp/*";
    static const char *const arguments[] = {"sh", "-c", script, NULL};
    const char *said;

    outside_run(room, &(struct run_options){.program = "/strata/busybox", .arguments = arguments},
                &said);
}

void image_stephostile(struct grade *g)
{
    struct run *room = outside_open(g, false);

    check_reachable(room);
    for (size_t i = 0; i < image_attack_count; i++) {
        size_t mark = grade_deferred(g);
        attack_run(room, &image_attacks[i]);
        if (i % 6 == 5)
            clear_away(room);
        grade_undo(g, mark);
    }
    image_check_limits(room);
    image_check_few_fds(room);
    image_check_places(room);
    image_check_race(room);
}
