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
    /* TODO(step 1): the first kind of namespace that Linux had is simply called "new namespace":
     *               namespaces(7) has the flag.
     */
    (void)flags;
    return STRATA_TODO;
}

int mount_private(void)
{
    /* TODO(step 1): change the propagation type of "/" and of everything below it. One call of
     *               mount(2) does it, and ignores its source, type and data. Private, not slave:
     *               what would a slave still receive? mount_namespaces(7), "SHARED SUBTREES".
     */
    return STRATA_TODO;
}

int mount_bind(const char *source, const char *target, bool recursive)
{
    /* TODO(step 2): the flags say whether what is mounted below the source comes along. mount(2),
     *               "Creating a bind mount": which of its arguments does the kernel not look at?
     */
    (void)source;
    (void)target;
    (void)recursive;
    return STRATA_TODO;
}

int mount_readonly(const char *target)
{
    /* TODO(step 3): a bind takes its flags from the mount that it copies, so read-only comes by a
     *               second call, which changes the mount that is there, and only this mount, not
     *               the file system behind it: mount(2), "Remounting an existing mount". Such a
     *               call sets *all* flags: those that you don't repeat are cleared, or, in a user
     *               namespace, refused (EPERM). statvfs(3) knows which the mount has.
     *               (mount_setattr(2) is the newer way: is it simpler?)
     */
    (void)target;
    return STRATA_TODO;
}

int mount_tmpfs(const char *target, uint64_t size)
{
    /* TODO(step 4): what only tmpfs understands (size and mode: tmpfs(5)) goes into the text of
     *               the last argument, separated by commas; what every mount understands are
     *               flags: mount(2). A tmpfs without a size may take half of the machine's memory.
     */
    (void)target;
    (void)size;
    return STRATA_TODO;
}

int mount_detach(const char *target)
{
    /* TODO(step 5): umount2(2) has two flags for what mount.h asks: one not to wait until nobody
     *               uses the mount any more, one not to be led astray by a symbolic link.
     */
    (void)target;
    return STRATA_TODO;
}
