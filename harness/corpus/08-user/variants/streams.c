/* Variant: streams whose buffer is the one write; denies setgroups to whoever the kernel refused,
 * after a look at which it was; looks a range up by halving; the helpers run under a shell. */
#include "08-user/user.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/nsfs.h>
#include <linux/sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

int user_namespaces(uint64_t *flags)
{
    const uint64_t own = CLONE_NEWUSER;

    *flags |= own;
    return 0;
}

static int by_inside(const void *a, const void *b)
{
    const struct user_range *one = a, *other = b;

    return (one->inside > other->inside) - (one->inside < other->inside);
}

uint32_t user_translate(const struct user_range *ranges, size_t count, uint32_t id)
{
    struct user_range *sorted = calloc(count + 1, sizeof *sorted);
    size_t low = 0, high = count;
    uint32_t result = 65534;
    FILE *file = fopen("/proc/sys/kernel/overflowuid", "r");

    if (file != NULL) {
        if (fscanf(file, "%u", &result) != 1)
            result = 65534;
        fclose(file);
    }
    if (sorted == NULL)
        return result;
    if (count > 0)
        memcpy(sorted, ranges, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, by_inside);
    while (low < high) {
        size_t middle = (low + high) / 2;
        const struct user_range *r = &sorted[middle];
        if (id < r->inside) {
            high = middle;
        } else if (id - r->inside >= r->count) {
            low = middle + 1;
        } else {
            result = r->outside + (id - r->inside);
            break;
        }
    }
    free(sorted);
    return result;
}

/* A buffer that all fits into makes fclose(3) one write(2). */
static FILE *open_proc(pid_t pid, const char *name, char *buffer, size_t size)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
    FILE *file = fopen(path, "we");
    if (file != NULL)
        setvbuf(file, buffer, _IOFBF, size);
    return file;
}

static int write_map(pid_t pid, const char *name, const struct user_range *ranges, size_t count)
{
    static char buffer[1 << 16];
    FILE *file = open_proc(pid, name, buffer, sizeof buffer);

    if (file == NULL)
        return -errno;
    for (size_t i = 0; i < count; i++)
        fprintf(file, "%u %u %u\n", ranges[i].inside, ranges[i].outside, ranges[i].count);
    return fclose(file) != 0 ? -errno : 0;
}

int user_map_uids(pid_t pid, const struct user_range *ranges, size_t count)
{
    return write_map(pid, "uid_map", ranges, count);
}

int user_map_gids(pid_t pid, const struct user_range *ranges, size_t count)
{
    char buffer[64];
    int result = write_map(pid, "gid_map", ranges, count);

    if (result != -EPERM)
        return result;
    FILE *file = open_proc(pid, "setgroups", buffer, sizeof buffer);
    if (file == NULL)
        return -errno;
    fputs("deny", file);
    if (fclose(file) != 0)
        return -errno;
    return write_map(pid, "gid_map", ranges, count);
}

int user_become_root(void)
{
    gid_t none;

    if (setresuid(0, 0, 0) < 0 || setresgid(0, 0, 0) < 0)
        return -errno;
    setfsuid(0);
    setfsgid(0);
    return setgroups(0, &none) < 0 && errno != EPERM ? -errno : 0;
}

int user_owner(int namespace, struct process_namespace *owner)
{
    struct stat st = {0};
    int copy = fcntl(namespace, F_DUPFD_CLOEXEC, 0), result = 0;
    int fd = copy < 0 ? -1 : ioctl(copy, NS_GET_USERNS, 0);

    if (fd < 0 || fstat(fd, &st) < 0)
        result = -errno;
    else
        *owner = (struct process_namespace){st.st_dev, st.st_ino};
    if (fd >= 0)
        close(fd);
    if (copy >= 0)
        close(copy);
    return result;
}

/* The whole of "digits", at most 32 bits. */
static bool number_of(const char *digits, uint64_t *number)
{
    if (*digits == '\0' || strspn(digits, "0123456789") != strlen(digits) || strlen(digits) > 10)
        return false;
    *number = strtoull(digits, NULL, 10);
    return *number <= UINT32_MAX;
}

int user_subordinate(const char *file, const char *name, uid_t uid, struct user_range *range)
{
    char *line = NULL, number[16];
    size_t size = 0;
    FILE *lines = fopen(file, "re");

    if (lines == NULL)
        return -errno;
    snprintf(number, sizeof number, "%u", uid);
    int result = -ENOENT;
    while (getline(&line, &size, lines) >= 0) {
        char *start = strchr(line, ':'), *count = start != NULL ? strchr(start + 1, ':') : NULL;
        uint64_t numbers[2];
        line[strcspn(line, "\n")] = '\0';
        if (count == NULL)
            continue;
        *start++ = *count++ = '\0';
        if (strcmp(line, number) != 0 && strcmp(line, name != NULL ? name : number) != 0)
            continue;
        if (!number_of(start, &numbers[0]) || !number_of(count, &numbers[1]) || numbers[1] == 0 ||
            numbers[0] + numbers[1] - 1 > UINT32_MAX)
            continue;
        range->outside = (uint32_t)numbers[0];
        range->count = (uint32_t)numbers[1];
        result = 0;
        break;
    }
    free(line);
    fclose(lines);
    return result;
}

static bool on_path(const char *program)
{
    const char *path = getenv("PATH");
    char *folders = strdup(path != NULL ? path : "/usr/bin"), *rest = folders, *folder;
    bool found = false;

    while (!found && (folder = strsep(&rest, ":")) != NULL) {
        char name[4096];
        snprintf(name, sizeof name, "%s/%s", folder, program);
        found = access(name, X_OK) == 0;
    }
    free(folders);
    return found;
}

static int run(const char *program, pid_t pid, const struct user_range *ranges, size_t count)
{
    char *words = NULL;
    size_t length;
    FILE *stream = open_memstream(&words, &length);
    struct process process;
    int status = 0;

    if (stream == NULL)
        return -errno;
    fprintf(stream, "exec %s %d", program, pid);
    for (size_t i = 0; i < count; i++)
        fprintf(stream, " %u %u %u", ranges[i].inside, ranges[i].outside, ranges[i].count);
    fclose(stream);
    char *const argv[] = {"/bin/sh", "-c", words, NULL};
    struct process_spec spec = {.cgroup = -1, .argv = argv, .envp = environ, .stdio = {-1, -1, -1}};
    int result = on_path(program) ? process_start(&spec, &process, NULL) : -ENOENT;
    if (result == 0) {
        result = process_wait(&process, &status);
        close(process.pidfd);
    }
    free(words);
    return result < 0 ? result : status == 0 ? 0 : -EPERM;
}

int user_map_subordinate(pid_t pid, const struct user_range *uids, size_t uid_count,
                         const struct user_range *gids, size_t gid_count)
{
    int result = run("newuidmap", pid, uids, uid_count);

    return result != 0 ? result : run("newgidmap", pid, gids, gid_count);
}
