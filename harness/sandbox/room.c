/* The harness's side of rooms: opening one, and what runs in it. */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "kernel/own.h"
#include "sandbox/command.h"
#include "sandbox/groups.h"
#include "sandbox/limits.h"
#include "sandbox/message.h"
#include "sandbox/peer.h"

/* The room waits for them before it does anything else: its cgroup namespace is to begin there. */
static int give_groups(struct sandbox *sandbox, struct room *room)
{
    static struct message message;

    room->sandbox = sandbox;
    room->number = sandbox->rooms;
    message.kind = MESSAGE_GROUPS;
    message.fd_count = 0;
    int result = groups_make(sandbox->run, room->number, sandbox->uid, sandbox->gid, room->pid,
                             message.text, sizeof message.text);
    if (result < 0) {
        snprintf(room->why, sizeof room->why, "cannot make control groups for a room: %s",
                 strerror(-result));
        room->blame = BLAME_MACHINE;
        return result;
    }
    message.length = (uint32_t)strlen(message.text) + 1;
    return message_send(room->socket, &message);
}

int room_open(struct sandbox *sandbox, const struct room_options *options, struct room *room)
{
    int ends[2];

    *room = (struct room){.pidfd = -1, .socket = -1};
    if (sandbox_ended(sandbox)) {
        snprintf(room->why, sizeof room->why, "%s", sandbox->why);
        room->blame = sandbox->blame;
        return -EPIPE;
    }
    if (peer_socket(ends) < 0) {
        snprintf(room->why, sizeof room->why, "cannot make a socket: %s", strerror(errno));
        return -errno;
    }
    room->socket = ends[0];
    int result =
        message_note(sandbox->control, MESSAGE_ROOM, ends[1], options->rootfs, sandbox->cgroups, 0);
    close(ends[1]);
    if (result == 0)
        result =
            peer_ready(sandbox->control, &room->pidfd, room->why, sizeof room->why, &room->blame);
    if (result == -EAGAIN) /* its answer may still come, and must not be taken for another's */
        shutdown(sandbox->keeper, SHUT_RDWR);
    if (result == 0) {
        room->pid = peer_pid(room->pidfd);
        sandbox->rooms++;
        if (sandbox->cgroups)
            result = give_groups(sandbox, room);
    }
    if (result == 0) {
        result = peer_ready(room->socket, NULL, room->why, sizeof room->why, &room->blame);
    }
    if (result < 0)
        room_close(room);
    return result;
}

void room_close(struct room *room)
{
    peer_close(&room->socket);
    if (room->pidfd > 0) {
        syscall(SYS_pidfd_send_signal, room->pidfd, SIGKILL, NULL, 0);
        if (room->sandbox != NULL)
            limits_thaw(room->sandbox->run);
        peer_end(room->pidfd,
                 PEER_END_MS); /* PID 1 ends last, when all others of its namespace have */
    }
    peer_close(&room->pidfd);
    if (room->sandbox != NULL)
        groups_remove(room->sandbox->run, room->number);
    room->sandbox = NULL;
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
            process->pid = peer_pid(process->pidfd);
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
