#include "sandbox/watch.h"

#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>
#include <fcntl.h>
#include <stdio.h>

#include "kernel/mountinfo.h"
#include "kernel/namespace.h"
#include "kernel/own.h"
#include "kernel/path.h"
#include "kernel/status.h"
#include "kernel/tree.h"

enum { SEEN_MAX = 512, FD_MAX = 256 };

/* File systems and files that were counted already: many processes share them. */
struct seen {
    struct {
        dev_t dev;
        ino_t ino;
    } list[SEEN_MAX];
    size_t count;
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

/* The tmpfs mounts of a mount namespace. The sandbox has no FUSE, so nothing here can hang us. */
static uint64_t count_tmpfs(pid_t pid, struct seen *seen)
{
    struct kernel_mounts mounts = {0};
    uint64_t bytes = 0;

    if (kernel_mounts_read(pid, &mounts) < 0)
        return 0;
    for (size_t i = 0; i < mounts.count; i++) {
        struct statfs fs;
        struct stat st;
        if (strcmp(mounts.list[i].fstype, "tmpfs") != 0)
            continue;
        autoclose int fd = kernel_path_at(pid, mounts.list[i].target, O_DIRECTORY);
        if (fd >= 0 && fstat(fd, &st) == 0 && fstatfs(fd, &fs) == 0 && fs.f_type == TMPFS_MAGIC &&
            first_time(seen, st.st_dev, 0))
            bytes += (uint64_t)(fs.f_blocks - fs.f_bfree) * (uint64_t)fs.f_bsize;
    }
    kernel_mounts_free(&mounts);
    return bytes;
}

/* Open files that live in memory and have no name any more: memfds, deleted tmpfs files. */
static uint64_t count_fds(pid_t pid, struct seen *seen)
{
    uint64_t bytes = 0;

    for (int fd = 0; fd < FD_MAX; fd++) {
        char path[64];
        struct statfs fs;
        struct stat st;
        snprintf(path, sizeof path, "/proc/%d/fd/%d", pid, fd);
        if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_blocks > 2048 &&
            statfs(path, &fs) == 0 && fs.f_type == TMPFS_MAGIC && st.st_nlink == 0 &&
            first_time(seen, st.st_dev, st.st_ino))
            bytes += (uint64_t)st.st_blocks * 512;
    }
    return bytes;
}

uint64_t watch_memory(pid_t pid)
{
    static struct seen files, spaces;
    struct kernel_pids pids = {0};
    uint64_t own = 0, shared = 0, stored = 0;

    files.count = spaces.count = 0;
    if (kernel_descendants(pid, &pids) < 0)
        return 0;
    for (size_t i = 0; i < pids.count; i++) {
        struct kernel_status status;
        struct kernel_ns_id ns;
        if (kernel_status_read(pids.list[i], &status) < 0)
            continue;
        if (status.rss_anon_kb > 0)
            own += (uint64_t)status.rss_anon_kb << 10;
        if (status.rss_shmem_kb > 0 && ((uint64_t)status.rss_shmem_kb << 10) > shared)
            shared = (uint64_t)status.rss_shmem_kb << 10;
        kernel_status_free(&status);
        if (kernel_ns(pids.list[i], "mnt", &ns) == 0 && first_time(&spaces, ns.dev, ns.ino))
            stored += count_tmpfs(pids.list[i], &files);
        stored += count_fds(pids.list[i], &files);
    }
    kernel_pids_free(&pids);
    return own + (stored > shared ? stored : shared); /* mapped tmpfs pages show up in both */
}
