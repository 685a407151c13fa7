/* Different: a signalfd read in a loop; the new mount calls (fsopen, fsmount, mount_setattr); the
 * exit status by waitpid's macros. */
#include "03-pid/pid.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int pid_namespaces(uint64_t *flags)
{
    *flags = *flags | CLONE_NEWNS | CLONE_NEWPID;
    return 0;
}

static int fresh_proc(void)
{
    int context = (int)syscall(SYS_fsopen, "proc", FSOPEN_CLOEXEC);

    if (context < 0)
        return -errno;
    int made = (int)syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
    if (made == 0)
        made = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC,
                            MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
    int result = made < 0 ? -errno : made;
    close(context);
    return result;
}

int pid_mount_proc(const char *target)
{
    struct mount_attr private = {.propagation = 1UL << 18 /* MS_PRIVATE */};

    if (syscall(SYS_mount_setattr, AT_FDCWD, "/", AT_RECURSIVE, &private, sizeof private) < 0)
        return -errno;
    int mount = fresh_proc();
    if (mount < 0)
        return mount;
    long moved = syscall(SYS_move_mount, mount, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH);
    int result = moved < 0 ? -errno : 0;
    close(mount);
    return result;
}

/* Reaps; the wait status of COMMAND when it was among them, else -1. */
static int reap(pid_t command)
{
    int found = -1, status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        if (pid == command)
            found = status;
    return found;
}

int pid_init(const struct process_spec *command)
{
    struct signalfd_siginfo news;
    struct process process;
    sigset_t all;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    int result = process_start(command, &process, NULL);
    if (result < 0)
        return result;
    for (int fd = 3; fd < 4096; fd++)
        close(fd);

    int signals = signalfd(-1, &all, SFD_CLOEXEC);
    for (;;) {
        int status = reap(process.pid);
        if (status != -1 && WIFSIGNALED(status))
            _exit(128 + WTERMSIG(status));
        if (status != -1)
            _exit(WEXITSTATUS(status));
        ssize_t got = read(signals, &news, sizeof news);
        if (got == (ssize_t)sizeof news && news.ssi_signo != SIGCHLD)
            kill(process.pid, (int)news.ssi_signo);
    }
}

static int inner(const struct process *process, void *arg)
{
    (void)process;
    return pid_mount_proc(arg);
}

int pid_nest(struct process_spec *command)
{
    static char path[] = "/proc";
    static struct process_hook hooks[2];

    hooks[0] = (struct process_hook){.name = "inner", .run = inner, .arg = path};
    command->namespaces |= CLONE_NEWPID | CLONE_NEWNS;
    command->child_hooks = hooks;
    return 0;
}
