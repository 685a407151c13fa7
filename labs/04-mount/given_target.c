/* Finds a mount's target below the container's root, without being led out of it. */
#include "04-mount/given_target.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int open_below(int root, const char *path)
{
    struct open_how how = {
        .flags = O_PATH | O_CLOEXEC,
        .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
    };
    long fd = syscall(SYS_openat2, root, path, &how, sizeof how);

    return fd < 0 ? -errno : (int)fd;
}

/* Makes the folder or empty file `name` in the folder `parent`. Neither call follows a link that
 * has the name already; that somebody else was faster is no error. */
static int make_entry(int parent, const char *name, bool folder)
{
    if (folder)
        return mkdirat(parent, name, 0755) < 0 && errno != EEXIST ? -errno : 0;

    int fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0)
        return errno == EEXIST ? 0 : -errno;
    close(fd);
    return 0;
}

/* Opens `path` below `root`; if its last part `name` is missing from the folder `parent`, makes
 * that first. */
static int open_or_make(int root, const char *path, int parent, const char *name, bool folder)
{
    int fd = open_below(root, path);

    if (fd != -ENOENT)
        return fd;
    int result = make_entry(parent, name, folder);
    return result < 0 ? result : open_below(root, path);
}

int target_open(const char *root, const char *path, bool folder)
{
    char walked[PATH_MAX]; /* grows by one part of `path` at a time */

    if (path[0] != '/')
        return -EINVAL;
    if (strlen(path) >= sizeof walked)
        return -ENAMETOOLONG;
    strcpy(walked, path);

    int top = open(root[0] != '\0' ? root : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (top < 0)
        return -errno;
    int here = fcntl(top, F_DUPFD_CLOEXEC, 3);
    if (here < 0) {
        int error = -errno;
        close(top);
        return error;
    }

    for (char *part = walked; here >= 0;) {
        part += strspn(part, "/");
        if (*part == '\0')
            break;
        char *end = part + strcspn(part, "/");
        bool last = end[strspn(end, "/")] == '\0';
        char kept = *end;
        *end = '\0';
        int next = open_or_make(top, walked, here, part, folder || !last);
        *end = kept;
        close(here);
        here = next;
        part = end;
    }
    close(top);
    return here;
}
