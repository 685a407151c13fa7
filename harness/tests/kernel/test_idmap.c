/* Id maps and setgroups. */
#include "support.h"

#include "kernel/idmap.h"

#include <sched.h>

static int parse(const char *text)
{
    struct kernel_idmap map;
    int error = kernel_idmap_parse(text, strlen(text), &map);

    kernel_idmap_free(&map);
    kernel_idmap_free(&map);
    return error;
}

static void test_parse(void **state)
{
    struct kernel_idmap map;
    uint32_t id;
    size_t len;
    autofree char *text = fixture("idmap-two", &len);

    (void)state;
    assert_int_equal(kernel_idmap_parse(text, len, &map), 0);
    assert_int_equal(map.count, 2);
    assert_int_equal(kernel_idmap_outside(&map, 0, &id), 0);
    assert_int_equal(id, 1001);
    assert_int_equal(kernel_idmap_outside(&map, 65536, &id), 0);
    assert_int_equal(id, 231071);
    assert_int_equal(kernel_idmap_outside(&map, 65537, &id), -ENOENT);
    assert_int_equal(kernel_idmap_inside(&map, 165536, &id), 0);
    assert_int_equal(id, 1);
    assert_int_equal(kernel_idmap_inside(&map, 165535, &id), -ENOENT);
    kernel_idmap_free(&map);
    for (size_t cut = 0; cut <= len; cut++) {
        autofree char *prefix = exact(text, cut);
        int error = kernel_idmap_parse(prefix, cut, &map);

        assert_true(error == 0 || error == -EBADMSG);
        kernel_idmap_free(&map);
    }
}

static void test_refused(void **state)
{
    (void)state;
    assert_int_equal(parse(""), 0);
    assert_int_equal(parse("0 0 4294967295\n"), 0);
    assert_int_equal(parse("0 4294967295 1\n"), 0); /* outside: not mapped for this reader */
    assert_int_equal(parse("0 4294967295 5\n"), 0);
    assert_int_equal(parse("0 1 4294967296\n"), -EBADMSG);
    assert_int_equal(parse("4294967295 1 2\n"), -EBADMSG);
    assert_int_equal(parse("0 4294967294 3\n"), -EBADMSG);
    assert_int_equal(parse("0 1 0\n"), -EBADMSG);
    assert_int_equal(parse("0 1\n"), -EBADMSG);
    assert_int_equal(parse("0 1 2 3\n"), -EBADMSG);
    assert_int_equal(parse("0 -1 2\n"), -EBADMSG);
    assert_int_equal(parse("\n"), -EBADMSG);
}

static void test_setgroups(void **state)
{
    (void)state;
    assert_int_equal(kernel_setgroups_parse("allow\n", 6), 1);
    assert_int_equal(kernel_setgroups_parse("deny", 4), 0);
    assert_int_equal(kernel_setgroups_parse("den", 3), -EBADMSG);
    assert_int_equal(kernel_setgroups_parse("deny\nx", 6), -EBADMSG);
    assert_int_equal(kernel_setgroups_parse("deny\0", 5), -EBADMSG);
    assert_int_equal(kernel_setgroups_parse("", 0), -EBADMSG);
}

/* In a user namespace of its own, with one id mapped: ours stands for 7 there. */
static int map_one(void *arg)
{
    char map[32];
    int len = snprintf(map, sizeof(map), "7 %u 1\n", geteuid());
    autoclose int deny = -1, fd = -1;

    (void)arg;
    if (unshare(CLONE_NEWUSER) < 0)
        return -errno;
    deny = open("/proc/self/setgroups", O_WRONLY | O_CLOEXEC);
    fd = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
    return write(deny, "deny", 4) == 4 && write(fd, map, (size_t)len) == len ? 0 : -1;
}

static void test_read(void **state)
{
    struct child child = child_start(map_one, NULL);
    struct kernel_idmap map;
    uint32_t id = 0;
    pid_t pid = child.pid;

    (void)state;
    if (pid == 0)
        skip(); /* this machine gives no user namespaces */
    assert_int_equal(kernel_idmap_read(pid, "uid_map", &map), 0);
    assert_int_equal(map.count, 1);
    assert_int_equal(kernel_idmap_outside(&map, 7, &id), 0);
    assert_int_equal(id, geteuid());
    kernel_idmap_free(&map);
    assert_int_equal(kernel_idmap_read(pid, "gid_map", &map), 0);
    assert_int_equal(map.count, 0);
    kernel_idmap_free(&map);
    assert_int_equal(kernel_setgroups(pid), 0);
    child_end(&child);
    assert_int_equal(kernel_idmap_read(pid, "uid_map", &map), -ESRCH);
    assert_int_equal(kernel_setgroups(pid), -ESRCH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_setgroups),
        cmocka_unit_test(test_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
