/* Lab 07, step 3: what an archive may cost, in bytes, names and fds; and where its paths lead. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "graders/07-image-hostile.h"

/* --- what it may cost ----------------------------------------------------------------------- */

static void check_limit(struct run *room, struct blob *blob, uint64_t bytes, uint64_t entries,
                        int error, const char *what)
{
    struct grade *g = run_grade(room);
    const char *path = image_folder(room);
    const char *const settings[] = {"--max-bytes", say(g, "%llu", (unsigned long long)bytes),
                                    "--max-entries", say(g, "%llu", (unsigned long long)entries),
                                    NULL};
    struct answer answer =
        image_ask(room, settings, "--unpack", say(g, IMAGE_BLOB "=%s", path), blob, 1);
    struct folder folder = folder_of(room, path);
    const char *see = say(g, "lab07 --max-bytes %llu --max-entries %llu --unpack …",
                          (unsigned long long)bytes, (unsigned long long)entries);

    expect(g, folder_bytes(&folder) <= bytes, .because = "over-bytes",
           .expected =
               say(g, "%s: no more than %llu bytes are written", what, (unsigned long long)bytes),
           .kernel = say(g, "over the limit: %llu bytes lie in the folder",
                         (unsigned long long)folder_bytes(&folder)),
           .see = see);
    expect(g, folder.count <= entries + 1, .because = "over-entries",
           .expected =
               say(g, "%s: no more than %llu names are made", what, (unsigned long long)entries),
           .kernel = say(g, "over the limit: %zu names are there", folder.count - 1), .see = see);
    if (error != 0)
        image_refuses(room, &answer, error, "over-limit", what, see);
    else
        image_does(room, &answer, what, see);
}

/* All kinds of entries count, and the last one is a file. */
static void check_kinds(struct run *room)
{
    struct grade *g = run_grade(room);
    struct craft *craft = craft_new(g);

    craft_folder(craft, "folder/");
    craft_file(craft, "folder/file", "");
    craft_hard_link(craft, "folder/hard", "folder/file");
    craft_symlink(craft, "folder/soft", "file");
    craft_add(craft, &(struct craft_entry){.type = CRAFT_FIFO, .path = "folder/pipe"});
    craft_file(craft, ".wh.gone", "");
    craft_file(craft, "folder/.wh..wh..opq", "");
    craft_file(craft, "last", "");
    struct blob blob = craft_blob(craft, CRAFT_GZIP);
    check_limit(room, &blob, 0, 8, 0, "eight entries of all kinds, and no more allowed");
    check_limit(room, &blob, 0, 7, EFBIG, "eight entries of all kinds, one more than allowed");
}

/* What a header claims counts, more of it than fits into 32 bits, too: before anything is read. */
static void check_claim(struct run *room)
{
    struct grade *g = run_grade(room);
    struct craft *craft = craft_new(g);
    uint64_t size = (UINT64_C(1) << 32) + (uint64_t)grade_between(g, 1, 900);

    craft_add(craft, &(struct craft_entry){
                         .type = CRAFT_FILE, .path = "huge", .size = 1000, .claimed = size});
    struct blob blob = craft_blob(craft, CRAFT_PLAIN);
    check_limit(room, &blob, 1000, 10, EFBIG, "a header that claims a file of more than 4 GiB");
}

/* A header that tells of more than the archive has. */
static void check_cut(struct run *room)
{
    struct grade *g = run_grade(room);
    struct craft *craft = craft_new(g);

    craft_add(craft, &(struct craft_entry){.type = CRAFT_FILE,
                                           .path = "cut",
                                           .size = 1000,
                                           .claimed = (uint64_t)grade_between(g, 5000, 900000)});
    struct answer answer = image_unpack_into(room, craft, image_folder(room));
    image_refuses(room, &answer, EBADMSG, "cut", "a file that ends before its size is reached",
                  "given_tar.h, tar_make");
}

void image_check_limits(struct run *room)
{
    struct grade *g = run_grade(room);
    struct craft *craft = craft_new(g);
    size_t sizes[5], total = 0;
    int count = grade_between(g, 20, 40);

    for (size_t i = 0; i < 5; i++) {
        sizes[i] = (size_t)grade_between(g, 1, 9000);
        total += sizes[i];
        craft_zeros(craft, say(g, "file-%zu", i), sizes[i]);
    }
    craft_hard_link(craft, "name", "file-0");
    struct blob blob = craft_blob(craft, CRAFT_GZIP);
    check_limit(room, &blob, total, 100, 0,
                say(g, "%zu bytes in five files, and no more allowed", total));
    check_limit(room, &blob, total - 1, 100, EFBIG,
                say(g, "%zu bytes in five files, one more than allowed", total));
    check_limit(room, &blob, sizes[0] + sizes[1], 100, EFBIG, "five files, room for two");
    check_limit(room, &blob, total, 6, 0, "six entries, and no more allowed");
    check_limit(room, &blob, total, 5, EFBIG, "six entries, one more than allowed");

    craft = craft_new(g);
    for (int i = 0; i < count; i++)
        craft_file(craft, say(g, "%s%d", i % 2 == 0 ? "" : ".wh.", i), "");
    blob = craft_blob(craft, CRAFT_ZSTD);
    check_limit(room, &blob, 0, (uint64_t)count, 0, "empty files and whiteouts, no byte allowed");
    check_limit(room, &blob, 100, (uint64_t)count - 1, EFBIG,
                "one entry more than allowed, a whiteout among them");
    check_kinds(room);
    check_claim(room);
    check_cut(room);
    struct blob bomb = craft_bomb(g, "zeros", (uint64_t)10 << 30);
    check_limit(room, &bomb, (uint64_t)grade_between(g, 100, 900) << 10, 100, EFBIG,
                "10 GiB of zeros in some kilobytes");
}

/* With only a few fds to be had: each that is forgotten to be closed is one less. */
static void check_few_fds(struct run *room, struct craft *craft, const char *what)
{
    static const char script[] = "ulimit -n 48; exec /strata/lab07 --unpack \"$1\" 2>&1";
    struct grade *g = run_grade(room);
    struct blob blob = craft_blob(craft, CRAFT_PLAIN);
    const char *const arguments[] = {
        "sh", "-c", script, "sh", say(g, IMAGE_BLOB "=%s", image_folder(room)), NULL};
    const struct room_fd fds[] = {{blob.fd, IMAGE_FD}};
    const char *said;
    int status = outside_run(
        room,
        &(struct run_options){
            .program = "/strata/busybox", .arguments = arguments, .fds = fds, .fd_count = 1},
        &said);
    expect(g, status == 0, .because = "fds-left-open",
           .expected = say(g, "%s, unpacked by a program that may open 48 at a time", what),
           .kernel = say(g, "status %d: %.90s", status, said),
           .see = "ulimit -n 48; lab07 --unpack …; ls -l /proc/PID/fd");
}

void image_check_few_fds(struct run *room)
{
    struct grade *g = run_grade(room);
    struct craft *craft = craft_new(g);

    for (int i = 0; i < 60; i++)
        craft_file(craft, say(g, "a/b/c%d/d/file", i % 7), "text");
    check_few_fds(room, craft, "60 files");
    for (int i = 0; i < 60; i++) {
        craft_hard_link(craft, say(g, "a/name%d", i), "a/b/c0/d/file");
        craft_folder(craft, say(g, "a/own%d/", i)); /* it and its whiteout, in both orders, ... */
        craft_file(craft, say(g, "a/.wh.own%d", i), "");
        craft_file(craft, say(g, "a/.wh.new%d", i), "");
        craft_folder(craft, say(g, "a/new%d/", i));
        craft_file(craft, say(g, "a/.wh.way%d", i), ""); /* ... and on the way */
        craft_file(craft, say(g, "a/way%d/file", i), "text");
    }
    check_few_fds(room, craft, "60 files, links, whiteouts and folders");
}

/* --- where image_place says ----------------------------------------------------------------- */

struct place_case {
    const char *path;
    int error;
    const char *folder, *name; /* where it is, below the root */
};

static void check_place(struct run *room, const char *root, const struct place_case *c)
{
    struct grade *g = run_grade(room);
    struct answer answer =
        image_ask(room, NULL, "--place", say(g, "%s=%s", root, c->path), NULL, 0);
    const char *what = say(g, "the place of \"%.40s\"", c->path);
    const char *see = say(g, "lab07 --place /tmp/x=%.40s; stat -c '%%d %%i' /tmp/x", c->path);

    if (c->error != 0) {
        image_refuses(room, &answer, c->error, "place-allowed", what, see);
        return;
    }
    image_does(room, &answer, what, see);
    struct folder below = folder_of(room, root);
    const struct item *folder = folder_find(&below, c->folder);
    expect(g, folder != NULL && S_ISDIR(folder->mode) && (folder->mode & 07777) == 0755,
           .because = "no-folder",
           .expected = say(g, "%s: the folder \"%s\" below the root, mode 755", what, c->folder),
           .kernel = say(g, "there it is %s", item_text(g, folder)), .see = see);
    const char *wanted = say(g, "%llu %llu %s\n", (unsigned long long)folder->dev,
                             (unsigned long long)folder->ino, c->name);
    expect(g, strcmp(answer.said, wanted) == 0, .because = "wrong-place",
           .expected = say(g, "%s: device, inode and name %s", what, wanted),
           .kernel = say(g, "it is another: %.80s", answer.said), .see = see);
}

/* What a place was asked for is not made by asking. */
static void check_not_made(struct run *room, const char *root, const char *name)
{
    struct grade *g = run_grade(room);
    struct folder folder = folder_of(room, root);

    for (size_t i = 0; i < folder.count; i++) {
        const char *slash = strrchr(folder.list[i].path, '/');
        const char *last = slash != NULL ? slash + 1 : folder.list[i].path;
        expect(g, strcmp(last, name) != 0, .because = "made-too-much",
               .expected = say(g, "the folders on the way to %s are made, and not %s", name, name),
               .kernel =
                   say(g, "there is %.60s, %s", folder.list[i].path, item_text(g, &folder.list[i])),
               .see = say(g, "lab07 --place /tmp/x=%s/; ls -R /tmp/x", name));
    }
}

void image_check_places(struct run *room)
{
    struct grade *g = run_grade(room);
    const char *root = image_folder(room), *name = grade_word(g, 6), *a = grade_word(g, 4);

    outside_do(room, "mkdir %s/%s", root, a);
    outside_do(room, "symlink %s/link %s", root, a);
    outside_do(room, "write %s/file text", root);
    const struct place_case places[] = {
        {name, 0, "", name},
        {say(g, "./%s/", name), 0, "", name},
        {say(g, "//%s/.//%s/./", a, name), 0, a, name},
        {say(g, "new/er/%s", name), 0, "new/er", name},
        {say(g, "..%s/%s", a, name), 0, say(g, "..%s", a), name},
        {"link", 0, "", "link"},
        {"file", 0, "", "file"},
        {"./", 0, "", "."},
        {"/", 0, "", "."},
        {"", ENOENT, NULL, NULL},
        {"..", EXDEV, NULL, NULL},
        {say(g, "%s/..", a), EXDEV, NULL, NULL},
        {say(g, "new/../%s", name), EXDEV, NULL, NULL},
        {say(g, "link/%s", name), ELOOP, NULL, NULL},
        {say(g, "file/%s", name), ENOTDIR, NULL, NULL},
    };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        size_t mark = grade_deferred(g);
        check_place(room, root, &places[i]);
        grade_undo(g, mark);
    }
    check_not_made(room, root, name);
}
