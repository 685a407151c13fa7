/* A child that joins namespaces, looks around and reports. Its own side is in join.c, the waiting
 * for it in collect.c. */
#include "kernel/inside.h"
#include "kernel/collect.h"
#include "kernel/file.h"
#include "kernel/own.h"
#include "kernel/path.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/pidfd.h>

/* The one between us and a member of a pid namespace keeps the deadline itself and cleans up behind
 * it; our SIGKILL comes only if that fails. */
#define GRACE_MS 500

int kernel_write_all(int fd, const void *bytes, size_t len)
{
    const char *at = bytes;

    while (len > 0) {
        ssize_t done = write(fd, at, len);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return -errno;
        at += done;
        len -= (size_t)done;
    }
    return 0;
}

/* Forks the child and waits for it. `out` and `result` are the pipes, ours to close at the end. */
static int run(struct kernel_task *task, int out[2], int result[2], char **text, size_t *len)
{
    autoclose int self = pidfd_open(getpid(), 0);
    autoclose int out_read = out[0];
    autoclose int result_read = result[0];
    int64_t deadline = kernel_ms_now() + task->milliseconds;
    struct kernel_collect collect = {
        .out = out_read,
        .result = result_read,
        .deadline = deadline,
        .last = deadline + (task->namespaces & CLONE_NEWPID ? GRACE_MS : 0),
    };
    int error = self < 0 ? -errno : 0;

    task->out = out[1];
    task->result = result[1];
    if (!error) {
        collect.child = fork();
        if (collect.child == 0)
            kernel_task_run(task, self);
        error = collect.child < 0 ? -errno : 0;
    }
    close(out[1]);
    close(result[1]);
    return error ? error : kernel_collect(&collect, text, len);
}

static int start(struct kernel_task *task, char **text, size_t *len)
{
    int out[2], result[2];

    *text = NULL;
    *len = 0;
    if (pipe2(out, O_CLOEXEC) < 0)
        return -errno;
    if (pipe2(result, O_CLOEXEC) < 0) {
        int error = -errno;

        close(out[0]);
        close(out[1]);
        return error;
    }
    return run(task, out, result, text, len);
}

int kernel_inside_within(int milliseconds, int pidfd, pid_t pid, unsigned namespaces,
                         int (*fn)(void *arg, int out_fd), void *arg, char **text, size_t *len)
{
    struct kernel_task task = {
        .pidfd = pidfd,
        .pid = pid,
        .namespaces = namespaces,
        .keep = -1,
        .fn = fn,
        .arg = arg,
        .milliseconds = milliseconds,
    };

    return start(&task, text, len);
}

int kernel_inside(int pidfd, pid_t pid, unsigned namespaces, int (*fn)(void *arg, int out_fd),
                  void *arg, char **text, size_t *len)
{
    return kernel_inside_within(KERNEL_INSIDE_MS, pidfd, pid, namespaces, fn, arg, text, len);
}

struct wanted {
    const char *path;
    int proc; /* our own /proc, for theirs may be anything */
};

static int copy_file(void *arg, int out_fd)
{
    const struct wanted *wanted = arg;
    autoclose int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    autoclose int found = root < 0 ? -errno : kernel_path_open(root, wanted->path, 0);
    autoclose int fd = found < 0 ? found : kernel_path_reopen(wanted->proc, found);
    autofree char *text = NULL;
    size_t len;
    int error;

    if (fd < 0)
        return fd;
    error = kernel_read_fd(fd, &text, &len);
    return error ? error : kernel_write_all(out_fd, text, len);
}

int kernel_inside_read(int pidfd, pid_t pid, unsigned namespaces, const char *path, char **text,
                       size_t *len)
{
    autoclose int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct wanted wanted = {path, proc};
    struct kernel_task task = {
        .pidfd = pidfd,
        .pid = pid,
        .namespaces = namespaces,
        .keep = proc,
        .fn = copy_file,
        .arg = &wanted,
        .milliseconds = KERNEL_INSIDE_MS,
    };

    *text = NULL;
    *len = 0;
    return proc < 0 ? -errno : start(&task, text, len);
}
