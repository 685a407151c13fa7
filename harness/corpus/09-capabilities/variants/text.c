/* Variant: the sets as text (cap_from_text), ambient cleared by its own call and first; the
 * permitted set kept by SECBIT_NO_SETUID_FIXUP while the uid changes, where that is allowed. */
#include "09-capabilities/capabilities.h"

#include <errno.h>
#include <grp.h>
#include <linux/securebits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "04-mount/mount.h"

int capabilities_protect_root(void)
{
    return mount_readonly("/.");
}

static int leave_groups(const gid_t *groups, size_t count)
{
    char word[8] = "";
    FILE *file = fopen("/proc/thread-self/setgroups", "re");

    if (file != NULL) {
        if (fscanf(file, "%7s", word) != 1)
            word[0] = '\0';
        fclose(file);
    }
    if (count == 0 && word[0] == 'd')
        return 0;
    return setgroups(count, groups) < 0 ? -errno : 0;
}

int capabilities_become(uid_t uid, gid_t gid, const gid_t *groups, size_t count)
{
    int bits = prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);

    if (uid == (uid_t)~0u || gid == (gid_t)~0u || bits < 0)
        return -EINVAL;
    int result = leave_groups(groups, count);
    if (result < 0)
        return result;
    bool fixed = prctl(PR_SET_SECUREBITS, (unsigned)bits | SECBIT_NO_SETUID_FIXUP, 0, 0, 0) == 0;
    if (!fixed && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
        return -errno;
    if (setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
        result = -errno;
    if (fixed && prctl(PR_SET_SECUREBITS, bits, 0, 0, 0) < 0 && result == 0)
        result = -errno;
    if (!fixed && prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0 && result == 0)
        result = -errno;
    return result;
}

/* "cap_chown,cap_kill=ep" of what is in `set`, and "=" for none. */
static void set_text(capability_set set, char *text, size_t size)
{
    size_t length = 0;

    text[0] = '\0';
    for (cap_value_t n = 0; CAP_IS_SUPPORTED(n); n++) {
        char *name = (set >> n & 1) != 0 ? cap_to_name(n) : NULL;
        if (name != NULL)
            length +=
                (size_t)snprintf(text + length, size - length, "%s%s", length > 0 ? "," : "", name);
        cap_free(name);
    }
    snprintf(text + length, size - length, length > 0 ? "=ep" : "=");
}

static int set_permitted(capability_set set)
{
    char text[2048];

    set_text(set, text, sizeof text);
    cap_t caps = cap_from_text(text);
    int result = caps == NULL || cap_set_proc(caps) < 0 ? -errno : 0;
    cap_free(caps);
    return result;
}

int capabilities_limit(capability_set keep)
{
    capability_set permitted = 0;
    cap_t caps = cap_get_proc();

    if (caps == NULL)
        return -errno;
    for (cap_value_t n = 0; CAP_IS_SUPPORTED(n); n++) {
        cap_flag_value_t has = CAP_CLEAR;
        if (cap_get_flag(caps, n, CAP_PERMITTED, &has) == 0 && has == CAP_SET)
            permitted |= (capability_set)1 << n;
    }
    cap_free(caps);
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    int result = set_permitted(permitted); /* all of it effective, nothing inheritable */
    for (cap_value_t n = 0; result == 0 && CAP_IS_SUPPORTED(n); n++)
        if ((keep >> n & 1) == 0 && cap_get_bound(n) == 1 && cap_drop_bound(n) < 0)
            result = -errno;
    if (result == 0)
        result = set_permitted(geteuid() != 0 ? 0 : permitted & keep);
    return result;
}

int capabilities_no_new_privs(void)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -errno;
    return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : -EPERM;
}

int capabilities_parse(const char *name, capability_set *set)
{
    capability_set all = 0;

    if (strncasecmp(name, "cap_", 4) == 0 && strcasecmp(name + 4, "all") == 0)
        return -EINVAL;
    for (cap_value_t n = 0; CAP_IS_SUPPORTED(n); n++) {
        char *known = cap_to_name(n);
        if (known == NULL)
            return -ENOMEM;
        int same = strcasecmp(known, name) == 0 || strcasecmp(known + 4, name) == 0;
        cap_free(known);
        all |= (capability_set)1 << n;
        if (same) {
            *set = (capability_set)1 << n;
            return 0;
        }
    }
    if (strcasecmp(name, "all") != 0)
        return -EINVAL;
    *set = all;
    return 0;
}
