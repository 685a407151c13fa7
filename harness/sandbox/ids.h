/* Which ids a sandbox maps. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

enum { IDS_FULL = 65536 };

/* Where the ids of a sandbox come from. */
struct ids_plan {
    enum { IDS_DIRECT, IDS_HELPER, IDS_SINGLE } way;
    unsigned long uid; /* the first of our ids that is lent */
    unsigned long gid;
    unsigned count; /* 65536, or 1 */
};

/* Root lends 65536 ids that own nothing on the machine; a user with subordinate ids lends those
 * (by newuidmap(1)); any other user has only the own id to lend. */
void ids_choose(bool single, struct ids_plan *plan);

/* Maps ids 0..count-1 of pid's new user namespace as planned. 0 or -errno. */
int ids_apply(pid_t pid, const struct ids_plan *plan);

/* Maps ids 0..count-1 to `first` and up, by writing the map files. */
/* Returns 0 or -errno. */
int ids_write(pid_t pid, unsigned long first, unsigned count);
