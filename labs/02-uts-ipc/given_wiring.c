/* How layer 02 plugs in: names and queues, each made only when it is asked for. */
#include "02-uts-ipc/given_wiring.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mqueue.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <unistd.h>

#include "02-uts-ipc/uts.h"

/* What the command line asked for. */
static struct {
    const char *host_name;
    const char *domain_name;
    key_t key;   /* IPC_PRIVATE: none */
    char *queue; /* NULL: none */
    long messages;
} wanted;

/* What is there before the container makes its own, as in a pod (lab 18), where somebody else may
 * have used a key first: --taken KIND:KEY. */
enum taken_kind { TAKEN_NONE, TAKEN_MSG, TAKEN_SHM, TAKEN_SEM, TAKEN_MQUEUE };

static struct {
    enum taken_kind kind;
    key_t key;
    const char *queue;
} taken;

static int set_host_name(struct container *container, const char *value)
{
    (void)container;
    wanted.host_name = value;
    return 0;
}

static int set_domain_name(struct container *container, const char *value)
{
    (void)container;
    wanted.domain_name = value;
    return 0;
}

/* A key is 32 bits, which ipcs(1) prints in hexadecimal and /proc/sysvipc in decimal. */
static int parse_key(const char *value, key_t *key)
{
    char *end;
    int base = strncmp(value, "0x", 2) == 0 ? 16 : 10;

    errno = 0;
    unsigned long number = strtoul(value, &end, base);
    if (errno != 0 || end == value || *end != '\0' || *value == '-' || number > UINT32_MAX)
        return -EINVAL;
    *key = (key_t)(uint32_t)number;
    /* 0 would mean "a new one each time", which nobody could find again. */
    return *key == IPC_PRIVATE ? -EINVAL : 0;
}

static int set_key(struct container *container, const char *value)
{
    (void)container;
    return parse_key(value, &wanted.key);
}

static int set_queue(struct container *container, const char *value)
{
    char *end;
    const char *colon = strrchr(value, ':');

    (void)container;
    if (colon == NULL)
        return -EINVAL;
    errno = 0;
    wanted.messages = strtol(colon + 1, &end, 10);
    if (errno != 0 || end == colon + 1 || *end != '\0' || wanted.messages <= 0)
        return -EINVAL;
    free(wanted.queue);
    wanted.queue = strndup(value, (size_t)(colon - value));
    return wanted.queue != NULL ? 0 : -ENOMEM;
}

static int set_taken(struct container *container, const char *value)
{
    static const char *const kinds[] = {[TAKEN_MSG] = "msg:",
                                        [TAKEN_SHM] = "shm:",
                                        [TAKEN_SEM] = "sem:",
                                        [TAKEN_MQUEUE] = "mqueue:"};

    (void)container;
    for (enum taken_kind kind = TAKEN_MSG; kind <= TAKEN_MQUEUE; kind++) {
        size_t length = strlen(kinds[kind]);
        if (strncmp(value, kinds[kind], length) != 0)
            continue;
        taken.kind = kind;
        taken.queue = value + length;
        return kind == TAKEN_MQUEUE ? 0 : parse_key(value + length, &taken.key);
    }
    return -EINVAL;
}

/* --- in the new process --------------------------------------------------------------------- */

static int name_host(struct container *container)
{
    (void)container;
    return wanted.host_name != NULL ? uts_set_hostname(wanted.host_name) : 0;
}

static int name_domain(struct container *container)
{
    (void)container;
    return wanted.domain_name != NULL ? uts_set_domainname(wanted.domain_name) : 0;
}

static int take(struct container *container)
{
    const int flags = IPC_CREAT | 0600;
    int result = 0;

    (void)container;
    switch (taken.kind) {
    case TAKEN_NONE:
        break;
    case TAKEN_MSG:
        result = msgget(taken.key, flags);
        break;
    case TAKEN_SHM:
        result = shmget(taken.key, (size_t)sysconf(_SC_PAGESIZE), flags);
        break;
    case TAKEN_SEM:
        result = semget(taken.key, 1, flags);
        break;
    case TAKEN_MQUEUE:
        result = mq_open(taken.queue, O_CREAT | O_RDWR | O_CLOEXEC, 0600, NULL);
        if (result >= 0)
            mq_close(result);
        break;
    }
    return result < 0 ? -errno : 0;
}

static int make_sysv(struct container *container)
{
    (void)container;
    return wanted.key != IPC_PRIVATE ? ipc_create_sysv(wanted.key) : 0;
}

/* The number that the next open would give: it grows when a descriptor stays open. */
static int next_descriptor(void)
{
    int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);

    if (fd >= 0)
        close(fd);
    return fd;
}

/* COMMAND would never see a descriptor that was forgotten (lab 01 closes them all), but a layer
 * closes what it opens: so it is told here. */
static int make_queue(struct container *container)
{
    if (wanted.queue == NULL)
        return 0;
    int before = next_descriptor();
    int result = ipc_create_queue(wanted.queue, wanted.messages);
    if (result != 0 || next_descriptor() == before)
        return result;
    fprintf(stderr, "%s: ipc_create_queue leaves descriptor %d open\n", container->program, before);
    return -EBADFD;
}

static const struct layer_option options[] = {
    {"hostname", 0, "NAME", "the container's host name", set_host_name},
    {"domainname", 0, "NAME", "the container's NIS domain name", set_domain_name},
    {"ipc", 0, "KEY", "make a System V queue, shm and semaphore of this key", set_key},
    {"mqueue", 0, "NAME:MESSAGES", "make a POSIX message queue", set_queue},
    {"taken", 0, "KIND:KEY", "first make a msg, shm, sem or mqueue of this key (or name)",
     set_taken},
    {0},
};

static const struct layer_hook hooks[] = {
    {START_HOST_NAME, "uts_set_hostname", name_host},
    {START_HOST_NAME, "uts_set_domainname", name_domain},
    {START_HOST_NAME, "take", take},
    {START_HOST_NAME, "ipc_create_sysv", make_sysv},
    {START_HOST_NAME, "ipc_create_queue", make_queue},
    {0},
};

const struct layer uts_layer = {
    .name = "uts", .options = options, .namespaces = uts_namespaces, .hooks = hooks};
