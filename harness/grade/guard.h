/*
 * Running a piece of a grader so that whatever it does comes back here: a verdict, a crash.
 */
#pragma once

#include "grade/grade.h"

/* Calls work(g). Returns true if it came back by itself; false if guard_escape() or a deadly
 * signal ended it: g->crash then holds the signal, or 0. Guards nest. */
bool guard(struct grade *g, void (*work)(struct grade *g));

/* Leaves the innermost guard of g. In a forked child, or without a guard, the process ends. */
_Noreturn void guard_escape(struct grade *g);
