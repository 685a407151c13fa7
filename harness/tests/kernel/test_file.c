/* Whole files, and processes that end while they are read. */
#include "support.h"

#include <sys/mman.h>

/* The moment that matters: the file is open, then its process ends and is reaped. */
static void vanish(const char *name)
{
    struct child child = child_start(NULL, NULL);
    autoclose int proc = kernel_proc_open(child.pid);
    autoclose int fd = openat(proc, name, O_RDONLY | O_CLOEXEC);
    autofree char *text = NULL;
    size_t len;
    pid_t pid = child.pid;

    assert_true(proc >= 0 && fd >= 0);
    assert_false(kernel_proc_gone(proc));
    child_end(&child);
    assert_int_equal(kernel_read_fd(fd, &text, &len), -ESRCH);
    assert_null(text);
    assert_int_equal(len, 0);
    assert_true(kernel_proc_gone(proc));
    assert_int_equal(kernel_proc_error(proc, -ENOENT), -ESRCH);
    assert_int_equal(kernel_read_pid(pid, name, &text, &len), -ESRCH);
}

static void test_vanishes_while_read(void **state)
{
    (void)state;
    vanish("stat");
    vanish("status");
    vanish("cgroup");
}

static void test_zombie(void **state)
{
    struct child child = child_start(NULL, NULL);
    siginfo_t info;
    autofree char *text = NULL;
    size_t len;

    (void)state;
    kill(child.pid, SIGKILL);
    assert_int_equal(waitid(P_PID, (id_t)child.pid, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(kernel_read_pid(child.pid, "mountinfo", &text, &len), -ESRCH);
    assert_int_equal(kernel_read_pid(child.pid, "stat", &text, &len), 0);
    child_end(&child);
}

static void test_missing(void **state)
{
    autofree char *text = NULL;
    size_t len;

    (void)state;
    assert_int_equal(kernel_read_pid(getpid(), "no-such-file", &text, &len), -ENOENT);
    assert_int_equal(kernel_read_pid(0, "stat", &text, &len), -ESRCH);
    assert_int_equal(kernel_read_pid(-1, "stat", &text, &len), -ESRCH);
    assert_int_equal(kernel_read_pid(0x7ffffff0, "stat", &text, &len), -ESRCH);
    assert_int_equal(kernel_read_at(AT_FDCWD, "/proc", &text, &len), -EISDIR);
    assert_null(text);
}

static void test_cap(void **state)
{
    autoclose int fd = memfd_create("cap", MFD_CLOEXEC);
    autofree char *text = NULL;
    size_t len;

    (void)state;
    assert_int_equal(ftruncate(fd, (off_t)KERNEL_FILE_MAX), 0);
    assert_int_equal(kernel_read_fd(fd, &text, &len), 0);
    assert_int_equal(len, KERNEL_FILE_MAX);
    assert_int_equal(text[len], '\0');
    free(text);
    assert_int_equal(ftruncate(fd, (off_t)KERNEL_FILE_MAX + 1), 0);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    assert_int_equal(kernel_read_fd(fd, &text, &len), -EFBIG);
    assert_null(text);
}

static void test_empty(void **state)
{
    autofree char *text = NULL;
    size_t len;

    (void)state;
    assert_int_equal(kernel_read_at(AT_FDCWD, "/dev/null", &text, &len), 0);
    assert_int_equal(len, 0);
    assert_string_equal(text, "");
}

/* read(2) broken off by a signal is begun again. The pipe's writer comes after the signal. */
static void ignore(int signo)
{
    (void)signo;
}

static void test_interrupted(void **state)
{
    struct sigaction action = {.sa_handler = ignore}; /* no SA_RESTART */
    autofree char *text = NULL;
    int pipe[2];
    size_t len;
    pid_t pid;

    (void)state;
    assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
    assert_int_equal(pipe2(pipe, O_CLOEXEC), 0);
    pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (int i = 0; i < 20; i++) {
            kill(getppid(), SIGUSR1);
            usleep(1000);
        }
        _exit(write(pipe[1], "text", 4) != 4);
    }
    close(pipe[1]);
    assert_int_equal(kernel_read_fd(pipe[0], &text, &len), 0);
    assert_string_equal(text, "text");
    close(pipe[0]);
    waitpid(pid, NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vanishes_while_read),
        cmocka_unit_test(test_zombie),
        cmocka_unit_test(test_missing),
        cmocka_unit_test(test_cap),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_interrupted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
