#include "grade/payload.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "digest/digest.h"
#include "kernel/namespace.h"
#include "kernel/own.h"
#include "kernel/status.h"

static int open_proc(pid_t pid, const char *name, int flags)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
    int fd = open(path, flags | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

/* The user namespace of `pid`, or one that it lies in, is that of `room`. */
static bool within_room(pid_t pid, pid_t room)
{
    struct kernel_ns_id wanted, id;
    int fd = open_proc(pid, "ns/user", O_RDONLY);
    bool found = false;

    if (kernel_ns(room, "user", &wanted) < 0)
        wanted = (struct kernel_ns_id){0};
    while (fd >= 0 && !found) {
        found = kernel_ns_fd(fd, &id) == 0 && kernel_ns_equal(id, wanted);
        int parent = ioctl(fd, NS_GET_PARENT); /* EPERM above our own: ioctl_ns(2) */
        close(fd);
        fd = parent;
    }
    if (fd >= 0)
        close(fd);
    return found;
}

int payload_check(const struct claim *claim, struct payload *payload, char *why, size_t size)
{
    char digest[65] = "", path[64];
    struct kernel_status status;
    struct stat st;
    autoclose int pidfd = (int)syscall(SYS_pidfd_open, claim->pid, 0);
    autoclose int exe = pidfd < 0 ? -1 : open_proc(claim->pid, "exe", O_RDONLY);

    if (pidfd < 0 || exe < 0) {
        snprintf(why, size, "a process said it was the probe, and there is no process %d",
                 claim->pid);
        return -ESRCH;
    }
    if (digest_sha256_fd(exe, digest) < 0 || strcmp(digest, claim->digest) != 0) {
        snprintf(why, size, "process %d answers, but /proc/%d/exe is not the COMMAND that was given",
                 claim->pid, claim->pid);
        return -EACCES;
    }
    if (kernel_status_read(claim->pid, &status) < 0)
        return -ESRCH;
    pid_t tracer = status.tracer_pid;
    kernel_status_free(&status);
    if (tracer != 0) {
        snprintf(why, size, "COMMAND is being traced by process %d (TracerPid)", tracer);
        return -EACCES;
    }
    snprintf(path, sizeof path, "/proc/%d/fd/0", claim->pid);
    if (stat(path, &st) < 0 || !S_ISSOCK(st.st_mode) || st.st_ino != claim->socket) {
        snprintf(why, size,
                 "process %d runs COMMAND, but its standard input is not the one that was given",
                 claim->pid);
        return -EACCES;
    }
    if (!within_room(claim->pid, claim->room)) {
        snprintf(why, size, "process %d is not in the sandbox", claim->pid);
        return -EACCES;
    }
    /* All of this was read by number. If the process behind the pidfd still runs, it was it. */
    struct pollfd end = {pidfd, POLLIN, 0};
    if (poll(&end, 1, 0) != 0)
        return -ESRCH;
    *payload = (struct payload){.pid = claim->pid, .pidfd = kernel_own_take(&pidfd)};
    return 0;
}
