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

/* BEGIN SOLUTION step 1 helper */
/* Has somebody denied setgroups(2) to this user namespace? user_namespaces(7) */
static bool setgroups_denied(void)
{
    char word[8] = "";
    int fd = open("/proc/self/setgroups", O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return false;
    bool denied = read(fd, word, sizeof word) >= 4 && strncmp(word, "deny", 4) == 0;
    close(fd);
    return denied;
}
/* END SOLUTION */

int capabilities_become(uid_t uid, gid_t gid, const gid_t *groups, size_t count)
{
    /* BEGIN SOLUTION step 1
     * TODO(step 1): setgroups(2), setresgid(2), setresuid(2). Each but the last needs a capability
     *               that the last one takes away. What do they take (uid_t)-1 for? Is EPERM from
     *               the first always a failure? And which flag of prctl(2) keeps the permitted set
     *               over a change of uid? It is needed for the one call only.
     */
    if (uid == (uid_t)-1 || gid == (gid_t)-1) /* "leave that id as it is" */
        return -EINVAL;
    if (setgroups(count, groups) < 0) {
        int error = errno;
        if (count > 0 || error != EPERM || !setgroups_denied())
            return -error;
    }
    if (setresgid(gid, gid, gid) < 0)
        return -errno;
    if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
        return -errno;
    if (setresuid(uid, uid, uid) < 0)
        return -errno;
    return prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0 ? -errno : 0;
    /* END SOLUTION */
}

/* --- what ------------------------------------------------------------------------------------ */

/* BEGIN SOLUTION step 2 helper */
static bool contains(capability_set set, cap_value_t capability)
{
    return capability < 64 && (set >> capability & 1) != 0;
}
/* END SOLUTION */

/* Takes all but `keep` out of the bounding set, which limits what exec can ever give. `caps` are
 * the sets of this process. */
static int drop_bounding(cap_t caps, capability_set keep)
{
    /* BEGIN SOLUTION step 2
     * TODO(step 2): cap_drop_bound(3) takes one capability at a time. It wants CAP_SETPCAP in the
     *               *effective* set, and a change of uid has emptied that: what is permitted may
     *               be raised again. Not ours to raise: then the calls below will say so, if there
     *               is anything to drop. CAP_IS_SUPPORTED(n) asks this kernel, not our headers.
     */
    static const cap_value_t setpcap = CAP_SETPCAP;
    cap_flag_value_t permitted;

    if (cap_get_flag(caps, setpcap, CAP_PERMITTED, &permitted) < 0)
        return -errno;
    if (cap_set_flag(caps, CAP_EFFECTIVE, 1, &setpcap, permitted) < 0 || cap_set_proc(caps) < 0)
        return -errno;
    for (cap_value_t capability = 0; CAP_IS_SUPPORTED(capability); capability++)
        if (!contains(keep, capability) && cap_get_bound(capability) > 0 &&
            cap_drop_bound(capability) < 0)
            return -errno;
    return 0;
    /* END SOLUTION */
}

/* Writes the other sets: what `caps` permitted, but no more than `keep`. */
static int shrink_sets(cap_t caps, capability_set keep)
{
    /* BEGIN SOLUTION step 2
     * TODO(step 2): begin with empty sets (cap_init(3)), and put in what stays: permitted and
     *               effective alike. Nothing for somebody who is not root. When inheritable is
     *               empty, what becomes of ambient? capabilities(7) has the rule.
     */
    cap_t fewer = cap_init();
    int result = fewer == NULL ? -errno : 0;

    if (geteuid() != 0)
        keep = 0;
    for (cap_value_t capability = 0; result == 0 && CAP_IS_SUPPORTED(capability); capability++) {
        cap_flag_value_t permitted = CAP_CLEAR;
        if (contains(keep, capability))
            cap_get_flag(caps, capability, CAP_PERMITTED, &permitted);
        if (cap_set_flag(fewer, CAP_PERMITTED, 1, &capability, permitted) < 0 ||
            cap_set_flag(fewer, CAP_EFFECTIVE, 1, &capability, permitted) < 0)
            result = -errno;
    }
    /* No capability is ambient without being inheritable: the kernel clears it there as well. */
    if (result == 0 && cap_set_proc(fewer) < 0)
        result = -errno;
    cap_free(fewer);
    return result;
    /* END SOLUTION */
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
    /* BEGIN SOLUTION step 3
     * TODO(step 3): cap_from_name(3) is more generous than capabilities.h: it takes numbers, and
     *               stops at what follows a name. cap_to_name(3) tells each name in full, and
     *               strcasecmp(3) compares. The caller frees what cap_to_name returns: cap_free(3).
     */
    bool all = strcasecmp(name, "ALL") == 0, bare = strncasecmp(name, "cap_", 4) != 0;
    capability_set found = 0;
    char full[32]; /* longer than any of them: what does not fit is none */

    snprintf(full, sizeof full, "%s%s", bare ? "cap_" : "", name);
    for (cap_value_t capability = 0; CAP_IS_SUPPORTED(capability); capability++) {
        char *known = cap_to_name(capability);
        if (known == NULL)
            return -errno;
        if (all || strcasecmp(full, known) == 0)
            found |= (capability_set)1 << capability;
        cap_free(known);
    }
    *set = found;
    return found != 0 ? 0 : -EINVAL;
    /* END SOLUTION */
}

/* --- and no more than that ------------------------------------------------------------------- */

int capabilities_no_new_privs(void)
{
    /* BEGIN SOLUTION step 4
     * TODO(step 4): one call of prctl(2), whose unused arguments must be 0. There is no call that
     *               takes it back: why is that the point?
     */
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -errno;
    return 0;
    /* END SOLUTION */
}

int capabilities_protect_root(void)
{
    /* BEGIN SOLUTION step 5
     * TODO(step 5): "/" has been a mount since root_pivot. Two functions of yours make mounts
     *               read-only: which of them leaves alone what is mounted below?
     */
    /* Of the mount, not of the file system: whoever else has that mounted goes on writing. */
    return mount_readonly("/");
    /* END SOLUTION */
}
