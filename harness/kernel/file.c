/* Whole small files of the kernel, and processes that end while one looks at them. */
#include "kernel/file.h"
#include "kernel/own.h"

#include <fcntl.h>

/* Most files of procfs are made anew at every read that starts at offset 0, and are consistent only
 * within one read: a first buffer that holds nearly all of them is worth its memory. */
#define FIRST_BUFFER ((size_t)16 << 10)

int kernel_read_fd(int fd, char **text, size_t *len)
{
    autofree char *buffer = NULL;
    size_t size = 0, used = 0;

    *text = NULL;
    *len = 0;
    for (;;) {
        ssize_t got;

        if (size - used < 2) { /* one byte for read(2), one for the NUL */
            char *grown = realloc(buffer, size ? size * 2 : FIRST_BUFFER);

            if (!grown)
                return -ENOMEM;
            buffer = grown;
            size = size ? size * 2 : FIRST_BUFFER;
        }
        got = read(fd, buffer + used, size - used - 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (got == 0)
            break;
        used += (size_t)got;
        if (used > KERNEL_FILE_MAX)
            return -EFBIG;
    }
    buffer[used] = '\0';
    *text = buffer;
    *len = used;
    buffer = NULL;
    return 0;
}

int kernel_read_at(int dirfd, const char *path, char **text, size_t *len)
{
    autoclose int fd = -1;

    *text = NULL;
    *len = 0;
    do
        fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    while (fd < 0 && errno == EINTR);
    return fd < 0 ? -errno : kernel_read_fd(fd, text, len);
}

int kernel_proc_open(pid_t pid)
{
    char path[32];
    int fd;

    if (pid <= 0)
        return -ESRCH;
    snprintf(path, sizeof(path), "/proc/%d", pid);
    fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? -ESRCH : -errno;
    return fd;
}

bool kernel_proc_gone(int procfd)
{
    autofree char *text = NULL;
    const char *name_end;
    size_t len;

    if (kernel_read_at(procfd, "stat", &text, &len) < 0)
        return true;
    name_end = memrchr(text, ')', len);
    /* The state follows ") "; Z waits to be reaped, X is past even that. */
    return name_end && name_end + 2 < text + len && (name_end[2] == 'Z' || name_end[2] == 'X');
}

int kernel_proc_error(int procfd, int error)
{
    if (error == -ESRCH)
        return error;
    if ((error == -ENOENT || error == -EINVAL) && kernel_proc_gone(procfd))
        return -ESRCH;
    return error;
}

int kernel_read_pid(pid_t pid, const char *name, char **text, size_t *len)
{
    autoclose int proc = kernel_proc_open(pid);
    int error;

    *text = NULL;
    *len = 0;
    if (proc < 0)
        return proc;
    error = kernel_read_at(proc, name, text, len);
    return error ? kernel_proc_error(proc, error) : 0;
}
