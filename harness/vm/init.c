/*
 * build/guest-init: PID 1 of a guest. Makes of a bare kernel a machine that labs can be graded on,
 * does what /strata.job says, reports on the serial port for results, and switches it off.
 *
 * What the kernel's command line says:
 *   strata.cgroup=v2|v1|hybrid   the control groups' hierarchies
 *   strata.report=ttyS1          the port for results
 *   strata.shell=ttyS0           a shell there instead of a job
 * The job, a line each; its first is the nonce (frame.h), which nobody but us gets to see:
 *   nonce HEX
 *   env NAME=VALUE            for all that comes after
 *   do SHELL-COMMAND          and nothing is said of it
 *   say MESSAGE               sends it as it is: which program is next, when there are many
 *   grade ARGUMENT TAB …      build/grade; each of its results is sent, then {"exit": STATUS}
 *   ends SHELL-COMMAND        runs it, then sends {"ends": STATUS}
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "kernel/own.h"
#include "vm/frame.h"
#include "vm/machine.h"

enum { STREAM = 3, ARGUMENTS_MAX = 64 };

static _Noreturn void power_off(void)
{
    sync();
    reboot(RB_POWER_OFF);
    for (;;)
        pause();
}

static _Noreturn void die(const char *what)
{
    printf("guest: %s: %s\n", what, strerror(errno));
    fflush(stdout);
    power_off();
}

/* --- the command line --------------------------------------------------------------------------
 */

/* The value of a parameter, or NULL. */
static const char *parameter(const char *name)
{
    static char line[4096];
    static char value[64];
    autofclose FILE *file = fopen("/proc/cmdline", "re");
    const char *at;

    if (file == NULL || fgets(line, sizeof line, file) == NULL)
        return NULL;
    if ((at = strstr(line, name)) == NULL || at[strlen(name)] != '=')
        return NULL;
    snprintf(value, sizeof value, "%.*s", (int)strcspn(at + strlen(name) + 1, " \n"),
             at + strlen(name) + 1);
    return value;
}

static int open_port(const char *name)
{
    char path[64];
    struct termios raw;

    snprintf(path, sizeof path, "/dev/%s", name);
    int fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (fd >= 0 && tcgetattr(fd, &raw) == 0) {
        cfmakeraw(&raw); /* every byte as it is: no "\r" before "\n", no echo */
        tcsetattr(fd, TCSANOW, &raw);
    }
    return fd;
}

/* --- commands ----------------------------------------------------------------------------------
 */

/* Waits for `pid`; the orphans of others, which are ours now, are reaped on the way. */
static int await(pid_t pid)
{
    int status = 0;
    pid_t ended;

    while ((ended = wait(&status)) != pid)
        if (ended < 0 && errno != EINTR)
            return 127;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int shell_command(const char *command)
{
    pid_t pid = fork();

    if (pid == 0) {
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    return pid > 0 ? await(pid) : 127;
}

static pid_t start_grade(char *arguments, int stream)
{
    char *argv[ARGUMENTS_MAX + 4] = {"grade", "--stream", "3"};
    size_t count = 3;

    for (char *word = strtok(arguments, "\t"); word != NULL && count < ARGUMENTS_MAX;
         word = strtok(NULL, "\t"))
        argv[count++] = word;
    argv[count] = NULL;
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    setsid();
    int quiet = open("/dev/null", O_RDWR); /* its verdict is for people; errors go to the console */
    if (quiet < 0 || dup2(quiet, 0) < 0 || dup2(quiet, 1) < 0 || dup2(stream, STREAM) < 0 ||
        close_range(STREAM + 1, ~0U, 0) < 0)
        _exit(126);
    execv("/kit/build/grade", argv);
    _exit(127);
}

/* Each line that build/grade writes becomes a message. */
static void pass_on(struct frame_writer *port, FILE *lines)
{
    autofree char *line = NULL;
    size_t size = 0;
    ssize_t length;

    while ((length = getline(&line, &size, lines)) > 0)
        if (frame_send(port, line, (size_t)length - (line[length - 1] == '\n')) < 0)
            die("the port for results");
}

static void send_status(struct frame_writer *port, const char *name, int status)
{
    char message[64];

    snprintf(message, sizeof message, "{\"%s\": %d}", name, status);
    if (frame_send(port, message, strlen(message)) < 0)
        die("the port for results");
}

static void grade(struct frame_writer *port, char *arguments)
{
    int stream[2];

    if (pipe2(stream, O_CLOEXEC) < 0)
        die("a pipe");
    pid_t pid = start_grade(arguments, stream[1]);
    close(stream[1]);
    FILE *lines = fdopen(stream[0], "r");
    if (pid < 0 || lines == NULL)
        die("build/grade could not be started");
    pass_on(port, lines);
    fclose(lines);
    send_status(port, "exit", await(pid));
}

/* --- the job -----------------------------------------------------------------------------------
 */

static void do_line(struct frame_writer *port, char *line)
{
    line[strcspn(line, "\n")] = '\0';
    char *rest = line + strcspn(line, " ");

    if (*rest != '\0')
        *rest++ = '\0';
    if (strcmp(line, "env") == 0)
        putenv(strdup(rest));
    else if (strcmp(line, "do") == 0)
        shell_command(rest);
    else if (strcmp(line, "grade") == 0)
        grade(port, rest);
    else if (strcmp(line, "ends") == 0)
        send_status(port, "ends", shell_command(rest));
    else if (strcmp(line, "say") == 0 && frame_send(port, rest, strlen(rest)) < 0)
        die("the port for results");
}

static void do_job(const char *port_name)
{
    autofclose FILE *job = fopen("/strata.job", "re");
    autofree char *line = NULL;
    char nonce[FRAME_NONCE + 1];
    struct frame_writer port;
    size_t size = 0;

    if (job == NULL || getline(&line, &size, job) < 0 || sscanf(line, "nonce %32s", nonce) != 1)
        die("/strata.job");
    unlink("/strata.job");
    memset(line, 0, size);
    int fd = open_port(port_name);
    if (fd < 0)
        die(port_name);
    frame_writer_init(&port, fd, nonce);
    frame_send(&port, "{\"hello\": 1}", strlen("{\"hello\": 1}"));
    while (getline(&line, &size, job) > 0)
        do_line(&port, line);
    frame_send_end(&port);
    tcdrain(fd);
}

static void do_shell(const char *terminal)
{
    char path[64];

    snprintf(path, sizeof path, "/dev/%s", terminal);
    pid_t pid = fork();
    if (pid == 0) {
        setsid();
        int fd = open(path, O_RDWR);
        if (fd < 0 || dup2(fd, 0) < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
            _exit(126);
        ioctl(0, TIOCSCTTY, 0);
        execl("/bin/sh", "sh", "/kit/shell.sh", (char *)NULL);
        _exit(127);
    }
    if (pid > 0)
        await(pid);
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (machine_root() < 0)
        die("the root file system");
    const char *cgroup = parameter("strata.cgroup");
    if (machine_cgroups(cgroup != NULL ? cgroup : "v2") < 0)
        die("control groups");
    machine_limits();
    machine_network();
    setenv("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", 1);
    setenv("HOME", "/root", 1);
    setenv("LANG", "C.UTF-8", 1);
    setenv("STRATA_ROOT", "/kit", 1);
    setenv("STRATA_GUEST", "1", 1);                        /* everything takes longer in here */
    shell_command("modprobe -q brd rd_nr=1 rd_size=4096"); /* a disk, for lab 13 to limit */
    const char *shell = parameter("strata.shell");
    if (shell != NULL) {
        do_shell(shell);
    } else {
        const char *port = parameter("strata.report");
        do_job(port != NULL ? port : "ttyS1");
    }
    power_off();
}
