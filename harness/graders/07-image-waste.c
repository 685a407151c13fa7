/*
 * Lab 07, step 5: what layers hold, and how much of it nobody can see.
 *
 * Numbers are what this layer makes, so numbers are compared: with our own, for piles of layers
 * that this run has drawn. Sizes are random, so that no sum comes out right by chance.
 */
#include "graders/07-image-waste.h"

#include <string.h>

static const char see_waste[] = "lab07 --wasted LOWER.tar,UPPER.tar; tar -tvf each of them";

/* --- waste, case by case -------------------------------------------------------------------- */

static void add(struct pile *pile, size_t layer, const char *path, size_t size)
{
    craft_zeros(pile->layer[layer], path, pile->n[size]);
    if (layer >= pile->count)
        pile->count = layer + 1;
}

static void hide(struct pile *pile, size_t layer, const char *path)
{
    craft_file(pile->layer[layer], path, "");
    if (layer >= pile->count)
        pile->count = layer + 1;
}

static uint64_t no_file(struct pile *p)
{
    craft_folder(p->layer[0], "d/");
    p->count = 1;
    return 0;
}

static uint64_t all_seen(struct pile *p)
{
    add(p, 0, "a", 0);
    add(p, 0, "d/b", 1);
    add(p, 1, "c", 2);
    craft_folder(p->layer[1], "d/");
    add(p, 1, "d/e", 3);
    hide(p, 1, ".wh.never-there");
    return 0;
}

static uint64_t replaced(struct pile *p)
{
    add(p, 0, "./a", 0);
    add(p, 0, "d/b", 1);
    add(p, 1, "a", 2);
    add(p, 1, "/d//./b", 3);
    return p->n[0] + p->n[1];
}

static uint64_t replaced_by_link(struct pile *p)
{
    add(p, 0, "a", 0);
    add(p, 0, "b", 1);
    add(p, 0, "c", 2);
    craft_symlink(p->layer[1], "a", "b");
    craft_hard_link(p->layer[1], "c", "new");
    add(p, 1, "new", 3);
    return p->n[0] + p->n[2];
}

static uint64_t hidden(struct pile *p)
{
    add(p, 0, "a", 0);
    add(p, 0, "d/a", 1);
    add(p, 0, "ab", 2);
    hide(p, 1, "d/.wh.a");
    return p->n[1];
}

static uint64_t folder_hidden(struct pile *p)
{
    add(p, 0, "d/a", 0);
    add(p, 0, "d/e/b", 1);
    add(p, 0, "dd/a", 2);
    add(p, 0, "d-a", 3);
    hide(p, 1, ".wh.d");
    return p->n[0] + p->n[1];
}

static uint64_t opaque(struct pile *p)
{
    add(p, 0, "d/a", 0);
    add(p, 0, "d/e/b", 1);
    add(p, 0, "dd", 2);
    add(p, 1, "d/own", 3);
    hide(p, 1, "d/.wh..wh..opq");
    return p->n[0] + p->n[1];
}

static uint64_t root_opaque(struct pile *p)
{
    add(p, 0, "d/a", 0);
    add(p, 1, "b", 1);
    hide(p, 2, "./.wh..wh..opq");
    add(p, 2, "c", 2);
    return p->n[0] + p->n[1];
}

static uint64_t folder_to_file(struct pile *p)
{
    add(p, 0, "d/a", 0);
    add(p, 0, "d/e/b", 1);
    add(p, 1, "d", 2);
    return p->n[0] + p->n[1];
}

static uint64_t folder_to_link(struct pile *p)
{
    add(p, 0, "d/a", 0);
    add(p, 0, "e/a", 1);
    craft_symlink(p->layer[1], "d", "e");
    p->count = 2;
    return p->n[0];
}

static uint64_t file_to_folder(struct pile *p)
{
    add(p, 0, "f", 0);
    add(p, 0, "g", 1);
    craft_folder(p->layer[1], "f/");
    add(p, 1, "f/x", 2);
    add(p, 1, "g/x", 3); /* the folder itself is not in the archive */
    return p->n[0] + p->n[1];
}

static uint64_t again_and_again(struct pile *p)
{
    add(p, 0, "a", 0);
    hide(p, 1, ".wh.a");
    add(p, 2, "a", 1);
    hide(p, 3, ".wh.a");
    return p->n[0] + p->n[1];
}

static uint64_t counted_once(struct pile *p)
{
    add(p, 0, "d/a", 0);
    hide(p, 1, "d/.wh.a");
    hide(p, 2, ".wh.d");
    add(p, 3, "d/a", 1);
    return p->n[0];
}

static uint64_t own_stays(struct pile *p)
{
    add(p, 0, "a", 0);
    add(p, 0, "b", 1);
    add(p, 1, "a", 2);
    hide(p, 1, ".wh.a");
    hide(p, 1, ".wh.b");
    add(p, 1, "b", 3);
    return p->n[0] + p->n[1];
}

static uint64_t only_below(struct pile *p)
{
    hide(p, 0, ".wh.a");
    hide(p, 0, "d/.wh..wh..opq");
    add(p, 1, "a", 0);
    add(p, 1, "d/b", 1);
    add(p, 2, "d/c", 2);
    return 0;
}

static uint64_t in_between(struct pile *p)
{
    add(p, 0, "a", 0);
    add(p, 1, "d/a", 1);
    hide(p, 2, ".wh.d");
    add(p, 3, "d/b", 2);
    return p->n[1];
}

/* A file is seen as long as one of its names is. */
static uint64_t other_name(struct pile *p)
{
    add(p, 0, "a", 0);
    craft_hard_link(p->layer[0], "d/b", "a");
    add(p, 0, "c", 1);
    craft_hard_link(p->layer[0], "d/e", "c");
    hide(p, 1, ".wh.a");
    hide(p, 1, ".wh.c");
    hide(p, 2, "d/.wh.e");
    return p->n[1];
}

/* As tar(1) writes it. */
static uint64_t name_with_dot(struct pile *p)
{
    add(p, 0, "./a", 0);
    craft_hard_link(p->layer[0], "./d/b", "./a");
    hide(p, 1, "./.wh.a");
    return 0;
}

/* Each is made of the one before. */
static uint64_t names_of_names(struct pile *p)
{
    add(p, 0, "a", 0);
    craft_hard_link(p->layer[0], "b", "a");
    craft_hard_link(p->layer[0], "d/c", "b");
    add(p, 0, "e", 1);
    craft_hard_link(p->layer[0], "d/f", "e");
    craft_hard_link(p->layer[0], "g", "d/f");
    hide(p, 1, ".wh.a");
    hide(p, 1, ".wh.b");
    hide(p, 1, ".wh.e");
    hide(p, 1, "d/.wh.f");
    hide(p, 2, ".wh.g");
    return p->n[1];
}

static const struct {
    const char *what, *because;
    uint64_t (*make)(struct pile *pile);
} cases[] = {
    {"a layer without a file", "seen-counted", no_file},
    {"nothing replaced or hidden", "seen-counted", all_seen},
    {"files replaced, however they are spelt", "replaced", replaced},
    {"files replaced by a symbolic and a hard link", "replaced", replaced_by_link},
    {"a file hidden in a folder", "hidden", hidden},
    {"a folder hidden", "folder-hidden", folder_hidden},
    {"an opaque folder", "opaque", opaque},
    {"an opaque root over two layers", "opaque", root_opaque},
    {"a folder replaced by a file", "replaced-otherwise", folder_to_file},
    {"a folder replaced by a link", "replaced-otherwise", folder_to_link},
    {"files replaced by folders", "replaced-otherwise", file_to_folder},
    {"a file made and deleted twice", "again", again_and_again},
    {"a file hidden twice, counted once", "again", counted_once},
    {"a layer that hides and has a name", "own-counted", own_stays},
    {"marks in layers below", "own-counted", only_below},
    {"a folder of the middle layer hidden", "folder-hidden", in_between},
    {"one of two names hidden, and both", "other-name", other_name},
    {"a hard link to \"./a\", and \"a\" hidden", "other-name", name_with_dot},
    {"two of three names hidden, and all", "other-name", names_of_names},
};

struct pile image_pile(struct grade *g)
{
    struct pile pile = {.g = g};

    for (size_t i = 0; i < LAYERS; i++)
        pile.layer[i] = craft_new(g);
    for (size_t i = 0; i < SIZES; i++)
        pile.n[i] = (uint64_t)grade_between(g, 1000, 30000);
    return pile;
}

static struct answer ask_waste(struct run *room, struct pile *pile)
{
    struct grade *g = run_grade(room);
    struct blob blobs[LAYERS];
    const char *list = "";

    for (size_t i = 0; i < pile->count; i++) {
        blobs[i] = craft_blob(pile->layer[i], (enum craft_coding)grade_random(g, 3));
        list = say(g, "%s%s/proc/self/fd/%zu", list, i > 0 ? "," : "", IMAGE_FD + i);
    }
    return image_ask(room, NULL, "--wasted", list, blobs, pile->count);
}

void image_check_waste(struct run *room, struct pile *pile, uint64_t wanted, const char *because,
                       const char *what)
{
    struct answer answer = ask_waste(room, pile);

    image_check_number(run_grade(room), &answer, wanted, because, what, see_waste);
}

static void check_cases(struct run *room)
{
    struct grade *g = run_grade(room);

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t mark = grade_deferred(g);
        struct pile pile = image_pile(g);
        image_check_waste(room, &pile, cases[i].make(&pile), cases[i].because, cases[i].what);
        grade_undo(g, mark);
    }
}

void image_stepwaste(struct grade *g)
{
    struct run *room = outside_open(g, false);

    image_check_sizes(room);
    check_cases(room);
    for (int i = 0; i < 6; i++)
        image_check_random(room);
}
