/* Variant: the newer calls, one for each thing: mount_setattr, open_tree, move_mount, fsopen. */
#include "04-mount/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/mount.h>

int mount_namespaces(uint64_t *flags)
{
    *flags |= CLONE_NEWNS;
    return 0;
}

static int set(const char *path, unsigned flags, struct mount_attr attr)
{
    return syscall(SYS_mount_setattr, AT_FDCWD, path, flags, &attr, sizeof attr) < 0 ? -errno : 0;
}

int mount_private(void)
{
    return set("/", AT_RECURSIVE, (struct mount_attr){.propagation = MS_PRIVATE});
}

static int attach(int tree, const char *target)
{
    long result = syscall(SYS_move_mount, tree, "", AT_FDCWD, target,
                          MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS);
    int error = result < 0 ? -errno : 0;

    close(tree);
    return error;
}

int mount_bind(const char *source, const char *target, bool recursive)
{
    unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (recursive ? AT_RECURSIVE : 0);
    int tree = (int)syscall(SYS_open_tree, AT_FDCWD, source, flags);

    return tree < 0 ? -errno : attach(tree, target);
}

int mount_readonly(const char *target)
{
    return set(target, 0, (struct mount_attr){.attr_set = MOUNT_ATTR_RDONLY});
}

int mount_tmpfs(const char *target, uint64_t size)
{
    char text[32];
    int context = (int)syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC);
    int tree = -1, error = context < 0 ? -errno : 0;

    snprintf(text, sizeof text, "%" PRIu64, size);
    if (error == 0 &&
        (syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, "size", text, 0) < 0 ||
         syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, "mode", "1777", 0) < 0 ||
         syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0 ||
         (tree = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC,
                              MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)) < 0))
        error = -errno;
    if (context >= 0)
        close(context);
    return error < 0 ? error : attach(tree, target);
}

int mount_detach(const char *target)
{
    return umount2(target, UMOUNT_NOFOLLOW | MNT_DETACH) < 0 ? -errno : 0;
}
