#include "10-seccomp/given_threads.h"

#include <errno.h>
#include <pthread.h>
#include <seccomp.h>
#include <semaphore.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <unistd.h>

static int wanted;
static bool filtered;
static struct container *described;

static pthread_t last;
static sem_t ready, go;
static int own_filter; /* what became of the first one's own */

/* A filter that allows everything is one all the same: this thread's list of filters has left the
 * common path, and nobody can put another list in its place. */
static int load_own(void)
{
    scmp_filter_ctx context = seccomp_init(SCMP_ACT_ALLOW);
    int result = context == NULL ? -ENOMEM : seccomp_load(context);

    seccomp_release(context);
    return result;
}

static _Noreturn void *stay(void *arg)
{
    if (arg != NULL)
        own_filter = load_own();
    sem_post(&ready);
    for (;;)
        pause();
}

static void *become_command(void *arg)
{
    static int error;
    sigset_t none;

    (void)arg;
    sem_post(&ready);
    while (sem_wait(&go) < 0)
        ;
    sigemptyset(&none); /* a thread's mask is its own: process_start has emptied another one */
    pthread_sigmask(SIG_SETMASK, &none, NULL);
    environ = described->envp;
    execvp(described->argv[0], described->argv);
    error = -errno;
    return &error;
}

/* In place of COMMAND, in the first thread. */
static int hand_over(void *arg)
{
    void *error;

    (void)arg;
    sem_post(&go);
    int result = pthread_join(last, &error); /* returns only if exec fails */
    return result != 0 ? -result : *(int *)error;
}

void threads_ask(struct container *container, int count)
{
    wanted = count;
    described = container;
    container->main = hand_over;
}

void threads_ask_filtered(void)
{
    filtered = true;
}

int threads_start(void)
{
    pthread_t thread;
    int result = 0;

    if (sem_init(&ready, 0, 0) < 0 || sem_init(&go, 0, 0) < 0)
        return -errno;
    for (int i = 0; i < wanted && result == 0; i++) {
        bool is_last = i == wanted - 1;
        result = -pthread_create(is_last ? &last : &thread, NULL, is_last ? become_command : stay,
                                 i == 0 && filtered ? &filtered : NULL);
        while (result == 0 && sem_wait(&ready) < 0)
            ;
    }
    return result < 0 ? result : own_filter;
}
