/* Variant: probes by setgroups of the groups that it has whether it may set any; leaves root in the
 * group list, which is no other group; maps are padded and read back; newgidmap comes first; lines
 * of the file are matched by a regular expression. */
#include "08-user/user.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/nsfs.h>
#include <regex.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

int user_namespaces(uint64_t *flags)
{
    if (flags == NULL)
        return -EINVAL;
    *flags = *flags | (uint64_t)CLONE_NEWUSER;
    return 0;
}

static bool contains(const struct user_range *r, uint32_t id)
{
    uint64_t end = (uint64_t)r->inside + r->count;

    return id >= r->inside && (uint64_t)id < end;
}

uint32_t user_translate(const struct user_range *ranges, size_t count, uint32_t id)
{
    uint32_t overflow = 65534;

    if (ranges != NULL)
        for (size_t i = 0; i < count; i++)
            if (contains(&ranges[i], id))
                return id - ranges[i].inside + ranges[i].outside;
    FILE *f = fopen("/proc/sys/kernel/overflowuid", "re");
    if (f != NULL) {
        unsigned long n;
        if (fscanf(f, "%lu", &n) == 1 && n <= UINT32_MAX)
            overflow = (uint32_t)n;
        fclose(f);
    }
    return overflow;
}

static int write_whole(const char *path, const char *text, size_t length)
{
    int result = 0;
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);

    if (fd < 0)
        return -errno;
    ssize_t n = write(fd, text, length);
    if (n < 0)
        result = -errno;
    else if ((size_t)n != length)
        result = -EIO;
    if (close(fd) < 0 && result == 0)
        result = -errno;
    return result;
}

/* Does the kernel show as many lines as we wrote? */
static int verify(const char *path, size_t count)
{
    FILE *f = fopen(path, "re");
    unsigned a, b, c;
    size_t lines = 0;

    if (f == NULL)
        return -errno;
    while (fscanf(f, "%u %u %u", &a, &b, &c) == 3)
        lines++;
    fclose(f);
    return lines == count ? 0 : -EIO;
}

static int map(pid_t pid, const char *name, const struct user_range *ranges, size_t count)
{
    char *path = NULL, *text = NULL;
    size_t length = 0;
    int result;

    if (count == 0 || count > 340)
        return -EINVAL;
    if (asprintf(&path, "/proc/%ld/%s", (long)pid, name) < 0)
        return -ENOMEM;
    FILE *memory = open_memstream(&text, &length);
    if (memory == NULL) {
        free(path);
        return -ENOMEM;
    }
    for (size_t i = 0; i < count; i++)
        fprintf(memory, "%10u %10u %10u\n", ranges[i].inside, ranges[i].outside, ranges[i].count);
    if (fclose(memory) != 0)
        result = -ENOMEM;
    else
        result = 0;
    /* the padded form may be too long where the terse one is not */
    if (result == 0 && length >= 4096) {
        char *to = text;
        for (char *from = text; *from != '\0'; from++)
            if (*from != ' ' || (to != text && to[-1] != ' ' && to[-1] != '\n'))
                *to++ = *from;
        length = (size_t)(to - text);
    }
    if (result == 0)
        result = write_whole(path, text, length);
    if (result == 0)
        result = verify(path, count);
    free(text);
    free(path);
    return result;
}

int user_map_uids(pid_t pid, const struct user_range *ranges, size_t count)
{
    return map(pid, "uid_map", ranges, count);
}

/* Who may set the groups it already has may set groups. */
static bool may_setgroups(void)
{
    int n = getgroups(0, NULL);
    if (n < 0)
        return false;
    gid_t *list = calloc((size_t)n + 1, sizeof *list);
    if (list == NULL)
        return false;
    n = getgroups(n, list);
    bool may = n >= 0 && setgroups((size_t)n, list) == 0;
    free(list);
    return may;
}

int user_map_gids(pid_t pid, const struct user_range *ranges, size_t count)
{
    char path[64];

    if (!may_setgroups()) {
        snprintf(path, sizeof path, "/proc/%d/setgroups", pid);
        int result = write_whole(path, "deny", sizeof "deny" - 1);
        if (result < 0)
            return result;
    }
    return map(pid, "gid_map", ranges, count);
}

static bool setgroups_denied(void)
{
    char word[16] = "";
    FILE *f = fopen("/proc/self/setgroups", "re");

    if (f == NULL)
        return false;
    bool denied = fgets(word, sizeof word, f) != NULL && strncmp(word, "deny", 4) == 0;
    fclose(f);
    return denied;
}

int user_become_root(void)
{
    gid_t root = 0;
    uid_t r, e, s;
    gid_t gr, ge, gs;

    if (setgid(0) != 0)
        return -errno;
    if (!setgroups_denied() && setgroups(1, &root) != 0)
        return -errno;
    if (setuid(0) != 0)
        return -errno;
    if (getresuid(&r, &e, &s) != 0 || getresgid(&gr, &ge, &gs) != 0)
        return -errno;
    if (r != 0 || e != 0 || s != 0 || gr != 0 || ge != 0 || gs != 0)
        return -EPERM;
    return 0;
}

int user_owner(int namespace, struct process_namespace *owner)
{
    char path[64];
    struct stat st;
    int fd = ioctl(namespace, NS_GET_USERNS);

    if (fd == -1)
        return -errno;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (stat(path, &st) == -1) {
        int error = errno;
        close(fd);
        return -error;
    }
    close(fd);
    memset(owner, 0, sizeof *owner);
    owner->device = st.st_dev;
    owner->inode = st.st_ino;
    return 0;
}

int user_subordinate(const char *file, const char *name, uid_t uid, struct user_range *range)
{
    regex_t pattern;
    regmatch_t m[4];
    char line[65536], number[12];
    int result = -ENOENT;

    if (regcomp(&pattern, "^([^:]*):([0-9]+):([0-9]+)$", REG_EXTENDED) != 0)
        return -ENOMEM;
    FILE *f = fopen(file, "re");
    if (f == NULL) {
        result = -errno;
        regfree(&pattern);
        return result;
    }
    snprintf(number, sizeof number, "%u", (unsigned)uid);
    while (result != 0 && fgets(line, sizeof line, f) != NULL) {
        size_t n = strlen(line);
        if (n > 0 && line[n - 1] == '\n')
            line[n - 1] = '\0';
        if (regexec(&pattern, line, 4, m, 0) != 0)
            continue;
        line[m[1].rm_eo] = line[m[2].rm_eo] = '\0';
        errno = 0;
        unsigned long long first = strtoull(line + m[2].rm_so, NULL, 10);
        unsigned long long many = strtoull(line + m[3].rm_so, NULL, 10);
        if (errno != 0 || first > UINT32_MAX || many > UINT32_MAX || many < 1 ||
            first + many - 1 > 4294967294ULL)
            continue;
        if (strcmp(line, number) != 0 && (name == NULL || strcmp(line, name) != 0))
            continue;
        range->outside = (uint32_t)first;
        range->count = (uint32_t)many;
        result = 0;
    }
    fclose(f);
    regfree(&pattern);
    return result;
}

static int helper(char *program, pid_t pid, const struct user_range *r, size_t count)
{
    char **argv = calloc(3 * count + 3, sizeof *argv);
    char *numbers = malloc((3 * count + 1) * 12), *at = numbers;
    int status = -1, result = -ENOMEM;

    if (argv != NULL && numbers != NULL) {
        struct process_spec spec = {.argv = argv, .envp = environ, .cgroup = -1};
        struct process child;
        size_t n = 0;
        for (int i = 0; i < 3; i++)
            spec.stdio[i] = -1;
        argv[n++] = program;
        argv[n++] = at;
        at += sprintf(at, "%d", pid) + 1;
        for (size_t i = 0; i < count; i++) {
            const uint32_t three[] = {r[i].inside, r[i].outside, r[i].count};
            for (int k = 0; k < 3; k++) {
                argv[n++] = at;
                at += sprintf(at, "%u", three[k]) + 1;
            }
        }
        result = process_start(&spec, &child, NULL);
        if (result == 0) {
            result = process_wait(&child, &status);
            close(child.pidfd);
            if (result == 0 && status != 0)
                result = -EPERM;
        }
    }
    free(numbers);
    free(argv);
    return result;
}

int user_map_subordinate(pid_t pid, const struct user_range *uids, size_t uid_count,
                         const struct user_range *gids, size_t gid_count)
{
    char uid_program[] = "newuidmap", gid_program[] = "newgidmap";
    /* groups first: the map of gids matters as much */
    int result = helper(gid_program, pid, gids, gid_count);

    if (result < 0)
        return result;
    return helper(uid_program, pid, uids, uid_count);
}
