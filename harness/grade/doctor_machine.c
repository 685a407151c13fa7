/* The doctor's probes of the kernel's calls and of the machine. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "grade/doctor.h"
#include "vm/guest.h"

enum { DISK_WANTED = 200 }; /* megabytes */

/* Calls that are made wrong on purpose: a kernel that knows them says EINVAL, one that does not
 * ENOSYS, and a container's filter one of EPERM and ENOSYS. */
static int knows(long result)
{
    if (result >= 0)
        return 0;
    return errno == ENOSYS || errno == EPERM ? -errno : 0;
}

int doctor_clone3(void)
{
    return knows(syscall(SYS_clone3, NULL, 0));
}

int doctor_mount_setattr(void)
{
    return knows(syscall(SYS_mount_setattr, -1, "", 0, NULL, 0));
}

int doctor_pidfd(void)
{
    long fd = syscall(SYS_pidfd_open, getpid(), 0);

    return fd < 0 ? -errno : 0;
}

int doctor_seccomp(void)
{
    struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {1, &allow};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
        return -errno;
    return 0;
}

/* --- control groups -----------------------------------------------------------------------------
 */

/* Is a file system of this type mounted, with one of our controllers? v2 has a list of them in its
 * root; in v1 the mount's options name it. */
static int cgroup_mounted(const char *type)
{
    char line[4096];
    FILE *file = fopen("/proc/self/mountinfo", "re");
    int result = -ENOENT;

    if (file == NULL)
        return -errno;
    while (result < 0 && fgets(line, sizeof line, file) != NULL) {
        char found[64], path[PATH_MAX + 32], mounted[PATH_MAX];
        const char *dash = strstr(line, " - ");
        if (dash == NULL || sscanf(dash, " - %63s", found) != 1 || strcmp(found, type) != 0 ||
            sscanf(line, "%*s %*s %*s %*s %4095s", mounted) != 1)
            continue;
        if (strcmp(type, "cgroup") == 0) {
            result = strstr(dash, "memory") != NULL || strstr(dash, "pids") != NULL ? 0 : -ENOENT;
            continue;
        }
        snprintf(path, sizeof path, "%s/cgroup.controllers", mounted);
        FILE *controllers = fopen(path, "re");
        if (controllers == NULL)
            continue;
        char list[512] = "";
        if (fgets(list, sizeof list, controllers) != NULL && strstr(list, "memory") != NULL)
            result = 0;
        fclose(controllers);
    }
    fclose(file);
    return result;
}

int doctor_cgroup1(void)
{
    return cgroup_mounted("cgroup");
}

int doctor_cgroup2(void)
{
    return cgroup_mounted("cgroup2");
}

/* --- the machine --------------------------------------------------------------------------------
 */

/* The folder that build/grade lies in: build. */
static int own_folder(char *path, size_t size)
{
    ssize_t length = readlink("/proc/self/exe", path, size - 1);

    if (length < 0)
        return -errno;
    path[length] = '\0';
    char *slash = strrchr(path, '/');
    if (slash == NULL)
        return -ENOENT;
    *slash = '\0';
    return 0;
}

int doctor_busybox(void)
{
    char folder[PATH_MAX], path[PATH_MAX + 16];
    int result = own_folder(folder, sizeof folder);

    if (result < 0)
        return result;
    snprintf(path, sizeof path, "%s/busybox", folder);
    return access(path, X_OK) < 0 ? -errno : 0;
}

int doctor_disk(void)
{
    char folder[PATH_MAX];
    struct statvfs space;
    int result = own_folder(folder, sizeof folder);

    if (result < 0)
        return result;
    if (statvfs(folder, &space) < 0)
        return -errno;
    return space.f_bavail * (space.f_frsize / 1024) / 1024 >= DISK_WANTED ? 0 : -ENOSPC;
}

/* The kit's folder, which guests are made from. */
static int kit_folder(char *path, size_t size)
{
    int result = own_folder(path, size);
    char *slash = strrchr(path, '/');

    if (result < 0 || slash == NULL)
        return result < 0 ? result : -ENOENT;
    *slash = '\0';
    return 0;
}

int doctor_guest(void)
{
    char kit[PATH_MAX];
    int result = kit_folder(kit, sizeof kit);

    if (result < 0)
        return result;
    return guest_lacking(kit) != NULL ? -ENOENT : 0;
}

/* That it opens says little: a guest has to have booted. */
int doctor_kvm(void)
{
    char kit[PATH_MAX];
    int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    close(fd);
    if (kit_folder(kit, sizeof kit) < 0 || guest_lacking(kit) != NULL)
        return 0;
    return guest_kvm(kit) ? 0 : -EIO;
}

int doctor_inotify(void)
{
    int fd = inotify_init1(IN_CLOEXEC);

    return fd < 0 || inotify_add_watch(fd, "/", IN_CLOSE_WRITE) < 0 ? -errno : 0;
}
