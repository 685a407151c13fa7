/* Variant: the present flags are read from mountinfo by the mount id; the size of a tmpfs is given
 * in blocks. */
#include "04-mount/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

int mount_namespaces(uint64_t *flags)
{
    *flags = *flags | CLONE_NEWNS;
    return 0;
}

int mount_private(void)
{
    /* Two calls: first nothing goes out, then nothing comes in. */
    if (mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) == 0 &&
        mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL) == 0)
        return 0;
    return -errno;
}

int mount_bind(const char *source, const char *target, bool recursive)
{
    if (mount(source, target, NULL, recursive ? MS_BIND | MS_REC : MS_BIND, NULL) == 0)
        return 0;
    return -errno;
}

static unsigned long flag_of(const char *word)
{
    static const struct {
        const char *word;
        unsigned long flag;
    } words[] = {{"nosuid", MS_NOSUID},   {"nodev", MS_NODEV},       {"noexec", MS_NOEXEC},
                 {"noatime", MS_NOATIME}, {"relatime", MS_RELATIME}, {"nodiratime", MS_NODIRATIME}};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(word, words[i].word) == 0)
            return words[i].flag;
    return 0;
}

int mount_readonly(const char *target)
{
    struct statx stx;
    char line[4096], options[512], *rest = options;
    unsigned long flags = 0;
    unsigned long long id;
    FILE *list;

    if (statx(AT_FDCWD, target, 0, STATX_MNT_ID, &stx) < 0)
        return -errno;
    if ((list = fopen("/proc/self/mountinfo", "re")) == NULL)
        return -errno;
    while (fgets(line, sizeof line, list) != NULL)
        if (sscanf(line, "%llu %*d %*s %*s %*s %511s", &id, options) == 2 && id == stx.stx_mnt_id)
            for (char *word; (word = strsep(&rest, ",")) != NULL;)
                flags |= flag_of(word);
    fclose(list);
    if (mount(NULL, target, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | flags, NULL) < 0)
        return -errno;
    return 0;
}

int mount_tmpfs(const char *target, uint64_t size)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    char options[64];

    /* No mode: 1777 is what a tmpfs has by itself. */
    snprintf(options, sizeof options, "nr_blocks=%" PRIu64, (size + page - 1) / page);
    if (mount(NULL, target, "tmpfs", MS_NODEV | MS_NOSUID | MS_NOEXEC, options) < 0)
        return -errno;
    return 0;
}

int mount_detach(const char *target)
{
    struct stat st;

    if (lstat(target, &st) == 0 && S_ISLNK(st.st_mode))
        return -EINVAL;
    if (umount2(target, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
        return 0;
    return -errno;
}
