/* Lab 08: starting the lab program as somebody, holding it half-way, and seeing it refused. */
#include "graders/08-user.h"

#include <ctype.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "kernel/inside.h"
#include "kernel/own.h"
#include "kernel/tree.h"

unsigned user_draw(struct grade *g)
{
    unsigned drawn = (unsigned)grade_between(g, 1000, 60000);

    return run_ids(g) > 1 ? drawn : 0;
}

struct run *user_start(struct run *outside, unsigned user, unsigned group,
                       const char *const *arguments)
{
    return run_start(run_grade(outside),
                     &(struct run_options){
                         .arguments = arguments, .user = user, .group = group, .beside = outside});
}

/* How many processes the room has. */
static size_t processes_in(struct run *outside)
{
    const char *names = run_ask(outside, "list /proc");
    size_t count = 0;

    for (const char *name = strchr(names, '\n'); name != NULL; name = strchr(name + 1, '\n'))
        count += isdigit((unsigned char)name[1]) != 0;
    return count;
}

struct counting {
    struct run *outside;
    size_t before, now;
};

static bool as_few_as_before(void *arg)
{
    struct counting *counting = arg;

    counting->now = processes_in(counting->outside);
    return counting->now <= counting->before;
}

/* All lines of it in one: what comes before the program's own last words may be the reason. */
static const char *all_words(struct grade *g, const char *said)
{
    const char *text = "";

    for (const char *line = said, *next; *line != '\0'; line = next) {
        size_t length = strcspn(line, "\n");
        next = line + length + (line[length] == '\n');
        text = say(g, "%s%s%.*s", text, text[0] != '\0' ? " / " : "", (int)length, line);
    }
    return text;
}

/* The last line of it, which is the program's own. */
static const char *last_words(struct grade *g, const char *said)
{
    size_t length = strlen(said);

    while (length > 0 && said[length - 1] == '\n')
        length--;
    const char *line = memrchr(said, '\n', length);
    line = line != NULL ? line + 1 : said;
    return say(g, "%.*s", (int)(said + length - line), line);
}

/* The options as a person would type them. */
static const char *typed(struct grade *g, const char *const *arguments)
{
    const char *text = "lab08";

    for (; *arguments != NULL; arguments++)
        text = say(g, "%s %s", text, *arguments);
    return strlen(text) > 90 ? say(g, "%.87s...", text) : text;
}

void user_check_starts(struct run *outside, unsigned user, const char *const *arguments,
                       const char *because)
{
    static const char *const command[] = {"/strata/busybox", "true", NULL};
    struct grade *g = run_grade(outside);

    user_check_starts_so(
        outside, &(struct run_options){.arguments = arguments, .command = command, .user = user},
        because, say(g, "%s true, by uid %u: the kernel allows it", typed(g, arguments), user),
        say(g, "%s true; make trace08", typed(g, arguments)));
}

void user_check_starts_so(struct run *outside, const struct run_options *options,
                          const char *because, const char *what, const char *see)
{
    struct grade *g = run_grade(outside);
    const char *said;
    int status = outside_run(outside, options, &said);

    expect(g, status == 0, .because = because, .expected = what,
           .kernel = say(g, "exit status %d: %.110s", status, last_words(g, said)), .see = see);
}

void user_check_refused(struct run *outside, const struct refusal *refusal)
{
    static const char *const command[] = {"/strata/busybox", "echo", "COMMAND RAN", NULL};
    struct grade *g = run_grade(outside);
    struct counting counting = {outside, processes_in(outside), 0};
    const char *said;
    int status =
        outside_run(outside,
                    &(struct run_options){
                        .arguments = refusal->arguments, .command = command, .user = refusal->user},
                    &said);

    expect(g, strstr(said, command[2]) == NULL, .because = refusal->because,
           .expected = say(g, "%s: the start ends with %d", refusal->what, REFUSED),
           .kernel = say(g, "COMMAND ran all the same (exit status %d)", status),
           .see = refusal->see);
    expect(g, status == REFUSED && strstr(said, strerror(refusal->error)) != NULL,
           .because = say(g, "%s-error", refusal->because),
           .expected =
               say(g, "%s: %d and \"%s\"", refusal->what, REFUSED, strerror(refusal->error)),
           .kernel = say(g, "exit status %d: %.110s", status, last_words(g, said)),
           .see = refusal->see);
    run_until(outside, as_few_as_before, &counting);
    expect(g, counting.now <= counting.before, .because = "left-behind",
           .expected = "a start that is refused leaves no process",
           .kernel =
               say(g, "there are %zu processes more than before", counting.now - counting.before),
           .see = "ps, after it");
}

const char *user_answer(struct run *outside, const char *const *arguments, const char *because,
                        const char *what)
{
    struct grade *g = run_grade(outside);
    const char *said;
    int status = outside_run(
        outside, &(struct run_options){.arguments = arguments, .no_command = true}, &said);

    expect(g, status == 0, .because = because,
           .expected = say(g, "%s: an answer to %s", what, typed(g, arguments)),
           .kernel = say(g, "exit status %d: %.110s", status, all_words(g, said)),
           .see = say(g, "%s; echo $?", typed(g, arguments)));
    return said;
}

/* --- starts that are held --------------------------------------------------------------------- */

static bool has_child(void *arg)
{
    struct held *held = arg;
    struct kernel_pids children;

    if (run_ended(held->run))
        return true;
    if (kernel_children(run_program_pid(held->run), &children) == 0 && children.count > 0)
        held->child = children.list[0];
    kernel_pids_free(&children);
    return held->child != 0;
}

struct held user_hold(struct run *outside, unsigned user, const char *uid_map, bool child_too,
                      const char *const *command)
{
    struct grade *g = run_grade(outside);
    struct held held = {.outside = outside,
                        .parent = say(g, "/tmp/%s", grade_word(g, 7)),
                        .child_fifo = say(g, "/tmp/%s", grade_word(g, 8))};
    const char *const arguments[] = {"--userns",
                                     "keep-id",
                                     "--uid-map",
                                     uid_map,
                                     "--gid-map",
                                     "none",
                                     "--hold",
                                     say(g, "parent:%s", held.parent),
                                     child_too ? "--hold" : NULL,
                                     say(g, "child:%s", held.child_fifo),
                                     NULL};

    outside_do(outside, "fifo %s", held.parent);
    outside_do(outside, "fifo %s", held.child_fifo);
    held.run = run_start(
        g, &(struct run_options){
               .arguments = arguments, .command = command, .user = user, .beside = outside});
    run_until(held.run, has_child, &held);
    expect(g, held.child != 0, .because = "no-child",
           .expected = "while the parent maps, the child is there and waits",
           .kernel = "the lab program has no child",
           .see = "mkfifo f; lab08 --hold parent:f true & sleep 1; ps f");
    return held;
}

struct release {
    struct held *held;
    const char *fifo;
};

/* True once somebody had it open for reading; before, the error is ENXIO. */
static bool released(void *arg)
{
    struct release *release = arg;

    return strcmp(run_ask(release->held->outside, "write %s", release->fifo), "ok") == 0 ||
           run_ended(release->held->run);
}

void user_release(struct held *held, const char *fifo)
{
    run_until(held->run, released, &(struct release){held, fifo});
}

/* It sleeps in the open(2) of its FIFO, no longer in the read(2) of process_start. */
static bool child_is_held(void *arg)
{
    struct held *held = arg;
    autofree char *text = NULL;
    char path[64];
    size_t length;

    snprintf(path, sizeof path, "/proc/%d/syscall", held->child);
    return kernel_inside_read(run_outside_pidfd(held->outside), run_outside_pid(held->outside),
                              CLONE_NEWUSER, path, &text, &length) < 0 ||
           strtol(text, NULL, 10) == SYS_openat || run_ended(held->run);
}

void user_await_child(struct held *held)
{
    run_until(held->run, child_is_held, held);
}
