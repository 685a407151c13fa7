/* Ranges of ids, from the command line and from /proc/self. */
#pragma once

#include <stddef.h>

#include "08-user/user.h"

enum { RANGES_MAX = 400 }; /* more than the kernel takes: refusing them is its affair */

struct ranges {
    struct user_range list[RANGES_MAX];
    size_t count;
};

/* Adds what "INSIDE:OUTSIDE:COUNT[,INSIDE:OUTSIDE:COUNT...]" says. 0, -EINVAL or -E2BIG. */
int ranges_parse(struct ranges *ranges, const char *text);

/* All ids that this process's own user namespace has, each as itself. `file` is
 * /proc/self/uid_map or /proc/self/gid_map. 0 or -errno. */
int ranges_all(struct ranges *ranges, const char *file);

/* A number of 32 bits in decimal, up to the character `end`; *rest is what follows that. */
int ranges_number(const char *text, char end, uint32_t *number, const char **rest);
