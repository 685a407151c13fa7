/*
 * What the filters of this process say of a call, without its being made: so any call can be asked
 * for with any arguments, reboot and kill(-1) among them.
 *
 * A second filter of ours is stacked upon the others, and passes every call to a listener
 * (SECCOMP_RET_USER_NOTIF). The strictest answer wins: an error or a kill of theirs comes before a
 * listener, which comes before what they allow. What arrives there is let through by them all; it
 * is answered with a number that no call gives, and the kernel never makes it.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe/calls.h"
#include "probe/verbs.h"

enum { CALLS = 1024, PASS = 0x57a7a, LET_THROUGH = 24301, SECONDS = 20 };

static struct call calls[CALLS];
static size_t count;

/* Kept where it outlives the child that asks. */
static struct findings {
    volatile int error; /* what kept us from asking at all */
    volatile size_t done;
    struct {
        long result;
        int signal;
    } of[CALLS];
} * found;

/* --- the child: one thread asks, the other listens -------------------------------------------- */

static int news[2];

static void *listen_to(void *arg)
{
    struct seccomp_notif request;
    int fd;

    (void)arg;
    if (read(news[0], &fd, sizeof fd) != (ssize_t)sizeof fd)
        _exit(1);
    for (;;) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        if (poll(&ready, 1, -1) < 0 || (ready.revents & POLLIN) == 0)
            _exit(1); /* the other thread is no more */
        memset(&request, 0, sizeof request);
        if (ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &request) < 0)
            continue;
        struct seccomp_notif_resp response = {.id = request.id, .val = LET_THROUGH};
        ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &response);
    }
    return NULL;
}

/* Ours: calls whose sixth argument is PASS are our own, and are made. Returns the listener. */
static long stack_filter(void)
{
    unsigned low = offsetof(struct seccomp_data, args[5]);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    low += 4;
#endif
    struct sock_filter code[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, low),
                                 BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PASS, 0, 1),
                                 BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
                                 BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF)};
    struct sock_fprog program = {sizeof code / sizeof *code, code};

    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
                   &program);
}

/* No libc from the filter on: its calls would be passed to the listener too. */
static _Noreturn void ask(long (*make)(const struct call *))
{
    pthread_t thread;

    alarm(SECONDS);
    found->error = pipe(news) < 0 ? errno : pthread_create(&thread, NULL, listen_to, NULL);
    if (found->error != 0)
        _exit(1);
    int fd = (int)stack_filter();
    if (fd < 0) {
        found->error = errno;
        _exit(1);
    }
    if (syscall(SYS_write, news[1], &fd, sizeof fd, 0, 0, PASS) != (long)sizeof fd) {
        found->error = EPROTO;
        __builtin_trap();
    }
    for (size_t i = found->done; i < count; i++) {
        found->of[i].result = make(&calls[i]);
        found->done = i + 1;
    }
    syscall(SYS_exit_group, 0, 0, 0, 0, 0, PASS);
    __builtin_trap(); /* this ends us even where exit_group is refused */
}

/* --- the verb --------------------------------------------------------------------------------- */

/* A call that ends its caller is noted, and a new child goes on behind it. */
static void ask_all(long (*make)(const struct call *))
{
    while (found->done < count && found->error == 0) {
        int status = 0;
        pid_t child = fork();
        if (child == 0)
            ask(make);
        while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
            ;
        if (child < 0 || (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM))
            found->error = child < 0 ? errno : ETIMEDOUT;
        else if (found->error == 0 && found->done < count) /* of a killed thread the rest ends */
            found->of[found->done++].signal = WIFSIGNALED(status) ? WTERMSIG(status) : SIGSYS;
    }
}

/* asked 64|32 NUMBER[,ARG...] ...: "ok" and for each "let" (what all filters allow), the result
 * that it is given in place of being made, or "sN" (ended by signal N). */
static void verb_asked(char *arguments, struct answer *answer)
{
    const char *bits = strsep(&arguments, " ");
    long (*make)(const struct call *) = strcmp(bits, "32") == 0 ? call_make_32 : call_make;

    count = 0;
    for (char *word; (word = strsep(&arguments, " ")) != NULL && *word != '\0' && count < CALLS;
         count++) {
        for (char *comma = word; (comma = strchr(comma, ',')) != NULL;)
            *comma = ' ';
        call_read(word, &calls[count]);
    }
    if (found == NULL)
        found =
            mmap(NULL, sizeof *found, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (found == MAP_FAILED) {
        found = NULL;
        put_result(answer, false);
        return;
    }
    memset(found, 0, sizeof *found);
    ask_all(make);
    errno = found->error;
    put_result(answer, found->error == 0);
    for (size_t i = 0; i < count && found->error == 0; i++)
        if (found->of[i].signal != 0)
            put(answer, " s%d", found->of[i].signal);
        else if (found->of[i].result == LET_THROUGH)
            put(answer, " let");
        else
            put(answer, " %ld", found->of[i].result);
}

const struct verb verbs_of_filters[] = {
    {"asked", verb_asked},
    {0},
};
