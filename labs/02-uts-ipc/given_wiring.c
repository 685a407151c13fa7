/* How layer 02 plugs in: names and queues, each made only when it is asked for. */
#include "02-uts-ipc/given_wiring.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>

#include "02-uts-ipc/uts.h"

/* What the command line asked for. */
static struct {
    const char *host_name;
    const char *domain_name;
    key_t key;   /* IPC_PRIVATE: none */
    char *queue; /* NULL: none */
    long messages;
} wanted;

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
static int set_key(struct container *container, const char *value)
{
    char *end;
    int base = strncmp(value, "0x", 2) == 0 ? 16 : 10;

    (void)container;
    errno = 0;
    unsigned long number = strtoul(value, &end, base);
    if (errno != 0 || end == value || *end != '\0' || *value == '-' || number > UINT32_MAX)
        return -EINVAL;
    wanted.key = (key_t)(uint32_t)number;
    /* 0 would mean "a new one each time", which nobody could find again. */
    return wanted.key == IPC_PRIVATE ? -EINVAL : 0;
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

static int make_sysv(struct container *container)
{
    (void)container;
    return wanted.key != IPC_PRIVATE ? ipc_create_sysv(wanted.key) : 0;
}

static int make_queue(struct container *container)
{
    (void)container;
    return wanted.queue != NULL ? ipc_create_queue(wanted.queue, wanted.messages) : 0;
}

static const struct layer_option options[] = {
    {"hostname", 0, "NAME", "the container's host name", set_host_name},
    {"domainname", 0, "NAME", "the container's NIS domain name", set_domain_name},
    {"ipc", 0, "KEY", "make a System V queue, shm and semaphore of this key", set_key},
    {"mqueue", 0, "NAME:MESSAGES", "make a POSIX message queue", set_queue},
    {0},
};

static const struct layer_hook hooks[] = {
    {START_HOST_NAME, "uts_set_hostname", name_host},
    {START_HOST_NAME, "uts_set_domainname", name_domain},
    {START_HOST_NAME, "ipc_create_sysv", make_sysv},
    {START_HOST_NAME, "ipc_create_queue", make_queue},
    {0},
};

const struct layer uts_layer = {
    .name = "uts", .options = options, .namespaces = uts_namespaces, .hooks = hooks};
