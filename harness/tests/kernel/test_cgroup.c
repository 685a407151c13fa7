/* /proc/PID/cgroup: version 1, version 2, both; paths with colons. */
#include "support.h"

#include "kernel/cgroup.h"

static struct kernel_cgroups parsed(const char *name)
{
    struct kernel_cgroups cgroups;
    size_t len;
    autofree char *text = fixture(name, &len);

    assert_int_equal(kernel_cgroups_parse(text, len, &cgroups), 0);
    return cgroups;
}

static void test_hybrid(void **state)
{
    struct kernel_cgroups cgroups = parsed("cgroup-hybrid");

    (void)state;
    assert_int_equal(cgroups.count, 4);
    assert_string_equal(kernel_cgroups_find(&cgroups, "memory")->path, "/docker/x:y:z");
    assert_int_equal(kernel_cgroups_find(&cgroups, "cpuacct")->hierarchy, 12);
    assert_string_equal(kernel_cgroups_find(&cgroups, "cpu")->controllers, "cpu,cpuacct");
    assert_null(kernel_cgroups_find(&cgroups, "cpua"));
    assert_null(kernel_cgroups_find(&cgroups, ""));
    assert_string_equal(kernel_cgroups_find(&cgroups, "name=systemd")->path,
                        "/user.slice/user-0.slice/session:2.scope");
    assert_string_equal(kernel_cgroups_v2(&cgroups)->path, "/../sibling (deleted)");
    kernel_cgroups_free(&cgroups);
    kernel_cgroups_free(&cgroups);
}

static void test_v2(void **state)
{
    struct kernel_cgroups cgroups = parsed("cgroup-v2");

    (void)state;
    assert_int_equal(cgroups.count, 1);
    assert_string_equal(kernel_cgroups_v2(&cgroups)->path, "/user.slice/a b/c:d");
    assert_string_equal(kernel_cgroups_v2(&cgroups)->controllers, "");
    assert_null(kernel_cgroups_find(&cgroups, "memory"));
    kernel_cgroups_free(&cgroups);
}

static int parse(const char *text, size_t len)
{
    struct kernel_cgroups cgroups;
    int error = kernel_cgroups_parse(text, len, &cgroups);

    kernel_cgroups_free(&cgroups);
    return error;
}

static void test_refused(void **state)
{
    (void)state;
    assert_int_equal(parse("0::/", 4), 0);
    assert_int_equal(parse("", 0), 0);
    assert_int_equal(parse("0::", 3), -EBADMSG);
    assert_int_equal(parse("0:/", 3), -EBADMSG);
    assert_int_equal(parse("0:cpu:/", 7), -EBADMSG);
    assert_int_equal(parse("0::x", 4), -EBADMSG);
    assert_int_equal(parse(":cpu:/", 6), -EBADMSG);
    assert_int_equal(parse("2147483648:cpu:/", 16), -EBADMSG);
    assert_int_equal(parse("0::/a\0b", 7), -EBADMSG);
    assert_int_equal(parse("0::/\n\n", 6), -EBADMSG);
}

static void test_every_prefix(void **state)
{
    const char *const fixtures[] = {"cgroup-recorded", "cgroup-hybrid", "cgroup-v2"};

    (void)state;
    for (size_t i = 0; i < sizeof(fixtures) / sizeof(fixtures[0]); i++) {
        size_t len;
        autofree char *text = fixture(fixtures[i], &len);

        for (size_t cut = 0; cut <= len; cut++) {
            autofree char *prefix = exact(text, cut);
            int error = parse(prefix, cut);

            assert_true(error == 0 || error == -EBADMSG);
        }
    }
}

static void test_read(void **state)
{
    struct child child = child_start(NULL, NULL);
    struct kernel_cgroups ours, its;
    pid_t pid = child.pid;

    (void)state;
    assert_int_equal(kernel_cgroups_read(getpid(), &ours), 0);
    assert_int_equal(kernel_cgroups_read(pid, &its), 0);
    assert_true(its.count > 0);
    assert_int_equal(ours.count, its.count);
    for (size_t i = 0; i < its.count; i++)
        assert_string_equal(ours.list[i].path, its.list[i].path);
    kernel_cgroups_free(&ours);
    kernel_cgroups_free(&its);
    child_end(&child);
    assert_int_equal(kernel_cgroups_read(pid, &its), -ESRCH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hybrid),  cmocka_unit_test(test_v2),
        cmocka_unit_test(test_refused), cmocka_unit_test(test_every_prefix),
        cmocka_unit_test(test_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
