/* From a solution to a skeleton, text against text; and every fault that a solution can have. */
#include "fixture.h"

#include <errno.h>

#define OPEN  "    /* BEGIN SOLUTION step 1\n     * TODO(step 1): do it.\n     */\n"
#define CLOSE "    /* END SOLUTION */\n"
#define DONE  "    /* TODO(step 1): do it. */\n"

static void expect_step(const char *source, unsigned first_open, const char *expected)
{
    struct text out = {0};
    struct skeleton_error error = {0};
    int err = skeleton_make(source, strlen(source), first_open, &out, &error);

    if (err != 0)
        print_message("line %u: %s\n", error.line, error.what);
    assert_int_equal(err, 0);
    assert_string_equal(out.bytes, expected);
    text_free(&out);
}

static void expect(const char *source, const char *expected)
{
    expect_step(source, 1, expected);
}

static void expect_fault(const char *source, unsigned line, const char *part)
{
    struct text out = {0};
    struct skeleton_error error = {0};

    assert_int_equal(skeleton_make(source, strlen(source), 1, &out, &error), -EINVAL);
    text_free(&out);
    if (error.line != line || !strstr(error.what, part))
        fail_msg("expected line %u, \"%s\"; got line %u: %s", line, part, error.line, error.what);
    assert_non_null(strpbrk(error.what, ";,")); /* a fault says what to do as well */
}

/* The skeleton of "RESULT f(PARAMETERS) { region }" must silence and return just so. */
static void expect_body(const char *declaration, const char *inserted)
{
    char source[1024], expected[1024];

    snprintf(source, sizeof(source), "%s\n{\n" OPEN "    secret_call(4711);\n" CLOSE "}\n",
             declaration);
    snprintf(expected, sizeof(expected), "%s\n{\n" DONE "%s}\n", declaration, inserted);
    expect(source, expected);
}

static void test_golden(void **state)
{
    char *source = get_path(fixture("plain.c"));
    char *expected = get_path(fixture("plain.expected"));

    (void)state;
    expect(source, expected);
    free(source);
    free(expected);
}

static void test_parameters(void **state)
{
    (void)state;
    expect_body("void f(void)", "");
    expect_body("void f()", "");
    expect_body("void f(int)", "");
    expect_body("void f(const char *, struct s, struct s *const, unsigned long)", "");
    expect_body("void f(int a, ...)", "    (void)a;\n");
    expect_body("void f(const char *const a, struct s b)", "    (void)a;\n    (void)b;\n");
    expect_body("void f(int a[const static 3], char b[2][3])", "    (void)a;\n    (void)b;\n");
    expect_body("void f(int (*a)(int x, char y), int (*b[2])(void))",
                "    (void)a;\n    (void)b;\n");
    expect_body("void f(void (*(*a)(int x))(char), int (*b)[3])", "    (void)a;\n    (void)b;\n");
    expect_body("void f(void (*)(int x), int cb(int y))", "    (void)cb;\n");
    expect_body("void f(int a __attribute__((unused)), type_t b)", "    (void)a;\n    (void)b;\n");
    expect_body("void\nf(int a, /* int c, */\n  // int d,\n  int b)",
                "    (void)a;\n    (void)b;\n");
    expect_body("static inline void __attribute__((cold)) f(int a)", "    (void)a;\n");
    expect_body("void f(int a) __attribute__((cold))", "    (void)a;\n");
    expect_body("CLEANUP(x) static void f(int a)", "    (void)a;\n");
    expect_body("static CLEANUP(x) void f(int a)", "    (void)a;\n");
    expect_body("void (f)(int a)", "    (void)a;\n");
    expect_body("void f(a, b) int a; char *b;", "    (void)a;\n    (void)b;\n");
    expect_body("struct s { int x; };\nint y = 3;\nvoid f(int a)", "    (void)a;\n");
}

static void test_results(void **state)
{
    (void)state;
    expect_body("int f(void)", "    return STRATA_TODO;\n");
    expect_body("static pid_t f(void)", "    return STRATA_TODO;\n");
    expect_body("ssize_t f(void)", "    return STRATA_TODO;\n");
    expect_body("long long f(void)", "    return STRATA_TODO;\n");
    expect_body("unsigned int f(void)", "    return 0;\n");
    expect_body("size_t f(void)", "    return 0;\n");
    expect_body("bool f(void)", "    return false;\n");
    expect_body("void *f(void)", "    return NULL;\n");
    expect_body("int *(*f(int a))(int b)", "    (void)a;\n    return NULL;\n");
    expect_fault("struct s f(void)\n{\n" OPEN "    return g(1);\n" CLOSE "}\n", 3, "STRATA_TODO");
    expect_fault("noreturn void f(void)\n{\n" OPEN "    _exit(11);\n" CLOSE "}\n", 3,
                 "never returns");
}

static void test_followed_by_code(void **state)
{
    (void)state;
    expect("int f(int a)\n{\n" OPEN "    secret(a);\n" CLOSE "    return 0;\n}\n",
           "int f(int a)\n{\n" DONE "    (void)a;\n    return 0;\n}\n");
    expect("int f(int a)\n{\n" OPEN "    return secret(a);\n" CLOSE "    return a;\n}\n",
           "int f(int a)\n{\n" DONE "    return a;\n}\n");
    expect("int f(int a)\n{\n    /* BEGIN SOLUTION step 1 return -2;\n * TODO(step 1): x */\n"
           "    return secret(a);\n" CLOSE "    return a;\n}\n",
           "int f(int a)\n{\n    /* TODO(step 1): x */\n    return -2;\n    return a;\n}\n");
    expect_fault("int f(int a)\n{\n    /* BEGIN SOLUTION step 1 return -2\n * TODO(step 1): x */\n"
                 "    secret(a);\n" CLOSE "    return a;\n}\n",
                 3, "does not return");
    expect_fault("void f(int a)\n{\n    /* BEGIN SOLUTION step 1 return -2\n * TODO(step 1): x */\n"
                 "    secret(a);\n" CLOSE "}\n",
                 3, "void function");
}

/* The return goes to the last region, even to one that has no code in the solution. */
static void test_empty_region(void **state)
{
    (void)state;
    expect("int f(void)\n{\n" OPEN "    return secret(1);\n" CLOSE OPEN CLOSE "}\n",
           "int f(void)\n{\n" DONE DONE "    return STRATA_TODO;\n}\n");
}

static void test_uses(void **state)
{
    (void)state;
    /* The same word as a member, a label, a tag, a literal or in a comment is no use. */
    expect("void f(int a)\n{\n    p.a++, p->a++; struct a *q; goto a; g(\"a\"); /* a */\n" OPEN
           "    secret(a);\n" CLOSE "}\n",
           "void f(int a)\n{\n    p.a++, p->a++; struct a *q; goto a; g(\"a\"); /* a */\n" DONE
           "    (void)a;\n}\n");
    /* Comparisons, and a greater-than in front, are. */
    expect("void f(int a, int b)\n{\n    g(3 > a, b == 4);\n" OPEN "    secret(a);\n" CLOSE "}\n",
           "void f(int a, int b)\n{\n    g(3 > a, b == 4);\n" DONE "}\n");
    /* A write alone leaves the compilers' warning; writing through it does not. */
    expect("void f(int a, int *b)\n{\n    a = 3;\n    *b = 4;\n" OPEN "    secret(a);\n" CLOSE
           "}\n",
           "void f(int a, int *b)\n{\n    a = 3;\n    *b = 4;\n" DONE "    (void)a;\n}\n");
    /* What the marker itself returns uses it. */
    expect("int f(int a)\n{\n    /* BEGIN SOLUTION step 1 return a + 1\n * TODO(step 1): x */\n"
           "    return secret(a);\n" CLOSE "}\n",
           "int f(int a)\n{\n    /* TODO(step 1): x */\n    return a + 1;\n}\n");
}

static void test_steps(void **state)
{
    static const char source[] =
        "int f(int a, int b)\n{\n" OPEN "    secret(a);\n" CLOSE
        "    /* BEGIN SOLUTION step 2\n     * TODO(step 2): more\n     */\n"
        "    return secret(b);\n" CLOSE "}\n"
        "/* BEGIN SOLUTION step 2 helper */\nstatic int x;\n/* END SOLUTION */\n";

    (void)state;
    expect_step(source, 1,
                "int f(int a, int b)\n{\n" DONE "    /* TODO(step 2): more */\n"
                "    (void)a;\n    (void)b;\n    return STRATA_TODO;\n}\n");
    expect_step(source, 2,
                "int f(int a, int b)\n{\n    secret(a);\n    /* TODO(step 2): more */\n"
                "    (void)b;\n    return STRATA_TODO;\n}\n");
    expect_step(source, 3,
                "int f(int a, int b)\n{\n    secret(a);\n    return secret(b);\n}\n"
                "static int x;\n");
    assert_int_equal(skeleton_highest_step(source, sizeof(source) - 1), 2);
}

static void test_file_scope(void **state)
{
    (void)state;
    expect("int a;\n\n/* BEGIN SOLUTION step 1 helper */\n#include <x.h>\nint secret;\n"
           "/* END SOLUTION */\n\nint b;\n",
           "int a;\n\nint b;\n");
    expect("/* BEGIN SOLUTION step 1\n * TODO(step 1): help yourself\n */\nint secret;\n"
           "/* END SOLUTION */\nint b;",
           "/* TODO(step 1): help yourself */\nint b;");
    expect("int b;\n/* BEGIN SOLUTION step 1 replace: int c;\n */\nint secret;\n"
           "/* END SOLUTION */",
           "int b;\nint c;\n");
}

static void test_marker_faults(void **state)
{
    (void)state;
    expect_fault("int x;\n", 1, "no BEGIN SOLUTION");
    expect_fault("", 1, "no BEGIN SOLUTION");
    expect_fault("void f(void)\n{\n" OPEN "    s();\n" OPEN "    s();\n" CLOSE CLOSE "}\n", 7,
                 "begun in line 3");
    expect_fault("void f(void)\n{\n" OPEN "    s();\n}\n", 3, "no END SOLUTION");
    expect_fault("void f(void)\n{\n    s();\n" CLOSE "}\n", 4, "without a BEGIN");
    expect_fault("/* BEGIN SOLUTIONS step 1 */\nint x;\n", 1, "is none");
    expect_fault("/* BEGIN SOLTUION step 1 */\nint x;\n", 1, "is none");
    expect_fault("/* BEGIN SLOUTION step 1 */\nint x;\n", 1, "is none");
    expect_fault("/* begin solution step 1 */\nint x;\n", 1, "is none");
    expect_fault("/* BEGIN_SOLUTION step 1 */\nint x;\n", 1, "is none");
    expect_fault("/* BEGINN SOLUTION step 1 */\nint x;\n", 1, "is none");
    expect_fault("/* BEGIN SOLUTION step 1 helper */\nint x;\n/* END SLOUTION */\n", 3, "is none");
    expect_fault("/* BEGIN SOLUTION step 1 helper */\nint x;\n/* END SOLUTION step 1 */\n", 3,
                 "is none");
    expect_fault("// BEGIN SOLUTION step 1 helper\nint x;\n/* END SOLUTION */\n", 1, "//");
    expect_fault("int y; /* BEGIN SOLUTION step 1 helper */\nint x;\n/* END SOLUTION */\n", 1,
                 "shares its line");
    expect_fault("/* BEGIN SOLUTION step 1 helper */\nint x;\n/* END SOLUTION */ int y;\n", 3,
                 "shares its line");
    expect_fault("/* TODO(step 2): lost its marker */\nint x;\n", 1, "is none");
}

static void test_step_faults(void **state)
{
    (void)state;
    expect_fault("/* BEGIN SOLUTION */\n/* END SOLUTION */\n", 1, "BEGIN SOLUTION step N");
    expect_fault("/* BEGIN SOLUTION step */\n/* END SOLUTION */\n", 1, "BEGIN SOLUTION step N");
    expect_fault("/* BEGIN SOLUTION step 0 */\n/* END SOLUTION */\n", 1, "step number");
    expect_fault("/* BEGIN SOLUTION step 2x */\n/* END SOLUTION */\n", 1, "step number");
    expect_fault("/* BEGIN SOLUTION step -1 */\n/* END SOLUTION */\n", 1, "step number");
    expect_fault("/* BEGIN SOLUTION step 99999999999 */\n/* END SOLUTION */\n", 1, "step number");
    expect_fault("/* BEGIN SOLUTION step 1 helpers */\n/* END SOLUTION */\n", 1, "helpers");
    expect_fault("/* BEGIN SOLUTION step 1 replace: */\n/* END SOLUTION */\n", 1, "replace");
    expect_fault("/* BEGIN SOLUTION step 1 */\n/* END SOLUTION */\n", 1, "TODO(step 1)");
    expect_fault("/* BEGIN SOLUTION step 1\n * TODO(step 2): x */\n/* END SOLUTION */\n", 1,
                 "TODO(step 1)");
}

static void test_shape_faults(void **state)
{
    (void)state;
    expect_fault("void f(void)\n{\n" OPEN "    if (x) {\n" CLOSE "    }\n}\n", 6, "partner");
    expect_fault("void f(void)\n{\n    if (x)\n" OPEN "    s();\n" CLOSE "    t();\n}\n", 4,
                 "begins inside of a statement");
    expect_fault("void f(void)\n{\n" OPEN "    if (x)\n" CLOSE "    t();\n}\n", 3,
                 "ends inside of a statement");
    expect_fault("void f(void)\n{\n" OPEN "    if (x) { s(); }\n" CLOSE "    else t();\n}\n", 3,
                 "else");
    expect_fault("void f(void)\n{\n    g(1,\n" OPEN "    2\n" CLOSE "    );\n}\n", 4, "brackets");
    expect_fault("void f(void)\n{\n" OPEN "#if X\n    s();\n" CLOSE "#endif\n}\n", 3, "#endif");
    expect_fault("void f(void)\n{\n    /* BEGIN SOLUTION step 1 helper */\n    s();\n" CLOSE "}\n",
                 3, "file scope");
    expect_fault("void f(void)\n{\n" OPEN "    s();\n" CLOSE "}}\n", 8, "closes nothing");
    expect_fault("void f(void)\n{\n" OPEN "    s();\n" CLOSE, 2, "never closed");
    expect_fault("void f(void)\n{\n" OPEN "    s();\n" CLOSE "} /* open", 8, "never closed");
}

static void test_leaks(void **state)
{
    (void)state;
    /* A line that is quoted in its own TODO, alone or in a sentence, or in the replacement. */
    expect_fault("void f(int a)\n{\n    /* BEGIN SOLUTION step 1\n     * TODO(step 1): like this:\n"
                 "     * secret(a,   77);\n     */\n    secret(a, 77);\n" CLOSE "}\n",
                 7, "would stand in the skeleton");
    expect_fault("void f(int a)\n{\n    /* BEGIN SOLUTION step 1\n"
                 "     * TODO(step 1): call secret(a, 77); and be done\n     */\n"
                 "    secret(a, 77);\n" CLOSE "}\n",
                 6, "would stand in the skeleton");
    expect_fault("void f(int a)\n{\n    /* BEGIN SOLUTION step 1 replace: secret(a, 77);\n     */\n"
                 "    secret(a, 77);\n" CLOSE "}\n",
                 5, "would stand in the skeleton");
    expect_fault("void f(int a)\n{\n    /* BEGIN SOLUTION step 1\n     * TODO(step 1): think\n"
                 "     * because the kernel wants it so\n     */\n    s();\n"
                 "    /* because the kernel wants it so */\n" CLOSE "}\n",
                 8, "would stand in the skeleton");
    /* Lines that the student sees anyway, short ones, braces, and the generator's own are none. */
    expect("int f(int a)\n{\n    shared(a);\n    /* BEGIN SOLUTION step 1\n"
           "     * TODO(step 1): or else shared(a);\n     * x;\n     * }; {}\n     */\n"
           "    shared(a);\n    {\n    {\n    }\n    }; {}\n    x;\n"
           "    i++;\n    (void)b;\n    return STRATA_TODO;\n" CLOSE "}\n",
           "int f(int a)\n{\n    shared(a);\n    /* TODO(step 1): or else shared(a);\n"
           "     * x;\n     * }; {}\n     */\n    return STRATA_TODO;\n}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),        cmocka_unit_test(test_parameters),
        cmocka_unit_test(test_results),       cmocka_unit_test(test_followed_by_code),
        cmocka_unit_test(test_empty_region),  cmocka_unit_test(test_uses),
        cmocka_unit_test(test_steps),         cmocka_unit_test(test_file_scope),
        cmocka_unit_test(test_marker_faults), cmocka_unit_test(test_step_faults),
        cmocka_unit_test(test_shape_faults),  cmocka_unit_test(test_leaks),
    };

    return cmocka_run_group_tests_name("skeleton: transform", tests, NULL, NULL);
}
