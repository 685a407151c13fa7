/* Lab 07, step 2: what a layer says about the layers below becomes what overlayfs understands. */
#include "graders/07-image.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static const char see_tree[] = "lab07 --unpack LAYER.tar=/tmp/x; ls -lR /tmp/x";
static const char see_opaque[] = "lab07 --unpack LAYER.tar=/tmp/x; getfattr -dR -m - /tmp/x";

/* Unpacks, which must work, and looks. */
static struct folder unpacked(struct run *room, struct craft *craft, const char *what)
{
    const char *path = image_folder(room);
    struct answer answer = image_unpack_into(room, craft, path);

    image_does(room, &answer, what, "lab07 --unpack LAYER.tar=/tmp/x; echo $?");
    return folder_of(room, path);
}

static const struct item *check_type(struct grade *g, const struct folder *folder, const char *path,
                                     mode_t type, const char *because, const char *what)
{
    const struct item *item = folder_find(folder, path);

    expect(g, item != NULL && (item->mode & S_IFMT) == type, .because = because,
           .expected = say(g, "%.60s is %s", path, what),
           .kernel = say(g, "%.60s is %s", path, item_text(g, item)), .see = see_tree);
    return item;
}

static void check_hidden(struct grade *g, const struct folder *folder, const char *path,
                         const char *what)
{
    const struct item *item =
        check_type(g, folder, path, S_IFCHR, "no-whiteout",
                   say(g, "a whiteout, a character device 0:0: it is hidden %s", what));

    expect(g, item->rdev == makedev(0, 0), .because = "wrong-device",
           .expected = say(g, "%.60s is the character device 0:0", path),
           .kernel = say(g, "it is %s", item_text(g, item)), .see = see_tree);
}

static void check_opaque(struct grade *g, const struct folder *folder, const char *path,
                         bool opaque, const char *what)
{
    const struct item *item = folder_find(folder, path);

    expect(g, item != NULL && S_ISDIR(item->mode), .because = "no-folder",
           .expected = say(g, "the folder \"%.60s\", %s", path, what),
           .kernel = say(g, "it is %s", item_text(g, item)), .see = see_tree);
    expect(g, item->opaque == opaque, .because = opaque ? "not-opaque" : "opaque",
           .expected =
               say(g, "the folder \"%.60s\", %s, is%s opaque", path, what, opaque ? "" : " not"),
           .kernel = say(g, "user.overlay.opaque of it %s", opaque ? "is not \"y\"" : "is \"y\""),
           .see = see_opaque);
}

/* No marker of the archive is unpacked itself. */
static void check_no_markers(struct grade *g, const struct folder *folder)
{
    for (size_t i = 0; i < folder->count; i++) {
        const char *slash = strrchr(folder->list[i].path, '/');
        const char *name = slash != NULL ? slash + 1 : folder->list[i].path;
        expect(g, strncmp(name, ".wh.", 4) != 0, .because = "marker-left",
               .expected = "no name that begins with .wh. is unpacked",
               .kernel =
                   say(g, "%.60s is %s", folder->list[i].path, item_text(g, &folder->list[i])),
               .see = see_tree);
    }
}

static void check_count(struct grade *g, const struct folder *folder, size_t count)
{
    const char *names = "";

    for (size_t i = 0; i < folder->count; i++)
        names = say(g, "%.400s %.40s", names, folder->list[i].path);
    expect(g, folder->count == count + 1, .because = "wrong-count",
           .expected = say(g, "%zu names are unpacked, no more and no less", count),
           .kernel = say(g, "there are %zu:%.110s", folder->count - 1, names), .see = see_tree);
}

/* First the presence: what is no mark is unpacked as it is. */
static void check_plain(struct run *room)
{
    struct grade *g = run_grade(room);
    struct craft *craft = craft_new(g);
    const char *name = grade_word(g, 7), *text = grade_word(g, 20);
    const char *path = say(g, "var/%s", name);
    char *bytes = craft_noise(g, 70000);
    struct blob content = craft_raw(g, bytes, 70000);

    craft_folder(craft, "./var/");
    craft_file(craft, say(g, "./%s", path), text);
    craft_add(craft, &(struct craft_entry){.type = CRAFT_FILE,
                                           .path = "deep/er/script",
                                           .mode = 0750,
                                           .data = bytes,
                                           .size = 70000});
    craft_symlink(craft, "var/link", "../nowhere");
    craft_add(craft, &(struct craft_entry){.type = CRAFT_FIFO, .path = "var/pipe"});
    craft_file(craft, "var/.white", text); /* no mark at all */
    craft_file(craft, "var/.wh", text);
    craft_file(craft, "var/x.wh.y", text);
    struct folder folder = unpacked(room, craft, "a layer without marks");

    check_type(g, &folder, path, S_IFREG, "not-unpacked", "unpacked as a file");
    const struct item *script =
        check_type(g, &folder, "deep/er/script", S_IFREG, "not-unpacked", "unpacked as a file");
    expect(g, strcmp(script->text, content.digest) == 0 && (script->mode & 07777) == 0750,
           .because = "wrong-content",
           .expected = say(g, "deep/er/script: 70000 bytes (%.15s…), mode 750", content.digest),
           .kernel = item_text(g, script), .see = see_tree);
    const struct item *link =
        check_type(g, &folder, "var/link", S_IFLNK, "not-unpacked", "unpacked as a link");
    expect(g, strcmp(link->text, "../nowhere") == 0, .because = "wrong-content",
           .expected = "var/link leads to ../nowhere", .kernel = item_text(g, link),
           .see = see_tree);
    check_type(g, &folder, "var/pipe", S_IFIFO, "not-unpacked", "unpacked as a FIFO");
    check_type(g, &folder, "var/.white", S_IFREG, "not-unpacked", "unpacked: .white is no mark");
    check_type(g, &folder, "var/.wh", S_IFREG, "not-unpacked", "unpacked: .wh alone is no mark");
    check_type(g, &folder, "var/x.wh.y", S_IFREG, "not-unpacked",
               "unpacked: a mark begins with .wh.");
    check_count(g, &folder, 10);
}

static void check_marks(struct run *room)
{
    struct grade *g = run_grade(room);
    struct craft *craft = craft_new(g);
    const char *top = grade_word(g, 6), *old = grade_word(g, 5);
    char *longest = craft_noise(g, 251);

    memset(longest, 'a' + grade_between(g, 0, 25), 251);
    craft_file(craft, say(g, ".wh.%s", top), "");
    craft_folder(craft, "a/");
    craft_file(craft, say(g, "a/.wh.%s", old), "");
    craft_file(craft, say(g, "a/.wh.%s", old), "");
    craft_file(craft, "a/.wh.with space", "");
    craft_file(craft, "a/.wh....", "");
    craft_file(craft, "a/.wh...x", "");
    craft_file(craft, say(g, "a/.wh.%s", longest), "");
    craft_file(craft, "./not/named/.wh.before", "");
    craft_file(craft, "a/.wh..wh.plnk", "");
    craft_file(craft, "a/.wh..wh..opqx", "");
    craft_file(craft, ".wh..wh.aufs", "");
    craft_file(craft, "b/.wh..wh..opq", "");
    craft_folder(craft, "c/");
    craft_file(craft, "c/.wh..wh..opq", "");
    craft_file(craft, "c/own", "own");
    craft_folder(craft, "d/");
    craft_file(craft, "d/own", "own");
    craft_file(craft, "d/.wh..wh..opq", "");
    struct folder folder = unpacked(room, craft, "a layer with whiteouts");

    check_hidden(g, &folder, top, "at the top");
    check_hidden(g, &folder, say(g, "a/%s", old), "in a folder");
    check_no_markers(g, &folder);
    check_hidden(g, &folder, "a/with space", "though its name has a space");
    check_hidden(g, &folder, "a/...", "for three dots are a name like any other");
    check_hidden(g, &folder, "a/..x", "though its name begins with two dots");
    check_hidden(g, &folder, say(g, "a/%s", longest), "though its name is 251 bytes long");
    check_hidden(g, &folder, "not/named/before", "in a folder that the layer does not have");
    check_opaque(g, &folder, "b", true, "which has .wh..wh..opq and nothing else");
    check_opaque(g, &folder, "c", true, "which has .wh..wh..opq before its files");
    check_opaque(g, &folder, "d", true, "which has .wh..wh..opq after its files");
    check_type(g, &folder, "c/own", S_IFREG, "own-lost", "the layer's own file, and stays");
    check_type(g, &folder, "d/own", S_IFREG, "own-lost", "the layer's own file, and stays");
    check_opaque(g, &folder, "a", false, "which has no .wh..wh..opq");
    check_opaque(g, &folder, "", false, "the root, which has none");
    check_count(g, &folder, 15);

    struct craft *all = craft_new(g);
    craft_file(all, "new", "new");
    craft_file(all, "./.wh..wh..opq", "");
    folder = unpacked(room, all, "a layer that replaces all");
    check_opaque(g, &folder, "", true, "the root, which has one");
}

/* Files and links of a name that the same layer hides, in both orders. */
static void add_both(struct craft *craft, struct grade *g, bool first)
{
    const char *tail = first ? "before" : "after";
    static const char *const kinds[] = {"file", "link", "hard"};

    for (size_t i = 0; i < 3; i++) {
        const char *name = say(g, "%s-%s", kinds[i], tail);
        if (first)
            craft_file(craft, say(g, ".wh.%s", name), "");
        if (i == 0)
            craft_file(craft, name, name);
        else if (i == 1)
            craft_symlink(craft, name, "target");
        else
            craft_hard_link(craft, name, "origin");
        if (!first)
            craft_file(craft, say(g, ".wh.%s", name), "");
    }
}

static void check_same_layer(struct run *room)
{
    struct grade *g = run_grade(room);
    struct craft *craft = craft_new(g);
    const char *word = grade_word(g, 6);

    craft_file(craft, "origin", word);
    craft_folder(craft, "target/");
    add_both(craft, g, true);
    add_both(craft, g, false);
    craft_file(craft, "p/.wh.first", "");
    craft_folder(craft, "p/first/");
    craft_file(craft, "p/first/x", word);
    craft_folder(craft, "p/last/");
    craft_file(craft, "p/last/x", word);
    craft_file(craft, "p/.wh.last", "");
    craft_folder(craft, "p/between/");
    craft_file(craft, "p/.wh.between", "");
    craft_file(craft, "p/between/x", word);
    struct folder folder = unpacked(room, craft, "a layer that hides a name and has it, too");

    for (int first = 0; first < 2; first++) {
        const char *tail = first ? "before" : "after";
        const char *what = say(g, "this layer's own, with a whiteout %s it", tail);
        check_type(g, &folder, say(g, "file-%s", tail), S_IFREG, "own-hidden", what);
        check_type(g, &folder, say(g, "link-%s", tail), S_IFLNK, "own-hidden", what);
        check_type(g, &folder, say(g, "hard-%s", tail), S_IFREG, "own-hidden", what);
    }
    static const char *const folders[] = {"p/first", "p/last", "p/between"};
    for (size_t i = 0; i < 3; i++) {
        check_type(g, &folder, folders[i], S_IFDIR, "own-hidden",
                   "this layer's own, with a whiteout of it, too");
        check_type(g, &folder, say(g, "%s/x", folders[i]), S_IFREG, "own-lost",
                   "in a folder of this layer's own");
        check_opaque(g, &folder, folders[i], true, "which this layer hides and has");
    }
    check_opaque(g, &folder, "p", false, "which no whiteout names");
    check_opaque(g, &folder, "target", false, "which only a link leads to");
    check_count(g, &folder, 15);
}

static void check_refused(struct run *room)
{
    struct grade *g = run_grade(room);
    static const char *const names[] = {".wh.", ".wh..", ".wh..."};

    for (size_t i = 0; i < 3; i++) {
        struct craft *craft = craft_new(g);
        const char *name = say(g, "%s%s", grade_random(g, 2) == 0 ? "" : "a/", names[i]);
        craft_file(craft, name, "");
        struct answer answer = image_unpack_into(room, craft, image_folder(room));
        image_refuses(room, &answer, EBADMSG, "no-name",
                      say(g, "the whiteout \"%s\", of no name", names[i]), "image.h, image_apply");
    }
}

static void check_hard_links(struct run *room)
{
    struct grade *g = run_grade(room);
    struct craft *craft = craft_new(g);
    const char *name = grade_word(g, 6);

    craft_file(craft, say(g, "d/%s", name), name);
    craft_hard_link(craft, "at-top", say(g, "d/%s", name));
    craft_hard_link(craft, "d/beside", say(g, "./d/%s", name));
    craft_hard_link(craft, "e/far", say(g, "/d/%s", name));
    craft_symlink(craft, "link", say(g, "d/%s", name));
    craft_hard_link(craft, "same-link", "link");
    craft_file(craft, "twice", "twice");
    craft_hard_link(craft, "twice", say(g, "d/%s", name));
    struct folder folder = unpacked(room, craft, "a layer with hard links");

    const struct item *file =
        check_type(g, &folder, say(g, "d/%s", name), S_IFREG, "not-unpacked", "unpacked as a file");
    const struct item *link =
        check_type(g, &folder, "link", S_IFLNK, "not-unpacked", "unpacked as a link");
    static const char *const names[] = {"at-top", "d/beside", "e/far", "twice"};
    for (size_t i = 0; i < 4; i++) {
        const struct item *other = folder_find(&folder, names[i]);
        expect(g, other != NULL && other->ino == file->ino, .because = "not-linked",
               .expected = say(g, "%s is another name of d/%s, inode %llu", names[i], name,
                               (unsigned long long)file->ino),
               .kernel = say(g, "%s is %s, inode %llu", names[i], item_text(g, other),
                             other != NULL ? (unsigned long long)other->ino : 0),
               .see = "ls -liR; link(2)");
    }
    const struct item *other = folder_find(&folder, "same-link");
    expect(g, other != NULL && other->ino == link->ino, .because = "link-followed",
           .expected = "a hard link to a symbolic link is another name of that link",
           .kernel = say(g, "it is %s", item_text(g, other)), .see = "link(2); linkat(2)");

    craft_hard_link(craft, "dangling", say(g, "d/%s", grade_word(g, 7)));
    struct answer answer = image_unpack_into(room, craft, image_folder(room));
    image_refuses(room, &answer, ENOENT, "dangling", "a hard link to what is not in the archive",
                  "link(2), ERRORS");
}

/* Both layers under each other, as lab 06 mounts them. */
static void check_overlay(struct run *room)
{
    struct grade *g = run_grade(room);
    struct craft *base = craft_new(g), *change = craft_new(g);
    const char *lower = image_folder(room), *upper = image_folder(room);
    const char *merged = image_folder(room), *gone = grade_word(g, 7), *said;

    craft_file(base, "keep", "keep");
    craft_file(base, gone, "gone");
    craft_file(base, "emptied/below", "below");
    craft_file(base, "anew/below/deep", "below");
    craft_file(change, say(g, ".wh.%s", gone), "");
    craft_file(change, "emptied/.wh..wh..opq", "");
    craft_folder(change, "anew/");
    craft_file(change, "anew/fresh", "fresh");
    craft_file(change, ".wh.anew", "");
    struct answer answer = image_unpack_into(room, base, lower);
    image_does(room, &answer, "a first layer", see_tree);
    answer = image_unpack_into(room, change, upper);
    image_does(room, &answer, "a second layer", see_tree);

    struct folder alone = folder_of(room, lower);
    check_type(g, &alone, gone, S_IFREG, "not-unpacked", "there, in the first layer alone");
    const char *const mount[] = {
        "mount",   "-t",   "overlay", "-o", say(g, "lowerdir=%s:%s,userxattr", upper, lower),
        "overlay", merged, NULL};
    int status = outside_run(
        room, &(struct run_options){.program = "/strata/busybox", .arguments = mount}, &said);
    if (status != 0)
        grade_error(g, 0, "no overlay could be mounted: %s", said);
    struct folder both = folder_of(room, merged);
    static const char *const shown[] = {"keep", "emptied", "anew", "anew/fresh"};
    for (size_t i = 0; i < 4; i++)
        expect(g, folder_find(&both, shown[i]) != NULL, .because = "not-shown",
               .expected = say(g, "the overlay of both layers shows %s", shown[i]),
               .kernel = "it does not", .see = "mount -t overlay; overlayfs.rst, whiteouts");
    const char *const hidden[] = {gone, "emptied/below", "anew/below"};
    for (size_t i = 0; i < 3; i++)
        expect(g, folder_find(&both, hidden[i]) == NULL, .because = "still-shown",
               .expected = say(g, "the overlay of both layers hides %s", hidden[i]),
               .kernel = say(g, "it shows %s", item_text(g, folder_find(&both, hidden[i]))),
               .see = "mount -t overlay; overlayfs.rst, whiteouts and opaque directories");
}

void image_stepwhiteouts(struct grade *g)
{
    struct run *room = outside_open(g, false);

    check_plain(room);
    check_marks(room);
    check_same_layer(room);
    check_refused(room);
    check_hard_links(room);
    check_overlay(room);
}
