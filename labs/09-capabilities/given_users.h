/* From a name to numbers, by the container's own /etc/passwd and /etc/group. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

enum { USER_GROUPS_MAX = 32 };

struct user {
    uid_t uid;
    gid_t gid;
    gid_t groups[USER_GROUPS_MAX]; /* supplementary ones */
    size_t count;
};

/* Reads "USER[:GROUP]", each a name or a number, as docker run -u does. Without GROUP the gid is
 * the one that /etc/passwd has for USER (0 when USER is not listed), and the groups are those of
 * /etc/group that list USER; with GROUP there are none. Called below the container's root.
 * -EINVAL for a name that is not listed. */
int users_find(const char *text, struct user *user);

/* Adds "GROUP", a name or a number, to user->groups. -EINVAL as above, -E2BIG. */
int users_add_group(const char *text, struct user *user);
