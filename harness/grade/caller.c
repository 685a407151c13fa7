#include "grade/caller.h"

#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernel/stat.h"

int caller_make(void)
{
    struct kernel_stat stat;

    if (getenv("MAKELEVEL") == NULL)
        return -1;
    for (pid_t pid = getppid(); pid > 1; pid = stat.ppid) {
        int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
        if (pidfd < 0 || kernel_stat_read(pid, &stat) < 0) {
            if (pidfd >= 0)
                close(pidfd);
            return -1;
        }
        if (strcmp(stat.comm, "make") == 0 || strcmp(stat.comm, "gmake") == 0)
            return pidfd;
        close(pidfd);
    }
    return -1;
}
