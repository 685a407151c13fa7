/* The record of skeletons: a list small enough to be searched from end to end. */
#include "skeleton/record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char head[] =
    "# sha256 of every skeleton that was handed out, a file's oldest first; the last is current.\n"
    "# Written by \"make skeletons\". A lab file with one of these digests has not been edited.\n";

static bool parse_line(const char *at, const char *end, struct record_line *line)
{
    const size_t hex = DIGEST_HEX - 1;

    if ((size_t)(end - at) < hex + 3 || memcmp(at + hex, "  ", 2) != 0 ||
        strspn(at, "0123456789abcdef") != hex)
        return false;
    memcpy(line->digest, at, hex);
    line->digest[hex] = '\0';
    at += hex + 2;
    const size_t length = (size_t)(end - at);
    if (length >= sizeof(line->file) || !memchr(at, '/', length))
        return false;
    memcpy(line->file, at, length);
    line->file[length] = '\0';
    return true;
}

static int insert(struct record *record, size_t i, const struct record_line *line)
{
    struct record_line *grown = reallocarray(record->list, record->count + 1, sizeof(*grown));

    if (!grown)
        return -ENOMEM;
    memmove(grown + i + 1, grown + i, (record->count - i) * sizeof(*grown));
    grown[i] = *line;
    record->list = grown;
    record->count++;
    return 0;
}

/* Where a new line of file belongs: behind all of its own and of those that sort before it. */
static size_t place_of(const struct record *record, const char *file)
{
    size_t i = 0;

    while (i < record->count && strcmp(record->list[i].file, file) <= 0)
        i++;
    return i;
}

int record_parse(const char *bytes, size_t length, struct record *record, unsigned *bad_line)
{
    const char *at = bytes, *line;
    size_t n;

    *bad_line = 0;
    while (text_next_line(&at, bytes + length, &line, &n)) {
        struct record_line parsed;
        const char *end = line + n;

        (*bad_line)++;
        text_trim(&line, &end);
        if (line == end || *line == '#')
            continue;
        if (!parse_line(line, end, &parsed))
            return -EINVAL;
        int err = insert(record, place_of(record, parsed.file), &parsed);

        if (err < 0)
            return err;
    }
    *bad_line = 0;
    return 0;
}

void record_free(struct record *record)
{
    free(record->list);
    *record = (struct record){0};
}

const char *record_latest(const struct record *record, const char *file)
{
    const size_t i = place_of(record, file);

    return i > 0 && strcmp(record->list[i - 1].file, file) == 0 ? record->list[i - 1].digest : NULL;
}

static size_t find(const struct record *record, const char *file, const char *digest)
{
    size_t i = 0;

    while (i < record->count &&
           (strcmp(record->list[i].file, file) != 0 || strcmp(record->list[i].digest, digest) != 0))
        i++;
    return i;
}

bool record_knows(const struct record *record, const char *file, const char *digest)
{
    return find(record, file, digest) < record->count;
}

int record_add(struct record *record, const char *file, const char *digest)
{
    const char *latest = record_latest(record, file);
    struct record_line line;
    int err;

    if (latest && strcmp(latest, digest) == 0)
        return 0;
    if (strlen(file) >= sizeof(line.file))
        return -ENAMETOOLONG;
    strcpy(line.file, file);
    strcpy(line.digest, digest);
    const size_t old = find(record, file, digest);

    if (old < record->count) {
        record->count--;
        memmove(record->list + old, record->list + old + 1,
                (record->count - old) * sizeof(*record->list));
    }
    err = insert(record, place_of(record, file), &line);
    return err < 0 ? err : 1;
}

void record_print(const struct record *record, struct text *text)
{
    text_add_string(text, head);
    for (size_t i = 0; i < record->count; i++) {
        text_add_string(text, record->list[i].digest);
        text_add_string(text, "  ");
        text_add_string(text, record->list[i].file);
        text_add_string(text, "\n");
    }
}
