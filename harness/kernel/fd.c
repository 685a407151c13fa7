/* What a process holds open: fs/proc/fd.c. */
#include "kernel/fd.h"
#include "kernel/file.h"
#include "kernel/own.h"
#include "kernel/text.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static int parse_line(struct kernel_text line, struct kernel_fdinfo *info)
{
    uint64_t number = 0;
    int64_t pos = 0;
    int error = 0;

    if (kernel_text_skip(&line, "pos:\t")) {
        error = kernel_text_signed(&line, INT64_MIN, INT64_MAX, &pos);
        info->pos = pos;
    } else if (kernel_text_skip(&line, "flags:\t")) {
        error = kernel_text_unsigned(&line, 8, INT_MAX, &number);
        info->flags = (int)number;
    } else if (kernel_text_skip(&line, "mnt_id:\t")) {
        error = kernel_text_unsigned(&line, 10, INT_MAX, &number);
        info->mnt_id = (int)number;
    } else if (kernel_text_skip(&line, "ino:\t")) {
        error = kernel_text_unsigned(&line, 10, UINT64_MAX, &number);
        info->ino = number;
    } else {
        return 0;
    }
    return error || line.at != line.end ? -EBADMSG : 0;
}

int kernel_fdinfo_parse(const char *text, size_t len, struct kernel_fdinfo *info)
{
    struct kernel_text rest = kernel_text(text, len), line;

    *info = (struct kernel_fdinfo){.pos = -1, .flags = -1, .mnt_id = -1};
    while (kernel_text_cut(&rest, '\n', &line))
        if (parse_line(line, info) < 0)
            return -EBADMSG;
    return 0;
}

/* Link texts have no length beforehand: a path may exceed PATH_MAX. */
static int read_link(int dirfd, const char *name, char **target)
{
    for (size_t size = 256; size <= (size_t)1 << 20; size *= 2) {
        autofree char *buffer = malloc(size);
        ssize_t len;

        if (!buffer)
            return -ENOMEM;
        len = readlinkat(dirfd, name, buffer, size);
        if (len < 0)
            return -errno;
        if ((size_t)len == size)
            continue;
        buffer[len] = '\0';
        *target = buffer;
        buffer = NULL;
        return 0;
    }
    return -ENAMETOOLONG;
}

static int read_one(int proc, int fd, struct kernel_fd *out)
{
    autofree char *text = NULL;
    struct kernel_fdinfo info;
    struct statx stx;
    char name[32];
    size_t len;
    int error;

    *out = (struct kernel_fd){.fd = fd, .flags = -1, .mnt_id = -1};
    snprintf(name, sizeof(name), "fd/%d", fd);
    error = read_link(proc, name, &out->target);
    if (error)
        return error;
    /* DONT_SYNC: what is cached will do; nobody's FUSE or NFS server shall be waited for. */
    if (statx(proc, name, AT_STATX_DONT_SYNC, STATX_TYPE | STATX_MODE | STATX_INO, &stx) == 0) {
        out->mode = stx.stx_mode;
        out->dev = makedev(stx.stx_dev_major, stx.stx_dev_minor);
        out->ino = stx.stx_ino;
        out->rdev = makedev(stx.stx_rdev_major, stx.stx_rdev_minor);
    }
    snprintf(name, sizeof(name), "fdinfo/%d", fd);
    if (kernel_read_at(proc, name, &text, &len) == 0 &&
        kernel_fdinfo_parse(text, len, &info) == 0) {
        out->flags = info.flags;
        out->mnt_id = info.mnt_id;
    }
    return 0;
}

static int append(int proc, const char *name, struct kernel_fds *fds)
{
    struct kernel_text digits = kernel_text(name, strlen(name));
    struct kernel_fd *grown;
    uint64_t number;
    int error;

    if (kernel_text_unsigned(&digits, 10, INT_MAX, &number) < 0)
        return 0; /* "." and ".." */
    grown = kernel_grow(fds->list, fds->count, &fds->capacity, sizeof(*grown));
    if (!grown)
        return -ENOMEM;
    fds->list = grown;
    error = read_one(proc, (int)number, &grown[fds->count]);
    if (error == 0)
        fds->count++;
    return error == -ENOENT ? 0 : error;
}

static int by_number(const void *a, const void *b)
{
    return ((const struct kernel_fd *)a)->fd - ((const struct kernel_fd *)b)->fd;
}

static int list_fds(int proc, struct kernel_fds *fds)
{
    int dirfd = openat(proc, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = dirfd < 0 ? NULL : fdopendir(dirfd);
    struct dirent *entry;
    int error = 0;

    if (!dir) {
        error = -errno;
        if (dirfd >= 0)
            close(dirfd);
        return error;
    }
    while (!error && (errno = 0, entry = readdir(dir)) != NULL)
        error = append(proc, entry->d_name, fds);
    if (!error && errno)
        error = -errno;
    closedir(dir);
    return error;
}

int kernel_fds_read(pid_t pid, struct kernel_fds *fds)
{
    autoclose int proc = kernel_proc_open(pid);
    int error;

    *fds = (struct kernel_fds){0};
    if (proc < 0)
        return proc;
    error = list_fds(proc, fds);
    /* A list that shrank because its process ended is no list of what that process held. */
    if (kernel_proc_gone(proc))
        error = -ESRCH;
    if (error)
        kernel_fds_free(fds);
    else if (fds->count)
        qsort(fds->list, fds->count, sizeof(*fds->list), by_number);
    return error;
}

void kernel_fds_free(struct kernel_fds *fds)
{
    for (size_t i = 0; i < fds->count; i++)
        free(fds->list[i].target);
    free(fds->list);
    *fds = (struct kernel_fds){0};
}

const struct kernel_fd *kernel_fds_find(const struct kernel_fds *fds, int fd)
{
    for (size_t i = 0; i < fds->count; i++)
        if (fds->list[i].fd == fd)
            return &fds->list[i];
    return NULL;
}
