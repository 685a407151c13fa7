/*
 * How a grader and the probe talk: one text a datagram, over the probe's fd 0.
 *
 * The probe says "hello" once it runs; then each request gets one reply. A request is a verb and
 * its arguments, separated by single spaces (the last argument may hold spaces). A reply begins
 * with "ok" or with "error NUMBER"; what follows is the answer. The verbs are
 * in verbs_*.c. (As `probe --start-with ...` it is no payload, but starts another program with
 * other powers: start_with.h.)
 *
 * The probe is static and brings no files of its own: it runs in an empty root.
 */
#pragma once

enum { PROBE_TEXT = 32 * 1024 };

#define PROBE_HELLO "hello"
