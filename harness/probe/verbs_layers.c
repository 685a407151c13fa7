/* Verbs about layers of files: what they are made of, and changes to them. */
#include "probe/verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

/* Takes the next word off the arguments; "" when there is none. */
static char *next_word(char **arguments)
{
    static char none[1];

    return *arguments != NULL ? strsep(arguments, " ") : none;
}

/* mount-with TYPE TARGET FLAGS OPTIONS: FLAGS is a number. */
static void verb_mount_with(char *arguments, struct answer *answer)
{
    const char *type = next_word(&arguments);
    const char *target = next_word(&arguments);
    unsigned long flags = strtoul(next_word(&arguments), NULL, 0);

    put_result(answer, mount(type, target, type, flags, arguments) == 0);
}

/* whiteout PATH: the character device 0:0. */
static void verb_whiteout(char *arguments, struct answer *answer)
{
    put_result(answer, mknod(arguments, S_IFCHR, makedev(0, 0)) == 0);
}

/* set-attribute NAME VALUE PATH, get-attribute NAME PATH, attributes PATH: their names. */
static void verb_set_attribute(char *arguments, struct answer *answer)
{
    const char *name = next_word(&arguments), *value = next_word(&arguments);

    put_result(answer,
               setxattr(arguments != NULL ? arguments : "", name, value, strlen(value), 0) == 0);
}

static void verb_get_attribute(char *arguments, struct answer *answer)
{
    const char *name = next_word(&arguments);
    char value[256];
    ssize_t length = getxattr(arguments != NULL ? arguments : "", name, value, sizeof value);

    put_result(answer, length >= 0);
    if (length >= 0)
        put(answer, " %.*s", (int)length, value);
}

static void verb_attributes(char *arguments, struct answer *answer)
{
    char names[1024];
    ssize_t length = listxattr(arguments, names, sizeof names);

    put_result(answer, length >= 0);
    for (ssize_t at = 0; at < length; at += (ssize_t)strlen(names + at) + 1)
        put(answer, " %s", names + at);
}

/* Makes the folders that `path` lies in. */
static bool make_above(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        bool good = mkdir(path, 0755) == 0 || errno == EEXIST;
        *slash = '/';
        if (!good)
            return false;
    }
    return true;
}

/* folders PATH: the folder and those that it lies in. */
static void verb_folders(char *arguments, struct answer *answer)
{
    put_result(answer, make_above(arguments) && mkdir(arguments, 0755) == 0);
}

/* put PATH TEXT: a file, and the folders that it lies in. */
static void verb_put(char *arguments, struct answer *answer)
{
    char *path = next_word(&arguments);
    int fd = make_above(path) ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644) : -1;

    put_result(answer,
               fd >= 0 && (arguments == NULL || write(fd, arguments, strlen(arguments)) >= 0));
    if (fd >= 0)
        close(fd);
}

/* append PATH TEXT: to a file that is there. With no text it is opened for writing all the same. */
static void verb_append(char *arguments, struct answer *answer)
{
    const char *path = next_word(&arguments);
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);

    put_result(answer,
               fd >= 0 && (arguments == NULL || write(fd, arguments, strlen(arguments)) >= 0));
    if (fd >= 0)
        close(fd);
}

/* remove PATH: a file or an empty folder. */
static void verb_remove(char *arguments, struct answer *answer)
{
    put_result(answer, remove(arguments) == 0);
}

/* rename PATH NEW */
static void verb_rename(char *arguments, struct answer *answer)
{
    const char *path = next_word(&arguments);

    put_result(answer, rename(path, arguments != NULL ? arguments : "") == 0);
}

const struct verb verbs_of_layers[] = {
    {"mount-with", verb_mount_with},
    {"whiteout", verb_whiteout},
    {"set-attribute", verb_set_attribute},
    {"get-attribute", verb_get_attribute},
    {"attributes", verb_attributes},
    {"folders", verb_folders},
    {"put", verb_put},
    {"append", verb_append},
    {"remove", verb_remove},
    {"rename", verb_rename},
    {0},
};
