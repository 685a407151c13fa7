/* grade --list: what there is to be graded. */
#include <stdio.h>

#include "grade/board.h"
#include "grade/lab.h"
#include "grade/page.h"

enum { NEEDS_MAX = 31 };

/* needs.c knows their names; until it does, a bit has at least a number. */
static const char *name_of(unsigned bit, char number[16])
{
    const char *name = need_name ? need_name(1U << bit) : NULL;

    snprintf(number, 16, "need-%u", bit);
    return name ? name : number;
}

const char *needs_text(unsigned needs, char *text, size_t size)
{
    size_t used = 0;

    snprintf(text, size, "-");
    for (unsigned bit = 0; bit < NEEDS_MAX; bit++) {
        char number[16];
        if (!(needs & 1U << bit) || used >= size)
            continue;
        used += (size_t)snprintf(text + used, size - used, "%s%s", used ? "," : "",
                                 name_of(bit, number));
    }
    return text;
}

void list_print(FILE *out, const struct style *style)
{
    struct page page = {.style = style};
    size_t count;
    const struct lab *const *labs = labs_all(&count);
    char needs[256];

    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < labs[i]->count; k++) {
            const struct step *step = &labs[i]->steps[k];
            page_add(&page, arena_format(&page.arena, "%-20s %2d %-28s %3d %s %s", labs[i]->name,
                                         step->number, step->slug, step->points,
                                         step->more ? "more" : "core",
                                         needs_text(step->needs, needs, sizeof(needs))));
            page_print(&page, out);
        }
    }
}

static json_t *step_json(const struct step *step)
{
    json_t *after = json_array();
    json_t *needs = json_array();

    for (size_t i = 0; i < sizeof(step->after) / sizeof(step->after[0]) && step->after[i]; i++)
        json_array_append_new(after, json_integer(step->after[i]));
    for (unsigned bit = 0; bit < NEEDS_MAX; bit++) {
        char number[16];
        if (step->needs & 1U << bit)
            json_array_append_new(needs, json_string(name_of(bit, number)));
    }
    return json_pack("{s:i, s:s, s:s, s:i, s:b, s:o, s:o, s:s, s:s?}", "number", step->number,
                     "slug", step->slug, "title", step->title, "points", step->points, "more",
                     step->more, "after", after, "needs", needs, "chapter", step->chapter, "man",
                     step->man);
}

json_t *list_json(void)
{
    size_t count;
    const struct lab *const *labs = labs_all(&count);
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++) {
        json_t *steps = json_array();
        for (size_t k = 0; k < labs[i]->count; k++)
            json_array_append_new(steps, step_json(&labs[i]->steps[k]));
        json_array_append_new(list, json_pack("{s:s, s:s, s:o}", "name", labs[i]->name, "title",
                                              labs[i]->title, "steps", steps));
    }
    return list;
}
