/* The child of the harness that follows a process tree. Graders see trace.h only. */
#pragma once

#include <stdatomic.h>

#include "grade/trace.h"

enum { TRACE_CALLS = 16 * 1024 };

/* Memory that both share. The child writes; the harness reads what lies below `count`. */
struct trace_memory {
    atomic_size_t count;
    atomic_bool full; /* more than TRACE_CALLS: it has let go of everybody  */
    uint32_t native;  /* the architecture of the program that we began with */
    struct trace_call calls[TRACE_CALLS];
};

/* Follows `pid` and all that comes of it from its next exec on, until there is nobody left. Writes
 * a byte into `ready` once it follows. Never returns. When the caller ends before, so does it, and
 * whom it followed goes on. `look` may be NULL. */
_Noreturn void trace_follow(pid_t pid, struct trace_memory *memory, const struct trace_look *look,
                            int ready);
