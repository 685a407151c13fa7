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

#include "kernel/namespace.h"
#include "kernel/own.h"
#include "kernel/stat.h"
#include "sandbox/groupfs.h"
#include "sandbox/homes.h"

#define MARK "strata-"

enum { REMOVE_TRIES = 100, REMOVE_WAIT_MS = 10 };

/* --- making and removing -------------------------------------------------------------------- */

/* v2 hands a controller down only when the parent's subtree_control names it, and refuses that
 * where the parent itself has processes (but for the root). So this works for root on a plain
 * machine and in a delegated empty group, and nowhere else. */
static bool no_swap(const char *group)
{
    int result = group_write(group, "memory.swap.max", "0");

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
        return group_write_number(group, "memory.max", memory) == 0 &&
               group_write_number(group, "pids.max", processes) == 0 && no_swap(group);
    }
    if (home->memory && group_write_number(group, "memory.limit_in_bytes", memory) < 0)
        return false;
    if (home->memory) /* memory and swap together; not every kernel accounts for it */
        group_write_number(group, "memory.memsw.limit_in_bytes", memory);
    return !home->processes || group_write_number(group, "pids.max", processes) == 0;
}

/* In v2 a group that hands controllers down has no processes of its own: the sandbox's live in a
 * group beside those of its rooms. */
#define OUTER "/outer"

static void hand_down(const char *group)
{
    static const char *const controllers[] = {"+memory", "+pids", "+cpu", "+cpuset", "+io"};
    char outer[PATH_MAX + 16];

    snprintf(outer, sizeof outer, "%s" OUTER, group);
    if (mkdir(outer, 0755) < 0)
        return;
    for (size_t i = 0; i < sizeof controllers / sizeof *controllers; i++)
        group_write(group, "cgroup.subtree_control", controllers[i]); /* what this machine has */
}

/* Groups for rooms (`options->cgroups`) are wanted in every hierarchy, limits where they can be. */
static bool make_group(const struct home *home, const char *group,
                       const struct sandbox_options *options, bool *memory)
{
    if (!options->cgroups && !home->memory && !home->processes)
        return false;
    if (group_make(group, home->folder, home_has(home, "cpuset")) < 0)
        return false;
    bool limited = set_limits(home, group, options);
    if (!limited && !options->cgroups) {
        rmdir(group);
        return false;
    }
    *memory = *memory || (limited && home->memory);
    if (home->v2 && options->cgroups)
        hand_down(group);
    return true;
}

void limits_make(struct limits *limits, const char *run, const struct sandbox_options *options)
{
    static struct home homes[HOMES_MAX];
    size_t count = homes_find(homes);

    *limits = (struct limits){0};
    for (size_t i = 0; i < count && limits->count < LIMITS_MAX; i++) {
        char *group = limits->groups[limits->count];
        int wrote = snprintf(group, PATH_MAX, "%s/%s", homes[i].folder, run);
        if (wrote < PATH_MAX && make_group(&homes[i], group, options, &limits->memory))
            limits->count++;
    }
}

/* Only what happened to the group itself: a student's group within may run out as it likes. */
bool limits_ran_out(const struct limits *limits)
{
    for (size_t i = 0; i < limits->count; i++)
        if (group_read_key(limits->groups[i], "memory.oom_control", "oom_kill") > 0 ||
            group_read_key(limits->groups[i], "memory.events.local", "oom") > 0)
            return true;
    return false;
}

void limits_add(const struct limits *limits, pid_t pid)
{
    char outer[PATH_MAX + 16];

    for (size_t i = 0; i < limits->count; i++) {
        snprintf(outer, sizeof outer, "%s" OUTER, limits->groups[i]);
        group_write_number(access(outer, F_OK) == 0 ? outer : limits->groups[i], "cgroup.procs",
                           (unsigned long long)pid);
    }
}

void limits_remove(struct limits *limits)
{
    for (size_t i = 0; i < limits->count; i++)
        for (int tries = 0; group_remove(limits->groups[i]) == -EBUSY && tries < REMOVE_TRIES;
             tries++)
            poll(NULL, 0, REMOVE_WAIT_MS); /* the dead leave their group a moment after they died */
    limits->count = 0;
}

static void find_run(const char *run, struct limits *limits)
{
    static struct home homes[HOMES_MAX];
    size_t count = homes_find(homes);

    *limits = (struct limits){0};
    for (size_t i = 0; i < count && limits->count < LIMITS_MAX; i++) {
        char *group = limits->groups[limits->count];
        if (snprintf(group, PATH_MAX, "%s/%s", homes[i].folder, run) < PATH_MAX &&
            access(group, F_OK) == 0)
            limits->count++;
    }
}

void limits_thaw(const char *run)
{
    static struct home homes[HOMES_MAX];
    char group[PATH_MAX + 64];
    size_t count = homes_find(homes);

    for (size_t i = 0; i < count; i++) {
        snprintf(group, sizeof group, "%s/%s", homes[i].folder, run);
        if (home_has(&homes[i], "freezer") && access(group, F_OK) == 0)
            group_thaw(group);
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

/* A pid means something in its PID namespace only, and whoever runs in a container may share these
 * folders with the machine: what was marked in another namespace is not ours to judge. */
static unsigned long long pid_namespace(void)
{
    struct kernel_ns_id id = {0};

    kernel_ns(getpid(), "pid", &id);
    return id.ino;
}

static void write_mark(char *run, size_t size, int pid, unsigned long long start, unsigned counter)
{
    snprintf(run, size, MARK "%d-%llx-%u-%llx", pid, start, counter, pid_namespace());
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
    size_t count = homes_find(homes);

    for (size_t i = 0; i < count; i++) {
        DIR *folder = opendir(homes[i].folder);
        if (folder == NULL)
            continue;
        for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
            char path[PATH_MAX];
            if (strncmp(entry->d_name, MARK, strlen(MARK)) == 0 && !owner_lives(entry->d_name) &&
                snprintf(path, sizeof path, "%s/%s", homes[i].folder, entry->d_name) <
                    (int)sizeof path) {
                group_thaw(path);
                group_remove(path);
            }
        }
        closedir(folder);
    }
}
