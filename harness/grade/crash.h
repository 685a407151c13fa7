/* Where a lab program crashed, told from the line that labs/given/crash.c prints. */
#pragma once

#include "grade/step.h"

/* Adds a note "crashed: SIGSEGV in root_pivot (root.c:42)" when the step's log holds such a
 * line. */
void crash_note(struct grade *g);
