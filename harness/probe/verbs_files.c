/* Verbs about files, folders and mounts: a system call or two each, and what the kernel said. */
#include "probe/verbs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* name TEXT: what /proc/PID/comm shows from now on. */
static void verb_name(char *arguments, struct answer *answer)
{
    int fd = open("/proc/self/comm", O_WRONLY | O_CLOEXEC);
    bool good = fd >= 0 && write(fd, arguments, strlen(arguments)) >= 0;

    put_result(answer, good);
    if (fd >= 0)
        close(fd);
}

/* list PATH: the names in a folder. */
static void verb_list(char *arguments, struct answer *answer)
{
    DIR *folder = opendir(arguments);

    put_result(answer, folder != NULL);
    if (folder == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            put(answer, "\n%s", entry->d_name);
    closedir(folder);
}

/* read PATH: the start of a file. */
static void verb_read(char *arguments, struct answer *answer)
{
    static char bytes[16 * 1024];
    int fd = open(arguments, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, bytes, sizeof bytes - 1);

    put_result(answer, got >= 0);
    if (got >= 0) {
        bytes[got] = '\0';
        put(answer, " %s", bytes);
    }
    if (fd >= 0)
        close(fd);
}

/* write PATH TEXT: creates or replaces a file. */
static void verb_write(char *arguments, struct answer *answer)
{
    const char *path = strsep(&arguments, " ");
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK | O_CLOEXEC, 0644);
    bool good = fd >= 0;

    if (good && arguments != NULL)
        good = write(fd, arguments, strlen(arguments)) >= 0;
    put_result(answer, good);
    if (fd >= 0)
        close(fd);
}

/* fill PATH BYTES: writes that many zeros; the reply says how many fitted, and the error. */
static void verb_fill(char *arguments, struct answer *answer)
{
    static const char zeros[4096];
    const char *path = strsep(&arguments, " ");
    long long wanted = arguments != NULL ? atoll(arguments) : 0, wrote = 0;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    if (fd < 0) {
        put_result(answer, false);
        return;
    }
    int error = 0;
    while (wrote < wanted && error == 0) {
        ssize_t once = write(fd, zeros, sizeof zeros);
        if (once < 0)
            error = errno;
        else
            wrote += once;
    }
    put(answer, "ok %lld %d", wrote, error);
    close(fd);
}

/* stat PATH, lstat PATH: mode (octal), device, inode, size, rdev, uid, gid. */
static void put_stat(struct answer *answer, const struct stat *st)
{
    put(answer, "ok %o %u:%u %llu %lld %u:%u %u %u", st->st_mode, major(st->st_dev),
        minor(st->st_dev), (unsigned long long)st->st_ino, (long long)st->st_size,
        major(st->st_rdev), minor(st->st_rdev), st->st_uid, st->st_gid);
}

static void verb_stat(char *arguments, struct answer *answer)
{
    struct stat st;

    if (stat(arguments, &st) < 0)
        put_result(answer, false);
    else
        put_stat(answer, &st);
}

/* mkdir PATH, unlink PATH, chdir PATH, chroot PATH */
static void verb_mkdir(char *arguments, struct answer *answer)
{
    put_result(answer, mkdir(arguments, 0755) == 0);
}

static void verb_unlink(char *arguments, struct answer *answer)
{
    put_result(answer, unlink(arguments) == 0);
}

static void verb_chdir(char *arguments, struct answer *answer)
{
    put_result(answer, chdir(arguments) == 0);
}

static void verb_chroot(char *arguments, struct answer *answer)
{
    put_result(answer, chroot(arguments) == 0);
}

/* mount TYPE TARGET FLAGS: an empty file system; FLAGS is a number. */
static void verb_mount(char *arguments, struct answer *answer)
{
    const char *type = strsep(&arguments, " ");
    const char *target = arguments != NULL ? strsep(&arguments, " ") : "";
    unsigned long flags = arguments != NULL ? strtoul(arguments, NULL, 0) : 0;

    put_result(answer, mount(type, target, type, flags, NULL) == 0);
}

static void verb_umount(char *arguments, struct answer *answer)
{
    const char *target = strsep(&arguments, " ");

    put_result(answer, umount2(target, arguments != NULL ? atoi(arguments) : 0) == 0);
}

/* escape: the way out of a chroot that chroot(2) itself warns of. A second chroot leaves the
 * working directory above the root, and from there ".." goes on. The reply is stat's, of the
 * root reached. */
static void verb_escape(char *arguments, struct answer *answer)
{
    struct stat st;

    (void)arguments;
    if ((mkdir("/tmp/.escape", 0700) < 0 && errno != EEXIST) || chroot("/tmp/.escape") < 0) {
        put_result(answer, false);
        return;
    }
    for (int i = 0; i < 64; i++)
        if (chdir("..") < 0)
            break;
    if (chroot(".") < 0 || stat("/", &st) < 0)
        put_result(answer, false);
    else
        put_stat(answer, &st);
}

/* chmod MODE PATH (octal), fifo PATH */
static void verb_chmod(char *arguments, struct answer *answer)
{
    const char *mode = strsep(&arguments, " ");

    put_result(answer, arguments != NULL && chmod(arguments, (mode_t)strtoul(mode, NULL, 8)) == 0);
}

static void verb_fifo(char *arguments, struct answer *answer)
{
    put_result(answer, mkfifo(arguments, 0666) == 0);
}

/* link PATH NEW, umount TARGET FLAGS, symlink PATH TEXT, readlink PATH */
static void verb_link(char *arguments, struct answer *answer)
{
    const char *path = strsep(&arguments, " ");

    put_result(answer, link(path, arguments != NULL ? arguments : "") == 0);
}

static void verb_symlink(char *arguments, struct answer *answer)
{
    const char *path = strsep(&arguments, " ");

    put_result(answer, symlink(arguments != NULL ? arguments : "", path) == 0);
}

static void verb_readlink(char *arguments, struct answer *answer)
{
    char text[4096];
    ssize_t length = readlink(arguments, text, sizeof text - 1);

    put_result(answer, length >= 0);
    if (length >= 0)
        put(answer, " %.*s", (int)length, text);
}

/* pty: opens a pseudo-terminal; the reply is its number, and the mode (octal) and the group of its
 * other end. */
static void verb_pty(char *arguments, struct answer *answer)
{
    int number, unlocked = 0, fd = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
    char path[64];
    struct stat st;

    (void)arguments;
    bool good =
        fd >= 0 && ioctl(fd, TIOCSPTLCK, &unlocked) == 0 && ioctl(fd, TIOCGPTN, &number) == 0;
    if (good) {
        snprintf(path, sizeof path, "/dev/pts/%d", number);
        good = stat(path, &st) == 0;
    }
    put_result(answer, good);
    if (good)
        put(answer, " %d %o %u", number, st.st_mode & 07777, st.st_gid);
    if (fd >= 0)
        close(fd);
}

const struct verb verbs_of_files[] = {
    {"name", verb_name},       {"list", verb_list},
    {"read", verb_read},       {"write", verb_write},
    {"fill", verb_fill},       {"stat", verb_stat},
    {"mkdir", verb_mkdir},     {"unlink", verb_unlink},
    {"chdir", verb_chdir},     {"chroot", verb_chroot},
    {"mount", verb_mount},     {"escape", verb_escape},
    {"chmod", verb_chmod},     {"fifo", verb_fifo},
    {"link", verb_link},       {"umount", verb_umount},
    {"symlink", verb_symlink}, {"readlink", verb_readlink},
    {"pty", verb_pty},         {0},
};
