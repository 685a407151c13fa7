/*
 * Labs that nobody will ever solve: each shows one way in which a run can go. Linked with the real
 * main.c they make a build/grade whose every verdict is known beforehand.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "grade/grade.h"

/* Volatile twice, so that no compiler sees what will happen. */
static volatile int *volatile nowhere = (volatile int *)8;
static volatile bool for_ever = true;

static void passes(struct grade *g)
{
    expect(g, true, .because = "never");
}

static void passes_twice(struct grade *g)
{
    expect(g, true, .because = "never");
    expect(g, true, .because = "never");
}

/* What a student's program might print to fool a terminal, a parser, a reader. */
static const char hostile[] = "\033[2J\033]0;owned\007 clear\n"
                              "bad utf-8: \xff\xfe\xc0\x80\xed\xa0\x80 end\n"
                              "nul:\0:nul\n"
                              "c1 \xc2\x9b"
                              "31m bidi \xe2\x80\xae"
                              "desrever\n"
                              "ok 1 - # SKIP\r\n"
                              "  ...\n"
                              "not ok 7\n"
                              "\ttab and \"quotes\" and \\ and ]]>\n"
                              "Bail out!\n"
                              "gr\xc3\xbc\xc3\x9f dich \xe2\x82\xac\n"
                              "no line feed at the end \xe2\x82";

static void fails(struct grade *g)
{
    grade_log(g, hostile, 40);
    grade_log(g, hostile + 40, sizeof(hostile) - 1 - 40);
    grade_note(g, "killed by SIGSEGV in %s, root.c:%d", "root_pivot", 42);
    expect(g, true, .because = "first");
    expect(g, false, .because = "old-root-left",
           .expected = say(g, "no mount of the host in /proc/%d/mountinfo", 48211),
           .kernel = "812 790 254:0 / /.old rw,relatime - ext4 /dev/vda rw \033[31m and "
                     "/a/path/without/any/space/that/is/much/longer/than/the/sixty/two/columns/"
                     "that/are/there",
           .see = "make shell05, then: cat /proc/self/mountinfo");
    abort(); /* an expectation that does not hold comes back never */
}

static void fails_shortly(struct grade *g)
{
    fail(g, .because = "later", .expected = "7", .kernel = "8");
}

static void floods(struct grade *g)
{
    char line[64];

    for (int i = 1; i <= 1000; i++) {
        int length = snprintf(line, sizeof(line), "line %d of the flood\n", i);
        grade_log(g, line, (size_t)length);
    }
    for (int i = 0; i < 40; i++)
        grade_note(g, "note %d", i);
    fail(g, .because = "flood", .expected = "one line", .kernel = "a thousand",
         .see = "a command that is told at great length, so that it takes more than one line of "
                "the screen, and then some more words, until even three lines will not do for it, "
                "because somebody had a lot to say about how one might look at such a thing; and "
                "he goes on and on");
}

static void checks_nothing(struct grade *g)
{
    grade_log(g, "nothing\n", 8);
}

static void crashes(struct grade *g)
{
    expect(g, true, .because = "never");
    *nowhere = 1;
}

static void aborts(struct grade *g)
{
    expect(g, true, .because = "never");
    abort();
}

static int overflow(volatile char *above)
{
    volatile char here[4096];

    here[0] = above ? above[0] : 1;
    return for_ever ? overflow(here) + here[0] : 0;
}

static void runs_out_of_stack(struct grade *g)
{
    (void)g;
    overflow(NULL);
}

static void reports_an_error(struct grade *g)
{
    expect(g, true, .because = "never");
    grade_error(g, -EACCES, "reading %s", "/proc/1/mountinfo");
}

/* A grader that forks and lets the child judge: the child's verdict must not run the rest. */
static void forks(struct grade *g)
{
    pid_t child = fork();
    int status = 0;

    if (child == 0)
        fail(g, .because = "child");
    waitpid(child, &status, 0);
    expect(g, WIFEXITED(status) && WEXITSTATUS(status) == STATUS_HARNESS, .because = "child");
}

static void skips(struct grade *g)
{
    grade_skip(g, "overlay in a user namespace is not to be had here");
}

static struct grade *teller;

static void tell(void *word)
{
    grade_log(teller, word, strlen(word));
    grade_log(teller, "\n", 1);
}

static void crash_undo(void *word)
{
    tell(word);
    *nowhere = 1;
}

static void defers_and_fails(struct grade *g)
{
    teller = g;
    grade_defer(g, tell, "undo first");
    grade_defer(g, tell, "undo second");
    grade_defer(g, tell, "undo third");
    fail(g, .because = "undo", .expected = "undone", .kernel = "undone");
}

static void defers_a_crash(struct grade *g)
{
    teller = g;
    grade_defer(g, tell, "undo first");
    grade_defer(g, crash_undo, "undo that crashes");
    expect(g, true, .because = "never");
}

static void defers_too_much(struct grade *g)
{
    teller = g;
    for (;;)
        grade_defer(g, tell, "undo");
}

static void draws(struct grade *g)
{
    char line[128];

    for (int i = 0; i < 3; i++) {
        /* One after the other: the order of a call's arguments is the compiler's choice. */
        const char *word = grade_word(g, 8);
        int between = grade_between(g, -3, 3);
        unsigned below = grade_random(g, 1000);
        int length = snprintf(line, sizeof(line), "%s %d %u\n", word, between, below);
        grade_log(g, line, (size_t)length);
    }
    fail(g, .because = "draw");
}

static void remove_file(void *name)
{
    unlink(name);
}

/* Waits for a signal as run.c does: it makes a file, so that the test knows, and undoes it. */
static void waits(struct grade *g)
{
    char *name = getenv("FAKE_WAIT");

    if (!name)
        grade_error(g, 0, "FAKE_WAIT is not set");
    grade_defer(g, remove_file, name);
    close(open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    expect(g, true, .because = "never");
    for (int i = 0; i < 10000; i++) {
        grade_check_interrupt(g);
        usleep(1000);
    }
    grade_error(g, -ETIMEDOUT, "no signal came");
}

/* Passes or fails as the test wants it, step by step: FAKE_PLAN is a letter a step. */
static void planned(struct grade *g)
{
    const char *plan = getenv("FAKE_PLAN");
    size_t index = (size_t)g->step->number - 1;

    if (!plan || index >= strlen(plan))
        grade_error(g, 0, "FAKE_PLAN is too short");
    expect(g, plan[index] == 'p', .because = "planned", .expected = "p", .kernel = "f");
}

#define STEP(n, s, t, p, r, ...)                                                                   \
    {                                                                                              \
        .number = n, .slug = s, .title = t, .points = p, .run = r, .chapter = s, ##__VA_ARGS__     \
    }

#define FAKE(id, lab_name, lab_title, ...)                                                         \
    static const struct step id##_steps[] = {__VA_ARGS__};                                         \
    static const struct lab id = {.name = lab_name,                                                \
                                  .title = lab_title,                                              \
                                  .steps = id##_steps,                                             \
                                  .count = sizeof(id##_steps) / sizeof(id##_steps[0])};            \
    __attribute__((used, section("strata_labs"))) static const struct lab *const id##_entry = &id

FAKE(lab_pass, "31-pass", "all is well", STEP(1, "one", "the first step", 40, passes),
     STEP(2, "two", "the second, after the first", 60, passes_twice, .after = {1}),
     STEP(3, "three", "a bonus", 10, passes, .more = true, .after = {1, 2}));

FAKE(lab_fail, "32-fail", "a new root", STEP(1, "chroot", "chroot shows the new root", 10, passes),
     STEP(2, "pivot", "pivot_root makes it the root of the mount namespace", 20, passes),
     STEP(3, "old-root", "the old root is gone", 20, fails, .man = "pivot_root(2), NOTES",
          .after = {2}),
     STEP(4, "dev", "/proc, /sys and /dev are the container’s own, with nodes, modes and links", 20,
          fails_shortly, .man = "devpts(5)"),
     STEP(5, "masked", "masked and read-only paths", 20, passes, .after = {3}),
     STEP(6, "no-fd", "no fd leads back out", 10, passes, .after = {5}),
     STEP(7, "deeper", "a level further in", 10, passes, .more = true));

FAKE(lab_error, "33-error", "graders that go wrong",
     STEP(1, "fine", "a step that passes", 10, passes),
     STEP(2, "crash", "the grader crashes", 10, crashes),
     STEP(3, "again", "and once more", 10, crashes),
     STEP(4, "nothing", "the grader checks nothing", 10, checks_nothing),
     STEP(5, "abort", "the grader aborts", 10, aborts),
     STEP(6, "error", "the harness cannot read a file", 10, reports_an_error),
     STEP(7, "fork", "a forked child judges", 10, forks),
     STEP(8, "after-error", "comes after an error", 10, passes, .after = {6}),
     STEP(9, "also", "another that passes", 20, passes));

FAKE(lab_skip, "34-skip", "a machine that lacks things",
     STEP(1, "here", "can be graded here", 80, passes),
     STEP(2, "ids", "files made inside belong to the caller outside", 10, passes,
          .needs = NEED_IDS),
     STEP(3, "late", "finds out late", 5, skips),
     STEP(4, "follows", "comes after a skipped one", 5, passes, .after = {1, 2}));

FAKE(lab_undo, "35-undo", "what is deferred",
     STEP(1, "order", "undone last first", 40, defers_and_fails),
     STEP(2, "crash", "an undo that crashes", 20, defers_a_crash),
     STEP(3, "many", "too many undos", 20, defers_too_much),
     STEP(4, "leak", "something is left behind", 20, passes));

FAKE(lab_wait, "36-wait", "waits for a signal", STEP(1, "before", "before", 10, passes),
     STEP(2, "wait", "waits", 80, waits), STEP(3, "after", "after", 10, passes));

FAKE(lab_draw, "37-draw", "random values", STEP(1, "one", "draws", 50, draws),
     STEP(2, "two", "draws others", 50, draws));

FAKE(lab_prepare, "38-prepare", "no sandbox to be had", STEP(1, "one", "one", 100, passes));
FAKE(lab_broken, "39-broken", "points that do not add up", STEP(1, "one", "one", 99, passes));
FAKE(lab_flood, "40-flood", "a flood", STEP(1, "one", "one", 10, passes),
     STEP(2, "two", "two", 10, passes), STEP(3, "flood", "floods", 10, floods),
     STEP(4, "four", "four", 10, fails_shortly), STEP(5, "five", "five", 10, fails_shortly),
     STEP(6, "six", "six", 10, passes), STEP(7, "seven", "seven", 10, passes),
     STEP(8, "eight", "eight", 10, passes), STEP(9, "nine", "nine", 10, passes),
     STEP(10, "ten", "ten", 10, passes), STEP(11, "eleven", "eleven", 10, passes, .more = true),
     STEP(12, "twelve", "twelve", 10, passes, .more = true),
     STEP(13, "thirteen", "thirteen", 10, passes, .more = true),
     STEP(14, "fourteen", "fourteen", 10, passes, .more = true),
     STEP(15, "fifteen", "fifteen", 10, passes, .more = true),
     STEP(16, "sixteen", "sixteen", 10, fails_shortly, .more = true));

FAKE(lab_plan, "41-plan", "as planned", STEP(1, "one", "one", 50, planned),
     STEP(2, "two", "two", 50, planned), STEP(3, "three", "three", 10, planned, .more = true));

FAKE(lab_stack, "42-stack", "out of stack",
     STEP(1, "deep", "recurses for ever # TODO", 50, runs_out_of_stack),
     STEP(2, "then", "passes all the same", 50, passes));
