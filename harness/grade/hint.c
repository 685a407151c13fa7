#include "grade/hint.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "grade/text.h"
#include "kernel/own.h"

struct reading {
    struct hints *hints;
    const char *path;
    const char *slug; /* of the section we are in, or NULL */
    int line;
};

static int fault(struct reading *reading, const char *what)
{
    reading->hints->fault =
        arena_format(&reading->hints->arena, "%s:%d: %s", reading->path, reading->line, what);
    return -EBADMSG;
}

/* "[slug]" */
static int read_section(struct reading *reading, const char *line)
{
    size_t length = strlen(line);
    struct hints *hints = reading->hints;

    if (line[length - 1] != ']' || length < 3)
        return fault(reading, "a section is [slug]");
    const char *slug = arena_copy(&hints->arena, line + 1, length - 2);
    if (strpbrk(slug, " \t[]"))
        return fault(reading, "a slug has no spaces");
    for (size_t i = 0; i < hints->count; i++)
        if (strcmp(hints->list[i].slug, slug) == 0)
            return fault(reading, "this step has a section already");
    reading->slug = slug;
    return 0;
}

static int add(struct reading *reading, struct hint hint)
{
    struct hints *hints = reading->hints;

    for (size_t i = 0; i < hints->count; i++) {
        const struct hint *other = &hints->list[i];
        if (strcmp(other->slug, hint.slug) == 0 && other->tier == hint.tier &&
            strcmp(other->because, hint.because) == 0)
            return fault(reading, "this hint is there already");
    }
    struct hint *more = reallocarray(hints->list, hints->count + 1, sizeof(*more));
    if (!more)
        return -ENOMEM;
    hints->list = more;
    more[hints->count++] = hint;
    return 0;
}

/* "1 because: text", "2: text", "3: text" */
static int read_hint(struct reading *reading, const char *line)
{
    struct arena *arena = &reading->hints->arena;
    struct hint hint = {.slug = reading->slug, .because = "*", .line = reading->line};
    const char *colon = strchr(line, ':');

    if (!reading->slug)
        return fault(reading, "a hint before the first [slug]");
    hint.tier = line[0] - '0';
    if (hint.tier < 1 || hint.tier > HINT_TIERS || !colon)
        return fault(reading, "a hint is \"1 word: text\", \"2: text\" or \"3: text\"");
    const char *word = line + 1 + strspn(line + 1, " ");
    if (word < colon)
        hint.because = arena_copy(arena, word, (size_t)(colon - word));
    if (strpbrk(hint.because, " \t") || (hint.tier == 1) != (word < colon))
        return fault(reading, "tier 1 takes one word (or *) before its colon, tiers 2 and 3 none");
    const char *text = colon + 1;
    hint.text = arena_copy(arena, text + strspn(text, " \t"), strlen(text + strspn(text, " \t")));
    return add(reading, hint);
}

static int read_more(struct reading *reading, const char *line)
{
    struct hints *hints = reading->hints;
    struct hint *hint = hints->count ? &hints->list[hints->count - 1] : NULL;

    if (!hint || hint->slug != reading->slug)
        return fault(reading, "an indented line goes on with a hint, but there is none");
    hint->text = arena_format(&hints->arena, "%s%s%s", hint->text, hint->text[0] ? " " : "",
                              line + strspn(line, " \t"));
    return 0;
}

static int read_line(struct reading *reading, char *line)
{
    size_t length = strlen(line);

    while (length > 0 && strchr(" \t\r\n", line[length - 1]))
        line[--length] = '\0';
    if (length == 0 || line[0] == '#')
        return 0;
    for (size_t i = 0; i < length; i++)
        if (line[i] == '\t')
            line[i] = ' ';
    for (size_t i = 0; i < length;) {
        size_t bytes = text_harmless(line + i, length - i);
        if (bytes == 0)
            return fault(reading, "a byte that is no text");
        i += bytes;
    }
    if (line[0] == '[')
        return read_section(reading, line);
    if (line[0] == ' ')
        return read_more(reading, line);
    return read_hint(reading, line);
}

int hints_read(const char *path, struct hints *hints)
{
    *hints = (struct hints){0};
    struct reading reading = {.hints = hints, .path = path};
    autofclose FILE *file = fopen(path, "re");
    if (!file)
        return -errno;
    autofree char *line = NULL;
    size_t size = 0;
    int error = 0;
    while (error == 0 && getline(&line, &size, file) >= 0) {
        reading.line++;
        error = read_line(&reading, line);
    }
    for (size_t i = 0; error == 0 && i < hints->count; i++) {
        reading.line = hints->list[i].line;
        if (!hints->list[i].text[0])
            error = fault(&reading, "an empty hint");
    }
    return error;
}

void hints_free(struct hints *hints)
{
    free(hints->list);
    arena_clear(&hints->arena);
    *hints = (struct hints){0};
}

const struct hint *hints_choose(const struct hints *hints, const char *slug, int tier,
                                const char *because)
{
    const struct hint *any = NULL;

    for (size_t i = 0; i < hints->count; i++) {
        const struct hint *hint = &hints->list[i];
        if (hint->tier != tier || strcmp(hint->slug, slug) != 0)
            continue;
        if (because && strcmp(hint->because, because) == 0)
            return hint;
        if (strcmp(hint->because, "*") == 0)
            any = hint;
    }
    return any;
}

static int missing(struct hints *hints, const char *path, const char *slug, int tier)
{
    hints->fault = arena_format(&hints->arena, "%s: [%s] has no tier %d%s", path, slug, tier,
                                tier == 1 ? " for anything (1 *:)" : "");
    return -EBADMSG;
}

int hints_check(struct hints *hints, const struct lab *lab, const char *path)
{
    for (size_t i = 0; i < lab->count; i++)
        for (int tier = 1; tier <= HINT_TIERS; tier++)
            if (!hints_choose(hints, lab->steps[i].slug, tier, NULL))
                return missing(hints, path, lab->steps[i].slug, tier);
    for (size_t i = 0; i < hints->count; i++) {
        struct reading reading = {.hints = hints, .path = path, .line = hints->list[i].line};
        bool known = false;
        for (size_t k = 0; k < lab->count; k++)
            known = known || strcmp(lab->steps[k].slug, hints->list[i].slug) == 0;
        if (!known)
            return fault(&reading, "the lab has no such step");
        for (size_t k = 0; k < i; k++)
            if (strcmp(hints->list[k].slug, hints->list[i].slug) == 0 &&
                strcmp(hints->list[k].text, hints->list[i].text) == 0)
                return fault(&reading, "the same text as an earlier hint of this step");
    }
    return 0;
}
