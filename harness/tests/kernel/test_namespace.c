/* Namespaces by device and inode. */
#include "support.h"

#include "kernel/namespace.h"

#include <sched.h>

static int unshare_uts(void *arg)
{
    (void)arg;
    return unshare(CLONE_NEWUSER | CLONE_NEWUTS);
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(kernel_ns_name(KERNEL_NS_CGROUP), "cgroup");
    assert_string_equal(kernel_ns_name(KERNEL_NS_UTS), "uts");
    assert_null(kernel_ns_name(KERNEL_NS_KINDS));
    assert_int_equal(kernel_ns_flag(KERNEL_NS_MNT), CLONE_NEWNS);
    assert_int_equal(kernel_ns_flag(KERNEL_NS_PID_FOR_CHILDREN), 0);
}

static void test_shared(void **state)
{
    struct child child = child_start(NULL, NULL);
    struct kernel_ns_set ours, its;
    struct kernel_ns_id id;
    pid_t pid = child.pid;

    (void)state;
    assert_int_equal(kernel_ns_all(getpid(), &ours), 0);
    assert_int_equal(kernel_ns_all(pid, &its), 0);
    for (enum kernel_ns_kind kind = 0; kind < KERNEL_NS_KINDS; kind++)
        assert_int_equal(kernel_ns_shared(&ours, &its, kind), ours.present[kind]);
    assert_true(its.present[KERNEL_NS_UTS] && its.present[KERNEL_NS_USER]);
    assert_int_equal(kernel_ns(pid, "uts", &id), 0);
    assert_true(kernel_ns_equal(id, ours.id[KERNEL_NS_UTS]));
    assert_false(kernel_ns_equal(id, ours.id[KERNEL_NS_IPC]));
    assert_int_equal(kernel_ns(pid, "nonsense", &id), -ENOENT);
    child_end(&child);
    assert_int_equal(kernel_ns(pid, "uts", &id), -ESRCH);
    assert_int_equal(kernel_ns_all(pid, &its), -ESRCH);
}

static void test_unshared(void **state)
{
    struct child child = child_start(unshare_uts, NULL);
    struct kernel_ns_set ours, its;

    (void)state;
    if (child.pid == 0)
        skip(); /* this machine gives no user namespaces */
    assert_int_equal(kernel_ns_all(getpid(), &ours), 0);
    assert_int_equal(kernel_ns_all(child.pid, &its), 0);
    assert_false(kernel_ns_shared(&ours, &its, KERNEL_NS_UTS));
    assert_false(kernel_ns_shared(&ours, &its, KERNEL_NS_USER));
    assert_true(kernel_ns_shared(&ours, &its, KERNEL_NS_IPC));
    child_end(&child);
}

static void test_zombie(void **state)
{
    struct child child = child_start(NULL, NULL);
    struct kernel_ns_id id;
    siginfo_t info;

    (void)state;
    kill(child.pid, SIGKILL);
    assert_int_equal(waitid(P_PID, (id_t)child.pid, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(kernel_ns(child.pid, "mnt", &id), -ESRCH);
    child_end(&child);
}

static void test_fd(void **state)
{
    autoclose int fd = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);
    struct kernel_ns_id a, b;

    (void)state;
    assert_int_equal(kernel_ns_fd(fd, &a), 0);
    assert_int_equal(kernel_ns(getpid(), "uts", &b), 0);
    assert_true(kernel_ns_equal(a, b));
    assert_int_equal(kernel_ns_fd(-1, &a), -EBADF);
}

static int link_parse(const char *text, char kind[32], struct kernel_ns_id *id)
{
    return kernel_ns_link_parse(text, strlen(text), kind, id);
}

static void test_link(void **state)
{
    struct kernel_ns_id id;
    char kind[32];

    (void)state;
    assert_int_equal(link_parse("uts:[4026531838]", kind, &id), 0);
    assert_string_equal(kind, "uts");
    assert_int_equal(id.ino, 4026531838);
    assert_int_equal(link_parse("uts:[4026531838", kind, &id), -EBADMSG);
    assert_int_equal(link_parse("uts:[4026531838]x", kind, &id), -EBADMSG);
    assert_int_equal(link_parse("uts:4026531838", kind, &id), -EBADMSG);
    assert_int_equal(link_parse("uts:[]", kind, &id), -EBADMSG);
    assert_int_equal(link_parse(":[1]", kind, &id), -EBADMSG);
    assert_int_equal(link_parse("uts", kind, &id), -EBADMSG);
    assert_int_equal(link_parse("/a:[1]", kind, &id), -EBADMSG);
    assert_int_equal(link_parse("uts:[18446744073709551616]", kind, &id), -EBADMSG);
    assert_int_equal(link_parse("abcdefghijklmnopqrstuvwxyzabcdefg:[1]", kind, &id), -EBADMSG);
    assert_int_equal(link_parse("", kind, &id), -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),    cmocka_unit_test(test_shared),
        cmocka_unit_test(test_unshared), cmocka_unit_test(test_zombie),
        cmocka_unit_test(test_fd),       cmocka_unit_test(test_link),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
