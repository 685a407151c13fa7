/* Lab 01: start a program, wait for it, describe it. The contract is process.h. */
#include "01-process/process.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a child that could not start tells its parent, through a pipe that exec closes. */
struct report {
    int error; /* -errno */
    struct process_failure failure;
};

/* The two pipes of a start: the child reads from `go`, the parent from `report`. */
struct pipes {
    int go[2];
    int report[2];
};

/* True when a system call was cut short by a signal handler and has to be made again. */
static bool interrupted(ssize_t result)
{
    /* TODO(step 3): a signal handler that runs while we wait ends the system call with an error of
     *               its own. Which one? See signal(7), "Interruption of system calls".
     */
    (void)result;
    return false;
}

/* --- the child ------------------------------------------------------------------------------ */

/* Calls hooks in order. Returns 0, or the first negative result, with the hook's name noted. */
static int run_hooks(const struct process_hook *hook, const struct process *process,
                     struct process_failure *failure)
{
    for (; hook != NULL && hook->run != NULL; hook++) {
        int result = hook->run(process, hook->arg);
        if (result < 0) {
            snprintf(failure->hook, sizeof failure->hook, "%s", hook->name);
            return result;
        }
    }
    return 0;
}

/* Makes stdio[i] the fd i. First away from 0..2, since one may stand where another must go. */
static int place_stdio(const int stdio[3])
{
    int high[3];
    for (int i = 0; i < 3; i++) {
        high[i] = stdio[i] < 0 ? -1 : fcntl(stdio[i], F_DUPFD_CLOEXEC, 3);
        if (stdio[i] >= 0 && high[i] < 0)
            return -errno;
    }
    for (int i = 0; i < 3; i++)
        if (high[i] >= 0 && dup2(high[i], i) < 0)
            return -errno;
    return 0;
}

/* Forgets what the caller's signals and fds would otherwise leak into COMMAND. */
static int clean_start(void)
{
    /* TODO(step 4): an ignored signal stays ignored across exec, a blocked one stays blocked, and
     *               an open fd stays open: execve(2), "Effect on process attributes". Put every
     *               signal back to its default action, block none, and mark every fd from 3 upwards
     *               close-on-exec with one close_range(2). (And the environment: see execute.)
     */
    return 0;
}

/* The environment COMMAND gets: what the caller of process_start asked for. */
static char *const *environment(const struct process_spec *spec)
{
    /* TODO(step 4): `environ` is ours, with whatever secrets our own user has in it. */
    (void)spec;
    return environ;
}

/* The value of PATH in an environment, or what the shell takes when there is none. */
static const char *search_path(char *const *envp)
{
    for (; *envp != NULL; envp++)
        if (strncmp(*envp, "PATH=", 5) == 0)
            return *envp + 5;
    return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
}

/* Executes COMMAND, looked for as a shell would. Returns only on failure: -EACCES when something
 * of that name was found and none could be executed, else the last error. */
static int execute(char *const *argv, char *const *envp)
{
    int result = -ENOENT;

    if (strchr(argv[0], '/') != NULL) {
        execve(argv[0], argv, envp);
        return -errno;
    }
    for (const char *dir = search_path(envp), *end; *argv[0] != '\0' && dir != NULL; dir = end) {
        char path[PATH_MAX];
        size_t length = strcspn(dir, ":");
        end = dir[length] == ':' ? dir + length + 1 : NULL;
        int wrote = snprintf(path, sizeof path, "%.*s%s%s", (int)length, dir, length > 0 ? "/" : "",
                             argv[0]);
        if (wrote < 0 || (size_t)wrote >= sizeof path)
            continue;
        execve(path, argv, envp);
        if (errno != ENOENT && errno != ENOTDIR && result != -EACCES)
            result = -errno;
    }
    return result;
}

/* Tells the parent why the start failed. One write of a small struct into a pipe is atomic. */
static void send_report(int fd, const struct report *report)
{
    /* TODO(step 2): write the report into the pipe. When exec succeeds the pipe closes by itself
     *               (it is close-on-exec) and the parent reads end of file: that is the good news.
     */
    (void)fd;
    (void)report;
}

/* The child's whole life before it becomes COMMAND. */
static _Noreturn void child(const struct process_spec *spec, struct pipes *pipes)
{
    struct report report = {.failure.stage = PROCESS_CHILD_HOOK};
    struct process self = {.pid = getpid(), .pidfd = -1};
    char go;
    ssize_t got;

    /* Our copies of the parent's ends: with them open, end of file would never come. */
    close(pipes->go[1]);
    close(pipes->report[0]);

    while (interrupted(got = read(pipes->go[0], &go, 1)))
        ;
    if (got != 1) /* the parent died, or one of its hooks failed */
        _exit(125);
    close(pipes->go[0]);

    report.error = run_hooks(spec->child_hooks, &self, &report.failure);
    if (report.error == 0)
        report.error = place_stdio(spec->stdio);
    if (report.error == 0)
        report.error = clean_start();
    if (report.error == 0) {
        report.failure.stage = PROCESS_EXEC;
        report.error = spec->main != NULL ? spec->main(spec->main_arg)
                                          : execute(spec->argv, environment(spec));
    }
    send_report(pipes->report[1], &report);
    /* _exit, not exit: stdio's buffers are copies of the parent's, which flushes its own */
    _exit(process_failure_status(report.failure.stage, report.error));
}

/* --- the parent ----------------------------------------------------------------------------- */

/* A new process in new namespaces; like fork(2) it returns twice: 0 in the child. */
static pid_t clone_process(const struct process_spec *spec, int *pidfd)
{
    /* TODO(step 1): fill a struct clone_args: the flags are CLONE_PIDFD and the namespaces of
     *               spec; the signal that tells us of its end is SIGCHLD; with a control group
     *               (spec->cgroup >= 0) also CLONE_INTO_CGROUP. Then syscall(SYS_clone3, …): libc
     *               has no function for it. Where it is ENOSYS, SYS_clone takes the same flags,
     *               the signal among them, and where to put the pidfd third. See clone(2).
     */
    (void)spec;
    (void)pidfd;
    return STRATA_TODO;
}

/* Waits until COMMAND runs (0) or the child has told why it does not (-errno). */
static int await_exec(int fd, struct process_failure *failure)
{
    /* TODO(step 2): read one struct report from the pipe. End of file: COMMAND runs. A whole
     *               report: pass on where and why. Without this, "no such command" is a child
     *               that ended with 127 like any command might.
     */
    (void)fd;
    (void)failure;
    return 0;
}

/* Waits for the process behind `pidfd` to end, and reaps it. */
static int reap(int pidfd, siginfo_t *info)
{
    /* TODO(step 1): waitid(2) with P_PIDFD and WEXITED. */
    (void)pidfd;
    (void)info;
    return STRATA_TODO;
}

/* A pipe whose ends are not 0, 1 or 2, even when the caller has closed one of those: the child is
 * about to put other things there. Returns 0 or -errno; ends[] is -1 or open. */
static int make_pipe(int ends[2])
{
    int low[2];

    if (pipe2(low, O_CLOEXEC) < 0)
        return -errno;
    for (int i = 0; i < 2; i++)
        ends[i] = fcntl(low[i], F_DUPFD_CLOEXEC, 3);
    int result = ends[0] < 0 || ends[1] < 0 ? -errno : 0;
    close(low[0]);
    close(low[1]);
    return result;
}

static void close_end(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

int process_start(const struct process_spec *spec, struct process *process,
                  struct process_failure *failure)
{
    struct pipes pipes = {.go = {-1, -1}, .report = {-1, -1}};
    struct process_failure ignored;
    siginfo_t info = {0};
    int result;

    if (failure == NULL)
        failure = &ignored;
    *failure = (struct process_failure){.stage = PROCESS_CLONE};
    *process = (struct process){.pid = -1, .pidfd = -1};

    result = make_pipe(pipes.go);
    if (result == 0)
        result = make_pipe(pipes.report);
    if (result < 0)
        goto out;

    process->pid = clone_process(spec, &process->pidfd);
    if (process->pid == 0)
        child(spec, &pipes);
    result = process->pid;
    if (result < 0)
        goto out;
    close_end(&pipes.report[1]); /* or the end of file that exec makes would never come */

    failure->stage = PROCESS_PARENT_HOOK;
    result = run_hooks(spec->parent_hooks, process, failure);
    if (result == 0) {
        /* Our own copy of go[0] is still open, so this can never raise SIGPIPE: a child that is
         * gone already is found out by its report, or the lack of one. */
        while (interrupted(write(pipes.go[1], "", 1)))
            ;
        result = await_exec(pipes.report[0], failure);
    }
    if (result < 0) {
        /* One that has reported ends by itself. One that still waits, or that we can no longer
         * hear, must not go on: by pidfd, no other process can be hit. Both must be reaped, or a
         * zombie stays. */
        if (failure->stage == PROCESS_PARENT_HOOK)
            syscall(SYS_pidfd_send_signal, process->pidfd, SIGKILL, NULL, 0);
        reap(process->pidfd, &info);
        close(process->pidfd);
        *process = (struct process){.pid = -1, .pidfd = -1};
    }
out:
    close_end(&pipes.go[0]);
    close_end(&pipes.go[1]);
    close_end(&pipes.report[0]);
    close_end(&pipes.report[1]);
    return result;
}

int process_exit_status(int code, int status)
{
    /* TODO(step 2): CLD_EXITED is one of three ways to end. See waitid(2). */
    return code == CLD_EXITED ? status : 0;
}

int process_failure_status(enum process_stage stage, int error)
{
    /* TODO(step 2): 127: COMMAND was not found (neither it nor a folder on the way); 126: it was
     *               found and could not be executed; 125: we failed before we came to it.
     */
    (void)stage;
    (void)error;
    return 125;
}

int process_wait(const struct process *process, int *status)
{
    siginfo_t info = {0};
    int result = reap(process->pidfd, &info);

    if (result == 0)
        *status = process_exit_status(info.si_code, info.si_status);
    return result;
}

/* --- what the kernel says of a process ------------------------------------------------------ */

int process_namespace(pid_t pid, const char *name, struct process_namespace *id)
{
    /* TODO(step 5): /proc/PID/ns/NAME is a link that stat(2) follows to the namespace itself; two
     *               processes share a namespace when device and inode are equal. No such process:
     *               -ESRCH, not the -ENOENT that the path gives. A NAME that no kernel knows of
     *               stays -ENOENT.
     */
    (void)pid;
    (void)name;
    (void)id;
    return STRATA_TODO;
}

int process_describe(pid_t pid, struct process_info *info)
{
    /* TODO(step 6): /proc/PID/stat is "PID (COMM) STATE PPID …", and COMM may itself hold spaces
     *               and parentheses: which parenthesis is the one that ends it? utime and stime
     *               are fields 14 and 15. /proc/PID/status is lines "Key:\tvalue": VmRSS, Threads,
     *               CapEff (hexadecimal), NSpid (the last number is the innermost). See proc(5).
     */
    (void)pid;
    (void)info;
    return STRATA_TODO;
}

int process_peers(pid_t pid, const char *name, pid_t *pids, size_t max)
{
    /* TODO(step 7): every process is a folder of /proc whose name is a number. Compare each one's
     *               namespace with that of pid; some vanish while you look and some you may not
     *               look at: neither is an error.
     */
    (void)pid;
    (void)name;
    (void)pids;
    (void)max;
    return STRATA_TODO;
}
