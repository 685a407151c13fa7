/*
 * Lab 07, step 5: layers drawn at random, and a model of what they show, for what nobody has
 * thought of in 07-image-waste.c.
 */
#include "graders/07-image-waste.h"

#include <string.h>

/* The names that layers may have: what may lie below what is fixed, so that a model of it fits on a
 * page. A bit a name. */
static const struct {
    const char *path;
    int parent;  /* -1: the root */
    bool folder; /* else a file */
} names[] = {{"p", -1, true},   {"p/q", 0, true},  {"p/q/1", 1, false}, {"p/q/2", 1, false},
             {"p/3", 0, false}, {"r", -1, true},   {"r/4", 5, false},   {"5", -1, false},
             {"p5", -1, false}, {"p/q5", 0, false}};
enum { NAMES = sizeof names / sizeof *names };

struct model {
    uint64_t size[NAMES]; /* of the file that shows, 0: none */
    uint64_t waste;
};

static bool lies_in(int name, int folder)
{
    while (name >= 0 && name != folder)
        name = names[name].parent;
    return name == folder;
}

/* What lies in the folder `from` (-1: the root) goes, or the file `from` itself. */
static void model_hide(struct model *model, int from)
{
    for (int i = 0; i < NAMES; i++) {
        if (!lies_in(i, from))
            continue;
        model->waste += model->size[i];
        model->size[i] = 0;
    }
}

/* The marks of a layer concern what is below it, so they come first here, and anywhere there. */
static void draw_layer(struct pile *pile, size_t layer, struct model *model)
{
    struct grade *g = pile->g;
    struct craft *craft = pile->layer[layer];

    for (int i = 0; layer > 0 && i < NAMES; i++) {
        const char *slash = strrchr(names[i].path, '/');
        int head = slash != NULL ? (int)(slash + 1 - names[i].path) : 0;
        uint32_t draw = grade_random(g, 12);
        if (draw > 1 || (draw == 0 && !names[i].folder))
            continue;
        model_hide(model, i);
        craft_file(craft,
                   draw == 0 ? say(g, "%s/.wh..wh..opq", names[i].path)
                             : say(g, "%.*s.wh.%s", head, names[i].path, names[i].path + head),
                   "");
    }
    for (int i = 0; i < NAMES; i++) {
        if (names[i].folder && grade_random(g, 4) == 0)
            craft_folder(craft, say(g, "%s/", names[i].path));
        if (names[i].folder || grade_random(g, 3) != 0)
            continue;
        uint64_t size = (uint64_t)grade_between(g, 1, 9000);
        model->waste += model->size[i];
        model->size[i] = size;
        craft_zeros(craft, names[i].path, size);
    }
}

void image_check_random(struct run *room)
{
    struct grade *g = run_grade(room);
    struct pile pile = image_pile(g);
    struct model model = {0};

    for (pile.count = 0; pile.count < LAYERS; pile.count++)
        draw_layer(&pile, pile.count, &model);
    image_check_waste(room, &pile, model.waste, "random", "four layers drawn at random");
}
