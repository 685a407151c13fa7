/* Numbers that do not wrap, pieces that do not run over. */
#include "support.h"

#include "kernel/text.h"

static int number(const char *digits, unsigned base, uint64_t max, uint64_t *value)
{
    struct kernel_text text = kernel_text(digits, strlen(digits));

    return kernel_text_unsigned(&text, base, max, value);
}

static int with_sign(const char *digits, int64_t min, int64_t max, int64_t *value)
{
    struct kernel_text text = kernel_text(digits, strlen(digits));

    return kernel_text_signed(&text, min, max, value);
}

static void test_unsigned(void **state)
{
    uint64_t value;

    (void)state;
    assert_int_equal(number("18446744073709551615", 10, UINT64_MAX, &value), 0);
    assert_true(value == UINT64_MAX);
    assert_int_equal(number("18446744073709551616", 10, UINT64_MAX, &value), -EBADMSG);
    assert_int_equal(number("99999999999999999999999", 10, UINT64_MAX, &value), -EBADMSG);
    assert_int_equal(number("ffffffffffffffff", 16, UINT64_MAX, &value), 0);
    assert_int_equal(number("10000000000000000", 16, UINT64_MAX, &value), -EBADMSG);
    assert_int_equal(number("0755", 8, 07777, &value), 0);
    assert_int_equal(value, 0755);
    assert_int_equal(number("8", 8, 07777, &value), -EBADMSG);
    assert_int_equal(number("256", 10, 255, &value), -EBADMSG);
    assert_int_equal(number("255", 10, 255, &value), 0);
    assert_int_equal(number("", 10, 255, &value), -EBADMSG);
    assert_int_equal(number("-1", 10, 255, &value), -EBADMSG);
    assert_int_equal(number(" 1", 10, 255, &value), -EBADMSG);
}

static void test_signed(void **state)
{
    int64_t value;

    (void)state;
    assert_int_equal(with_sign("-9223372036854775808", INT64_MIN, INT64_MAX, &value), 0);
    assert_true(value == INT64_MIN);
    assert_int_equal(with_sign("-9223372036854775809", INT64_MIN, INT64_MAX, &value), -EBADMSG);
    assert_int_equal(with_sign("9223372036854775807", INT64_MIN, INT64_MAX, &value), 0);
    assert_int_equal(with_sign("9223372036854775808", INT64_MIN, INT64_MAX, &value), -EBADMSG);
    assert_int_equal(with_sign("-1", 0, 10, &value), -EBADMSG);
    assert_int_equal(with_sign("-", -5, 5, &value), -EBADMSG);
    assert_int_equal(with_sign("2", 3, 5, &value), -EBADMSG);
    assert_int_equal(with_sign("--1", -5, 5, &value), -EBADMSG);
}

static void test_unescape(void **state)
{
    char all[] = "a\\040b\\011\\012\\134040\\777\\08\\";
    char nul[] = "a\\000b";

    (void)state;
    assert_int_equal(kernel_text_unescape(all), 0);
    assert_string_equal(all, "a b\t\n\\040\\777\\08\\");
    assert_int_equal(kernel_text_unescape(nul), -EBADMSG);
}

static void test_cut(void **state)
{
    struct kernel_text text = kernel_text("a\n\nb", 4), piece;

    (void)state;
    assert_true(kernel_text_cut(&text, '\n', &piece) && kernel_text_is(piece, "a"));
    assert_true(kernel_text_cut(&text, '\n', &piece) && kernel_text_is(piece, ""));
    assert_true(kernel_text_cut(&text, '\n', &piece) && kernel_text_is(piece, "b"));
    assert_false(kernel_text_cut(&text, '\n', &piece));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unsigned),
        cmocka_unit_test(test_signed),
        cmocka_unit_test(test_unescape),
        cmocka_unit_test(test_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
