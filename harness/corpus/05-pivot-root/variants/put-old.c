/* Variant: the old root goes to a folder of the new one, which is removed afterwards; masks and
 * read-only paths by the older calls; where a directory lies is found out by walking up. */
#include "05-pivot-root/root.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char put_old[] = ".put-old";

int root_chroot(const char *new_root)
{
    if (chdir(new_root) == 0 && chroot(".") == 0)
        return 0;
    return -errno;
}

int root_pivot(const char *new_root)
{
    if (mount(new_root, new_root, "", MS_BIND | MS_REC, "") < 0 || chdir(new_root) < 0)
        return -errno;
    if (mkdir(put_old, 0700) < 0 && errno != EEXIST)
        return -errno;
    if (syscall(SYS_pivot_root, ".", put_old) < 0) {
        int error = -errno;
        rmdir(put_old);
        return error;
    }
    return chdir("/") < 0 ? -errno : 0;
}

int root_detach_old(void)
{
    char path[32];

    snprintf(path, sizeof path, "/%s", put_old);
    if (umount2(path, MNT_DETACH) < 0 || rmdir(path) < 0 || chdir("/") < 0)
        return -errno;
    return 0;
}

/* Adds flags to the mount at `path`, by the call for old kernels. */
static int remount(const char *path, unsigned long more)
{
    struct statvfs fs;

    if (statvfs(path, &fs) < 0)
        return -errno;
    more |= fs.f_flag & (ST_NOSUID | ST_NODEV | ST_NOEXEC | ST_RDONLY);
    return mount(NULL, path, NULL, MS_REMOUNT | MS_BIND | more, NULL) < 0 ? -errno : 0;
}

int root_mount_sys(const char *target)
{
    if (mount("none", target, "sysfs", MS_NODEV | MS_NOEXEC | MS_NOSUID, NULL) < 0)
        return -errno;
    return remount(target, MS_RDONLY);
}

static int make_devices(int dev, const char *target)
{
    static const char *const names[] = {"tty", "urandom", "random", "full", "zero", "null"};
    char from[32], to[PATH_MAX];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        int fd = openat(dev, names[i], O_CREAT | O_RDONLY | O_CLOEXEC, 0444);
        if (fd < 0)
            return -errno;
        close(fd);
        snprintf(from, sizeof from, "/dev/%s", names[i]);
        snprintf(to, sizeof to, "%s/%s", target, names[i]);
        if (mount(from, to, NULL, MS_BIND, NULL) < 0)
            return -errno;
    }
    return 0;
}

static int make_links(int dev)
{
    return symlinkat("/proc/self/fd", dev, "fd") < 0 ||
                   symlinkat("/proc/self/fd/0", dev, "stdin") < 0 ||
                   symlinkat("/proc/self/fd/1", dev, "stdout") < 0 ||
                   symlinkat("/proc/self/fd/2", dev, "stderr") < 0 ||
                   symlinkat("pts/ptmx", dev, "ptmx") < 0
               ? -errno
               : 0;
}

/* Is group 5 mapped here? chown of a file that is ours to give tells. */
static bool has_tty_group(int dev)
{
    return fchownat(dev, "pts", (uid_t)-1, 5, 0) == 0;
}

int root_mount_dev(const char *target)
{
    char path[PATH_MAX];

    if (mount("tmpfs", target, "tmpfs", MS_NOEXEC | MS_NOSUID, "mode=755") < 0)
        return -errno;
    int dev = open(target, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dev < 0)
        return -errno;
    int result = make_devices(dev, target);
    if (result == 0)
        result = make_links(dev);
    if (result == 0 && (mkdirat(dev, "pts", 0755) < 0 || mkdirat(dev, "shm", 01777) < 0))
        result = -errno;
    bool grouped = result == 0 && has_tty_group(dev);
    close(dev);
    snprintf(path, sizeof path, "%s/pts", target);
    if (result == 0 && mount("devpts", path, "devpts", MS_NOSUID | MS_NOEXEC,
                             grouped ? "gid=5,mode=620,ptmxmode=666,newinstance"
                                     : "mode=620,ptmxmode=666,newinstance") < 0)
        result = -errno;
    snprintf(path, sizeof path, "%s/shm", target);
    if (result == 0 &&
        mount("shm", path, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=1777,size=64m") < 0)
        result = -errno;
    return result;
}

/* Tries the file first: the kernel's error tells that it is a folder. */
int root_mask(const char *path)
{
    if (mount("/dev/null", path, NULL, MS_BIND, NULL) == 0 || errno == ENOENT)
        return 0;
    if (errno != ENOTDIR)
        return -errno;
    return mount("tmpfs", path, "tmpfs", MS_RDONLY, NULL) < 0 ? -errno : 0;
}

int root_protect(const char *path)
{
    char line[4096], target[4096];
    size_t length = strlen(path);
    int result = 0;

    if (mount(path, path, NULL, MS_BIND | MS_REC, NULL) < 0)
        return errno == ENOENT ? 0 : -errno;
    FILE *list = fopen("/proc/self/mountinfo", "re");
    if (list == NULL)
        return -errno;
    while (result == 0 && fgets(line, sizeof line, list) != NULL)
        if (sscanf(line, "%*d %*d %*s %*s %4095s", target) == 1 &&
            strncmp(target, path, length) == 0 && (target[length] == '/' || target[length] == '\0'))
            result = remount(target, MS_RDONLY);
    fclose(list);
    return result;
}

int root_close_directories(void)
{
    struct stat st;
    long most = sysconf(_SC_OPEN_MAX);

    for (int fd = 3; fd < most; fd++)
        if (fstat(fd, &st) == 0 && (st.st_mode & S_IFMT) == S_IFDIR)
            close(fd);
    return 0;
}

static bool same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Walks up until ".." leads nowhere. From below the root that is "/", from elsewhere another. */
int root_enter(const char *path)
{
    struct stat root, here, above;
    int fd = -1, result = 0;

    if (chdir(path) < 0 || stat("/", &root) < 0 || stat(".", &here) < 0)
        return -errno;
    fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; fd >= 0 && i < PATH_MAX; i++) {
        int up = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (up < 0 || fstat(up, &above) < 0) {
            result = -errno;
            close(fd);
            return result;
        }
        close(fd);
        fd = up;
        if (same(&above, &here))
            break;
        here = above;
    }
    if (fd < 0)
        return -errno;
    close(fd);
    return same(&here, &root) ? 0 : -EXDEV;
}
