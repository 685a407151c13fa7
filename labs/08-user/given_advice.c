#include "08-user/given_advice.h"

#include <errno.h>
#include <linux/sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "01-process/process.h"

/* A number in a file of /proc/sys; `otherwise` where the kernel has no such file. */
static long setting(const char *path, long otherwise)
{
    long value;
    FILE *file = fopen(path, "re");

    if (file == NULL)
        return otherwise;
    if (fscanf(file, "%ld", &value) != 1)
        value = otherwise;
    fclose(file);
    return value;
}

/* Whoever has a user namespace has powers over the mount namespace that was made with it. */
static int try_mount(const struct process *process, void *arg)
{
    (void)process;
    (void)arg;
    return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ? -errno : 0;
}

static int leave(void *arg)
{
    (void)arg;
    _exit(0);
}

static void say_refused(const char *program, int error)
{
    fprintf(stderr, "%s: no new user namespace can be made here (%s).\n", program,
            strerror(-error));
    if (setting("/proc/sys/user/max_user_namespaces", 1) == 0)
        fprintf(stderr, "  Why: user.max_user_namespaces is 0. To allow them:\n"
                        "  sudo sysctl user.max_user_namespaces=15000\n");
    else if (error == -ENOSPC)
        fprintf(stderr, "  Why: there are as many as user.max_user_namespaces allows, or they are\n"
                        "  nested 32 deep. End some, or raise that number with sysctl.\n");
    else if (geteuid() != 0 && setting("/proc/sys/kernel/unprivileged_userns_clone", 1) == 0)
        fprintf(stderr, "  Why: kernel.unprivileged_userns_clone is 0, so only root may. To allow\n"
                        "  everybody: sudo sysctl kernel.unprivileged_userns_clone=1\n");
    else if (error == -EINVAL)
        fprintf(stderr, "  Why: this kernel was built without them (CONFIG_USER_NS).\n");
    else
        fprintf(stderr,
                "  Why: the caller is in a chroot, or a seccomp filter forbids it (that of\n"
                "  docker does: --security-opt seccomp=unconfined), or SELinux.\n");
}

static void say_powerless(const char *program, int error)
{
    fprintf(stderr, "%s: a new user namespace can be made here, but no powers come with it (%s).\n",
            program, strerror(-error));
    if (setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", 0) != 0)
        fprintf(stderr,
                "  Why: AppArmor takes them away (Ubuntu 24.04 does) from every program that\n"
                "  has no profile with \"userns,\". Write one for this program, or for all:\n"
                "  sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0\n");
    else
        fprintf(stderr, "  Why: a security module (AppArmor, SELinux) decides so; its log, and\n"
                        "  dmesg, say which rule.\n");
}

void advice_user_namespaces(const char *program)
{
    const struct process_hook hooks[] = {{"try_mount", try_mount, NULL}, {0}};
    const struct process_spec spec = {
        .namespaces = CLONE_NEWUSER | CLONE_NEWNS,
        .cgroup = -1,
        .child_hooks = hooks,
        .main = leave,
        .stdio = {-1, -1, -1},
    };
    struct process_failure failure;
    struct process trial;
    int status, result = process_start(&spec, &trial, &failure);

    if (result == 0) {
        process_wait(&trial, &status);
        close(trial.pidfd);
    } else if (result != STRATA_TODO && failure.stage == PROCESS_CLONE) {
        say_refused(program, result);
    } else if (result != STRATA_TODO && failure.stage == PROCESS_CHILD_HOOK) {
        say_powerless(program, result);
    }
}
