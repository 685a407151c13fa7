#include "grade/stuck.h"

#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/file.h"
#include "kernel/own.h"
#include "kernel/stat.h"
#include "kernel/tree.h"

/* /proc/PID/syscall: "NR ARG1 …", "running", or "-1 …" outside of a call. proc(5) */
static const char *describe_one(struct grade *g, pid_t pid)
{
    autofree char *text = NULL;
    struct kernel_stat stat;
    size_t length;
    unsigned long argument = 0;
    int number = -1;

    if (kernel_stat_read(pid, &stat) < 0)
        return say(g, "process %d has gone", pid);
    const char *name = say(g, "%s (pid %d)", stat.comm, pid);
    if (stat.state == 'Z')
        return say(g, "%s is a zombie: nobody waited for it", name);
    if (stat.state == 'T')
        return say(g, "%s is stopped", name);
    if (kernel_read_pid(pid, "syscall", &text, &length) < 0)
        return say(g, "%s is in state %c", name, stat.state);
    if (sscanf(text, "%d %lx", &number, &argument) < 1 || number < 0)
        return say(g, "%s is computing", name);
    char *call = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);
    const char *result = say(g, "%s waits in %s(%ld, ...)", name, call != NULL ? call : "a call",
                             (long)argument);
    free(call);
    return result;
}

const char *stuck_describe(struct grade *g, pid_t pid)
{
    struct kernel_pids children = {0};
    const char *text = describe_one(g, pid);

    if (kernel_descendants(pid, &children) == 0)
        for (size_t i = 0; i < children.count && i < 3; i++)
            text = say(g, "%s; %s", text, describe_one(g, children.list[i]));
    kernel_pids_free(&children);
    return text;
}
