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
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/command.h"
#include "sandbox/message.h"
#include "sandbox/sandbox.h"

enum { EXEC_MS = 5000, COMMANDS_MAX = ROOM_WATCHED_MAX };

/* The room's own mounts. Not much is needed here, and a kernel without message queues may well
 * grade all that is not about them: the last two may fail. */
static int mount_room(void)
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

    if (getrlimit((enum __rlimit_resource)resource, &now) == 0 && now.rlim_max > value)
        setrlimit((enum __rlimit_resource)resource, &(struct rlimit){value, value});
}

/* Should memory run out all the same, a command goes before anybody else. PID 1 itself stays what
 * it was: the commands may lower theirs again, and it must not be the one that is left to kill. */
static void go_first(void)
{
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

    if (fd < 0)
        return;
    if (write(fd, "1000", 4) < 0) {
        /* then the other limits have to do */
    }
    close(fd);
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

/* --- starting a command --------------------------------------------------------------------- */

/* libc keeps signals 32 and 33 for itself and refuses to touch them, yet they come to us ignored
 * from whoever ignores all (make does), and would stay so in every program that follows. */
static void reset_libc_signals(void)
{
    const char zeros[64] = {0}; /* struct sigaction of the kernel: SIG_DFL, no flags, empty mask */

    syscall(SYS_rt_sigaction, 32, zeros, NULL, (NSIG - 1) / 8);
    syscall(SYS_rt_sigaction, 33, zeros, NULL, (NSIG - 1) / 8);
}

static int set_signals(uint64_t ignored, uint64_t blocked)
{
    sigset_t mask;

    reset_libc_signals();

    sigemptyset(&mask);
    for (int number = 1; number < NSIG; number++) {
        uint64_t bit = (uint64_t)1 << (number - 1);
        signal(number, ignored & bit ? SIG_IGN : SIG_DFL);
        if (blocked & bit)
            sigaddset(&mask, number);
    }
    return sigprocmask(SIG_SETMASK, &mask, NULL) < 0 ? -errno : 0;
}

/* Puts each fd where the command wants it, everything else away. `report` is moved above all. */
static int set_fds(const struct message *message, const struct packed_command *packed, int *report)
{
    int high[ROOM_FDS_MAX];
    enum { ABOVE = 3000 }; /* no command asks for numbers that high */

    if ((*report = fcntl(*report, F_DUPFD_CLOEXEC, ABOVE)) < 0)
        return -errno;
    for (int i = 0; i < packed->fd_count; i++)
        if ((high[i] = fcntl(message->fds[i], F_DUPFD_CLOEXEC, ABOVE)) < 0)
            return -errno;
    if (close_range(0, ABOVE - 1, 0) < 0)
        return -errno;
    for (int i = 0; i < 3; i++) /* 0, 1, 2 in order: each open takes the lowest free */
        if (open("/dev/null", O_RDWR) != i)
            return -errno;
    for (int i = 0; i < packed->fd_count; i++)
        if (dup2(high[i], packed->numbers[i]) < 0)
            return -errno;
    return close_range(ABOVE, ~0U, CLOSE_RANGE_CLOEXEC) < 0 ? -errno : 0;
}

static _Noreturn void command_child(const struct message *message,
                                    const struct unpacked_command *command, int report)
{
    const struct packed_command *packed = command->packed;
    int result = setsid() < 0 ? -errno : 0;

    go_first();
    if (result == 0)
        result = set_fds(message, packed, &report);
    if (result == 0 && packed->terminal && ioctl(0, TIOCSCTTY, 0) < 0)
        result = -errno;
    if (result == 0 && chdir(command->cwd != NULL ? command->cwd : "/tmp") < 0)
        result = -errno;
    if (result == 0)
        result = set_signals(packed->ignored, packed->blocked);
    if (result == 0) {
        for (char *const *variable = command->envp; *variable != NULL; variable++)
            if (strncmp(*variable, "PATH=", 5) == 0)
                setenv("PATH", *variable + 5, 1);
        execvpe(command->argv[0], command->argv, command->envp);
        result = -errno;
    }
    if (write(report, &result, sizeof result) < 0) {
        /* the exit status has to say it */
    }
    _exit(127);
}

/* Waits until the child has executed its command: 0, else why it could not. A child that something
 * else in the room has stopped half-way must not keep everybody waiting. */
static int await_exec(int report, int pidfd)
{
    struct pollfd news = {report, POLLIN, 0};
    int error = 0;

    if (poll(&news, 1, EXEC_MS) <= 0) {
        syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
        return -ETIMEDOUT;
    }
    return read(report, &error, sizeof error) == (ssize_t)sizeof error ? error : 0;
}

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

static void start_command(int socket, struct message *message)
{
    struct unpacked_command command;
    int report[2], pidfd = -1, error;

    if (command_unpack(message, &command) < 0 || pipe2(report, O_CLOEXEC) < 0) {
        message_fail(socket, -EBADMSG, "a command that cannot be read");
        return;
    }
    struct clone_args args = {
        .flags = CLONE_PIDFD, .pidfd = (uint64_t)(uintptr_t)&pidfd, .exit_signal = SIGCHLD};
    pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof args);
    if (pid == 0)
        command_child(message, &command, report[1]);
    close(report[1]);
    if (pid < 0)
        message_fail(socket, -errno, "cannot start a process in the sandbox: %s", strerror(errno));
    else if ((error = await_exec(report[0], pidfd)) < 0)
        message_fail(socket, error, "%s: %s", command.argv[0], strerror(-error));
    else if (!remember(0, pid))
        message_fail(socket, -EMFILE, "too many commands in one room");
    else
        message_note(socket, MESSAGE_STARTED, pidfd, pid, 0, 0);
    close(report[0]);
    if (pidfd >= 0)
        close(pidfd);
}

/* --- the loop ------------------------------------------------------------------------------- */

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
    int result = mount_room();

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
                start_command(options->socket, &message);
            message_close_fds(&message);
        }
    }
}
