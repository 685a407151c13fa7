/* Verbs about system calls themselves: one is made, as raw as it gets, by a child of the probe, and
 * the reply says what came of it: "ok RESULT" (or -errno, as the kernel gives it), or "ok signal N"
 * when the child did not survive it. Numbers come from the grader: each machine has its own. */
#include "probe/verbs.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe/calls.h"

bool call_read(const char *text, struct call *call)
{
    char *end;

    *call = (struct call){.number = (long)strtoul(text, &end, 0)};
    if (end == text)
        return false;
    for (int i = 0; i < 6 && *end == ' '; i++)
        call->args[i] = strtoul(end, &end, 0);
    return *(end + strspn(end, " ")) == '\0';
}

long call_make(const struct call *call)
{
    const unsigned long *a = call->args;
    long result = syscall(call->number, a[0], a[1], a[2], a[3], a[4], a[5]);

    return result < 0 ? -errno : result;
}

/* The way of 32-bit programs into the same kernel, open to all of x86_64: int 0x80. */
long call_make_32(const struct call *call)
{
#ifdef __x86_64__
    long result;

    __asm__ volatile("int $0x80"
                     : "=a"(result)
                     : "a"(call->number), "b"(call->args[0]), "c"(call->args[1]),
                       "d"(call->args[2]), "S"(call->args[3]), "D"(call->args[4])
                     : "memory", "r8", "r9", "r10", "r11");
    return (int)result;
#else
    (void)call;
    return -ENOSYS;
#endif
}

/* clone(2) in its old form. The new process ends at once. */
static long make_clone(const struct call *call)
{
    unsigned long flags = call->args[0] | SIGCHLD;
#ifdef __s390x__
    long pid = syscall(SYS_clone, 0, flags, 0, 0, 0);
#else
    long pid = syscall(SYS_clone, flags, 0, 0, 0, 0);
#endif

    if (pid == 0)
        _exit(0);
    return pid < 0 ? -errno : 0;
}

static long make_clone3(const struct call *call)
{
    struct clone_args args = {.flags = call->args[0], .exit_signal = SIGCHLD};
    long pid = syscall(SYS_clone3, &args, sizeof args);

    if (pid == 0)
        _exit(0);
    return pid < 0 ? -errno : 0;
}

/* A filter that allows everything, without no_new_privs unless we have it already. */
static long make_filter(const struct call *call)
{
    struct sock_filter allow[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    struct sock_fprog program = {1, allow};

    (void)call;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) < 0 ? -errno : 0;
}

static const struct call *threads_call;

static void *in_thread(void *arg)
{
    (void)arg;
    call_make(threads_call);
    return NULL;
}

/* By a second thread: what ends one thread only leaves the first to tell. */
static long make_call_by_thread(const struct call *call)
{
    pthread_t thread;

    threads_call = call;
    int result = pthread_create(&thread, NULL, in_thread, NULL);
    if (result != 0)
        return -result;
    pthread_join(thread, NULL);
    return 0;
}

static sigjmp_buf survived;

static void on_sigsys(int number)
{
    siglongjmp(survived, number);
}

/* With a handler for SIGSYS, which carries on: then 1. Who is killed by the kernel has no say. */
static long make_call_caught(const struct call *call)
{
    if (sigsetjmp(survived, 1) != 0)
        return 1;
    signal(SIGSYS, on_sigsys);
    return call_make(call);
}

/* In a child, so that whatever it does to its caller, the probe stays as it was. */
static void attempt(const char *text, long (*make)(const struct call *), struct answer *answer)
{
    struct call call;
    int news[2], status;
    long result;

    if (!call_read(text, &call) || pipe(news) < 0) {
        errno = EINVAL;
        put_result(answer, false);
        return;
    }
    pid_t child = fork();
    if (child == 0) {
        pid_t self = getpid();
        result = make(&call);
        if (getpid() != self) /* a second one, born of the call */
            _exit(0);
        _exit(write(news[1], &result, sizeof result) < 0);
    }
    close(news[1]);
    bool told = child > 0 && read(news[0], &result, sizeof result) == (ssize_t)sizeof result;
    int error = errno;
    close(news[0]);
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    errno = error;
    if (told)
        put(answer, "ok %ld", result);
    else if (child > 0 && WIFSIGNALED(status))
        put(answer, "ok signal %d", WTERMSIG(status));
    else
        put_result(answer, false);
}

/* call NUMBER [ARG...]; so too call32, callthread, callcaught */
static void verb_call(char *arguments, struct answer *answer)
{
    attempt(arguments, call_make, answer);
}

static void verb_call32(char *arguments, struct answer *answer)
{
    attempt(arguments, call_make_32, answer);
}

static void verb_callthread(char *arguments, struct answer *answer)
{
    attempt(arguments, make_call_by_thread, answer);
}

static void verb_callcaught(char *arguments, struct answer *answer)
{
    attempt(arguments, make_call_caught, answer);
}

/* clone 0 FLAGS, clone3 0 FLAGS, filter 0 */
static void verb_clone(char *arguments, struct answer *answer)
{
    attempt(arguments, make_clone, answer);
}

static void verb_clone3(char *arguments, struct answer *answer)
{
    attempt(arguments, make_clone3, answer);
}

static void verb_filter(char *arguments, struct answer *answer)
{
    attempt(arguments, make_filter, answer);
}

/* loopback: brings up the lo of our network namespace. */
static void verb_loopback(char *arguments, struct answer *answer)
{
    struct ifreq request = {.ifr_name = "lo"};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool good = fd >= 0 && ioctl(fd, SIOCGIFFLAGS, &request) == 0;

    (void)arguments;
    request.ifr_flags |= IFF_UP;
    put_result(answer, good && ioctl(fd, SIOCSIFFLAGS, &request) == 0);
    if (fd >= 0)
        close(fd);
}

const struct verb verbs_of_syscalls[] = {
    {"call", verb_call},
    {"call32", verb_call32},
    {"callthread", verb_callthread},
    {"callcaught", verb_callcaught},
    {"clone", verb_clone},
    {"clone3", verb_clone3},
    {"filter", verb_filter},
    {"loopback", verb_loopback},
    {0},
};
