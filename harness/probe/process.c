/* What the probe can become: threads, memory, powers, CPU time, families. */
#include "probe/process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static _Noreturn void wait_for_ever(void)
{
    for (;;)
        pause();
}

static void *thread(void *arg)
{
    (void)arg;
    wait_for_ever();
}

int probe_threads(int count)
{
    pthread_attr_t attributes;
    pthread_t id;
    int result = 0;

    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 64 * 1024);
    while (count-- > 0 && result == 0)
        result = -pthread_create(&id, &attributes, thread, NULL);
    return result;
}

int probe_take(size_t mebibytes)
{
    void *memory = mmap(NULL, mebibytes << 20, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

    return memory == MAP_FAILED ? -errno : 0;
}

int probe_capabilities(uint64_t mask)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {
        {(uint32_t)mask, (uint32_t)mask, 0},
        {(uint32_t)(mask >> 32), (uint32_t)(mask >> 32), 0},
    };

    return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

static int64_t cpu_ticks(int in_kernel)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    const struct timeval *time = in_kernel ? &usage.ru_stime : &usage.ru_utime;
    int64_t micro = (int64_t)time->tv_sec * 1000000 + time->tv_usec;
    return micro * sysconf(_SC_CLK_TCK) / 1000000;
}

int probe_burn(int ticks, int in_kernel)
{
    static char bytes[256 * 1024];
    static volatile unsigned sum;
    int64_t goal = cpu_ticks(in_kernel) + ticks;
    int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    while (cpu_ticks(in_kernel) < goal) {
        if (in_kernel) {
            if (read(fd, bytes, sizeof bytes) < 0)
                break;
        } else {
            for (int i = 0; i < 200000; i++)
                sum += (unsigned)i;
        }
    }
    (void)sum;
    close(fd);
    return 0;
}

/* The first of a group: makes the others, says so by closing `ready`, and waits. */
static _Noreturn void lead_group(int flags, int count, int ready)
{
    int result = unshare(flags) < 0 ? -errno : 0;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (int i = 1; i < count && result == 0; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            close(ready);
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            wait_for_ever();
        }
        if (pid < 0)
            result = -errno;
    }
    if (write(ready, &result, sizeof result) < 0 || result < 0)
        _exit(1);
    close(ready);
    wait_for_ever();
}

pid_t probe_group(int flags, int count)
{
    int ready[2], result = -EIO;

    if (pipe2(ready, O_CLOEXEC) < 0)
        return -errno;
    pid_t pid = fork();
    if (pid == 0) {
        close(ready[0]);
        lead_group(flags, count, ready[1]);
    }
    close(ready[1]);
    if (pid < 0 || read(ready[0], &result, sizeof result) != (ssize_t)sizeof result)
        result = -EIO;
    close(ready[0]);
    return result < 0 ? result : pid;
}
