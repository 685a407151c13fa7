/* PID 1 of a room. Runs in the sandbox's own program, never in the harness. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct inner_options {
    bool rootfs;      /* unpack /strata/rootfs.tar            */
    bool cgroups;     /* wait for control groups              */
    bool no_as_limit; /* see sandbox_options                  */
    int socket;       /* the room's end                       */
};

/* Sets the room up and serves its socket until that ends; then exits, and the kernel ends all that
 * runs in the room. */
_Noreturn void inner_serve(const struct inner_options *options);
