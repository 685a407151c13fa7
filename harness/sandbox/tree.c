#include "sandbox/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Where the new root is put together. Every Linux system has a /tmp. */
#define SITE "/tmp"

static int failed(char *why, size_t size, const char *what, const char *path)
{
    int error = -errno;

    snprintf(why, size, "%s %s: %s", what, path, strerror(-error));
    return error;
}

/* mount(2) and mkdir(2) with the sentence for when they fail. */
static int attach(const char *source, const char *target, const char *type, unsigned long flags,
                  const char *data, char *why, size_t size)
{
    return mount(source, target, type, flags, data) < 0 ? failed(why, size, "cannot mount", target)
                                                        : 0;
}

static int make_folder(const char *path, mode_t mode, char *why, size_t size)
{
    return mkdir(path, mode) < 0 ? failed(why, size, "cannot make the folder", path) : 0;
}

/* What programs need to be loaded and run: a symbolic link stays one (/bin -> usr/bin). */
static int add_system(char *why, size_t size)
{
    static const char *const names[] = {"usr",   "bin",    "sbin", "lib", "lib32",
                                        "lib64", "libx32", "etc",  "nix", "gnu"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char from[64], to[64], link[PATH_MAX];
        struct stat st;
        int result = 0;

        snprintf(from, sizeof from, "/%s", names[i]);
        snprintf(to, sizeof to, SITE "/%s", names[i]);
        if (lstat(from, &st) < 0)
            continue;
        if (S_ISLNK(st.st_mode)) {
            ssize_t length = readlink(from, link, sizeof link - 1);
            if (length < 0)
                return failed(why, size, "cannot read the link", from);
            link[length] = '\0';
            if (symlink(link, to) < 0)
                return failed(why, size, "cannot make the link", to);
        } else if (S_ISDIR(st.st_mode)) {
            result = make_folder(to, 0755, why, size);
            if (result == 0) /* recursive: the kernel does not let a bind uncover what lies below */
                result = attach(from, to, NULL, MS_BIND | MS_REC, NULL, why, size);
        }
        if (result < 0)
            return result;
    }
    return 0;
}

static int add_devices(char *why, size_t size)
{
    static const char *const nodes[] = {"null", "zero", "full", "random", "urandom", "tty"};
    static const char *const folders[] = {"", "/pts", "/shm", "/mqueue"};
    static const char *const links[][2] = {{"/proc/self/fd", "fd"},
                                           {"/proc/self/fd/0", "stdin"},
                                           {"/proc/self/fd/1", "stdout"},
                                           {"/proc/self/fd/2", "stderr"},
                                           {"pts/ptmx", "ptmx"}};
    char from[64], to[64];

    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        snprintf(to, sizeof to, SITE "/dev%s", folders[i]);
        int result = make_folder(to, 0755, why, size);
        if (result < 0)
            return result;
    }
    for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++) {
        snprintf(from, sizeof from, "/dev/%s", nodes[i]);
        snprintf(to, sizeof to, SITE "/dev/%s", nodes[i]);
        int fd = open(to, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666);
        if (fd < 0)
            return failed(why, size, "cannot make", to);
        close(fd);
        int result = attach(from, to, NULL, MS_BIND, NULL, why, size);
        if (result < 0)
            return result;
    }
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        snprintf(to, sizeof to, SITE "/dev/%s", links[i][1]);
        if (symlink(links[i][0], to) < 0)
            return failed(why, size, "cannot make the link", to);
    }
    return 0;
}

static int add_folders(char *why, size_t size)
{
    static const char *const names[] = {"proc",    "sys",  "tmp",  "run", "var",
                                        "var/tmp", "home", "root", "mnt", "strata"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[64];
        snprintf(path, sizeof path, SITE "/%s", names[i]);
        int result = make_folder(path, 0755, why, size);
        if (result < 0)
            return result;
    }
    return 0;
}

static int read_only(char *why, size_t size)
{
    struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID};

    if (syscall(SYS_mount_setattr, AT_FDCWD, SITE, AT_RECURSIVE, &attr, sizeof attr) == 0)
        return 0;
    return failed(why, size, "cannot make the tree read-only (Linux 5.12 or newer can) at", SITE);
}

/* After the tree is read-only: a locked read-only /proc would forbid every fresh one further in,
 * and every write to an id map. Both mounts need the host's own to be whole: a container that
 * masks parts of /proc cannot have another, see docs/troubleshooting.md. */
static int add_kernel(char *why, size_t size)
{
    unsigned long safe = MS_NOSUID | MS_NODEV | MS_NOEXEC;

    if (mount("proc", SITE "/proc", "proc", safe, NULL) < 0)
        return failed(why, size, "cannot mount a fresh", "/proc");
    if (mount("sysfs", SITE "/sys", "sysfs", safe, NULL) < 0)
        return failed(why, size, "cannot mount a fresh", "/sys");
    return 0;
}

static int enter(char *why, size_t size)
{
    if (chdir(SITE) < 0 || syscall(SYS_pivot_root, ".", ".") < 0)
        return failed(why, size, "cannot pivot_root to", SITE);
    if (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
        return failed(why, size, "cannot detach", "the old root");
    return 0;
}

static int add_files(int (*fill)(void *arg, int directory), void *arg, char *why, size_t size)
{
    int directory = open(SITE "/strata", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (directory < 0)
        return failed(why, size, "cannot open", "/strata");
    int result = fill(arg, directory);
    if (result < 0)
        snprintf(why, size, "cannot copy the programs into the sandbox: %s", strerror(-result));
    close(directory);
    return result;
}

int tree_build(int (*fill)(void *arg, int directory), void *arg, char *why, size_t size)
{
    int result;

    umask(022);
    /* What the host mounts while we run must not come in. */
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return failed(why, size, "cannot make private", "/");
    result = attach("strata", SITE, "tmpfs", MS_NOSUID, "mode=0755,size=64m", why, size);
    if (result == 0)
        result = add_folders(why, size);
    if (result == 0)
        result = add_system(why, size);
    if (result == 0)
        result = add_devices(why, size);
    if (result == 0)
        result = add_files(fill, arg, why, size);
    if (result == 0)
        result = read_only(why, size);
    if (result == 0)
        result = add_kernel(why, size);
    return result == 0 ? enter(why, size) : result;
}
