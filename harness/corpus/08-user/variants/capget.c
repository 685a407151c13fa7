/* Variant: asks by capget whether groups may be mapped as they are; the map goes through a folder
 * fd, its lines in the other order; the helpers are started by posix_spawnp. */
#include "08-user/user.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int user_namespaces(uint64_t *flags)
{
    *flags = *flags | CLONE_NEWUSER;
    return 0;
}

uint32_t user_translate(const struct user_range *ranges, size_t count, uint32_t id)
{
    char number[16] = "";
    uint64_t wide = id;

    while (count-- > 0) {
        const struct user_range *r = ranges++;
        if (wide >= r->inside && wide < (uint64_t)r->inside + r->count)
            return (uint32_t)(wide - r->inside + r->outside);
    }
    int fd = open("/proc/sys/kernel/overflowuid", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 65534;
    ssize_t got = read(fd, number, sizeof number - 1);
    close(fd);
    return got > 0 ? (uint32_t)strtoul(number, NULL, 10) : 65534;
}

static int put(int folder, const char *name, const char *text, size_t length)
{
    int fd = openat(folder, name, O_RDWR | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    ssize_t wrote = write(fd, text, length);
    int result = wrote == (ssize_t)length ? 0 : wrote < 0 ? -errno : -EIO;
    close(fd);
    return result;
}

static int put_map(int folder, const char *name, const struct user_range *ranges, size_t count)
{
    char *text = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&text, &length);

    if (stream == NULL)
        return -errno;
    for (size_t i = count; i-- > 0;)
        fprintf(stream, "%lu\t%lu %lu\n", (unsigned long)ranges[i].inside,
                (unsigned long)ranges[i].outside, (unsigned long)ranges[i].count);
    if (fclose(stream) != 0)
        return -ENOMEM;
    int result = put(folder, name, text, length);
    free(text);
    return result;
}

static int open_folder(pid_t pid)
{
    char path[32];

    snprintf(path, sizeof path, "/proc/%d", pid);
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return folder < 0 ? -errno : folder;
}

int user_map_uids(pid_t pid, const struct user_range *ranges, size_t count)
{
    int folder = open_folder(pid);

    if (folder < 0)
        return folder;
    int result = put_map(folder, "uid_map", ranges, count);
    close(folder);
    return result;
}

int user_map_gids(pid_t pid, const struct user_range *ranges, size_t count)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {0};
    int folder = open_folder(pid), result = 0;

    if (folder < 0)
        return folder;
    syscall(SYS_capget, &header, data);
    if ((data[0].effective & 1U << CAP_SETGID) == 0)
        result = put(folder, "setgroups", "deny\n", 5);
    if (result == 0)
        result = put_map(folder, "gid_map", ranges, count);
    close(folder);
    return result;
}

int user_become_root(void)
{
    int result = 0;

    if (setreuid(0, 0) < 0 || setuid(0) < 0)
        result = -errno;
    if (result == 0 && (setregid(0, 0) < 0 || setgid(0) < 0))
        result = -errno;
    if (result == 0 && setgroups(0, NULL) < 0 && errno != EPERM)
        result = -errno;
    return result;
}

int user_owner(int namespace, struct process_namespace *owner)
{
    struct statx stx;
    int fd = ioctl(namespace, NS_GET_USERNS), error = errno;

    if (fd < 0)
        return -error;
    if (statx(fd, "", AT_EMPTY_PATH, STATX_INO, &stx) < 0) {
        error = errno;
        close(fd);
        return -error;
    }
    struct stat st;
    fstat(fd, &st);
    close(fd);
    owner->device = st.st_dev;
    owner->inode = stx.stx_ino;
    return 0;
}

int user_subordinate(const char *file, const char *name, uid_t uid, struct user_range *range)
{
    char line[4096], whom[256], rest;
    FILE *lines = fopen(file, "re");
    int result = -ENOENT;

    if (lines == NULL)
        return -errno;
    while (result != 0 && fgets(line, sizeof line, lines) != NULL) {
        unsigned long long first, count;
        char digits[2][16], decimal[16];
        line[strcspn(line, "\n")] = '\0';
        if (sscanf(line, "%255[^:]:%15[0-9]:%15[0-9]%c", whom, digits[0], digits[1], &rest) != 3)
            continue;
        first = strtoull(digits[0], NULL, 10);
        count = strtoull(digits[1], NULL, 10);
        snprintf(decimal, sizeof decimal, "%u", uid);
        bool ours = strcmp(whom, decimal) == 0 || (name != NULL && strcmp(whom, name) == 0);
        if (!ours || count == 0 || first + count > UINT32_MAX)
            continue;
        range->outside = (uint32_t)first;
        range->count = (uint32_t)count;
        result = 0;
    }
    fclose(lines);
    return result;
}

static int spawn(const char *program, pid_t pid, const struct user_range *ranges, size_t count)
{
    char *argv[64] = {(char *)program};
    size_t words = 1;
    pid_t child;
    int status = 0, error;

    if (count > 20)
        return -E2BIG;
    bool good = asprintf(&argv[words++], "%d", pid) > 0;
    for (size_t i = 0; i < count; i++) {
        good = good && asprintf(&argv[words++], "%u", ranges[i].inside) > 0;
        good = good && asprintf(&argv[words++], "%u", ranges[i].outside) > 0;
        good = good && asprintf(&argv[words++], "%u", ranges[i].count) > 0;
    }
    error = good ? posix_spawnp(&child, program, NULL, NULL, argv, environ) : ENOMEM;
    while (error == 0 && waitpid(child, &status, 0) < 0)
        error = errno == EINTR ? 0 : errno;
    for (size_t i = 1; i < words; i++)
        free(argv[i]);
    if (error != 0)
        return -error;
    return status == 0 ? 0 : -EPERM;
}

int user_map_subordinate(pid_t pid, const struct user_range *uids, size_t uid_count,
                         const struct user_range *gids, size_t gid_count)
{
    int result = spawn("newuidmap", pid, uids, uid_count);

    if (result == 0)
        result = spawn("newgidmap", pid, gids, gid_count);
    return result;
}
