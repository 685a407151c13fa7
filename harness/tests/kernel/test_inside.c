/* Looking from within: what comes back, what cannot be held up, what is left behind. */
#include "support.h"

#include "kernel/inside.h"

#include <sched.h>
#include <sys/mman.h>

#define HOST "strata-test-inside"

static int own_host(void *arg)
{
    (void)arg;
    return unshare(CLONE_NEWUSER | CLONE_NEWUTS) || sethostname(HOST, sizeof(HOST) - 1);
}

static int tell_host(void *arg, int out_fd)
{
    char name[256];

    (void)arg;
    if (gethostname(name, sizeof(name)) < 0)
        return -errno;
    return kernel_write_all(out_fd, name, strlen(name));
}

static unsigned flags_of(int namespaces)
{
    return (unsigned)namespaces;
}

static void test_host_name(void **state)
{
    struct child child = child_start(own_host, NULL);
    autofree char *text = NULL;
    char ours[256];
    size_t len;
    pid_t pid = child.pid;

    (void)state;
    if (pid == 0)
        skip(); /* this machine gives no user namespaces */
    assert_int_equal(kernel_inside(child.pidfd, pid, flags_of(CLONE_NEWUSER | CLONE_NEWUTS),
                                   tell_host, NULL, &text, &len),
                     0);
    assert_string_equal(text, HOST);
    assert_int_equal(len, strlen(HOST));
    free(text);
    /* A namespace shared with us is left out, here ipc; and we ourselves have not moved. */
    assert_int_equal(kernel_inside(child.pidfd, pid,
                                   flags_of(CLONE_NEWUSER | CLONE_NEWUTS | CLONE_NEWIPC), tell_host,
                                   NULL, &text, &len),
                     0);
    assert_string_equal(text, HOST);
    free(text);
    text = NULL;
    assert_int_equal(gethostname(ours, sizeof(ours)), 0);
    assert_string_not_equal(ours, HOST);
    assert_int_equal(kernel_inside(child.pidfd, pid, 0, tell_host, NULL, &text, &len), 0);
    assert_string_equal(text, ours);
    free(text);
    if (geteuid() != 0) /* only with the user namespace does an ordinary user have the right */
        assert_int_equal(
            kernel_inside(child.pidfd, pid, flags_of(CLONE_NEWUTS), tell_host, NULL, &text, &len),
            -EPERM);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    assert_int_equal(kernel_inside(child.pidfd, pid, flags_of(CLONE_NEWUSER | CLONE_NEWUTS),
                                   tell_host, NULL, &text, &len),
                     -ESRCH);
    assert_null(text);
    close(child.pidfd);
}

static int give_up(void *arg, int out_fd)
{
    int *error = arg;

    (void)!write(out_fd, "half", 4);
    return *error;
}

__attribute__((noreturn)) static int hang(void *arg, int out_fd)
{
    (void)arg;
    (void)!write(out_fd, "half", 4);
    for (;;)
        pause();
}

static int flood(void *arg, int out_fd)
{
    static const char block[65536];

    (void)arg;
    while (kernel_write_all(out_fd, block, sizeof(block)) == 0)
        ;
    return 0;
}

static int die(void *arg, int out_fd)
{
    (void)arg;
    (void)out_fd;
    return kill(getpid(), SIGKILL);
}

/* Nothing of ours is left, neither running nor waiting to be reaped. */
static void assert_no_children(void)
{
    assert_int_equal(waitpid(-1, NULL, WNOHANG | __WALL), -1);
    assert_int_equal(errno, ECHILD);
}

static void test_failures(void **state)
{
    autoclose int self = pidfd_open(getpid(), 0);
    int error = -EXDEV;
    autofree char *text = NULL;
    size_t len = 1;

    (void)state;
    assert_int_equal(kernel_inside(self, getpid(), 0, give_up, &error, &text, &len), -EXDEV);
    assert_null(text);
    assert_int_equal(len, 0);
    assert_int_equal(kernel_inside_within(100, self, getpid(), 0, hang, NULL, &text, &len),
                     -ETIMEDOUT);
    assert_null(text);
    assert_int_equal(kernel_inside(self, getpid(), 0, flood, NULL, &text, &len), -EFBIG);
    assert_null(text);
    assert_int_equal(kernel_inside(self, getpid(), 0, die, NULL, &text, &len), -EIO);
    assert_int_equal(kernel_inside(self, getpid(), flags_of(CLONE_FILES), die, NULL, &text, &len),
                     -EINVAL);
    assert_no_children();
}

/* Which of 3..63 are open, does anybody trace or dump it, which signals are blocked or handled? */
static int tell_self(void *arg, int out_fd)
{
    char report[256];
    sigset_t blocked;
    struct sigaction action;
    int open_fds = 0;

    (void)arg;
    for (int fd = 3; fd < 1024; fd++)
        open_fds += fcntl(fd, F_GETFD) >= 0;
    sigprocmask(SIG_SETMASK, NULL, &blocked);
    sigaction(SIGUSR1, NULL, &action);
    snprintf(report, sizeof(report), "fds %d dumpable %d blocked %d default %d", open_fds,
             prctl(PR_GET_DUMPABLE), sigismember(&blocked, SIGUSR1), action.sa_handler == SIG_DFL);
    return kernel_write_all(out_fd, report, strlen(report));
}

static void ignore(int signo)
{
    (void)signo;
}

static void test_immune(void **state)
{
    autoclose int self = pidfd_open(getpid(), 0);
    autoclose int secret = memfd_create("secret", 0); /* no O_CLOEXEC, on purpose */
    struct sigaction ours = {.sa_handler = ignore}, before;
    sigset_t set, mask;
    autofree char *text = NULL;
    size_t len;

    (void)state;
    assert_true(secret >= 0);
    sigaction(SIGUSR1, &ours, &before);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, &mask);
    assert_int_equal(kernel_inside(self, getpid(), 0, tell_self, NULL, &text, &len), 0);
    assert_string_equal(text, "fds 2 dumpable 0 blocked 0 default 1");
    sigprocmask(SIG_SETMASK, &mask, NULL);
    sigaction(SIGUSR1, &before, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_host_name),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_immune),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
