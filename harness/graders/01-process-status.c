/* Lab 01, step 2: what the exit status says, and that it says the truth. */
#include "graders/01-process.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

static void check_exits(struct run *helper)
{
    struct grade *g = run_grade(helper);
    const int exits[] = {0,   1,   grade_between(g, 2, 124),   125,
                         126, 127, grade_between(g, 128, 254), 255};

    for (size_t i = 0; i < sizeof exits / sizeof *exits; i++)
        process_check_end(run_start(g, &(struct run_options){.beside = helper}), exits[i]);
}

static void check_signals(struct run *helper)
{
    struct grade *g = run_grade(helper);
    const int signals[] = {SIGKILL, SIGTERM, SIGSEGV, SIGHUP, grade_between(g, 34, 63), 64};

    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        struct run *run = run_start(g, &(struct run_options){.beside = helper});
        run_tell(run, "die %d", signals[i]);
        int status = run_exit_status(run);
        expect(g, status == 128 + signals[i], .because = "signal",
               .expected = say(g, "signal %d ended COMMAND: exit status %d (128 + %d)", signals[i],
                               128 + signals[i], signals[i]),
               .kernel = say(g, "your program's exit status is %d", status),
               .see = say(g, "lab01 sh -c 'kill -%d $$'; echo $?", signals[i]));
    }
}

/* One way in which exec fails. */
struct refusal {
    const char *what;
    const char *command;
    const char *path; /* the PATH to look in, or NULL */
    int status;
    int error;
};

static void check_refusal(struct run *helper, const struct refusal *refusal)
{
    struct grade *g = run_grade(helper);
    const char *banner = grade_word(g, 9);
    const char *path = say(g, "PATH=%s", refusal->path != NULL ? refusal->path : "/usr/bin:/bin");
    const char *const arguments[] = {"--banner", banner, "-e", path, NULL};
    const char *const command[] = {refusal->command, "x", NULL};
    const char *const environment[] = {path, NULL}; /* whose counts is step 4's question */
    struct run *run = run_start(g, &(struct run_options){.arguments = arguments,
                                                         .command = command,
                                                         .environment = environment,
                                                         .beside = helper});
    int status = run_exit_status(run);
    const char *first = strstr(run_output(run), banner);
    const char *see = say(g, "lab01 %s; echo $?", refusal->command);

    expect(g, status == refusal->status, .because = say(g, "status-%d", refusal->status),
           .expected = say(g, "%s: exit status %d", refusal->what, refusal->status),
           .kernel = say(g, "your program's exit status for %s is %d", refusal->command, status),
           .see = see);
    const char *line = say(g, "%s: %s", refusal->command, strerror(refusal->error));
    expect(g, run_said(run, line), .because = "untold",
           .expected = say(g, "the parent is told why, and says it: %s", line),
           .kernel = "your program said something else, or nothing: see below", .see = see);
    expect(g, first != NULL && strstr(first + 1, banner) == NULL, .because = "printed-twice",
           .expected = "text that waits in a buffer of stdio comes out once",
           .kernel = say(g, "\"%s\" came out %s", banner, first == NULL ? "never" : "twice"),
           .see = say(g, "lab01 --banner hello %s | cat", refusal->command));
}

static void check_refusals(struct run *helper)
{
    struct grade *g = run_grade(helper);
    const char *word = grade_word(g, 8), *plain = grade_word(g, 8), *text = grade_word(g, 8);
    const struct refusal refusals[] = {
        {"no such command in PATH", word, NULL, 127, ENOENT},
        {"no such file", say(g, "/tmp/%s", word), NULL, 127, ENOENT},
        {"no such folder on the way", say(g, "/%s/%s", word, word), NULL, 127, ENOENT},
        {"a file where a folder should be", say(g, "/tmp/%s/%s", plain, word), NULL, 127, ENOTDIR},
        {"PATH with a file and nothing in it", word, say(g, "/tmp/%s:/%s", plain, word), 127,
         ENOENT},
        {"a file that nobody may execute", say(g, "/tmp/%s", plain), NULL, 126, EACCES},
        {"the same found in PATH, before a folder without", plain, "/tmp:/bin", 126, EACCES},
        {"a folder", "/tmp", NULL, 126, EACCES},
        {"a file in no format that the kernel knows", say(g, "/tmp/%s", text), NULL, 126, ENOEXEC},
    };

    process_do(helper, "write /tmp/%s %s", plain, word);
    process_do(helper, "write /tmp/%s %s", text, word);
    process_do(helper, "chmod 755 /tmp/%s", text);
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        check_refusal(helper, &refusals[i]);
}

void process_step_status(struct grade *g)
{
    struct run *helper = process_helper(g, NULL);

    check_exits(helper);
    check_signals(helper);
    check_refusals(helper);
    process_check_hook_failure(helper, "parent", true);
    process_check_hook_failure(helper, "child", true);

    const char *const arguments[] = {"--frob", NULL};
    const char *const command[] = {"/strata/busybox", "true", NULL};
    int status = run_exit_status(process_run_command(helper, arguments, command));
    expect(g, status == 125, .because = "own-failure",
           .expected = "an option that does not exist: exit status 125",
           .kernel = say(g, "exit status %d", status), .see = "lab01 --frob true; echo $?");
}
