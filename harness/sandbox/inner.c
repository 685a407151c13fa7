/*
 * PID 1 of a room: mounts what the student's world needs, starts commands, reports how they end.
 *
 * It shares the room with hostile code that is root there. It cannot be signalled from within
 * (PID 1 is deaf to what it has no handler for, SIGKILL included), nor traced: outer.c made it
 * non-dumpable, and its memory belongs to the harness's user namespace.
 */
#include "sandbox/inner.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/inner_groups.h"
#include "sandbox/sandbox.h"
#include "sandbox/start.h"

enum { COMMANDS_MAX = ROOM_WATCHED_MAX };

/* The room's own mounts. Not much is needed here, and a kernel without message queues may well
 * grade all that is not about them: the last two may fail. */
static int mount_room(const struct inner_options *options)
{
    unsigned long safe = MS_NOSUID | MS_NODEV | MS_NOEXEC;
    const struct {
        const char *type, *target, *data;
        unsigned long flags;
        bool needed;
    } mounts[] = {
        {"proc", "/proc", NULL, safe, true},
        {"sysfs", "/sys", NULL, safe, true},
        {"tmpfs", "/tmp", "mode=1777,size=256m", MS_NOSUID, true},
        {"tmpfs", "/run", "mode=0755,size=16m", MS_NOSUID | MS_NODEV, true},
        {"tmpfs", "/dev/shm", "mode=1777,size=64m", safe, true},
        {"mqueue", "/dev/mqueue", NULL, safe, false},
        {"devpts", "/dev/pts", "newinstance,ptmxmode=0666,mode=0620", MS_NOSUID | MS_NOEXEC, false},
    };

    for (size_t i = 0; i < sizeof mounts / sizeof *mounts; i++)
        if (mount(mounts[i].type, mounts[i].target, mounts[i].type, mounts[i].flags,
                  mounts[i].data) < 0 &&
            mounts[i].needed)
            return -errno;
    int result = options->cgroups ? inner_groups(options->socket) : 0;
    if (result < 0)
        return result;
    /* As systemd leaves it: a container that forgets to go private must be seen to leak. */
    return mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL) < 0 ? -errno : 0;
}

/* The graders' payload, for containers that have the root filesystem as their root. Rooms without
 * graders (build/inside) may have none. */
static int add_probe(void)
{
    struct stat st;
    off_t at = 0;
    ssize_t sent = 1;
    int from = open("/strata/probe", O_RDONLY | O_CLOEXEC);

    if (from < 0)
        return errno == ENOENT ? 0 : -errno;
    int to = open("/tmp/rootfs/bin/probe", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
    int result = to < 0 || fstat(from, &st) < 0 ? -errno : 0;
    while (result == 0 && at < st.st_size && sent > 0)
        if ((sent = sendfile(to, from, &at, (size_t)(st.st_size - at))) < 0)
            result = -errno;
    if (to >= 0)
        close(to);
    close(from);
    return result;
}

/* Unpacks the root filesystem by the BusyBox that is in it. -o: owners stay ours where only one id
 * is mapped. */
static int unpack_rootfs(void)
{
    int status;

    if (mkdir("/tmp/rootfs", 0755) < 0)
        return -errno;
    pid_t pid = fork();
    if (pid < 0)
        return -errno;
    if (pid == 0) {
        execl("/strata/busybox", "tar", "-xof", "/strata/rootfs.tar", "-C", "/tmp/rootfs", NULL);
        _exit(127);
    }
    if (waitpid(pid, &status, 0) < 0)
        return -errno;
    return status == 0 ? add_probe() : -EIO;
}

static void limit(int resource, rlim_t value)
{
    struct rlimit now;

    if (getrlimit((enum __rlimit_resource)resource, &now) == 0 && now.rlim_max >= value)
        setrlimit((enum __rlimit_resource)resource, &(struct rlimit){value, value});
}

static void limit_room(const struct inner_options *options)
{
    if (!options->no_as_limit)
        limit(RLIMIT_AS, (rlim_t)4 << 30);
    limit(RLIMIT_FSIZE, (rlim_t)256 << 20);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_MEMLOCK, 8 << 20);
    limit(RLIMIT_NOFILE, 4096);
    limit(RLIMIT_MSGQUEUE, 819200);
}

/* --- the loop ------------------------------------------------------------------------------- */

/* The commands whose end is news for the harness; orphans that we inherit are reaped in silence,
 * for thousands of them must not fill the socket. */
static pid_t commands[COMMANDS_MAX];

static bool remember(pid_t old, pid_t new)
{
    for (size_t i = 0; i < COMMANDS_MAX; i++) {
        if (commands[i] == old) {
            commands[i] = new;
            return true;
        }
    }
    return false;
}

/* A free place in the list is one for pid 0. */
static bool note_start(pid_t pid)
{
    return remember(0, pid);
}

static void reap(int socket)
{
    for (;;) {
        siginfo_t info = {0};
        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG) < 0 || info.si_pid == 0)
            return;
        if (remember(info.si_pid, 0))
            message_note(socket, MESSAGE_ENDED, -1, info.si_pid, info.si_code, info.si_status);
    }
}

/* Refusals that no second try changes: a masked /proc, say. */
static bool machine_said(int error)
{
    return error == -EPERM || error == -EACCES || error == -ENODEV || error == -ENOSYS;
}

_Noreturn void inner_serve(const struct inner_options *options)
{
    static struct message message;
    sigset_t child;
    int result = mount_room(options);

    umask(022);
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, NULL);
    int children = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);

    limit_room(options);
    if (result == 0 && chdir("/tmp") < 0)
        result = -errno;
    if (result == 0 && sethostname("sandbox", 7) < 0)
        result = -errno;
    if (result == 0 && options->rootfs)
        result = unpack_rootfs();
    if (result < 0 || children < 0) {
        message_blame(options->socket, machine_said(result) ? BLAME_MACHINE : BLAME_US, result,
                      "cannot set up a room: %s", strerror(-result));
        _exit(1);
    }
    message_note(options->socket, MESSAGE_READY, -1, 0, 0, 0);

    for (;;) {
        struct pollfd fds[2] = {{options->socket, POLLIN, 0}, {children, POLLIN, 0}};
        if (poll(fds, 2, -1) < 0)
            continue;
        if (fds[1].revents != 0) {
            struct signalfd_siginfo ignored;
            while (read(children, &ignored, sizeof ignored) > 0)
                ;
            reap(options->socket);
        }
        if (fds[0].revents != 0) {
            if (message_receive(options->socket, &message, 0) <= 0)
                _exit(0); /* the harness let go of the room */
            if (message.kind == MESSAGE_SPAWN)
                command_start(options->socket, &message, note_start);
            message_close_fds(&message);
        }
    }
}
