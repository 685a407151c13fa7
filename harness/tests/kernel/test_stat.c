/* /proc/PID/stat: names that lie, lines that end early, numbers that do not fit. */
#include "support.h"

#include "kernel/stat.h"

static struct kernel_stat parsed(const char *name)
{
    struct kernel_stat stat;
    size_t len;
    autofree char *text = fixture(name, &len);

    assert_int_equal(kernel_stat_parse(text, len, &stat), 0);
    return stat;
}

static void check_tail(const struct kernel_stat *stat)
{
    assert_int_equal(stat->pid, 4242);
    assert_int_equal(stat->state, 'S');
    assert_int_equal(stat->ppid, 1);
    assert_int_equal(stat->pgrp, 4242);
    assert_int_equal(stat->session, 4242);
    assert_int_equal(stat->tty_nr, 34816);
    assert_int_equal(stat->flags, 4194304);
    assert_int_equal(stat->minflt, 100);
    assert_int_equal(stat->majflt, 2);
    assert_int_equal(stat->utime, 7);
    assert_int_equal(stat->stime, 3);
    assert_int_equal(stat->cutime, -1);
    assert_int_equal(stat->cstime, -2);
    assert_int_equal(stat->priority, 20);
    assert_int_equal(stat->nice, -5);
    assert_int_equal(stat->num_threads, 3);
    assert_int_equal(stat->starttime, 123456);
    assert_int_equal(stat->vsize, 7340032);
    assert_int_equal(stat->rss, 321);
    assert_int_equal(stat->exit_signal, 17);
    assert_int_equal(stat->processor, 1);
    assert_int_equal(stat->policy, 0);
}

static void test_names(void **state)
{
    const char *const fixtures[][2] = {
        {"stat-parentheses", "a b) (c"},
        {"stat-forged", "x) R 9 9 9 (y"},
        {"stat-newline", "two\nlines\t"},
        {"stat-empty-name", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(fixtures) / sizeof(fixtures[0]); i++) {
        struct kernel_stat stat = parsed(fixtures[i][0]);

        assert_string_equal(stat.comm, fixtures[i][1]);
        check_tail(&stat);
    }
}

static void test_old_kernel(void **state)
{
    struct kernel_stat stat = parsed("stat-old");

    (void)state;
    assert_int_equal(stat.rss, 10);
    assert_int_equal(stat.tpgid, -1);
    assert_int_equal(stat.exit_signal, -1);
    assert_int_equal(stat.processor, -1);
}

static void test_every_prefix(void **state)
{
    const char *const fixtures[] = {"stat-recorded", "stat-parentheses", "stat-newline"};
    struct kernel_stat stat;

    (void)state;
    for (size_t i = 0; i < sizeof(fixtures) / sizeof(fixtures[0]); i++) {
        size_t len, good = 0;
        autofree char *text = fixture(fixtures[i], &len);

        for (size_t cut = 0; cut <= len; cut++) {
            autofree char *prefix = exact(text, cut);
            int error = kernel_stat_parse(prefix, cut, &stat);

            assert_true(error == 0 || error == -EBADMSG);
            good += error == 0;
        }
        assert_int_equal(kernel_stat_parse(text, len - 1, &stat), 0); /* no newline */
        assert_true(good > 1 && good < len);
    }
}

static int parse(const char *text)
{
    struct kernel_stat stat;

    return kernel_stat_parse(text, strlen(text), &stat);
}

#define REST " 0 0 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 5 1000 "

static void test_numbers(void **state)
{
    struct kernel_stat stat;
    const char nul[] = "1 (a\0b) S 1" REST "10";

    (void)state;
    assert_int_equal(parse("1 (a) S 1" REST "10"), 0);
    assert_int_equal(parse("1 (a) S 2147483647" REST "10"), 0);
    assert_int_equal(parse("1 (a) S 2147483648" REST "10"), -EBADMSG);
    assert_int_equal(parse("1 (a) S 1" REST "9223372036854775808"), -EBADMSG);
    assert_int_equal(parse("1 (a) S 1" REST "10 99999999999999999999"), -EBADMSG);
    assert_int_equal(parse("99999999999 (a) S 1" REST "10"), -EBADMSG);
    assert_int_equal(parse("1 (a) S x" REST "10"), -EBADMSG);
    assert_int_equal(parse("1 (a) S  1" REST "10"), -EBADMSG);
    assert_int_equal(parse("1 (a) SS 1" REST "10"), -EBADMSG);
    assert_int_equal(parse("1 a) S 1" REST "10"), -EBADMSG);
    assert_int_equal(parse("1 )" REST), -EBADMSG);
    assert_int_equal(kernel_stat_parse(nul, sizeof(nul) - 1, &stat), -EBADMSG);
    assert_int_equal(kernel_stat_parse(NULL, 0, &stat), -EBADMSG);
}

static int rename_self(void *arg)
{
    return prctl(PR_SET_NAME, arg);
}

static void test_read(void **state)
{
    char name[] = "a b) S (c\nd";
    struct child child = child_start(rename_self, name);
    struct kernel_stat stat;
    pid_t pid = child.pid;

    (void)state;
    assert_int_equal(kernel_stat_read(pid, &stat), 0);
    assert_int_equal(stat.pid, pid);
    assert_int_equal(stat.ppid, getpid());
    assert_string_equal(stat.comm, name);
    assert_int_equal(stat.num_threads, 1);
    assert_true(stat.starttime > 0 && stat.vsize > 0);
    child_end(&child);
    assert_int_equal(kernel_stat_read(pid, &stat), -ESRCH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),        cmocka_unit_test(test_old_kernel),
        cmocka_unit_test(test_every_prefix), cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
