/* Verbs that use up memory. */
#include "probe/verbs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static void *taken;
static size_t taken_bytes;

static void *take(size_t bytes)
{
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (at == MAP_FAILED)
        return NULL;
    memset(at, 1, bytes); /* memory counts once it is touched */
    return at;
}

/* grab BYTES: takes that much and keeps it. */
static void verb_grab(char *arguments, struct answer *answer)
{
    taken_bytes = strtoul(arguments, NULL, 10);
    taken = take(taken_bytes);
    put_result(answer, taken != NULL);
}

/* ungrab: what was taken last. */
static void verb_ungrab(char *arguments, struct answer *answer)
{
    (void)arguments;
    put_result(answer, taken != NULL && munmap(taken, taken_bytes) == 0);
    taken = NULL;
}

/* hog BYTES: a child takes that much and ends. The reply: its exit status, and the signal that
 * ended it. */
static void verb_hog(char *arguments, struct answer *answer)
{
    size_t bytes = strtoul(arguments, NULL, 10);
    int status = 0;
    pid_t child = fork();

    if (child == 0)
        _exit(take(bytes) != NULL ? 0 : 1);
    while (child > 0 && waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            child = -1;
    if (child < 0)
        put_result(answer, false);
    else
        put(answer, "ok %d %d", WIFEXITED(status) ? WEXITSTATUS(status) : 0,
            WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

const struct verb verbs_of_memory[] = {
    {"grab", verb_grab}, {"ungrab", verb_ungrab}, {"hog", verb_hog}, {0}};
