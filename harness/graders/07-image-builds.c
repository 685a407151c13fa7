/*
 * Lab 07, step 6: builds, and which of their instructions hit.
 *
 * What a RUN makes here is different each time. So a layer that is the same as before was taken
 * from the cache, and one that is another was made anew: the store's manifests say which, and no
 * printed word is asked.
 */
#include "graders/07-image-cache.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "graders/07-image.h"

#define FOLDER "/tmp/site"
#define STORE  "/tmp/built"
#define SEE    "lab07 --build FOLDER=NAME, change a file of FOLDER, and build again"

/* What RUN does: a file with something in it that nobody knows before. */
#define CAST "RUN read u </proc/sys/kernel/random/uuid; echo $u >"

enum { LAYERS_MAX = 12 };

struct built {
    const char *layers[LAYERS_MAX]; /* digests, the lowest first */
    size_t count;
};

/* The JSON of a blob, or of the store's index. */
static json_t *json_at(struct run *room, const char *path)
{
    struct grade *g = run_grade(room);
    const char *text = outside_do(room, "read " STORE "/%s", path);
    json_t *json = json_loads(text, 0, NULL);

    if (json == NULL)
        grade_error(g, 0, "no JSON in the store: %s: %.80s", path, text);
    return json;
}

/* The digest of the image `name`, by the index. */
static const char *find_image(struct run *room, const char *name)
{
    struct grade *g = run_grade(room);
    json_t *index = json_at(room, "index.json"), *entry;
    const char *digest = NULL;
    size_t i;

    json_array_foreach(json_object_get(index, "manifests"), i, entry)
    {
        const char *called = json_string_value(json_object_get(
            json_object_get(entry, "annotations"), "org.opencontainers.image.ref.name"));
        if (called != NULL && strcmp(called, name) == 0)
            digest = say(g, "%s", json_string_value(json_object_get(entry, "digest")));
    }
    json_decref(index);
    if (digest == NULL)
        grade_error(g, 0, "the image is not in the index");
    return digest;
}

static struct built build(struct run *room, const char *stratafile)
{
    struct grade *g = run_grade(room);
    struct built built = {.count = 0};
    const char *said, *name = grade_word(g, 8);
    const char *const arguments[] = {"--store", STORE, "--build", say(g, FOLDER "=%s", name), NULL};

    outside_do(room, "write " FOLDER "/Stratafile %s", stratafile);
    int status = outside_run(room, &(struct run_options){.arguments = arguments}, &said);
    expect(g, status == 0, .because = "no-build",
           .expected = "a build by a Stratafile of COPY and RUN: exit status 0",
           .kernel = say(g, "status %d: %.100s", status, said), .see = SEE);
    json_t *manifest = json_at(room, say(g, "blobs/sha256/%s", find_image(room, name) + 7));
    json_t *layers = json_object_get(manifest, "layers");
    for (; built.count < json_array_size(layers) && built.count < LAYERS_MAX; built.count++)
        built.layers[built.count] =
            say(g, "%s",
                json_string_value(json_object_get(json_array_get(layers, built.count), "digest")));
    json_decref(manifest);
    return built;
}

/* Layer `i` was taken from the cache ... */
static void check_hit(struct run *room, const struct built *before, const struct built *after,
                      size_t i, const char *what, const char *when)
{
    struct grade *g = run_grade(room);

    expect(g, strcmp(before->layers[i], after->layers[i]) == 0, .because = "missed",
           .expected = say(g, "%s: %s comes from the cache", when, what),
           .kernel = say(g, "it was made again: its layer was %.19s… and is %.19s…",
                         before->layers[i], after->layers[i]),
           .see = SEE);
}

/* ... or was not. */
static void check_miss(struct run *room, const struct built *before, size_t i,
                       const struct built *after, size_t j, const char *what, const char *when)
{
    struct grade *g = run_grade(room);

    expect(g, strcmp(before->layers[i], after->layers[j]) != 0, .because = "stale",
           .expected = say(g, "%s: %s is made again", when, what),
           .kernel = say(g, "it came from the cache: its layer is still %.19s…", after->layers[j]),
           .see = SEE);
}

static void check_count(struct run *room, const struct built *built, size_t wanted)
{
    struct grade *g = run_grade(room);

    expect(g, built->count == wanted, .because = "layers",
           .expected = say(g, "%zu instructions that change files: %zu layers", wanted, wanted),
           .kernel = say(g, "the manifest has %zu", built->count), .see = SEE);
}

static const char *dep = "RUN after COPY dep", *app = "RUN after COPY app";

/* Layers: 0 the shell, 1 dep, 2 made from it, 3 app, 4 made from that. */
static const char *recipe(struct grade *g, const char *middle)
{
    return say(g,
               "FROM scratch\nCOPY busybox /bin/sh\nCOPY dep /dep\n" CAST "/one\n"
               "%sCOPY app /app\n" CAST "/two\nCMD [\"/bin/sh\"]\n",
               middle);
}

static void check_same(struct run *room, const char *text, const struct built *first,
                       const char *when)
{
    struct built again = build(room, text);

    check_count(room, &again, 5);
    check_hit(room, first, &again, 2, dep, when);
    check_hit(room, first, &again, 4, app, when);
}

void image_check_builds(struct run *room)
{
    struct grade *g = run_grade(room);
    const char *text = recipe(g, ""), *word = grade_word(g, 9);

    outside_do(room, "mkdir " FOLDER);
    outside_do(room, "mkdir " FOLDER "/app");
    outside_do(room, "copy 755 /strata/busybox " FOLDER "/busybox");
    outside_do(room, "write " FOLDER "/dep %s", grade_word(g, 9));
    outside_do(room, "write " FOLDER "/app/ab c");
    outside_do(room, "write " FOLDER "/app/text %s", word);
    struct built first = build(room, text);
    check_count(room, &first, 5);

    /* Another time, and nothing else. */
    outside_do(room, "write " FOLDER "/app/text %s", word);
    check_same(room, text, &first, "only a file's time has changed");

    const char *when = "a file of app has other content";
    outside_do(room, "write " FOLDER "/app/text %s", grade_word(g, 9));
    struct built now = build(room, text);
    check_hit(room, &first, &now, 2, dep, when);
    check_miss(room, &first, 4, &now, 4, app, when);

    when = "a byte has moved from a file's content to its name";
    outside_do(room, "unlink " FOLDER "/app/ab");
    outside_do(room, "write " FOLDER "/app/a bc");
    struct built moved = build(room, text);
    check_hit(room, &first, &moved, 2, dep, when);
    check_miss(room, &now, 4, &moved, 4, app, when);

    /* All as it was at first. */
    outside_do(room, "unlink " FOLDER "/app/a");
    outside_do(room, "write " FOLDER "/app/ab c");
    outside_do(room, "write " FOLDER "/app/text %s", word);
    check_same(room, text, &first, "all is as it was at first");

    when = "dep can be executed now";
    outside_do(room, "chmod 755 " FOLDER "/dep");
    now = build(room, text);
    check_miss(room, &first, 2, &now, 2, dep, when);
    check_miss(room, &first, 4, &now, 4, app, when);
    outside_do(room, "chmod 644 " FOLDER "/dep");

    when = "ENV stands between the two";
    now = build(room, recipe(g, say(g, "ENV WORD=%s\n", word)));
    check_hit(room, &first, &now, 2, dep, when);
    check_miss(room, &first, 4, &now, 4, app, when);

    when = "COPY app stands before COPY dep";
    now = build(room, "FROM scratch\nCOPY busybox /bin/sh\nCOPY app /app\n" CAST "/two\n"
                      "COPY dep /dep\n" CAST "/one\n");
    check_miss(room, &first, 2, &now, 4, dep, when);
    check_miss(room, &first, 4, &now, 2, app, when);
}
