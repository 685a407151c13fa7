/*
 * The sandbox's own program (build/sandbox): PID 1 of the harness's namespaces.
 *
 * A program of its own, executed inside of the outer user namespace, because exec is what ties a
 * process's memory to a user namespace: the room's root has no power over it, and the harness,
 * which made that namespace, may still look at it. (A mere fork of the harness would be opaque to
 * an ordinary user's harness once it is non-dumpable.)
 *
 * fd 3 is the socket to the harness. fd 4 is the lifeline: a pipe whose other end is held by the
 * harness and the keeper; when both are gone it ends, and with us the kernel ends everything here.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/ids.h"
#include "sandbox/inner.h"
#include "sandbox/message.h"
#include "sandbox/tree.h"

enum { CONTROL = 3, LIFELINE = 4, FILES_MAX = 32 };

struct settings {
    unsigned ids;
    unsigned processes;
    bool no_as_limit;
};

static struct message message; /* large, and one at a time is all we need */

/* --- the files of /strata ------------------------------------------------------------------- */

static int copy_file(int directory, const char *name, int from, mode_t mode)
{
    struct stat st;
    off_t at = 0;
    ssize_t sent = 1;

    int to = openat(directory, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, mode);
    if (to < 0 || fstat(from, &st) < 0)
        return -errno;
    while (at < st.st_size && sent > 0)
        sent = sendfile(to, from, &at, (size_t)(st.st_size - at));
    int result = sent < 0 ? -errno : 0;
    close(to);
    return result;
}

/* Takes MESSAGE_FILES from the harness until one without a file says that all are there. */
static int fill(void *arg, int directory)
{
    (void)arg;
    for (;;) {
        if (message_receive(CONTROL, &message, 0) <= 0)
            return -EPIPE;
        if (message.kind != MESSAGE_FILES || message.fd_count != 1)
            return message.kind == MESSAGE_FILES ? 0 : -EBADMSG;
        int result = copy_file(directory, message.text, message.fds[0], message.a ? 0755 : 0644);
        message_close_fds(&message);
        if (result < 0)
            return result;
    }
}

/* --- rooms ---------------------------------------------------------------------------------- */

/* PID 1 of a room, until its id maps stand: a byte through the pipe says so. */
static _Noreturn void room_child(const struct settings *settings, bool rootfs, bool cgroups,
                                 int socket, int go)
{
    char byte;

    if (read(go, &byte, 1) != 1)
        _exit(1);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    /* With the room's end moved to fd 3, nothing of ours stays open in the room. */
    if (dup2(socket, CONTROL) < 0 || close_range(CONTROL + 1, ~0U, 0) < 0)
        _exit(1);
    fcntl(CONTROL, F_SETFD, FD_CLOEXEC);
    inner_serve(&(struct inner_options){.rootfs = rootfs,
                                        .cgroups = cgroups,
                                        .no_as_limit = settings->no_as_limit,
                                        .socket = CONTROL});
}

static int make_room(const struct settings *settings, bool rootfs, bool cgroups, int socket)
{
    int go[2], pidfd = -1;

    if (pipe2(go, O_CLOEXEC) < 0)
        return -errno;
    struct clone_args args = {
        .flags = CLONE_PIDFD | CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS |
                 CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWCGROUP,
        .pidfd = (uint64_t)(uintptr_t)&pidfd,
        .exit_signal = SIGCHLD,
    };
    pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof args);
    int result = pid < 0 ? -errno : 0;
    if (pid == 0) {
        close(go[1]);
        room_child(settings, rootfs, cgroups, socket, go[0]);
    }
    close(go[0]);
    if (result == 0)
        result = ids_write(pid, 0, settings->ids);
    if (result == 0 && write(go[1], "", 1) != 1)
        result = -errno;
    close(go[1]); /* on failure the child reads end of file and goes */
    if (result == 0)
        result = message_note(CONTROL, MESSAGE_READY, pidfd, pid, 0, 0);
    if (pidfd >= 0)
        close(pidfd);
    return result;
}

/* Refusals that no second try changes: no second user namespace, no fresh /proc, no
 * mount_setattr. */
static bool machine_said(int error)
{
    return error == -EPERM || error == -EACCES || error == -ENOSPC || error == -EUSERS ||
           error == -ENODEV || error == -ENOSYS || error == -EINVAL;
}

static void serve(const struct settings *settings)
{
    for (;;) {
        struct pollfd fds[2] = {{CONTROL, POLLIN, 0}, {LIFELINE, 0, 0}};
        int ready = poll(fds, 2, -1);
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ; /* rooms that ended */
        if (ready < 0)
            continue; /* SIGCHLD */
        if (fds[1].revents != 0)
            return;
        if (message_receive(CONTROL, &message, 0) <= 0)
            return;
        if (message.kind == MESSAGE_ROOM && message.fd_count == 1) {
            int result = make_room(settings, message.a != 0, message.b != 0, message.fds[0]);
            if (result < 0)
                message_blame(CONTROL, machine_said(result) ? BLAME_MACHINE : BLAME_US, result,
                              "cannot make a room: %s", strerror(-result));
        }
        message_close_fds(&message);
    }
}

static void on_child(int number)
{
    (void)number;
}

/* sandbox IDS PROCESSES NO_AS_LIMIT: started by the keeper, of no use by itself. */
int main(int argc, char **argv)
{
    struct settings settings;
    char why[256];

    if (argc != 4 || getpid() != 1) {
        fprintf(stderr, "%s: the harness starts this program; see `make shell02`\n", argv[0]);
        return 2;
    }
    settings = (struct settings){.ids = (unsigned)strtoul(argv[1], NULL, 10),
                                 .processes = (unsigned)strtoul(argv[2], NULL, 10),
                                 .no_as_limit = argv[3][0] == '1'};
    fcntl(CONTROL, F_SETFD, FD_CLOEXEC);
    fcntl(LIFELINE, F_SETFD, FD_CLOEXEC);
    prctl(PR_SET_DUMPABLE, 0);
    sigaction(SIGCHLD, &(struct sigaction){.sa_handler = on_child}, NULL);

    /* Counted for all ids of all rooms together: the limit stands where a room's user namespace
     * is made (ucounts, since Linux 5.14), and no root of a room may raise it. */
    struct rlimit limit = {settings.processes, settings.processes};
    if (setrlimit(RLIMIT_NPROC, &limit) < 0) {
        message_fail(CONTROL, -errno, "cannot limit the number of processes");
        return 1;
    }
    int result = tree_build(fill, NULL, why, sizeof why);
    if (result < 0) {
        message_blame(CONTROL, machine_said(result) ? BLAME_MACHINE : BLAME_US, result, "%s", why);
        return 1;
    }
    message_note(CONTROL, MESSAGE_READY, -1, 0, 0, 0);
    serve(&settings);
    return 0;
}
