/* A fresh skeleton compiles without a warning, with any number of its steps solved. */
#include "fixture.h"

#include <errno.h>
#include <sys/wait.h>

static int compile(const char *compiler, const char *source, const char *folder)
{
    char include[1024];
    int status;
    pid_t pid;

    snprintf(include, sizeof(include), "-I%s", folder);
    pid = fork();
    if (pid == 0) {
        execlp(compiler, compiler, "-std=gnu17", "-Wall", "-Wextra", "-Wconversion", "-Werror",
               "-fsyntax-only", include, source, (char *)NULL);
        _exit(errno == ENOENT ? 99 : 98);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 97;
}

static void compile_all_steps(const char *compiler)
{
    char *source = get_path(fixture("plain.c"));
    char folder[1024];
    const unsigned last = skeleton_highest_step(source, strlen(source)) + 1;
    int status = 0;

    snprintf(folder, sizeof(folder), "%s", fixture(""));
    assert_int_equal(last, 9);
    for (unsigned step = 1; step <= last && status == 0; step++) {
        struct text out = {0};
        struct skeleton_error error;

        assert_int_equal(skeleton_make(source, strlen(source), step, &out, &error), 0);
        put("skeleton.c", out.bytes);
        text_free(&out);
        status = compile(compiler, in_scratch("skeleton.c"), folder);
        if (status != 0 && status != 99)
            print_message("step %u with %s: status %d\n", step, compiler, status);
    }
    free(source);
    if (status == 99)
        skip();
    assert_int_equal(status, 0);
}

static void test_gcc(void **state)
{
    (void)state;
    compile_all_steps("gcc");
}

static void test_clang(void **state)
{
    (void)state;
    compile_all_steps("clang");
}

/* The flags above do find what is missing: an unused parameter must not pass. */
static void test_would_notice(void **state)
{
    int status;

    (void)state;
    put("bad.c", "int f(int a);\nint f(int a)\n{\n    return 0;\n}\n");
    status = compile("gcc", in_scratch("bad.c"), scratch);
    if (status == 99)
        skip();
    assert_int_equal(status, 1);
}

/* All steps solved is the solution itself, without its markers and nothing else changed. */
static void test_all_solved(void **state)
{
    char *source = get_path(fixture("plain.c"));
    const char *at = source, *line, *end = source + strlen(source);
    struct text out = {0}, expected = {0};
    struct skeleton_error error;
    bool in_marker = false;
    size_t length;

    (void)state;
    while (text_next_line(&at, end, &line, &length)) {
        const char *marker = memmem(line, length, "/* BEGIN SOLUTION", 17);
        const bool begins = marker && !memmem(line, length, "misleading", 10);

        in_marker = in_marker || begins;
        if (!in_marker && !memmem(line, length, "/* END SOLUTION */", 18))
            text_add(&expected, line, length + 1);
        if (in_marker && memmem(line, length, "*/", 2))
            in_marker = false;
    }
    assert_int_equal(skeleton_make(source, strlen(source), 100, &out, &error), 0);
    assert_string_equal(out.bytes, expected.bytes);
    text_free(&out);
    text_free(&expected);
    free(source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_gcc, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(test_clang, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(test_would_notice, scratch_enter, scratch_leave),
        cmocka_unit_test(test_all_solved),
    };

    return cmocka_run_group_tests_name("skeleton: compile", tests, NULL, NULL);
}
