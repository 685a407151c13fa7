#include "grade/run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "grade/crash.h"
#include "grade/grade.h"
#include "grade/payload.h"
#include "grade/stuck.h"
#include "grade/world.h"
#include "kernel/own.h"
#include "probe/probe.h"

enum {
    REFUSED_MS = 500,      /* how long the true payload may come after an impostor */
    LOG_MAX = 1 << 20,    /* a program that prints more than this is stopped      */
    OUTPUT_MAX = 64 << 10, /* what run_output keeps                                */
};

struct run {
    struct grade *g;
    struct room *room; /* own_room, or that of the run it is beside */
    struct room own_room;
    struct room_process process;
    struct payload payload;
    bool has_payload;
    bool no_payload;    /* runs something else than the probe               */
    ino_t socket_inode; /* of the end that the payload has                  */
    int probe;          /* our end; -1: closed                              */
    int errors;         /* its standard error; -1: closed                   */
    int output;         /* its standard output without the probe; -1        */
    size_t printed;
    char text[OUTPUT_MAX + 1];
    size_t text_length;
    char reply[PROBE_TEXT];
    bool has_reply;
    bool two_voices;    /* somebody else spoke in the payload's name        */
    char refused[256];  /* why somebody who claimed to be the probe was not */
};

/* --- time ----------------------------------------------------------------------------------- */

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* How long we wait, in seconds: RUN_SECONDS, or less for tests of the harness. */
static int patience(void)
{
    const char *text = getenv("STRATA_PATIENCE");
    int seconds = text != NULL ? atoi(text) : RUN_SECONDS;

    return seconds >= 1 && seconds < RUN_SECONDS ? seconds : RUN_SECONDS;
}

/* --- what comes from the program ------------------------------------------------------------ */

static void take_log(struct run *run, const char *text, size_t length)
{
    run->printed += length;
    grade_log(run->g, text, length);
    if (run->printed <= LOG_MAX)
        return;
    room_close(run->room);
    fail(run->g, .because = "flood", .expected = "a program that does its work quietly",
         .kernel = say(run->g, "more than %d KiB of output; it was stopped", LOG_MAX >> 10),
         .see = "the last lines below");
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void take_errors(struct run *run)
{
    char bytes[4096];
    ssize_t got = read(run->errors, bytes, sizeof bytes);

    if (got > 0)
        take_log(run, bytes, (size_t)got);
    else if (got == 0 || errno != EAGAIN)
        close_fd(&run->errors);
}

static void take_output(struct run *run)
{
    char bytes[4096];
    ssize_t got = read(run->output, bytes, sizeof bytes);

    if (got <= 0) {
        if (got == 0 || errno != EAGAIN)
            close_fd(&run->output);
        return;
    }
    take_log(run, bytes, (size_t)got);
    size_t room = OUTPUT_MAX - run->text_length;
    size_t length = (size_t)got < room ? (size_t)got : room;
    memcpy(run->text + run->text_length, bytes, length);
    run->text_length += length;
    run->text[run->text_length] = '\0';
}

static bool hung_up(int fd)
{
    struct pollfd end = {fd, POLLRDHUP, 0};

    return poll(&end, 1, 0) > 0;
}

/* A datagram on the payload's socket: from the payload, from one that claims to be it, or something
 * that the student's program printed on the standard output that it shares with it. */
static void take_datagram(struct run *run)
{
    static char text[PROBE_TEXT];
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(struct ucred))];
    } control;
    struct iovec part = {text, sizeof text - 1};
    struct msghdr header = {.msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = &control,
                            .msg_controllen = sizeof control};
    ssize_t got = recvmsg(run->probe, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

    if (got <= 0) {
        /* An empty datagram (somebody wrote nothing) looks like the end, but for the hang-up. */
        if (got < 0 ? errno != EAGAIN && errno != EINTR : hung_up(run->probe))
            close_fd(&run->probe);
        return;
    }
    text[got] = '\0';
    struct cmsghdr *c = CMSG_FIRSTHDR(&header);
    pid_t sender = 0;
    if (c != NULL && c->cmsg_type == SCM_CREDENTIALS) {
        struct ucred ucred;
        memcpy(&ucred, CMSG_DATA(c), sizeof ucred);
        sender = ucred.pid;
    }
    if (run->has_payload && sender == run->payload.pid && strcmp(text, PROBE_HELLO) == 0) {
        run->two_voices = true; /* the probe says it once: the other one was not the probe */
    } else if (run->has_payload && sender == run->payload.pid) {
        memcpy(run->reply, text, (size_t)got + 1);
        run->has_reply = true;
    } else if (!run->has_payload && strcmp(text, PROBE_HELLO) == 0) {
        struct claim claim = {.pid = sender,
                              .socket = run->socket_inode,
                              .room = run->room->pid,
                              .room_pidfd = run->room->pidfd,
                              .digest = world_probe_digest(run->g)};
        run->has_payload =
            payload_check(&claim, &run->payload, run->refused, sizeof run->refused) == 0;
    } else {
        take_log(run, text, (size_t)got);
    }
}

/* Waits at most `milliseconds` for something to happen, and takes in what did. */
static void pump(struct run *run, int milliseconds)
{
    enum { SLICE_MS = 100 }; /* a stop asked for right before poll is noticed after it */
    struct pollfd fds[4] = {{run->probe, POLLIN, 0},
                            {run->errors, POLLIN, 0},
                            {run->output, POLLIN, 0},
                            {run->room->socket, POLLIN, 0}};
    int ready = poll(fds, 4, milliseconds < SLICE_MS ? milliseconds : SLICE_MS);

    if (world_abandoned(run->g))
        raise(SIGTERM); /* as if make had been stopped in the ordinary way */
    grade_check_interrupt(run->g);
    if (ready <= 0)
        return;
    /* The room's news last: when it says that the program has ended, all that it wrote is here. */
    if (fds[0].revents != 0)
        take_datagram(run);
    if (fds[1].revents != 0)
        take_errors(run);
    if (fds[2].revents != 0)
        take_output(run);
    if (fds[3].revents != 0 && fds[0].revents == 0 && fds[1].revents == 0 &&
        fds[2].revents == 0 && room_event(run->room) < 0)
        world_lost(run->g); /* never returns */
}

/* Waits until *flag. Returns false when RUN_SECONDS were over first, or `*end` (when given). */
static bool pump_until(struct run *run, const bool *flag, const bool *end)
{
    int64_t deadline = now_ms() + patience() * 1000;

    while (!*flag && (end == NULL || !*end)) {
        int64_t left = deadline - now_ms();
        if (left <= 0)
            return false;
        pump(run, (int)left);
    }
    return *flag;
}

bool run_until(struct run *run, bool (*holds)(void *arg), void *arg)
{
    int64_t deadline = now_ms() + patience() * 1000;
    bool result;

    while (!(result = holds(arg)) && now_ms() < deadline)
        pump(run, 2);
    return result;
}

/* --- starting ------------------------------------------------------------------------------- */

static void run_end(void *arg)
{
    struct run *run = arg;

    if (run->room == &run->own_room)
        room_close(&run->own_room);
    close_fd(&run->probe);
    close_fd(&run->errors);
    close_fd(&run->output);
    if (run->has_payload)
        close_fd(&run->payload.pidfd);
    close_fd(&run->process.pidfd);
    free(run);
}

/* argv of the lab program: its own name, its options, "--", COMMAND. */
static const char **build_argv(struct run *run, const struct run_options *options)
{
    static const char *argv[128];
    const char *const probe[] = {options->rootfs ? "/bin/probe" : "/strata/probe", NULL};
    const char *const *command = options->command;
    size_t count = 0;

    if (command == NULL)
        command = probe;
    argv[count++] = options->program != NULL ? options->program : world_program(run->g);
    for (const char *const *a = options->arguments; a != NULL && *a != NULL && count < 100; a++)
        argv[count++] = *a;
    if (!options->no_command) {
        argv[count++] = "--";
        for (; *command != NULL && count < 126; command++)
            argv[count++] = say(run->g, "%s", *command);
        for (const char *const *a = options->probe_arguments; a != NULL && *a != NULL && count < 126;)
            argv[count++] = *a++;
    }
    argv[count] = NULL;
    return argv;
}

static int make_channels(struct run *run, int far[2])
{
    int errors[2], pair[2], yes = 1;
    struct stat st;

    if (pipe2(errors, O_CLOEXEC) < 0)
        return -errno;
    run->errors = errors[0];
    far[1] = errors[1];
    fcntl(run->errors, F_SETFL, O_NONBLOCK);
    if (run->no_payload) {
        if (pipe2(pair, O_CLOEXEC) < 0)
            return -errno;
        run->output = pair[0];
        far[0] = pair[1];
        fcntl(run->output, F_SETFL, O_NONBLOCK);
        return 0;
    }
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    run->probe = pair[0];
    far[0] = pair[1];
    setsockopt(run->probe, SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes);
    if (fstat(far[0], &st) < 0)
        return -errno;
    run->socket_inode = st.st_ino;
    return 0;
}

struct run *run_start(struct grade *g, const struct run_options *options)
{
    static const char *const plain[] = {"PATH=/strata:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
                                        "HOME=/tmp", "LANG=C.UTF-8", NULL};
    struct run *run = calloc(1, sizeof *run);
    struct room_fd fds[ROOM_FDS_MAX];
    size_t count = 0;
    int far[2] = {-1, -1};

    if (run == NULL)
        grade_error(g, -ENOMEM, "no memory for a run");
    run->g = g;
    run->probe = run->errors = run->output = -1;
    run->process.pidfd = run->payload.pidfd = -1;
    run->own_room.pidfd = run->own_room.socket = -1;
    run->room = options->beside != NULL ? options->beside->room : &run->own_room;
    run->no_payload = options->command != NULL || options->no_command;
    grade_defer(g, run_end, run);

    if (run->room == &run->own_room)
        world_room(g, &(struct room_options){.rootfs = options->rootfs}, run->room);
    int result = make_channels(run, far);
    autoclose int far_in = far[0];
    autoclose int far_errors = far[1];
    if (result < 0)
        grade_error(g, result, "no pipes for a run");
    if (!run->no_payload)
        fds[count++] = (struct room_fd){far_in, 0};
    fds[count++] = (struct room_fd){far_in, 1};
    fds[count++] = (struct room_fd){far_errors, 2};
    for (size_t i = 0; i < options->fd_count && count < ROOM_FDS_MAX; i++)
        fds[count++] = options->fds[i];

    struct room_command command = {
        .argv = build_argv(run, options),
        .envp = options->environment != NULL ? options->environment : plain,
        .fds = fds,
        .fd_count = count,
        .ignored = options->ignored,
        .blocked = options->blocked,
    };
    result = room_spawn(run->room, &command, &run->process);
    if (result == -EPIPE) /* the room went while the program started: it has that quickly */
        world_lost(g);
    if (result < 0)
        grade_error(g, result, "the lab program could not be started in the sandbox (%s)",
                    run->room->why);
    return run;
}

/* --- waiting -------------------------------------------------------------------------------- */

/* Everything the program wrote before it ended is in the pipes by now. */
static void drain(struct run *run)
{
    for (size_t before = (size_t)-1; before != run->printed;) {
        before = run->printed;
        if (run->probe >= 0 && !run->has_payload)
            take_datagram(run);
        if (run->errors >= 0)
            take_errors(run);
        if (run->output >= 0)
            take_output(run);
    }
}

/* Also notes why it was killed, if that was not the program's own affair. */
static int exit_status(struct run *run)
{
    const struct room_process *process = &run->process;

    if (process->status == SIGKILL || process->status == 128 + SIGKILL)
        world_killed(run->g);
    return process->code == CLD_EXITED ? process->status : 128 + process->status;
}

static _Noreturn void fail_stuck(struct run *run, const char *expected)
{
    const char *stuck =
        stuck_describe(run->g, run->process.pid, run->room->pidfd, run->room->pid);

    drain(run);
    fail(run->g, .because = "stuck", .expected = expected,
         .kernel = say(run->g, "nothing for %d seconds: %s", patience(), stuck),
         .see = "cat /proc/PID/syscall and /proc/PID/wchan of the process that waits");
}

static _Noreturn void fail_impostor(struct run *run, const char *kernel)
{
    fail(run->g, .because = "impostor", .expected = "COMMAND itself, with the caller's fds 0, 1, 2",
         .kernel = kernel, .see = "ls -l /proc/PID/exe /proc/PID/fd");
}

const struct payload *run_payload(struct run *run)
{
    struct grade *g = run->g;

    if (run->no_payload)
        grade_error(g, 0, "run_payload of a run without the probe");
    if (run->has_payload)
        return &run->payload;
    bool over = false;
    for (int64_t deadline = now_ms() + patience() * 1000; !over && now_ms() < deadline;) {
        pump(run, 50);
        if (run->refused[0] != '\0' && deadline > now_ms() + REFUSED_MS)
            deadline = now_ms() + REFUSED_MS;
        over = run->has_payload || run->process.ended;
    }
    if (run->has_payload)
        return &run->payload;
    if (!run->process.ended && run->refused[0] == '\0')
        fail_stuck(run, "your program starts COMMAND");
    drain(run);
    if (run->has_payload)
        return &run->payload;
    if (run->refused[0] != '\0')
        fail_impostor(run, say(g, "%s", run->refused));
    int status = exit_status(run);
    crash_note(g);
    fail(g, .because = "no-command", .expected = "your program starts COMMAND",
         .kernel = say(g, "it ended with status %d, and COMMAND never ran",
                       status),
         .see = say(g, "make trace%.2s", g->lab->name));
}

static void send_request(struct run *run, const char *text)
{
    ssize_t sent;

    run_payload(run);
    run->has_reply = false;
    do
        sent = send(run->probe, text, strlen(text), MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    (void)sent; /* if it is gone, the wait for its reply says so */
}

const char *run_ask(struct run *run, const char *format, ...)
{
    char text[4096];
    va_list args;
    struct pollfd end;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    send_request(run, text);
    end = (struct pollfd){run->payload.pidfd, POLLIN, 0};
    int64_t deadline = now_ms() + patience() * 1000;
    while (!run->has_reply && run->probe >= 0 && now_ms() < deadline) {
        bool gone = poll(&end, 1, 0) > 0;
        pump(run, gone ? 0 : 20);
        if (gone && !run->has_reply)
            break;
    }
    if (run->two_voices)
        fail_impostor(run, say(run->g, "two processes spoke as process %d", run->payload.pid));
    if (!run->has_reply) {
        drain(run);
        fail(run->g, .because = "payload-gone", .expected = say(run->g, "COMMAND answers \"%s\"", text),
             .kernel = poll(&end, 1, 0) > 0 ? "COMMAND has ended" : "COMMAND does not answer",
             .see = say(run->g, "make trace%.2s", run->g->lab->name));
    }
    return say(run->g, "%s", run->reply);
}

void run_tell(struct run *run, const char *format, ...)
{
    char text[4096];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    send_request(run, text);
}

int run_exit_status(struct run *run)
{
    if (!pump_until(run, &run->process.ended, NULL))
        fail_stuck(run, "your program ends");
    drain(run);
    int status = exit_status(run);
    crash_note(run->g);
    return status;
}

bool run_ended(struct run *run)
{
    pump(run, 0);
    return run->process.ended;
}

const char *run_output(struct run *run)
{
    return run->text;
}

bool run_said(struct run *run, const char *text)
{
    const struct logring *log = &run->g->log;

    for (size_t i = 0; i < logring_count(log); i++)
        if (strstr(logring_line(log, i), text) != NULL)
            return true;
    return false;
}

struct grade *run_grade(const struct run *run)
{
    return run->g;
}

pid_t run_program_pid(const struct run *run)
{
    return run->process.pid;
}

pid_t run_program_inside(const struct run *run)
{
    return run->process.inside;
}

int run_program_pidfd(const struct run *run)
{
    return run->process.pidfd;
}

pid_t run_outside_pid(const struct run *run)
{
    return run->room->pid;
}

int run_outside_pidfd(const struct run *run)
{
    return run->room->pidfd;
}
