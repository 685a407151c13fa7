/* The default profile: what a program in a container needs of the kernel, and what it must not
 * have. */
#pragma once

#include "10-seccomp/filter.h"

/* Calls of no group get ENOSYS, as from an older kernel: programs know how to live with that, and
 * what tomorrow's kernel adds is refused today. The four calls about namespaces are in no group:
 * filter_deny_namespaces sees to them. */
const struct filter_profile *profile_default(void);
