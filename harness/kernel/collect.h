/* The two sides of kernel_inside(), for each other only: the child (join.c) and the parent's wait
 * for it (collect.c). */
#ifndef KERNEL_COLLECT_H
#define KERNEL_COLLECT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What the child is told. It gets a copy by fork. */
struct kernel_task {
    int pidfd;
    pid_t pid;
    unsigned namespaces;
    int keep; /* one more fd that it may keep, or -1 */
    int (*fn)(void *arg, int out_fd);
    void *arg;
    int out;          /* write end: the text goes here */
    int result;       /* write end: one int, 0 or -errno */
    int milliseconds; /* a span, no point in time: clocks jump when a time namespace is joined */
};

/* Does all that in a child just forked. `parent` is a pidfd of the process that forked it. */
__attribute__((noreturn)) void kernel_task_run(const struct kernel_task *task, int parent);

struct kernel_collect {
    pid_t child;
    int out;          /* read end: the text */
    int result;       /* read end: one int, 0 or -errno; its end of file is the child's end */
    int64_t deadline; /* on kernel_ms_now()'s clock: from here on a silent end is -ETIMEDOUT */
    int64_t last;     /* the same clock: when the child is killed */
};

/* Milliseconds on the monotonic clock. */
int64_t kernel_ms_now(void);

/* How many are left until a deadline on it; 0 when it has passed. */
int kernel_ms_left(int64_t deadline);

/* Reads both pipes to their ends, kills a child that takes too long, and reaps it in any case.
 * Returns as kernel_inside() does. */
int kernel_collect(const struct kernel_collect *collect, char **text, size_t *len);

#endif
