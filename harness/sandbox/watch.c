#include "sandbox/watch.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "kernel/inside.h"
#include "kernel/mountinfo.h"
#include "kernel/namespace.h"
#include "kernel/own.h"
#include "kernel/path.h"
#include "kernel/status.h"
#include "kernel/tree.h"

enum { SEEN_MAX = 4096, FULL_SHARE = 32 };

/* File systems, files and namespaces that were counted already: many processes share them. */
struct seen {
    struct {
        dev_t dev;
        ino_t ino;
    } list[SEEN_MAX];
    size_t count;
};

struct total {
    uint64_t private; /* anonymous pages                                          */
    uint64_t mapped;  /* pages of files in memory, as mappings show them          */
    uint64_t stored;  /* the same, as file systems, open files and segments do    */
    bool unbounded;   /* a tmpfs without a size, which tells nobody what it holds */
};

static bool first_time(struct seen *seen, dev_t dev, ino_t ino)
{
    for (size_t i = 0; i < seen->count; i++)
        if (seen->list[i].dev == dev && seen->list[i].ino == ino)
            return false;
    if (seen->count == SEEN_MAX)
        return false;
    seen->list[seen->count].dev = dev;
    seen->list[seen->count++].ino = ino;
    return true;
}

/* "KEY: NUMBER kB" of a file in /proc, in bytes; 0 when it is not there. */
static uint64_t read_kb(const char *path, const char *key)
{
    char line[256];
    unsigned long long kb = 0;
    size_t length = strlen(key);

    autofclose FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, key, length) == 0 && sscanf(line + length, ": %llu", &kb) == 1)
            break;
    return (uint64_t)kb << 10;
}

/* --- what is stored ------------------------------------------------------------------------- */

/* Something on a tmpfs: all of that file system, once. The kernel's own (memfds and segments live
 * there) has no bounds and many users: of it only the file itself. */
static void count_file(struct total *total, struct seen *seen, const struct stat *st,
                       const struct statfs *fs)
{
    if (fs->f_type != TMPFS_MAGIC)
        return;
    if (fs->f_blocks > 0) {
        if (first_time(seen, st->st_dev, 0))
            total->stored += (uint64_t)(fs->f_blocks - fs->f_bfree) * (uint64_t)fs->f_bsize;
    } else if (S_ISREG(st->st_mode) && st->st_nlink == 0) {
        if (first_time(seen, st->st_dev, st->st_ino))
            total->stored += (uint64_t)st->st_blocks * 512;
    } else {
        total->unbounded = true;
    }
}

/* The sandbox has no FUSE and no network file system, so nothing here can hang us. */
static void count_mounts(struct total *total, struct seen *seen, pid_t pid)
{
    struct kernel_mounts mounts = {0};

    if (kernel_mounts_read(pid, &mounts) < 0)
        return;
    for (size_t i = 0; i < mounts.count; i++) {
        struct statfs fs;
        struct stat st;
        if (strcmp(mounts.list[i].fstype, "tmpfs") != 0)
            continue;
        autoclose int fd = kernel_path_at(pid, mounts.list[i].target, O_DIRECTORY);
        if (fd >= 0 && fstat(fd, &st) == 0 && fstatfs(fd, &fs) == 0)
            count_file(total, seen, &st, &fs);
    }
    kernel_mounts_free(&mounts);
}

static void count_path(struct total *total, struct seen *seen, const char *path)
{
    struct statfs fs;
    struct stat st;

    if (stat(path, &st) == 0 && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)) &&
        statfs(path, &fs) == 0)
        count_file(total, seen, &st, &fs);
}

/* What is open, and where the process stands: a detached tmpfs is in no mount table any more. */
static void count_fds(struct total *total, struct seen *seen, pid_t pid)
{
    char path[64 + NAME_MAX];

    snprintf(path, sizeof path, "/proc/%d/cwd", pid);
    count_path(total, seen, path);
    snprintf(path, sizeof path, "/proc/%d/fd", pid);
    DIR *folder = opendir(path);
    if (folder == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "/proc/%d/fd/%s", pid, entry->d_name);
        count_path(total, seen, path);
    }
    closedir(folder);
}

/* /proc/sysvipc/shm shows the segments of the reader's namespace: the last two columns are what
 * each has in memory and in swap. We join, one after another; this process lives for this only. */
static void count_segments(struct total *total, pid_t pid)
{
    char path[64], line[512];
    unsigned long long resident, swapped;

    snprintf(path, sizeof path, "/proc/%d/ns/ipc", pid);
    autoclose int ipc = open(path, O_RDONLY | O_CLOEXEC);
    if (ipc < 0 || setns(ipc, CLONE_NEWIPC) < 0)
        return;
    autofclose FILE *file = fopen("/proc/sysvipc/shm", "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "%*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu %llu",
                   &resident, &swapped) == 2)
            total->stored += resident + swapped;
}

/* --- the sum -------------------------------------------------------------------------------- */

static void count_process(struct total *total, struct seen *files, struct seen *spaces, pid_t pid)
{
    struct kernel_status status;
    struct kernel_ns_id ns;

    if (kernel_status_read(pid, &status) < 0)
        return;
    if (status.rss_anon_kb > 0)
        total->private += (uint64_t)status.rss_anon_kb << 10;
    if (status.rss_shmem_kb > 0)
        total->mapped += (uint64_t)status.rss_shmem_kb << 10;
    kernel_status_free(&status);
    if (kernel_ns(pid, "mnt", &ns) == 0 && first_time(spaces, ns.dev, ns.ino))
        count_mounts(total, files, pid);
    if (kernel_ns(pid, "ipc", &ns) == 0 && first_time(spaces, ns.dev, ns.ino))
        count_segments(total, pid);
    count_fds(total, files, pid);
}

/* The quick sum counts a page once for each process that maps it. Only when that seems to be much
 * is the share of each process asked for, which costs the kernel a walk through its memory. */
static void count_shares(struct total *total, const struct kernel_pids *pids)
{
    char path[64];

    total->private = total->mapped = 0;
    for (size_t i = 0; i < pids->count; i++) {
        snprintf(path, sizeof path, "/proc/%d/smaps_rollup", pids->list[i]);
        total->private += read_kb(path, "Pss_Anon");
        total->mapped += read_kb(path, "Pss_Shmem");
    }
}

/* Files that are mapped show up in both ways; the larger is never above the truth. */
static uint64_t sum(const struct total *total)
{
    return total->private + (total->stored > total->mapped ? total->stored : total->mapped);
}

int watch_report(void *arg, int out)
{
    enum { MUCH = 64 << 20 };
    static struct seen files, spaces;
    const struct watch *watch = arg;
    struct kernel_pids pids = {0};
    struct total total = {0};

    files.count = spaces.count = 0;
    int result = kernel_descendants(watch->pid, &pids);
    if (result < 0)
        return result;
    for (size_t i = 0; i < pids.count; i++)
        count_process(&total, &files, &spaces, pids.list[i]);
    if (total.unbounded) {
        uint64_t now = read_kb("/proc/meminfo", "Shmem");
        if (now > watch->shmem_before && now - watch->shmem_before > total.stored)
            total.stored = now - watch->shmem_before;
    }
    if (total.private + total.mapped > MUCH)
        count_shares(&total, &pids);
    kernel_pids_free(&pids);
    uint64_t used = sum(&total);
    return kernel_write_all(out, &used, sizeof used);
}

void watch_begin(struct watch *watch)
{
    *watch = (struct watch){.shmem_before = read_kb("/proc/meminfo", "Shmem")};
}

bool watch_machine_is_full(void)
{
    uint64_t all = read_kb("/proc/meminfo", "MemTotal");
    uint64_t left = read_kb("/proc/meminfo", "MemAvailable");

    return all > 0 && left > 0 && left < all / FULL_SHARE;
}
