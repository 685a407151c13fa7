#include "vm/cpio.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* Everything in the format begins at a multiple of four. */
static int pad(FILE *out, size_t length)
{
    return fwrite("\0\0\0", 1, -length & 3, out) == (-length & 3) ? 0 : -EIO;
}

static int header(struct cpio *cpio, const char *path, mode_t mode, size_t length, unsigned major,
                  unsigned minor)
{
    size_t name = strlen(path) + 1;

    if (length > UINT_MAX || name > PATH_MAX)
        return -EFBIG;
    /* magic, ino, mode, uid, gid, links, time, length, device (2), node (2), name, check sum */
    int wrote = fprintf(cpio->out, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x",
                        ++cpio->entries, mode, 0U, 0U, S_ISDIR(mode) ? 2U : 1U, 0U,
                        (unsigned)length, 0U, 0U, major, minor, (unsigned)name, 0U);
    if (wrote < 0 || fwrite(path, 1, name, cpio->out) != name)
        return -EIO;
    return pad(cpio->out, (size_t)wrote + name);
}

int cpio_add(struct cpio *cpio, const char *path, mode_t mode, const void *data, size_t length)
{
    int result = header(cpio, path, mode, length, 0, 0);

    if (result < 0)
        return result;
    if (length > 0 && fwrite(data, 1, length, cpio->out) != length)
        return -EIO;
    return pad(cpio->out, length);
}

int cpio_node(struct cpio *cpio, const char *path, mode_t mode, unsigned major, unsigned minor)
{
    return header(cpio, path, mode, 0, major, minor);
}

int cpio_file(struct cpio *cpio, const char *path, mode_t mode, int fd)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return -errno;
    size_t length = (size_t)st.st_size;
    if (length == 0)
        return cpio_add(cpio, path, S_IFREG | mode, "", 0);
    void *data = mmap(NULL, length, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED)
        return -errno;
    int result = cpio_add(cpio, path, S_IFREG | mode, data, length);
    munmap(data, length);
    return result;
}

int cpio_folders(struct cpio *cpio, const char *path)
{
    char folder[PATH_MAX];
    int result = 0;

    for (const char *slash = path; result == 0 && (slash = strchr(slash, '/')); slash++) {
        if (slash == path)
            continue;
        snprintf(folder, sizeof folder, "%.*s", (int)(slash - path), path);
        result = cpio_add(cpio, folder, S_IFDIR | 0755, NULL, 0);
    }
    return result;
}

int cpio_end(struct cpio *cpio)
{
    int result = header(cpio, "TRAILER!!!", 0, 0, 0, 0);

    return result == 0 && fflush(cpio->out) != 0 ? -errno : result;
}
