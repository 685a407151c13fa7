#include "sandbox/limits.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel/cgroup.h"
#include "kernel/mountinfo.h"
#include "kernel/own.h"
#include "kernel/stat.h"

#define MARK "strata-"

enum { REMOVE_TRIES = 100, REMOVE_WAIT_MS = 10 };

static int write_value(const char *group, const char *name, const char *value)
{
    char path[PATH_MAX + 64];

    snprintf(path, sizeof path, "%s/%s", group, name);
    autoclose int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, value, strlen(value)) < 0)
        return -errno;
    return 0;
}

static int write_number(const char *group, const char *name, unsigned long long value)
{
    char text[32];

    snprintf(text, sizeof text, "%llu", value);
    return write_value(group, name, text);
}

/* --- where our own groups are --------------------------------------------------------------- */

/* What /proc/self/{cgroup,mountinfo} say of one hierarchy: the folder of our own group in it. */
struct home {
    bool v2;
    bool memory, processes; /* which limits it can set */
    char folder[PATH_MAX];
};

enum { HOMES_MAX = 16 };

/* Our group's path, seen through a mount that may show only a part of the hierarchy. */
static bool below_mount(const struct kernel_mount *mount, const char *path, char *folder)
{
    size_t root = strcmp(mount->root, "/") == 0 ? 0 : strlen(mount->root);

    if (strncmp(path, mount->root, root) != 0)
        return false;
    int wrote = snprintf(folder, PATH_MAX, "%s%s", mount->target, path + root);
    return wrote > 0 && wrote < PATH_MAX;
}

static size_t find_homes(struct home homes[HOMES_MAX])
{
    struct kernel_mounts mounts = {0};
    struct kernel_cgroups groups = {0};
    size_t count = 0;

    if (kernel_mounts_read(getpid(), &mounts) == 0 && kernel_cgroups_read(getpid(), &groups) == 0) {
        for (size_t i = 0; i < mounts.count && count < HOMES_MAX; i++) {
            const struct kernel_mount *mount = &mounts.list[i];
            struct home *home = &homes[count];
            const struct kernel_cgroup *group = NULL;
            *home = (struct home){.v2 = strcmp(mount->fstype, "cgroup2") == 0};
            if (home->v2) {
                group = kernel_cgroups_v2(&groups);
                home->memory = home->processes = true;
            } else if (strcmp(mount->fstype, "cgroup") == 0) {
                home->memory = kernel_mount_has(mount->super, "memory");
                home->processes = kernel_mount_has(mount->super, "pids");
                if (home->memory || home->processes)
                    group = kernel_cgroups_find(&groups, home->memory ? "memory" : "pids");
            }
            if (group != NULL && below_mount(mount, group->path, home->folder))
                count++;
        }
    }
    kernel_mounts_free(&mounts);
    kernel_cgroups_free(&groups);
    return count;
}

/* --- making and removing -------------------------------------------------------------------- */

/* v2 hands a controller down only when the parent's subtree_control names it, and refuses that
 * where the parent itself has processes (but for the root). So this works for root on a plain
 * machine and in a delegated empty group, and nowhere else. */
static bool no_swap(const char *group)
{
    int result = write_value(group, "memory.swap.max", "0");

    return result == 0 || result == -ENOENT; /* a kernel without swap has no such file */
}

static bool set_limits(const struct home *home, const char *group,
                       const struct sandbox_options *options)
{
    unsigned long long memory =
        options->memory != 0 ? options->memory : (unsigned long long)SANDBOX_MEMORY_MIB << 20;
    unsigned long long processes =
        options->processes != 0 ? options->processes : (unsigned long long)SANDBOX_PROCESSES;

    /* RLIMIT_NPROC (outer.c) is to be met first: it refuses before the kernel has copied much, and
     * a fork bomb's thousands of refusals a second are counted as memory, too. */
    processes += processes / 4;

    if (home->v2) {
        return write_number(group, "memory.max", memory) == 0 &&
               write_number(group, "pids.max", processes) == 0 && no_swap(group);
    }
    if (home->memory && write_number(group, "memory.limit_in_bytes", memory) < 0)
        return false;
    if (home->memory) /* memory and swap together; not every kernel accounts for it */
        write_number(group, "memory.memsw.limit_in_bytes", memory);
    return !home->processes || write_number(group, "pids.max", processes) == 0;
}

void limits_make(struct limits *limits, const char *run, const struct sandbox_options *options)
{
    static struct home homes[HOMES_MAX];
    size_t count = find_homes(homes);

    *limits = (struct limits){0};
    for (size_t i = 0; i < count && limits->count < LIMITS_MAX; i++) {
        char *group = limits->groups[limits->count];
        int wrote = snprintf(group, PATH_MAX, "%s/%s", homes[i].folder, run);
        if (wrote >= PATH_MAX || mkdir(group, 0755) < 0)
            continue;
        limits->count++;
        if (!set_limits(&homes[i], group, options)) {
            rmdir(group);
            limits->count--;
        } else if (homes[i].memory) {
            limits->memory = true;
        }
    }
}

/* The number behind `key` in a file of "KEY NUMBER" lines, 0 when there is none. */
static unsigned long long read_key(const char *group, const char *name, const char *key)
{
    char path[PATH_MAX + 64], line[128], word[64];
    unsigned long long number = 0, found = 0;

    snprintf(path, sizeof path, "%s/%s", group, name);
    autofclose FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "%63s %llu", word, &number) == 2 && strcmp(word, key) == 0)
            found = number;
    return found;
}

/* Only what happened to the group itself: a student's group within may run out as it likes. */
bool limits_ran_out(const struct limits *limits)
{
    for (size_t i = 0; i < limits->count; i++)
        if (read_key(limits->groups[i], "memory.oom_control", "oom_kill") > 0 ||
            read_key(limits->groups[i], "memory.events.local", "oom") > 0)
            return true;
    return false;
}

void limits_add(const struct limits *limits, pid_t pid)
{
    for (size_t i = 0; i < limits->count; i++)
        write_number(limits->groups[i], "cgroup.procs", (unsigned long long)pid);
}

/* Groups within (a student's, from lab 11 on) go first. */
static int remove_tree(const char *group)
{
    DIR *folder = opendir(group);

    if (folder == NULL)
        return errno == ENOENT ? 0 : -errno;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char path[PATH_MAX];
        if (entry->d_type != DT_DIR || strcmp(entry->d_name, ".") == 0 ||
            strcmp(entry->d_name, "..") == 0)
            continue;
        if (snprintf(path, sizeof path, "%s/%s", group, entry->d_name) < (int)sizeof path)
            remove_tree(path);
    }
    closedir(folder);
    return rmdir(group) < 0 && errno != ENOENT ? -errno : 0;
}

void limits_remove(struct limits *limits)
{
    for (size_t i = 0; i < limits->count; i++)
        for (int tries = 0; remove_tree(limits->groups[i]) == -EBUSY && tries < REMOVE_TRIES;
             tries++)
            poll(NULL, 0, REMOVE_WAIT_MS); /* the dead leave their group a moment after they died */
    limits->count = 0;
}

static void find_run(const char *run, struct limits *limits)
{
    static struct home homes[HOMES_MAX];
    size_t count = find_homes(homes);

    *limits = (struct limits){0};
    for (size_t i = 0; i < count && limits->count < LIMITS_MAX; i++) {
        char *group = limits->groups[limits->count];
        if (snprintf(group, PATH_MAX, "%s/%s", homes[i].folder, run) < PATH_MAX &&
            access(group, F_OK) == 0)
            limits->count++;
    }
}

void limits_remove_run(const char *run)
{
    struct limits limits;

    find_run(run, &limits);
    limits_remove(&limits);
}

bool limits_squeezed(const char *run)
{
    struct limits limits;

    find_run(run, &limits);
    return limits_ran_out(&limits);
}

/* --- the mark ------------------------------------------------------------------------------- */

static void write_mark(char *run, size_t size, int pid, unsigned long long start, unsigned counter)
{
    snprintf(run, size, MARK "%d-%llx-%u", pid, start, counter);
}

void limits_mark(char *run, size_t size)
{
    static unsigned counter;
    struct kernel_stat stat = {0};

    kernel_stat_read(getpid(), &stat);
    write_mark(run, size, getpid(), stat.starttime, counter++);
}

/* True when the harness that made a group of this name still runs: a pid may have been given to
 * another process since, but not with the same start time. */
static bool owner_lives(const char *name)
{
    struct kernel_stat stat;
    char again[64];
    int pid;
    unsigned long long start;
    unsigned counter;

    /* Written again it must be the same: a name that we would not give is not ours to touch. */
    if (sscanf(name, MARK "%d-%llx-%u", &pid, &start, &counter) != 3)
        return true;
    write_mark(again, sizeof again, pid, start, counter);
    if (strcmp(again, name) != 0)
        return true;
    int result = kernel_stat_read((pid_t)pid, &stat);
    if (result < 0)
        return result != -ESRCH;
    return stat.starttime == start && stat.state != 'Z' && stat.state != 'X';
}

void limits_sweep(void)
{
    static struct home homes[HOMES_MAX];
    size_t count = find_homes(homes);

    for (size_t i = 0; i < count; i++) {
        DIR *folder = opendir(homes[i].folder);
        if (folder == NULL)
            continue;
        for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
            char path[PATH_MAX];
            if (strncmp(entry->d_name, MARK, strlen(MARK)) == 0 && !owner_lives(entry->d_name) &&
                snprintf(path, sizeof path, "%s/%s", homes[i].folder, entry->d_name) <
                    (int)sizeof path)
                remove_tree(path);
        }
        closedir(folder);
    }
}
