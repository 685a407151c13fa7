/*
 * Lab 07, step 5: what layers hold, and how much of it nobody can see.
 *
 * Numbers are what this layer makes, so numbers are compared: with our own, for piles of layers
 * that this run has drawn. Sizes are random, so that no sum comes out right by chance.
 */
#include "graders/07-image-waste.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char see_size[] = "lab07 --size LAYER.tar; tar -tvf LAYER.tar";
static const char see_waste[] = "lab07 --wasted LOWER.tar,UPPER.tar; tar -tvf each of them";

/* Our number and theirs. */
static void check_number(struct grade *g, const struct answer *answer, uint64_t wanted,
                         const char *because, const char *what, const char *see)
{
    char *end;
    unsigned long long got = strtoull(answer->said, &end, 10);

    expect(g, answer->status == 0, .because = "refused",
           .expected = say(g, "%s: %llu bytes", what, (unsigned long long)wanted),
           .kernel = say(g, "status %d: %.90s", answer->status, answer->said), .see = see);
    expect(g, end != answer->said && strcmp(end, "\n") == 0 && got == wanted, .because = because,
           .expected = say(g, "%s: %llu bytes", what, (unsigned long long)wanted),
           .kernel = say(g, "it says %.60s", answer->said), .see = see);
}

/* --- what a layer holds --------------------------------------------------------------------- */

static void check_sizes(struct run *room)
{
    struct grade *g = run_grade(room);
    struct craft *craft = craft_new(g);
    uint64_t sum = 0;

    for (enum craft_coding coding = CRAFT_PLAIN; coding <= CRAFT_ZSTD; coding++) {
        for (int i = grade_between(g, 3, 6); i > 0; i--) {
            size_t size = (size_t)grade_between(g, 1, 40000);
            craft_zeros(craft, say(g, "%s/file-%d-%d", grade_word(g, 3), coding, i), size);
            sum += size;
        }
        if (coding == CRAFT_GZIP) {
            craft_folder(craft, "folder/");
            craft_file(craft, "folder/empty", "");
            craft_zeros(craft, "folder/first", 1234);
            craft_hard_link(craft, "folder/second", "folder/first");
            craft_hard_link(craft, "third", "folder/first");
            craft_symlink(craft, "folder/link", "first");
            craft_add(craft, &(struct craft_entry){.type = CRAFT_FIFO, .path = "pipe"});
            craft_file(craft, ".wh.gone", "");
            sum += 1234;
        }
        struct blob blob = craft_blob(craft, coding);
        struct answer answer = image_ask(room, NULL, "--size", IMAGE_BLOB, &blob, 1);
        check_number(g, &answer, sum, coding == CRAFT_PLAIN ? "wrong-size" : "wrong-size-links",
                     coding == CRAFT_PLAIN
                         ? "the files of a plain layer"
                         : "the files of a compressed layer with links, a FIFO and a whiteout",
                     see_size);
    }
}

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
    craft_hard_link(p->layer[0], "d/e", "./c");
    hide(p, 1, ".wh.a");
    hide(p, 1, ".wh.c");
    hide(p, 2, "d/.wh.e");
    return p->n[1];
}

static const struct {
    const char *what, *because;
    uint64_t (*make)(struct pile *pile);
} cases[] = {
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

    check_number(run_grade(room), &answer, wanted, because, what, see_waste);
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

    check_sizes(room);
    check_cases(room);
    for (int i = 0; i < 6; i++)
        image_check_random(room);

    struct blob junk = craft_raw(g, craft_noise(g, 3000), 3000);
    struct answer answer = image_ask(room, NULL, "--size", IMAGE_BLOB, &junk, 1);
    image_refuses(room, &answer, EBADMSG, "no-archive", "the size of what is no archive",
                  "given_tar.h, tar_next");
}
