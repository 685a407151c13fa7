/* /proc/PID/mountinfo: escapes, optional fields, stacked mounts, options. */
#include "support.h"

#include "kernel/mountinfo.h"

static struct kernel_mounts parsed(const char *name)
{
    struct kernel_mounts mounts;
    size_t len;
    autofree char *text = fixture(name, &len);

    assert_int_equal(kernel_mounts_parse(text, len, &mounts), 0);
    return mounts;
}

static void test_escapes(void **state)
{
    struct kernel_mounts mounts = parsed("mountinfo-escapes");
    const struct kernel_mount *m = mounts.list;

    (void)state;
    assert_int_equal(mounts.count, 8);
    assert_int_equal(m[0].id, 36);
    assert_int_equal(m[0].parent, 35);
    assert_int_equal(m[0].major, 98);
    assert_int_equal(m[0].minor, 0);
    assert_string_equal(m[0].root, "/mnt1");
    assert_string_equal(m[0].target, "/mnt with\ttab\nline\\back");
    assert_string_equal(m[0].options, "rw,noatime");
    assert_int_equal(m[0].master, 1);
    assert_int_equal(m[0].shared, 0);
    assert_string_equal(m[0].fstype, "ext3");
    assert_string_equal(m[0].source, "/dev/root");
    assert_string_equal(m[0].super, "rw,errors=continue");
    assert_string_equal(m[1].root, "/a/b");
    assert_string_equal(m[1].target, "/x;y");
    assert_int_equal(m[1].shared, 2);
    assert_int_equal(m[1].master, 1);
    assert_int_equal(m[1].propagate_from, 7);
    assert_string_equal(m[1].fstype, "fuse.my fs");
    assert_string_equal(m[1].source, "a,b");
    assert_true(m[2].unbindable);
    assert_string_equal(m[2].source, "");
    assert_string_equal(m[2].super, "rw,size=64k");
    kernel_mounts_free(&mounts);
    kernel_mounts_free(&mounts);
}

static void test_find(void **state)
{
    struct kernel_mounts mounts = parsed("mountinfo-escapes");
    const struct kernel_mount *stack = kernel_mounts_at(&mounts, "/stack");
    const struct kernel_mount *below;

    (void)state;
    assert_non_null(stack);
    assert_string_equal(stack->source, "second");
    assert_null(kernel_mounts_at(&mounts, "/stac"));
    assert_null(kernel_mounts_at(&mounts, "/mnt\\040with"));
    assert_ptr_equal(kernel_mounts_id(&mounts, 41), stack);
    assert_null(kernel_mounts_id(&mounts, 999));
    below = kernel_mounts_below(&mounts, "/stack", NULL);
    assert_string_equal(below->source, "first");
    below = kernel_mounts_below(&mounts, "/stack", below);
    assert_ptr_equal(below, stack);
    assert_null(kernel_mounts_below(&mounts, "/stack", below)); /* not /stackable */
    assert_string_equal(kernel_mounts_below(&mounts, "/run/", NULL)->fstype, "nsfs");
    assert_ptr_equal(kernel_mounts_below(&mounts, "/", NULL), mounts.list);
    kernel_mounts_free(&mounts);
}

static void test_options(void **state)
{
    struct kernel_mounts mounts = parsed("mountinfo-escapes");
    const struct kernel_mount *merged = kernel_mounts_at(&mounts, "/merged");
    char *value;

    (void)state;
    assert_true(kernel_mount_has("rw,nosuid,nodev", "nosuid"));
    assert_true(kernel_mount_has("rw", "rw"));
    assert_false(kernel_mount_has(kernel_mounts_at(&mounts, "/stack")->options, "nosuid"));
    assert_false(kernel_mount_has("rw,errors=nosuid", "nosuid"));
    assert_false(kernel_mount_has("", "rw"));
    assert_false(kernel_mount_has("rw", ""));
    assert_true(kernel_mount_has("rw,size=64k", "size="));
    assert_true(kernel_mount_has("rw,size=64k", "size=64k"));
    assert_false(kernel_mount_has("rw,size=64k", "size=64"));
    assert_false(kernel_mount_has("rw,size", "size="));
    assert_int_equal(kernel_mount_value(merged->super, "lowerdir", &value), 0);
    assert_string_equal(value, "/a b:/c\\d");
    free(value);
    assert_int_equal(kernel_mount_value(merged->super, "upperdir", &value), 0);
    assert_string_equal(value, "/u,v");
    free(value);
    assert_int_equal(kernel_mount_value(merged->super, "lower", &value), -ENOENT);
    assert_int_equal(kernel_mount_value(merged->super, "userxattr", &value), -ENOENT);
    assert_int_equal(kernel_mount_value("a=\\000", "a", &value), -EBADMSG);
    assert_null(value);
    kernel_mounts_free(&mounts);
}

static int parse(const char *text)
{
    struct kernel_mounts mounts;
    int error = kernel_mounts_parse(text, strlen(text), &mounts);

    assert_true(error == 0 || (mounts.list == NULL && mounts.text == NULL));
    kernel_mounts_free(&mounts);
    return error;
}

static void test_refused(void **state)
{
    const char nul[] = "1 2 3:4 / /a\0b rw - t s rw\n";
    struct kernel_mounts mounts;

    (void)state;
    assert_int_equal(parse("1 2 3:4 / /a rw - t s rw"), 0);
    assert_int_equal(parse(""), 0);
    assert_int_equal(parse("1 2 3:4 / /a rw t s rw\n"), -EBADMSG);
    assert_int_equal(parse("1 2 3:4 / /a rw - t s\n"), -EBADMSG);
    assert_int_equal(parse("1 2 3:4 / /a rw - t s \n"), -EBADMSG);
    assert_int_equal(parse("1 2 34 / /a rw - t s rw\n"), -EBADMSG);
    assert_int_equal(parse("1 2 3:4294967296 / /a rw - t s rw\n"), -EBADMSG);
    assert_int_equal(parse("2147483648 2 3:4 / /a rw - t s rw\n"), -EBADMSG);
    assert_int_equal(parse("1 2 3:4 / /a rw shared:99999999999 - t s rw\n"), -EBADMSG);
    assert_int_equal(parse("1 2 3:4 / /a rw shared:x - t s rw\n"), -EBADMSG);
    assert_int_equal(parse("1 2 3:4 / /a\\000b rw - t s rw\n"), -EBADMSG);
    assert_int_equal(parse("\n"), -EBADMSG);
    assert_int_equal(kernel_mounts_parse(nul, sizeof(nul) - 1, &mounts), -EBADMSG);
    assert_int_equal(kernel_mounts_parse(NULL, 0, &mounts), 0);
    kernel_mounts_free(&mounts);
}

static void test_every_prefix(void **state)
{
    const char *const fixtures[] = {"mountinfo-recorded", "mountinfo-escapes"};

    (void)state;
    for (size_t i = 0; i < sizeof(fixtures) / sizeof(fixtures[0]); i++) {
        size_t len;
        autofree char *text = fixture(fixtures[i], &len);

        for (size_t cut = 0; cut <= len; cut++) {
            autofree char *prefix = exact(text, cut);
            struct kernel_mounts mounts;
            int error = kernel_mounts_parse(prefix, cut, &mounts);

            assert_true(error == 0 || error == -EBADMSG);
            kernel_mounts_free(&mounts);
        }
    }
}

static void test_read(void **state)
{
    struct child child = child_start(NULL, NULL);
    struct kernel_mounts mounts;
    const struct kernel_mount *proc;
    pid_t pid = child.pid;

    (void)state;
    assert_int_equal(kernel_mounts_read(pid, &mounts), 0);
    assert_non_null(kernel_mounts_at(&mounts, "/"));
    proc = kernel_mounts_at(&mounts, "/proc");
    assert_non_null(proc);
    assert_string_equal(proc->fstype, "proc");
    kernel_mounts_free(&mounts);
    child_end(&child);
    assert_int_equal(kernel_mounts_read(pid, &mounts), -ESRCH);
    kernel_mounts_free(&mounts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_escapes),      cmocka_unit_test(test_find),
        cmocka_unit_test(test_options),      cmocka_unit_test(test_refused),
        cmocka_unit_test(test_every_prefix), cmocka_unit_test(test_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
