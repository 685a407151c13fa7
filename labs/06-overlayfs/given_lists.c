/* Lists that grow. */
#include "06-overlayfs/given_lists.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Makes room for one more item of `size` bytes. */
static int grow(void **list, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return 0;
    size_t more = *room == 0 ? 16 : 2 * *room;
    void *bigger = reallocarray(*list, more, size);
    if (bigger == NULL)
        return -ENOMEM;
    *list = bigger;
    *room = more;
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int names_add(struct names *names, const char *name)
{
    void *list = names->list;
    int result = grow(&list, names->count, &names->room, sizeof *names->list);

    names->list = list;
    if (result < 0)
        return result;
    char *copy = strdup(name);
    if (copy == NULL)
        return -ENOMEM;
    names->list[names->count++] = copy;
    return 0;
}

/* Sorts, so that equal ones stand side by side, and drops all but one of those. */
static void names_once(struct names *names)
{
    size_t kept = 0;

    if (names->count > 0)
        qsort(names->list, names->count, sizeof *names->list, by_name);
    for (size_t i = 0; i < names->count; i++) {
        if (kept > 0 && strcmp(names->list[kept - 1], names->list[i]) == 0)
            free(names->list[i]);
        else
            names->list[kept++] = names->list[i];
    }
    names->count = kept;
}

/* Takes the names that an open list has, and closes it. */
static int names_take(struct names *names, DIR *list)
{
    struct dirent *entry;
    int result = 0;

    while (result == 0 && (errno = 0, entry = readdir(list)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            result = names_add(names, entry->d_name);
    if (result == 0 && errno != 0)
        result = -errno;
    closedir(list);
    names_once(names);
    return result;
}

int names_read(struct names *names, const char *layer, const char *path)
{
    char full[PATH_MAX];

    if (snprintf(full, sizeof full, "%s%s", layer, path) >= (int)sizeof full)
        return -ENAMETOOLONG;
    DIR *list = opendir(full);
    return list != NULL ? names_take(names, list) : -errno;
}

int names_of(struct names *names, int folder)
{
    int again = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* with its own offset */
    DIR *list = again >= 0 ? fdopendir(again) : NULL;
    int result = list != NULL ? 0 : -errno;

    if (list == NULL && again >= 0)
        close(again);
    return result < 0 ? result : names_take(names, list);
}

void names_free(struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->list[i]);
    free(names->list);
    *names = (struct names){0};
}

int changes_add(struct changes *changes, enum overlay_kind kind, const char *path)
{
    void *list = changes->list;
    int result = grow(&list, changes->count, &changes->room, sizeof *changes->list);

    changes->list = list;
    if (result < 0)
        return result;
    struct change *change = &changes->list[changes->count];
    change->kind = kind;
    change->path = strdup(path);
    if (change->path == NULL)
        return -ENOMEM;
    changes->count++;
    return 0;
}

static int by_path(const void *a, const void *b)
{
    const struct change *one = a, *other = b;

    return strcmp(one->path, other->path);
}

int changes_report(struct changes *changes,
                   int (*report)(void *arg, enum overlay_kind kind, const char *path), void *arg)
{
    int result = 0;

    if (changes->count > 0)
        qsort(changes->list, changes->count, sizeof *changes->list, by_path);
    for (size_t i = 0; result == 0 && i < changes->count; i++)
        result = report(arg, changes->list[i].kind, changes->list[i].path);
    return result;
}

void changes_free(struct changes *changes)
{
    for (size_t i = 0; i < changes->count; i++)
        free(changes->list[i].path);
    free(changes->list);
    *changes = (struct changes){0};
}
