/* The program's own part: its options and its exit status. Needs build/skeleton, or $SKELETON. */
#include "fixture.h"

#include <errno.h>
#include <sys/wait.h>

static char program[PATH_MAX];
static char output[16384]; /* of the last run, stdout and stderr together */

/* Runs the program in the scratch folder with a NULL-terminated list; returns its exit status. */
static int run(const char *first, ...)
{
    char *argv[12] = {program, (char *)(uintptr_t)first};
    int ends[2], count = 2, status;
    size_t length = 0;
    va_list more;
    pid_t pid;
    ssize_t n;

    va_start(more, first);
    while (first && count < 11 && (argv[count] = va_arg(more, char *)) != NULL)
        count++;
    va_end(more);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid = fork();
    if (pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        dup2(ends[1], STDERR_FILENO);
        if (chdir(scratch) == 0)
            execv(program, argv);
        _exit(126);
    }
    close(ends[1]);
    while ((n = read(ends[0], output + length, sizeof(output) - 1 - length)) > 0)
        length += (size_t)n;
    output[length] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int enter(void **state)
{
    int err = scratch_enter(state);

    put_folder("s");
    put_folder("s/02-uts-ipc");
    put_folder("l");
    put_folder("l/02-uts-ipc");
    put("s/02-uts-ipc/uts.c", "void f(int a)\n{\n    /* BEGIN SOLUTION step 1\n"
                              "     * TODO(step 1): one\n     */\n    secret(a);\n"
                              "    /* END SOLUTION */\n}\n");
    return err;
}

static void test_usage(void **state)
{
    (void)state;
    assert_int_equal(run("--help", NULL), 0);
    assert_non_null(strstr(output, "--generate"));
    assert_int_equal(run(NULL), 2);
    assert_int_equal(run("--nonsense", NULL), 2);
    assert_int_equal(run("--generate", "s", NULL), 2);
    assert_int_equal(run("--generate", "--check", "s", "l", NULL), 2);
    assert_int_equal(run("--step", "0", "s/02-uts-ipc/uts.c", NULL), 2);
    assert_int_equal(run("--step", "x", "s/02-uts-ipc/uts.c", NULL), 2);
    assert_int_equal(run("--step", "1", NULL), 2);
    assert_int_equal(run("--generate", "s", "l", "--step", "2", NULL), 2);
    assert_string_equal(names_in("l/02-uts-ipc"), "");
}

static void test_verbs(void **state)
{
    (void)state;
    assert_int_equal(run("--check", "s", "l", "--digests", "d", NULL), 1);
    assert_int_equal(run("--generate", "s", "l", "--digests", "d", "02", NULL), 0);
    assert_string_equal(output, "wrote  l/02-uts-ipc/uts.c\n");
    assert_int_equal(run("--check", "s", "l", "--digests", "d", NULL), 0);
    assert_int_equal(run("--check", "s", "no-such-folder", "--digests", "d", NULL), 0);
    put("l/02-uts-ipc/uts.c", "mine\n");
    assert_int_equal(run("--generate", "s", "l", "--digests", "d", "--quiet", NULL), 0);
    assert_string_equal(output, "");
    assert_int_equal(run("--reset", "s", "l", "--digests", "d", NULL), 2);
    assert_int_equal(run("--reset", "s", "l", "--digests", "d", "2", NULL), 0);
    assert_non_null(strstr(output, "uts.c.backup-"));
    assert_int_equal(run("--generate", "nowhere", "l", "--digests", "d", NULL), 3);
    assert_int_equal(run("--generate", "s", "l", "--digests", "nowhere/d", NULL), 3);
}

static void test_step(void **state)
{
    (void)state;
    assert_int_equal(run("--step", "1", "s/02-uts-ipc/uts.c", NULL), 0);
    assert_string_equal(output, "void f(int a)\n{\n    /* TODO(step 1): one */\n    (void)a;\n}\n");
    assert_int_equal(run("--step", "2", "s/02-uts-ipc/uts.c", "-o", "out.c", NULL), 0);
    assert_string_equal(output, "");
    assert_content("out.c", "void f(int a)\n{\n    secret(a);\n}\n");
    put("bad.c", "int a;\n/* END SOLUTION */\n");
    assert_int_equal(run("--step", "1", "bad.c", NULL), 2);
    assert_non_null(strstr(output, "bad.c:2: "));
    assert_int_equal(run("--step", "1", "absent.c", NULL), 3);
}

int main(void)
{
    const char *given = getenv("SKELETON");
#define IN_KIT(test) cmocka_unit_test_setup_teardown(test, enter, scratch_leave)
    const struct CMUnitTest tests[] = {IN_KIT(test_usage), IN_KIT(test_verbs), IN_KIT(test_step)};

    if (!realpath(given ? given : "build/skeleton", program)) {
        fprintf(stderr, "%s: %s; build it first\n", given ? given : "build/skeleton",
                strerror(errno));
        return 1;
    }
    return cmocka_run_group_tests_name("skeleton: program", tests, NULL, NULL);
}
