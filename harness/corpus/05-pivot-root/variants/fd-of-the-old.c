/* Variant: the old root is held by an fd and unmounted from within, as LXC does it; the tables say
 * what /dev holds; close_range closes runs of directories. */
#include "05-pivot-root/root.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/mount.h>

static int old_root = -1;

int root_chroot(const char *new_root)
{
    int fd = open(new_root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int result = fd < 0 || fchdir(fd) < 0 || chroot(".") < 0 || chdir("/") < 0 ? -errno : 0;

    if (fd >= 0)
        close(fd);
    return result;
}

int root_pivot(const char *new_root)
{
    old_root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (old_root < 0)
        return -errno;
    if (mount(new_root, new_root, NULL, MS_BIND | MS_REC, NULL) < 0)
        return -errno;
    int fd = open(new_root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fchdir(fd) < 0)
        return -errno;
    close(fd);
    return syscall(SYS_pivot_root, ".", ".") < 0 ? -errno : 0;
}

int root_detach_old(void)
{
    if (fchdir(old_root) < 0)
        return -errno;
    close(old_root);
    if (umount2(".", MNT_DETACH) < 0)
        return -errno;
    return chdir("/") < 0 ? -errno : 0;
}

int root_mount_sys(const char *target)
{
    unsigned long flags = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;

    return mount("sysfs", target, "sysfs", flags, NULL) == 0 ? 0 : -errno;
}

/* What stands in /dev: a device to bind, a link, or a file system to mount. */
static const struct entry {
    const char *name, *link, *type, *options;
    unsigned long flags;
} entries[] = {
    {.name = "null"},
    {.name = "zero"},
    {.name = "full"},
    {.name = "tty"},
    {.name = "random"},
    {.name = "urandom"},
    {.name = "ptmx", .link = "pts/ptmx"},
    {.name = "fd", .link = "/proc/self/fd"},
    {.name = "stdin", .link = "/proc/self/fd/0"},
    {.name = "stdout", .link = "/proc/self/fd/1"},
    {.name = "stderr", .link = "/proc/self/fd/2"},
    {.name = "shm",
     .type = "tmpfs",
     .options = "size=64m,mode=1777",
     .flags = MS_NOSUID | MS_NODEV | MS_NOEXEC},
    {.name = "pts",
     .type = "devpts",
     .options = "newinstance,ptmxmode=0666,mode=0620",
     .flags = MS_NOSUID | MS_NOEXEC},
};

static int add_file_system(const struct entry *entry, const char *path)
{
    char grouped[128];

    if (mkdir(path, 0755) < 0)
        return -errno;
    snprintf(grouped, sizeof grouped, "%s,gid=5", entry->options);
    if (strcmp(entry->type, "devpts") == 0 &&
        mount(entry->type, path, entry->type, entry->flags, grouped) == 0)
        return 0;
    return mount(entry->type, path, entry->type, entry->flags, entry->options) < 0 ? -errno : 0;
}

static int add_device(const struct entry *entry, const char *path)
{
    char device[32];
    int tree, result = 0;

    snprintf(device, sizeof device, "/dev/%s", entry->name);
    if (mknod(path, S_IFREG | 0666, 0) < 0)
        return -errno;
    tree = (int)syscall(SYS_open_tree, AT_FDCWD, device, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    if (tree < 0)
        return -errno;
    if (syscall(SYS_move_mount, tree, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) < 0)
        result = -errno;
    close(tree);
    return result;
}

int root_mount_dev(const char *target)
{
    char path[PATH_MAX];
    int result = 0;

    if (mount("dev", target, "tmpfs", MS_NOSUID | MS_NOEXEC | MS_STRICTATIME, "mode=0755") < 0)
        return -errno;
    for (size_t i = 0; result == 0 && i < sizeof entries / sizeof *entries; i++) {
        snprintf(path, sizeof path, "%s/%s", target, entries[i].name);
        if (entries[i].link != NULL)
            result = symlink(entries[i].link, path) < 0 ? -errno : 0;
        else if (entries[i].type != NULL)
            result = add_file_system(&entries[i], path);
        else
            result = add_device(&entries[i], path);
    }
    return result;
}

int root_mask(const char *path)
{
    int fd = open(path, O_PATH | O_CLOEXEC), result;
    struct stat st;

    if (fd < 0)
        return errno == ENOENT ? 0 : -errno;
    if (fstat(fd, &st) < 0)
        result = -errno;
    else if (S_ISDIR(st.st_mode))
        result =
            mount("none", path, "tmpfs", MS_RDONLY | MS_NOEXEC, "nr_blocks=1") < 0 ? -errno : 0;
    else
        result = mount("/dev/null", path, "none", MS_BIND, NULL) < 0 ? -errno : 0;
    close(fd);
    return result;
}

/* A copy of the tree, made read-only while it is nowhere yet, and then put on its place. */
int root_protect(const char *path)
{
    struct mount_attr readonly = {.attr_set = MOUNT_ATTR_RDONLY};
    int result = 0;
    int tree = (int)syscall(SYS_open_tree, AT_FDCWD, path,
                            OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);

    if (tree < 0)
        return errno == ENOENT ? 0 : -errno;
    if (syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &readonly,
                sizeof readonly) < 0 ||
        syscall(SYS_move_mount, tree, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) < 0)
        result = -errno;
    close(tree);
    return result;
}

int root_close_directories(void)
{
    struct stat st;
    unsigned first = 0; /* of a run of directories; 0: none */

    for (int fd = 3; fd <= getdtablesize(); fd++) {
        int found = fd < getdtablesize() && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
        if (found && first == 0)
            first = (unsigned)fd;
        if (!found && first != 0) {
            syscall(SYS_close_range, first, fd - 1, 0);
            first = 0;
        }
    }
    return 0;
}

int root_enter(const char *path)
{
    char link[PATH_MAX] = "";

    if (chdir(path) != 0)
        return -errno;
    /* proc tells the same as getcwd(2); without a proc there is only that. */
    if (readlink("/proc/self/cwd", link, sizeof link - 1) < 0 &&
        syscall(SYS_getcwd, link, sizeof link) < 0)
        return -errno;
    if (syscall(SYS_getcwd, link, sizeof link) < 0)
        return -errno;
    return link[0] != '/' ? -EXDEV : 0;
}
