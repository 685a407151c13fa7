/* Children, descendants, members of a pid namespace. */
#include "support.h"

#include "kernel/tree.h"

#include <sched.h>

static void test_parse(void **state)
{
    struct kernel_pids pids;

    (void)state;
    assert_int_equal(kernel_pids_parse("12 7 99 ", 8, &pids), 0);
    assert_int_equal(pids.count, 3);
    assert_int_equal(pids.list[1], 7);
    kernel_pids_free(&pids);
    kernel_pids_free(&pids);
    assert_int_equal(kernel_pids_parse("", 0, &pids), 0);
    assert_int_equal(pids.count, 0);
    assert_int_equal(kernel_pids_parse("12 x", 4, &pids), -EBADMSG);
    assert_int_equal(kernel_pids_parse("12,3", 4, &pids), -EBADMSG);
    assert_int_equal(kernel_pids_parse("0", 1, &pids), -EBADMSG);
    assert_int_equal(kernel_pids_parse("2147483648", 10, &pids), -EBADMSG);
    assert_int_equal(kernel_pids_parse("1\0002", 3, &pids), -EBADMSG);
    assert_null(pids.list);
}

/* A child with two children; the first of them has one, too. All hold still. */
static int grow(void *arg)
{
    int *depth = arg;
    int ready[2];
    char byte;

    if (pipe(ready) < 0)
        return -1;
    for (int i = 0; i < *depth; i++) {
        if (fork() == 0) {
            int below = i == 0 && *depth == 2 ? 1 : 0;

            prctl(PR_SET_PDEATHSIG, SIGKILL);
            if (grow(&below) < 0 || write(ready[1], "", 1) != 1)
                _exit(1);
            for (;;)
                pause();
        }
        if (read(ready[0], &byte, 1) != 1)
            return -1;
    }
    close(ready[0]);
    close(ready[1]);
    return 0;
}

static void test_tree(void **state)
{
    int depth = 2;
    struct child child = child_start(grow, &depth);
    struct kernel_pids children, all, grandchildren;
    pid_t pid = child.pid;

    (void)state;
    assert_int_equal(kernel_children(pid, &children), 0);
    assert_int_equal(children.count, 2);
    assert_int_equal(kernel_descendants(pid, &all), 0);
    assert_int_equal(all.count, 3);
    assert_memory_equal(all.list, children.list, 2 * sizeof(pid_t));
    assert_int_equal(kernel_children(children.list[0], &grandchildren), 0);
    assert_int_equal(grandchildren.count, 1);
    assert_int_equal(grandchildren.list[0], all.list[2]);
    kernel_pids_free(&grandchildren);
    assert_int_equal(kernel_children(children.list[1], &grandchildren), 0);
    assert_int_equal(grandchildren.count, 0);
    kernel_pids_free(&grandchildren);
    kernel_pids_free(&children);
    kernel_pids_free(&all);
    child_end(&child);
    assert_int_equal(kernel_children(pid, &children), -ESRCH);
    assert_int_equal(kernel_descendants(pid, &all), -ESRCH);
}

static void test_all(void **state)
{
    struct kernel_pids pids;
    bool found = false;

    (void)state;
    assert_int_equal(kernel_pids_all(&pids), 0);
    for (size_t i = 0; i < pids.count; i++)
        found |= pids.list[i] == getpid();
    assert_true(found);
    kernel_pids_free(&pids);
}

/* One member in a pid namespace of its own. */
static int fork_below(void *arg)
{
    (void)arg;
    if (unshare(CLONE_NEWUSER | CLONE_NEWPID) < 0)
        return -1;
    if (fork() == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            pause();
    }
    return 0;
}

static void test_namespace(void **state)
{
    struct child child = child_start(fork_below, NULL);
    struct kernel_pids pids, members;
    struct kernel_ns_id ns;

    (void)state;
    if (child.pid == 0)
        skip(); /* this machine gives no user namespaces */
    assert_int_equal(kernel_children(child.pid, &pids), 0);
    assert_int_equal(pids.count, 1);
    assert_int_equal(kernel_ns(pids.list[0], "pid", &ns), 0);
    assert_int_equal(kernel_pids_in_ns(ns, &members), 0);
    assert_int_equal(members.count, 1);
    assert_int_equal(members.list[0], pids.list[0]);
    kernel_pids_free(&members);
    kernel_pids_free(&pids);
    child_end(&child);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_tree),
        cmocka_unit_test(test_all),
        cmocka_unit_test(test_namespace),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
