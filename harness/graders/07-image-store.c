/*
 * Lab 07, step 4: a blob is called by its digest, stored once, and there whole or not at all.
 *
 * The store is a file system of its own, a small tmpfs, so that it can be full. What it holds is
 * read from outside; 07-image-crash.c has what may never be seen in it, not for an instant.
 */
#include "graders/07-image.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const char see_put[] = "lab07 --store S --put FILE; find S -type f | xargs sha256sum";

const char *image_store(struct run *room, const char *size)
{
    struct grade *g = run_grade(room);
    const char *path = image_folder(room), *said;
    const char *const mount[] = {"mount", "-t", "tmpfs", "-o", say(g, "size=%s", size),
                                 "tmpfs", path, NULL};

    if (outside_run(room, &(struct run_options){.program = "/strata/busybox", .arguments = mount},
                    &said) != 0)
        grade_error(g, 0, "no file system for a store: %s", said);
    return path;
}

struct blob image_content(struct grade *g, int low, int high)
{
    size_t size = (size_t)grade_between(g, low, high);

    return craft_raw(g, craft_noise(g, size), size);
}

struct answer image_put_into(struct run *room, const char *store, const struct blob *blob,
                             const char *expected)
{
    struct grade *g = run_grade(room);
    const char *const settings[] = {"--store", store, NULL};

    return image_ask(room, settings, "--put",
                     expected != NULL ? say(g, IMAGE_BLOB "=%s", expected) : IMAGE_BLOB, blob, 1);
}

const char *image_blob_path(struct grade *g, const char *digest)
{
    return say(g, "blobs/sha256/%s", digest + strlen("sha256:"));
}

/* All files in blobs/ are what they are called, and so many; tmp/ is empty. */
void image_check_blobs(struct run *room, const char *store, size_t count, const char *when)
{
    struct grade *g = run_grade(room);
    struct folder folder = folder_of(room, store);
    size_t found = 0;

    for (size_t i = 0; i < folder.count; i++) {
        const struct item *item = &folder.list[i];
        if (strncmp(item->path, "blobs/sha256/", 13) == 0) {
            found++;
            expect(g,
                   S_ISREG(item->mode) && strncmp(item->text, "sha256:", 7) == 0 &&
                       strcmp(item->text + 7, item->path + 13) == 0,
                   .because = "not-its-name",
                   .expected = say(g, "%s: each file in blobs/sha256 is what its name says", when),
                   .kernel = say(g, "%.24s… is %s", item->path, item_text(g, item)),
                   .see = see_put);
        }
        expect(g, strncmp(item->path, "tmp/", 4) != 0, .because = "left-behind",
               .expected = say(g, "%s: nothing is left in tmp/", when),
               .kernel = say(g, "%.60s is %s", item->path, item_text(g, item)), .see = see_put);
    }
    expect(g, found == count, .because = "wrong-count",
           .expected = say(g, "%s: %zu blobs in blobs/sha256", when, count),
           .kernel = say(g, "there are %zu", found), .see = see_put);
}

/* --- put ------------------------------------------------------------------------------------ */

/* Stores it, which must work, and looks at it. */
void image_stored(struct run *room, const char *store, const struct blob *blob,
                  const char *expected, const char *what)
{
    struct grade *g = run_grade(room);
    struct answer answer = image_put_into(room, store, blob, expected);
    const char *path = image_blob_path(g, blob->digest);

    image_does(room, &answer, what, see_put);
    struct folder folder = folder_of(room, store);
    const struct item *item = folder_find(&folder, path);
    expect(g, item != NULL && S_ISREG(item->mode), .because = "not-stored",
           .expected = say(g, "%s: the file %.30s…", what, path),
           .kernel = say(g, "there is %s", item_text(g, item)), .see = see_put);
    expect(g, strcmp(item->text, blob->digest) == 0, .because = "not-its-name",
           .expected = say(g, "%s: %zu bytes (%.15s…)", what, blob->size, blob->digest),
           .kernel = say(g, "stored otherwise: %s", item_text(g, item)), .see = see_put);
    expect(g, strcmp(answer.said, say(g, "%s\n", blob->digest)) == 0, .because = "wrong-digest",
           .expected = say(g, "%s: image_put says %.24s…", what, blob->digest),
           .kernel = say(g, "it says %.80s", answer.said), .see = see_put);
}

static void check_put(struct run *room, const char *store)
{
    struct grade *g = run_grade(room);
    struct blob first = image_content(g, 30000, 90000), second = image_content(g, 1, 4000);
    struct blob empty = craft_raw(g, "", 0), other = image_content(g, 1000, 9000);

    image_stored(room, store, &first, NULL, "a file that is put into the store");
    image_stored(room, store, &second, second.digest, "a file whose digest was expected");
    image_stored(room, store, &empty, NULL, "an empty file");
    image_check_blobs(room, store, 3, "after three files");

    struct folder before = folder_of(room, say(g, "%s/blobs", store));
    image_stored(room, store, &first, NULL, "a file that is in the store already");
    image_stored(room, store, &first, first.digest, "the same, and expected");
    struct folder after = folder_of(room, say(g, "%s/blobs", store));
    const struct item *then = folder_find(&before, image_blob_path(g, first.digest) + 6);
    const struct item *now = folder_find(&after, image_blob_path(g, first.digest) + 6);
    expect(g,
           then->ino == now->ino && then->modified == now->modified &&
               then->changed == now->changed,
           .because = "written-again",
           .expected = say(g, "a blob that is there is left as it is, inode %llu",
                           (unsigned long long)then->ino),
           .kernel = say(g, "it was written again: inode %llu%s", (unsigned long long)now->ino,
                         then->ino == now->ino ? ", with a new time" : ""),
           .see = "stat S/blobs/sha256/*, before and after a second lab07 --put");
    image_check_blobs(room, store, 3, "after one of them twice more");

    char nearly[72];
    snprintf(nearly, sizeof nearly, "%s", other.digest);
    nearly[70] = nearly[70] == '0' ? '1' : '0';
    const char *const expected[] = {first.digest, nearly};
    for (size_t i = 0; i < 2; i++) {
        struct answer answer = image_put_into(room, store, &other, expected[i]);
        image_refuses(room, &answer, EBADMSG, "expected-ignored",
                      i == 0 ? "a file that is not what was expected"
                             : "a file that is not what was expected, but for the last digit",
                      see_put);
    }
    image_check_blobs(room, store, 3, "after a file that is not what was expected");
}

/* --- a full disk ---------------------------------------------------------------------------- */

static void check_full(struct run *room)
{
    struct grade *g = run_grade(room);
    const char *store = image_store(room, "400k");
    struct blob small = image_content(g, 20000, 60000), large = image_content(g, 420000, 900000);

    image_stored(room, store, &small, NULL, "a file that fits");
    struct answer answer = image_put_into(room, store, &large, NULL);
    image_refuses(room, &answer, ENOSPC, "no-room", "a file for which the disk has no room",
                  "write(2): what it returns; df S");
    image_check_blobs(room, store, 1, "after a file for which the disk has no room");
    struct blob next = image_content(g, 100000, 200000);
    image_stored(room, store, &next, NULL, "a file that fits, after one that did not");

    const char *const settings[] = {"--store", store, NULL};
    answer = image_ask(room, settings, "--put", "/tmp", NULL, 0);
    /* Which error that is depends on how it is copied: sendfile(2) has another one. */
    image_refuses(room, &answer, 0, "unreadable", "a folder, which cannot be read",
                  "read(2), ERRORS");
    image_check_blobs(room, store, 2, "after a folder was refused");
}

/* --- a disk that does not take what it was given ------------------------------------------- */

/* Whoever does not ask what became of his fsync promises what is not so. For a file that is synced
 * by a call; with O_DSYNC it is by each write, and so it has its name. */
static void check_unsynced(struct run *room)
{
    struct grade *g = run_grade(room);
    const char *store = image_store(room, "16m");
    struct blob first = image_content(g, 10, 60), blob = image_content(g, 20000, 60000);
    const char *const arguments[] = {"--start-with", "nosync", "/strata/lab07", "--store",
                                     store,          "--put",  IMAGE_BLOB,      NULL};
    const struct room_fd fds[] = {{blob.fd, IMAGE_FD}};
    struct answer answer;

    image_stored(room, store, &first, NULL, "a first file");
    answer.status = outside_run(room,
                                &(struct run_options){.program = "/strata/probe",
                                                      .arguments = arguments,
                                                      .fds = fds,
                                                      .fd_count = 1,
                                                      .together = true},
                                &answer.said);
    image_refuses(room, &answer, 0, "unsynced", "a file that cannot be fsynced (an error, EIO)",
                  "fsync(2), RETURN VALUE");
    struct folder folder = folder_of(room, store);
    const struct item *item = folder_find(&folder, image_blob_path(g, blob.digest));
    expect(g, item == NULL, .because = "unsynced",
           .expected = "a file that cannot be fsynced gets no name in blobs/sha256",
           .kernel = say(g, "it has: %s", item_text(g, item)), .see = "fsync(2), RETURN VALUE");
    image_check_blobs(room, store, 1, "after a file that could not be fsynced");
}

/* --- open ----------------------------------------------------------------------------------- */

static struct answer open_to(struct run *room, const char *store, const char *digest,
                             const char *target)
{
    struct grade *g = run_grade(room);
    static const char script[] = "out=$1; shift; exec \"$@\" 2>&1 >\"$out\"";
    const char *const arguments[] = {"sh",      "-c",  script,   "sh",   target, "/strata/lab07",
                                     "--store", store, "--open", digest, NULL};
    struct answer answer;

    answer.status = outside_run(
        room, &(struct run_options){.program = "/strata/busybox", .arguments = arguments},
        &answer.said);
    expect(g, strstr(answer.said, "not written yet") == NULL, .because = "not-written",
           .expected = "an answer to lab07 --open", .kernel = "image_open is not written yet",
           .see = "labs/07-image/image.h");
    return answer;
}

/* For reading is not for reading and writing. */
static void check_read_only(struct run *room, const char *store, const char *digest)
{
    static const char *const options[] = {"remount,ro", "remount,rw"};
    struct grade *g = run_grade(room);
    const char *said;

    for (size_t i = 0; i < 2; i++) {
        const char *const mount[] = {"mount",    "-t",    "tmpfs", "-o",
                                     options[i], "tmpfs", store,   NULL};
        if (outside_run(room,
                        &(struct run_options){.program = "/strata/busybox", .arguments = mount},
                        &said) != 0)
            grade_error(g, 0, "a file system cannot be mounted anew: %s", said);
        if (i == 1)
            break;
        struct answer answer = open_to(room, store, digest, "/dev/null");
        image_does(room, &answer, "a blob of a store that is mounted read-only, opened",
                   "image.h, image_open: for reading; open(2), EROFS");
    }
}

static void check_open(struct run *room, const char *store)
{
    struct grade *g = run_grade(room);
    struct blob blob = image_content(g, 30000, 90000), missing = image_content(g, 10, 20);
    const char *out = image_folder(room), *digest = blob.digest;
    const char *secret = say(g, "%s%s", grade_word(g, 30), grade_word(g, 28));

    image_stored(room, store, &blob, NULL, "a file that is put into the store");
    struct answer answer = open_to(room, store, digest, say(g, "%s/copy", out));
    struct folder folder = folder_of(room, out);
    const struct item *copy = folder_find(&folder, "copy");
    image_does(room, &answer, "a blob that is in the store, opened", "lab07 --store S --open D");
    expect(g, copy != NULL && strcmp(copy->text, digest) == 0, .because = "wrong-content",
           .expected = say(g, "its %zu bytes can be read (%.15s…)", blob.size, digest),
           .kernel = say(g, "what was read is %s", item_text(g, copy)),
           .see = "lab07 --store S --open D | sha256sum");
    check_read_only(room, store, digest);
    answer = open_to(room, store, missing.digest, "/dev/null");
    image_refuses(room, &answer, ENOENT, "missing", "a digest that is not in the store",
                  "lab07 --store S --open D");

    /* 64 bytes that lead to a file. */
    outside_do(room, "write %s/%s secret", store, secret);
    const struct {
        const char *text, *what;
    } cases[] = {
        {say(g, "sha256:../../%s", secret), "64 bytes, a path that leads to a file"},
        {"sha256:../../../etc/passwd", "a path to another file"},
        {say(g, "sha256:%s/../%s", digest + 7, digest + 7), "a path to the blob itself"},
        {say(g, "sha256:./%s", digest + 7), "another path to the blob itself"},
        {"sha256:", "no digits at all"},
        {say(g, "sha256/%s", digest + 7), "a slash for the colon"},
        {say(g, "%s", digest + 7), "the digits alone"},
        {say(g, "sha512:%s", digest + 7), "another algorithm"},
        {say(g, "%s\n", digest), "a line feed behind it"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        answer = open_to(room, store, cases[i].text, "/dev/null");
        image_refuses(room, &answer, EINVAL, "no-digest", say(g, "no digest: %s", cases[i].what),
                      "image.h, image_open: a digest becomes a file name");
    }
}

void image_stepstore(struct grade *g)
{
    struct run *room = outside_open(g, false);
    const char *store = image_store(room, "16m");

    check_put(room, store);
    check_open(room, store);
    bool by_call = image_check_crashes(room);
    size_t mark = grade_deferred(g);
    check_full(room);
    grade_undo(g, mark);
    if (by_call)
        check_unsynced(room);
}
