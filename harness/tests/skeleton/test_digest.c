/* SHA-256 against the values that FIPS 180-4's examples publish, and the manners of the fd form. */
#include "fixture.h"

#include <errno.h>

static const char of_nothing[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
static const char of_abc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
static const char of_million_a[] =
    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

static void test_buffer(void **state)
{
    char hex[DIGEST_HEX];

    (void)state;
    assert_int_equal(digest_sha256(NULL, 0, hex), 0);
    assert_string_equal(hex, of_nothing);
    assert_int_equal(digest_sha256("abc", 3, hex), 0);
    assert_string_equal(hex, of_abc);
}

static void test_file(void **state)
{
    char *million = malloc(1000001);
    char hex[DIGEST_HEX];
    int fd;

    (void)state;
    memset(million, 'a', 1000000);
    million[1000000] = '\0';
    put("million", million);
    free(million);
    fd = open(in_scratch("million"), O_RDONLY | O_CLOEXEC);
    assert_int_equal(lseek(fd, 4711, SEEK_SET), 4711);
    assert_int_equal(digest_sha256_fd(fd, hex), 0);
    assert_string_equal(hex, of_million_a);
    assert_int_equal(lseek(fd, 0, SEEK_CUR), 4711);
    close(fd);
}

static void test_failures(void **state)
{
    char hex[DIGEST_HEX] = "old";
    int ends[2], folder = open(scratch, O_RDONLY | O_CLOEXEC);

    (void)state;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(digest_sha256_fd(ends[0], hex), -ESPIPE);
    assert_string_equal(hex, "");
    assert_int_equal(digest_sha256_fd(folder, hex), -EISDIR);
    close(folder);
    close(ends[0]);
    close(ends[1]);
    assert_int_equal(digest_sha256_fd(ends[0], hex), -EBADF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_buffer),
        cmocka_unit_test_setup_teardown(test_file, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(test_failures, scratch_enter, scratch_leave),
    };

    return cmocka_run_group_tests_name("digest", tests, NULL, NULL);
}
