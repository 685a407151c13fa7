/* The moves that all parsers of this room share. */
#include "kernel/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct kernel_text kernel_text(const char *text, size_t len)
{
    if (!text) /* no bytes at all: NULL + 0 is not defined in C */
        text = "";
    return (struct kernel_text){.at = text, .end = text + len};
}

static size_t left(struct kernel_text text)
{
    return (size_t)(text.end - text.at);
}

bool kernel_text_cut(struct kernel_text *from, char separator, struct kernel_text *piece)
{
    const char *stop;

    if (from->at == from->end)
        return false;
    stop = memchr(from->at, separator, left(*from));
    piece->at = from->at;
    piece->end = stop ? stop : from->end;
    from->at = stop ? stop + 1 : from->end;
    return true;
}

void kernel_text_blank(struct kernel_text *text)
{
    while (text->at < text->end && (*text->at == ' ' || *text->at == '\t'))
        text->at++;
}

bool kernel_text_is(struct kernel_text piece, const char *word)
{
    return left(piece) == strlen(word) && memcmp(piece.at, word, left(piece)) == 0;
}

bool kernel_text_skip(struct kernel_text *text, const char *prefix)
{
    size_t len = strlen(prefix);

    if (left(*text) < len || memcmp(text->at, prefix, len) != 0)
        return false;
    text->at += len;
    return true;
}

/* The value of a digit of any base up to 16; 16 for everything else. */
static unsigned digit(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    if (c >= 'a' && c <= 'f')
        return (unsigned)(c - 'a') + 10;
    if (c >= 'A' && c <= 'F')
        return (unsigned)(c - 'A') + 10;
    return 16;
}

int kernel_text_unsigned(struct kernel_text *text, unsigned base, uint64_t max, uint64_t *value)
{
    const char *begin = text->at;
    uint64_t sum = 0;

    while (text->at < text->end && digit(*text->at) < base) {
        unsigned d = digit(*text->at++);

        if (d > max || sum > (max - d) / base)
            return -EBADMSG;
        sum = sum * base + d;
    }
    if (text->at == begin)
        return -EBADMSG;
    *value = sum;
    return 0;
}

int kernel_text_signed(struct kernel_text *text, int64_t min, int64_t max, int64_t *value)
{
    uint64_t magnitude = 0;
    bool negative = kernel_text_skip(text, "-");
    /* -min overflows for INT64_MIN; in unsigned arithmetic it does not. */
    uint64_t limit = negative ? (min < 0 ? 0 - (uint64_t)min : 0) : (max > 0 ? (uint64_t)max : 0);
    int error = kernel_text_unsigned(text, 10, limit, &magnitude);

    if (error)
        return error;
    *value = (int64_t)(negative ? 0 - magnitude : magnitude);
    return *value < min || *value > max ? -EBADMSG : 0;
}

int kernel_text_copy(struct kernel_text piece, char *buffer, size_t size)
{
    if (left(piece) >= size)
        return -EBADMSG;
    memcpy(buffer, piece.at, left(piece));
    buffer[left(piece)] = '\0';
    return 0;
}

int kernel_text_unescape(char *string)
{
    char *to = string;

    for (const char *from = string; *from; to++) {
        unsigned byte;

        if (from[0] != '\\' || digit(from[1]) > 3 || digit(from[2]) > 7 || digit(from[3]) > 7) {
            *to = *from++;
            continue;
        }
        byte = digit(from[1]) * 64 + digit(from[2]) * 8 + digit(from[3]);
        if (byte == 0)
            return -EBADMSG;
        *to = (char)byte;
        from += 4;
    }
    *to = '\0';
    return 0;
}

void *kernel_grow(void *list, size_t count, size_t *capacity, size_t size)
{
    size_t wanted;
    void *grown;

    if (count < *capacity)
        return list;
    wanted = *capacity ? *capacity * 2 : 8;
    grown = reallocarray(list, wanted, size);
    if (grown)
        *capacity = wanted;
    return grown;
}
