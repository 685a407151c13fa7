/* Piles of layers, as the three parts of step 5's grader make them. */
#pragma once

#include "graders/07-image.h"

enum { LAYERS = 4, SIZES = 4 };

struct pile {
    struct grade *g;
    struct craft *layer[LAYERS]; /* the lowest first */
    size_t count;
    uint64_t n[SIZES]; /* random sizes */
};

struct pile image_pile(struct grade *g);

/* Asks how many of its bytes nobody can see, which must be `wanted`. */
void image_check_waste(struct run *room, struct pile *pile, uint64_t wanted, const char *because,
                       const char *what);

/* Our number and theirs. */
void image_check_number(struct grade *g, const struct answer *answer, uint64_t wanted,
                        const char *because, const char *what, const char *see);

/* What a layer's files hold, and archives that break off. */
void image_check_sizes(struct run *room);

/* Four layers drawn at random. */
void image_check_random(struct run *room);
