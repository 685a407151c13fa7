/* Variant: each mount of the list is made private by itself; a tmpfs gets its flags by a remount;
 * what is detached is held by an O_PATH fd. */
#include "04-mount/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

int mount_namespaces(uint64_t *flags)
{
    *flags |= CLONE_NEWNS;
    return 0;
}

/* Covered mounts cannot be reached by their path. So from the top: a recursive slave first, which
 * nothing can go out from any more, and then each that can be named, and the rest by "/". */
int mount_private(void)
{
    FILE *list = fopen("/proc/self/mountinfo", "re");
    char line[4096], target[4096];

    if (list == NULL)
        return -errno;
    if (mount("", "/", "", MS_SLAVE | MS_REC, "") < 0) {
        int error = -errno;
        fclose(list);
        return error;
    }
    while (fgets(line, sizeof line, list) != NULL)
        if (sscanf(line, "%*d %*d %*s %*s %4095s", target) == 1 && strchr(target, '\\') == NULL)
            mount("", target, "", MS_PRIVATE, "");
    fclose(list);
    return mount("", "/", "", MS_PRIVATE | MS_REC, "") < 0 ? -errno : 0;
}

int mount_bind(const char *source, const char *target, bool recursive)
{
    const unsigned long flags[] = {MS_BIND, MS_BIND | MS_REC};

    return mount(source, target, "ignored", flags[recursive], NULL) < 0 ? -errno : 0;
}

int mount_readonly(const char *target)
{
    struct statfs fs;
    int fd = open(target, O_PATH | O_CLOEXEC), error = 0;
    char path[40];

    if (fd < 0)
        return -errno;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (fstatfs(fd, &fs) < 0)
        error = -errno;
    /* The lowest bits (ro, nosuid, nodev, noexec) are the same numbers in both worlds. */
    unsigned long flags = (unsigned long)fs.f_flags & (MS_NOSUID | MS_NODEV | MS_NOEXEC);
    if (error == 0 && mount("none", path, NULL, flags | MS_RDONLY | MS_BIND | MS_REMOUNT, NULL) < 0)
        error = -errno;
    close(fd);
    return error;
}

int mount_tmpfs(const char *target, uint64_t size)
{
    char *options;
    int error = 0;

    if (asprintf(&options, "mode=1777,size=%" PRIu64, size) < 0)
        return -ENOMEM;
    if (mount("none", target, "tmpfs", 0, options) < 0)
        error = -errno;
    free(options);
    if (error == 0 && mount(NULL, target, NULL,
                            MS_REMOUNT | MS_BIND | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0) {
        error = -errno;
        umount2(target, MNT_DETACH);
    }
    return error;
}

int mount_detach(const char *target)
{
    struct stat st;
    char path[40];
    int fd = open(target, O_PATH | O_NOFOLLOW | O_CLOEXEC), error = 0;

    if (fd < 0)
        return -errno;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (fstat(fd, &st) == 0 && S_ISLNK(st.st_mode))
        error = -EINVAL;
    else if (umount2(path, MNT_DETACH) < 0)
        error = -errno;
    close(fd);
    return error;
}
