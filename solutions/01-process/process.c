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
    /* BEGIN SOLUTION step 3 return false
     * TODO(step 3): a signal handler that runs while we wait ends the system call with an error of
     *               its own. Which one? See signal(7), "Interruption of system calls".
     */
    return result < 0 && errno == EINTR;
    /* END SOLUTION */
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
    /* BEGIN SOLUTION step 4 return 0
     * TODO(step 4): an ignored signal stays ignored across exec, a blocked one stays blocked, and
     *               an open fd stays open: execve(2), "Effect on process attributes". Put every
     *               signal back to its default action, block none, and mark every fd from 3 upwards
     *               close-on-exec with one close_range(2). (And the environment: see execute.)
     */
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL); /* KILL, STOP and libc's own two refuse; they need no reset */

    sigset_t none;
    sigemptyset(&none);
    if (sigprocmask(SIG_SETMASK, &none, NULL) < 0)
        return -errno;

    /* Not closed at once: the pipe to the parent must still carry the news if exec fails. */
    if (close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
        return -errno;
    return 0;
    /* END SOLUTION */
}

/* The environment COMMAND gets: what the caller of process_start asked for. */
static char *const *environment(const struct process_spec *spec)
{
    /* BEGIN SOLUTION step 4 return environ
     * TODO(step 4): `environ` is ours, with whatever secrets our own user has in it.
     */
    return spec->envp;
    /* END SOLUTION */
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
    /* BEGIN SOLUTION step 2
     * TODO(step 2): write the report into the pipe. When exec succeeds the pipe closes by itself
     *               (it is close-on-exec) and the parent reads end of file: that is the good news.
     */
    while (interrupted(write(fd, report, sizeof *report)))
        ;
    /* END SOLUTION */
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
    /* BEGIN SOLUTION step 1
     * TODO(step 1): fill a struct clone_args: the flags are CLONE_PIDFD and the namespaces of
     *               spec; the signal that tells us of its end is SIGCHLD; with a control group
     *               (spec->cgroup >= 0) also CLONE_INTO_CGROUP. Then syscall(SYS_clone3, …): libc
     *               has no function for it. Where it is ENOSYS, SYS_clone takes the same flags,
     *               the signal among them, and where to put the pidfd third. See clone(2).
     */
    struct clone_args args = {.flags = CLONE_PIDFD | spec->namespaces,
                              .pidfd = (uint64_t)(uintptr_t)pidfd,
                              .exit_signal = SIGCHLD};
    if (spec->cgroup >= 0) {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = (unsigned)spec->cgroup;
    }
    long pid = syscall(SYS_clone3, &args, sizeof args);
    if (pid < 0 && errno == ENOSYS && spec->cgroup < 0)
        pid = syscall(SYS_clone, args.flags | SIGCHLD, NULL, pidfd, NULL, NULL);
    return pid < 0 ? -errno : (pid_t)pid;
    /* END SOLUTION */
}

/* Waits until COMMAND runs (0) or the child has told why it does not (-errno). */
static int await_exec(int fd, struct process_failure *failure)
{
    /* BEGIN SOLUTION step 2 return 0
     * TODO(step 2): read one struct report from the pipe. End of file: COMMAND runs. A whole
     *               report: pass on where and why. Without this, "no such command" is a child
     *               that ended with 127 like any command might.
     */
    struct report report;
    ssize_t got;

    while (interrupted(got = read(fd, &report, sizeof report)))
        ;
    if (got == 0)
        return 0;
    if (got != (ssize_t)sizeof report)
        return got < 0 ? -errno : -EPIPE;
    *failure = report.failure;
    return report.error;
    /* END SOLUTION */
}

/* Waits for the process behind `pidfd` to end, and reaps it. */
static int reap(int pidfd, siginfo_t *info)
{
    /* BEGIN SOLUTION step 1
     * TODO(step 1): waitid(2) with P_PIDFD and WEXITED.
     */
    while (interrupted(waitid(P_PIDFD, (id_t)pidfd, info, WEXITED)))
        ;
    return info->si_pid > 0 ? 0 : -errno;
    /* END SOLUTION */
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
    /* BEGIN SOLUTION step 2 return code == CLD_EXITED ? status : 0
     * TODO(step 2): CLD_EXITED is one of three ways to end. See waitid(2).
     */
    return code == CLD_EXITED ? status : 128 + status;
    /* END SOLUTION */
}

int process_failure_status(enum process_stage stage, int error)
{
    /* BEGIN SOLUTION step 2 return 125
     * TODO(step 2): 127: COMMAND was not found (neither it nor a folder on the way); 126: it was
     *               found and could not be executed; 125: we failed before we came to it.
     */
    if (stage != PROCESS_EXEC)
        return 125;
    return error == -ENOENT || error == -ENOTDIR ? 127 : 126;
    /* END SOLUTION */
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
    /* BEGIN SOLUTION step 5
     * TODO(step 5): /proc/PID/ns/NAME is a link that stat(2) follows to the namespace itself; two
     *               processes share a namespace when device and inode are equal. No such process:
     *               -ESRCH, not the -ENOENT that the path gives. A NAME that no kernel knows of
     *               stays -ENOENT.
     */
    char path[64];
    struct stat st;

    if (snprintf(path, sizeof path, "/proc/%d/ns/%s", pid, name) >= (int)sizeof path)
        return -ENAMETOOLONG;
    if (stat(path, &st) < 0) {
        int error = -errno;
        snprintf(path, sizeof path, "/proc/%d", pid);
        return error == -ENOENT && access(path, F_OK) < 0 ? -ESRCH : error;
    }
    *id = (struct process_namespace){.device = st.st_dev, .inode = st.st_ino};
    return 0;
    /* END SOLUTION */
}

/* BEGIN SOLUTION step 6 helper */
/* Reads /proc/PID/NAME into `text`. A process can vanish between open and read (ESRCH). */
static int read_proc(pid_t pid, const char *name, char *text, size_t size)
{
    char path[64];
    size_t length = 0;
    ssize_t got = 0;

    snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? -ESRCH : -errno;
    while (length < size - 1 && (got = read(fd, text + length, size - 1 - length)) > 0)
        length += (size_t)got;
    int result = got < 0 ? -errno : 0;
    close(fd);
    text[length] = '\0';
    return result;
}

/* The rest of the line "KEY:\t…" in /proc/PID/status, or "" when this kernel has no such line. */
static const char *status_value(const char *text, const char *key)
{
    size_t length = strlen(key);

    for (const char *line = text; line != NULL && *line != '\0'; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, length) == 0 && line[length] == ':')
            return line + length + 1;
    }
    return "";
}
/* END SOLUTION */

int process_describe(pid_t pid, struct process_info *info)
{
    /* BEGIN SOLUTION step 6
     * TODO(step 6): /proc/PID/stat is "PID (COMM) STATE PPID …", and COMM may itself hold spaces
     *               and parentheses: which parenthesis is the one that ends it? utime and stime
     *               are fields 14 and 15. /proc/PID/status is lines "Key:\tvalue": VmRSS, Threads,
     *               CapEff (hexadecimal), NSpid (the last number is the innermost). See proc(5).
     */
    char text[8192];
    int result = read_proc(pid, "stat", text, sizeof text);
    if (result < 0)
        return result;

    const char *open = strchr(text, '(');
    const char *close = strrchr(text, ')'); /* the last one: COMM may hold any of them */
    if (open == NULL || close == NULL || close < open)
        return -EBADMSG;
    *info = (struct process_info){0};
    snprintf(info->name, sizeof info->name, "%.*s", (int)(close - open - 1), open + 1);
    if (sscanf(close + 1, " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &info->state,
               &info->parent, &info->user_ticks, &info->system_ticks) != 4)
        return -EBADMSG;

    result = read_proc(pid, "status", text, sizeof text);
    if (result < 0)
        return result;
    info->threads = strtoul(status_value(text, "Threads"), NULL, 10);
    info->resident_kib = strtoul(status_value(text, "VmRSS"), NULL, 10);
    info->effective_capabilities = strtoull(status_value(text, "CapEff"), NULL, 16);

    const char *pids = status_value(text, "NSpid");
    for (char *end; *pids != '\n' && *pids != '\0'; pids = end) {
        info->innermost_pid = (pid_t)strtol(pids, &end, 10);
        if (end == pids)
            break;
    }
    return 0;
    /* END SOLUTION */
}

/* BEGIN SOLUTION step 7 helper */
static int by_number(const void *a, const void *b)
{
    return *(const pid_t *)a - *(const pid_t *)b;
}
/* END SOLUTION */

int process_peers(pid_t pid, const char *name, pid_t *pids, size_t max)
{
    /* BEGIN SOLUTION step 7
     * TODO(step 7): every process is a folder of /proc whose name is a number. Compare each one's
     *               namespace with that of pid; some vanish while you look and some you may not
     *               look at: neither is an error.
     */
    struct process_namespace wanted, other;
    size_t count = 0;
    int result = process_namespace(pid, name, &wanted);
    if (result < 0)
        return result;

    DIR *proc = opendir("/proc");
    if (proc == NULL)
        return -errno;
    for (struct dirent *entry; (entry = readdir(proc)) != NULL;) {
        if (!isdigit((unsigned char)entry->d_name[0]))
            continue;
        pid_t candidate = (pid_t)strtol(entry->d_name, NULL, 10);
        if (process_namespace(candidate, name, &other) < 0 || other.device != wanted.device ||
            other.inode != wanted.inode)
            continue;
        if (count < max)
            pids[count] = candidate;
        count++;
    }
    closedir(proc);
    qsort(pids, count < max ? count : max, sizeof *pids, by_number);
    return (int)count;
    /* END SOLUTION */
}
