/* Files in another process's root, and what lies in wait there. */
#include "support.h"

#include "kernel/path.h"

#include <sched.h>

/* A directory full of traps. It is our child's root by chroot; to be allowed that, the child makes
 * a user namespace if it is nobody special. The files are made before, by the parent. */
static char root[] = "/tmp/strata-test-path-XXXXXX";

static const char *const names[] = {"file",   "fifo", "absolute",  "relative", "dotdot",
                                    "secret", "loop", "down/file", "down"};

static int make_root(void **state)
{
    autoclose int dir = -1, file = -1, below = -1;

    (void)state;
    if (!mkdtemp(root))
        return -1;
    dir = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (mkdirat(dir, "down", 0755) < 0 || mkfifoat(dir, "fifo", 0600) < 0)
        return -1;
    file = openat(dir, "file", O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
    below = openat(dir, "down/file", O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
    if (write(file, "top", 3) != 3 || write(below, "below", 5) != 5)
        return -1;
    return symlinkat("/down/file", dir, "absolute") || symlinkat("down/file", dir, "relative") ||
           symlinkat("../../../../file", dir, "dotdot") ||
           symlinkat("/etc/passwd", dir, "secret") || symlinkat("loop", dir, "loop");
}

static int remove_root(void **state)
{
    autoclose int dir = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        unlinkat(dir, names[i], strcmp(names[i], "down") == 0 ? AT_REMOVEDIR : 0);
    return rmdir(root);
}

static int enter_root(void *arg)
{
    (void)arg;
    if (geteuid() != 0 && unshare(CLONE_NEWUSER) < 0)
        return -errno;
    return chroot(root) || chdir("/");
}

static void assert_reads(pid_t pid, const char *path, const char *want)
{
    autofree char *text = NULL;
    size_t len;

    assert_int_equal(kernel_path_read(pid, path, &text, &len), 0);
    assert_string_equal(text, want);
}

static void assert_refused(pid_t pid, const char *path, int want)
{
    autofree char *text = NULL;
    size_t len;

    assert_int_equal(kernel_path_read(pid, path, &text, &len), want);
    assert_null(text);
}

static void test_traps(void **state)
{
    struct child child = child_start(enter_root, NULL);
    pid_t pid = child.pid;

    (void)state;
    if (pid == 0)
        skip(); /* this machine gives no user namespaces */
    assert_reads(pid, "/file", "top");
    assert_reads(pid, "file", "top");
    assert_reads(pid, "/absolute", "below");
    assert_reads(pid, "/relative", "below");
    assert_reads(pid, "/dotdot", "top");
    assert_reads(pid, "/../../../file", "top");
    assert_refused(pid, "/secret", -ENOENT);
    assert_refused(pid, "/etc/passwd", -ENOENT);
    assert_refused(pid, "/fifo", -EINVAL);
    assert_refused(pid, "/down", -EINVAL);
    assert_refused(pid, "/loop", -ELOOP);
    child_end(&child);
    assert_refused(pid, "/file", -ESRCH);
}

static void test_stat_and_link(void **state)
{
    struct child child = child_start(enter_root, NULL);
    autofree char *target = NULL;
    struct stat st;
    pid_t pid = child.pid;

    (void)state;
    if (pid == 0)
        skip();
    assert_int_equal(kernel_path_stat(pid, "/absolute", 0, &st), 0);
    assert_true(S_ISREG(st.st_mode) && st.st_size == 5);
    assert_int_equal(kernel_path_stat(pid, "/absolute", O_NOFOLLOW, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_int_equal(kernel_path_stat(pid, "/fifo", 0, &st), 0);
    assert_true(S_ISFIFO(st.st_mode));
    assert_int_equal(kernel_path_at(pid, "/file", O_DIRECTORY), -ENOTDIR);
    assert_int_equal(kernel_path_readlink(pid, "/secret", &target), 0);
    assert_string_equal(target, "/etc/passwd");
    free(target);
    assert_int_equal(kernel_path_readlink(pid, "/file", &target), -EINVAL);
    assert_null(target);
    child_end(&child);
}

static void test_magic_link(void **state)
{
    struct child child = child_start(NULL, NULL);

    (void)state;
    assert_int_equal(kernel_path_at(child.pid, "/proc/self/root/etc", 0), -ELOOP);
    assert_int_equal(kernel_path_at(0, "/", 0), -ESRCH);
    child_end(&child);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_traps),
        cmocka_unit_test(test_stat_and_link),
        cmocka_unit_test(test_magic_link),
    };

    return cmocka_run_group_tests(tests, make_root, remove_root);
}
