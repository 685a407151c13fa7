#include "grade/atomic.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel/own.h"

/* Best effort: without CAP_CHOWN (a container, a guest) the file stays root's. */
static void inherit_owner(int fd, int folder)
{
    struct stat above;

    if (geteuid() == 0 && fstat(folder, &above) == 0 && above.st_uid != 0)
        (void)!fchown(fd, above.st_uid, above.st_gid);
}

static int folder_below(int above, const char *name)
{
    int made = mkdirat(above, name, 0777);

    if (made < 0 && errno != EEXIST)
        return -errno;
    int fd = openat(above, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    if (made == 0)
        inherit_owner(fd, above);
    return fd;
}

int atomic_folder(const char *path)
{
    char copy[PATH_MAX];
    char *rest = copy;

    if (snprintf(copy, sizeof(copy), "%s", path) >= (int)sizeof(copy))
        return -ENAMETOOLONG;
    autoclose int at = open(path[0] == '/' ? "/" : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (at < 0)
        return -errno;
    for (char *name; (name = strsep(&rest, "/"));) {
        if (!name[0])
            continue;
        int below = folder_below(at, name);
        if (below < 0)
            return below;
        close(at);
        at = below;
    }
    return kernel_own_take(&at);
}

static int write_all(int fd, const char *text, size_t length)
{
    while (length > 0) {
        ssize_t wrote = write(fd, text, length);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return -errno;
        text += wrote;
        length -= (size_t)wrote;
    }
    return 0;
}

int atomic_write(int folder, const char *name, const char *text, size_t length)
{
    char temporary[NAME_MAX + 1];

    if (snprintf(temporary, sizeof(temporary), ".%s.%d", name, (int)getpid()) >=
        (int)sizeof(temporary))
        return -ENAMETOOLONG;
    unlinkat(folder, temporary, 0); /* of a run with our pid that was killed here */
    autoclose int fd =
        openat(folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (fd < 0)
        return -errno;
    inherit_owner(fd, folder);
    int error = write_all(fd, text, length);
    if (error == 0 && renameat(folder, temporary, folder, name) < 0)
        error = -errno;
    if (error < 0)
        unlinkat(folder, temporary, 0);
    return error;
}
