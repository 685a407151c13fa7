/* What the three parts of run.c share. Graders see run.h only. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "grade/run.h"
#include "probe/probe.h"

enum { OUTPUT_MAX = 64 << 10 /* what run_output keeps */ };

struct run {
    struct grade *g;
    struct room *room; /* own_room, or that of the run it is beside */
    struct room own_room;
    struct room_process process;
    struct payload payload;
    bool has_payload;
    bool no_payload;    /* runs something else than the probe               */
    ino_t socket_inode; /* of the end that the payload has                  */
    int probe;          /* our end; -1: closed                              */
    int errors;         /* its standard error; -1: closed                   */
    int output;         /* its standard output without the probe; -1        */
    size_t printed;
    char text[OUTPUT_MAX + 1];
    size_t text_length;
    char reply[PROBE_TEXT];
    bool has_reply;
    bool two_voices;   /* somebody else spoke in the payload's name        */
    char refused[256]; /* why somebody who claimed to be the probe was not */
};

/* How long we wait, in seconds: RUN_SECONDS, or less for tests of the harness. */
int run_patience(void);

/* Waits at most `milliseconds` for something to happen, and takes in what did. */
void run_pump(struct run *run, int milliseconds);

/* Pumps until *flag. Returns false when the patience was over first, or *end (when given). */
bool run_pump_until(struct run *run, const bool *flag, const bool *end);

/* Takes in everything that the program wrote before it ended: it is in the pipes by now. */
void run_drain(struct run *run);

void run_close_fd(int *fd);
