/* From a folder to a list of files, and from the list to an image's root. */
#include "07-image/given_context.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { INPUTS_MAX = 16384 };

static int open_below(int root, const char *path, bool inside, int flags)
{
    struct open_how how = {
        .flags = (unsigned)flags | O_CLOEXEC,
        .resolve = (inside ? RESOLVE_IN_ROOT : RESOLVE_BENEATH) | RESOLVE_NO_MAGICLINKS,
    };
    int fd = (int)syscall(SYS_openat2, root, path[0] != '\0' ? path : ".", &how, sizeof how);

    return fd < 0 ? -errno : fd;
}

/* --- taking ----------------------------------------------------------------------------------- */

static int add(struct context *context, const char *name, mode_t mode, int fd)
{
    if (context->count == INPUTS_MAX)
        return -E2BIG;
    if ((context->count & (context->count - 1)) == 0) { /* full: a power of two */
        size_t size = context->count != 0 ? 2 * context->count : 1;
        struct image_input *inputs = reallocarray(context->inputs, size, sizeof *inputs);
        if (inputs == NULL)
            return -ENOMEM;
        context->inputs = inputs;
    }
    struct image_input *input = &context->inputs[context->count];
    *input = (struct image_input){strdup(name), mode, fd};
    if (input->name == NULL)
        return -ENOMEM;
    context->count++;
    return 0;
}

static int add_link(struct context *context, int folder, const char *entry, const char *name)
{
    char target[PATH_MAX], *both;
    ssize_t length = readlinkat(folder, entry, target, sizeof target - 1);

    if (length < 0)
        return -errno;
    target[length] = '\0';
    if (asprintf(&both, "%s//%s", name, target) < 0)
        return -ENOMEM;
    int result = add(context, both, 0, context->empty);
    free(both);
    return result;
}

/* A file, which is opened now: what goes into the key is what is copied. */
static int add_file(struct context *context, int folder, const char *entry, const char *name)
{
    struct stat st;
    /* O_NONBLOCK: it may have become a FIFO meanwhile. */
    int fd = openat(folder, entry, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    int result = fstat(fd, &st) < 0 ? -errno : S_ISREG(st.st_mode) ? 0 : -EINVAL;
    if (result == 0)
        result = add(context, name, st.st_mode, fd);
    if (result < 0)
        close(fd);
    return result;
}

static bool is_same(const struct stat *st, int folder)
{
    struct stat other;

    return folder >= 0 && fstat(folder, &other) == 0 && st->st_dev == other.st_dev &&
           st->st_ino == other.st_ino;
}

static int not_dots(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

static int add_folder(struct context *context, int folder, const char *prefix, int except);

/* `entry` in `folder`; its name in the list is `name`, in room for a "/" more. */
static int add_entry(struct context *context, int folder, const char *entry, char *name, int except)
{
    struct stat st;

    if (fstatat(folder, entry, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return -errno;
    if (S_ISLNK(st.st_mode))
        return add_link(context, folder, entry, name);
    if (!S_ISDIR(st.st_mode)) /* opening a device can do things: look first */
        return S_ISREG(st.st_mode) ? add_file(context, folder, entry, name) : -EINVAL;
    if (is_same(&st, except))
        return 0;
    strcat(name, "/");
    int result = add(context, name, 0, context->empty);
    if (result < 0)
        return result;
    int fd = openat(folder, entry, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    result = add_folder(context, fd, name, except);
    close(fd);
    return result;
}

/* What lies in `folder`, whose own name is `prefix`: "" or "sub/". */
static int add_folder(struct context *context, int folder, const char *prefix, int except)
{
    struct dirent **entries;
    char name[PATH_MAX];
    int result = 0, count = scandirat(folder, ".", &entries, not_dots, NULL);

    if (count < 0)
        return -errno;
    for (int i = 0; i < count; i++) {
        const char *entry = entries[i]->d_name;
        if (result == 0 && snprintf(name, PATH_MAX, "%s%s", prefix, entry) >= PATH_MAX - 1)
            result = -ENAMETOOLONG;
        if (result == 0)
            result = add_entry(context, folder, entry, name, except);
        free(entries[i]);
    }
    free(entries);
    return result;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct image_input *)a)->name, ((const struct image_input *)b)->name);
}

int context_take(int root, const char *path, bool inside, int except, struct context *context)
{
    struct stat st;

    *context = (struct context){.empty = memfd_create("empty", MFD_CLOEXEC)};
    if (context->empty < 0)
        return -errno;
    int fd = open_below(root, path, inside, O_PATH);
    int result = fd < 0 ? fd : fstat(fd, &st) < 0 ? -errno : 0;
    if (result == 0 && S_ISDIR(st.st_mode)) {
        context->folder = true;
        close(fd);
        fd = open_below(root, path, inside, O_RDONLY | O_DIRECTORY);
        result = fd < 0 ? fd : add_folder(context, fd, "", except);
    } else if (result == 0) {
        const char *slash = strrchr(path, '/');
        close(fd);
        fd = open_below(root, path, inside, O_RDONLY | O_NONBLOCK);
        result = fd < 0 ? fd : !S_ISREG(st.st_mode) ? -EINVAL : 0;
        if (result == 0)
            result = add(context, slash != NULL ? slash + 1 : path, st.st_mode, fd);
        if (result == 0)
            fd = -1; /* the list's */
    }
    if (fd >= 0)
        close(fd);
    if (context->count > 0)
        qsort(context->inputs, context->count, sizeof *context->inputs, by_name);
    return result;
}

void context_drop(struct context *context)
{
    for (size_t i = 0; i < context->count; i++) {
        free((char *)context->inputs[i].name);
        if (context->inputs[i].fd != context->empty)
            close(context->inputs[i].fd);
    }
    free(context->inputs);
    if (context->empty > 0)
        close(context->empty);
    *context = (struct context){0};
}
