/* Different: CLONE_CLEAR_SIGHAND, pidfds polled with every signal held back, readlink and pread,
 * one pass over status, the peers collected in a list of their own first. */
#include "01-process/process.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <poll.h>
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
    return result < 0 && errno == EINTR;
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
    /* CLONE_CLEAR_SIGHAND has put the handled ones back; the ignored ones remain. */
    for (int number = NSIG - 1; number > 0; number--) {
        struct sigaction now;
        if (sigaction(number, NULL, &now) == 0 && now.sa_handler == SIG_IGN)
            signal(number, SIG_DFL);
    }
    sigset_t mask;
    sigfillset(&mask);
    sigprocmask(SIG_UNBLOCK, &mask, NULL);
    return close_range(3, UINT_MAX, CLOSE_RANGE_CLOEXEC) == 0 ? 0 : -errno;
}

/* The environment COMMAND gets: what the caller of process_start asked for. */
static char *const *environment(const struct process_spec *spec)
{
    return spec->envp;
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
    while (interrupted(write(fd, report, sizeof *report)))
        ;
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
    /* _exit, not exit: the buffers of stdio are copies of the parent's, and it will flush its own
     */
    _exit(process_failure_status(report.failure.stage, report.error));
}

/* --- the parent ----------------------------------------------------------------------------- */

/* A new process in new namespaces; like fork(2) it returns twice: 0 in the child. */
static pid_t clone_process(const struct process_spec *spec, int *pidfd)
{
    struct clone_args args = {
        .flags = CLONE_PIDFD | CLONE_CLEAR_SIGHAND | spec->namespaces,
        .pidfd = (uint64_t)(uintptr_t)pidfd,
        .exit_signal = SIGCHLD,
    };
    if (spec->cgroup >= 0) {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = (unsigned)spec->cgroup;
    }
    long pid = syscall(SYS_clone3, &args, sizeof args);
    if (pid < 0 && errno == ENOSYS && spec->cgroup < 0)
        pid = syscall(SYS_clone, args.flags | SIGCHLD, NULL, pidfd, NULL, NULL);
    return pid < 0 ? -errno : (pid_t)pid;
}

/* Waits until COMMAND runs (0) or the child has told why it does not (-errno). */
static int await_exec(int fd, struct process_failure *failure)
{
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
}

/* Waits for the process behind `pidfd` to end, and reaps it. */
static int reap(int pidfd, siginfo_t *info)
{
    struct pollfd end = {.fd = pidfd, .events = POLLIN};

    for (;;) {
        if (poll(&end, 1, -1) == 1 && waitid(P_PIDFD, (id_t)pidfd, info, WEXITED | WNOHANG) == 0 &&
            info->si_pid > 0)
            return 0;
        if (errno != EINTR && errno != 0)
            return -errno;
    }
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
        /* A child that still waits, or one that we can no longer hear, must not go on; and it must
         * be reaped, or a zombie stays. By pidfd: no other process can be hit. */
        errno = 0;
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
    return code == CLD_EXITED ? status : 128 + status;
}

int process_failure_status(enum process_stage stage, int error)
{
    if (stage != PROCESS_EXEC)
        return 125;
    return error == -ENOENT || error == -ENOTDIR ? 127 : 126;
}

int process_wait(const struct process *process, int *status)
{
    siginfo_t info = {0};
    sigset_t all, before;

    errno = 0;
    sigfillset(&all);
    sigdelset(&all, SIGTERM);
    sigdelset(&all, SIGINT);
    sigprocmask(SIG_BLOCK, &all, &before);
    int result = reap(process->pidfd, &info);
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (result == 0)
        *status = process_exit_status(info.si_code, info.si_status);
    return result;
}

/* --- what the kernel says of a process ------------------------------------------------------ */

int process_namespace(pid_t pid, const char *name, struct process_namespace *id)
{
    char path[64], text[64];
    struct stat st;

    snprintf(path, sizeof path, "/proc/%d/ns", pid);
    if (stat(path, &st) < 0)
        return errno == ENOENT ? -ESRCH : -errno;
    snprintf(path, sizeof path, "/proc/%d/ns/%s", pid, name);
    if (readlink(path, text, sizeof text) < 0) /* says whether we may look */
        return -errno;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int result = fstat(fd, &st) < 0 ? -errno : 0;
    close(fd);
    if (result == 0) {
        id->device = st.st_dev;
        id->inode = st.st_ino;
    }
    return result;
}

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

int process_describe(pid_t pid, struct process_info *info)
{
    char text[8192], *rest = text;
    int result = read_proc(pid, "stat", text, sizeof text);
    unsigned long long fields[13];

    if (result < 0)
        return result;
    memset(info, 0, sizeof *info);
    char *end = strrchr(text, ')'), *begin = strchr(text, '(');
    if (begin == NULL || end == NULL)
        return -EBADMSG;
    memcpy(info->name, begin + 1, (size_t)(end - begin - 1) < 63 ? (size_t)(end - begin - 1) : 63);
    info->state = end[2];
    rest = end + 3;
    for (int i = 4; i <= 15; i++)
        fields[i - 4] = strtoull(rest, &rest, 10);
    info->parent = (pid_t)fields[0];
    info->user_ticks = fields[10];
    info->system_ticks = fields[11];

    if ((result = read_proc(pid, "status", text, sizeof text)) < 0)
        return result;
    char *save, *line = strtok_r(text, "\n", &save);
    for (; line != NULL; line = strtok_r(NULL, "\n", &save)) {
        char *value = strchr(line, ':');
        if (value == NULL)
            continue;
        *value++ = '\0';
        if (strcmp(line, "Threads") == 0)
            info->threads = strtoul(value, NULL, 10);
        else if (strcmp(line, "VmRSS") == 0)
            info->resident_kib = strtoul(value, NULL, 0);
        else if (strcmp(line, "CapEff") == 0)
            info->effective_capabilities = strtoull(value, NULL, 16);
        else if (strcmp(line, "NSpid") == 0)
            for (char *word; (word = strsep(&value, "\t ")) != NULL;)
                if (*word != '\0')
                    info->innermost_pid = atoi(word);
    }
    return 0;
}

static int by_number(const void *a, const void *b)
{
    return *(const pid_t *)a - *(const pid_t *)b;
}

int process_peers(pid_t pid, const char *name, pid_t *pids, size_t max)
{
    struct process_namespace mine;
    pid_t *all = NULL;
    size_t count = 0;
    int result = process_namespace(pid, name, &mine);
    DIR *folder = result < 0 ? NULL : opendir("/proc");

    if (folder == NULL)
        return result < 0 ? result : -errno;
    for (struct dirent *entry; result >= 0 && (entry = readdir(folder)) != NULL;) {
        char *end;
        struct process_namespace id;
        long number = strtol(entry->d_name, &end, 10);
        if (*end != '\0' || process_namespace((pid_t)number, name, &id) < 0 ||
            memcmp(&id, &mine, sizeof id) != 0)
            continue;
        pid_t *more = reallocarray(all, count + 1, sizeof *all);
        if (more == NULL) {
            result = -ENOMEM;
            break;
        }
        all = more;
        all[count++] = (pid_t)number;
    }
    closedir(folder);
    qsort(all, count, sizeof *all, by_number);
    for (size_t i = 0; i < count && i < max; i++)
        pids[i] = all[i];
    free(all);
    return result < 0 ? result : (int)count;
}
