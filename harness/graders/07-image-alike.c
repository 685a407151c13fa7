/*
 * Lab 07, step 6: lists that read alike.
 *
 * Whoever sums the parts one after the other, with nothing or too little in between, gives some
 * different lists one key. Which, depends on what was written in between and on how x bits are
 * written; so the ways that people choose are tried, all of them with each other. For each there is
 * a single text (a content, a name, an instruction) that reads like two parts.
 */
#include "graders/07-image-cache.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graders/07-image.h"

#define SEE "image.h: no two different lists may give one key by being written one after the other"

enum { MODE = 0755, CONTENT_MAX = 128, AT_ONCE = 850 /* keys that run_output has room for */ };

struct text {
    const char *bytes;
    size_t length;
};

/* What stands between two parts; the second is a zero. */
static const struct text separators[] = {{"", 0}, {"", 1}, {"\n", 1}, {" ", 1}, {":", 1}};

/* How the mode 0755 of a file is written: not at all, its x bits, that there are any, all of it, in
 * a byte, in four, in text. */
static const struct text modes[] = {{"", 0},       {"\111", 1},       {"\1", 1},  {"\111\0\0", 4},
                                    {"\1\0\0", 4}, {"\355\201\0", 4}, {"111", 3}, {"755", 3},
                                    {"100755", 6}, {"73", 2},         {"1", 1},   {"x", 1}};

enum { SEPARATORS = sizeof separators / sizeof *separators, MODES = sizeof modes / sizeof *modes };

/* Requests that are still to be made, and the key that none of them may have. */
struct trial {
    struct run *room;
    json_t *requests;
    const char *key;
    const char *because, *what;
};

/* --- asking ----------------------------------------------------------------------------------- */

static void write_hex(char *hex, const void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        snprintf(hex + 2 * i, 3, "%02x", ((const unsigned char *)bytes)[i]);
    hex[2 * size] = '\0';
}

static json_t *input_of(const char *name, const void *content, size_t size)
{
    char hex[2 * CONTENT_MAX + 1];

    write_hex(hex, content, size);
    return json_pack("[s, i, s]", name, MODE, hex);
}

static json_t *request_of(const char *instruction, json_t *first, json_t *second)
{
    json_t *inputs = json_array();

    if (first != NULL)
        json_array_append_new(inputs, first);
    if (second != NULL)
        json_array_append_new(inputs, second);
    return json_pack("{s:s, s:s, s:o}", "parent", "", "instruction", instruction, "inputs", inputs);
}

/* The keys of all requests, a line each. */
static const char *ask(struct run *room, json_t *requests)
{
    struct grade *g = run_grade(room);
    char *text = json_dumps(requests, JSON_COMPACT);
    struct blob blob = craft_raw(g, text, strlen(text));

    free(text);
    struct answer answer = image_ask(room, NULL, "--cache-keys", IMAGE_BLOB, &blob, 1);
    image_does(room, &answer, "the cache's keys of many lists", "lab07 --cache-key");
    return answer.said;
}

static void flush(struct trial *trial)
{
    struct grade *g = run_grade(trial->room);
    const char *keys = ask(trial->room, trial->requests);
    const char *found = strstr(keys, trial->key);

    json_array_clear(trial->requests);
    expect(g, found == NULL, .because = trial->because,
           .expected = say(g, "no two lists with one key, not where %s", trial->what),
           .kernel = say(g, "%.19s… is the key of two lists: %s", trial->key, trial->what),
           .see = SEE);
}

static void add(struct trial *trial, json_t *request)
{
    json_array_append_new(trial->requests, request);
    if (json_array_size(trial->requests) == AT_ONCE)
        flush(trial);
}

static void free_requests(void *requests)
{
    json_decref(requests);
}

/* Begins with the list that the others must not be taken for. */
static struct trial begin(struct run *room, json_t *request, const char *because, const char *what)
{
    struct grade *g = run_grade(room);
    struct trial trial = {room, json_array(), NULL, because, what};

    grade_defer(g, free_requests, trial.requests);
    json_array_append_new(trial.requests, request);
    trial.key = ask(room, trial.requests);
    json_array_clear(trial.requests);
    expect(g, strncmp(trial.key, "sha256:", 7) == 0, .because = "no-key",
           .expected = "a key for a list of files", .kernel = say(g, "it is: %.80s", trial.key),
           .see = "lab07 --cache-key");
    return trial;
}

/* --- reading alike ---------------------------------------------------------------------------- */

static size_t append(char *out, size_t length, const struct text *text)
{
    memcpy(out + length, text->bytes, text->length);
    return length + text->length;
}

/* Calls `one` with every way to write NAME, mode and whatever follows: two texts to come between
 * them, before `tail` and after. Without `zeros`, only those that a name may hold. */
static void each_way(bool zeros,
                     void (*one)(void *arg, const struct text *after, const char *middle,
                                 size_t length),
                     void *arg)
{
    char middle[64];

    for (size_t i = 0; i < (size_t)SEPARATORS * SEPARATORS * SEPARATORS * MODES; i++) {
        const struct text *after = &separators[i % SEPARATORS];
        const struct text *name = &separators[i / SEPARATORS % SEPARATORS];
        const struct text *end = &separators[i / SEPARATORS / SEPARATORS % SEPARATORS];
        const struct text *mode = &modes[i / SEPARATORS / SEPARATORS / SEPARATORS];
        if (mode->length == 0 && end->length > 0)
            continue; /* the same as another way */
        size_t length = append(middle, append(middle, append(middle, 0, name), mode), end);
        if (zeros ||
            (memchr(middle, '\0', length) == NULL && memchr(middle, 0355, length) == NULL &&
             memchr(after->bytes, '\0', after->length) == NULL))
            one(arg, after, middle, length);
    }
}

struct alike {
    struct trial trial;
    const char *first, *second; /* contents of six bytes */
    const char *digest;         /* of the first          */
};

/* One file "a", whose content goes on like a file "b". */
static void content_alike(void *arg, const struct text *after, const char *middle, size_t length)
{
    struct alike *alike = arg;
    char content[CONTENT_MAX];
    size_t size = append(content, 0, &(struct text){alike->first, 6});

    size = append(content, size, after);
    size = append(content, size, &(struct text){"b", 1});
    size = append(content, size, &(struct text){middle, length});
    size = append(content, size, &(struct text){alike->second, 6});
    add(&alike->trial, request_of("COPY", input_of("a", content, size), NULL));
}

/* One file, whose name begins like a file "a" with its content's digest, and goes on with "b". */
static void name_alike(void *arg, const struct text *after, const char *middle, size_t length)
{
    struct alike *alike = arg;
    struct grade *g = run_grade(alike->trial.room);

    for (int bare = 0; bare < 2; bare++) {
        const char *digest = alike->digest + (bare ? strlen("sha256:") : 0);
        const char *s = after->bytes;
        add(&alike->trial, request_of("COPY",
                                      input_of(say(g, "a%.*s%s%sb", (int)length, middle, digest, s),
                                               alike->second, 6),
                                      NULL));
        add(&alike->trial, request_of("COPY",
                                      input_of(say(g, "a%s%s%.*sb", s, digest, (int)length, middle),
                                               alike->second, 6),
                                      NULL));
    }
}

/* No file; the instruction goes on like one. */
static void instruction_alike(void *arg, const struct text *after, const char *middle,
                              size_t length)
{
    struct alike *alike = arg;
    struct grade *g = run_grade(alike->trial.room);
    const char *contents[] = {alike->first, alike->digest, alike->digest + strlen("sha256:")};

    for (size_t i = 0; i < 3; i++) {
        for (size_t j = 0; j < SEPARATORS; j++)
            if (j != 1) /* a zero */
                add(&alike->trial, request_of(say(g, "COPY%sa%.*s%s%s", after->bytes, (int)length,
                                                  middle, contents[i], separators[j].bytes),
                                              NULL, NULL));
    }
}

/* Fifty files, of which the last one counts as well. */
static void check_many(struct run *room, const struct alike *alike)
{
    struct grade *g = run_grade(room);
    json_t *requests = json_array();

    grade_defer(g, free_requests, requests);
    for (int i = 0; i < 2; i++) {
        json_t *inputs = json_array();
        for (int j = 0; j < 50; j++)
            json_array_append_new(
                inputs,
                input_of(say(g, "f%02d", j), j == 49 && i == 1 ? alike->second : alike->first, 6));
        json_array_append_new(requests, json_pack("{s:s, s:s, s:o}", "parent", "", "instruction",
                                                  "COPY", "inputs", inputs));
    }
    const char *first = ask(room, requests), *second = strchr(first, '\n');
    expect(g, second != NULL && strncmp(first, second + 1, (size_t)(second - first)) != 0,
           .because = "last-of-many",
           .expected = "another key: the last of fifty files has changed",
           .kernel =
               say(g, "the same key, %.19s…, although the last of fifty files has changed", first),
           .see = SEE);
}

static json_t *both(const struct alike *alike)
{
    return request_of("COPY", input_of("a", alike->first, 6), input_of("b", alike->second, 6));
}

void image_check_alike(struct run *room)
{
    struct grade *g = run_grade(room);
    struct alike alike = {.first = grade_word(g, 6), .second = grade_word(g, 6)};

    alike.digest = craft_raw(g, alike.first, 6).digest;
    alike.trial =
        begin(room, both(&alike), "content-as-two", "one file's content reads like two files");
    each_way(true, content_alike, &alike);
    flush(&alike.trial);

    alike.trial = begin(room, both(&alike), "name-as-two", "one file's name reads like two files");
    each_way(false, name_alike, &alike);
    flush(&alike.trial);

    alike.trial = begin(room, request_of("COPY", input_of("a", alike.first, 6), NULL),
                        "instruction-as-file", "the instruction reads like a file");
    each_way(false, instruction_alike, &alike);
    flush(&alike.trial);
    check_many(room, &alike);
}
