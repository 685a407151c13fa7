/* Strings that end in NUL, byte for byte. */
#include "support.h"

#include "kernel/vector.h"

static void test_parse(void **state)
{
    const char bytes[] = "a\0\0c d\n\0last";
    struct kernel_vector vector;

    (void)state;
    assert_int_equal(kernel_vector_parse(bytes, sizeof(bytes), &vector), 0);
    assert_int_equal(vector.count, 4);
    assert_string_equal(vector.list[0], "a");
    assert_string_equal(vector.list[1], "");
    assert_string_equal(vector.list[2], "c d\n");
    assert_string_equal(vector.list[3], "last");
    assert_null(vector.list[4]);
    assert_false(vector.cut);
    kernel_vector_free(&vector);
    kernel_vector_free(&vector);
    assert_int_equal(kernel_vector_parse(bytes, sizeof(bytes) - 1, &vector), 0);
    assert_int_equal(vector.count, 4);
    assert_string_equal(vector.list[3], "last");
    assert_true(vector.cut);
    kernel_vector_free(&vector);
    assert_int_equal(kernel_vector_parse("", 0, &vector), 0);
    assert_int_equal(vector.count, 0);
    assert_null(vector.list[0]);
    assert_false(vector.cut);
    kernel_vector_free(&vector);
}

static void test_every_prefix(void **state)
{
    const char bytes[] = "A=1\0B=\0\0AB=2\0A=3";

    (void)state;
    for (size_t cut = 0; cut <= sizeof(bytes); cut++) {
        autofree char *prefix = exact(bytes, cut);
        struct kernel_vector vector;

        assert_int_equal(kernel_vector_parse(prefix, cut, &vector), 0);
        assert_int_equal(vector.cut, cut > 0 && prefix[cut - 1] != '\0');
        kernel_vector_free(&vector);
    }
}

static void test_get(void **state)
{
    const char bytes[] = "A=1\0B=\0AB=2\0A=3\0C";
    struct kernel_vector vector;

    (void)state;
    assert_int_equal(kernel_vector_parse(bytes, sizeof(bytes), &vector), 0);
    assert_string_equal(kernel_vector_get(&vector, "A"), "1");
    assert_string_equal(kernel_vector_get(&vector, "B"), "");
    assert_string_equal(kernel_vector_get(&vector, "AB"), "2");
    assert_null(kernel_vector_get(&vector, "C"));
    assert_null(kernel_vector_get(&vector, ""));
    kernel_vector_free(&vector);
}

/* A program that does nothing but wait for the end of its input. */
static pid_t start_program(int *input)
{
    char *argv[] = {"cat", "-", "", "-", NULL};
    char *envp[] = {"A=b c", "EMPTY=", NULL};
    int ends[2];
    pid_t pid;

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(ends[0], 0);
        execvpe("cat", argv, envp);
        _exit(127);
    }
    close(ends[0]);
    *input = ends[1];
    return pid;
}

/* Reads until the exec has happened: a deadline of 5 s. */
static struct kernel_vector wait_for_cmdline(pid_t pid, size_t count)
{
    struct kernel_vector vector = {0};

    for (int i = 0; i < 5000 && vector.count != count; i++) {
        kernel_vector_free(&vector);
        assert_int_equal(kernel_cmdline_read(pid, &vector), 0);
        usleep(1000);
    }
    assert_int_equal(vector.count, count);
    return vector;
}

static void test_read(void **state)
{
    autoclose int input = -1;
    pid_t pid = start_program(&input);
    struct kernel_vector vector = wait_for_cmdline(pid, 4);

    (void)state;
    assert_string_equal(vector.list[0], "cat");
    assert_string_equal(vector.list[2], "");
    assert_string_equal(vector.list[3], "-");
    kernel_vector_free(&vector);
    assert_int_equal(kernel_environ_read(pid, &vector), 0);
    assert_int_equal(vector.count, 2);
    assert_string_equal(kernel_vector_get(&vector, "A"), "b c");
    assert_string_equal(kernel_vector_get(&vector, "EMPTY"), "");
    kernel_vector_free(&vector);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    assert_int_equal(kernel_cmdline_read(pid, &vector), -ESRCH);
    assert_int_equal(kernel_environ_read(pid, &vector), -ESRCH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_every_prefix),
        cmocka_unit_test(test_get),
        cmocka_unit_test(test_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
