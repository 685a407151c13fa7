/* Puts the skeleton together: kept lines as they are, and for each region what plan.h decided. */
#include "skeleton/skeleton.h"

#include "skeleton/leak.h"
#include "skeleton/plan.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { LINE_LIMIT = 100 };

int skeleton_fail(struct skeleton_error *error, unsigned line, const char *format, ...)
{
    va_list arguments;

    error->line = line;
    va_start(arguments, format);
    vsnprintf(error->what, sizeof(error->what), format, arguments);
    va_end(arguments);
    return -EINVAL;
}

/* A line of the TODO without its " *": what is left keeps the white space that aligns it. */
static void undress(const char **line, size_t *length)
{
    const char *at = *line, *end = *line + *length;

    while (at < end && isspace((unsigned char)*at))
        at++;
    if (at < end && *at == '*')
        at++;
    while (end > at && isspace((unsigned char)end[-1]))
        end--;
    *line = at;
    *length = (size_t)(end - at);
}

static void add_todo(struct text *out, const struct region *region)
{
    const char *at = region->todo, *line;
    size_t length, lines = 0, last = 0;

    while (text_next_line(&at, region->todo_end, &line, &length)) {
        undress(&line, &length);
        if (lines == 0 && length == 0)
            continue;
        if (lines++ > 0)
            text_add_string(out, "\n");
        text_add(out, region->begin, region->indent);
        text_add_string(out, lines == 1 ? "/*" : " *");
        if (length > 0 && *line != ' ')
            text_add_string(out, " ");
        text_add(out, line, length);
        last = length;
    }
    if (lines == 0)
        return;
    if (lines == 1 && region->indent + last + strlen("/*  */") <= LINE_LIMIT) {
        text_add_string(out, " */\n");
        return;
    }
    text_add_string(out, "\n");
    text_add(out, region->begin, region->indent);
    text_add_string(out, " */\n");
}

static void add_line(struct text *out, const struct region *region, const char *before,
                     const char *middle, size_t length, const char *after)
{
    text_add(out, region->begin, region->indent);
    text_add_string(out, before);
    text_add(out, middle, length);
    text_add_string(out, after);
    text_add_string(out, "\n");
}

static void add_silence(struct text *out, const struct region *region, const struct decision *d)
{
    for (size_t i = 0; i < d->silenced_count; i++)
        add_line(out, region, "(void)", d->silenced[i]->at, d->silenced[i]->length, ";");
}

static void add_end(struct text *out, const struct region *region, const struct decision *d)
{
    if (d->result)
        add_line(out, region, d->result_length > 0 ? "return " : "return", d->result,
                 d->result_length, ";");
    else if (d->lone_label && d->silenced_count == 0 && region->kind != REGION_REPLACE)
        add_line(out, region, "", ";", 1, "");
}

static bool ends_blank(const struct text *out)
{
    return out->length == 0 || (out->length >= 2 && out->bytes[out->length - 2] == '\n');
}

/* Where a region vanished between two blank lines, one of them goes too. */
static const char *skip_blank(const struct text *out, const char *at, const char *end)
{
    while (ends_blank(out) && at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *stop = newline ? newline : end;

        for (const char *p = at; p < stop; p++) {
            if (!isspace((unsigned char)*p))
                return at;
        }
        at = newline ? newline + 1 : end;
    }
    return at;
}

/* supplied: the lines that are the generator's own, for the search for leaks. */
static void assemble(const char *source, size_t length, const struct plan *plan, struct text *out,
                     struct text *supplied)
{
    const char *from = source, *const end = source + length;

    for (size_t r = 0; r < plan->regions.count; r++) {
        const struct region *region = &plan->regions.list[r];
        const struct decision *d = &plan->decisions[r];

        text_add(out, from, (size_t)(region->begin - from));
        from = region->end;
        if (!d->removed) {
            text_add(out, region->body, (size_t)(region->finish - region->body));
            continue;
        }
        if (region->kind == REGION_HELPER) {
            from = skip_blank(out, from, end);
            continue;
        }
        add_todo(out, region);
        add_silence(out, region, d);
        add_silence(supplied, region, d);
        if (region->kind == REGION_REPLACE)
            add_line(out, region, "", region->value, region->value_length, "");
        add_end(out, region, d);
        add_end(supplied, region, d);
    }
    text_add(out, from, (size_t)(end - from));
}

int skeleton_make(const char *source, size_t length, unsigned first_open, struct text *out,
                  struct skeleton_error *error)
{
    struct plan plan = {0};
    struct text supplied = {0};

    if (length == 0)
        source = "";
    int err = plan_make(source, length, first_open, &plan, error);

    if (err == 0) {
        assemble(source, length, &plan, out, &supplied);
        err = out->failed || supplied.failed
                  ? -ENOMEM
                  : leak_check(source, length, &plan, out, &supplied, error);
    }
    text_free(&supplied);
    plan_free(&plan);
    return err;
}

unsigned skeleton_highest_step(const char *source, size_t length)
{
    struct plan plan = {0};
    struct skeleton_error ignored;
    unsigned highest = 0;

    if (plan_make(source, length, 1, &plan, &ignored) == 0) {
        for (size_t r = 0; r < plan.regions.count; r++) {
            if (plan.regions.list[r].step > highest)
                highest = plan.regions.list[r].step;
        }
    }
    plan_free(&plan);
    return highest;
}
