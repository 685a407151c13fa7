/* Lab 03: processes as /proc shows them outside, and signals to them. */
#include "graders/03-pid.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "kernel/inside.h"
#include "kernel/namespace.h"
#include "kernel/own.h"
#include "kernel/stat.h"
#include "kernel/status.h"

/* A process's state; 'Z' also when it is gone already. */
char pid_state_of(pid_t pid)
{
    struct kernel_stat stat;

    return kernel_stat_read(pid, &stat) == 0 ? stat.state : 'Z';
}

struct kernel_status pid_status_of(struct grade *g, pid_t pid)
{
    struct kernel_status status;
    int result = kernel_status_read(pid, &status);

    if (result == -ESRCH)
        fail(g, .because = "payload-gone", .expected = say(g, "process %d still runs", pid),
             .kernel = say(g, "/proc/%d is gone", pid), .see = "make trace03");
    if (result < 0)
        grade_error(g, result, "cannot read /proc/%d/status", pid);
    kernel_status_free(&status); /* its lists; the numbers stay */
    return status;
}

struct kernel_ns_id pid_namespace_of(struct grade *g, pid_t pid, const char *kind)
{
    struct kernel_ns_id id;
    int result = kernel_ns(pid, kind, &id);

    if (result < 0)
        grade_error(g, result, "cannot look at /proc/%d/ns/%s", pid, kind);
    return id;
}

bool pid_same_namespace(struct grade *g, pid_t a, pid_t b, const char *kind)
{
    return kernel_ns_equal(pid_namespace_of(g, a, kind), pid_namespace_of(g, b, kind));
}

/* The numbers that a process has from the room inwards, as NSpid shows them there: "41 2 1". */
const char *pid_numbers_of(struct run *run, pid_t pid)
{
    struct grade *g = run_grade(run);
    size_t from = pid_status_of(g, run_outside_pid(run)).nspid.count - 1;
    struct kernel_status status = pid_status_of(g, pid);
    const char *text = "";

    for (size_t i = from; i < status.nspid.count; i++)
        text = say(g, "%s%s%d", text, i > from ? " " : "", status.nspid.pid[i]);
    return text;
}

/* Its last number, when it is `levels` PID namespaces further in than the room; else 0. */
pid_t pid_number_at(struct run *run, pid_t pid, size_t levels)
{
    struct grade *g = run_grade(run);
    size_t outside = pid_status_of(g, run_outside_pid(run)).nspid.count;
    struct kernel_status status = pid_status_of(g, pid);

    return status.nspid.count == outside + levels ? status.nspid.pid[outside + levels - 1] : 0;
}

struct signals {
    pid_t pid;
    uint64_t mask; /* bit n-1 for signal n */
};

/* Runs as a member of the room's user namespace, where we may signal everybody. */
static int send_all(void *arg, int out)
{
    const struct signals *signals = arg;

    (void)out;
    for (int number = 1; number < NSIG; number++)
        if ((signals->mask >> (number - 1) & 1) != 0 && kill(signals->pid, number) < 0)
            return -errno;
    return 0;
}

uint64_t pid_bit(int number)
{
    return (uint64_t)1 << (number - 1);
}

void pid_send_signals(struct run *run, pid_t pid, uint64_t mask)
{
    struct signals signals = {pid, mask};
    autofree char *text = NULL;
    size_t length;
    int result = kernel_inside(run_outside_pidfd(run), run_outside_pid(run), CLONE_NEWUSER,
                               send_all, &signals, &text, &length);

    if (result < 0 && result != -ESRCH)
        grade_error(run_grade(run), result, "cannot send a signal to process %d", pid);
}

void pid_send_signal(struct run *run, pid_t pid, int number)
{
    pid_send_signals(run, pid, pid_bit(number));
}

const char *pid_signal_name(struct grade *g, int number)
{
    const char *name = sigabbrev_np(number);

    return name != NULL ? say(g, "SIG%s", name) : say(g, "signal %d", number);
}

bool pid_is_in_state(void *arg)
{
    const struct in_state *wanted = arg;

    return pid_state_of(wanted->pid) == wanted->state;
}

void pid_await_state(struct run *run, pid_t pid, char state)
{
    if (!run_until(run, pid_is_in_state, &(struct in_state){pid, state}))
        grade_error(run_grade(run), 0, "process %d does not reach state %c", pid, state);
}
