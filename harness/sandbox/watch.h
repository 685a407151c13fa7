/* How much memory a sandbox uses, where no control group counts it. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

/* Bytes used by all processes below `pid`: their private memory, and whatever lies in tmpfs mounts
 * and memfds of theirs, mapped or not. An estimate, never far below the truth. */
uint64_t watch_memory(pid_t pid);
