/* A system call with all that goes into its registers, and the two ways of a 64-bit program into
 * the kernel. */
#pragma once

#include <stdbool.h>

struct call {
    long number;
    unsigned long args[6];
};

/* "NUMBER [ARG...]": false when it is not that. */
bool call_read(const char *text, struct call *call);

/* What the kernel returns, or -errno; call_make_32 by int 0x80, -ENOSYS where there is none. */
long call_make(const struct call *call);
long call_make_32(const struct call *call);
