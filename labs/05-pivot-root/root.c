/* Lab 05: a new root. The contract is root.h. */
#include "05-pivot-root/root.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/mount.h> /* after sys/mount.h: older headers of the two quarrel otherwise */

#include "04-mount/mount.h"

int root_chroot(const char *new_root)
{
    /* TODO(step 1): chroot(2) says what it does *not* change. A working directory that stays
     *               outside is a way out that needs no trick at all.
     */
    (void)new_root;
    return STRATA_TODO;
}

int root_pivot(const char *new_root)
{
    /* TODO(step 2): new_root must be a mount point, and not on the mount that is the root now
     *               (EINVAL, EBUSY): lab 04 has a function that makes any folder one, and brings
     *               along what is mounted below. Enter it, after that and not before: why? Then
     *               exchange the roots by syscall(SYS_pivot_root, …), for libc has no function for
     *               it. pivot_root(2) has a section on "." twice, which needs no folder for the
     *               old root.
     */
    (void)new_root;
    return STRATA_TODO;
}

int root_detach_old(void)
{
    /* TODO(step 3): after pivot_root(".", ".") the old root is mounted *on* the new one, and "."
     *               is how umount2(2) comes to it: see NOTES of pivot_root(2). All below it goes
     *               too, though it is in use: lab 04, step 5. Then stand in the new "/".
     */
    return STRATA_TODO;
}

/* --- the file systems that a program expects ------------------------------------------------- */

int root_mount_sys(const char *target)
{
    /* TODO(step 4): like /proc in lab 03, and read-only: a new mount takes that flag at once. */
    (void)target;
    return STRATA_TODO;
}

/* "DIRECTORY/NAME" in `path`. */
static int join(char path[PATH_MAX], const char *directory, const char *name)
{
    return snprintf(path, PATH_MAX, "%s/%s", directory, name) < PATH_MAX ? 0 : -ENAMETOOLONG;
}

/* The tmpfs that /dev is. */
static int mount_dev_root(const char *target)
{
    /* TODO(step 4): mount(2), tmpfs(5): flags and mode as root.h says. Is nodev among them? */
    (void)target;
    return STRATA_TODO;
}

/* Shows the host's device /dev/NAME at `path`, which does not exist yet. */
static int bind_device(const char *name, const char *path)
{
    /* TODO(step 4): a file can only be bound on a file: make an empty one (open(2)) first. Then
     *               lab 04's function.
     */
    (void)name;
    (void)path;
    return STRATA_TODO;
}

/* Terminals of the container's own, on the folder `path`, which does not exist yet. */
static int mount_devpts(const char *path)
{
    /* TODO(step 4): root.h has the options; the kernel's Documentation/filesystems/devpts.rst says
     *               what each is for. Group 5 is tty everywhere, but a user namespace may not map
     *               it: what does mount(2) answer to gid=5 then, and what can you do about it?
     */
    (void)path;
    return STRATA_TODO;
}

/* Shared memory of the container's own (shm_open(3)), on the folder `path`, not there yet. */
static int mount_shm(const char *path)
{
    /* TODO(step 4): make the folder; lab 04, step 4 has the rest. 64 MiB is what Docker gives. */
    (void)path;
    return STRATA_TODO;
}

int root_mount_dev(const char *target)
{
    static const char *const devices[] = {"null", "zero", "full", "random", "urandom", "tty"};
    static const char *const links[][2] = {
        {"fd", "/proc/self/fd"},       {"stdin", "/proc/self/fd/0"}, {"stdout", "/proc/self/fd/1"},
        {"stderr", "/proc/self/fd/2"}, {"ptmx", "pts/ptmx"},
    };
    char path[PATH_MAX];
    int result = mount_dev_root(target);

    for (size_t i = 0; result == 0 && i < sizeof devices / sizeof *devices; i++)
        if ((result = join(path, target, devices[i])) == 0)
            result = bind_device(devices[i], path);
    for (size_t i = 0; result == 0 && i < sizeof links / sizeof *links; i++)
        if ((result = join(path, target, links[i][0])) == 0 && symlink(links[i][1], path) < 0)
            result = -errno;
    if (result == 0 && (result = join(path, target, "pts")) == 0)
        result = mount_devpts(path);
    if (result == 0 && (result = join(path, target, "shm")) == 0)
        result = mount_shm(path);
    return result;
}

/* --- what even a container's own /proc and /sys show too much of ------------------------------ */

int root_mask(const char *path)
{
    /* TODO(step 5): stat(2) tells a folder from a file, and whether there is anything to hide at
     *               all. A folder: an empty tmpfs that nobody can write to. A file: the one file
     *               that is always empty and keeps nothing. (Why no empty tmpfs there?)
     */
    (void)path;
    return STRATA_TODO;
}

int root_protect(const char *path)
{
    /* TODO(step 5): only a mount can be read-only, so the path has to become one: bind it onto
     *               itself, with what is below. lab 04's mount_readonly would change the topmost
     *               mount alone; mount_setattr(2) can do a whole tree (AT_RECURSIVE). Older libcs
     *               have no function for it: syscall(SYS_mount_setattr, …).
     */
    (void)path;
    return STRATA_TODO;
}

/* --- no way back ------------------------------------------------------------------------------ */

int root_close_directories(void)
{
    /* TODO(step 6): /proc/self/fd lists our fds by number (and the one that you list with: mind
     *               it). fstat(2) says which are directories. Other fds must stay: process_start
     *               still needs its pipe. A root without /proc has no list, but getrlimit(2) has
     *               an end to the numbers.
     */
    return STRATA_TODO;
}

int root_enter(const char *path)
{
    /* TODO(step 6): chdir(2) follows /proc/PID/cwd and /proc/self/fd/N to wherever they lead. Ask
     *               the kernel afterwards where we are, by syscall(SYS_getcwd, …), for getcwd(3)
     *               of libc repairs the very answer that you want to see. getcwd(2) tells how it
     *               begins for a place that cannot be reached from "/".
     */
    (void)path;
    return STRATA_TODO;
}
