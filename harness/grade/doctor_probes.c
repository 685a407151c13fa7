/* The doctor's probes of namespaces. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <mqueue.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "grade/doctor.h"
#include "sandbox/ids.h"

/* --- why user namespaces may be forbidden -------------------------------------------------------
 */

static long number_in(const char *path)
{
    long number = -1;
    FILE *file = fopen(path, "re");

    if (file == NULL)
        return -1;
    if (fscanf(file, "%ld", &number) != 1)
        number = -1;
    fclose(file);
    return number;
}

static bool on_wsl(void)
{
    char line[256] = "";
    FILE *file = fopen("/proc/version", "re");

    if (file == NULL)
        return false;
    bool wsl = fgets(line, sizeof line, file) != NULL && strcasestr(line, "microsoft") != NULL;
    fclose(file);
    return wsl;
}

const char *doctor_userns_cure(void)
{
    if (number_in("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == 1 && geteuid() != 0)
        return "Ubuntu's AppArmor rule forbids them: "
               "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0";
    if (number_in("/proc/sys/kernel/unprivileged_userns_clone") == 0)
        return "Debian's switch is off: sudo sysctl kernel.unprivileged_userns_clone=1";
    if (number_in("/proc/sys/user/max_user_namespaces") == 0)
        return "their number is limited to 0: sudo sysctl user.max_user_namespaces=15000";
    if (on_wsl())
        return "WSL 1 is no Linux kernel: wsl --set-version DISTRIBUTION 2, in PowerShell";
    return "a container's seccomp filter or AppArmor profile, most likely: start it with "
           "--security-opt seccomp=unconfined --security-opt apparmor=unconfined";
}

/* --- in a user namespace ------------------------------------------------------------------------
 */

static int write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    ssize_t wrote = write(fd, text, strlen(text));
    int result = wrote < 0 ? -errno : 0;
    close(fd);
    return result;
}

/* Enters a new user namespace, as its root, with one id, and new namespaces `flags` with it. */
static int enter(int flags)
{
    char uid[32], gid[32];

    snprintf(uid, sizeof uid, "0 %u 1", geteuid());
    snprintf(gid, sizeof gid, "0 %u 1", getegid());
    if (unshare(CLONE_NEWUSER | flags) < 0)
        return -errno;
    int result = write_text("/proc/self/setgroups", "deny");
    if (result == 0)
        result = write_text("/proc/self/uid_map", uid);
    if (result == 0)
        result = write_text("/proc/self/gid_map", gid);
    if (result == 0 && (flags & CLONE_NEWNS) != 0 &&
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        result = -errno;
    return result;
}

/* A user namespace alone proves nothing: Ubuntu's rule grants one, without capabilities in it. */
int doctor_userns(void)
{
    int result = enter(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET);

    if (result == 0 && mount("strata", "/tmp", "tmpfs", 0, NULL) < 0)
        result = -errno;
    return result;
}

int doctor_ids(void)
{
    struct ids_plan plan;
    char byte;
    int ready[2];

    ids_choose(false, &plan);
    if (plan.count != IDS_FULL)
        return -ENOENT;
    if (pipe2(ready, O_CLOEXEC) < 0)
        return -errno;
    pid_t pid = fork();
    if (pid < 0)
        return -errno;
    if (pid == 0) {
        close(ready[0]);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (unshare(CLONE_NEWUSER) < 0 || write(ready[1], "r", 1) != 1)
            _exit(1);
        pause();
        _exit(0);
    }
    close(ready[1]);
    int result = read(ready[0], &byte, 1) == 1 ? ids_apply(pid, &plan) : -EPERM;
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    return result;
}

/* It is there, and it is setuid: without either it can map nothing. */
int doctor_helper(void)
{
    static const char *const helpers[] = {"/usr/bin/newuidmap", "/usr/bin/newgidmap"};
    struct stat stat_buffer;

    if (geteuid() == 0)
        return 0; /* root writes the maps itself */
    for (size_t i = 0; i < sizeof helpers / sizeof *helpers; i++) {
        if (stat(helpers[i], &stat_buffer) < 0)
            return -errno;
        /* Some distributions give it a file capability in place of the setuid bit. */
        if ((stat_buffer.st_mode & S_ISUID) == 0 &&
            getxattr(helpers[i], "security.capability", NULL, 0) <= 0)
            return -EPERM;
    }
    return 0;
}

/* The kernel allows a new proc only where an existing one is seen whole: mount_too_revealing() in
 * fs/namespace.c. */
int doctor_proc(void)
{
    int status;
    int result = enter(CLONE_NEWNS | CLONE_NEWPID);

    if (result < 0)
        return result;
    pid_t pid = fork();
    if (pid < 0)
        return -errno;
    if (pid == 0)
        _exit(mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0 ? errno
                                                                                         : 0);
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR;
}

int doctor_sysfs(void)
{
    int result = enter(CLONE_NEWNS | CLONE_NEWNET);

    if (result == 0 && mount("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
        result = -errno;
    return result;
}

int doctor_overlay(void)
{
    int result = enter(CLONE_NEWNS);

    if (result < 0)
        return result;
    if (mount("strata", "/tmp", "tmpfs", 0, NULL) < 0 || mkdir("/tmp/lower", 0755) < 0 ||
        mkdir("/tmp/upper", 0755) < 0 || mkdir("/tmp/work", 0755) < 0 ||
        mkdir("/tmp/merged", 0755) < 0 ||
        mount("overlay", "/tmp/merged", "overlay", 0,
              "userxattr,lowerdir=/tmp/lower,upperdir=/tmp/upper,workdir=/tmp/work") < 0)
        return -errno;
    return 0;
}

int doctor_mqueue(void)
{
    int result = enter(CLONE_NEWIPC);

    if (result < 0)
        return result;
    mqd_t queue = mq_open("/strata", O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600, NULL);
    return queue < 0 ? -errno : 0; /* it goes with its namespace */
}

/* --- a network ----------------------------------------------------------------------------------
 */

/* RTM_NEWLINK with a kind and nothing else: the kernel makes up the names. rtnetlink(7) */
static int make_veth(int socket_fd)
{
    struct {
        struct nlmsghdr header;
        struct ifinfomsg link;
        struct rtattr info;
        struct rtattr kind;
        char name[8];
    } request = {
        .header = {.nlmsg_len = sizeof request,
                   .nlmsg_type = RTM_NEWLINK,
                   .nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK},
        .info = {.rta_len = 2 * sizeof(struct rtattr) + 8, .rta_type = IFLA_LINKINFO},
        .kind = {.rta_len = sizeof(struct rtattr) + 5, .rta_type = IFLA_INFO_KIND},
        .name = "veth",
    };
    struct {
        struct nlmsghdr header;
        struct nlmsgerr error;
        char rest[1024];
    } answer;

    if (send(socket_fd, &request, sizeof request, 0) < 0)
        return -errno;
    ssize_t got = recv(socket_fd, &answer, sizeof answer, 0);
    if (got < 0)
        return -errno;
    return got >= (ssize_t)NLMSG_LENGTH(sizeof answer.error) &&
                   answer.header.nlmsg_type == NLMSG_ERROR
               ? answer.error.error
               : -EBADMSG;
}

int doctor_veth(void)
{
    int result = enter(CLONE_NEWNET);

    if (result < 0)
        return result;
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    return fd < 0 ? -errno : make_veth(fd);
}
