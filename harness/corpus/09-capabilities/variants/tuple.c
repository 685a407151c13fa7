/* Variant: libcap's newer ways: the three sets that exec works with (inheritable, ambient,
 * bounding) as one tuple, cap_setuid for the change of uid, the name by cap_from_name and checked
 * back. */
#include "09-capabilities/capabilities.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/capability.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <unistd.h>

int capabilities_parse(const char *name, capability_set *set)
{
    char text[64];
    cap_value_t value;

    if (strcasecmp(name, "all") == 0) {
        *set = 0;
        for (value = 0; value < cap_max_bits(); value++)
            *set |= (capability_set)1 << value;
        return 0;
    }
    if (strlen(name) > 40)
        return -EINVAL;
    snprintf(text, sizeof text, "cap_%s", strncasecmp(name, "cap_", 4) == 0 ? name + 4 : name);
    if (cap_from_name(text, &value) < 0 || value >= cap_max_bits())
        return -EINVAL;
    char *back = cap_to_name(value);
    int same = back != NULL && strcasecmp(back, text) == 0;
    cap_free(back);
    if (!same)
        return -EINVAL;
    *set = (capability_set)1 << value;
    return 0;
}

static int groups_denied(void)
{
    char *line = NULL;
    size_t size = 0;
    FILE *file = fopen("/proc/self/setgroups", "re");
    int denied = file != NULL && getline(&line, &size, file) > 0 && strcmp(line, "deny\n") == 0;

    if (file != NULL)
        fclose(file);
    free(line);
    return denied;
}

int capabilities_become(uid_t uid, gid_t gid, const gid_t *groups, size_t count)
{
    if (uid == UINT32_MAX || gid == UINT32_MAX)
        return -EINVAL;
    if (groups_denied()) {
        if (count > 0)
            return -EPERM;
    } else if (setgroups(count, groups) < 0) {
        return -errno;
    }
    if (setresgid(gid, gid, gid) < 0)
        return -errno;
    if (uid == getuid() && uid == geteuid())
        return setresuid(uid, uid, uid) < 0 ? -errno : 0;
    return cap_setuid(uid) < 0 ? -errno : 0;
}

static int others_bounded(capability_set keep)
{
    for (cap_value_t n = 0; n < cap_max_bits(); n++)
        if ((keep >> n & 1) == 0 && cap_get_bound(n) == 1)
            return 1;
    return 0;
}

int capabilities_limit(capability_set keep)
{
    cap_iab_t tuple = cap_iab_get_proc(); /* its bounding vector: what is blocked */
    cap_t caps = cap_get_proc(), asked = cap_init();
    int result = tuple == NULL || caps == NULL || asked == NULL ? -ENOMEM : 0;

    for (cap_value_t n = 0; result == 0 && n < cap_max_bits(); n++) {
        cap_flag_value_t permitted = CAP_CLEAR;
        cap_get_flag(caps, n, CAP_PERMITTED, &permitted);
        if ((keep >> n & 1) == 0 || geteuid() != 0)
            permitted = CAP_CLEAR;
        cap_set_flag(asked, CAP_PERMITTED, 1, &n, permitted);
        cap_set_flag(asked, CAP_EFFECTIVE, 1, &n, permitted);
        cap_iab_set_vector(tuple, CAP_IAB_INH, n, CAP_CLEAR);
        cap_iab_set_vector(tuple, CAP_IAB_AMB, n, CAP_CLEAR);
        if ((keep >> n & 1) == 0)
            cap_iab_set_vector(tuple, CAP_IAB_BOUND, n, CAP_SET);
    }
    if (result == 0 && others_bounded(keep) && cap_iab_set_proc(tuple) < 0)
        result = -errno;
    if (result == 0 && others_bounded(keep))
        result = -EPERM;
    if (result == 0 && cap_set_proc(asked) < 0)
        result = -errno;
    cap_free(asked);
    cap_free(caps);
    cap_free(tuple);
    return result;
}

int capabilities_no_new_privs(void)
{
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? 0 : -errno;
}

int capabilities_protect_root(void)
{
    struct statvfs root;
    unsigned long flags = MS_REMOUNT | MS_BIND | MS_RDONLY;

    if (statvfs("/", &root) < 0)
        return -errno;
    flags |= (root.f_flag & ST_NOSUID) != 0 ? MS_NOSUID : 0;
    flags |= (root.f_flag & ST_NODEV) != 0 ? MS_NODEV : 0;
    flags |= (root.f_flag & ST_NOEXEC) != 0 ? MS_NOEXEC : 0;
    return mount("none", "/", NULL, flags, NULL) < 0 ? -errno : 0;
}
