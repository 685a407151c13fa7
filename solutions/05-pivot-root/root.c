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
    /* BEGIN SOLUTION step 1
     * TODO(step 1): chroot(2) says what it does *not* change. A working directory that stays
     *               outside is a way out that needs no trick at all.
     */
    if (chroot(new_root) < 0 || chdir("/") < 0)
        return -errno;
    return 0;
    /* END SOLUTION */
}

int root_pivot(const char *new_root)
{
    /* BEGIN SOLUTION step 2
     * TODO(step 2): new_root must be a mount point, and not on the mount that is the root now
     *               (EINVAL, EBUSY): lab 04 has a function that makes any folder one, and brings
     *               along what is mounted below. Enter it, after that and not before: why? Then
     *               exchange the roots by syscall(SYS_pivot_root, …), for libc has no function for
     *               it. pivot_root(2) has a section on "." twice, which needs no folder for the
     *               old root.
     */
    int result = mount_bind(new_root, new_root, true);

    if (result < 0)
        return result;
    /* A directory entered before the bind would be the folder under the new mount. */
    if (chdir(new_root) < 0)
        return -errno;
    if (syscall(SYS_pivot_root, ".", ".") < 0)
        return -errno;
    return 0;
    /* END SOLUTION */
}

int root_detach_old(void)
{
    /* BEGIN SOLUTION step 3
     * TODO(step 3): after pivot_root(".", ".") the old root is mounted *on* the new one, and "."
     *               is how umount2(2) comes to it: see NOTES of pivot_root(2). All below it goes
     *               too, though it is in use: lab 04, step 5. Then stand in the new "/".
     */
    if (chdir("/") < 0)
        return -errno;
    /* A lookup of "." by umount goes up to what is mounted on it; by anything else it does not. */
    if (umount2(".", MNT_DETACH) < 0)
        return -errno;
    return 0;
    /* END SOLUTION */
}

/* --- the file systems that a program expects ------------------------------------------------- */

int root_mount_sys(const char *target)
{
    /* BEGIN SOLUTION step 4
     * TODO(step 4): like /proc in lab 03, and read-only: a new mount takes that flag at once.
     */
    if (mount("sysfs", target, "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, NULL) < 0)
        return -errno;
    return 0;
    /* END SOLUTION */
}

/* "DIRECTORY/NAME" in `path`. */
static int join(char path[PATH_MAX], const char *directory, const char *name)
{
    return snprintf(path, PATH_MAX, "%s/%s", directory, name) < PATH_MAX ? 0 : -ENAMETOOLONG;
}

/* The tmpfs that /dev is. */
static int mount_dev_root(const char *target)
{
    /* BEGIN SOLUTION step 4
     * TODO(step 4): mount(2), tmpfs(5): flags and mode as root.h says. Is nodev among them?
     */
    if (mount("tmpfs", target, "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=0755,size=1m") < 0)
        return -errno;
    return 0;
    /* END SOLUTION */
}

/* Shows the host's device /dev/NAME at `path`, which does not exist yet. */
static int bind_device(const char *name, const char *path)
{
    /* BEGIN SOLUTION step 4
     * TODO(step 4): a file can only be bound on a file: make an empty one (open(2)) first. Then
     *               lab 04's function.
     */
    char device[PATH_MAX];
    int result = join(device, "/dev", name);
    if (result < 0)
        return result;

    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0)
        return -errno;
    close(fd);
    return mount_bind(device, path, false);
    /* END SOLUTION */
}

/* Terminals of the container's own, on the folder `path`, which does not exist yet. */
static int mount_devpts(const char *path)
{
    /* BEGIN SOLUTION step 4
     * TODO(step 4): root.h has the options; the kernel's Documentation/filesystems/devpts.rst says
     *               what each is for. Group 5 is tty everywhere, but a user namespace may not map
     *               it: what does mount(2) answer to gid=5 then, and what can you do about it?
     */
    static const char options[] = "newinstance,ptmxmode=0666,mode=0620";
    static const char with_group[] = "newinstance,ptmxmode=0666,mode=0620,gid=5";

    if (mkdir(path, 0755) < 0)
        return -errno;
    if (mount("devpts", path, "devpts", MS_NOSUID | MS_NOEXEC, with_group) == 0)
        return 0;
    /* EINVAL: there is no group 5 here. Then a terminal belongs to the group of who opens it. */
    if (errno != EINVAL || mount("devpts", path, "devpts", MS_NOSUID | MS_NOEXEC, options) < 0)
        return -errno;
    return 0;
    /* END SOLUTION */
}

/* Shared memory of the container's own (shm_open(3)), on the folder `path`, not there yet. */
static int mount_shm(const char *path)
{
    /* BEGIN SOLUTION step 4
     * TODO(step 4): make the folder; lab 04, step 4 has the rest. 64 MiB is what Docker gives.
     */
    if (mkdir(path, 0755) < 0)
        return -errno;
    return mount_tmpfs(path, 64 << 20);
    /* END SOLUTION */
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
    /* BEGIN SOLUTION step 5
     * TODO(step 5): stat(2) tells a folder from a file, and whether there is anything to hide at
     *               all. A folder: an empty tmpfs that nobody can write to. A file: the one file
     *               that is always empty and keeps nothing. (Why no empty tmpfs there?)
     */
    struct stat st;

    if (stat(path, &st) < 0)
        return errno == ENOENT ? 0 : -errno;
    if (!S_ISDIR(st.st_mode))
        return mount_bind("/dev/null", path, false);
    if (mount("tmpfs", path, "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
              "size=4k,mode=0555") < 0)
        return -errno;
    return 0;
    /* END SOLUTION */
}

int root_protect(const char *path)
{
    /* BEGIN SOLUTION step 5
     * TODO(step 5): only a mount can be read-only, so the path has to become one: bind it onto
     *               itself, with what is below. lab 04's mount_readonly would change the topmost
     *               mount alone; mount_setattr(2) can do a whole tree (AT_RECURSIVE). Older libcs
     *               have no function for it: syscall(SYS_mount_setattr, …).
     */
    struct mount_attr readonly = {.attr_set = MOUNT_ATTR_RDONLY};
    int result = mount_bind(path, path, true);

    if (result < 0)
        return result == -ENOENT ? 0 : result;
    if (syscall(SYS_mount_setattr, AT_FDCWD, path, AT_RECURSIVE, &readonly, sizeof readonly) < 0)
        return -errno;
    return 0;
    /* END SOLUTION */
}

/* --- no way back ------------------------------------------------------------------------------ */

/* BEGIN SOLUTION step 6 helper */
/* fstat(2) answers for O_PATH too, where read(2) and ioctl(2) would not. */
static void close_directory(int fd)
{
    struct stat st;

    if (fd >= 3 && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
        close(fd);
}
/* END SOLUTION */

int root_close_directories(void)
{
    /* BEGIN SOLUTION step 6
     * TODO(step 6): /proc/self/fd lists our fds by number (and the one that you list with: mind
     *               it). fstat(2) says which are directories. Other fds must stay: process_start
     *               still needs its pipe. A root without /proc has no list, but getrlimit(2) has
     *               an end to the numbers.
     */
    DIR *list = opendir("/proc/self/fd");

    if (list == NULL) {
        struct rlimit limit;
        if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
            return -errno;
        for (int fd = 3; (rlim_t)fd < limit.rlim_cur && fd < 1 << 20; fd++)
            close_directory(fd);
        return 0;
    }
    for (struct dirent *entry; (entry = readdir(list)) != NULL;) {
        int fd = atoi(entry->d_name); /* "." and ".." are 0, and 0 stays */
        if (fd != dirfd(list))
            close_directory(fd);
    }
    closedir(list);
    return 0;
    /* END SOLUTION */
}

int root_enter(const char *path)
{
    /* BEGIN SOLUTION step 6
     * TODO(step 6): chdir(2) follows /proc/PID/cwd and /proc/self/fd/N to wherever they lead. Ask
     *               the kernel afterwards where we are, by syscall(SYS_getcwd, …), for getcwd(3)
     *               of libc repairs the very answer that you want to see. getcwd(2) tells how it
     *               begins for a place that cannot be reached from "/".
     */
    char where[PATH_MAX];

    if (chdir(path) < 0)
        return -errno;
    if (syscall(SYS_getcwd, where, sizeof where) < 0)
        return -errno;
    return where[0] == '/' ? 0 : -EXDEV;
    /* END SOLUTION */
}
