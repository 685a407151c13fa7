/* The pages of harness/grade that can be tried without a run: text, log, seeds, labs, hints, and
 * the record with two writers at once. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#undef fail

#include "grade/hint.h"
#include "grade/lab.h"
#include "grade/logring.h"
#include "grade/progress.h"
#include "grade/score.h"
#include "grade/seed.h"
#include "grade/text.h"

static void clean_is(const char *dirty, size_t length, bool lines, const char *clean)
{
    char out[256];

    size_t got = text_clean(out, sizeof(out), dirty, length, lines);
    assert_string_equal(out, clean);
    assert_int_equal(got, strlen(clean));
}

static void test_clean(void **state)
{
    (void)state;
    clean_is("\033[2J\a", 5, false, "\\x1b[2J\\x07");
    clean_is("a\0b\x7f", 4, false, "a\\x00b\\x7f");
    clean_is("\xc0\x80\xed\xa0\x80\xf4\x90\x80\x80", 9, false,
             "\\xc0\\x80\\xed\\xa0\\x80\\xf4\\x90\\x80\\x80"); /* overlong, surrogate, too large */
    clean_is("\xc2\x9b\xe2\x80\xae\xef\xbb\xbf", 8, false,
             "\\xc2\\x9b\\xe2\\x80\\xae\\xef\\xbb\\xbf");      /* C1, override, byte-order mark */
    clean_is("\xe2\x82\xac\xe2\x82", 5, false, "€\\xe2\\x82"); /* whole, cut off */
    clean_is("a\tb\nc\td", 7, true, "a       b\nc       d");
    clean_is("a\nb", 3, false, "a\\x0ab");
    clean_is("ab\\x41", 6, false, "ab\\x41");
    char small[6];
    assert_int_equal(text_clean(small, sizeof(small), "abc\033", 4, false), 3);
    assert_string_equal(small, "abc"); /* no half escape */
}

static void test_wrap(void **state)
{
    const char *rest;

    (void)state;
    assert_int_equal(text_wrap("abc def", 5, &rest), 3);
    assert_string_equal(rest, "def");
    assert_int_equal(text_wrap("/a/long/path", 5, &rest), 5);
    assert_string_equal(rest, "ng/path");
    assert_int_equal(text_wrap("äöü äöü", 4, &rest), 6); /* two bytes a letter */
    assert_string_equal(rest, "äöü");
    assert_int_equal(text_wrap("a\nb", 5, &rest), 1);
    assert_string_equal(rest, "b");
    assert_int_equal(text_wrap("exact", 5, &rest), 5);
    assert_string_equal(rest, "");
}

static void test_logring(void **state)
{
    struct logring *ring = calloc(1, sizeof(*ring));
    char line[32];

    (void)state;
    assert_non_null(ring);
    for (int i = 0; i < 100; i++)
        logring_add(ring, line, (size_t)snprintf(line, sizeof(line), "line %d\n", i));
    assert_int_equal(logring_count(ring), LOGRING_LINES);
    assert_string_equal(logring_line(ring, 0), "line 36");
    assert_string_equal(logring_line(ring, LOGRING_LINES - 1), "line 99");
    logring_clear(ring);
    logring_add(ring, "\xe2", 1); /* a character in three pieces */
    logring_add(ring, "\x82", 1);
    logring_add(ring, "\xac\r\npar", 6);
    logring_finish(ring);
    logring_finish(ring);
    assert_int_equal(logring_count(ring), 2);
    assert_string_equal(logring_line(ring, 0), "€");
    assert_string_equal(logring_line(ring, 1), "par");
    for (int i = 0; i < 10000; i++)
        logring_add(ring, "\xc3\xa4", 2);
    logring_finish(ring);
    assert_true(strlen(logring_line(ring, 2)) <= LOGRING_BYTES);
    assert_null(strchr(logring_line(ring, 2), '\\'));
    free(ring);
}

static void test_seed(void **state)
{
    uint32_t seed = 0;
    uint64_t one = seed_state(7, "05-x", 1);
    int seen[6] = {0};

    (void)state;
    assert_int_equal(seed_parse("5F3a", &seed), 0);
    assert_int_equal(seed, 0x5f3a);
    assert_int_equal(seed_parse("0xffffffff", &seed), 0);
    assert_int_equal(seed, 0xffffffff);
    assert_int_equal(seed_parse("", &seed), -EINVAL);
    assert_int_equal(seed_parse("123456789", &seed), -EINVAL);
    assert_int_equal(seed_parse("-1", &seed), -EINVAL);
    assert_true(one == seed_state(7, "05-x", 1));
    assert_true(one != seed_state(7, "05-x", 2));
    assert_true(one != seed_state(8, "05-x", 1));
    assert_true(one != seed_state(7, "05-y", 1));
    for (int i = 0; i < 600; i++)
        seen[seed_below(&one, 6)]++;
    for (int i = 0; i < 6; i++)
        assert_in_range(seen[i], 60, 140);
}

static void nothing(struct grade *g)
{
    (void)g;
}

static void test_lab_fault(void **state)
{
    struct step steps[2] = {
        {.number = 1, .slug = "a", .title = "a", .points = 50, .run = nothing, .chapter = "a"},
        {.number = 2, .slug = "b", .title = "b", .points = 50, .run = nothing, .chapter = "b"}};
    struct lab lab = {.name = "50-x", .title = "x", .steps = steps, .count = 2};
    struct result results[STEP_MAX] = {0};

    (void)state;
    assert_null(lab_fault(&lab));
    steps[1].after[0] = 1;
    assert_null(lab_fault(&lab));
    assert_int_equal(lab_select(&lab, 2, results), 2);
    assert_int_equal(lab_select(&lab, 1, results), 1);
    assert_int_equal(lab_select(&lab, 3, results), -ENOENT);
    steps[1].after[0] = 2;
    assert_non_null(lab_fault(&lab));
    steps[1].after[0] = 0;
    steps[1].slug = "a";
    assert_non_null(lab_fault(&lab));
    steps[1].slug = "b";
    steps[1].number = 3;
    assert_non_null(lab_fault(&lab));
    steps[1].number = 2;
    steps[1].more = true;
    assert_non_null(lab_fault(&lab)); /* 50 core points */
    lab.count = 0;
    assert_non_null(lab_fault(&lab));
    assert_int_equal(lab_select(&lab, 0, results), -ENOENT);
}

static void test_empty_run_is_a_fault(void **state)
{
    struct grade *g = calloc(1, sizeof(*g));

    (void)state;
    assert_non_null(g);
    g->lab = lab_find("31");
    struct score score = score_of(g);
    assert_int_equal(score_status(g, &score), STATUS_HARNESS);
    assert_false(score.lab_passed);
    free(g);
}

/* Reads hints from a text; the path's folder is the test's own. */
static int read_hints(const char *text, struct hints *hints)
{
    char path[] = "/tmp/strata-hints-XXXXXX";
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    int error = hints_read(path, hints);
    unlink(path);
    return error;
}

static void hints_fail(const char *text, int line, const char *what)
{
    struct hints hints;
    char place[16];

    assert_int_equal(read_hints(text, &hints), -EBADMSG);
    snprintf(place, sizeof(place), ":%d: ", line);
    assert_non_null(strstr(hints.fault, place));
    assert_non_null(strstr(hints.fault, what));
    hints_free(&hints);
}

static void test_hints(void **state)
{
    struct hints hints;

    (void)state;
    assert_int_equal(read_hints("# c\n[a]\n1 w: one\n  more\n1 *: any\n2: two\n3: three\n", &hints),
                     0);
    assert_int_equal(hints.count, 4);
    assert_string_equal(hints_choose(&hints, "a", 1, "w")->text, "one more");
    assert_string_equal(hints_choose(&hints, "a", 1, "other")->text, "any");
    assert_string_equal(hints_choose(&hints, "a", 3, "w")->text, "three");
    assert_null(hints_choose(&hints, "b", 1, NULL));
    hints_free(&hints);
    hints_fail("1 *: x\n", 1, "before the first");
    hints_fail("[a\n", 1, "section");
    hints_fail("[a]\n[a]\n4: x\n", 3, "a hint is");
    hints_fail("[a]\n1: x\n", 2, "tier 1 takes");
    hints_fail("[a]\n2 w: x\n", 2, "tier 1 takes");
    hints_fail("[a]\n\n2:\n", 3, "empty");
    hints_fail("[a]\n2: x\n2: y\n", 3, "already");
    hints_fail("[a]\n2: x\n[b]\n  y\n", 4, "indented");
    hints_fail("[a]\n2: \033[2J\n", 2, "no text");
}

static void check_fails(const char *text, const char *what)
{
    struct hints hints;

    assert_int_equal(read_hints(text, &hints), 0);
    assert_int_equal(hints_check(&hints, lab_find("38"), "f"), what ? -EBADMSG : 0);
    if (what)
        assert_non_null(strstr(hints.fault, what));
    hints_free(&hints);
}

static void test_hints_check(void **state)
{
    (void)state;
    check_fails("[one]\n1 *: a\n2: b\n3: c\n", NULL);
    check_fails("[one]\n1 w: a\n2: b\n3: c\n", "no tier 1");
    check_fails("[one]\n1 *: a\n3: c\n", "no tier 2");
    check_fails("[one]\n1 *: a\n2: b\n3: b\n", "same text");
    check_fails("[one]\n1 *: a\n2: b\n3: c\n[two]\n1 *: a\n", "no such step");
}

enum { ROUNDS = 50 };

/* Records one lab's first step ROUNDS times, each time with another digest. */
static int write_rounds(const char *root, const char *lab)
{
    struct grade *g = calloc(1, sizeof(*g));
    struct grade_options options = {.root = root};
    char digest[DIGEST_HEX];
    int error = 0;

    g->lab = lab_find(lab);
    g->options = &options;
    g->layer_digest = g->kit_digest = digest;
    for (int i = 0; i < ROUNDS && error == 0; i++) {
        snprintf(digest, sizeof(digest), "%064x", i + 1);
        for (size_t k = 0; k < g->lab->count; k++) {
            g->results[k].selected = true;
            g->results[k].outcome = OUTCOME_PASS;
        }
        error = progress_record(g, NULL);
    }
    free(g);
    return error;
}

static void test_two_writers(void **state)
{
    char root[] = "/tmp/strata-progress-XXXXXX";
    char path[64];
    const char *labs[] = {"31", "32", "34"};
    struct progress progress;
    char digest[DIGEST_HEX];

    (void)state;
    assert_non_null(mkdtemp(root));
    pid_t children[3];
    for (int i = 0; i < 3; i++) {
        children[i] = fork();
        if (children[i] == 0)
            _exit(write_rounds(root, labs[i]) != 0);
    }
    for (int i = 0; i < 3; i++) {
        int status = -1;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    assert_int_equal(progress_load(root, &progress), 0);
    assert_int_equal(progress.garbage, 0);
    assert_int_equal(progress.count, 3 + 7 + 4);
    snprintf(digest, sizeof(digest), "%064x", ROUNDS);
    for (int i = 0; i < 3; i++)
        assert_int_equal(progress_standing(&progress, lab_find(labs[i]), digest), STANDING_PASSED);
    assert_int_equal(progress_standing(&progress, lab_find("31"), ""), STANDING_CHANGED);
    progress_free(&progress);
    snprintf(path, sizeof(path), "%s/.progress/passed", root);
    assert_int_equal(unlink(path), 0);
    snprintf(path, sizeof(path), "%s/.progress", root);
    assert_int_equal(rmdir(path), 0); /* nothing else was left in it */
    assert_int_equal(rmdir(root), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clean),       cmocka_unit_test(test_wrap),
        cmocka_unit_test(test_logring),     cmocka_unit_test(test_seed),
        cmocka_unit_test(test_lab_fault),   cmocka_unit_test(test_empty_run_is_a_fault),
        cmocka_unit_test(test_hints),       cmocka_unit_test(test_hints_check),
        cmocka_unit_test(test_two_writers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
