#include "sandbox/start.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox/command.h"

enum { EXEC_MS = 5000 };

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

/* From root of the room to one of its ordinary users (0: stays root). Of the real, effective and
 * saved id none may stay behind, and the groups go while we still may let go of them. */
static int become(uid_t user, gid_t group)
{
    if (setgroups(group != 0 ? 1 : 0, &group) < 0 || setresgid(user, user, user) < 0 ||
        setresuid(user, user, user) < 0)
        return -errno;
    return 0;
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
    if (result == 0 && (packed->user != 0 || packed->group != 0))
        result = become(packed->user, packed->group);
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

void command_start(int socket, struct message *message, bool (*note)(pid_t pid))
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
    else if (!note(pid))
        message_fail(socket, -EMFILE, "too many commands in one room");
    else
        message_note(socket, MESSAGE_STARTED, pidfd, pid, 0, 0);
    close(report[0]);
    if (pidfd >= 0)
        close(pidfd);
}
