/* The paths that archives hold. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "07-image/given_tar.h"

int tar_spell(const char *path, char spelt[PATH_MAX])
{
    size_t used = 0;

    if (path[0] == '\0')
        return -ENOENT;
    if (strlen(path) >= PATH_MAX)
        return -ENAMETOOLONG;
    while (*(path += strspn(path, "/")) != '\0') {
        size_t length = strcspn(path, "/");
        if (length != 1 || path[0] != '.') {
            if (used > 0)
                spelt[used++] = '/';
            memcpy(spelt + used, path, length);
            used += length;
        }
        path += length;
    }
    spelt[used] = '\0';
    return 0;
}

int tar_each(int blob, int (*visit)(void *arg, const struct tar_entry *entry, char path[PATH_MAX]),
             void *arg)
{
    char path[PATH_MAX];
    struct tar_entry entry;
    struct tar *tar;
    int result = tar_open(blob, &tar);

    if (result < 0)
        return result;
    while ((result = tar_next(tar, &entry)) > 0) {
        result = tar_spell(entry.path, path);
        if (result == 0)
            result = visit(arg, &entry, path);
        if (result != 0)
            break;
    }
    tar_close(tar);
    return result;
}

int tar_place(int root, const char *path, char name[NAME_MAX + 1])
{
    char folder[PATH_MAX];
    int result = tar_spell(path, folder);

    if (result < 0)
        return result;
    char *slash = strrchr(folder, '/');
    const char *last = slash != NULL ? slash + 1 : folder;
    if (strlen(last) > NAME_MAX)
        return -ENAMETOOLONG;
    strcpy(name, *last != '\0' ? last : ".");
    *(slash != NULL ? slash : folder) = '\0';

    for (char *end = folder; *end != '\0';) { /* "a", then "a/b", then "a/b/c" */
        end += strcspn(end + 1, "/") + 1;
        char kept = *end;
        *end = '\0';
        result = mkdirat(root, folder, 0755);
        *end = kept;
        if (result < 0 && errno != EEXIST)
            return -errno;
    }
    int fd = openat(root, *folder != '\0' ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}
