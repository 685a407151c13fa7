/* Why nothing happens: which system call a process and its children sit in. */
#pragma once

#include <sys/types.h>

#include "grade/step.h"

/* "pid 2 waits in read(fd 5), its child 3 in pause()" or the like; lives as long as the step. */
const char *stuck_describe(struct grade *g, pid_t pid);
