/* What the tests of this room share: fixtures, and children that hold still. */
#ifndef TESTS_KERNEL_SUPPORT_H
#define TESTS_KERNEL_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/file.h"
#include "kernel/own.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#ifndef FIXTURES
#define FIXTURES "harness/tests/kernel/fixtures"
#endif

/* A fixture's bytes. The caller frees. */
static inline char *fixture(const char *name, size_t *len)
{
    autofree char *path = NULL;
    char *text;

    assert_true(asprintf(&path, "%s/%s", FIXTURES, name) > 0);
    assert_int_equal(kernel_read_at(AT_FDCWD, path, &text, len), 0);
    return text;
}

/* A copy of exactly this length, so that AddressSanitizer sees a read of one byte more. */
static inline char *exact(const char *text, size_t len)
{
    char *copy = malloc(len ? len : 1);

    assert_non_null(copy);
    memcpy(copy, text, len);
    return copy;
}

struct child {
    pid_t pid;
    int pidfd;
};

/* Starts a child that runs prepare(arg) and then holds still. Returns when it does; its pid is 0 if
 * prepare did not return 0 (the machine does not allow it). It dies with us. */
static inline struct child child_start(int (*prepare)(void *arg), void *arg)
{
    struct child child = {.pidfd = -1};
    int ready[2];
    char byte;

    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    child.pid = fork();
    assert_true(child.pid >= 0);
    if (child.pid == 0) {
        close(ready[0]);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (prepare && prepare(arg) != 0)
            _exit(1);
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a change of credentials has cleared it */
        if (write(ready[1], "", 1) != 1)
            _exit(1);
        close(ready[1]);
        for (;;)
            pause();
    }
    close(ready[1]);
    child.pidfd = pidfd_open(child.pid, 0);
    assert_true(child.pidfd >= 0);
    if (read(ready[0], &byte, 1) != 1) {
        waitpid(child.pid, NULL, 0);
        close(child.pidfd);
        child.pid = 0;
    }
    close(ready[0]);
    return child;
}

static inline void child_end(struct child *child)
{
    if (child->pid > 0) {
        kill(child->pid, SIGKILL);
        waitpid(child->pid, NULL, 0);
        close(child->pidfd);
    }
    child->pid = 0;
}

#endif
