/* Lab 07, step 1: a layer is what its two digests say, or it is not touched. */
#include "graders/07-image.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

static const char see_digest[] = "sha256sum FILE, then lab07 --digest FILE";
static const char see_layer[] =
    "lab07 --check-layer FILE=DIGEST=DIFF_ID; sha256sum FILE; zcat FILE | sha256sum";

static void check_digest(struct run *room, size_t size, const char *what)
{
    struct grade *g = run_grade(room);
    struct blob blob = craft_raw(g, craft_noise(g, size), size);
    struct answer answer = image_ask(room, NULL, "--digest", IMAGE_BLOB, &blob, 1);

    image_does(room, &answer, say(g, "the digest of %s", what), see_digest);
    expect(g, strcmp(answer.said, say(g, "%s\n", blob.digest)) == 0, .because = "wrong-digest",
           .expected = say(g, "the digest of %s, %zu bytes: %.20s…", what, size, blob.digest),
           .kernel = say(g, "image_digest says %.80s", answer.said), .see = see_digest);
}

static struct answer check_layer(struct run *room, const struct blob *blob, const char *digest,
                                 const char *diff_id)
{
    struct grade *g = run_grade(room);

    return image_ask(room, NULL, "--check-layer", say(g, IMAGE_BLOB "=%s=%s", digest, diff_id),
                     blob, 1);
}

/* ... with another hexadecimal digit at this place. */
static const char *mistaken(struct grade *g, const char *digest, size_t place)
{
    static const char digits[] = "0123456789abcdef";
    size_t at = strlen("sha256:") + place;
    const char *digit = strchr(digits, digest[at]);

    return say(g, "%.*s%c%s", (int)at, digest, digits[(digit - digits + 1) % 16], digest + at + 1);
}

/* `size` bytes of content: the archive is 2048 bytes longer, when they fill its records. */
static struct blob layer(struct grade *g, enum craft_coding coding, size_t size)
{
    struct craft *craft = craft_new(g);

    craft_folder(craft, "srv/");
    craft_add(craft, &(struct craft_entry){.type = CRAFT_FILE,
                                           .path = say(g, "srv/%s", grade_word(g, 6)),
                                           .data = craft_noise(g, size),
                                           .size = size});
    return craft_blob(craft, coding);
}

static void check_wrong(struct run *room, const struct blob *blob)
{
    struct grade *g = run_grade(room);
    const size_t places[] = {grade_random(g, 56), 63}; /* 64 characters are not all of a digest */
    struct answer answer;

    for (size_t i = 0; i < 2; i++) {
        const char *in = i == 0 ? "" : ", but for the last digit the same";
        answer = check_layer(room, blob, mistaken(g, blob->digest, places[i]), blob->diff_id);
        image_refuses(room, &answer, EBADMSG, "digest-believed",
                      say(g, "a layer with the digest of another blob%s", in), see_layer);
        answer = check_layer(room, blob, blob->digest, mistaken(g, blob->diff_id, places[i]));
        image_refuses(room, &answer, EBADMSG, "diff-id-believed",
                      say(g, "a layer with the diff_id of another%s", in), see_layer);
    }
    if (strcmp(blob->digest, blob->diff_id) == 0)
        return;
    answer = check_layer(room, blob, blob->diff_id, blob->digest);
    image_refuses(room, &answer, EBADMSG, "exchanged", "digest and diff_id exchanged", see_layer);
    answer = check_layer(room, blob, blob->digest, blob->digest);
    image_refuses(room, &answer, EBADMSG, "exchanged", "the digest in place of the diff_id",
                  see_layer);
    answer = check_layer(room, blob, blob->diff_id, blob->diff_id);
    image_refuses(room, &answer, EBADMSG, "exchanged", "the diff_id in place of the digest",
                  see_layer);
}

/* A compressed layer, and then the beginning of another one. Its plain bytes are those of the
 * first, and an error. (They fill the decompressors' blocks, so that none is lost by it.) */
static void check_broken_off(struct run *room, enum craft_coding coding)
{
    struct grade *g = run_grade(room);
    struct blob whole = layer(g, coding, ((size_t)128 << 10) - 2048);
    size_t more = (size_t)grade_between(g, 40, 400);
    char *bytes = craft_noise(g, whole.size + more);

    if (pread(whole.fd, bytes, whole.size, 0) != (ssize_t)whole.size ||
        pread(whole.fd, bytes + whole.size, more, 0) != (ssize_t)more)
        grade_error(g, -errno, "cannot read an archive");
    struct blob broken = craft_raw(g, bytes, whole.size + more);
    struct answer answer = check_layer(room, &broken, broken.digest, whole.diff_id);
    image_refuses(room, &answer, EBADMSG, "broken-off",
                  "a compressed layer that breaks off after the last file",
                  "given_tar.h, plain_read: what it returns at the end, and what on an error");
}

/* 32 GiB of zeros in a few megabytes, and not what was promised. Who decompresses first is at it
 * for long, and has spent his two seconds of processor time by then. */
static void check_order(struct run *room, const struct blob *other)
{
    static const char script[] = "ulimit -t 2; exec /strata/lab07 --check-layer \"$1\" 2>&1";
    struct grade *g = run_grade(room);
    struct blob bomb = craft_bomb(g, "zeros", (uint64_t)32 << 30);
    const char *what = say(g, IMAGE_BLOB "=%s=%s", other->digest, other->diff_id);
    const char *const arguments[] = {"sh", "-c", script, "sh", what, NULL};
    const struct room_fd fds[] = {{bomb.fd, IMAGE_FD}};
    struct answer answer;

    answer.status = outside_run(
        room,
        &(struct run_options){
            .program = "/strata/busybox", .arguments = arguments, .fds = fds, .fd_count = 1},
        &answer.said);
    expect(g, answer.status < 128, .because = "decompressed-first",
           .expected = "a blob with a wrong digest is refused before it is decompressed",
           .kernel = say(g, "after 2 s of decompressing 32 GiB it had to be ended: status %d",
                         answer.status),
           .see = "image.h, image_verify_layer: which of the two comes first?");
    image_refuses(room, &answer, EBADMSG, "digest-believed",
                  "a layer with the digest of another blob", see_layer);
}

/* A folder can be opened for reading, and not be read. */
static void check_unreadable(struct run *room)
{
    struct answer answer = image_ask(room, NULL, "--digest", "/tmp", NULL, 0);

    image_refuses(room, &answer, 0, "unreadable", "the digest of a folder, which cannot be read",
                  "read(2), ERRORS; lab07 --digest /");
}

/* What is no digest at all, put in the place of either. */
static void check_malformed(struct run *room, const struct blob *blob)
{
    struct grade *g = run_grade(room);
    const char *d = blob->digest, *hex = strchr(d, ':') + 1;
    char *upper = craft_noise(g, 128);

    for (size_t i = 0; i <= strlen(d); i++)
        upper[i] = i < 7 ? d[i] : (char)toupper(d[i]);
    const struct {
        const char *text, *what;
    } cases[] = {
        {upper, "upper-case digits"},
        {say(g, "sha512:%s%s", hex, hex), "another algorithm"},
        {say(g, "sha512:%s", hex), "another algorithm's name"},
        {say(g, "%s", hex), "no algorithm"},
        {say(g, "%.70s", d), "63 digits"},
        {say(g, "%s0", d), "65 digits"},
        {say(g, "%.70sg", d), "a digit that is none"},
        {say(g, "%.70s ", d), "a space in place of a digit"},
        {say(g, "SHA256:%s", hex), "the algorithm in capitals"},
        {say(g, "sha256:0x%.62s", hex), "0x before the digits"},
        {say(g, "sha256:%c%.63s", '+', hex), "a sign before the digits"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool first = grade_random(g, 2) == 0;
        struct answer answer = check_layer(room, blob, first ? cases[i].text : d,
                                           first ? blob->diff_id : cases[i].text);
        image_refuses(room, &answer, EINVAL, "malformed",
                      say(g, "%s with %s", first ? "a digest" : "a diff_id", cases[i].what),
                      "image.h, IMAGE_DIGEST; image-spec, descriptor.md: Registered algorithms");
    }
}

void image_stepdigests(struct grade *g)
{
    static const enum craft_coding codings[] = {CRAFT_PLAIN, CRAFT_GZIP, CRAFT_ZSTD};
    static const char *const names[] = {"a plain layer", "a layer in gzip", "a layer in zstd"};
    struct run *room = outside_open(g, false);

    check_digest(room, 0, "an empty file");
    check_digest(room, (size_t)grade_between(g, 1, 130), "a short file");
    check_digest(room, (size_t)64 * (size_t)grade_between(g, 60, 70), "a longer file");
    check_digest(room, (size_t)grade_between(g, 300000, 900000), "a large file");
    check_unreadable(room);
    for (size_t i = 0; i < 3; i++) {
        struct blob blob = layer(g, codings[i], (size_t)grade_between(g, 3000, 90000));
        struct answer answer = check_layer(room, &blob, blob.digest, blob.diff_id);
        image_does(room, &answer, say(g, "%s with its digest and its diff_id", names[i]),
                   see_layer);
        check_wrong(room, &blob);
        if (codings[i] != CRAFT_PLAIN)
            check_broken_off(room, codings[i]);
        if (i == 1)
            check_malformed(room, &blob);
        if (i == 2)
            check_order(room, &blob);
    }
}
