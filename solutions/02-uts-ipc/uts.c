/* Lab 02: a host name and queues of its own. The contract is uts.h. */
#include "02-uts-ipc/uts.h"

#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <sched.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <unistd.h>

/* What our caller is told of a system call that returned `result`: 0, or why it was refused. */
static int answer(int result)
{
    if (result == STRATA_TODO)
        return result;
    /* BEGIN SOLUTION step 3 return 0
     * TODO(step 3): a refused system call returns -1 and leaves the reason in a variable: errno(3).
     *               As it stands, a name that the kernel refuses is lost without a word, and the
     *               container starts with a name that nobody asked for.
     */
    return result < 0 ? -errno : 0;
    /* END SOLUTION */
}

int uts_namespaces(uint64_t *flags)
{
    /* BEGIN SOLUTION step 1 replace: (void)flags;
     * TODO(step 1): which flag of clone(2) gives a new process names of its own? Add it to those
     *               that are in *flags already: other layers have theirs there.
     */
    *flags |= CLONE_NEWUTS;
    /* END SOLUTION */
    /* BEGIN SOLUTION step 4
     * TODO(step 4): and which one gives it queues of its own? See namespaces(7).
     */
    *flags |= CLONE_NEWIPC;
    /* END SOLUTION */
    return 0;
}

int uts_set_hostname(const char *name)
{
    int result = STRATA_TODO;

    /* BEGIN SOLUTION step 1 replace: (void)name;
     * TODO(step 1): sethostname(2). The kernel counts the bytes that it is told to take; is the
     *               zero at the end of a C string one of them?
     */
    result = sethostname(name, strlen(name));
    /* END SOLUTION */
    return answer(result);
}

int uts_set_domainname(const char *name)
{
    int result = STRATA_TODO;

    /* BEGIN SOLUTION step 2 replace: (void)name;
     * TODO(step 2): setdomainname(2). It lives in the same namespace; need *flags change again?
     */
    result = setdomainname(name, strlen(name));
    /* END SOLUTION */
    return answer(result);
}

int ipc_create_sysv(key_t key)
{
    /* BEGIN SOLUTION step 4
     * TODO(step 4): msgget(2), shmget(2), semget(2): each takes the mode together with two flags,
     *               one to create, one to refuse a key that is taken. Without the second, what do
     *               you get for a key that somebody else has used before you? How large is a page
     *               (sysconf(3))?
     */
    const int flags = IPC_CREAT | IPC_EXCL | 0600;

    /* What was made before a failure is not taken back: the start fails, and the namespace takes
     * everything in it along. */
    int result = msgget(key, flags);
    if (result >= 0)
        result = shmget(key, (size_t)sysconf(_SC_PAGESIZE), flags);
    if (result >= 0)
        result = semget(key, 1, flags);
    return answer(result);
    /* END SOLUTION */
}

int ipc_create_queue(const char *name, long messages)
{
    /* BEGIN SOLUTION step 5
     * TODO(step 5): mq_open(3) with a struct mq_attr: how many messages, and how long each may be.
     *               It opens as well as creates: what has to become of the descriptor, and what of
     *               the queue?
     */
    struct mq_attr attributes = {.mq_maxmsg = messages, .mq_msgsize = 64};
    mqd_t queue = mq_open(name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600, &attributes);

    if (queue < 0)
        return answer(-1);
    return answer(mq_close(queue)); /* the queue itself stays until mq_unlink(3) */
    /* END SOLUTION */
}
