/* Lab 06, step 4: an upper that the kernel fills. The mount is ours: step 4 stands by itself. */
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#include "graders/06-overlayfs-diff.h"

/* "0 put PATH TEXT" works in a lower, "m VERB ..." in the mount. "@" is the place, "%" the word. */
static const char *const made[] = {
    "1 put @/etc/kept-% old",       "0 put @/etc/edited-% old", "1 put @/etc/opened-% old",
    "1 put @/etc/mode-% old",       "1 put @/etc/gone-% old",   "1 put @/etc/back-% old",
    "1 put @/etc/moved-% old",      "1 put @/etc/linked-% old", "1 put @/etc/to-folder-% old",
    "0 put @/tree-%/a/file old",    "1 put @/tree-%/b old",     "0 put @/again-%/a old",
    "1 put @/again-%/b old",        "1 folders @/mode-%",       "1 put @/twin-a-% old",
    "1 link @/twin-a-% @/twin-b-%", "1 put @/emptied-%/a old",
};

static const char *const changed[] = {
    "put @/etc/new-% new",
    "append @/etc/edited-% more",
    "append @/etc/opened-%",
    "chmod 600 @/etc/mode-%",
    "remove @/etc/gone-%",
    "remove @/etc/back-%",
    "put @/etc/back-% again",
    "rename @/etc/moved-% @/etc/moved-to-%",
    "link @/etc/linked-% @/etc/new-link-%",
    "remove @/etc/to-folder-%",
    "put @/etc/to-folder-%/in new",
    "remove @/tree-%/a/file",
    "remove @/tree-%/a",
    "remove @/tree-%/b",
    "remove @/tree-%",
    "remove @/again-%/a",
    "remove @/again-%/b",
    "remove @/again-%",
    "put @/again-%/b new",
    "chmod 711 @/mode-%",
    "append @/twin-b-% more",
    "remove @/emptied-%/a",
    "put @/came-and-went-% x",
    "remove @/came-and-went-%",
    "put @/new-%/a/b x",
    "rename @/new-% @/newer-%",
    "symlink @/symlink-% etc",
};

static const struct {
    char kind;
    const char *path, *because, *why;
} wanted[] = {
    {'\0', "etc", "folder-for-its-files", "only what is in the folder changed"},
    {'\0', "etc/kept-%", "reported-too-much", "nobody changed it"},
    {'A', "etc/new-%", "not-added", "a new file"},
    {'C', "etc/edited-%", "not-changed", "something was appended to it"},
    {'C', "etc/mode-%", "not-changed", "chmod of a file"},
    {'C', "etc/opened-%", "touched", "it was opened for writing"},
    {'D', "etc/gone-%", "not-deleted", "it was deleted"},
    {'C', "etc/back-%", "not-changed", "it was deleted and made anew"},
    {'D', "etc/moved-%", "not-deleted", "it was renamed"},
    {'A', "etc/moved-to-%", "not-added", "this is its new name"},
    {'C', "etc/linked-%", "not-changed", "it was copied up for a second link to it"},
    {'A', "etc/new-link-%", "not-added", "a new hard link"},
    {'C', "etc/to-folder-%", "type-changed", "a file was deleted and made as a folder"},
    {'A', "etc/to-folder-%/in", "not-added", "a file in a folder that was a file before"},
    {'D', "tree-%", "not-deleted", "rm -r of a folder of two layers"},
    {'\0', "tree-%/a", "below-deleted", "it went along with the folder around it"},
    {'C', "again-%", "opaque", "rm -r, and a new folder of the same name: opaque"},
    {'D', "again-%/a", "opaque", "the opaque folder around it hides it"},
    {'C', "again-%/b", "opaque", "in the opaque folder, a file that was there before"},
    {'C', "mode-%", "folder-mode", "chmod of a folder"},
    {'C', "twin-b-%", "not-changed", "a hard link that was written to"},
    {'\0', "twin-a-%", "reported-too-much", "the other hard link is the lower one's still"},
    {'\0', "emptied-%", "folder-for-its-files", "only what is in the folder changed"},
    {'D', "emptied-%/a", "not-deleted", "it was deleted"},
    {'\0', "came-and-went-%", "whiteout-of-nothing", "it came and went"},
    {'A', "newer-%", "not-added", "a new folder, renamed since"},
    {'A', "newer-%/a", "not-added", "a folder in a new folder"},
    {'A', "newer-%/a/b", "not-added", "a file in a new folder"},
    {'\0', "new-%", "whiteout-of-nothing", "the name that a new folder had for a while"},
    {'A', "symlink-%", "not-added", "a new symbolic link"},
};

/* The request with the folder in place of "@" and this run's word in place of "%". */
static const char *filled(const struct fixture *fixture, const char *text, const char *folder)
{
    const char *out = "";

    for (; *text != '\0'; text += strcspn(text, "@%")) {
        if (*text == '@' || *text == '%')
            out = say(fixture->g, "%s%s", out, *text++ == '@' ? folder : fixture->word);
        out = say(fixture->g, "%s%.*s", out, (int)strcspn(text, "@%"), text);
    }
    return out;
}

void fixture_by_mount(struct fixture *fixture)
{
    struct grade *g = fixture->g;
    const char *work = layers_folder(g, fixture->room), *at = layers_folder(g, fixture->room);

    for (size_t i = 0; i < sizeof made / sizeof *made; i++)
        outside_do(fixture->room, "%s",
                   filled(fixture, made[i] + 2, fixture->lowers[made[i][0] - '0']));
    outside_do(fixture->room,
               "mount-with overlay %s 0 lowerdir=%s:%s:%s,upperdir=%s,workdir=%s,userxattr", at,
               fixture->lowers[0], fixture->lowers[1], fixture->lowers[2], fixture->upper, work);
    for (size_t i = 0; i < sizeof changed / sizeof *changed; i++)
        outside_do(fixture->room, "%s", filled(fixture, changed[i], at));
    outside_do(fixture->room, "umount %s %d", at, MNT_DETACH);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        fixture_want(fixture, wanted[i].kind, wanted[i].because, wanted[i].why,
                     filled(fixture, wanted[i].path, ""));
}
