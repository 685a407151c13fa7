/* Lab 06, step 4: names, marks, devices and times that a shorter way of looking would misjudge. */
#include <string.h>
#include <sys/mount.h>

#include "graders/06-overlayfs-diff.h"

enum { SOMEBODY = 1000, LONG_NAME = 230, LONG_PATH = 4 };

/* A name in the upper, after `verb` with `text`; and in the lowest layer before, if `old`. */
static void make(struct fixture *fixture, bool old, const char *verb, const char *name,
                 const char *text)
{
    if (old)
        outside_do(fixture->room, "put %s/%s old", fixture->lowers[2], name);
    outside_do(fixture->room, "%s %s/%s%s", verb, fixture->upper, name, text);
}

/* Names that some programs pass over. */
static void make_names(struct fixture *fixture)
{
    struct grade *g = fixture->g;
    const char *word = fixture->word, *path = say(g, "far-%s", word);
    const char *dot = say(g, ".%s", word), *gone = say(g, ".gone-%s", word);
    const char *archive = say(g, ".wh.%s", word), *name = grade_word(g, LONG_NAME);

    make(fixture, true, "put", dot, " new");
    fixture_want(fixture, 'C', "name", "a file whose name begins with a dot", dot);
    make(fixture, true, "whiteout", gone, "");
    fixture_want(fixture, 'D', "name", "a whiteout over a name that begins with a dot", gone);
    make(fixture, false, "put", archive, " new");
    fixture_want(fixture, 'A', "name", "a file: .wh. means something in archives only", archive);
    make(fixture, false, "put", name, " new");
    fixture_want(fixture, 'A', "name", "a file with a long name", name);
    for (int i = 0; i < LONG_PATH; i++)
        path = say(g, "%s/%s", path, grade_word(g, LONG_NAME));
    outside_do(fixture->room, "put %s/%s/kept old", fixture->lowers[2], path);
    make(fixture, true, "put", say(g, "%s/file", path), " new");
    fixture_want(fixture, 'C', "name", "a file with a long path", say(g, "%s/file", path));
}

static void make_marks(struct fixture *fixture)
{
    struct grade *g = fixture->g;
    const char *not = say(g, "opaque-yes-%s", fixture->word);
    const char *full = say(g, "opaque-full-%s", fixture->word);
    const char *on_file = say(g, "opaque-file-%s", fixture->word);
    const char *const opaque[] = {not, full, on_file};

    outside_do(fixture->room, "put %s/%s/kept old", fixture->lowers[1], not );
    outside_do(fixture->room, "put %s/%s/gone old", fixture->lowers[1], full);
    outside_do(fixture->room, "put %s/%s old", fixture->lowers[1], on_file);
    for (size_t i = 0; i < 3; i++) {
        outside_do(fixture->room, "folders %s/%s", fixture->upper, opaque[i]);
        outside_do(fixture->room, "set-attribute user.overlay.opaque %s %s/%s",
                   i == 0 ? "yes" : "y", fixture->upper, opaque[i]);
    }
    fixture_want(fixture, '\0', "not-opaque", "its mark is \"yes\", not \"y\": it is not opaque",
                 not );
    fixture_want(fixture, '\0', "not-opaque", "the folder around it is not opaque: it shows",
                 say(g, "%s/kept", not ));
    fixture_want(fixture, 'C', "opaque", "an opaque folder took the place of the lowers' one",
                 full);
    outside_do(fixture->room, "whiteout %s/%s/gone", fixture->upper, full);
    fixture_want(fixture, 'D', "opaque", "a whiteout hides it, and the opaque folder around it too",
                 say(g, "%s/gone", full));
    fixture_want(fixture, 'C', "type-changed", "a file became a folder, and an opaque one",
                 on_file);
}

/* Links of the lowers: that there is one has nothing to do with where it leads; and it is no
 * folder, so what lies below that name in deeper layers is hidden. */
static void make_links(struct fixture *fixture)
{
    struct grade *g = fixture->g;
    const char *gone = say(g, "dead-gone-%s", fixture->word);
    const char *again = say(g, "dead-again-%s", fixture->word);
    const char *between = say(g, "link-between-%s", fixture->word);

    outside_do(fixture->room, "symlink %s/%s nowhere", fixture->lowers[1], gone);
    outside_do(fixture->room, "symlink %s/%s nowhere", fixture->lowers[1], again);
    outside_do(fixture->room, "whiteout %s/%s", fixture->upper, gone);
    outside_do(fixture->room, "put %s/%s new", fixture->upper, again);
    fixture_want(fixture, 'D', "dead-link", "a whiteout over a link that leads nowhere", gone);
    fixture_want(fixture, 'C', "dead-link", "a link that leads nowhere became a file", again);

    outside_do(fixture->room, "put %s/%s/own old", fixture->lowers[0], between);
    outside_do(fixture->room, "put %s/to-%s/in old", fixture->lowers[1], between);
    outside_do(fixture->room, "symlink %s/%s to-%s", fixture->lowers[1], between, between);
    outside_do(fixture->room, "put %s/%s/in new", fixture->upper, between);
    fixture_want(fixture, 'A', "lower-between",
                 "new: the lower's link to a folder that has such a file is itself no folder",
                 say(g, "%s/in", between));
}

/* Any device but 0:0 is a file like others. One that is there is mounted over a file of the upper:
 * in a user namespace nobody makes any. */
static void make_devices(struct fixture *fixture)
{
    const char *name = say(fixture->g, "device-%s", fixture->word);
    const char *new = say(fixture->g, "new-device-%s", fixture->word);

    make(fixture, true, "put", name, "");
    make(fixture, false, "put", new, "");
    outside_do(fixture->room, "mount /dev/null %s/%s %d", fixture->upper, name, MS_BIND);
    outside_do(fixture->room, "mount /dev/null %s/%s %d", fixture->upper, new, MS_BIND);
    fixture_want(fixture, 'C', "device", "a device that is not 0:0 took the place of a file", name);
    fixture_want(fixture, 'A', "device", "a new device, and not 0:0", new);
}

/* Times are no change: a folder's is that of its last new name. */
static void make_times(struct fixture *fixture)
{
    const char *folder = say(fixture->g, "aged-%s", fixture->word), *said;
    const char *lower = say(fixture->g, "%s/%s", fixture->lowers[2], folder);
    const char *const touch[] = {"touch", "-d", "2001-02-03 04:05", lower, NULL};

    make(fixture, true, "put", say(fixture->g, "%s/in", folder), " new");
    if (outside_run(fixture->room,
                    &(struct run_options){.program = "/strata/busybox", .arguments = touch},
                    &said) != 0)
        grade_error(fixture->g, 0, "cannot set a time: %s", said);
    fixture_want(fixture, '\0', "folder-for-its-files",
                 "its time changed, and nothing else of the folder itself", folder);
    fixture_want(fixture, 'C', "not-changed", "a file with new content",
                 say(fixture->g, "%s/in", folder));
}

/* Where there are several ids: the user alone is enough. */
static void make_owner(struct fixture *fixture)
{
    const char *name = say(fixture->g, "user-%s", fixture->word);

    if (run_ids(fixture->g) <= SOMEBODY)
        return;
    outside_do(fixture->room, "folders %s/%s", fixture->lowers[1], name);
    outside_do(fixture->room, "folders %s/%s", fixture->upper, name);
    outside_do(fixture->room, "chown %d 0 %s/%s", SOMEBODY, fixture->upper, name);
    fixture_want(fixture, 'C', "folder-owner", "a folder's user changed", name);
}

void fixture_odd(struct fixture *fixture)
{
    make_names(fixture);
    make_marks(fixture);
    make_links(fixture);
    make_devices(fixture);
    make_times(fixture);
    make_owner(fixture);
}
