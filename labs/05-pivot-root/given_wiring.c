/* How layer 05 plugs in: from a folder to the root of the container, and what must be there. */
#include "05-pivot-root/given_wiring.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "05-pivot-root/root.h"

/* The names are those of the OCI runtime specification (config-linux.md), the lists what Docker
 * puts there. They show the machine, not the container: its memory, keys, timers, firmware. */
static const char *const masked_paths[] = {
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/devices/virtual/powercap",
    "/sys/firmware",
};

/* May be read, but a write would change the machine. */
static const char *const readonly_paths[] = {
    "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
};

enum { MORE_MAX = 16 };

/* --mask and --protect add to the lists. */
static const char *more_masked[MORE_MAX + 1], *more_readonly[MORE_MAX + 1];

static bool unmasked; /* --unmasked: without the lists above */
static bool by_chroot;
static bool pivoted; /* the old root is there to be taken away */
static bool entered; /* "/" is the container's: what is mounted on it is not the host's affair */

static bool has_root(const struct container *container)
{
    return container->root[0] != '\0';
}

/* Writes the path of the folder `name` below the root, and makes the folder if it is missing. The
 * root may come from an image of strangers: a link in its place would lead the mount outside. */
static int folder_below_root(const struct container *container, const char *name,
                             char path[PATH_MAX])
{
    if (snprintf(path, PATH_MAX, "%s%s", container->root, name) >= PATH_MAX)
        return -ENAMETOOLONG;
    if (mkdir(path, 0755) < 0 && errno != EEXIST)
        return -errno;
    int fd = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    close(fd);
    return 0;
}

/* --without=pid,mount leaves us in the caller's own mount namespace, whose root is not ours to
 * exchange. */
static int own_namespace(struct container *container)
{
    return has_root(container) && !(container->namespaces & CLONE_NEWNS) ? -EPERM : 0;
}

static int mount_sys(struct container *container)
{
    char path[PATH_MAX];

    if (!has_root(container))
        return 0;
    int result = folder_below_root(container, "/sys", path);
    if (result == 0)
        result = root_mount_sys(path);
    /* sysfs shows a network namespace, and only the user namespace that owns it may mount it. A
     * rootless container that shares its caller's network (labs 08 to 13) has an empty /sys. */
    return result == -EPERM ? 0 : result;
}

static int mount_dev(struct container *container)
{
    char path[PATH_MAX];

    if (!has_root(container))
        return 0;
    int result = folder_below_root(container, "/dev", path);
    return result < 0 ? result : root_mount_dev(path);
}

static int change_root(struct container *container)
{
    if (!has_root(container) || !by_chroot)
        return 0;
    int result = root_chroot(container->root);
    entered = result == 0;
    return result;
}

static int pivot(struct container *container)
{
    if (!has_root(container) || by_chroot)
        return 0;
    int result = root_pivot(container->root);
    entered = pivoted = result == 0;
    return result;
}

static int detach_old(struct container *container)
{
    (void)container;
    return pivoted ? root_detach_old() : 0;
}

static int mask_paths(struct container *container)
{
    int result = 0;

    (void)container;
    bool all = entered && !unmasked;
    for (size_t i = 0; all && result == 0 && i < sizeof masked_paths / sizeof *masked_paths; i++)
        result = root_mask(masked_paths[i]);
    for (const char **path = more_masked; entered && result == 0 && *path != NULL; path++)
        result = root_mask(*path);
    return result;
}

static int protect_paths(struct container *container)
{
    int result = 0;

    (void)container;
    bool all = entered && !unmasked;
    for (size_t i = 0; all && result == 0 && i < sizeof readonly_paths / sizeof *readonly_paths;
         i++)
        result = root_protect(readonly_paths[i]);
    for (const char **path = more_readonly; entered && result == 0 && *path != NULL; path++)
        result = root_protect(*path);
    return result;
}

static int close_directories(struct container *container)
{
    return has_root(container) ? root_close_directories() : 0;
}

/* Without -w COMMAND starts where root_chroot and root_detach_old have left us. */
static int enter_workdir(struct container *container)
{
    return container->workdir != NULL ? root_enter(container->workdir) : 0;
}

static int set_rootfs(struct container *container, const char *value)
{
    char *path = realpath(value, NULL); /* kept until the end */

    if (path == NULL)
        return -errno;
    if (strcmp(path, "/") == 0) /* a root cannot be exchanged for itself */
        return -EINVAL;
    container->root = path;
    return 0;
}

static int set_chroot(struct container *container, const char *value)
{
    (void)container;
    (void)value;
    by_chroot = true;
    return 0;
}

static int set_unmasked(struct container *container, const char *value)
{
    (void)container;
    (void)value;
    unmasked = true;
    return 0;
}

static int set_workdir(struct container *container, const char *value)
{
    container->workdir = value;
    return 0;
}

static int add_path(const char **list, const char *path)
{
    size_t count = 0;

    while (list[count] != NULL)
        count++;
    if (path[0] != '/')
        return -EINVAL;
    if (count == MORE_MAX)
        return -E2BIG;
    list[count] = path;
    return 0;
}

static int set_mask(struct container *container, const char *value)
{
    (void)container;
    return add_path(more_masked, value);
}

static int set_protect(struct container *container, const char *value)
{
    (void)container;
    return add_path(more_readonly, value);
}

static const struct layer_option options[] = {
    {"rootfs", 0, "DIR", "make DIR the root", set_rootfs},
    {"chroot", 0, NULL, "by chroot instead of pivot_root (leaves a way out)", set_chroot},
    {"workdir", 'w', "DIR", "start COMMAND in DIR, a path of the container", set_workdir},
    {"unmasked", 0, NULL, "mask and protect nothing but what is asked for", set_unmasked},
    {"mask", 0, "PATH", "hide PATH of the container as well", set_mask},
    {"protect", 0, "PATH", "make PATH of the container read-only as well", set_protect},
    {0},
};

static const struct layer_hook hooks[] = {
    {START_PRIVATE_TREE, "--rootfs needs a new mount tree", own_namespace},
    {START_DEVICES, "root_mount_sys", mount_sys},
    {START_DEVICES, "root_mount_dev", mount_dev},
    {START_PIVOT, "root_chroot", change_root},
    {START_PIVOT, "root_pivot", pivot},
    {START_OLD_ROOT, "root_detach_old", detach_old},
    {START_MASKS, "root_mask", mask_paths},
    {START_MASKS, "root_protect", protect_paths},
    {START_WORKDIR, "root_close_directories", close_directories},
    {START_WORKDIR, "root_enter", enter_workdir},
    {0},
};

const struct layer root_layer = {.name = "root", .options = options, .hooks = hooks};
