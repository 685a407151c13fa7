/*
 * Lab 07: images.
 *
 * Each function of the contract can be asked for by an option of the program, without a container.
 * Archives are made by hand (grade/craft.h), for no ordinary tar writes what a hostile one holds,
 * and what became of them is looked at from outside (grade/folder.h): a step passes by what lies in
 * the room afterwards, within the folder and beside it.
 */
#include "graders/07-image.h"

#include <string.h>

struct answer image_ask(struct run *room, const char *const *settings, const char *option,
                        const char *value, const struct blob *blobs, size_t count)
{
    struct grade *g = run_grade(room);
    const char *arguments[16];
    struct room_fd fds[IMAGE_BLOBS];
    size_t used = 0;
    struct answer answer;

    for (; settings != NULL && *settings != NULL && used < 12; settings++)
        arguments[used++] = *settings;
    arguments[used++] = option;
    arguments[used++] = value;
    arguments[used] = NULL;
    for (size_t i = 0; i < count && i < IMAGE_BLOBS; i++)
        fds[i] = (struct room_fd){blobs[i].fd, IMAGE_FD + (int)i};
    answer.status = outside_run(
        room, &(struct run_options){.arguments = arguments, .fds = fds, .fd_count = count},
        &answer.said);
    expect(g, answer.status != REFUSED || strstr(answer.said, "not written yet") == NULL,
           .because = "not-written", .expected = say(g, "an answer to lab07 %s", option),
           .kernel = "the function behind it is not written yet", .see = "labs/07-image/image.h");
    return answer;
}

void image_refuses(struct run *room, const struct answer *answer, int error, const char *because,
                   const char *what, const char *see)
{
    struct grade *g = run_grade(room);
    const char *name = error != 0 ? strerror(error) : "";
    const char *expected = say(g, "%s: refused%s%s", what, error != 0 ? ", " : "", name);

    expect(g, answer->status != 0, .because = because, .expected = expected,
           .kernel = "it was done: exit status 0", .see = see);
    expect(g, answer->status == REFUSED, .because = "crash", .expected = expected,
           .kernel = say(g, "the program ended with status %d", answer->status), .see = see);
    expect(g, strstr(answer->said, name) != NULL, .because = "wrong-error", .expected = expected,
           .kernel = say(g, "refused with another error: %.90s", answer->said), .see = see);
}

void image_does(struct run *room, const struct answer *answer, const char *what, const char *see)
{
    struct grade *g = run_grade(room);

    expect(g, answer->status == 0, .because = "refused",
           .expected = say(g, "%s: exit status 0", what),
           .kernel = say(g, "status %d: %.90s", answer->status, answer->said), .see = see);
}

const char *image_folder(struct run *room)
{
    struct grade *g = run_grade(room);
    const char *path = say(g, "/tmp/%s", grade_word(g, 8));

    outside_do(room, "mkdir %s", path);
    return path;
}

struct answer image_unpack_into(struct run *room, struct craft *craft, const char *folder)
{
    struct blob blob = craft_blob(craft, CRAFT_PLAIN);

    return image_ask(room, NULL, "--unpack", say(run_grade(room), IMAGE_BLOB "=%s", folder), &blob,
                     1);
}

/* --- the steps ------------------------------------------------------------------------------ */

static const struct step steps[] = {
    {.number = 1,
     .slug = "digests",
     .title = "digest and diff_id verified before unpacking",
     .points = 15,
     .needs = NEED_USERNS,
     .chapter = "digests",
     .man = "sha256sum(1); OCI image-spec: descriptor.md, Digests; config.md, Layer DiffID",
     .run = image_stepdigests},
    {.number = 2,
     .slug = "whiteouts",
     .title = "whiteouts applied",
     .points = 20,
     .needs = NEED_USERNS | NEED_OVERLAY,
     .chapter = "whiteouts",
     .man = "OCI image-spec: layer.md, Whiteouts; mknod(2), linkat(2)",
     .run = image_stepwhiteouts},
    {.number = 3,
     .slug = "hostile",
     .title = "a hostile tar writes nothing outside",
     .points = 25,
     .needs = NEED_USERNS | NEED_OVERLAY,
     .after = {2},
     .chapter = "hostile",
     .man = "openat2(2), path_resolution(7), symlink(7)",
     .run = image_stephostile},
    {.number = 4,
     .slug = "store",
     .title = "stored by digest, shared once, crash-safe",
     .points = 25,
     .needs = NEED_USERNS,
     .after = {1},
     .chapter = "store",
     .man = "fsync(2), rename(2), open(2)",
     .run = image_stepstore},
    {.number = 5,
     .slug = "waste",
     .title = "history and wasted bytes",
     .points = 15,
     .needs = NEED_USERNS,
     .chapter = "waste",
     .man = "OCI image-spec: layer.md; image_size, image_waste in image.h",
     .run = image_stepwaste},
    {.number = 6,
     .slug = "cache",
     .title = "build cache: which steps hit",
     .points = 10,
     .more = true,
     .needs = NEED_USERNS,
     .after = {1, 2, 3, 4},
     .chapter = "cache",
     .man = "sha256sum(1); image_cache_key in image.h",
     .run = image_stepcache},
};

LAB(.name = "07-image", .title = "images", .steps = steps, .count = sizeof steps / sizeof *steps);
