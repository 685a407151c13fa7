/* What a process holds open. */
#include "support.h"

#include "kernel/fd.h"

#include <sys/stat.h>

static void test_fdinfo(void **state)
{
    struct kernel_fdinfo info;
    size_t len;
    autofree char *text = fixture("fdinfo-recorded", &len);

    (void)state;
    assert_int_equal(kernel_fdinfo_parse(text, len, &info), 0);
    assert_int_equal(info.pos, 128);
    assert_int_equal(info.flags, 02100002);
    assert_int_equal(info.mnt_id, 24);
    assert_int_equal(info.ino, 9);
    assert_int_equal(kernel_fdinfo_parse("pos:\t0\n", 7, &info), 0);
    assert_int_equal(info.flags, -1);
    assert_int_equal(info.mnt_id, -1);
    assert_int_equal(kernel_fdinfo_parse("mnt_id:\t2147483648\n", 19, &info), -EBADMSG);
    assert_int_equal(kernel_fdinfo_parse("flags:\t9\n", 9, &info), -EBADMSG);
    for (size_t cut = 0; cut <= len; cut++) {
        autofree char *prefix = exact(text, cut);
        int error = kernel_fdinfo_parse(prefix, cut, &info);

        assert_true(error == 0 || error == -EBADMSG);
    }
}

/* fd 40: a pipe's write end; 41: /dev/null by O_PATH; 42: a file that is deleted by now. */
static int open_some(void *arg)
{
    int ends[2];
    char name[] = "/tmp/strata-test-fd-XXXXXX";
    int file = mkstemp(name);

    (void)arg;
    if (file < 0 || unlink(name) < 0 || pipe(ends) < 0)
        return -1;
    if (dup3(ends[1], 40, O_CLOEXEC) < 0 || dup3(file, 42, 0) < 0)
        return -1;
    return dup3(open("/dev/null", O_PATH), 41, 0) < 0 ? -1 : 0;
}

static void test_read(void **state)
{
    struct child child = child_start(open_some, NULL);
    const struct kernel_fd *fd;
    struct kernel_fds fds;
    struct stat null;
    pid_t pid = child.pid;

    (void)state;
    assert_int_equal(stat("/dev/null", &null), 0);
    assert_int_equal(kernel_fds_read(pid, &fds), 0);
    for (size_t i = 1; i < fds.count; i++)
        assert_true(fds.list[i - 1].fd < fds.list[i].fd);
    fd = kernel_fds_find(&fds, 40);
    assert_non_null(fd);
    assert_true(S_ISFIFO(fd->mode));
    assert_true((fd->flags & O_ACCMODE) == O_WRONLY && (fd->flags & O_CLOEXEC));
    assert_memory_equal(fd->target, "pipe:[", 6);
    fd = kernel_fds_find(&fds, 41);
    assert_string_equal(fd->target, "/dev/null");
    assert_true(S_ISCHR(fd->mode) && (fd->flags & O_PATH));
    assert_true(fd->rdev == null.st_rdev && fd->dev == null.st_dev && fd->ino == null.st_ino);
    assert_true(fd->mnt_id > 0);
    fd = kernel_fds_find(&fds, 42);
    assert_non_null(strstr(fd->target, " (deleted)"));
    assert_true(S_ISREG(fd->mode) && !(fd->flags & O_CLOEXEC));
    assert_null(kernel_fds_find(&fds, 43));
    kernel_fds_free(&fds);
    kernel_fds_free(&fds);
    child_end(&child);
    assert_int_equal(kernel_fds_read(pid, &fds), -ESRCH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fdinfo),
        cmocka_unit_test(test_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
