#include "sandbox/message.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The part of a message that travels as data: all but the fds, which the kernel carries. */
static void parts_of(struct message *message, struct iovec parts[2])
{
    parts[0] = (struct iovec){message, offsetof(struct message, fds)};
    parts[1] = (struct iovec){message->text, message->length};
}

union control {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int) * MESSAGE_FDS)];
};

int message_send(int socket, const struct message *message)
{
    struct message *m = (struct message *)message; /* sendmsg takes no const, and changes nothing */
    union control control = {0};
    struct iovec parts[2];
    struct msghdr header = {.msg_iov = parts, .msg_iovlen = 2};
    size_t bytes = sizeof(int) * (size_t)m->fd_count;

    parts_of(m, parts);
    if (m->fd_count > 0) {
        header.msg_control = &control;
        header.msg_controllen = CMSG_SPACE(bytes);
        struct cmsghdr *c = CMSG_FIRSTHDR(&header);
        *c = (struct cmsghdr){
            .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(bytes)};
        memcpy(CMSG_DATA(c), m->fds, bytes);
    }
    ssize_t sent;
    do
        sent = sendmsg(socket, &header, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : 0;
}

int message_receive(int socket, struct message *message, int flags)
{
    union control control;
    struct iovec parts[2];
    struct msghdr header = {.msg_iov = parts,
                            .msg_iovlen = 2,
                            .msg_control = &control,
                            .msg_controllen = sizeof control};
    ssize_t got;

    parts_of(message, parts);
    parts[1].iov_len = sizeof message->text;
    do
        got = recvmsg(socket, &header, flags | MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    if (got <= 0)
        return got < 0 ? (errno == ECONNRESET ? 0 : -errno) : 0;

    message->fd_count = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&header); c != NULL; c = CMSG_NXTHDR(&header, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(message->fds, CMSG_DATA(c), count * sizeof(int));
        message->fd_count = (int32_t)count;
    }
    if ((size_t)got < parts[0].iov_len || message->length != (size_t)got - parts[0].iov_len ||
        (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
        message_close_fds(message);
        return -EBADMSG;
    }
    return 1;
}

/* Everything before the text, and no more: the text is sixty times a page, and most messages have
 * none. */
static void begin(struct message *message, enum message_kind kind)
{
    memset(message, 0, offsetof(struct message, text));
    message->kind = (int32_t)kind;
}

static void fail_with(int socket, enum blame blame, int error, const char *format, va_list args)
{
    struct message message;

    begin(&message, MESSAGE_FAILED);
    message.error = error;
    message.a = (int32_t)blame;
    int length = vsnprintf(message.text, 1024, format, args);
    if (length >= 0)
        message.length = (uint32_t)strlen(message.text) + 1;
    message_send(socket, &message);
}

void message_fail(int socket, int error, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fail_with(socket, BLAME_US, error, format, args);
    va_end(args);
}

void message_blame(int socket, enum blame blame, int error, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fail_with(socket, blame, error, format, args);
    va_end(args);
}

int message_note(int socket, enum message_kind kind, int fd, int a, int b, int c)
{
    struct message message;

    begin(&message, kind);
    message.a = a;
    message.b = b;
    message.c = c;
    if (fd >= 0) {
        message.fds[0] = fd;
        message.fd_count = 1;
    }
    return message_send(socket, &message);
}

void message_close_fds(struct message *message)
{
    for (int i = 0; i < message->fd_count; i++)
        close(message->fds[i]);
    message->fd_count = 0;
}
