/* Watching a store while a program puts something into it: 07-image-watch.c is what the tracer
 * does, 07-image-crash.c asks for it. */
#pragma once

#include <stdatomic.h>

#include "digest/digest.h"
#include "grade/trace.h"
#include "graders/07-image.h"

enum { SYNCED_MAX = 64, NAMES_MAX = 16, FDS_MAX = 64, HELD_MS = 5000 };

/* What the tracer does when a file of the store has been written to in part. */
enum then { GO_ON, KILL, HOLD };

/* A file that was synced: it will survive a power failure with this content. */
struct synced {
    ino_t ino;
    char digest[DIGEST_HEX];
};

struct watch {
    const char *store; /* its path in the room, and its file system */
    dev_t dev;
    int room;    /* a pidfd of the room's */
    bool member; /* the tracer is in the room's user namespace */
    bool begun;  /* the program has opened something in the store */
    enum then then;
    bool wait_for_name; /* KILL not at the first bytes, but when a blob has its name */

    char known[NAMES_MAX][DIGEST_HEX]; /* the names in blobs/sha256 so far */
    size_t names, names_before;
    struct synced synced[SYNCED_MAX];
    size_t synced_count;
    bool folder_synced; /* since the last name came */
    bool by_call;       /* a file was synced by a call that can fail, and not by O_DSYNC */
    char left_open[64]; /* what of the store the program had open when it ended, or "" */
    bool broken;        /* the first fault, in words */
    char because[32], fault[160];
    _Atomic bool partial; /* such a file has been seen */
    _Atomic bool go;      /* HOLD ends */
};

/* Is this name among those known? It is from now on. */
bool image_is_known(struct watch *watch, const char *name);

/* What a process in a room has open, where ids are subordinate ones, only a member of its user
 * namespace may see. The tracer becomes one, by a pidfd of the room's: its memory stays ours
 * (kernel/inside.h). */
void image_join(int room);

/* What the tracer does at each call; `memory` is a struct watch that it shares with the
 * harness. */
void image_look(void *memory, const struct trace_call *call, bool entry);
