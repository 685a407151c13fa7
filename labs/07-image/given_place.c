/* Where COPY and WORKDIR put things in an image: no link of the image leads out of it. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "07-image/given_context.h"

/* The folder `path`, as a process with the root `root` would find it. */
static int open_folder(int root, const char *path)
{
    struct open_how how = {
        .flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
        .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
    };
    int fd = (int)syscall(SYS_openat2, root, path[0] != '\0' ? path : "/", &how, sizeof how);

    return fd < 0 ? -errno : fd;
}

int context_folder(int root, const char *path)
{
    char prefix[PATH_MAX];
    size_t length = 0;
    int folder = open_folder(root, "/");

    if (strlen(path) >= sizeof prefix) {
        if (folder >= 0)
            close(folder);
        return -ENAMETOOLONG;
    }
    while (folder >= 0) {
        path += strspn(path, "/");
        if (*path == '\0')
            return folder;
        /* One component more, looked up from the root again: it may be a link to anywhere. */
        size_t more = strcspn(path, "/");
        prefix[length] = '/';
        memcpy(prefix + length + 1, path, more);
        prefix[length + 1 + more] = '\0';
        int next = open_folder(root, prefix);
        if (next == -ENOENT) {
            next = mkdirat(folder, prefix + length + 1, 0755) < 0 ? -errno : 0;
            if (next == 0)
                next = open_folder(root, prefix);
        }
        close(folder);
        folder = next;
        path += more;
        length += 1 + more;
    }
    return folder;
}

static int copy_content(int from, int to)
{
    off_t at = 0;
    ssize_t n;

    while ((n = sendfile(to, from, &at, 1 << 30)) != 0)
        if (n < 0 && errno != EINTR)
            return -errno;
    return 0;
}

/* Makes one input as `name` in `folder`. What is there gives way, but a folder to nothing else. */
static int put_one(const struct image_input *input, int folder, const char *name)
{
    const char *link = strstr(input->name, "//");
    int result;

    if (unlinkat(folder, name, 0) < 0 && errno != ENOENT)
        return -errno;
    if (link != NULL)
        return symlinkat(link + 2, folder, name) < 0 ? -errno : 0;
    int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd < 0)
        return -errno;
    result = copy_content(input->fd, fd);
    if (result == 0 && fchmod(fd, 0644 | (input->mode & 0111)) < 0)
        result = -errno;
    if (close(fd) < 0 && result == 0)
        result = -errno;
    return result;
}

/* "PLACE/sub/name" is put into the folder PLACE/sub. */
static int put_below(const struct image_input *input, int root, const char *place)
{
    char path[PATH_MAX];
    const char *link = strstr(input->name, "//");
    int length = (int)(link != NULL ? (size_t)(link - input->name) : strlen(input->name));

    if (snprintf(path, sizeof path, "%s/%.*s", place, length, input->name) >= (int)sizeof path)
        return -ENAMETOOLONG;
    char *name = strrchr(path, '/');
    bool is_folder = name[1] == '\0';
    *name++ = '\0';
    int folder = context_folder(root, path);
    if (folder < 0)
        return folder;
    int result = is_folder ? 0 : put_one(input, folder, name);
    close(folder);
    return result;
}

int context_put(const struct context *context, int root, const char *target)
{
    char parent[PATH_MAX];
    bool into = context->folder || target[strlen(target) - 1] == '/';
    int result = 0, place;

    if (strlen(target) >= sizeof parent)
        return -ENAMETOOLONG;
    place = into ? context_folder(root, target) : open_folder(root, target);
    if (place >= 0)
        close(place);
    if (place < 0 && into)
        return place;
    if (place >= 0) {
        for (size_t i = 0; result == 0 && i < context->count; i++)
            result = put_below(&context->inputs[i], root, target);
        return result;
    }
    char *name = strrchr(strcpy(parent, target), '/');
    *name++ = '\0';
    int folder = context_folder(root, parent);
    if (folder < 0)
        return folder;
    result = put_one(&context->inputs[0], folder, name);
    close(folder);
    return result;
}
