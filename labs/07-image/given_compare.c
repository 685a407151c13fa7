#include "07-image/given_compare.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/openat2.h>

#include "07-image/given_paths.h"
#include "07-image/given_tar.h"

/* A path may come twice in an archive, and the last one counts: the number of each path is that of
 * its last entry. */
static int number_paths(int blob, struct paths *paths)
{
    char spelt[PATH_MAX];
    struct tar_entry entry;
    struct tar *tar;
    uint64_t number = 0;
    int result = tar_open(blob, &tar);

    while (result == 0 && (result = tar_next(tar, &entry)) > 0) {
        result = tar_spell(entry.path, spelt);
        uint64_t *last = result == 0 ? paths_add(paths, spelt) : NULL;
        if (last != NULL)
            *last = ++number;
        else if (result == 0)
            result = -ENOMEM;
    }
    tar_close(tar);
    return result;
}

static int same_content(struct tar *tar, int fd)
{
    char ours[16 * 1024], theirs[16 * 1024];
    ssize_t n;

    while ((n = tar_read(tar, theirs, sizeof theirs)) > 0) {
        ssize_t done = 0, more = 1;
        while (done < n && (more = read(fd, ours + done, (size_t)(n - done))) > 0)
            done += more;
        if (more < 0)
            return -errno;
        if (done < n || memcmp(ours, theirs, (size_t)n) != 0)
            return -EBADMSG;
    }
    if (n < 0)
        return (int)n;
    return read(fd, ours, 1) == 0 ? 0 : -EBADMSG;
}

static int compare_file(struct tar *tar, const struct tar_entry *entry, int folder,
                        const struct open_how *how, const char *spelt)
{
    struct stat st;
    struct open_how to_read = *how;

    to_read.flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC;
    int fd = (int)syscall(SYS_openat2, folder, spelt, &to_read, sizeof to_read);
    if (fd < 0)
        return errno == EACCES ? 0 : -errno; /* mode 0, and we are not root: it is there */
    int result = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (uint64_t)st.st_size == entry->size
                     ? same_content(tar, fd)
                     : -EBADMSG;
    close(fd);
    return result;
}

static int compare_entry(struct tar *tar, const struct tar_entry *entry, int folder,
                         const char *spelt)
{
    static const struct open_how how = {.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
                                        .resolve = RESOLVE_BENEATH};
    char target[PATH_MAX];
    struct stat st;
    mode_t kind = entry->mode & S_IFMT;

    if (entry->hard_link == NULL && S_ISREG(kind))
        return compare_file(tar, entry, folder, &how, spelt);
    if (entry->hard_link == NULL && !S_ISDIR(kind) && !S_ISLNK(kind) && !S_ISFIFO(kind))
        return 0;
    int fd = (int)syscall(SYS_openat2, folder, spelt[0] != '\0' ? spelt : ".", &how, sizeof how);
    if (fd < 0)
        return -errno;
    int result = fstat(fd, &st) < 0 ? -errno : 0;
    if (result == 0 && entry->hard_link == NULL && (st.st_mode & S_IFMT) != kind)
        result = -EBADMSG;
    if (result == 0 && entry->symlink != NULL) {
        ssize_t n = readlinkat(fd, "", target, sizeof target - 1);
        target[n > 0 ? n : 0] = '\0';
        if (strcmp(target, entry->symlink) != 0)
            result = -EBADMSG;
    }
    close(fd);
    return result;
}

/* What a whiteout hides must not show: it is a device 0:0, or something of this layer. */
static int compare_whiteout(int folder, char *spelt, const struct paths *paths)
{
    char *slash = strrchr(spelt, '/'), *name = slash != NULL ? slash + 1 : spelt;
    struct stat st;

    if (strncmp(name, ".wh..wh.", 8) == 0)
        return 0;
    memmove(name, name + 4, strlen(name + 4) + 1);
    if (paths_find(paths, spelt) != NULL)
        return 0;
    if (fstatat(folder, spelt, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return -errno;
    return (S_ISCHR(st.st_mode) && st.st_rdev == 0) || S_ISDIR(st.st_mode) ? 0 : -EBADMSG;
}

int compare_layer(int blob, int folder, const char *name, struct fault *fault)
{
    char spelt[PATH_MAX];
    struct paths paths = {0};
    struct tar_entry entry;
    struct tar *tar = NULL;
    uint64_t number = 0;
    int result = number_paths(blob, &paths);

    if (result == 0)
        result = tar_open(blob, &tar);
    while (result == 0 && (result = tar_next(tar, &entry)) > 0) {
        result = tar_spell(entry.path, spelt);
        const uint64_t *last = paths_find(&paths, spelt);
        if (result < 0 || last == NULL || *last != ++number)
            continue;
        const char *slash = strrchr(spelt, '/');
        if (strncmp(slash != NULL ? slash + 1 : spelt, ".wh.", 4) == 0)
            result = compare_whiteout(folder, spelt, &paths);
        else
            result = compare_entry(tar, &entry, folder, spelt);
        if (result < 0)
            fault_set(fault, result, "%s is not the layer any more: %.200s is %s", name, spelt,
                      result == -ENOENT ? "missing" : "changed");
    }
    tar_close(tar);
    paths_free(&paths);
    return result < 0
               ? fault_set(fault, result, "%s cannot be compared: %s", name, fault_reason(result))
               : 0;
}
