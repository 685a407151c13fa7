/* Lab 01, step 4: what COMMAND must not inherit, and the caller must not lose. */
#include "graders/01-process.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "grade/facts.h"
#include "kernel/own.h"

enum { EXTRA_FDS = 8 };

/* Every signal that can be ignored or blocked, for real: not KILL and STOP, nor libc's own two.
 * CHLD and WINCH the lab program sets for itself. */
static uint64_t draw_signals(struct grade *g)
{
    uint64_t set = 0;

    for (int number = 1; number <= 64; number++) {
        if (number == SIGKILL || number == SIGSTOP || number == 32 || number == 33 ||
            number == SIGCHLD || number == SIGWINCH || number == SIGSEGV || number == SIGBUS ||
            number == SIGFPE || number == SIGILL || number == SIGABRT)
            continue;
        if (grade_random(g, 2) == 0 || number == SIGPIPE || number == 64)
            set |= (uint64_t)1 << (number - 1);
    }
    return set;
}

/* 32 and 33 libc keeps for itself: its functions neither set nor reset them. */
static const uint64_t libc_signals = (uint64_t)3 << 31;

static int first_signal(uint64_t set)
{
    return set == 0 ? 0 : __builtin_ctzll(set) + 1;
}

static void check_clean_signals(struct run *run, uint64_t ignored, uint64_t blocked)
{
    struct grade *g = run_grade(run);
    pid_t pid = run_payload(run)->pid;
    struct kernel_status parent = process_status_of(g, run_program_pid(run)),
                         child = process_status_of(g, pid);

    child.sigign &= ~libc_signals;
    child.sigblk &= ~libc_signals;
    expect(g, (parent.sigign & ignored) == ignored && (parent.sigblk & blocked) == blocked,
           .because = "caller-changed",
           .expected = "your program's own signal settings stay as they were: clean the child's",
           .kernel = say(g, "SigIgn %016llx, SigBlk %016llx in /proc/%d/status: some are gone",
                         (unsigned long long)parent.sigign, (unsigned long long)parent.sigblk,
                         run_program_pid(run)),
           .see = "grep Sig /proc/PID/status of the lab program");
    expect(g, child.sigign == 0 || child.sigign >> 31 == 0 || (child.sigign << 33) != 0,
           .because = "ignored-real-time",
           .expected = "COMMAND ignores no real-time signal either: they go up to 64",
           .kernel = say(g, "SigIgn %016llx in /proc/%d/status: signal %d and maybe more",
                         (unsigned long long)child.sigign, pid, first_signal(child.sigign)),
           .see = "signal(7), \"Real-time signals\"; NSIG");
    expect(g, child.sigign == 0, .because = "ignored",
           .expected = "COMMAND ignores no signal, whatever its caller ignored",
           .kernel = say(g, "SigIgn %016llx in /proc/%d/status: signal %d and maybe more",
                         (unsigned long long)child.sigign, pid, first_signal(child.sigign)),
           .see = "trap '' PIPE; lab01 grep SigIgn /proc/self/status");
    expect(g, child.sigblk == 0, .because = "blocked",
           .expected = "COMMAND blocks no signal, whatever its caller blocked",
           .kernel = say(g, "SigBlk %016llx in /proc/%d/status: signal %d and maybe more",
                         (unsigned long long)child.sigblk, pid, first_signal(child.sigblk)),
           .see = "lab01 grep SigBlk /proc/self/status; sigprocmask(2)");
}

struct closing {
    pid_t pid;
    int pidfd;
    struct run *run;
    const struct room_fd *extra;
    char left[300];
    int looks;
};

/* The parent hears of the exec a moment after we do; then it has to close its pipes. */
static bool closed(void *arg)
{
    struct closing *closing = arg;
    struct kernel_fds *fds = facts_fds(run_grade(closing->run), closing->pid, closing->pidfd);

    closing->left[0] = '\0';
    for (size_t i = 0; i < fds->count; i++) {
        const struct kernel_fd *fd = &fds->list[i];
        bool given = fd->fd <= 2;
        for (size_t k = 0; k < EXTRA_FDS; k++)
            given = given || fd->fd == closing->extra[k].to;
        if (!given &&
            (strncmp(fd->target, "pipe:", 5) == 0 || strncmp(fd->target, "socket:", 7) == 0))
            snprintf(closing->left, sizeof closing->left, "/proc/%d/fd/%d -> %s", closing->pid,
                     fd->fd, fd->target);
    }
    return closing->left[0] == '\0' || ++closing->looks > 20;
}

static void check_clean_fds(struct run *run, const struct room_fd *extra)
{
    struct grade *g = run_grade(run);
    const struct payload *payload = run_payload(run);
    struct kernel_fds *parent = facts_fds(g, run_program_pid(run), run_program_pidfd(run));
    struct kernel_fds *child = facts_fds(g, payload->pid, payload->pidfd);

    for (size_t i = 0; i < EXTRA_FDS; i++)
        expect(g, kernel_fds_find(parent, extra[i].to) != NULL, .because = "caller-closed",
               .expected =
                   say(g, "your program's own fd %d stays open: clean the child's", extra[i].to),
               .kernel =
                   say(g, "/proc/%d/fd has no %d any more", run_program_pid(run), extra[i].to),
               .see = "ls -l /proc/PID/fd of the lab program");
    for (size_t i = 0; i < child->count; i++)
        expect(g, child->list[i].fd <= 2, .because = "open-fds",
               .expected = "COMMAND has the fds 0, 1, 2 and no other",
               .kernel = say(g, "/proc/%d/fd/%d -> %s", payload->pid, child->list[i].fd,
                             child->list[i].target),
               .see = "lab01 ls -l /proc/self/fd 7</etc/passwd");
    for (int i = 0; i < 3; i++)
        expect(g, kernel_fds_find(child, i) != NULL, .because = "no-stdio",
               .expected = "COMMAND has the fds 0, 1 and 2 of its caller",
               .kernel = say(g, "/proc/%d/fd has no %d", payload->pid, i),
               .see = "lab01 ls -l /proc/self/fd");
    struct closing closing = {
        .pid = run_program_pid(run), .pidfd = run_program_pidfd(run), .run = run, .extra = extra};
    run_until(run, closed, &closing);
    expect(g, closing.left[0] == '\0', .because = "left-open",
           .expected = "process_start closes what it opened",
           .kernel = say(g, "%s, while COMMAND runs", closing.left),
           .see = "lab01 sleep 9 & sleep 1; ls -l /proc/$!/fd");
}

/* The strings of `wanted`, each ended by NUL, and nothing else. */
static void check_environment(struct run *run, const char *const *wanted, const char *secret)
{
    struct grade *g = run_grade(run);
    const struct payload *payload = run_payload(run);
    size_t length, own_length;
    const char *own =
        facts_bytes_within(g, run_program_pid(run), run_program_pidfd(run), CLONE_NEWUSER,
                           say(g, "/proc/%d/environ", run_program_pid(run)), &own_length);
    const char *text = facts_bytes_within(g, payload->pid, payload->pidfd, CLONE_NEWUSER,
                                          say(g, "/proc/%d/environ", payload->pid), &length);
    const char *see = "SECRET=1 lab01 -e A=b env";

    if (memmem(own, own_length, secret, strlen(secret)) == NULL)
        grade_error(g, 0, "the lab program was started without its environment");
    expect(g, memmem(text, length, secret, strlen(secret)) == NULL, .because = "environment-leaks",
           .expected = "nothing of the caller's own environment",
           .kernel = say(g, "/proc/%d/environ holds %s", payload->pid, secret), .see = see);
    const char *at = text;
    for (; *wanted != NULL; wanted++) {
        bool there = at < text + length && strcmp(at, *wanted) == 0;
        expect(g, there, .because = "environment-differs",
               .expected = say(g, "the environment of spec, in its order: %s", *wanted),
               .kernel = say(g, "/proc/%d/environ has %s there", payload->pid,
                             at < text + length ? at : "nothing"),
               .see = see);
        at += strlen(at) + 1;
    }
    expect(g, at == text + length, .because = "environment-differs",
           .expected = "exactly the environment of spec",
           .kernel = say(g, "/proc/%d/environ goes on with %s", payload->pid, at), .see = see);
}

static void check_clean(struct grade *g, uint64_t ignored, uint64_t blocked)
{
    /* One draw a statement: C does not say in which order arguments are evaluated. */
    const char *name = grade_word(g, 4);
    const char *value = grade_word(g, 12);
    const char *line = grade_word(g, 3);
    const char *secret = say(g, "SECRET_%s=%s", name, value);
    const char *const junk[] = {"PATH=/strata:/usr/bin:/bin", "HOME=/tmp", "LD_STRATA=1", secret,
                                NULL};
    const char *const wanted[] = {say(g, "PATH=/%s:/bin", name), say(g, "A_%s=%s =x", line, value),
                                  "EMPTY=", say(g, "LINES=%s\n%s", value, line), NULL};
    const char *const arguments[] = {"-e",      wanted[0], "-e",      wanted[1], "-e",
                                     wanted[2], "-e",      wanted[3], NULL};
    struct room_fd extra[EXTRA_FDS];
    autoclose int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

    for (int i = 0; i < EXTRA_FDS; i++) /* the lowest, some in between, the far end */
        extra[i] = (struct room_fd){null, i < 2 ? 3 + i : 10 + 400 * i + grade_between(g, 0, 180)};
    struct run *run = run_start(g, &(struct run_options){.arguments = arguments,
                                                         .environment = junk,
                                                         .fds = extra,
                                                         .fd_count = EXTRA_FDS,
                                                         .ignored = ignored,
                                                         .blocked = blocked});
    run_payload(run);
    check_clean_signals(run, ignored, blocked);
    check_clean_fds(run, extra);
    check_environment(run, wanted, secret);
    process_check_end(run, grade_between(g, 0, 255));
}

void process_step_clean_start(struct grade *g)
{
    uint64_t ignored = draw_signals(g), blocked = draw_signals(g);

    check_clean(g, ignored, blocked);
    /* With CHLD ignored the kernel would keep no exit status, if that reached the wait. */
    check_clean(g, ~ignored & draw_signals(g), (uint64_t)1 << (SIGCHLD - 1));
}
