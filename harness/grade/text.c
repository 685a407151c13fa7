#include "grade/text.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Decodes one UTF-8 sequence; its length, or 0 if it is none (overlong, surrogate, cut off). */
static size_t decode(const unsigned char *byte, size_t length, uint32_t *code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t need = byte[0] < 0x80             ? 1
                  : (byte[0] & 0xe0) == 0xc0 ? 2
                  : (byte[0] & 0xf0) == 0xe0 ? 3
                  : (byte[0] & 0xf8) == 0xf0 ? 4
                                             : 0;

    if (need == 0 || need > length)
        return 0;
    *code = need == 1 ? byte[0] : byte[0] & (0x7fU >> need);
    for (size_t i = 1; i < need; i++) {
        if ((byte[i] & 0xc0) != 0x80)
            return 0;
        *code = *code << 6 | (byte[i] & 0x3f);
    }
    if (*code < least[need] || *code > 0x10ffff || (*code >= 0xd800 && *code <= 0xdfff))
        return 0;
    return need;
}

size_t text_harmless(const char *text, size_t length)
{
    uint32_t code = 0;
    size_t bytes = length ? decode((const unsigned char *)text, length, &code) : 0;

    if (bytes == 0 || code < 0x20 || (code >= 0x7f && code <= 0x9f))
        return 0;
    /* Line and paragraph separators, marks and overrides of direction, the byte-order mark. */
    if ((code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
        (code >= 0x2060 && code <= 0x206f) || code == 0x061c || code == 0xfeff)
        return 0;
    /* Code points that are none, and never will be. */
    if ((code & 0xfffe) == 0xfffe || (code >= 0xfdd0 && code <= 0xfdef))
        return 0;
    return bytes;
}

size_t text_clean(char *clean, size_t size, const char *text, size_t length, bool lines)
{
    size_t used = 0;
    size_t column = 0;

    for (size_t at = 0; at < length;) {
        char piece[16];
        size_t bytes = text_harmless(text + at, length - at);
        size_t taken = bytes ? bytes : 1;
        if (bytes > 0) {
            memcpy(piece, text + at, bytes);
        } else if (text[at] == '\n' && lines) {
            piece[0] = '\n';
            bytes = 1;
        } else if (text[at] == '\t') {
            bytes = 8 - column % 8;
            memset(piece, ' ', bytes);
        } else {
            bytes = (size_t)snprintf(piece, sizeof(piece), "\\x%02x", (unsigned char)text[at]);
        }
        if (used + bytes >= size)
            break;
        memcpy(clean + used, piece, bytes);
        used += bytes;
        column = piece[0] == '\n' ? 0 : column + text_columns(piece, bytes);
        at += taken;
    }
    if (size > 0)
        clean[used] = '\0';
    return used;
}

const char *text_cleaned(struct arena *arena, const char *text)
{
    if (!text)
        return NULL;
    size_t length = strlen(text);
    while (length > 0 && text[length - 1] == '\n')
        length--;
    /* The longest a byte can become is a tab's eight spaces. */
    size_t size = length * 8 + 1;
    char *clean = arena_take(arena, size);
    if (!clean)
        return "";
    text_clean(clean, size, text, length, true);
    return clean;
}

size_t text_columns(const char *text, size_t length)
{
    size_t columns = 0;

    for (size_t i = 0; i < length; i++)
        columns += (text[i] & 0xc0) != 0x80;
    return columns;
}

size_t text_fitting(const char *text, size_t columns)
{
    size_t at = 0;

    for (; text[at]; at++) {
        if ((text[at] & 0xc0) != 0x80 && columns-- == 0)
            break;
    }
    return at;
}

size_t text_wrap(const char *text, size_t columns, const char **rest)
{
    size_t line = strcspn(text, "\n");
    size_t fits = text_fitting(text, columns);

    if (line <= fits) {
        *rest = text + line + (text[line] == '\n');
        return line;
    }
    size_t space = fits;
    while (space > 0 && text[space] != ' ')
        space--;
    /* A break that leaves more than half of the line empty helps nobody: break the word. */
    if (space * 2 < fits) {
        *rest = text + fits;
        return fits;
    }
    size_t next = space;
    while (text[next] == ' ')
        next++;
    while (space > 0 && text[space - 1] == ' ')
        space--;
    *rest = text + next;
    return space;
}

const char *text_ascii(struct arena *arena, const char *text)
{
    static const struct {
        const char *sign, *ascii;
    } near[] = {{"·", "-"},  {"…", "..."}, {"–", "-"}, {"—", "-"},  {"‘", "'"}, {"’", "'"},
                {"“", "\""}, {"”", "\""},  {"×", "x"}, {"→", "->"}, {"°", "o"}};
    size_t size = strlen(text) * 4 + 1;
    char *ascii = arena_take(arena, size);
    size_t used = 0;

    if (!ascii)
        return "";
    for (size_t at = 0; text[at];) {
        size_t found = 0;
        size_t count = sizeof(near) / sizeof(near[0]);
        if ((text[at] & 0x80) == 0) {
            ascii[used++] = text[at++];
            continue;
        }
        while (found < count && strncmp(text + at, near[found].sign, strlen(near[found].sign)) != 0)
            found++;
        if (found < count) {
            used += (size_t)snprintf(ascii + used, size - used, "%s", near[found].ascii);
            at += strlen(near[found].sign);
        } else {
            used += (size_t)snprintf(ascii + used, size - used, "\\x%02x", (unsigned char)text[at]);
            at++;
        }
    }
    return ascii;
}

const char *text_cut(struct arena *arena, const char *text, size_t columns, const char *mark)
{
    size_t length = strlen(text);

    if (text_columns(text, length) <= columns)
        return text;
    size_t marked = text_columns(mark, strlen(mark));
    size_t keep = text_fitting(text, columns > marked ? columns - marked : 0);
    return arena_format(arena, "%.*s%s", (int)keep, text, mark);
}
