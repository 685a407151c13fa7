#include "vm/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kernel/own.h"
#include "vm/image.h"

enum { LIFETIME_S = 3600 }; /* no guest of any run is older than that */

const char *guest_cgroup_name(enum guest_cgroup cgroup)
{
    static const char *const names[] = {"v2", "v1", "hybrid"};

    return names[cgroup];
}

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* --- the watcher -------------------------------------------------------------------------------
 */

struct channels {
    int report, console, image, lifeline;
};

/* Puts our four fds to 1, 2, 3, 4, and lets go of all others. */
static int keep_fds(const struct channels *channels)
{
    enum { ABOVE = 10 };
    const int wanted[] = {channels->report, channels->console, channels->image, channels->lifeline};
    int copies[4];

    for (int i = 0; i < 4; i++)
        if ((copies[i] = fcntl(wanted[i], F_DUPFD, ABOVE)) < 0)
            return -errno;
    for (int i = 0; i < 4; i++)
        if (dup2(copies[i], 1 + i) < 0)
            return -errno;
    close_range(5, ~0U, 0);
    close(0);
    return open("/dev/null", O_RDONLY) == 0 ? 0 : -EBADF;
}

static _Noreturn void become_qemu(const struct guest_options *options, pid_t watcher)
{
    const char *argv[IMAGE_ARGV_MAX];

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != watcher)
        _exit(1); /* it died before that */
    close(4);
    image_command(options, argv);
    execvp(argv[0], (char *const *)argv);
    dprintf(2, "%s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

/* Waits for the first end: QEMU's own, the harness's, or the last of all deadlines. */
static _Noreturn void watch(const struct guest_options *options, const struct channels *channels)
{
    sigset_t all;

    setsid(); /* Ctrl-C is for the harness, which closes the lifeline */
    sigfillset(&all);
    sigprocmask(SIG_UNBLOCK, &all, NULL);
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    if (keep_fds(channels) < 0)
        _exit(1);
    pid_t self = getpid();
    pid_t qemu = fork();
    if (qemu == 0)
        become_qemu(options, self);
    int pidfd = qemu > 0 ? (int)syscall(SYS_pidfd_open, qemu, 0) : -1;
    for (int fd = 1; fd <= 3; fd++)
        close(fd); /* or the harness would wait for us, too, at the end of what QEMU says */
    struct pollfd ends[2] = {{4, 0, 0}, {pidfd, POLLIN, 0}};
    if (pidfd >= 0)
        while (poll(ends, 2, LIFETIME_S * 1000) < 0 && errno == EINTR)
            ;
    if (qemu > 0) {
        kill(qemu, SIGKILL); /* our child, not yet waited for: the number is still its own */
        waitpid(qemu, NULL, 0);
    }
    _exit(0);
}

/* --- starting ----------------------------------------------------------------------------------
 */

static int draw_nonce(char nonce[FRAME_NONCE + 1])
{
    unsigned char bytes[FRAME_NONCE / 2];

    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
        return -errno;
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(nonce + 2 * i, 3, "%02x", bytes[i]);
    return 0;
}

static void heard(void *arg, const char *message, size_t length)
{
    struct guest *guest = arg;
    int silence = guest->options.silence_ms;

    guest->deadline = now_ms() + (silence != 0 ? silence : GUEST_SILENCE_MS);
    if (guest->options.message != NULL)
        guest->options.message(guest->options.arg, message, length);
}

static int fork_watcher(struct guest *guest, int image)
{
    int report[2], console[2], lifeline[2];

    if (pipe2(report, O_CLOEXEC) < 0)
        return -errno;
    guest->report = report[0];
    autoclose int report_end = report[1];
    if (pipe2(console, O_CLOEXEC) < 0)
        return -errno;
    guest->console = console[0];
    autoclose int console_end = console[1];
    if (pipe2(lifeline, O_CLOEXEC) < 0)
        return -errno;
    guest->lifeline = lifeline[1];
    autoclose int lifeline_end = lifeline[0];
    guest->watcher = fork();
    if (guest->watcher == 0)
        watch(&guest->options, &(struct channels){report_end, console_end, image, lifeline_end});
    return guest->watcher < 0 ? -errno : 0;
}

int guest_open(const struct guest_options *options, struct guest *guest)
{
    char nonce[FRAME_NONCE + 1];

    *guest = (struct guest){.options = *options, .report = -1, .console = -1, .lifeline = -1};
    int result = draw_nonce(nonce);
    autoclose int image = result == 0 ? image_make(options, nonce) : -1;
    if (result == 0 && image < 0)
        result = image;
    if (result < 0) {
        snprintf(guest->why, sizeof guest->why, "the guest's image: %s", strerror(-result));
        return result;
    }
    frame_reader_init(&guest->reader, nonce, heard, guest);
    guest->deadline = now_ms() + (options->boot_ms != 0 ? options->boot_ms : GUEST_BOOT_MS);
    result = fork_watcher(guest, image);
    if (result < 0) {
        snprintf(guest->why, sizeof guest->why, "the guest's watcher: %s", strerror(-result));
        guest_close(guest);
    }
    return result;
}

/* --- hearing -----------------------------------------------------------------------------------
 */

static void drop(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void hear_report(struct guest *guest)
{
    char bytes[16384];
    ssize_t got = read(guest->report, bytes, sizeof bytes);

    if (got > 0)
        frame_feed(&guest->reader, bytes, (size_t)got);
    else if (got == 0 || errno != EINTR)
        drop(&guest->report);
}

static void hear_console(struct guest *guest)
{
    char bytes[4096];
    ssize_t got = read(guest->console, bytes, sizeof bytes);

    if (got > 0 && guest->options.console != NULL)
        guest->options.console(guest->options.arg, bytes, (size_t)got);
    else if (got == 0 || (got < 0 && errno != EINTR))
        drop(&guest->console);
}

/* True when there is nothing more to wait for. */
static bool over(struct guest *guest)
{
    if (guest->reader.broken) {
        snprintf(guest->why, sizeof guest->why,
                 "something on the guest's port for results was not its report");
    } else if (guest->report < 0 && guest->console < 0) {
        guest->good = guest->reader.ended;
        if (!guest->good)
            snprintf(guest->why, sizeof guest->why, "the guest ended before its report did");
    } else if (guest->reader.ended) {
        guest->good = true;
    } else if (now_ms() >= guest->deadline) {
        snprintf(guest->why, sizeof guest->why,
                 guest->reader.count == 0 ? "the guest did not boot in time"
                                          : "the guest was silent for too long");
    } else {
        return false;
    }
    return true;
}

bool guest_pump(struct guest *guest, int timeout)
{
    struct pollfd fds[2] = {{guest->report, POLLIN, 0}, {guest->console, POLLIN, 0}};

    if (guest->done)
        return false;
    if (poll(fds, 2, timeout) > 0) {
        if (fds[1].revents != 0)
            hear_console(guest);
        if (fds[0].revents != 0)
            hear_report(guest);
    }
    if (!over(guest))
        return true;
    guest->done = true;
    if (!guest->good)
        while (guest->console >= 0 && poll(&(struct pollfd){guest->console, POLLIN, 0}, 1, 100) > 0)
            hear_console(guest); /* its last words */
    guest_close(guest);
    return false;
}

void guest_close(struct guest *guest)
{
    if (guest->watcher <= 0)
        return;
    guest->done = true;
    drop(&guest->lifeline);
    while (waitpid(guest->watcher, NULL, 0) < 0 && errno == EINTR)
        ;
    guest->watcher = 0;
    drop(&guest->report);
    drop(&guest->console);
    frame_reader_free(&guest->reader);
}
