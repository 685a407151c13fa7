/*
 * inside: runs one command in a sandbox, for a person or a script: make shell05, trace05, break05.
 *
 * On a terminal the command gets a pseudo-terminal of its own, so that nothing in the sandbox ever
 * holds the terminal of the person outside.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "sandbox/sandbox.h"

enum { FILES_MAX = 32, VARIABLES_MAX = 32 };

struct request {
    struct sandbox_options sandbox;
    struct room_options room;
    struct sandbox_file files[FILES_MAX];
    const char *variables[VARIABLES_MAX + 1];
    size_t variable_count;
    int seconds; /* deadline, 0: none */
};

static volatile sig_atomic_t interrupted; /* by which signal */

static void on_signal(int number)
{
    interrupted = number;
}

static int usage(FILE *to, int status)
{
    fprintf(to, "usage: inside [OPTION...] -- COMMAND [ARGUMENT...]\n"
                "Runs COMMAND as root of a sandbox that is gone afterwards.\n\n"
                "  --file NAME=PATH    show the file PATH as /strata/NAME (may be repeated)\n"
                "  --rootfs TAR        unpack the root filesystem TAR at /tmp/rootfs;\n"
                "                      needs --file busybox=...\n"
                "  --env NAME=VALUE    set a variable (may be repeated)\n"
                "  --seconds N         end it after N seconds\n"
                "  --single-id         map one user id even where many could be\n"
                "  --cgroups           with control groups of its own at /sys/fs/cgroup\n"
                "  --asan              for programs built with AddressSanitizer\n"
                "exit status: COMMAND's; 124 after --seconds; 125 when there is no sandbox\n");
    return status;
}

static int add_file(struct request *request, const char *name, const char *path, bool executable)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || request->sandbox.file_count == FILES_MAX) {
        fprintf(stderr, "inside: %s: %s\n", path, fd < 0 ? strerror(errno) : "too many files");
        return -1;
    }
    request->files[request->sandbox.file_count++] = (struct sandbox_file){name, fd, executable};
    return 0;
}

/* "NAME=PATH", split in place. */
static int add_named_file(struct request *request, char *value)
{
    char *path = strchr(value, '=');

    if (path == NULL || path == value) {
        fprintf(stderr, "inside: --file takes NAME=PATH, not \"%s\"\n", value);
        return -1;
    }
    *path++ = '\0';
    return add_file(request, value, path, access(path, X_OK) == 0);
}

/* Returns the index of COMMAND in argv, 0 after --help, -1 after a mistake that was told. */
static int parse(struct request *request, int argc, char **argv)
{
    static const struct option longs[] = {{"cgroups", no_argument, NULL, 'g'},
                                          {"file", required_argument, NULL, 'f'},
                                          {"rootfs", required_argument, NULL, 'r'},
                                          {"env", required_argument, NULL, 'e'},
                                          {"seconds", required_argument, NULL, 's'},
                                          {"single-id", no_argument, NULL, '1'},
                                          {"asan", no_argument, NULL, 'a'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    int code;

    while ((code = getopt_long(argc, argv, "+h", longs, NULL)) != -1) {
        int result = 0;
        switch (code) {
        case 'f':
            result = add_named_file(request, optarg);
            break;
        case 'r':
            request->room.rootfs = true;
            result = add_file(request, "rootfs.tar", optarg, false);
            break;
        case 'e':
            if (request->variable_count < VARIABLES_MAX)
                request->variables[request->variable_count++] = optarg;
            break;
        case 's':
            request->seconds = atoi(optarg);
            break;
        case '1':
            request->sandbox.single_id = true;
            break;
        case 'g':
            request->sandbox.cgroups = true;
            break;
        case 'a':
            request->sandbox.address_sanitizer = true;
            break;
        case 'h':
            usage(stdout, 0);
            return 0;
        default:
            return -1;
        }
        if (result < 0)
            return -1;
    }
    if (optind == argc) {
        usage(stderr, 2);
        return -1;
    }
    return optind;
}

/* --- a terminal ----------------------------------------------------------------------------- */

struct terminal {
    int master; /* -1: there is none */
    int slave;
    struct termios before;
};

static void terminal_open(struct terminal *terminal)
{
    struct winsize size;
    struct termios raw;

    terminal->master = terminal->slave = -1;
    if (!isatty(0) || tcgetattr(0, &terminal->before) < 0)
        return;
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0)
        return;
    terminal->slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    terminal->master = master;
    tcsetattr(terminal->slave, TCSANOW, &terminal->before);
    if (ioctl(0, TIOCGWINSZ, &size) == 0)
        ioctl(master, TIOCSWINSZ, &size);
    raw = terminal->before;
    cfmakeraw(&raw);
    tcsetattr(0, TCSADRAIN, &raw);
}

static void terminal_close(struct terminal *terminal)
{
    if (terminal->master >= 0)
        tcsetattr(0, TCSADRAIN, &terminal->before);
}

static bool copy(int from, int to)
{
    char bytes[4096];
    ssize_t got = read(from, bytes, sizeof bytes);

    for (ssize_t at = 0, wrote; at < got; at += wrote)
        if ((wrote = write(to, bytes + at, (size_t)(got - at))) < 0)
            return false;
    return got > 0;
}

/* Passes bytes between the person and the command until the command has ended. */
static void relay(struct sandbox *sandbox, struct room *room, struct room_process *process,
                  struct terminal *terminal, int seconds)
{
    int here = terminal->master >= 0 ? 0 : -1; /* a negative fd is one that poll leaves out */
    int left = seconds > 0 ? seconds * 10 : -1;

    while (!process->ended && interrupted == 0 && left != 0) {
        struct pollfd fds[3] = {
            {room->socket, POLLIN, 0}, {here, POLLIN, 0}, {terminal->master, POLLIN, 0}};
        int ready = poll(fds, 3, 100);
        if (interrupted == SIGWINCH) {
            struct winsize size;
            interrupted = 0;
            if (terminal->master >= 0 && ioctl(0, TIOCGWINSZ, &size) == 0)
                ioctl(terminal->master, TIOCSWINSZ, &size);
        }
        if (ready == 0 && left > 0)
            left--;
        if (ready <= 0 && sandbox_ended(sandbox))
            return;
        if (ready <= 0)
            continue;
        if (fds[1].revents != 0 && !copy(0, terminal->master))
            here = -1;
        if (fds[2].revents != 0)
            copy(terminal->master, 1);
        if (fds[0].revents != 0 && room_event(room) < 0)
            return;
    }
    if (terminal->master >= 0) { /* what the command still had to say */
        struct pollfd rest = {terminal->master, POLLIN, 0};
        while (poll(&rest, 1, 0) > 0 && (rest.revents & POLLIN) != 0 && copy(terminal->master, 1))
            ;
    }
}

static int run(struct request *request, struct sandbox *sandbox, char **argv)
{
    struct room room;
    struct room_process process;
    struct terminal terminal;
    int result = room_open(sandbox, &request->room, &room);

    if (result < 0) {
        fprintf(stderr, "inside: %s\n", room.why);
        return 125;
    }
    terminal_open(&terminal);
    int stdio = terminal.slave;
    struct room_fd fds[3] = {
        {stdio >= 0 ? stdio : 0, 0}, {stdio >= 0 ? stdio : 1, 1}, {stdio >= 0 ? stdio : 2, 2}};
    struct room_command command = {.argv = (const char *const *)argv,
                                   .envp = request->variables,
                                   .fds = fds,
                                   .fd_count = 3,
                                   .terminal = stdio >= 0};
    result = room_spawn(&room, &command, &process);
    if (stdio >= 0)
        close(stdio);
    if (result == 0)
        relay(sandbox, &room, &process, &terminal, request->seconds);
    terminal_close(&terminal);
    if (result < 0)
        fprintf(stderr, "inside: %s\n", room.why);
    room_close(&room);
    if (result < 0)
        return result == -ENOENT ? 127 : 126;
    if (sandbox_ended(sandbox)) {
        fprintf(stderr, "inside: the sandbox was ended: %s\n", sandbox->why);
        return 125;
    }
    if (process.ended)
        return process.code == CLD_EXITED ? process.status : 128 + process.status;
    return interrupted != 0 ? 128 + interrupted : 124;
}

int main(int argc, char **argv)
{
    static struct request request = {
        .variables = {"PATH=/strata:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME=/tmp",
                      "LANG=C.UTF-8", "PS1=sandbox:\\w\\$ "},
        .variable_count = 4};
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGWINCH};
    struct sandbox sandbox;
    static char term[64];

    snprintf(term, sizeof term, "TERM=%s", getenv("TERM") != NULL ? getenv("TERM") : "dumb");
    request.variables[request.variable_count++] = term;
    request.sandbox.files = request.files;
    int first = parse(&request, argc, argv);
    if (first <= 0)
        return first == 0 ? 0 : 2;
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaction(signals[i], &(struct sigaction){.sa_handler = on_signal}, NULL);

    if (sandbox_open(&request.sandbox, &sandbox) < 0) {
        fprintf(stderr, "inside: %s\n", sandbox.why);
        return 125;
    }
    int status = run(&request, &sandbox, argv + first);
    sandbox_close(&sandbox);
    return status;
}
