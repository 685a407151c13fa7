/* Markers into regions. Whatever looks like a marker and is none is an error, never a comment. */
#include "skeleton/region.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char begin_words[] = "BEGIN SOLUTION";
static const char end_words[] = "END SOLUTION";

static bool starts_with(const char *at, const char *end, const char *prefix)
{
    const size_t n = strlen(prefix);

    return (size_t)(end - at) >= n && memcmp(at, prefix, n) == 0;
}

static bool contains(const char *at, const char *end, const char *words)
{
    return memmem(at, (size_t)(end - at), words, strlen(words)) != NULL;
}

/* The letters of a comment's start, whatever stands between them: "Begin_Sol" is "beginsol". */
static bool letters_begin(const char *at, const char *end, const char *letters)
{
    for (; at < end && *letters; at++) {
        if (!isalpha((unsigned char)*at))
            continue;
        if (tolower((unsigned char)*at) != *letters++)
            return false;
    }
    return *letters == '\0';
}

/*
 * A marker with a slip of the pen would be an ordinary comment, and the solution would go out
 * to the students. So a comment that comes near a marker must be one.
 */
static bool looks_like_marker(const char *at, const char *end)
{
    return contains(at, end, "SOLUTION") || contains(at, end, "TODO(step") ||
           letters_begin(at, end, "beginsol") || letters_begin(at, end, "endsol") ||
           starts_with(at, end, "BEGIN ") || (starts_with(at, end, "END ") && end - at < 16);
}

/* The inside of a comment, without its delimiters and the white space next to them. */
static void inside(const struct token *comment, const char **at, const char **end)
{
    *at = comment->at + 2;
    *end = comment->at + comment->length - (comment->at[1] == '*' ? 2 : 0);
    text_trim(at, end);
}

/* A marker must be alone on its lines, for regions are cut out by whole lines. */
static int whole_lines(const char *source, const char *source_end, const struct token *comment,
                       const char **from, const char **to, struct skeleton_error *error)
{
    const char *a = comment->at;
    const char *z = comment->at + comment->length;

    while (a > source && (a[-1] == ' ' || a[-1] == '\t'))
        a--;
    while (z < source_end && isspace((unsigned char)*z) && *z != '\n')
        z++;
    if ((a > source && a[-1] != '\n') || (z < source_end && *z != '\n'))
        return skeleton_fail(error, comment->line,
                             "a marker shares its line with something else; put it on a line of "
                             "its own");
    if (comment->at[1] != '*')
        return skeleton_fail(error, comment->line,
                             "a marker in a // comment; write it as a /* */ comment");
    *from = a;
    *to = z < source_end ? z + 1 : z;
    return 0;
}

static int read_extra(struct region *r, const char *at, const char *end,
                      struct skeleton_error *error)
{
    static const char replace[] = "replace:", give_back[] = "return";

    text_trim(&at, &end);
    if (at == end)
        return 0;
    if (starts_with(at, end, "helper") && end - at == 6) {
        r->kind = REGION_HELPER;
        return 0;
    }
    if (starts_with(at, end, replace)) {
        r->kind = REGION_REPLACE;
        at += sizeof(replace) - 1;
    } else if (starts_with(at, end, give_back) &&
               (end - at == 6 || isspace((unsigned char)at[6]))) {
        r->kind = REGION_RETURN;
        at += sizeof(give_back) - 1;
        while (end > at && (end[-1] == ';' || isspace((unsigned char)end[-1])))
            end--;
    } else {
        return skeleton_fail(error, r->line,
                             "\"%.*s\" after the step is not understood; nothing, helper, return "
                             "VALUE or replace: CODE may stand there",
                             (int)(end - at < 40 ? end - at : 40), at);
    }
    text_trim(&at, &end);
    r->value = at;
    r->value_length = (size_t)(end - at);
    if (at == end && r->kind == REGION_REPLACE)
        return skeleton_fail(error, r->line,
                             "replace: without code; add the line of code, or "
                             "leave the word away");
    return 0;
}

/* The first line of a BEGIN comment: "BEGIN SOLUTION step 2" and what may follow. */
static int read_begin(struct region *r, const char *at, const char *end,
                      struct skeleton_error *error)
{
    const char *const line_start = at;

    at += sizeof(begin_words) - 1;
    if (!starts_with(at, end, " step "))
        return skeleton_fail(error, r->line, "\"%.*s\" is no marker; write BEGIN SOLUTION step N",
                             (int)(end - line_start < 60 ? end - line_start : 60), line_start);
    at += strlen(" step ");
    while (at < end && *at == ' ')
        at++;
    for (; at < end && isdigit((unsigned char)*at) && r->step < 1000; at++)
        r->step = 10 * r->step + (unsigned)(*at - '0');
    if (r->step < 1 || r->step > 99 || (at < end && !isspace((unsigned char)*at)))
        return skeleton_fail(error, r->line,
                             "the marker has no step number from 1 to 99; write BEGIN SOLUTION "
                             "step N");
    return read_extra(r, at, end, error);
}

static int check_todo(const struct region *r, struct skeleton_error *error)
{
    const char *at = r->todo, *end = r->todo_end;
    unsigned step = 0;

    while (at < end && (isspace((unsigned char)*at) || *at == '*'))
        at++;
    text_trim(&at, &end);
    if (at == end && (r->kind == REGION_HELPER || r->kind == REGION_REPLACE))
        return 0;
    if (!starts_with(at, end, "TODO(step "))
        return skeleton_fail(error, r->line,
                             "the marker of step %u tells the student nothing; begin its second "
                             "line with \"TODO(step %u):\"",
                             r->step, r->step);
    for (at += strlen("TODO(step "); at < end && isdigit((unsigned char)*at) && step < 1000; at++)
        step = 10 * step + (unsigned)(*at - '0');
    if (step != r->step || !starts_with(at, end, "):"))
        return skeleton_fail(error, r->line,
                             "the TODO is not that of step %u; write \"TODO(step %u):\"", r->step,
                             r->step);
    return 0;
}

static int begin_region(struct region *r, const struct token *comment, struct skeleton_error *error)
{
    const char *at, *end, *first_end;

    inside(comment, &at, &end);
    first_end = memchr(at, '\n', (size_t)(end - at));
    r->todo = first_end ? first_end + 1 : end;
    r->todo_end = end;
    r->line = comment->line;
    r->indent = (size_t)(comment->at - r->begin);
    int err = read_begin(r, at, first_end ? first_end : end, error);
    return err < 0 ? err : check_todo(r, error);
}

static int misspelt(const struct token *comment, struct skeleton_error *error)
{
    const char *at, *end, *newline;

    inside(comment, &at, &end);
    newline = memchr(at, '\n', (size_t)(end - at));
    if (newline)
        end = newline;
    return skeleton_fail(error, comment->line,
                         "\"%.*s\" looks like a marker and is none; write BEGIN SOLUTION step N "
                         "or END SOLUTION, or use other words",
                         (int)(end - at < 60 ? end - at : 60), at);
}

/* Takes one comment in; *open is the region that waits for its END, or NULL. */
static int take_comment(struct regions *regions, struct region **open, const char *source,
                        const char *source_end, const struct token *comment,
                        struct skeleton_error *error)
{
    const char *at, *end, *from = NULL, *to = NULL;
    int err;

    inside(comment, &at, &end);
    if (!looks_like_marker(at, end))
        return 0;
    const bool begins = starts_with(at, end, begin_words) &&
                        (end - at == sizeof(begin_words) - 1 || isspace((unsigned char)at[14]));
    const bool ends = starts_with(at, end, end_words) && end - at == sizeof(end_words) - 1;
    if (!begins && !ends)
        return misspelt(comment, error);
    if (begins && *open)
        return skeleton_fail(error, comment->line,
                             "BEGIN SOLUTION inside of the region begun in line %u; end that one "
                             "first",
                             (*open)->line);
    if (ends && !*open)
        return skeleton_fail(error, comment->line,
                             "END SOLUTION without a BEGIN SOLUTION; add one above or remove it");
    err = whole_lines(source, source_end, comment, &from, &to, error);
    if (err < 0)
        return err;
    if (ends) {
        (*open)->finish = from;
        (*open)->end = to;
        *open = NULL;
        return 0;
    }
    *open = &regions->list[regions->count++];
    **open = (struct region){.begin = from, .body = to};
    return begin_region(*open, comment, error);
}

int regions_read(const char *source, size_t length, const struct tokens *all,
                 struct regions *regions, struct skeleton_error *error)
{
    struct region *open = NULL;

    regions->list = calloc(all->count + 1, sizeof(*regions->list));
    if (!regions->list)
        return -ENOMEM;
    for (size_t i = 0; i < all->count; i++) {
        if (all->list[i].kind != TOKEN_COMMENT)
            continue;
        int err = take_comment(regions, &open, source, source + length, &all->list[i], error);

        if (err < 0)
            return err;
    }
    if (open)
        return skeleton_fail(error, open->line,
                             "this BEGIN SOLUTION has no END SOLUTION; add one below");
    if (regions->count == 0)
        return skeleton_fail(error, 1,
                             "no BEGIN SOLUTION in this file: its skeleton would be the "
                             "whole solution; mark what the student writes");
    return 0;
}

void regions_free(struct regions *regions)
{
    free(regions->list);
    *regions = (struct regions){0};
}
