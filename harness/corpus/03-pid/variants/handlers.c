/* Different: handlers that count, and sigsuspend; a slave tree instead of a private one; the inner
 * mount namespace by unshare in the hook. */
#include "03-pid/pid.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t came[NSIG];

static void on_signal(int number)
{
    came[number]++;
}

int pid_namespaces(uint64_t *flags)
{
    *flags |= CLONE_NEWPID;
    *flags |= CLONE_NEWNS;
    return 0;
}

int pid_mount_proc(const char *target)
{
    if (mount("none", "/", "none", MS_REC | MS_SLAVE, NULL) != 0)
        return -errno;
    if (mount("none", target, "proc", MS_NOEXEC | MS_NODEV | MS_NOSUID, "") != 0)
        return -errno;
    return 0;
}

/* Closes by looking at what there is. */
static void close_all(void)
{
    DIR *folder = opendir("/proc/self/fd");
    struct dirent *entry;

    if (folder == NULL)
        return;
    while ((entry = readdir(folder)) != NULL) {
        int fd = atoi(entry->d_name);
        if (fd > 2 && fd != dirfd(folder))
            close(fd);
    }
    closedir(folder);
}

static void catch_all(void)
{
    struct sigaction action = {.sa_handler = on_signal};

    sigfillset(&action.sa_mask);
    for (int number = 1; number < NSIG; number++)
        sigaction(number, &action, NULL);
}

static void pass_on(pid_t command)
{
    for (int number = 1; number < NSIG; number++)
        for (; came[number] > 0; came[number]--)
            if (number != SIGCHLD)
                kill(command, number);
}

int pid_init(const struct process_spec *command)
{
    sigset_t all, none;
    struct process process;

    sigfillset(&all);
    sigemptyset(&none);
    sigprocmask(SIG_BLOCK, &all, NULL);
    int result = process_start(command, &process, NULL);
    if (result != 0)
        return result;
    close_all();
    catch_all();

    for (;;) {
        siginfo_t info = {0};
        while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG) == 0 && info.si_pid > 0) {
            if (info.si_pid == process.pid)
                exit(process_exit_status(info.si_code, info.si_status));
            info.si_pid = 0;
        }
        sigsuspend(&none);
        pass_on(process.pid);
    }
}

static int inner(const struct process *process, void *arg)
{
    (void)process;
    (void)arg;
    return unshare(CLONE_NEWNS) < 0 ? -errno : pid_mount_proc("/proc");
}

static const struct process_hook inner_hooks[] = {{"inner", inner, NULL}, {NULL, NULL, NULL}};

int pid_nest(struct process_spec *command)
{
    command->child_hooks = inner_hooks;
    command->namespaces |= CLONE_NEWPID;
    return 0;
}
