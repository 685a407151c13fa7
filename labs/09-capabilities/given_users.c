/* Reads the container's /etc/passwd and /etc/group. Not by getpwnam(3): that loads libraries to
 * look names up with, here from a root that strangers have filled, and would run what is in them as
 * root. (docker cp had this: CVE-2019-14271.) fgetpwent(3) reads lines, and no more. */
#include "09-capabilities/given_users.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A plain file, or NULL. (A FIFO in its place would keep us waiting for ever.) */
static FILE *open_list(const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    if (fd < 0)
        return NULL;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
        FILE *list = fdopen(fd, "re");
        if (list != NULL)
            return list;
    }
    close(fd);
    return NULL;
}

static bool is_number(const char *text, unsigned *number)
{
    char *end;

    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (errno != 0 || text[0] < '0' || text[0] > '9' || *end != '\0' || value > (unsigned)-1)
        return false;
    *number = (unsigned)value;
    return true;
}

/* The first line of /etc/passwd for this name or number; *name is the caller's to free. */
static bool find_user(const char *text, struct user *user, char **name)
{
    FILE *list = open_list("/etc/passwd");
    unsigned number = 0;
    bool numeric = is_number(text, &number), found = false;

    user->uid = number;
    user->gid = 0;
    for (struct passwd *line; list != NULL && !found && (line = fgetpwent(list)) != NULL;) {
        found = numeric ? line->pw_uid == number : strcmp(line->pw_name, text) == 0;
        if (found) {
            user->uid = line->pw_uid;
            user->gid = line->pw_gid;
            *name = strdup(line->pw_name);
        }
    }
    if (list != NULL)
        fclose(list);
    return found || numeric;
}

static bool find_group(const char *text, gid_t *gid)
{
    FILE *list = open_list("/etc/group");
    bool found = is_number(text, gid);

    for (struct group *line; list != NULL && !found && (line = fgetgrent(list)) != NULL;) {
        found = strcmp(line->gr_name, text) == 0;
        if (found)
            *gid = line->gr_gid;
    }
    if (list != NULL)
        fclose(list);
    return found;
}

static int add_group(struct user *user, gid_t gid)
{
    for (size_t i = 0; i < user->count; i++)
        if (user->groups[i] == gid)
            return 0;
    if (user->count == USER_GROUPS_MAX)
        return -E2BIG;
    user->groups[user->count++] = gid;
    return 0;
}

static int add_listed_groups(struct user *user, const char *name)
{
    FILE *list = open_list("/etc/group");
    int result = 0;

    for (struct group *line; list != NULL && result == 0 && (line = fgetgrent(list)) != NULL;)
        for (char **member = line->gr_mem; result == 0 && *member != NULL; member++)
            if (strcmp(*member, name) == 0)
                result = add_group(user, line->gr_gid);
    if (list != NULL)
        fclose(list);
    return result;
}

int users_find(const char *text, struct user *user)
{
    char *copy = strdup(text), *group = copy, *name = NULL;
    int result = copy == NULL ? -ENOMEM : 0;

    if (copy != NULL) {
        strsep(&group, ":");
        if (!find_user(copy, user, &name) || (group != NULL && !find_group(group, &user->gid)))
            result = -EINVAL;
    }
    if (result == 0 && group == NULL && name != NULL)
        result = add_listed_groups(user, name);
    free(name);
    free(copy);
    return result;
}

int users_add_group(const char *text, struct user *user)
{
    gid_t gid;

    return find_group(text, &gid) ? add_group(user, gid) : -EINVAL;
}
