/* Lab 03: waiting for what an init should do, and knowing when it will not. */
#include "graders/03-pid.h"

#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "kernel/file.h"
#include "kernel/inside.h"
#include "kernel/own.h"
#include "kernel/stat.h"
#include "kernel/tree.h"

enum { ASLEEP_MS = 250, ASLEEP_LOOKS = 10 };

static bool settled(void *arg)
{
    struct settling *settling = arg;
    bool asleep = strchr("SZ", pid_state_of(settling->init)) != NULL &&
                  strchr("SZ", pid_state_of(settling->command)) != NULL;

    settling->held = settling->holds(settling);
    if (settling->held)
        return true;
    if (!asleep) {
        settling->asleep_from = 0;
        return false;
    }
    if (settling->asleep_from == 0) {
        settling->asleep_from = run_now_ms();
        settling->looks = 0;
    }
    return ++settling->looks >= ASLEEP_LOOKS && run_now_ms() - settling->asleep_from >= ASLEEP_MS;
}

/* Waits until it holds. False as soon as init (and COMMAND) sleep on without that, or when it takes
 * too long. */
bool pid_settle(struct settling *settling)
{
    settling->asleep_from = 0;
    run_until(settling->run, settled, settling);
    return settling->held;
}

size_t pid_count_children(pid_t pid, size_t *zombies)
{
    struct kernel_pids children = {0};
    size_t count = 0;

    *zombies = 0;
    if (kernel_children(pid, &children) == 0)
        for (size_t i = 0; i < children.count; i++)
            *zombies += pid_state_of(children.list[i]) == 'Z';
    count = children.count;
    kernel_pids_free(&children);
    return count;
}

bool pid_children_are(struct settling *settling)
{
    size_t zombies;

    return pid_count_children(settling->init, &zombies) == settling->children ||
           run_ended(settling->run);
}

bool pid_has_ended(struct settling *settling)
{
    return run_ended(settling->run);
}

/* All have ended: zombies now, or reaped by init or by the kernel for it. */
bool pid_alive_are(void *arg)
{
    const struct settling *settling = arg;
    size_t zombies, count = pid_count_children(settling->init, &zombies);

    return count - zombies <= settling->children || run_ended(settling->run);
}

/* Is init on its way out? The kernel marks it before it kills the others: PF_EXITING. */
bool pid_is_leaving(pid_t pid)
{
    struct kernel_stat stat;

    return kernel_stat_read(pid, &stat) < 0 || stat.state == 'Z' || (stat.flags & 4) != 0;
}

struct idling {
    pid_t pid;
    int64_t from; /* when it was first seen asleep; 0: it was not */
};

/* Asleep at every look for a while (or gone): it has done what there was to do. */
static bool is_idle(void *arg)
{
    struct idling *idling = arg;

    if (pid_is_leaving(idling->pid))
        return true;
    if (pid_state_of(idling->pid) != 'S')
        idling->from = 0;
    else if (idling->from == 0)
        idling->from = run_now_ms();
    return idling->from != 0 && run_now_ms() - idling->from >= 15;
}

bool pid_await_idle(struct run *run, pid_t pid)
{
    return run_until(run, is_idle, &(struct idling){.pid = pid});
}

/* Runs as a member of the user namespace: the number of the system call that a process waits in. */
static int look_at_call(void *arg, int out)
{
    const pid_t *pid = arg;
    autofree char *text = NULL;
    size_t length;
    int result = kernel_read_pid(*pid, "syscall", &text, &length);

    return result < 0 ? result : kernel_write_all(out, text, length);
}

const char *pid_call_of(struct run *run, pid_t pid)
{
    struct grade *g = run_grade(run);
    autofree char *text = NULL;
    size_t length;
    int number;

    if (kernel_inside(run_outside_pidfd(run), run_outside_pid(run), CLONE_NEWUSER, look_at_call,
                      &pid, &text, &length) < 0 ||
        sscanf(text, "%d", &number) != 1)
        return say(g, "state %c", pid_state_of(pid));
    autofree char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);
    return say(g, "%s", name != NULL ? name : "a system call");
}
