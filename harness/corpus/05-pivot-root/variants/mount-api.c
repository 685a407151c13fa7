/* Variant: the newer mount calls; the new root is a detached copy before it is attached. */
#include "05-pivot-root/root.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/mount.h>

#include "04-mount/mount.h"

int root_chroot(const char *new_root)
{
    int result = chroot(new_root);

    if (result == 0)
        result = chdir("/");
    return result == 0 ? 0 : -errno;
}

static int clone_tree(const char *path, unsigned flags)
{
    int tree =
        (int)syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | flags);

    return tree < 0 ? -errno : tree;
}

/* Puts the tree at `path`, and closes it. */
static int attach(int tree, const char *path)
{
    long moved = syscall(SYS_move_mount, tree, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH);
    int result = moved < 0 ? -errno : 0;

    close(tree);
    return result;
}

int root_pivot(const char *new_root)
{
    int tree = clone_tree(new_root, AT_RECURSIVE);

    if (tree < 0)
        return tree;
    int keep = fcntl(tree, F_DUPFD_CLOEXEC, 3);
    int result = keep < 0 ? -errno : attach(tree, new_root);
    if (result == 0 && (fchdir(keep) < 0 || syscall(SYS_pivot_root, ".", ".") < 0))
        result = -errno;
    if (keep >= 0)
        close(keep);
    return result;
}

int root_detach_old(void)
{
    /* umount2 finds what is on top of the root also by this name. */
    if (umount2("/", MNT_DETACH) < 0 || chdir("/") < 0)
        return -errno;
    return 0;
}

/* A new file system of `type` at `path`; `options` is name, value, name, value, ..., NULL. */
static int make(const char *type, const char *path, unsigned attributes, const char *const *options)
{
    int context = (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC);
    int tree = -1, result = context < 0 ? -errno : 0;

    for (; result == 0 && *options != NULL; options += 2)
        if (syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, options[0], options[1], 0) < 0)
            result = -errno;
    if (result == 0 && syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
        result = -errno;
    if (result == 0 && (tree = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, attributes)) < 0)
        result = -errno;
    if (context >= 0)
        close(context);
    return result < 0 ? result : attach(tree, path);
}

int root_mount_sys(const char *target)
{
    static const char *const none[] = {NULL};

    return make("sysfs", target,
                MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_RDONLY, none);
}

static int add_devices(const char *target)
{
    static const char *const names[] = {"null", "zero", "full", "random", "urandom", "tty"};
    char from[32], to[PATH_MAX];
    int result = 0;

    for (size_t i = 0; result == 0 && i < 6; i++) {
        snprintf(from, sizeof from, "/dev/%s", names[i]);
        snprintf(to, sizeof to, "%s/%s", target, names[i]);
        int fd = creat(to, 0600);
        if (fd < 0)
            return -errno;
        close(fd);
        int tree = clone_tree(from, 0);
        result = tree < 0 ? tree : attach(tree, to);
    }
    return result;
}

int root_mount_dev(const char *target)
{
    static const char *const dev[] = {"mode", "0755", NULL};
    static const char *const plain[] = {"ptmxmode", "0666", "mode", "0620", NULL};
    static const char *const grouped[] = {"gid", "5", "ptmxmode", "0666", "mode", "0620", NULL};
    static const char *const links[][2] = {{"/proc/self/fd", "fd"},
                                           {"fd/0", "stdin"},
                                           {"fd/1", "stdout"},
                                           {"fd/2", "stderr"},
                                           {"pts/ptmx", "ptmx"}};
    unsigned attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;
    char path[PATH_MAX], text[64];
    int result = make("tmpfs", target, attributes, dev);

    if (result == 0)
        result = add_devices(target);
    for (size_t i = 0; result == 0 && i < 5; i++) {
        snprintf(path, sizeof path, "%s/%s", target, links[i][1]);
        snprintf(text, sizeof text, "%s%s", i > 0 && i < 4 ? "/proc/self/" : "", links[i][0]);
        result = symlink(text, path) < 0 ? -errno : 0;
    }
    snprintf(path, sizeof path, "%s/pts", target);
    if (result == 0 && mkdir(path, 0700) < 0)
        result = -errno;
    if (result == 0 && make("devpts", path, attributes, grouped) < 0)
        result = make("devpts", path, attributes, plain);
    snprintf(path, sizeof path, "%s/shm", target);
    if (result == 0 && mkdir(path, 0700) < 0)
        result = -errno;
    return result == 0 ? mount_tmpfs(path, 1 << 26) : result;
}

int root_mask(const char *path)
{
    struct stat st;
    static const char *const none[] = {NULL};

    if (stat(path, &st) < 0)
        return errno == ENOENT ? 0 : -errno;
    if (S_ISDIR(st.st_mode))
        return make("tmpfs", path,
                    MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC,
                    none);
    int tree = clone_tree("/dev/null", 0);
    return tree < 0 ? tree : attach(tree, path);
}

int root_protect(const char *path)
{
    struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};

    if (access(path, F_OK) < 0 && errno == ENOENT)
        return 0;
    int tree = clone_tree(path, AT_RECURSIVE);
    if (tree < 0)
        return tree;
    if (syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof attr) <
        0) {
        int error = -errno;
        close(tree);
        return error;
    }
    return attach(tree, path);
}

int root_close_directories(void)
{
    char path[40], target[PATH_MAX];
    struct stat st;

    /* By the links' texts: no fd is needed to read them. */
    for (int fd = 3; fd < 65536; fd++) {
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        ssize_t length = readlink(path, target, sizeof target);
        if (length < 0 && errno != ENOENT && errno != ENAMETOOLONG)
            return -errno;
        if (length >= 0 && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
            close(fd);
    }
    return 0;
}

int root_enter(const char *path)
{
    char *where = malloc(PATH_MAX);
    int result = 0;

    if (where == NULL)
        return -ENOMEM;
    if (chdir(path) < 0 || syscall(SYS_getcwd, where, (size_t)PATH_MAX) < 0)
        result = -errno;
    else if (strncmp(where, "(unreachable)", 13) == 0)
        result = -EXDEV;
    free(where);
    return result;
}
