/*
 * Lab 07, step 6: the build cache's key.
 *
 * First the function alone: what counts changes the key, what does not does not.
 */
#include "graders/07-image-cache.h"

#include <string.h>

#include "graders/07-image.h"

#define SEE_KEY "lab07 --parent P --instruction I --input NAME=FILE --cache-key"

/* --- the key ---------------------------------------------------------------------------------- */

enum { INPUTS_MAX = 3 };

/* What a key is made of. */
struct parts {
    const char *parent, *instruction;
    struct {
        const char *name;
        const char *file; /* in the room */
    } inputs[INPUTS_MAX];
    const struct blob *blobs;
    size_t blob_count;
};

static bool is_digest(const char *text)
{
    return strncmp(text, "sha256:", 7) == 0 && strspn(text + 7, "0123456789abcdef") == 64 &&
           strcmp(text + 71, "\n") == 0;
}

static const char *key_of(struct run *room, const struct parts *parts)
{
    struct grade *g = run_grade(room);
    const char *settings[12] = {"--parent", parts->parent, "--instruction", parts->instruction};
    size_t used = 4;

    for (size_t i = 0; i < INPUTS_MAX && parts->inputs[i].name != NULL; i++) {
        settings[used++] = "--input";
        settings[used++] = say(g, "%s=%s", parts->inputs[i].name, parts->inputs[i].file);
    }
    struct answer answer =
        image_ask(room, settings, "--cache-key", "-", parts->blobs, parts->blob_count);
    image_does(room, &answer, "the cache's key of an instruction", SEE_KEY);
    expect(g, is_digest(answer.said), .because = "no-key",
           .expected = "a key is \"sha256:\" and 64 hexadecimal digits",
           .kernel = say(g, "it is \"%.90s\"", answer.said), .see = SEE_KEY);
    return answer.said;
}

/* The two differ in what `what` says. */
static void check_differs(struct run *room, const char *key, const struct parts *other,
                          const char *because, const char *what)
{
    struct grade *g = run_grade(room);
    const char *another = key_of(room, other);

    expect(g, strcmp(key, another) != 0, .because = because,
           .expected = say(g, "another key: %s", what),
           .kernel = say(g, "the same key, %.19s…, although %s", key, what), .see = SEE_KEY);
}

static void check_same(struct run *room, const char *key, const struct parts *other,
                       const char *because, const char *what)
{
    struct grade *g = run_grade(room);
    const char *another = key_of(room, other);

    expect(g, strcmp(key, another) == 0, .because = because,
           .expected = say(g, "the same key: %s", what),
           .kernel = say(g, "another key, %.19s… and then %.19s…: %s counted", key, another, what),
           .see = SEE_KEY);
}

/* A new file of the room. */
static const char *file_of(struct run *room, const char *mode, const char *text)
{
    struct grade *g = run_grade(room);
    const char *path = say(g, "/tmp/%s", grade_word(g, 9));

    outside_do(room, "write %s %s", path, text);
    outside_do(room, "chmod %s %s", mode, path);
    return path;
}

static const char *random_digest(struct grade *g)
{
    return craft_raw(g, grade_word(g, 12), 12).digest;
}

static void check_parts(struct run *room)
{
    struct grade *g = run_grade(room);
    const char *text = grade_word(g, 12), *other_text = grade_word(g, 12);
    const char *plain = file_of(room, "644", text), *tool = file_of(room, "755", text);
    struct parts parts = {.parent = random_digest(g),
                          .instruction = say(g, "COPY %s /srv", grade_word(g, 5)),
                          .inputs = {{"a", plain}, {"b/c", tool}}};
    const char *key = key_of(room, &parts);
    struct parts other = parts;

    check_same(room, key, &parts, "not-the-same", "nothing has changed");
    other.inputs[0].file = file_of(room, "644", text);
    check_same(room, key, &other, "file-itself",
               "another file's content, mode and name are the same");
    other.inputs[0].file = file_of(room, "600", text);
    check_same(room, key, &other, "mode-counts",
               "who may read a file (its mode but for the x bits)");
    other.inputs[0].file = file_of(room, "6644", text);
    check_same(room, key, &other, "mode-counts", "setuid and setgid bits");
    if (run_ids(g) > 1) {
        other.inputs[0].file = file_of(room, "644", text);
        outside_do(room, "chown 7 8 %s", other.inputs[0].file);
        check_same(room, key, &other, "owner-counts", "a file's owner");
    }

    other = parts;
    other.parent = random_digest(g);
    check_differs(room, key, &other, "parent", "it is built on another parent");
    other.parent = "";
    check_differs(room, key, &other, "parent", "it is built on nothing");
    other = parts;
    other.instruction = say(g, "%s/", parts.instruction);
    check_differs(room, key, &other, "instruction", "the instruction is another");
    other.instruction = say(g, "COPY%s", parts.instruction + strlen("COPY "));
    check_differs(room, key, &other, "instruction", "the instruction has a space less");
    other = parts;
    other.inputs[1].file = file_of(room, "755", other_text);
    check_differs(room, key, &other, "content", "a file's content has changed, its size has not");
    other.inputs[0].file = file_of(room, "644", other_text);
    other.inputs[1].file = tool;
    const char *third = key_of(room, &other);
    other.inputs[0].file = plain;
    other.inputs[1].file = file_of(room, "755", other_text);
    check_differs(room, third, &other, "content", "two files have exchanged their contents");
    other = parts;
    other.inputs[1].name = "b/d";
    check_differs(room, key, &other, "name", "a file has another name");
    other.inputs[1].name = "d/c";
    check_differs(room, key, &other, "name", "a file lies in another folder");
    other = parts;
    other.inputs[0].file = file_of(room, "755", text);
    check_differs(room, key, &other, "x-bit", "a file can be executed now");
    other.inputs[0].file = file_of(room, "654", text);
    check_differs(room, key, &other, "x-bit", "a file can be executed by its group now");
    other = parts;
    other.inputs[1].file = file_of(room, "744", text);
    check_differs(room, key, &other, "x-bit", "a file can be executed by its owner alone now");
    other = parts;
    other.inputs[2].name = "d";
    other.inputs[2].file = file_of(room, "644", "");
    check_differs(room, key, &other, "count", "there is an empty file more");
    other = parts;
    other.inputs[1].name = NULL;
    check_differs(room, key, &other, "count", "there is a file less");
}

/* Names and instructions may be long, and differ at their end. */
static void check_long(struct run *room)
{
    struct grade *g = run_grade(room);
    const char *file = file_of(room, "644", grade_word(g, 5));
    char many[1500];

    for (size_t i = 0; i < sizeof many - 1; i++)
        many[i] = "folder/"[i % 7];
    many[sizeof many - 1] = '\0';
    struct parts parts = {.parent = "",
                          .instruction = say(g, "RUN %sa", many),
                          .inputs = {{say(g, "%sa", many), file}}};
    const char *key = key_of(room, &parts);
    struct parts other = parts;
    other.instruction = say(g, "RUN %sb", many);
    check_differs(room, key, &other, "long-text", "a long instruction ends otherwise");
    other = parts;
    other.inputs[0].name = say(g, "%sb", many);
    check_differs(room, key, &other, "long-text", "a long path ends otherwise");
}

/* Big files, that differ in their last byte. */
static void check_to_the_end(struct run *room)
{
    struct grade *g = run_grade(room);
    size_t size = 300000 + grade_random(g, 100000);
    char *bytes = craft_noise(g, size);
    struct blob blobs[2] = {craft_raw(g, bytes, size)};

    bytes[size - 1] = (char)~bytes[size - 1];
    blobs[1] = craft_raw(g, bytes, size);
    struct parts parts = {.parent = "",
                          .instruction = "COPY big /",
                          .inputs = {{"big", IMAGE_BLOB}},
                          .blobs = blobs,
                          .blob_count = 1};
    const char *key = key_of(room, &parts);
    parts.blobs++;
    check_differs(room, key, &parts, "content-end",
                  say(g, "the last of a file's %zu bytes has changed", size));
}

/* All have the mode of a file in memory: 0777. */
static void check_boundaries(struct run *room)
{
    struct grade *g = run_grade(room);
    const char *one = grade_word(g, 6);
    struct blob blobs[2] = {craft_raw(g, one, 6), craft_raw(g, say(g, "b%s", one), 7)};
    struct parts base = {
        .parent = random_digest(g), .instruction = "COPY a", .blobs = blobs, .blob_count = 2};
    struct parts parts = base;

    parts.inputs[0].name = "ab";
    parts.inputs[0].file = IMAGE_BLOB;
    struct parts other = parts;
    other.inputs[0].name = "a";
    other.inputs[0].file = "/proc/self/fd/11";
    check_differs(room, key_of(room, &parts), &other, "name-or-content",
                  "\"b\" stands at the end of the name, and not at the beginning of the content");
    other = parts;
    other.instruction = "COPY aa";
    other.inputs[0].name = "b";
    check_differs(room, key_of(room, &parts), &other, "instruction-or-name",
                  "\"a\" stands at the end of the instruction, and not at that of the name");
    other = parts = base;
    other.parent = "";
    other.instruction = say(g, "%s%s", parts.parent, parts.instruction);
    check_differs(room, key_of(room, &parts), &other, "parent-or-instruction",
                  "the parent is \"\", and its digest stands in the instruction");
}

/* A key made without having read everything would hit where it must not. */
static void check_unreadable(struct run *room)
{
    const char *const settings[] = {"--instruction", "COPY a /a", "--input", "a=/tmp", NULL};
    struct answer answer = image_ask(room, settings, "--cache-key", "-", NULL, 0);

    expect(run_grade(room), answer.status != 0, .because = "unread",
           .expected = "an input that cannot be read (a folder): an error",
           .kernel = say(run_grade(room), "there is a key for it: %.80s", answer.said),
           .see = "lab07 --input a=/tmp --cache-key");
}

void image_stepcache(struct grade *g)
{
    struct run *room = outside_open(g, true);

    check_parts(room);
    check_long(room);
    check_to_the_end(room);
    check_boundaries(room);
    image_check_alike(room);
    check_unreadable(room);
    image_check_builds(room);
}
