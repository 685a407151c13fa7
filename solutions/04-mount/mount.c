/* Lab 04: a private mount tree. The contract is mount.h. */
#include "04-mount/mount.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/statvfs.h>

int mount_namespaces(uint64_t *flags)
{
    /* BEGIN SOLUTION step 1
     * TODO(step 1): the first kind of namespace that Linux had is simply called "new namespace":
     *               namespaces(7) has the flag.
     */
    *flags |= CLONE_NEWNS;
    return 0;
    /* END SOLUTION */
}

int mount_private(void)
{
    /* BEGIN SOLUTION step 1
     * TODO(step 1): change the propagation type of "/" and of everything below it. One call of
     *               mount(2) does it, and ignores its source, type and data. Private, not slave:
     *               what would a slave still receive? mount_namespaces(7), "SHARED SUBTREES".
     */
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return -errno;
    return 0;
    /* END SOLUTION */
}

int mount_bind(const char *source, const char *target, bool recursive)
{
    /* BEGIN SOLUTION step 2
     * TODO(step 2): the flags say whether what is mounted below the source comes along. mount(2),
     *               "Creating a bind mount": which of its arguments does the kernel not look at?
     */
    unsigned long flags = MS_BIND;

    if (recursive)
        flags |= MS_REC;
    if (mount(source, target, NULL, flags, NULL) < 0)
        return -errno;
    return 0;
    /* END SOLUTION */
}

/* BEGIN SOLUTION step 3 helper */
/* Adds the flags that the mount at `target` has now, as mount(2) spells them. Those about access
 * times are left out: a remount that names none of them keeps what is there. */
static int present_flags(const char *target, unsigned long *flags)
{
    static const struct {
        unsigned long seen;  /* by statvfs(3) */
        unsigned long given; /* to mount(2) */
    } pairs[] = {
        {ST_NOSUID, MS_NOSUID},
        {ST_NODEV, MS_NODEV},
        {ST_NOEXEC, MS_NOEXEC},
#ifdef MS_NOSYMFOLLOW
        {0x2000 /* ST_NOSYMFOLLOW, which libc does not name */, MS_NOSYMFOLLOW},
#endif
    };
    struct statvfs st;

    if (statvfs(target, &st) < 0)
        return -errno;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (st.f_flag & pairs[i].seen)
            *flags |= pairs[i].given;
    return 0;
}
/* END SOLUTION */

int mount_readonly(const char *target)
{
    /* BEGIN SOLUTION step 3
     * TODO(step 3): a bind takes its flags from the mount that it copies, so read-only comes by a
     *               second call, which changes the mount that is there, and only this mount, not
     *               the file system behind it: mount(2), "Remounting an existing mount". Such a
     *               call sets *all* flags: those that you don't repeat are cleared, or, in a user
     *               namespace, refused (EPERM). statvfs(3) knows which the mount has.
     *               (mount_setattr(2) is the newer way: is it simpler?)
     */
    unsigned long flags = 0;
    int result = present_flags(target, &flags);

    if (result < 0)
        return result;
    /* With MS_BIND it is this mount that changes; without, the super block, and so every other
     * mount of that file system on the machine. */
    if (mount(NULL, target, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | flags, NULL) < 0)
        return -errno;
    return 0;
    /* END SOLUTION */
}

int mount_tmpfs(const char *target, uint64_t size)
{
    /* BEGIN SOLUTION step 4
     * TODO(step 4): what only tmpfs understands (size and mode: tmpfs(5)) goes into the text of
     *               the last argument, separated by commas; what every mount understands are
     *               flags: mount(2). A tmpfs without a size may take half of the machine's memory.
     */
    char options[64];

    snprintf(options, sizeof options, "size=%" PRIu64 ",mode=1777", size);
    if (mount("tmpfs", target, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, options) < 0)
        return -errno;
    return 0;
    /* END SOLUTION */
}

int mount_detach(const char *target)
{
    /* BEGIN SOLUTION step 5
     * TODO(step 5): umount2(2) has two flags for what mount.h asks: one not to wait until nobody
     *               uses the mount any more, one not to be led astray by a symbolic link.
     */
    if (umount2(target, MNT_DETACH | UMOUNT_NOFOLLOW) < 0)
        return -errno;
    return 0;
    /* END SOLUTION */
}
