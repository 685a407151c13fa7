/*
 * Works on plain lines, and knows nothing of how the skeleton was put together: a second
 * opinion is worth something only if it does not share the first one's mistakes.
 */
#include "skeleton/leak.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

/* Appends the line to out with white space squeezed and without the frame of a comment. */
static void add_bare(struct text *out, const char *line, size_t length)
{
    const char *end = line + length;
    bool space = false;

    text_trim(&line, &end);
    if (end - line >= 2 && memcmp(end - 2, "*/", 2) == 0)
        end -= 2;
    if (end - line >= 2 && line[0] == '/' && (line[1] == '*' || line[1] == '/'))
        line += 2;
    else if (end > line && line[0] == '*' && (end - line == 1 || line[1] == ' '))
        line++;
    text_trim(&line, &end);
    for (; line < end; line++) {
        if (isspace((unsigned char)*line)) {
            space = true;
            continue;
        }
        if (space)
            text_add(out, " ", 1);
        space = false;
        text_add(out, line, 1);
    }
    text_add(out, "\n", 1);
}

static void add_all_bare(struct text *out, const char *at, const char *end)
{
    const char *line;
    size_t length;

    while (text_next_line(&at, end, &line, &length))
        add_bare(out, line, length);
}

/* text begins with a newline and ends with one, so "\nline\n" finds whole lines only. */
static bool has_line(const struct text *text, const char *bare, size_t length)
{
    const char *at = text->bytes, *end = text->bytes + text->length;

    while ((at = memmem(at, (size_t)(end - at), bare, length)) != NULL) {
        if (at[-1] == '\n' && at[length] == '\n')
            return true;
        at++;
    }
    return false;
}

static bool has_part(const struct text *text, const char *bare, size_t length)
{
    return memmem(text->bytes, text->length, bare, length) != NULL;
}

/* Whether a bare line says something: four characters that are not just braces. */
static bool counts(const char *bare, size_t length)
{
    size_t solid = 0;
    bool braces_only = true;

    for (size_t i = 0; i < length; i++) {
        solid += !isspace((unsigned char)bare[i]);
        braces_only = braces_only && strchr("{}();, ", bare[i]) != NULL;
    }
    return solid >= 4 && !braces_only;
}

static bool leaks(const struct text *shown, const struct text *given, const char *bare,
                  size_t length)
{
    /* Shorter or wordier pieces, "else", turn up in any sentence. */
    const bool is_statement = length >= 8 && bare[length - 1] == ';';

    if (!counts(bare, length))
        return false;
    if (has_line(shown, bare, length) && !has_line(given, bare, length))
        return true;
    return is_statement && has_part(shown, bare, length) && !has_part(given, bare, length);
}

/* given: what the student may see, as bare lines: the source without the regions. */
static void collect_given(const char *source, size_t length, const struct plan *plan,
                          const struct text *supplied, struct text *given)
{
    const char *from = source;

    text_add(given, "\n", 1);
    for (size_t r = 0; r < plan->regions.count; r++) {
        if (!plan->decisions[r].removed)
            continue;
        add_all_bare(given, from, plan->regions.list[r].begin);
        from = plan->regions.list[r].end;
    }
    add_all_bare(given, from, source + length);
    if (supplied->length > 0)
        add_all_bare(given, supplied->bytes, supplied->bytes + supplied->length);
}

static unsigned line_of(const char *source, const char *at)
{
    unsigned line = 1;

    for (; source < at; source++)
        line += *source == '\n';
    return line;
}

static int check_region(const char *source, const struct region *region, const struct text *shown,
                        const struct text *given, struct skeleton_error *error)
{
    const char *at = region->body, *line;
    size_t length;

    while (text_next_line(&at, region->finish, &line, &length)) {
        struct text bare = {0};
        int err = 0;

        add_bare(&bare, line, length);
        if (bare.failed)
            err = -ENOMEM;
        else if (leaks(shown, given, bare.bytes, bare.length - 1))
            err = skeleton_fail(error, line_of(source, line),
                                "this line of the solution would stand in the skeleton (\"%.*s\"); "
                                "say it in other words in the marker of line %u, or move the line "
                                "out of the region",
                                (int)(bare.length - 1 < 60 ? bare.length - 1 : 60), bare.bytes,
                                region->line);
        text_free(&bare);
        if (err < 0)
            return err;
    }
    return 0;
}

int leak_check(const char *source, size_t length, const struct plan *plan,
               const struct text *output, const struct text *supplied, struct skeleton_error *error)
{
    struct text shown = {0}, given = {0};
    int err = 0;

    text_add(&shown, "\n", 1);
    if (output->length > 0)
        add_all_bare(&shown, output->bytes, output->bytes + output->length);
    collect_given(source, length, plan, supplied, &given);
    if (shown.failed || given.failed)
        err = -ENOMEM;
    for (size_t r = 0; r < plan->regions.count && err == 0; r++) {
        if (plan->decisions[r].removed)
            err = check_region(source, &plan->regions.list[r], &shown, &given, error);
    }
    text_free(&shown);
    text_free(&given);
    return err;
}
