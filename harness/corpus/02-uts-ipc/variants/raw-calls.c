/* Different: system calls without libc's functions, each with its own look at errno, and no helper
 * that all share. SYS_mq_open takes the name without its slash: mq_overview(7). */
#include "02-uts-ipc/uts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mqueue.h>
#include <sched.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/syscall.h>
#include <unistd.h>

int uts_namespaces(uint64_t *flags)
{
    *flags = *flags | CLONE_NEWUTS | CLONE_NEWIPC;
    return 0;
}

int uts_set_hostname(const char *name)
{
    return syscall(SYS_sethostname, name, strlen(name)) == 0 ? 0 : -errno;
}

int uts_set_domainname(const char *name)
{
    return syscall(SYS_setdomainname, name, strlen(name)) == 0 ? 0 : -errno;
}

int ipc_create_sysv(key_t key)
{
    if (syscall(SYS_msgget, key, 0600 | IPC_CREAT | IPC_EXCL) < 0)
        return -errno;
    if (syscall(SYS_shmget, key, sysconf(_SC_PAGESIZE), 0600 | IPC_CREAT | IPC_EXCL) < 0)
        return -errno;
    if (syscall(SYS_semget, key, 1, 0600 | IPC_CREAT | IPC_EXCL) < 0)
        return -errno;
    return 0;
}

int ipc_create_queue(const char *name, long messages)
{
    struct mq_attr attributes = {.mq_maxmsg = messages, .mq_msgsize = 64};

    if (*name++ != '/')
        return -EINVAL;
    long fd = syscall(SYS_mq_open, name, O_CREAT | O_EXCL | O_RDONLY, 0600, &attributes);
    if (fd < 0)
        return -errno;
    close((int)fd);
    return 0;
}
