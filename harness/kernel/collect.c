/* Waiting for what a child of ours has to tell, and not for ever. */
#include "kernel/collect.h"
#include "kernel/file.h"
#include "kernel/own.h"

#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

struct bytes {
    char *text;
    size_t len;
    size_t size;
};

int64_t kernel_ms_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int kernel_ms_left(int64_t deadline)
{
    int64_t left = deadline - kernel_ms_now();

    if (left < 0)
        return 0;
    return left > INT_MAX ? INT_MAX : (int)left;
}

/* Reads what is there. 1: more may come; 0: end of file; or -errno. */
static int take(int fd, struct bytes *bytes)
{
    ssize_t got;

    if (bytes->size - bytes->len < 2) {
        size_t size = bytes->size ? bytes->size * 2 : 4096;
        char *grown = realloc(bytes->text, size);

        if (!grown)
            return -ENOMEM;
        bytes->text = grown;
        bytes->size = size;
    }
    got = read(fd, bytes->text + bytes->len, bytes->size - bytes->len - 1);
    if (got < 0)
        return errno == EINTR || errno == EAGAIN ? 1 : -errno;
    bytes->len += (size_t)got;
    bytes->text[bytes->len] = '\0';
    if (bytes->len > KERNEL_FILE_MAX)
        return -EFBIG;
    return got > 0;
}

/* Reads both ends until both are at their end, or the deadline. */
static int take_both(const struct kernel_collect *collect, struct bytes *out, struct bytes *result)
{
    struct pollfd fds[2] = {{.fd = collect->out, .events = POLLIN},
                            {.fd = collect->result, .events = POLLIN}};
    struct bytes *to[2] = {out, result};

    while (fds[0].fd >= 0 || fds[1].fd >= 0) {
        int ready = poll(fds, 2, kernel_ms_left(collect->last));

        if (ready == 0)
            return -ETIMEDOUT;
        if (ready < 0 && errno != EINTR)
            return -errno;
        for (int i = 0; ready > 0 && i < 2; i++) {
            int more = fds[i].fd >= 0 && fds[i].revents ? take(fds[i].fd, to[i]) : 1;

            if (more < 0)
                return more;
            if (more == 0)
                fds[i].fd = -1; /* poll(2) skips it */
        }
    }
    return 0;
}

static int verdict(const struct kernel_collect *collect, const struct bytes *result)
{
    int error;

    if (result->len == sizeof(error)) {
        memcpy(&error, result->text, sizeof(error));
        return error > 0 ? -EBADMSG : error;
    }
    /* It ended without a word: killed, by the deadline or from within. */
    return kernel_ms_left(collect->deadline) == 0 ? -ETIMEDOUT : -EIO;
}

int kernel_collect(const struct kernel_collect *collect, char **text, size_t *len)
{
    struct bytes out = {0}, result = {0};
    int error = take_both(collect, &out, &result);

    if (error)
        kill(collect->child, SIGKILL); /* our child, not reaped yet: the number is still its own */
    while (waitpid(collect->child, NULL, 0) < 0 && errno == EINTR)
        ;
    if (!error)
        error = verdict(collect, &result);
    if (!error) {
        *text = out.text;
        *len = out.len;
        out.text = NULL;
    }
    free(out.text);
    free(result.text);
    return error;
}
