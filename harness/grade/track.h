/*
 * A track: a way through part of the labs, for a class with three hours (TRACK=workshop make).
 * It is a page of harness/tracks/, which says how it is written.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct grade_options;
struct lab;

enum { TRACK_STOPS = 32 };

struct track_stop {
    int minutes;
    char command[16];      /* what to type after "make": "lab05", "break05", "demo"     */
    const struct lab *lab; /* whose steps are graded there; NULL: nothing is            */
    unsigned steps;        /* which: bit n-1 for step n                                 */
    char about[64];
};

struct track {
    char name[32];
    struct track_stop stops[TRACK_STOPS];
    size_t count;
};

/* Reads ROOT/harness/tracks/NAME. Stops of labs that this kit does not have are left out. 0;
 * -ENOENT, -EINVAL or another -errno, with a sentence in `fault` (`size` bytes). */
int track_load(struct track *track, const char *root, const char *name, char *fault, size_t size);

/* The steps of `lab` that are asked for: by number, else by the track that the lab is on; bit n-1
 * for step n. 0: all. */
unsigned track_asked(const struct grade_options *options, const struct lab *lab);

/* What follows the stop at which `lab` was graded: "make break05", after the last one "make". False
 * when the lab is on no track, or other steps than the track's were asked for. */
bool track_next(const struct grade_options *options, const struct lab *lab, char *text,
                size_t size);
