/* Different: objects are made with no permission at all and get their mode afterwards; names are
 * set by one function that knows both; errors travel in a variable, not by return. */
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
#include <sys/stat.h>
#include <unistd.h>

enum which { HOST, DOMAIN };

int uts_namespaces(uint64_t *flags)
{
    uint64_t before = *flags;

    *flags = before | (CLONE_NEWUTS | CLONE_NEWIPC);
    return 0;
}

static int set(enum which which, const char *name)
{
    const char *end = strchr(name, '\0');
    size_t length = (size_t)(end - name);

    errno = 0;
    if (which == HOST)
        (void)!sethostname(name, length);
    else
        (void)!setdomainname(name, length);
    return -errno;
}

int uts_set_hostname(const char *name)
{
    return set(HOST, name);
}

int uts_set_domainname(const char *name)
{
    return set(DOMAIN, name);
}

/* semctl(2) wants its caller to define this. */
union semun {
    int val;
    struct semid_ds *buf;
    unsigned short *array;
};

int ipc_create_sysv(key_t key)
{
    struct msqid_ds queue = {.msg_perm = {.mode = 0600}};
    struct shmid_ds segment = {.shm_perm = {.mode = 0600}};
    struct semid_ds semaphore = {.sem_perm = {.mode = 0600}};
    int message = -1, memory = -1, set = -1;

    if ((message = msgget(key, IPC_CREAT | IPC_EXCL)) < 0 ||
        (memory = shmget(key, (size_t)sysconf(_SC_PAGE_SIZE), IPC_CREAT | IPC_EXCL)) < 0 ||
        (set = semget(key, 1, IPC_CREAT | IPC_EXCL)) < 0)
        return -errno;

    queue.msg_perm.uid = segment.shm_perm.uid = semaphore.sem_perm.uid = getuid();
    queue.msg_perm.gid = segment.shm_perm.gid = semaphore.sem_perm.gid = getgid();
    queue.msg_qbytes = 16384;
    if (msgctl(message, IPC_SET, &queue) < 0 || shmctl(memory, IPC_SET, &segment) < 0 ||
        semctl(set, 0, IPC_SET, (union semun){.buf = &semaphore}) < 0)
        return -errno;
    return 0;
}

int ipc_create_queue(const char *name, long messages)
{
    struct mq_attr wanted = {.mq_flags = 0, .mq_maxmsg = messages, .mq_msgsize = 1 << 6};
    int result = 0;
    mqd_t queue = mq_open(name, O_CREAT | O_EXCL | O_RDWR | O_NONBLOCK, 0, &wanted);

    if (queue == (mqd_t)-1)
        return -errno;
    if (fchmod(queue, 0600) < 0)
        result = -errno;
    if (mq_close(queue) < 0 && result == 0)
        result = -errno;
    return result;
}
