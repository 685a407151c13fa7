#include "grade/payload.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernel/inside.h"
#include "kernel/namespace.h"
#include "kernel/own.h"
#include "kernel/status.h"

enum { LOOK_MS = 10000 };

static int open_proc(pid_t pid, const char *name, int flags)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
    int fd = open(path, flags | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

/* Does this file hold the probe, byte by byte? */
static bool is_program(int exe, const struct claim *claim)
{
    char bytes[65536];
    size_t at = 0;

    for (ssize_t got; (got = read(exe, bytes, sizeof bytes)) != 0; at += (size_t)got)
        if (got < 0 || (size_t)got > claim->program_size - at ||
            memcmp(bytes, claim->program + at, (size_t)got) != 0)
            return false;
    return at == claim->program_size;
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

/* Runs as a member of the room's user namespace: where ids are subordinate ones, the fds of a
 * process in there are closed to the user that lent them. */
static int read_stdin_inode(void *arg, int out)
{
    const pid_t *pid = arg;
    char path[64];
    struct stat st;

    snprintf(path, sizeof path, "/proc/%d/fd/0", *pid);
    if (stat(path, &st) < 0)
        return -errno;
    ino_t inode = S_ISSOCK(st.st_mode) ? st.st_ino : 0;
    return kernel_write_all(out, &inode, sizeof inode);
}

static bool has_socket(const struct claim *claim)
{
    autofree char *bytes = NULL;
    pid_t pid = claim->pid;
    size_t length;
    ino_t inode;

    /* On a machine that does much else the look may take long, and a late one is no impostor. */
    if (kernel_inside_within(LOOK_MS, claim->room_pidfd, claim->room, CLONE_NEWUSER,
                             read_stdin_inode, &pid, &bytes, &length) < 0 ||
        length != sizeof inode)
        return false;
    memcpy(&inode, bytes, sizeof inode);
    return inode == claim->socket;
}

int payload_check(const struct claim *claim, struct payload *payload, char *why, size_t size)
{
    struct kernel_status status;
    autoclose int pidfd = (int)syscall(SYS_pidfd_open, claim->pid, 0);
    autoclose int exe = pidfd < 0 ? -1 : open_proc(claim->pid, "exe", O_RDONLY);

    if (pidfd < 0 || exe < 0) {
        snprintf(why, size, "a process said it was the probe, and there is no process %d",
                 claim->pid);
        return -ESRCH;
    }
    if (!is_program(exe, claim)) {
        snprintf(why, size,
                 "process %d answers, but /proc/%d/exe is not the COMMAND that was given",
                 claim->pid, claim->pid);
        return -EACCES;
    }
    if (kernel_status_read(claim->pid, &status) < 0)
        return -ESRCH;
    pid_t tracer = status.tracer_pid;
    char state = status.state;
    kernel_status_free(&status);
    if (state == 'T') {
        snprintf(why, size, "COMMAND is stopped: what speaks for it is something else");
        return -EACCES;
    }
    if (tracer != 0) {
        snprintf(why, size, "COMMAND is being traced by process %d (TracerPid)", tracer);
        return -EACCES;
    }
    if (!has_socket(claim)) {
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
