/* Lab 03: the init of a container, found from outside. */
#include "graders/03-pid.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "grade/facts.h"
#include "kernel/inside.h"
#include "kernel/own.h"

static struct run *run_option(struct grade *g, const char *option)
{
    const char *const arguments[] = {option, NULL};

    return run_start(g, &(struct run_options){.arguments = arguments});
}

/* Runs as a member of the user namespace: which file a process executes. */
static int look_at_program(void *arg, int out)
{
    const pid_t *pid = arg;
    char path[64];
    struct stat st;

    snprintf(path, sizeof path, "/proc/%d/exe", *pid);
    if (stat(path, &st) < 0)
        return -errno;
    uint64_t identity[2] = {st.st_dev, st.st_ino};
    return kernel_write_all(out, identity, sizeof identity);
}

static bool same_program(struct run *run, pid_t a, pid_t b)
{
    autofree char *first = NULL, *second = NULL;
    size_t length;
    int fd = run_outside_pidfd(run);
    pid_t pid = run_outside_pid(run);

    return kernel_inside(fd, pid, CLONE_NEWUSER, look_at_program, &a, &first, &length) == 0 &&
           kernel_inside(fd, pid, CLONE_NEWUSER, look_at_program, &b, &second, &length) == 0 &&
           memcmp(first, second, length) == 0;
}

/* The init of a run with --init: PID 1, and the student's program still; `command` is its child. */
struct init pid_find_init(struct run *run, pid_t command)
{
    struct grade *g = run_grade(run);
    struct init init = {.pid = pid_status_of(g, command).ppid};
    const char *see = "lab03 --init sh -c 'echo $$ $PPID'";

    expect(g, pid_number_at(run, command, 1) != 1, .because = "no-init",
           .expected = "with --init, COMMAND is PID 2 and your init is PID 1",
           .kernel = say(g, "NSpid of /proc/%d/status: %s: COMMAND is PID 1 itself", command,
                         pid_numbers_of(run, command)),
           .see = see);
    expect(g,
           init.pid != 0 && init.pid != run_program_pid(run) &&
               pid_number_at(run, init.pid, 1) == 1,
           .because = "init-not-1", .expected = "the parent of COMMAND is PID 1 of a new namespace",
           .kernel = say(g, "the parent of COMMAND, NSpid: %s, is process %d, NSpid: %s",
                         pid_numbers_of(run, command), init.pid,
                         init.pid != 0 ? pid_numbers_of(run, init.pid) : "none"),
           .see = see);
    expect(g, same_program(run, init.pid, run_program_pid(run)), .because = "init-foreign",
           .expected = "init is your program: it goes on, it does not execute another",
           .kernel = say(g, "/proc/%d/exe is another file than that of the program", init.pid),
           .see = "ls -l /proc/PID/exe");
    expect(g, pid_same_namespace(g, init.pid, run_outside_pid(run), "user"), .because = "init-user",
           .expected = "init is in the user namespace of outside",
           .kernel =
               say(g, "/proc/%d/ns/user -> %s", init.pid, facts_namespace(g, init.pid, "user")),
           .see = "lab03 --init readlink /proc/self/ns/user");
    init.pidfd = (int)syscall(SYS_pidfd_open, init.pid, 0);
    if (init.pidfd < 0)
        grade_error(g, -errno, "cannot hold the init, process %d", init.pid);
    facts_close_later(g, init.pidfd);
    return init;
}

struct run *pid_start_init(struct grade *g, struct init *init)
{
    struct run *run = run_option(g, "--init");

    *init = pid_find_init(run, run_payload(run)->pid);
    return run;
}
