/* What this machine offers, found out by doing it. */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <mqueue.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "grade/grade.h"
#include "grade/needs_cgroup.h"
#include "sandbox/ids.h"

/* Calls `attempt` in a child, where it can do no harm; true when it succeeded. */
static bool child_can(bool (*attempt)(void))
{
    int status;
    pid_t pid = fork();

    if (pid == 0)
        _exit(attempt() ? 0 : 1);
    while (pid > 0 && waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return false;
    return pid > 0 && status == 0;
}

/* A user namespace alone proves nothing: Ubuntu's AppArmor rule grants one without capabilities.
 * A mount in it does. */
static bool try_userns(void)
{
    return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 &&
           mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("strata", "/tmp", "tmpfs", 0, NULL) == 0;
}

static bool try_ids(void)
{
    struct ids_plan plan;

    ids_choose(getenv("STRATA_SINGLE_ID") != NULL, &plan);
    return plan.count == IDS_FULL;
}

static bool try_mqueue(void)
{
    char name[32];

    snprintf(name, sizeof name, "/strata-%d", getpid());
    mqd_t queue = mq_open(name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600, NULL);
    if (queue < 0)
        return false;
    mq_close(queue);
    return mq_unlink(name) == 0;
}

/* The sandbox brings its own copies, set-user-ID to its own root, and its own files over these. */
static bool try_newuidmap(void)
{
    static const char *const paths[] = {"/usr/bin/newuidmap", "/usr/bin/newgidmap", "/etc/subuid",
                                        "/etc/subgid", "/etc/passwd"};

    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        if (access(paths[i], R_OK) < 0)
            return false;
    return true;
}

static bool write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

    if (fd >= 0)
        close(fd);
    return good;
}

/* Overlayfs in a user namespace (Linux 5.11), marks on a tmpfs (6.6), and a device 0:0. */
static bool try_overlay(void)
{
    static const char *const folders[] = {"/tmp/l", "/tmp/u", "/tmp/w", "/tmp/m"};
    char uids[64], gids[64];

    snprintf(uids, sizeof uids, "0 %u 1", getuid());
    snprintf(gids, sizeof gids, "0 %u 1", getgid());
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0 || !write_file("/proc/self/setgroups", "deny") ||
        !write_file("/proc/self/uid_map", uids) || !write_file("/proc/self/gid_map", gids) ||
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("strata", "/tmp", "tmpfs", 0, NULL) < 0)
        return false;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        if (mkdir(folders[i], 0755) < 0)
            return false;
    return mknod("/tmp/l/gone", S_IFCHR, makedev(0, 0)) == 0 &&
           setxattr("/tmp/u", "user.overlay.strata", "y", 1, 0) == 0 &&
           mount("overlay", "/tmp/m", "overlay", 0,
                 "lowerdir=/tmp/l,upperdir=/tmp/u,workdir=/tmp/w,userxattr") == 0;
}

static bool try_cgroup(void)
{
    return needs_cgroup_version() != 0;
}

static bool try_cgroup1(void)
{
    return needs_cgroup_version() == 1;
}

static bool try_cgroup2(void)
{
    return needs_cgroup_version() == 2;
}

static bool try_psi(void)
{
    return needs_cgroup_version() != 0 && needs_cgroup_psi();
}

/* A filter that refuses one call, and the call. */
static bool try_seccomp(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EDOM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof code / sizeof *code, code};

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0 &&
           syscall(SYS_getppid) == -1 && errno == EDOM;
}

static bool try_foreign(void)
{
#ifdef __x86_64__
    return true;
#else
    return false;
#endif
}

static const struct {
    enum need need;
    const char *name;
    bool (*attempt)(void);
} table[] = {
    {NEED_USERNS, "userns", try_userns},
    {NEED_IDS, "ids:65536", try_ids},
    {NEED_MQUEUE, "mqueue", try_mqueue},
    {NEED_OVERLAY, "overlay-in-userns", try_overlay},
    {NEED_NEWUIDMAP, "newuidmap", try_newuidmap},
    {NEED_CGROUP, "cgroup", try_cgroup},
    {NEED_CGROUP1, "cgroup1", try_cgroup1},
    {NEED_CGROUP2, "cgroup2", try_cgroup2},
    {NEED_SECCOMP, "seccomp", try_seccomp},
    {NEED_FOREIGN, "foreign-calls", try_foreign},
    {NEED_PSI, "psi", try_psi},
};

unsigned needs_missing(unsigned needs, const char **name)
{
    static unsigned known, missing; /* asked once a process */
    unsigned result = 0;

    for (size_t i = sizeof table / sizeof *table; i-- > 0;) {
        if ((needs & (unsigned)table[i].need) == 0)
            continue;
        if ((known & (unsigned)table[i].need) == 0) {
            known |= (unsigned)table[i].need;
            if (!child_can(table[i].attempt))
                missing |= (unsigned)table[i].need;
        }
        if ((missing & (unsigned)table[i].need) != 0) {
            result |= (unsigned)table[i].need;
            *name = table[i].name;
        }
    }
    return result;
}

const char *need_name(unsigned need)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if ((unsigned)table[i].need == need)
            return table[i].name;
    return NULL;
}
