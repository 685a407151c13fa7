/*
 * The system calls of a run: what the lab program and every process that it starts asked of the
 * kernel, in order. A child of the harness follows them by ptrace(2), as strace(1) does.
 *
 * A process is let go at its exec, before the new program's first instruction: COMMAND is not
 * traced (payload.c would not have it), and may be asked things as ever. Who is traced can find
 * out, and a process made with CLONE_UNTRACED is not followed: grade what was seen in the trace,
 * not what was missing in it, and look at the kernel's facts in a run without one as well.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "grade/run.h"

enum { TRACE_PATH = 128 };

struct trace_call {
    pid_t pid;     /* as we number it; of a thread, its own number                                */
    bool done;     /* false: it did not return (exit_group, a signal that ended it)               */
    uint32_t arch; /* AUDIT_ARCH_*: linux/audit.h                                           */
    uint64_t number; /* SYS_*                                                                 */
    uint64_t args[6];
    int64_t result; /* when done: what it returned, or -errno                                 */
    char paths[2][TRACE_PATH]; /* of calls that name files (open*, rename*, link*, unlink*, mkdir*,
                                * execve) or attributes (*xattr*; the last one is that name): those
                                * names, as they were written; else ""                         */
};

struct trace;

/* run_start(), traced from before the lab program's first instruction. (Not with options->program,
 * and fd 9 of the program is taken.) */
struct run *trace_start(struct grade *g, const struct run_options *options, struct trace **trace);

/* Called at the beginning (`entry`) and at the end of each call, while its caller is held still;
 * the others run on. It may look at whom it likes (kernel_inside() too), take its time, and end the
 * caller by SIGKILL. It runs in the child that traces: what it finds out it leaves in memory that
 * is shared (trace_shared()), and a step cannot be ended from there: no expect(), fail() or
 * grade_error(). */
struct trace_look {
    void (*look)(void *arg, const struct trace_call *call, bool entry);
    void *arg;
};
struct run *trace_start_looking(struct grade *g, const struct run_options *options,
                                const struct trace_look *look, struct trace **trace);

/* `size` bytes, all zero, that a look writes and the step reads. They go with the step, after the
 * tracer. mmap(2), MAP_SHARED */
void *trace_shared(struct grade *g, size_t size);

/* For a look at the end of a call: its caller gets `result` in place of the kernel's. 0 or -errno
 * (-ENOSYS: nobody has written how a processor of this kind is told). ptrace(2) */
int trace_answer(const struct trace_call *call, int64_t result);

/* Up to `size` bytes of the caller's memory, to a NUL byte or as far as it can be read. The text
 * ends with a NUL byte. Only for a look, whose caller is held still. */
void trace_text(const struct trace_call *call, uint64_t address, char *text, size_t size);

/* Waits until the probe runs as COMMAND, and ends the trace: the lab program goes on without it. In
 * a run without the probe it waits until all has ended. The step fails after RUN_SECONDS. */
void trace_finish(struct trace *trace);

/* The calls, in the order in which they were made. Only after trace_finish. */
size_t trace_count(const struct trace *trace);
const struct trace_call *trace_at(const struct trace *trace, size_t index);

/* The first call of this number (of the native architecture) that `pid` (0: anybody) made, from
 * `from` on; trace_count() when there is none. */
size_t trace_find(const struct trace *trace, size_t from, pid_t pid, long number);
