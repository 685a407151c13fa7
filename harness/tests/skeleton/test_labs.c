/* Whose file may be written when: the rules on whole folders. */
#include "fixture.h"

#include "skeleton/labs.h"
#include "skeleton/record.h"

#define SOLUTION(number)                                                                           \
    "int f(int a)\n{\n    /* BEGIN SOLUTION step 1\n     * TODO(step 1): version " number          \
    "\n     */\n    secret_of_the_solution(a);\n    return 0;\n    /* END SOLUTION */\n}\n"
#define SKELETON(number)                                                                           \
    "int f(int a)\n{\n    /* TODO(step 1): version " number                                        \
    " */\n    (void)a;\n    return STRATA_TODO;\n}\n"

static char told[8192]; /* everything that was said, a line a sentence */
static unsigned troubles;

static void hear(bool trouble, const char *sentence)
{
    troubles += trouble;
    strcat(strcat(told, sentence), "\n");
}

static struct labs labs_of(const char *name)
{
    static char solutions[64], labs[64], digests[64];
    static const char *names[1];

    snprintf(solutions, sizeof(solutions), "%s/solutions", scratch);
    snprintf(labs, sizeof(labs), "%s/labs", scratch);
    snprintf(digests, sizeof(digests), "%s/digests", scratch);
    names[0] = name;
    told[0] = '\0';
    troubles = 0;
    return (struct labs){.solutions = solutions,
                         .labs = labs,
                         .digests = digests,
                         .names = names,
                         .name_count = name != NULL,
                         .first_open = 1,
                         .say = hear};
}

static enum labs_outcome generate(void)
{
    struct labs labs = labs_of(NULL);

    return labs_generate(&labs);
}

static enum labs_outcome check(void)
{
    struct labs labs = labs_of(NULL);

    return labs_check(&labs);
}

static enum labs_outcome reset(const char *name)
{
    struct labs labs = labs_of(name);

    return labs_reset(&labs);
}

static int enter(void **state)
{
    int err = scratch_enter(state);

    put_folder("solutions");
    put_folder("solutions/05-pivot-root");
    put_folder("solutions/06-overlayfs");
    put_folder("solutions/notes");
    put_folder("labs");
    put_folder("labs/05-pivot-root");
    put_folder("labs/06-overlayfs");
    put("solutions/05-pivot-root/root.c", SOLUTION("A"));
    put("solutions/05-pivot-root/README.md", "no C");
    put("solutions/notes/x.c", "no lab");
    put("solutions/06-overlayfs/overlay.c", SOLUTION("O"));
    return err;
}

static void test_missing_is_written(void **state)
{
    (void)state;
    assert_int_equal(generate(), LABS_FINE);
    assert_content("labs/05-pivot-root/root.c", SKELETON("A"));
    assert_content("labs/06-overlayfs/overlay.c", SKELETON("O"));
    assert_string_equal(names_in("labs/05-pivot-root"), "root.c ");
    assert_string_equal(names_in(""), "digests labs solutions ");
    assert_int_equal(generate(), LABS_FINE);
    assert_string_equal(told, "");
}

static void test_only_the_chosen(void **state)
{
    static const char *const names[] = {"5", "05", "05-pivot-root"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct labs labs = labs_of(names[i]);

        assert_int_equal(labs_generate(&labs), LABS_FINE);
        assert_int_equal(unlink(in_scratch("labs/05-pivot-root/root.c")), 0);
        assert_string_equal(names_in("labs/06-overlayfs"), "");
    }
    struct labs labs = labs_of("50");
    assert_int_equal(labs_generate(&labs), LABS_WRONG);
    assert_non_null(strstr(told, "50: there is no such lab"));
}

static void test_untouched_is_renewed(void **state)
{
    (void)state;
    generate();
    put("solutions/05-pivot-root/root.c", SOLUTION("B"));
    assert_int_equal(generate(), LABS_FINE);
    assert_string_equal(told, "");
    assert_content("labs/05-pivot-root/root.c", SKELETON("B"));
    /* One that slept through a version, and one back at an older version. */
    put("labs/05-pivot-root/root.c", SKELETON("A"));
    put("solutions/05-pivot-root/root.c", SOLUTION("C"));
    assert_int_equal(generate(), LABS_FINE);
    assert_content("labs/05-pivot-root/root.c", SKELETON("C"));
    put("solutions/05-pivot-root/root.c", SOLUTION("A"));
    assert_int_equal(generate(), LABS_FINE);
    assert_content("labs/05-pivot-root/root.c", SKELETON("A"));
    assert_int_equal(check(), LABS_FINE);
    assert_string_equal(names_in("labs/05-pivot-root"), "root.c ");
}

static void test_edited_is_kept(void **state)
{
    (void)state;
    generate();
    put("labs/05-pivot-root/root.c", SKELETON("A") "/* mine */\n");
    put("solutions/05-pivot-root/root.c", SOLUTION("B"));
    put("solutions/06-overlayfs/overlay.c", SOLUTION("P"));
    assert_int_equal(generate(), LABS_FINE);
    assert_int_equal(troubles, 0);
    assert_non_null(strstr(told, "kept "));
    assert_non_null(strstr(told, "labs/05-pivot-root/root.c: you have edited it"));
    assert_non_null(strstr(told, "make reset05"));
    assert_ptr_equal(strchr(told, '\n') + 1, told + strlen(told)); /* one line */
    assert_content("labs/05-pivot-root/root.c", SKELETON("A") "/* mine */\n");
    assert_content("labs/06-overlayfs/overlay.c", SKELETON("P"));
    /* The skeleton of another lab is an edit too. */
    put("labs/05-pivot-root/root.c", SKELETON("P"));
    assert_int_equal(generate(), LABS_FINE);
    assert_content("labs/05-pivot-root/root.c", SKELETON("P"));
}

static void test_reset_keeps_a_backup(void **state)
{
    char *name;

    (void)state;
    generate();
    put("labs/05-pivot-root/root.c", "mine\n");
    assert_int_equal(reset("05"), LABS_FINE);
    assert_content("labs/05-pivot-root/root.c", SKELETON("A"));
    name = strstr(told, "root.c.backup-");
    assert_non_null(name);
    *strchr(name, '\n') = '\0';
    char expected[256], path[256];

    snprintf(expected, sizeof(expected), "root.c %s ", name);
    assert_string_equal(names_in("labs/05-pivot-root"), expected);
    snprintf(path, sizeof(path), "labs/05-pivot-root/%s", name);
    assert_content(path, "mine\n");
    /* Nothing edited: nothing to keep. */
    assert_int_equal(reset("05"), LABS_FINE);
    assert_string_equal(names_in("labs/05-pivot-root"), expected);
    assert_int_equal(reset(NULL), LABS_WRONG);
    assert_int_equal(reset("07"), LABS_WRONG);
}

static void test_reset_without_solutions(void **state)
{
    (void)state;
    generate();
    put("solutions/05-pivot-root/root.c", SKELETON("A"));
    put("labs/05-pivot-root/root.c", "mine\n");
    assert_int_equal(reset("05"), LABS_FINE);
    assert_content("labs/05-pivot-root/root.c", SKELETON("A"));
    /* But generate would never take a file without markers for a solution. */
    assert_int_equal(generate(), LABS_WRONG);
    put("solutions/05-pivot-root/root.c", SKELETON("X"));
    assert_int_equal(reset("05"), LABS_WRONG);
}

static void test_check(void **state)
{
    (void)state;
    assert_int_equal(check(), LABS_DRIFT);
    generate();
    assert_int_equal(check(), LABS_FINE);
    /* Whatever the student has done is none of its business. */
    put("labs/05-pivot-root/root.c", "mine\n");
    assert_int_equal(unlink(in_scratch("labs/06-overlayfs/overlay.c")), 0);
    assert_int_equal(check(), LABS_FINE);
    assert_string_equal(told, "");
    put("solutions/05-pivot-root/root.c", SOLUTION("B"));
    put("solutions/06-overlayfs/overlay.c", SOLUTION("P"));
    assert_int_equal(check(), LABS_DRIFT);
    assert_non_null(strstr(told, "05-pivot-root/root.c: "));
    assert_non_null(strstr(told, "06-overlayfs/overlay.c: "));
    assert_content("labs/05-pivot-root/root.c", "mine\n");
    /* A change inside of a region changes no skeleton. */
    put("solutions/05-pivot-root/root.c", SOLUTION("A"));
    put("solutions/06-overlayfs/overlay.c", SOLUTION("O") "");
    assert_int_equal(check(), LABS_FINE);
}

static void test_fault_writes_nothing(void **state)
{
    (void)state;
    put("solutions/06-overlayfs/overlay.c",
        "void f(void)\n{\n    /* BEGIN SOLUTIONS step 1 */\n}\n");
    assert_int_equal(generate(), LABS_WRONG);
    assert_non_null(strstr(told, "solutions/06-overlayfs/overlay.c:3: "));
    assert_string_equal(names_in("labs/05-pivot-root"), "");
    assert_string_equal(names_in(""), "labs solutions ");
}

static void test_missing_folder(void **state)
{
    (void)state;
    assert_int_equal(rmdir(in_scratch("labs/05-pivot-root")), 0);
    assert_int_equal(generate(), LABS_TROUBLE);
    assert_int_equal(troubles, 1);
    assert_non_null(strstr(told, "labs/05-pivot-root: there is no such folder"));
    assert_content("labs/06-overlayfs/overlay.c", SKELETON("O"));
    assert_string_equal(names_in("labs"), "06-overlayfs ");
}

static void test_bad_record(void **state)
{
    (void)state;
    put("digests", "# a remark\n\nnonsense  05-pivot-root/root.c\n");
    assert_int_equal(generate(), LABS_WRONG);
    assert_non_null(strstr(told, "digests:3: "));
    assert_content("digests", "# a remark\n\nnonsense  05-pivot-root/root.c\n");
    assert_string_equal(names_in("labs/05-pivot-root"), "");
}

static void test_record_history(void **state)
{
    struct record record = {0};
    struct text text = {0}, again = {0};
    char a[DIGEST_HEX], b[DIGEST_HEX];
    unsigned bad;

    (void)state;
    digest_sha256("a", 1, a);
    digest_sha256("b", 1, b);
    assert_int_equal(record_add(&record, "06-x/x.c", a), 1);
    assert_int_equal(record_add(&record, "05-y/y.c", a), 1);
    assert_int_equal(record_add(&record, "05-y/y.c", b), 1);
    assert_int_equal(record_add(&record, "05-y/y.c", b), 0);
    assert_string_equal(record_latest(&record, "05-y/y.c"), b);
    assert_true(record_knows(&record, "05-y/y.c", a));
    assert_false(record_knows(&record, "06-x/x.c", b));
    assert_null(record_latest(&record, "05-y/y"));
    assert_int_equal(record_add(&record, "05-y/y.c", a), 1);
    assert_string_equal(record_latest(&record, "05-y/y.c"), a);
    assert_int_equal(record.count, 3);
    record_print(&record, &text);
    record_free(&record);
    assert_int_equal(record_parse(text.bytes, text.length, &record, &bad), 0);
    record_print(&record, &again);
    assert_string_equal(text.bytes, again.bytes);
    record_free(&record);
    text_free(&text);
    text_free(&again);
}

static void test_step_file(void **state)
{
    struct labs labs = labs_of(NULL);
    char solution[256], out[256];

    (void)state;
    snprintf(solution, sizeof(solution), "%s", in_scratch("solutions/05-pivot-root/root.c"));
    snprintf(out, sizeof(out), "%s", in_scratch("labs/05-pivot-root/out.c"));
    assert_int_equal(labs_step(&labs, solution, out), LABS_FINE);
    assert_content("labs/05-pivot-root/out.c", SKELETON("A"));
    labs.first_open = 2;
    assert_int_equal(labs_step(&labs, solution, out), LABS_FINE);
    assert_content("labs/05-pivot-root/out.c",
                   "int f(int a)\n{\n    secret_of_the_solution(a);\n    return 0;\n}\n");
    assert_string_equal(names_in("labs/05-pivot-root"), "out.c ");
    /* Somebody's work is not one of its products. */
    put("labs/05-pivot-root/out.c", "mine\n");
    assert_int_equal(labs_step(&labs, solution, out), LABS_FINE);
    assert_non_null(strstr(told, "out.c.backup-"));
    assert_non_null(strstr(names_in("labs/05-pivot-root"), "out.c out.c.backup-"));
    assert_int_equal(labs_step(&labs, solution, in_scratch("absent/out.c")), LABS_TROUBLE);
}

int main(void)
{
#define IN_KIT(test) cmocka_unit_test_setup_teardown(test, enter, scratch_leave)
    const struct CMUnitTest tests[] = {
        IN_KIT(test_missing_is_written),
        IN_KIT(test_only_the_chosen),
        IN_KIT(test_untouched_is_renewed),
        IN_KIT(test_edited_is_kept),
        IN_KIT(test_reset_keeps_a_backup),
        IN_KIT(test_reset_without_solutions),
        IN_KIT(test_check),
        IN_KIT(test_fault_writes_nothing),
        IN_KIT(test_missing_folder),
        IN_KIT(test_bad_record),
        IN_KIT(test_record_history),
        IN_KIT(test_step_file),
    };

    return cmocka_run_group_tests_name("skeleton: labs", tests, NULL, NULL);
}
