/* The harness's side: opening a sandbox, its rooms, and what runs in them. */
#include "sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kernel/own.h"
#include "sandbox/command.h"
#include "sandbox/ids.h"
#include "sandbox/keeper.h"
#include "sandbox/limits.h"
#include "sandbox/message.h"

/* How long anything of our own may take to answer, on a machine that does much else. */
enum { ANSWER_SECONDS = 20, END_MS = 20000, NEWS_MS = 5000, KEEPER_MS = 2000 };

/* Beside our own program; the tests' programs lie a folder deeper. */
static int open_program(void)
{
    static const char *const names[] = {"/sandbox", "/../sandbox", "/../../sandbox"};
    char path[PATH_MAX + 32];
    ssize_t length = readlink("/proc/self/exe", path, PATH_MAX);

    if (length <= 0)
        return -errno;
    path[length] = '\0';
    char *name = strrchr(path, '/');
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        strcpy(name, names[i]);
        struct stat st;
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
            return fd;
        if (fd >= 0)
            close(fd); /* a folder of that name */
    }
    return -ENOENT;
}

/* The pid, in our own numbering, behind a pidfd: pidfd_open(2), "fdinfo". */
static pid_t pidfd_pid(int pidfd)
{
    char path[64], line[128];
    int pid = -ESRCH;

    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", pidfd);
    autofclose FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "Pid: %d", &pid) == 1)
            break;
    return pid;
}

static int make_socket(int ends[2])
{
    struct timeval patience = {.tv_sec = ANSWER_SECONDS};

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return -errno;
    setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return 0;
}

/* Waits for MESSAGE_READY; `pidfd` (when not NULL) takes the fd that comes with it. */
static int await_ready(int socket, int *pidfd, char *why, size_t size, int *blame)
{
    static struct message message;
    int got = message_receive(socket, &message, 0);

    if (got <= 0) {
        snprintf(why, size, "%s",
                 got == 0 ? "it ended while it was being set up" : "no answer from it in time");
        return got == 0 ? -EPIPE : got;
    }
    if (message.kind == MESSAGE_READY && (pidfd == NULL || message.fd_count == 1)) {
        if (pidfd != NULL)
            *pidfd = message.fds[0];
        return 0;
    }
    message_close_fds(&message);
    if (message.kind != MESSAGE_FAILED) {
        snprintf(why, size, "an answer that makes no sense");
        return -EBADMSG;
    }
    snprintf(why, size, "%.*s", (int)message.length, message.text);
    *blame = message.a;
    return message.error < 0 ? message.error : -EIO;
}

static int send_files(int control, const struct sandbox_options *options)
{
    static struct message message;

    for (size_t i = 0; i <= options->file_count; i++) {
        const struct sandbox_file *file = &options->files[i];
        bool last = i == options->file_count;
        message.kind = MESSAGE_FILES;
        message.fd_count = last ? 0 : 1;
        message.length = 0;
        if (!last) {
            message.fds[0] = file->fd;
            message.a = file->executable;
            message.length =
                (uint32_t)snprintf(message.text, sizeof message.text, "%s", file->name) + 1;
        }
        int result = message_send(control, &message);
        if (result < 0)
            return result;
    }
    return 0;
}

static int start_keeper(const struct sandbox_options *options, struct sandbox *sandbox,
                        int lifeline[2], int program)
{
    int control[2], keeper[2];

    if (make_socket(control) < 0)
        return -errno;
    sandbox->control = control[0];
    autoclose int control_far = control[1];
    if (make_socket(keeper) < 0)
        return -errno;
    sandbox->keeper = keeper[0];
    autoclose int keeper_far = keeper[1];

    struct keeper_job job = {.options = options,
                             .run = sandbox->run,
                             .harness = keeper_far,
                             .control = control_far,
                             .lifeline = {lifeline[0], lifeline[1]},
                             .program = program};
    ids_choose(options->single_id, &job.ids);
    sandbox->ids = job.ids.count;
    sandbox->keeper_pid = fork();
    if (sandbox->keeper_pid == 0)
        keeper_run(&job);
    return sandbox->keeper_pid < 0 ? -errno : 0;
}

int sandbox_open(const struct sandbox_options *options, struct sandbox *sandbox)
{
    int lifeline[2];

    *sandbox = (struct sandbox){.pidfd = -1, .control = -1, .keeper = -1, .lifeline = -1};
    limits_sweep();
    limits_mark(sandbox->run, sizeof sandbox->run);
    autoclose int program = open_program();
    if (program < 0) {
        snprintf(sandbox->why, sizeof sandbox->why,
                 "the sandbox's program is missing beside this one; run make again");
        return program;
    }
    if (pipe2(lifeline, O_CLOEXEC) < 0)
        return -errno;
    int result = start_keeper(options, sandbox, lifeline, program);
    close(lifeline[0]);
    sandbox->lifeline = lifeline[1];
    if (result < 0)
        snprintf(sandbox->why, sizeof sandbox->why, "cannot start its keeper: %s",
                 strerror(-result));
    else
        result = await_ready(sandbox->keeper, &sandbox->pidfd, sandbox->why, sizeof sandbox->why,
                             &sandbox->blame);
    if (result == 0) {
        sandbox->pid = pidfd_pid(sandbox->pidfd);
        result = send_files(sandbox->control, options);
        /* If it died of something it had a word to say of, that word is waiting for us. */
        int ready =
            await_ready(sandbox->control, NULL, sandbox->why, sizeof sandbox->why, &sandbox->blame);
        if (ready < 0)
            result = ready;
    }
    if (result < 0)
        sandbox_close(sandbox);
    return result;
}

static void close_fd(int *fd)
{
    if (*fd > 0)
        close(*fd);
    *fd = -1;
}

/* Waits for the end of a process; signals do not cut it short. */
static bool await_end(int pidfd, int milliseconds)
{
    enum { SLICE_MS = 50 };
    struct pollfd end = {pidfd, POLLIN, 0};

    for (int spent = 0; spent < milliseconds; spent += SLICE_MS)
        if (poll(&end, 1, SLICE_MS) > 0)
            return true;
    return false;
}

/* A keeper that somebody has stopped cannot clean up; what is left to do we do then. */
static void reap_keeper(pid_t keeper)
{
    autoclose int pidfd = (int)syscall(SYS_pidfd_open, keeper, 0);

    if (pidfd < 0 || !await_end(pidfd, KEEPER_MS))
        kill(keeper, SIGKILL);
    while (waitpid(keeper, NULL, 0) < 0 && errno == EINTR)
        ;
}

void sandbox_close(struct sandbox *sandbox)
{
    if (sandbox->keeper > 0)
        shutdown(sandbox->keeper, SHUT_RDWR); /* to the keeper this is our end */
    if (sandbox->pidfd > 0) {
        /* Should the keeper be dead: we may kill what runs in a user namespace of ours. */
        syscall(SYS_pidfd_send_signal, sandbox->pidfd, SIGKILL, NULL, 0);
        await_end(sandbox->pidfd, END_MS);
    }
    if (sandbox->keeper_pid > 0) {
        reap_keeper(sandbox->keeper_pid);
        limits_remove_run(sandbox->run); /* nothing there any more unless the keeper was killed */
    }
    sandbox->keeper_pid = 0;
    close_fd(&sandbox->pidfd);
    close_fd(&sandbox->control);
    close_fd(&sandbox->keeper);
    close_fd(&sandbox->lifeline);
}

bool sandbox_ended(struct sandbox *sandbox)
{
    static struct message message;
    struct pollfd fds[2] = {{sandbox->keeper, POLLIN, 0}, {sandbox->pidfd, POLLIN, 0}};

    if (sandbox->why[0] != '\0') /* told already; its processes may take a while to go */
        return true;
    if (poll(fds, 2, 0) <= 0)
        return false;
    int got = message_receive(sandbox->keeper, &message, MSG_DONTWAIT);
    if (got == 1 && message.kind == MESSAGE_FAILED) {
        snprintf(sandbox->why, sizeof sandbox->why, "%.*s", (int)message.length, message.text);
        sandbox->blame = message.a;
    } else {
        snprintf(sandbox->why, sizeof sandbox->why, "the sandbox was killed from outside");
    }
    return true;
}

bool sandbox_ending(struct sandbox *sandbox, bool surely)
{
    struct pollfd news = {sandbox->keeper, POLLIN, 0};

    if (surely || limits_squeezed(sandbox->run))
        poll(&news, 1, NEWS_MS);
    return sandbox_ended(sandbox);
}

/* --- rooms ---------------------------------------------------------------------------------- */

int room_open(struct sandbox *sandbox, const struct room_options *options, struct room *room)
{
    int ends[2];

    *room = (struct room){.pidfd = -1, .socket = -1};
    if (sandbox_ended(sandbox)) {
        snprintf(room->why, sizeof room->why, "%s", sandbox->why);
        room->blame = sandbox->blame;
        return -EPIPE;
    }
    if (make_socket(ends) < 0) {
        snprintf(room->why, sizeof room->why, "cannot make a socket: %s", strerror(errno));
        return -errno;
    }
    room->socket = ends[0];
    int result = message_note(sandbox->control, MESSAGE_ROOM, ends[1], options->rootfs, 0, 0);
    close(ends[1]);
    if (result == 0)
        result =
            await_ready(sandbox->control, &room->pidfd, room->why, sizeof room->why, &room->blame);
    if (result == -EAGAIN) /* its answer may still come, and must not be taken for another's */
        shutdown(sandbox->keeper, SHUT_RDWR);
    if (result == 0) {
        room->pid = pidfd_pid(room->pidfd);
        result = await_ready(room->socket, NULL, room->why, sizeof room->why, &room->blame);
    }
    if (result < 0)
        room_close(room);
    return result;
}

void room_close(struct room *room)
{
    close_fd(&room->socket);
    if (room->pidfd > 0) {
        syscall(SYS_pidfd_send_signal, room->pidfd, SIGKILL, NULL, 0);
        await_end(room->pidfd, END_MS); /* PID 1 ends last, when all others of its namespace have */
    }
    close_fd(&room->pidfd);
    room->watched_count = 0;
}

static void note_end(struct room *room, const struct message *message)
{
    for (size_t i = 0; i < room->watched_count; i++) {
        struct room_process *process = room->watched[i];
        if (process->inside == message->a) {
            process->ended = true;
            process->code = message->b;
            process->status = message->c;
            room->watched[i] = room->watched[--room->watched_count]; /* the number may come again */
            return;
        }
    }
}

int room_spawn(struct room *room, const struct room_command *command, struct room_process *process)
{
    static struct message message;

    *process = (struct room_process){.pidfd = -1};
    if (room->watched_count == ROOM_WATCHED_MAX)
        return -EMFILE;
    int result = command_pack(command, &message);
    if (result == 0)
        result = message_send(room->socket, &message);
    while (result == 0) {
        int got = message_receive(room->socket, &message, 0);
        if (got <= 0) {
            result = got == 0 ? -EPIPE : got;
        } else if (message.kind == MESSAGE_STARTED && message.fd_count == 1) {
            process->inside = message.a;
            process->pidfd = message.fds[0];
            process->pid = pidfd_pid(process->pidfd);
            room->watched[room->watched_count++] = process;
            return 0;
        } else if (message.kind == MESSAGE_FAILED) {
            snprintf(room->why, sizeof room->why, "%.*s", (int)message.length, message.text);
            result = message.error < 0 ? message.error : -EIO;
        } else if (message.kind == MESSAGE_ENDED) {
            note_end(room, &message);
        }
    }
    return result;
}

int room_event(struct room *room)
{
    static struct message message;
    int got = message_receive(room->socket, &message, MSG_DONTWAIT);

    if (got == -EAGAIN)
        return 0;
    if (got <= 0)
        return got == 0 ? -EPIPE : got;
    if (message.kind == MESSAGE_ENDED)
        note_end(room, &message);
    message_close_fds(&message);
    return 1;
}

int room_wait(struct room *room, struct room_process *process, int milliseconds)
{
    struct timespec start, now;

    clock_gettime(CLOCK_MONOTONIC, &start);
    int64_t left = milliseconds;
    while (!process->ended) {
        struct pollfd fd = {room->socket, POLLIN, 0};
        if (left <= 0)
            return -ETIMEDOUT;
        poll(&fd, 1, (int)left);
        int got = room_event(room);
        if (got < 0)
            return got;
        clock_gettime(CLOCK_MONOTONIC, &now);
        left = milliseconds -
               ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000);
    }
    return 0;
}
