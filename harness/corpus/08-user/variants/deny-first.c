/* Variant: reads CapEff in /proc/self/status to know whether to deny setgroups, and looks into the
 * setgroups file before letting go of groups; raw system calls; one table for both helpers. */
#include "08-user/user.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <linux/sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool read_text(const char *path, char *text, size_t size)
{
    FILE *file = fopen(path, "re");

    if (file == NULL)
        return false;
    text[fread(text, 1, size - 1, file)] = '\0';
    fclose(file);
    return true;
}

int user_namespaces(uint64_t *flags)
{
    *flags |= (uint64_t)CLONE_NEWUSER;
    return 0;
}

uint32_t user_translate(const struct user_range *ranges, size_t count, uint32_t id)
{
    char text[32];

    for (const struct user_range *r = ranges; r < ranges + count; r++) {
        uint32_t into = id - r->inside; /* below the range it wraps, and is too large as well */
        if (into < r->count)
            return r->outside + into;
    }
    if (!read_text("/proc/sys/kernel/overflowuid", text, sizeof text))
        return 65534;
    return (uint32_t)strtoul(text, NULL, 10);
}

static int write_text(pid_t pid, const char *name, const char *text)
{
    char path[64];
    long wrote;

    snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    wrote = syscall(SYS_write, fd, text, strlen(text));
    int result = wrote < 0 ? -errno : 0;
    close(fd);
    return result;
}

static int write_ranges(pid_t pid, const char *name, const struct user_range *ranges, size_t count)
{
    char *text = strdup("");

    for (size_t i = 0; text != NULL && i < count; i++) {
        char *longer = NULL;
        if (asprintf(&longer, "%s%s%u %u %u", text, i > 0 ? "\n" : "", ranges[i].inside,
                     ranges[i].outside, ranges[i].count) < 0)
            longer = NULL;
        free(text);
        text = longer;
    }
    int result = text != NULL ? write_text(pid, name, text) : -ENOMEM;
    free(text);
    return result;
}

int user_map_uids(pid_t pid, const struct user_range *ranges, size_t count)
{
    return write_ranges(pid, "uid_map", ranges, count);
}

int user_map_gids(pid_t pid, const struct user_range *ranges, size_t count)
{
    char status[8192];

    if (!read_text("/proc/self/status", status, sizeof status))
        return -ESRCH;
    const char *line = strstr(status, "\nCapEff:");
    bool may = line != NULL && (strtoull(line + 8, NULL, 16) >> 6 & 1) != 0; /* CAP_SETGID is 6 */
    int result = may ? 0 : write_text(pid, "setgroups", "deny");
    return result < 0 ? result : write_ranges(pid, "gid_map", ranges, count);
}

int user_become_root(void)
{
    char word[16] = "";

    read_text("/proc/self/setgroups", word, sizeof word);
    if (strncmp(word, "allow", 5) == 0 && syscall(SYS_setgroups, 0, NULL) < 0)
        return -errno;
    if (syscall(SYS_setresgid, 0, 0, 0) < 0)
        return -errno;
    return syscall(SYS_setresuid, 0, 0, 0) < 0 ? -errno : 0;
}

int user_owner(int namespace, struct process_namespace *owner)
{
    struct stat st;
    char path[32];
    int fd = ioctl(namespace, NS_GET_USERNS);

    if (fd < 0)
        return -errno;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int result = stat(path, &st) < 0 ? -errno : 0;
    close(fd);
    owner->device = st.st_dev;
    owner->inode = st.st_ino;
    return result;
}

/* Moves on from a number of 32 bits and the character after it. */
static bool take_number(const char **at, char end, uint64_t *number)
{
    const char *digits = *at;

    for (*number = 0; isdigit((unsigned char)**at) && *number <= UINT32_MAX; (*at)++)
        *number = *number * 10 + (uint64_t)(**at - '0');
    return *at > digits && *number <= UINT32_MAX && *(*at)++ == end;
}

int user_subordinate(const char *file, const char *name, uid_t uid, struct user_range *range)
{
    char number[16], *line = NULL;
    size_t size = 0;
    ssize_t length;
    int result = -ENOENT;
    FILE *lines = fopen(file, "re");

    if (lines == NULL)
        return -errno;
    snprintf(number, sizeof number, "%u", uid);
    while (result < 0 && (length = getline(&line, &size, lines)) > 0) {
        if (line[length - 1] == '\n')
            line[length - 1] = '\0';
        const char *names[] = {number, name}, *at = strchr(line, ':');
        size_t word = at != NULL ? (size_t)(at - line) : 0;
        uint64_t first, count;
        if (at++ == NULL || !take_number(&at, ':', &first) || !take_number(&at, '\0', &count) ||
            count == 0 || first + count > (uint64_t)UINT32_MAX + 1)
            continue;
        for (size_t i = 0; i < 2 && result < 0; i++) {
            if (names[i] == NULL || strlen(names[i]) != word || memcmp(names[i], line, word) != 0)
                continue;
            range->outside = (uint32_t)first;
            range->count = (uint32_t)count;
            result = 0;
        }
    }
    free(line);
    fclose(lines);
    return result;
}

int user_map_subordinate(pid_t pid, const struct user_range *uids, size_t uid_count,
                         const struct user_range *gids, size_t gid_count)
{
    const struct {
        const char *program;
        const struct user_range *ranges;
        size_t count;
    } helpers[] = {{"newuidmap", uids, uid_count}, {"newgidmap", gids, gid_count}};

    for (size_t i = 0; i < 2; i++) {
        static char words[2 + 3 * 8][16];
        char *argv[2 + 3 * 8 + 1] = {words[0], words[1]};
        size_t next = 2;
        struct process_failure failure;
        struct process child;
        int status;
        if (helpers[i].count > 8)
            return -E2BIG;
        strcpy(words[0], helpers[i].program);
        snprintf(words[1], sizeof *words, "%d", pid);
        for (size_t k = 0; k < helpers[i].count; k++) {
            const struct user_range *r = &helpers[i].ranges[k];
            const uint32_t numbers[] = {r->inside, r->outside, r->count};
            for (size_t n = 0; n < 3; n++, next++) {
                snprintf(words[next], sizeof *words, "%u", numbers[n]);
                argv[next] = words[next];
            }
        }
        struct process_spec spec = {
            .cgroup = -1, .argv = argv, .envp = environ, .stdio = {-1, -1, -1}};
        int result = process_start(&spec, &child, &failure);
        if (result < 0)
            return result;
        result = process_wait(&child, &status);
        close(child.pidfd);
        if (result < 0 || status != 0)
            return result < 0 ? result : -EPERM;
    }
    return 0;
}
