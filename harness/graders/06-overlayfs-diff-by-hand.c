/* Lab 06, step 4: layers made file by file. A line of a table makes something, or says what the
 * list must have. "%" in a path stands for this run's random word. */
#include <stdio.h>
#include <string.h>

#include "graders/06-overlayfs-diff.h"

enum { SOMEBODY = 1000 };

/* 'u' the upper, '0' '1' '2' the lowers from the top; then what to do there. */
struct make {
    const char *where; /* "u", "12": in each of these */
    const char *verb;  /* of the probe: VERB PATH [TEXT]                                       */
    const char *path;
    const char *text;
};

struct want {
    const char *kinds; /* "A", "C", "D", "-": not reported */
    const char *path;
    const char *because, *why;
};

static const struct make made[] = {
    /* plain: all in the lowest, or in several */
    {"2", "put", "kept-%", "old"},
    {"12", "put", "folder-%/kept", "old"},
    {"u", "put", "new-%", "new"},
    {"u", "put", "folder-%/new", "new"},
    {"u", "put", "new-folder-%/in/file", "new"},
    {"012", "put", "written-%", "old"},
    {"u", "put", "written-%", "new"},
    {"1", "put", "touched-%", "same"},
    {"u", "put", "touched-%", "same"},
    {"2", "put", "deleted-%", "old"},
    {"u", "whiteout", "deleted-%", NULL},
    {"12", "put", "tree-%/a/b/file", "old"},
    {"u", "whiteout", "tree-%", NULL},
    {"1", "put", "folder-%/gone", "old"},
    {"u", "whiteout", "folder-%/gone", NULL},
    {"1", "put", "twin-a-%", "old"},
    {"1", "link", "twin-a-%", "twin-b-%"},
    {"u", "put", "twin-a-%", "new"},
    /* modes of folders: 0 is the topmost that has it */
    {"01", "folders", "mode-same-%", NULL},
    {"0", "chmod", "mode-same-%", "750"},
    {"u", "folders", "mode-same-%", NULL},
    {"u", "chmod", "mode-same-%", "750"},
    {"01", "folders", "mode-other-%", NULL},
    {"0", "chmod", "mode-other-%", "750"},
    {"u", "folders", "mode-other-%", NULL},
    {"2", "folders", "sticky-%/in", NULL},
    {"u", "folders", "sticky-%/in", NULL},
    {"u", "chmod", "sticky-%", "1755"},
    /* other types */
    {"1", "put", "file-to-folder-%", "old"},
    {"u", "put", "file-to-folder-%/in", "new"},
    {"1", "put", "folder-to-file-%/in", "old"},
    {"u", "put", "folder-to-file-%", "new"},
    {"1", "put", "folder-to-link-%/in", "old"},
    {"u", "symlink", "folder-to-link-%", "folder-%"},
    {"2", "symlink", "link-to-folder-%", "folder-%"},
    {"u", "put", "link-to-folder-%/kept", "new"},
    {"2", "symlink", "link-again-%", "kept-%"},
    {"u", "symlink", "link-again-%", "kept-%"},
    {"u", "symlink", "new-link-%", "folder-%"},
    {"u", "fifo", "new-fifo-%", NULL},
    {"2", "put", "file-to-fifo-%", "old"},
    {"u", "fifo", "file-to-fifo-%", NULL},
    /* an opaque upper folder; its sub-folder has no mark of its own */
    {"12", "put", "opaque-%/both", "old"},
    {"1", "put", "opaque-%/gone", "old"},
    {"2", "put", "opaque-%/gone-too/deep", "old"},
    {"2", "put", "opaque-%/sub/gone", "old"},
    {"2", "put", "opaque-%/sub/both", "old"},
    {"u", "opaque", "opaque-%", NULL},
    {"u", "put", "opaque-%/both", "new"},
    {"u", "put", "opaque-%/new", "new"},
    {"u", "put", "opaque-%/sub/both", "new"},
    {"u", "put", "opaque-%/sub/new", "new"},
    {"2", "put", "opaque-not-%/kept", "old"},
    {"u", "mark n", "opaque-not-%", NULL},
    {"u", "put", "opaque-not-%/new", "new"},
    {"u", "opaque", "opaque-new-%", NULL},
    /* whiteouts of nothing */
    {"u", "whiteout", "nothing-%", NULL},
    {"u", "whiteout", "new-folder-%/nothing", NULL},
    {"u", "whiteout", "folder-%/nothing", NULL},
    /* lowers that hide among themselves */
    {"1", "put", "hidden-%", "old"},
    {"0", "whiteout", "hidden-%", NULL},
    {"u", "put", "hidden-%", "new"},
    {"1", "put", "hidden-twice-%", "old"},
    {"0", "whiteout", "hidden-twice-%", NULL},
    {"u", "whiteout", "hidden-twice-%", NULL},
    {"12", "put", "hidden-tree-%/in", "old"},
    {"0", "whiteout", "hidden-tree-%", NULL},
    {"u", "put", "hidden-tree-%/in", "new"},
    {"12", "put", "replaced-%/hidden", "old"},
    {"2", "put", "replaced-%/hidden-too", "old"},
    {"0", "opaque", "replaced-%", NULL},
    {"0", "put", "replaced-%/own", "old"},
    {"u", "put", "replaced-%/hidden", "new"},
    {"u", "whiteout", "replaced-%/hidden-too", NULL},
    {"u", "put", "replaced-%/own", "new"},
    {"1", "put", "file-over-%/in", "old"},
    {"0", "put", "file-over-%", "old"},
    {"u", "put", "file-over-%/in", "new"},
    {"2", "put", "file-between-%/hidden", "old"},
    {"1", "put", "file-between-%", "old"},
    {"0", "put", "file-between-%/own", "old"},
    {"u", "put", "file-between-%/hidden", "new"},
    {"u", "put", "file-between-%/own", "new"},
    {"2", "put", "gone-between-%/hidden", "old"},
    {"1", "whiteout", "gone-between-%", NULL},
    {"0", "put", "gone-between-%/own", "old"},
    {"u", "put", "gone-between-%/hidden", "new"},
    {"u", "whiteout", "gone-between-%/own", NULL},
    {"2", "put", "back-%", "old"},
    {"1", "whiteout", "back-%", NULL},
    {"0", "put", "back-%", "old"},
    {"u", "whiteout", "back-%", NULL},
    /* names that sort oddly: '-' and '.' come before '/' */
    {"u", "put", "sort-%/in", "new"},
    {"u", "put", "sort-%-a", "new"},
    {"u", "put", "sort-%.a", "new"},
    {"u", "put", "sort-%0", "new"},
    {"u", "put", "Sort-%", "new"},
    {"u", "put", "s\xc3\xb6rt-%", "new"},
    {"u", "mkdir", "two words-%", NULL},
    {"2", "put", "deep-%/b/c/d/e/f/g/h/i/j/k/l/m/old", "old"},
    {"u", "put", "deep-%/b/c/d/e/f/g/h/i/j/k/l/m/new", "new"},
};

static const struct want wanted[] = {
    {"-", "kept-%", "reported-too-much", "nobody changed it"},
    {"-", "folder-%", "folder-for-its-files", "only what is in the folder changed"},
    {"-", "folder-%/kept", "reported-too-much", "nobody changed it"},
    {"A", "new-%", "not-added", "a new file"},
    {"A", "folder-%/new", "not-added", "a new file in a folder of the lowers"},
    {"A", "new-folder-%", "not-added", "a new folder"},
    {"A", "new-folder-%/in", "not-added", "a folder in a new folder"},
    {"A", "new-folder-%/in/file", "not-added", "a file in a new folder"},
    {"C", "written-%", "not-changed", "a file with new content"},
    {"C", "touched-%", "touched",
     "copied up: it was opened for writing, though the content is the same"},
    {"D", "deleted-%", "not-deleted", "a whiteout over a file"},
    {"D", "tree-%", "not-deleted", "a whiteout over a folder"},
    {"-", "tree-%/a", "below-deleted", "it went along with the folder around it"},
    {"D", "folder-%/gone", "not-deleted", "a whiteout over a file"},
    {"C", "twin-a-%", "not-changed", "a hard link that was written to"},
    {"-", "twin-b-%", "reported-too-much", "the other hard link did not change"},
    {"-", "mode-same-%", "folder-for-its-files",
     "the folder has the mode that the topmost lower gives it"},
    {"C", "mode-other-%", "folder-mode",
     "the folder's mode is not that of the topmost lower, but of one below"},
    {"C", "sticky-%", "folder-mode", "a folder's mode changed: it is sticky now"},
    {"-", "sticky-%/in", "folder-for-its-files", "that folder did not change"},
    {"C", "file-to-folder-%", "type-changed", "a file became a folder"},
    {"A", "file-to-folder-%/in", "not-added", "a file in a folder that was a file before"},
    {"C", "folder-to-file-%", "type-changed", "a folder became a file"},
    {"-", "folder-to-file-%/in", "below-deleted",
     "it went along with the folder, which became a file"},
    {"C", "folder-to-link-%", "type-changed", "a folder became a symbolic link"},
    {"-", "folder-to-link-%/new", "link-followed",
     "a link is no folder: what it leads to is not in it"},
    {"-", "folder-to-link-%/in", "below-deleted",
     "it went along with the folder, which became a link"},
    {"C", "link-to-folder-%", "type-changed", "a symbolic link became a folder"},
    {"A", "link-to-folder-%/kept", "link-followed",
     "a new file: the lowers have a link there, no folder"},
    {"C", "link-again-%", "not-changed", "a symbolic link that was made anew"},
    {"A", "new-link-%", "not-added", "a new symbolic link"},
    {"-", "new-link-%/new", "link-followed", "a link is no folder: what it leads to is not in it"},
    {"A", "new-fifo-%", "not-added", "a new FIFO"},
    {"C", "file-to-fifo-%", "type-changed", "a file became a FIFO"},
    {"C", "opaque-%", "opaque", "an opaque folder took the place of the lowers' one"},
    {"C", "opaque-%/both", "opaque", "in an opaque folder, a file that was there before"},
    {"D", "opaque-%/gone", "opaque", "the opaque folder around it hides it"},
    {"D", "opaque-%/gone-too", "opaque", "the opaque folder around it hides it"},
    {"-", "opaque-%/gone-too/deep", "below-deleted", "it went along with the folder around it"},
    {"A", "opaque-%/new", "opaque", "in an opaque folder, a new file"},
    {"C", "opaque-%/sub", "opaque-below",
     "a folder in an opaque folder took the lowers' one's place"},
    {"C", "opaque-%/sub/both", "opaque-below",
     "a file that was there before, below an opaque folder"},
    {"D", "opaque-%/sub/gone", "opaque-below", "an opaque folder two levels up hides it"},
    {"A", "opaque-%/sub/new", "opaque-below", "a new file, two levels below an opaque folder"},
    {"-", "opaque-not-%", "not-opaque", "its mark has another value than \"y\": it is not opaque"},
    {"-", "opaque-not-%/kept", "not-opaque", "the folder around it is not opaque: it shows"},
    {"A", "opaque-not-%/new", "not-added", "a new file"},
    {"A", "opaque-new-%", "not-added", "a new folder, if an opaque one"},
    {"-", "nothing-%", "whiteout-of-nothing", "a whiteout where the lowers have nothing"},
    {"-", "new-folder-%/nothing", "whiteout-of-nothing", "a whiteout in a new folder"},
    {"-", "folder-%/nothing", "whiteout-of-nothing", "a whiteout where the lowers have nothing"},
    {"A", "hidden-%", "lower-whiteout", "new: a whiteout in the topmost lower hid the old one"},
    {"-", "hidden-twice-%", "lower-whiteout", "it was hidden before, by a lower's whiteout"},
    {"A", "hidden-tree-%", "lower-whiteout",
     "new: a whiteout in the topmost lower hid the old one"},
    {"A", "hidden-tree-%/in", "lower-whiteout", "new: the folder was hidden by a lower's whiteout"},
    {"-", "replaced-%", "folder-for-its-files", "only what is in the folder changed"},
    {"A", "replaced-%/hidden", "lower-opaque", "new: an opaque lower folder hid the old one"},
    {"-", "replaced-%/hidden-too", "lower-opaque", "an opaque lower folder hid it before"},
    {"C", "replaced-%/own", "lower-opaque", "the opaque lower folder itself has it"},
    {"C", "file-over-%", "lower-file", "a file of the topmost lower became a folder"},
    {"A", "file-over-%/in", "lower-file",
     "new: a file in the topmost lower hid the folder below it"},
    {"-", "file-between-%", "folder-for-its-files", "only what is in the folder changed"},
    {"A", "file-between-%/hidden", "lower-between",
     "new: between the two folders lies a file, which ends what shows"},
    {"C", "file-between-%/own", "lower-between", "the topmost lower has it"},
    {"-", "gone-between-%", "folder-for-its-files", "only what is in the folder changed"},
    {"A", "gone-between-%/hidden", "lower-between",
     "new: between the two folders lies a whiteout, which ends what shows"},
    {"D", "gone-between-%/own", "lower-between",
     "the topmost lower has it, and the upper a whiteout"},
    {"D", "back-%", "lower-between", "the topmost lower has it again, above a whiteout"},
    {"A", "sort-%", "not-added", "a new folder"},
    {"A", "sort-%/in", "not-added", "a new file"},
    {"A", "sort-%-a", "not-added", "a new file"},
    {"A", "sort-%.a", "not-added", "a new file"},
    {"A", "sort-%0", "not-added", "a new file"},
    {"A", "Sort-%", "not-added", "a new file"},
    {"A", "s\xc3\xb6rt-%", "not-added", "a new file"},
    {"A", "two words-%", "not-added", "a new folder"},
    {"A", "deep-%/b/c/d/e/f/g/h/i/j/k/l/m/new", "not-added", "a new file, far down"},
    {"-", "deep-%/b/c/d/e/f/g/h/i/j/k/l/m/old", "reported-too-much", "nobody changed it"},
};

/* The path with this run's word in place of "%". */
static const char *named(const struct fixture *fixture, const char *path)
{
    const char *mark = strchr(path, '%');

    return mark == NULL
               ? path
               : say(fixture->g, "%.*s%s%s", (int)(mark - path), path, fixture->word, mark + 1);
}

static void make_one(const struct fixture *fixture, const struct make *make, const char *layer)
{
    const char *path = say(fixture->g, "%s/%s", layer, named(fixture, make->path));
    const char *text = make->text != NULL ? named(fixture, make->text) : "";
    struct run *room = fixture->room;

    if (strcmp(make->verb, "opaque") == 0 || strcmp(make->verb, "mark n") == 0) {
        outside_do(room, "folders %s", path);
        outside_do(room, "set-attribute user.overlay.opaque %s %s",
                   make->verb[0] == 'o' ? "y" : "n", path);
    } else if (strcmp(make->verb, "chmod") == 0) {
        outside_do(room, "chmod %s %s", text, path);
    } else if (strcmp(make->verb, "link") == 0) {
        outside_do(room, "link %s %s/%s", path, layer, text);
    } else {
        outside_do(room, "%s %s%s%s", make->verb, path, text[0] != '\0' ? " " : "", text);
    }
}

/* Owners, where there are several; the group alone is enough. */
static void make_owners(struct fixture *fixture)
{
    static const char *const paths[] = {"owner-%", "group-%", "owner-file-%"};

    if (run_ids(fixture->g) <= SOMEBODY)
        return;
    for (size_t i = 0; i < 3; i++) {
        const char *name = named(fixture, paths[i]);
        const char *at[] = {fixture->lowers[1], fixture->upper};
        for (int j = 0; j < 2; j++)
            outside_do(fixture->room, "%s %s/%s", i == 2 ? "put" : "folders", at[j], name);
        outside_do(fixture->room, "chown %d %d %s/%s", i == 1 ? 0 : SOMEBODY, SOMEBODY,
                   fixture->upper, name);
        fixture_want(fixture, 'C', i == 2 ? "not-changed" : "folder-owner",
                     i == 1 ? "a folder's group changed" : "the owner changed", name);
    }
}

/* More than any small list holds. */
static void make_many(struct fixture *fixture)
{
    const char *folder = named(fixture, "many-%");

    outside_do(fixture->room, "mkdir %s/%s", fixture->upper, folder);
    fixture_want(fixture, 'A', "not-added", "a new folder", folder);
    for (int i = 0; i < 70; i++) {
        const char *name = say(fixture->g, "%s/%s%d", folder, grade_word(fixture->g, 4), i);
        outside_do(fixture->room, "put %s/%s x", fixture->upper, name);
        fixture_want(fixture, 'A', "not-added", "one of many new files", name);
    }
}

void fixture_by_hand(struct fixture *fixture)
{
    for (size_t i = 0; i < sizeof made / sizeof *made; i++)
        for (const char *where = made[i].where; *where != '\0'; where++)
            make_one(fixture, &made[i],
                     *where == 'u' ? fixture->upper : fixture->lowers[*where - '0']);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        fixture_want(fixture, wanted[i].kinds[0] == '-' ? '\0' : wanted[i].kinds[0],
                     wanted[i].because, wanted[i].why, named(fixture, wanted[i].path));
    make_owners(fixture);
    make_many(fixture);
    /* The root: another mode than the lowers', and a mark that the kernel ignores there. */
    outside_do(fixture->room, "chmod 700 %s", fixture->upper);
    outside_do(fixture->room, "set-attribute user.overlay.opaque y %s", fixture->upper);
    outside_do(fixture->room, "set-attribute user.overlay.opaque y %s", fixture->lowers[0]);
    fixture_want(fixture, '\0', "root-reported", "the root itself is never reported", "");
}
