/* Lab 09: fewer powers. The contract is capabilities.h. */
#include "09-capabilities/capabilities.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "04-mount/mount.h"

/* --- who ------------------------------------------------------------------------------------- */

int capabilities_become(uid_t uid, gid_t gid, const gid_t *groups, size_t count)
{
    /* TODO(step 1): setgroups(2), setresgid(2), setresuid(2). Each but the last needs a capability
     *               that the last one takes away. What do they take (uid_t)-1 for? Is EPERM from
     *               the first always a failure? And which flag of prctl(2) keeps the permitted set
     *               over a change of uid? It is needed for the one call only.
     */
    (void)uid;
    (void)gid;
    (void)groups;
    (void)count;
    return STRATA_TODO;
}

/* --- what ------------------------------------------------------------------------------------ */

/* Takes all but `keep` out of the bounding set, which limits what exec can ever give. `caps` are
 * the sets of this process. */
static int drop_bounding(cap_t caps, capability_set keep)
{
    /* TODO(step 2): cap_drop_bound(3) takes one capability at a time. It wants CAP_SETPCAP in the
     *               *effective* set, and a change of uid has emptied that: what is permitted may
     *               be raised again. Not ours to raise: then the calls below will say so, if there
     *               is anything to drop. CAP_IS_SUPPORTED(n) asks this kernel, not our headers.
     */
    (void)caps;
    (void)keep;
    return STRATA_TODO;
}

/* Writes the other sets: what `caps` permitted, but no more than `keep`. */
static int shrink_sets(cap_t caps, capability_set keep)
{
    /* TODO(step 2): begin with empty sets (cap_init(3)), and put in what stays: permitted and
     *               effective alike. Nothing for somebody who is not root. When inheritable is
     *               empty, what becomes of ambient? capabilities(7) has the rule.
     */
    (void)caps;
    (void)keep;
    return STRATA_TODO;
}

int capabilities_limit(capability_set keep)
{
    cap_t caps = cap_get_proc();

    if (caps == NULL)
        return -errno;
    /* In this order: `keep` may well be without CAP_SETPCAP. */
    int result = drop_bounding(caps, keep);
    if (result == 0)
        result = shrink_sets(caps, keep);
    cap_free(caps);
    return result;
}

int capabilities_parse(const char *name, capability_set *set)
{
    /* TODO(step 3): cap_from_name(3) is more generous than capabilities.h: it takes numbers, and
     *               stops at what follows a name. cap_to_name(3) tells each name in full, and
     *               strcasecmp(3) compares. The caller frees what cap_to_name returns: cap_free(3).
     */
    (void)name;
    (void)set;
    return STRATA_TODO;
}

/* --- and no more than that ------------------------------------------------------------------- */

int capabilities_no_new_privs(void)
{
    /* TODO(step 4): one call of prctl(2), whose unused arguments must be 0. There is no call that
     *               takes it back: why is that the point?
     */
    return STRATA_TODO;
}

int capabilities_protect_root(void)
{
    /* TODO(step 5): "/" has been a mount since root_pivot. Two functions of yours make mounts
     *               read-only: which of them leaves alone what is mounted below?
     */
    return STRATA_TODO;
}
