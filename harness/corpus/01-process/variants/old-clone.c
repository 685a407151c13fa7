/* Different: the old clone system call with waitpid, sigaction, fds closed one by one from a list,
 * an O_PATH fd for namespaces, stdio streams for /proc, and scandir for the peers. */
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
    return result == -1 && errno == EINTR;
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
    struct sigaction usual = {.sa_handler = SIG_DFL};
    sigset_t all;
    struct dirent *entry;

    sigfillset(&all);
    if (sigprocmask(SIG_UNBLOCK, &all, NULL) < 0)
        return -errno;
    for (int number = 1; number <= SIGRTMAX; number++)
        if (number != SIGKILL && number != SIGSTOP)
            sigaction(number, &usual, NULL);

    DIR *fds = opendir("/proc/self/fd");
    if (fds == NULL)
        return -errno;
    while ((entry = readdir(fds)) != NULL) {
        int fd = atoi(entry->d_name);
        if (fd > 2 && fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
            return -errno;
    }
    closedir(fds);
    return 0;
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
    if (spec->cgroup >= 0) { /* the old call knows no control groups */
        struct clone_args args = {
            .flags = CLONE_PIDFD | CLONE_INTO_CGROUP | spec->namespaces,
            .pidfd = (uint64_t)(uintptr_t)pidfd,
            .exit_signal = SIGCHLD,
            .cgroup = (unsigned)spec->cgroup,
        };
        long pid = syscall(SYS_clone3, &args, sizeof args);
        return pid < 0 ? -errno : (pid_t)pid;
    }
    unsigned long flags = CLONE_PIDFD | (unsigned long)spec->namespaces | SIGCHLD;
    long pid = syscall(SYS_clone, flags, NULL, pidfd, NULL, 0);
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
    for (;;) {
        if (waitid(P_PIDFD, (id_t)pidfd, info, WEXITED | WNOWAIT) < 0) {
            if (errno != EINTR)
                return -errno;
            continue;
        }
        int status;
        pid_t pid;
        do
            pid = waitpid(info->si_pid, &status, 0);
        while (interrupted(pid));
        return pid < 0 ? -errno : 0;
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
    switch (code) {
    case CLD_KILLED:
    case CLD_DUMPED:
        return status + 128;
    default:
        return status;
    }
}

int process_failure_status(enum process_stage stage, int error)
{
    if (stage == PROCESS_EXEC) {
        switch (-error) {
        case ENOENT:
        case ENOTDIR:
            return 127;
        default:
            return 126;
        }
    }
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
    char path[300];
    struct stat st;
    int result = 0;

    snprintf(path, sizeof path, "/proc/%d", pid);
    int process = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (process < 0)
        return errno == ENOENT ? -ESRCH : -errno;
    snprintf(path, sizeof path, "ns/%s", name);
    if (fstatat(process, path, &st, 0) < 0)
        result = -errno;
    else
        *id = (struct process_namespace){st.st_dev, st.st_ino};
    close(process);
    return result;
}

/* A file of /proc/PID as a stream. */
static FILE *open_proc(pid_t pid, const char *name)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
    return fopen(path, "re");
}

int process_describe(pid_t pid, struct process_info *info)
{
    char text[4096], *line = NULL;
    size_t size = 0, length;
    FILE *file = open_proc(pid, "stat");

    if (file == NULL)
        return errno == ENOENT ? -ESRCH : -errno;
    length = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    if (length == 0)
        return -ESRCH;
    text[length] = '\0';
    memset(info, 0, sizeof *info);
    while (length > 0 && text[length] != ')')
        length--;
    text[length] = '\0';
    snprintf(info->name, sizeof info->name, "%s", strchr(text, '(') + 1);

    char *field = strtok(text + length + 1, " ");
    for (int number = 3; field != NULL; field = strtok(NULL, " "), number++) {
        if (number == 3)
            info->state = field[0];
        else if (number == 4)
            info->parent = atoi(field);
        else if (number == 14)
            info->user_ticks = strtoull(field, NULL, 10);
        else if (number == 15)
            info->system_ticks = strtoull(field, NULL, 10);
    }

    file = open_proc(pid, "status");
    if (file == NULL)
        return errno == ENOENT ? -ESRCH : -errno;
    while (getline(&line, &size, file) > 0) {
        sscanf(line, "Threads: %lu", &info->threads);
        sscanf(line, "VmRSS: %lu", &info->resident_kib);
        sscanf(line, "CapEff: %lx", &info->effective_capabilities);
        if (strncmp(line, "NSpid:", 6) == 0)
            info->innermost_pid = atoi(strrchr(line, '\t') + 1);
    }
    free(line);
    fclose(file);
    return 0;
}

static int is_process(const struct dirent *entry)
{
    return isdigit((unsigned char)entry->d_name[0]);
}

int process_peers(pid_t pid, const char *name, pid_t *pids, size_t max)
{
    struct process_namespace mine, theirs;
    struct dirent **entries;
    int found = 0, result = process_namespace(pid, name, &mine);

    if (result < 0)
        return result;
    int count = scandir("/proc", &entries, is_process, versionsort);
    if (count < 0)
        return -errno;
    for (int i = 0; i < count; i++) {
        pid_t other = atoi(entries[i]->d_name);
        free(entries[i]);
        if (process_namespace(other, name, &theirs) == 0 && theirs.inode == mine.inode &&
            theirs.device == mine.device) {
            if ((size_t)found < max)
                pids[found] = other;
            found++;
        }
    }
    free(entries);
    return found;
}
