/* Files as another process's root shows them: openat2(2) with RESOLVE_IN_ROOT. */
#include "kernel/path.h"
#include "kernel/file.h"
#include "kernel/own.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>

/* How often a look-up is tried that somebody's rename in mid-air has spoilt (EAGAIN). */
#define ATTEMPTS 64

int kernel_path_open(int root, const char *path, int flags)
{
    struct open_how how = {
        .flags = (unsigned)(O_PATH | O_CLOEXEC | (flags & (O_NOFOLLOW | O_DIRECTORY))),
        .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
    };

    for (int i = 0; i < ATTEMPTS; i++) {
        long fd = syscall(SYS_openat2, root, path, &how, sizeof(how));

        if (fd >= 0)
            return (int)fd;
        if (errno != EAGAIN && errno != EINTR)
            return -errno;
    }
    return -EAGAIN;
}

int kernel_path_at(pid_t pid, const char *path, int flags)
{
    autoclose int proc = kernel_proc_open(pid);
    autoclose int root = -1;

    if (proc < 0)
        return proc;
    root = openat(proc, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return kernel_proc_error(proc, -errno);
    return kernel_path_open(root, path, flags);
}

int kernel_path_stat(pid_t pid, const char *path, int flags, struct stat *st)
{
    autoclose int fd = kernel_path_at(pid, path, flags);

    if (fd < 0)
        return fd;
    return fstat(fd, st) < 0 ? -errno : 0;
}

int kernel_path_reopen(int proc, int found)
{
    char self[32];
    struct stat st;
    int fd;

    if (fstat(found, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode))
        return -EINVAL;
    snprintf(self, sizeof(self), "self/fd/%d", found);
    fd = openat(proc, self, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

int kernel_path_read(pid_t pid, const char *path, char **text, size_t *len)
{
    autoclose int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    autoclose int found = proc < 0 ? -errno : kernel_path_at(pid, path, 0);
    autoclose int fd = found < 0 ? found : kernel_path_reopen(proc, found);

    *text = NULL;
    *len = 0;
    return fd < 0 ? fd : kernel_read_fd(fd, text, len);
}

int kernel_path_readlink(pid_t pid, const char *path, char **target)
{
    autoclose int fd = kernel_path_at(pid, path, O_NOFOLLOW);
    struct stat st;
    char buffer[4096]; /* PATH_MAX: no file system stores a longer link */
    ssize_t len;

    *target = NULL;
    if (fd < 0)
        return fd;
    if (fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISLNK(st.st_mode))
        return -EINVAL;
    len = readlinkat(fd, "", buffer, sizeof(buffer));
    if (len < 0)
        return -errno;
    *target = strndup(buffer, (size_t)len);
    return *target ? 0 : -ENOMEM;
}
