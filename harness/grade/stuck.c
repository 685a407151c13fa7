#include "grade/stuck.h"

#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/file.h"
#include "kernel/inside.h"
#include "kernel/own.h"
#include "kernel/stat.h"
#include "kernel/tree.h"

/* PID 1 of the room that a process is in. */
struct room_seat {
    int pidfd;
    pid_t pid;
};

/* /proc/PID/syscall: "NR ARG1 …", "running", or "-1 …" outside of a call. proc(5) */
static int read_call(pid_t pid, const struct room_seat *room, char **text)
{
    char path[64];
    size_t length;

    if (kernel_read_pid(pid, "syscall", text, &length) == 0)
        return 0;
    snprintf(path, sizeof path, "/proc/%d/syscall", pid);
    return kernel_inside_read(room->pidfd, room->pid, CLONE_NEWUSER, path, text, &length);
}

static const char *describe_one(struct grade *g, pid_t pid, const struct room_seat *room)
{
    autofree char *text = NULL;
    struct kernel_stat stat;
    unsigned long argument = 0;
    int number = -1;

    if (kernel_stat_read(pid, &stat) < 0)
        return say(g, "process %d has gone", pid);
    const char *name = say(g, "%s (pid %d)", stat.comm, pid);
    if (stat.state == 'Z')
        return say(g, "%s is a zombie: nobody waited for it", name);
    if (stat.state == 'T')
        return say(g, "%s is stopped", name);
    if (read_call(pid, room, &text) < 0)
        return say(g, "%s is in state %c", name, stat.state);
    if (sscanf(text, "%d %lx", &number, &argument) < 1 || number < 0)
        return say(g, "%s is computing", name);
    char *call = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);
    bool bare =
        call != NULL && strcmp(call, "pause") == 0; /* no argument: the number is a left-over */
    const char *result = bare ? say(g, "%s waits in pause()", name)
                              : say(g, "%s waits in %s(%ld, ...)", name,
                                    call != NULL ? call : "a call", (long)argument);
    free(call);
    return result;
}

/* All that the program started, orphans too: whatever is below PID 1 of the room. */
static const char *describe_others(struct grade *g, pid_t pid, const struct room_seat *room,
                                   const char *text)
{
    enum { SHOWN = 3 };
    struct kernel_pids all = {0};
    size_t shown = 0;

    if (kernel_descendants(room->pid, &all) < 0)
        return text;
    if (all.count > SHOWN + 1)
        text = say(g, "%zu processes: %s", all.count, text);
    for (size_t i = 0; i < all.count && shown < SHOWN; i++) {
        if (all.list[i] == pid)
            continue;
        text = say(g, "%s; %s", text, describe_one(g, all.list[i], room));
        shown++;
    }
    kernel_pids_free(&all);
    return text;
}

const char *stuck_describe(struct grade *g, pid_t pid, int room_pidfd, pid_t room)
{
    const struct room_seat seat = {room_pidfd, room};

    return describe_others(g, pid, &seat, describe_one(g, pid, &seat));
}
