/* Where the steps of a lab ran: here, or in a guest. */
#include <string.h>

#include "grade/report.h"

const char *report_where(const struct grade *g)
{
    const char *where = NULL;

    for (size_t i = 0; i < g->lab->count; i++) {
        const char *own = g->results[i].where;
        if (!g->results[i].selected || !own)
            continue;
        if (where && strcmp(where, own) != 0)
            return NULL;
        where = own;
    }
    return where ? where : g->options->where;
}

/* In a guest everything runs as its root, whoever started it. */
const char *report_who(const struct grade *g)
{
    const char *where = report_where(g);

    return !where || strcmp(where, g->options->where) == 0 ? g->options->who : "root";
}

/* "steps 2, 3: WHERE" for the steps from `first` on that ran where that one did. */
static const char *place(struct arena *arena, const struct grade *g, size_t first)
{
    const char *where = g->results[first].where;
    const char *numbers = "";
    int count = 0;

    for (size_t i = first; i < g->lab->count; i++) {
        if (!g->results[i].selected || !g->results[i].where ||
            strcmp(g->results[i].where, where) != 0)
            continue;
        numbers =
            arena_format(arena, "%s%s%d", numbers, count > 0 ? ", " : "", g->lab->steps[i].number);
        count++;
    }
    return arena_format(arena, "%s %s %s", count > 1 ? "steps" : "step", numbers, where);
}

const char *report_places(struct arena *arena, const struct grade *g)
{
    const char *text = "";

    if (report_where(g))
        return text;
    for (size_t i = 0; i < g->lab->count; i++) {
        const char *own = g->results[i].where;
        bool seen = !g->results[i].selected || !own || strcmp(own, g->options->where) == 0;
        for (size_t k = 0; !seen && k < i; k++)
            seen = g->results[k].selected && g->results[k].where &&
                   strcmp(g->results[k].where, own) == 0;
        if (!seen)
            text = arena_format(arena, "%s%s%s", text, text[0] ? "; " : "", place(arena, g, i));
    }
    return text;
}
