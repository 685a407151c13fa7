/* Questions to the student's program about processes made fresh: steps 5 to 7 of lab 01.
 *
 * Here the product is a reading, so the program prints it, and we compare it with a reading of our
 * own. The processes are made by probes in the same room, with values drawn at random. We know
 * them by other numbers than the room does, and translate. */
#pragma once

#include "graders/01-process.h"

/* How a process that we number `pid` is numbered in the room; 0: it has no number there. */
pid_t process_inside(struct run *run, pid_t pid);

/* The other way. */
pid_t process_outside(struct run *run, pid_t inside);

/* Runs the program with one question, and waits for its answer. */
struct run *process_ask(struct run *helper, const char *option, const char *value);
const char *process_answer(struct run *run, const char *option, const char *value);

/* A question without an answer ends with 125 and this error. */
void process_check_error(struct run *helper, const char *option, const char *value, int error,
                         const char *because, const char *what);

/* The room's number of a process that has been there and is gone, reaped and all. */
pid_t process_vanished(struct run *helper);

/* Waits until a process is in a state of proc(5). */
void process_wait_for_state(struct run *run, pid_t inside, char state);
