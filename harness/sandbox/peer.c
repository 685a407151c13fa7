#include "sandbox/peer.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "kernel/own.h"
#include "sandbox/message.h"

/* How long anything of our own may take to answer, on a machine that does much else. */
enum { ANSWER_SECONDS = 20 };

pid_t peer_pid(int pidfd)
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

int peer_socket(int ends[2])
{
    struct timeval patience = {.tv_sec = ANSWER_SECONDS};

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return -errno;
    setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return 0;
}

int peer_ready(int socket, int *pidfd, char *why, size_t size, int *blame)
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

bool peer_end(int pidfd, int milliseconds)
{
    enum { SLICE_MS = 50 };
    struct pollfd end = {pidfd, POLLIN, 0};

    for (int spent = 0; spent < milliseconds; spent += SLICE_MS)
        if (poll(&end, 1, SLICE_MS) > 0)
            return true;
    return false;
}

void peer_close(int *fd)
{
    if (*fd > 0)
        close(*fd);
    *fd = -1;
}
