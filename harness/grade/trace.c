#include "grade/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "grade/run_private.h"
#include "grade/trace_follow.h"
#include "grade/world.h"
#include "kernel/own.h"

enum { GO = 9, ARGUMENTS_MAX = 96 };

struct trace {
    struct grade *g;
    struct run *run;
    struct trace_memory *memory;
    pid_t follower; /* 0: has ended, or never began */
    int status;
};

static void end_follower(struct trace *trace)
{
    if (trace->follower <= 0)
        return;
    kill(trace->follower, SIGKILL); /* the kernel lets go of whom it followed */
    while (waitpid(trace->follower, &trace->status, 0) < 0 && errno == EINTR)
        ;
    trace->follower = 0;
}

static void trace_end(void *arg)
{
    struct trace *trace = arg;

    end_follower(trace);
    free(trace);
}

struct shared {
    size_t size; /* of all of it */
    max_align_t bytes[];
};

static void unmap(void *shared)
{
    munmap(shared, ((struct shared *)shared)->size);
}

void *trace_shared(struct grade *g, size_t size)
{
    size_t all = sizeof(struct shared) + size;
    struct shared *shared =
        mmap(NULL, all, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (shared == MAP_FAILED)
        grade_error(g, -errno, "no memory to share with a tracer");
    shared->size = all;
    grade_defer(g, unmap, shared);
    return shared->bytes;
}

static struct trace *make(struct grade *g)
{
    struct trace_memory *memory = trace_shared(g, sizeof *memory); /* outlives the follower */
    struct trace *trace = calloc(1, sizeof *trace);

    if (trace == NULL)
        grade_error(g, -ENOMEM, "no memory for a trace");
    trace->g = g;
    trace->memory = memory;
    grade_defer(g, trace_end, trace);
    return trace;
}

/* The program, held back by a shell until somebody follows it: `go` is the end that it reads. */
static struct run *start_held(struct grade *g, const struct run_options *options, int go)
{
    static const char script[] = "read -r line <&9; exec 9<&-; exec \"$@\"";
    const char *arguments[ARGUMENTS_MAX] = {"sh", "-c", script, "sh", world_program(g)};
    struct room_fd fds[ROOM_FDS_MAX];
    struct run_options held = *options;
    size_t count = 5;

    for (const char *const *a = options->arguments;
         a != NULL && *a != NULL && count < ARGUMENTS_MAX - 1; a++)
        arguments[count++] = *a;
    for (size_t i = 0; i < options->fd_count && i < ROOM_FDS_MAX - 1; i++)
        fds[i] = options->fds[i];
    fds[options->fd_count] = (struct room_fd){go, GO};
    held.program = "/strata/busybox";
    held.arguments = arguments;
    held.fds = fds;
    held.fd_count = options->fd_count + 1;
    return run_start(g, &held);
}

struct run *trace_start_looking(struct grade *g, const struct run_options *options,
                                const struct trace_look *look, struct trace **trace)
{
    struct trace *made = make(g);
    int go[2], ready[2];
    char byte;

    if (pipe2(go, O_CLOEXEC) < 0)
        grade_error(g, -errno, "no pipe for a trace");
    autoclose int go_in = go[0];
    autoclose int go_out = go[1];
    made->run = start_held(g, options, go_in);
    if (pipe2(ready, O_CLOEXEC) < 0)
        grade_error(g, -errno, "no pipe for a trace");
    made->follower = fork();
    if (made->follower == 0) {
        close(go_out);
        close(ready[0]);
        trace_follow(run_program_pid(made->run), made->memory, look, ready[1]);
    }
    close(ready[1]);
    ssize_t got = made->follower < 0 ? -1 : read(ready[0], &byte, 1);
    close(ready[0]);
    if (got != 1)
        grade_error(g, 0, "the lab program cannot be traced");
    if (write(go_out, "\n", 1) != 1)
        grade_error(g, -errno, "the lab program does not start");
    *trace = made;
    return made->run;
}

struct run *trace_start(struct grade *g, const struct run_options *options, struct trace **trace)
{
    return trace_start_looking(g, options, NULL, trace);
}

static bool is_over(void *arg)
{
    struct trace *trace = arg;

    if (trace->follower > 0 && waitpid(trace->follower, &trace->status, WNOHANG) > 0)
        trace->follower = 0;
    return trace->follower == 0;
}

void trace_finish(struct trace *trace)
{
    struct grade *g = trace->g;

    if (!trace->run->no_payload)
        run_payload(trace->run);
    bool over = !trace->run->no_payload || run_until(trace->run, is_over, trace);
    end_follower(trace);
    if (!over)
        fail(g, .because = "stuck", .expected = "your program ends",
             .kernel = say(g, "nothing for %d seconds", RUN_SECONDS),
             .see = say(g, "make trace%.2s", grade_lab(g)));
    if (atomic_load(&trace->memory->full))
        fail(g, .because = "too-many-calls", .expected = "your program starts COMMAND",
             .kernel = say(g, "more than %d system calls, and no COMMAND", TRACE_CALLS),
             .see = say(g, "make trace%.2s", grade_lab(g)));
}

size_t trace_count(const struct trace *trace)
{
    return atomic_load(&trace->memory->count);
}

const struct trace_call *trace_at(const struct trace *trace, size_t index)
{
    return &trace->memory->calls[index];
}

size_t trace_find(const struct trace *trace, size_t from, pid_t pid, long number)
{
    size_t count = trace_count(trace);

    for (size_t i = from; i < count; i++) {
        const struct trace_call *call = trace_at(trace, i);
        if (call->number == (uint64_t)number && call->arch == trace->memory->native &&
            (pid == 0 || call->pid == pid))
            return i;
    }
    return count;
}
