/* What the tests of process_start share: a page that parent and child both see, and a start whose
 * leftovers are counted. */
#ifndef TESTS_LABS_START_H
#define TESTS_LABS_START_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "01-process/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Written by hooks and by what the child becomes, read by the test. */
struct page {
    char order[64]; /* a letter for each hook that ran, in order */
    pid_t pids[4];
    uid_t uid;
    gid_t gid;
    ino_t inodes[3];
    char text[1024];
};

static struct page *page;

static inline int page_make(void **state)
{
    (void)state;
    page = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED ? -1 : 0;
}

static inline int page_drop(void **state)
{
    (void)state;
    return munmap(page, sizeof *page);
}

static inline int open_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int count = 0;

    assert_non_null(dir);
    while (readdir(dir) != NULL)
        count++;
    closedir(dir);
    return count;
}

/* No child of ours is left, dead or alive, and as many fds as before. */
static inline void assert_nothing_left(int fds_before)
{
    assert_int_equal(waitpid(-1, NULL, WNOHANG | __WALL), -1);
    assert_int_equal(errno, ECHILD);
    assert_int_equal(open_fds(), fds_before);
}

static char *const no_environment[] = {NULL};
static char *const run_true[] = {(char *)(uintptr_t) "/bin/true", NULL};

/* A start of /bin/true without anything special. */
static inline struct process_spec plain_spec(void)
{
    return (struct process_spec){
        .cgroup = -1, .argv = run_true, .envp = no_environment, .stdio = {-1, -1, -1}};
}

/* Starts, waits, closes; the exit status of what ran. Nothing may be left. */
static inline int start_and_wait(const struct process_spec *spec)
{
    struct process process;
    struct process_failure failure;
    int before = open_fds(), status = -1;

    assert_int_equal(process_start(spec, &process, &failure), 0);
    assert_true(process.pid > 0 && process.pidfd >= 0);
    assert_int_equal(process_wait(&process, &status), 0);
    close(process.pidfd);
    assert_nothing_left(before);
    return status;
}

/* A start that must fail at `stage`, in `hook`, with `error`; nothing may be left. */
static inline void start_fails(const struct process_spec *spec, enum process_stage stage,
                               const char *hook, int error)
{
    struct process process;
    struct process_failure failure;
    int before = open_fds();

    assert_int_equal(process_start(spec, &process, &failure), error);
    assert_int_equal(failure.stage, stage);
    assert_string_equal(failure.hook, hook);
    assert_nothing_left(before);
    assert_int_equal(process_start(spec, &process, NULL), error);
    assert_nothing_left(before);
}

/* A hook that leaves its letter on the page. */
static inline int note(const struct process *process, void *letter)
{
    (void)process;
    strncat(page->order, letter, 1);
    return 0;
}

#endif
