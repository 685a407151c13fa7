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
static bool set_limits(const struct home *home, const char *group,
                       const struct sandbox_options *options)
{
    unsigned long long memory =
        options->memory != 0 ? options->memory : (unsigned long long)SANDBOX_MEMORY_MIB << 20;
    unsigned long long processes =
        options->processes != 0 ? options->processes : (unsigned long long)SANDBOX_PROCESSES;

    if (home->v2) {
        return write_number(group, "memory.max", memory) == 0 &&
               write_number(group, "pids.max", processes) == 0 &&
               (write_value(group, "memory.swap.max", "0") == 0 || errno == ENOENT);
    }
    if (home->memory && write_number(group, "memory.limit_in_bytes", memory) < 0)
        return false;
    return !home->processes || write_number(group, "pids.max", processes) == 0;
}

void limits_make(struct limits *limits, const char *run, const struct sandbox_options *options)
{
    static struct home homes[HOMES_MAX];
    size_t count = find_homes(homes);

    limits->count = 0;
    for (size_t i = 0; i < count && limits->count < LIMITS_MAX; i++) {
        char *group = limits->groups[limits->count];
        int wrote = snprintf(group, PATH_MAX, "%s/%s", homes[i].folder, run);
        if (wrote >= PATH_MAX || mkdir(group, 0755) < 0)
            continue;
        limits->count++;
        if (!set_limits(&homes[i], group, options)) {
            rmdir(group);
            limits->count--;
        }
    }
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
        for (int tries = 0; remove_tree(limits->groups[i]) == -EBUSY && tries < REMOVE_TRIES; tries++)
            poll(NULL, 0, REMOVE_WAIT_MS); /* the dead leave their group a moment after they died */
    limits->count = 0;
}

void limits_remove_run(const char *run)
{
    static struct home homes[HOMES_MAX];
    size_t count = find_homes(homes);
    struct limits limits = {0};

    for (size_t i = 0; i < count && limits.count < LIMITS_MAX; i++) {
        char *group = limits.groups[limits.count];
        if (snprintf(group, PATH_MAX, "%s/%s", homes[i].folder, run) < PATH_MAX &&
            access(group, F_OK) == 0)
            limits.count++;
    }
    limits_remove(&limits);
}

/* --- the mark ------------------------------------------------------------------------------- */

void limits_mark(char *run, size_t size)
{
    static unsigned counter;
    struct kernel_stat stat = {0};

    kernel_stat_read(getpid(), &stat);
    snprintf(run, size, MARK "%d-%llx-%u", getpid(), (unsigned long long)stat.starttime, counter++);
}

/* True when the harness that made a group of this name still runs: a pid may have been given to
 * another process since, but not with the same start time. */
static bool owner_lives(const char *name)
{
    struct kernel_stat stat;
    char *end;
    long pid = strtol(name + strlen(MARK), &end, 10);

    if (*end != '-' || pid <= 0)
        return true; /* not a name we give: leave it alone */
    unsigned long long start = strtoull(end + 1, NULL, 16);
    return kernel_stat_read((pid_t)pid, &stat) == 0 && stat.starttime == start;
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
