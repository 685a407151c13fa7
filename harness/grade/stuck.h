/* Why nothing happens: which system call a process and its children sit in. */
#pragma once

#include <sys/types.h>

#include "grade/step.h"

/* "lab03 (pid 2) waits in read(5, ...); …" for it and the first processes below it, and how many
 * more there are; lives as long as the step. `room_pidfd` and `room` are PID 1 of its room: a
 * member of its user namespace may look where an ordinary user outside may not. */
const char *stuck_describe(struct grade *g, pid_t pid, int room_pidfd, pid_t room);
