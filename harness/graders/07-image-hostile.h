/* Archives that mean ill, and the scene that they are unpacked in. */
#pragma once

#include "graders/07-image.h"

enum { LINES = 9 };

/* An entry of an archive, or something that lies in the folder. An "@" that a path or link begins
 * with stands for the scene's own folder: "@/victim" is outside of the root, "@/root" the root.
 * "#255" stands for a name of 255 bytes. */
struct line {
    char kind; /* as ls -l shows it (l, d, p, c, b), but f for a file, and h for a hard link */
    const char *path;
    const char *to; /* of links: where to; of files: their content; NULL: the path */
    mode_t mode;
};

struct attack {
    const char *what, *because;
    int error; /* what it must be refused with; 0: it must be unpacked; -1: either       */
    struct line archive[LINES];
    struct line planted[LINES]; /* what is there before: left by an earlier layer               */
    struct line wanted[LINES];  /* what must lie below the root afterwards                      */
    bool by_archive;            /* the planted come by an archive, too, and not by hand         */
};

extern const struct attack image_attacks[];
extern const size_t image_attack_count;

/* What archives may cost; few fds; where image_place says. */
void image_check_limits(struct run *room);
void image_check_few_fds(struct run *room);
void image_check_places(struct run *room);

/* A folder that becomes a link between two system calls (07-image-race.c). */
void image_check_race(struct run *room);
