/*
 * doors: tries every way to a new UTS namespace, and says which are open. A program of its own,
 * linked statically, so that it runs in a root file system that has no library. Built apart from
 * lab10.
 *
 *     doors
 *
 * One line a door: its name, and "open" or the error that it gave. Each is tried by a child, which
 * then ends. The last two lines are no doors: what a filter must leave alone.
 */
#include <errno.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* fork() is clone with no more than this among its flags. */
static long by_clone(unsigned long flags)
{
#ifdef __s390x__
    return syscall(SYS_clone, 0, flags | SIGCHLD, 0, 0, 0);
#else
    return syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
#endif
}

static long by_clone3(unsigned long flags)
{
    struct clone_args args = {.flags = flags, .exit_signal = SIGCHLD};

    return syscall(SYS_clone3, &args, sizeof args);
}

static long by_unshare(unsigned long flags)
{
    return unshare((int)flags);
}

/* Our own, which we are in already: joining it changes nothing. */
static long by_setns(unsigned long flags)
{
    int self = (int)syscall(SYS_pidfd_open, getpid(), 0);

    return setns(self, (int)flags);
}

static void *idle(void *arg)
{
    return arg;
}

static long by_thread(unsigned long flags)
{
    pthread_t thread;

    (void)flags;
    errno = pthread_create(&thread, NULL, idle, NULL);
    return errno != 0 ? -1 : pthread_join(thread, NULL);
}

/* The child's exit status is the error, 0 for none. A door that makes a process returns twice in
 * it; the second one ends as if nothing had been, and is waited for. */
static int attempt(long (*door)(unsigned long), unsigned long flags)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        long result = door(flags);
        if (result > 0)
            waitpid((pid_t)result, NULL, 0);
        _exit(result < 0 ? errno : 0);
    }
    if (child < 0 || waitpid(child, &status, 0) < 0)
        return errno;
    return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

int main(void)
{
    static const struct {
        const char *name;
        long (*try)(unsigned long);
        unsigned long flags;
    } doors[] = {{"clone", by_clone, CLONE_NEWUTS},
                 {"clone3", by_clone3, CLONE_NEWUTS},
                 {"unshare", by_unshare, CLONE_NEWUTS},
                 {"setns", by_setns, CLONE_NEWUTS},
                 {"process", by_clone, 0},
                 {"thread", by_thread, 0}};

    for (size_t i = 0; i < sizeof doors / sizeof *doors; i++) {
        int error = attempt(doors[i].try, doors[i].flags);
        printf("%-8s %s\n", doors[i].name, error == 0 ? "open" : strerrorname_np(error));
    }
    return 0;
}
