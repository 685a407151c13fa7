/* From an entry of an archive to a file. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "07-image/given_tar.h"

int tar_clear(int parent, const char *name)
{
    if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
        return 0;
    if (errno != EISDIR)
        return -errno;
    return unlinkat(parent, name, AT_REMOVEDIR) < 0 ? -errno : 0;
}

/* Owners that are not ours to give are left: -EPERM to whom may not, -EINVAL for an id that the
 * user namespace does not map. */
static int owner_result(int result, bool *given)
{
    *given = result == 0;
    return result == 0 || errno == EPERM || errno == EINVAL ? 0 : -errno;
}

/* Owner, mode and time, in this order: a change of owner takes setuid bits away. */
static int dress(const struct tar_entry *entry, int fd)
{
    const struct timespec times[2] = {entry->mtime, entry->mtime};
    mode_t mode = entry->mode & 07777;
    bool given;

    int result = owner_result(fchown(fd, entry->uid, entry->gid), &given);
    if (result < 0)
        return result;
    if (S_ISDIR(entry->mode)) {
        if (geteuid() != 0)
            mode |= S_IRWXU;
    } else if (!given) {
        mode &= (mode_t) ~(S_ISUID | S_ISGID); /* not with our rights */
    }
    return fchmod(fd, mode) < 0 || futimens(fd, times) < 0 ? -errno : 0;
}

static int dress_name(const struct tar_entry *entry, int parent, const char *name)
{
    const struct timespec times[2] = {entry->mtime, entry->mtime};
    bool given;

    int result =
        owner_result(fchownat(parent, name, entry->uid, entry->gid, AT_SYMLINK_NOFOLLOW), &given);
    if (result == 0 && utimensat(parent, name, times, AT_SYMLINK_NOFOLLOW) < 0)
        result = -errno;
    return result;
}

static int make_folder(const struct tar_entry *entry, int parent, const char *name)
{
    static const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    int fd = openat(parent, name, flags);

    if (fd < 0) {
        int result = tar_clear(parent, name);
        if (result < 0)
            return result;
        if (mkdirat(parent, name, 0700) < 0 || (fd = openat(parent, name, flags)) < 0)
            return -errno;
    }
    int result = dress(entry, fd);
    close(fd);
    return result;
}

static int write_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, data, size);
        if (n < 0 && errno != EINTR)
            return -errno;
        if (n > 0) {
            data += n;
            size -= (size_t)n;
        }
    }
    return 0;
}

static int copy_content(struct tar *tar, uint64_t size, int fd)
{
    char block[32 * 1024];

    for (;;) {
        ssize_t n = tar_read(tar, block, sizeof block);
        if (n < 0)
            return (int)n;
        if (n == 0)
            return size == 0 ? 0 : -EBADMSG;
        if ((uint64_t)n > size)
            return -EBADMSG;
        int result = write_all(fd, block, (size_t)n);
        if (result < 0)
            return result;
        size -= (uint64_t)n;
    }
}

static int make_file(struct tar *tar, const struct tar_entry *entry, int parent, const char *name)
{
    int result = tar_clear(parent, name);

    if (result < 0)
        return result;
    int fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    result = copy_content(tar, entry->size, fd);
    if (result == 0)
        result = dress(entry, fd);
    if (close(fd) < 0 && result == 0)
        result = -errno;
    return result;
}

int tar_make(struct tar *tar, const struct tar_entry *entry, int parent, const char *name)
{
    if (S_ISDIR(entry->mode))
        return make_folder(entry, parent, name);
    if (S_ISREG(entry->mode))
        return make_file(tar, entry, parent, name);
    if (!S_ISLNK(entry->mode) && !S_ISFIFO(entry->mode))
        return 0;

    int result = tar_clear(parent, name);
    if (result < 0)
        return result;
    if (S_ISLNK(entry->mode))
        result = symlinkat(entry->symlink, parent, name);
    else
        result = mkfifoat(parent, name, 0600);
    if (result == 0 && S_ISFIFO(entry->mode))
        result = fchmodat(parent, name, entry->mode & 0777, 0);
    return result < 0 ? -errno : dress_name(entry, parent, name);
}
