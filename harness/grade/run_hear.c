/* Listening to a run: the payload's socket, what the program prints, the news of its room. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "grade/grade.h"
#include "grade/payload.h"
#include "grade/run_private.h"
#include "grade/world.h"

enum { LOG_MAX = 1 << 20 /* a program that prints more than this is stopped */ };

int64_t run_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int run_patience(void)
{
    const char *text = getenv("STRATA_PATIENCE");
    int most = getenv("STRATA_GUEST") != NULL ? 4 * RUN_SECONDS : RUN_SECONDS; /* emulated */
    int seconds = text != NULL ? atoi(text) : most;

    return seconds >= 1 && seconds < most ? seconds : most;
}

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

void run_close_fd(int *fd)
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
        run_close_fd(&run->errors);
}

static void take_output(struct run *run)
{
    char bytes[4096];
    ssize_t got = read(run->output, bytes, sizeof bytes);

    if (got <= 0) {
        if (got == 0 || errno != EAGAIN)
            run_close_fd(&run->output);
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
            run_close_fd(&run->probe);
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
                              .room_pidfd = run->room->pidfd};
        claim.program = world_probe(run->g, &claim.program_size);
        run->has_payload =
            payload_check(&claim, &run->payload, run->refused, sizeof run->refused) == 0;
    } else {
        take_log(run, text, (size_t)got);
    }
}

void run_pump(struct run *run, int milliseconds)
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
    if (fds[3].revents != 0 && fds[0].revents == 0 && fds[1].revents == 0 && fds[2].revents == 0 &&
        room_event(run->room) < 0)
        world_lost(run->g); /* never returns */
}

bool run_pump_until(struct run *run, const bool *flag, const bool *end)
{
    int64_t deadline = run_now_ms() + run_patience() * 1000;

    while (!*flag && (end == NULL || !*end)) {
        int64_t left = deadline - run_now_ms();
        if (left <= 0)
            return false;
        run_pump(run, (int)left);
    }
    return *flag;
}

bool run_until(struct run *run, bool (*holds)(void *arg), void *arg)
{
    int64_t deadline = run_now_ms() + run_patience() * 1000;
    bool result;

    while (!(result = holds(arg)) && run_now_ms() < deadline)
        run_pump(run, 2);
    return result;
}

void run_drain(struct run *run)
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
