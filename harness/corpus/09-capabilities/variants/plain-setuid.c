/* Variant: cap_setuid(3) for every change of uid, also where there is none, so that CAP_SETUID is
 * wanted always; sets written as text; /proc/self/setgroups asked first; a mount(2) of its own. */
#include "09-capabilities/capabilities.h"

#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <unistd.h>

int capabilities_become(uid_t uid, gid_t gid, const gid_t *groups, size_t count)
{
    const uid_t no_uid = (uid_t)-1;
    const gid_t no_gid = (gid_t)-1;
    char word[16] = "allow";
    FILE *file = fopen("/proc/self/setgroups", "re");

    if (uid == no_uid || gid == no_gid) {
        if (file != NULL)
            fclose(file);
        return -EINVAL;
    }
    if (file != NULL) {
        if (fgets(word, sizeof word, file) == NULL)
            strcpy(word, "allow");
        fclose(file);
    }
    if (strncmp(word, "deny", 4) == 0) {
        if (count != 0)
            return -EPERM;
    } else if (setgroups(count, groups) != 0) {
        return -errno;
    }
    if (setresgid(gid, gid, gid) != 0)
        return -errno;
    /* cap_setuid(3) uses setuid(2), which sets all three for whoever has CAP_SETUID. */
    if (cap_setuid(uid) != 0)
        return -errno;
    uid_t r, e, s;
    if (getresuid(&r, &e, &s) != 0)
        return -errno;
    return r == uid && e == uid && s == uid ? 0 : -EPERM;
}

/* "cap_chown,cap_kill=ep", from `set` and what `caps` permits */
static char *text_of(cap_t caps, capability_set set)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    const char *comma = "";

    if (out == NULL)
        return NULL;
    for (cap_value_t n = 0; n < cap_max_bits() && n < 64; n++) {
        cap_flag_value_t on = CAP_CLEAR;
        if ((set >> n & 1) == 0 || cap_get_flag(caps, n, CAP_PERMITTED, &on) != 0 || on != CAP_SET)
            continue;
        char *name = cap_to_name(n);
        fprintf(out, "%s%s", comma, name);
        comma = ",";
        cap_free(name);
    }
    fputs(*comma == ',' ? "=ep" : "=", out);
    fclose(out);
    return text;
}

static int write_text(const char *text)
{
    cap_t caps = text == NULL ? NULL : cap_from_text(text);
    int result = caps == NULL ? -ENOMEM : cap_set_proc(caps) != 0 ? -errno : 0;

    if (caps != NULL)
        cap_free(caps);
    return result;
}

int capabilities_limit(capability_set keep)
{
    cap_t before = cap_get_proc();
    int result = 0;

    if (before == NULL)
        return -errno;
    /* Ambient and inheritable go first: that takes nothing. All that is permitted is raised. */
    char *text = text_of(before, ~(capability_set)0);
    result = write_text(text);
    free(text);
    if (result == 0 && cap_reset_ambient() != 0)
        result = -errno;
    for (cap_value_t n = cap_max_bits() - 1; result == 0 && n >= 0; n--)
        if ((n >= 64 || (keep >> n & 1) == 0) && cap_get_bound(n) == 1 && cap_drop_bound(n) != 0)
            result = -errno;
    if (result == 0) {
        text = text_of(before, getuid() == 0 ? keep : 0);
        result = write_text(text);
        free(text);
    }
    cap_free(before);
    return result;
}

int capabilities_parse(const char *name, capability_set *set)
{
    cap_value_t n;
    char *full = NULL, *back;

    if (strcasecmp(name, "all") == 0) {
        *set =
            cap_max_bits() >= 64 ? ~(capability_set)0 : ((capability_set)1 << cap_max_bits()) - 1;
        return 0;
    }
    if (asprintf(&full, "%s%s", strncasecmp(name, "cap_", 4) == 0 ? "" : "cap_", name) < 0)
        return -ENOMEM;
    for (char *c = full; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    int result = -EINVAL;
    if (cap_from_name(full, &n) == 0 && (back = cap_to_name(n)) != NULL) {
        if (strcmp(back, full) == 0 && n < 64 && CAP_IS_SUPPORTED(n)) {
            *set = (capability_set)1 << n;
            result = 0;
        }
        cap_free(back);
    }
    free(full);
    return result;
}

int capabilities_no_new_privs(void)
{
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
        return 0;
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? 0 : -errno;
}

int capabilities_protect_root(void)
{
    struct statvfs st;
    unsigned long flags = MS_REMOUNT | MS_BIND | MS_RDONLY;

    if (statvfs("/", &st) != 0)
        return -errno;
    flags |= st.f_flag & ST_NOSUID ? MS_NOSUID : 0;
    flags |= st.f_flag & ST_NODEV ? MS_NODEV : 0;
    flags |= st.f_flag & ST_NOEXEC ? MS_NOEXEC : 0;
    flags |= st.f_flag & ST_NOATIME ? MS_NOATIME : 0;
    flags |= st.f_flag & ST_NODIRATIME ? MS_NODIRATIME : 0;
    flags |= st.f_flag & ST_RELATIME ? MS_RELATIME : 0;
    if ((st.f_flag & (ST_NOATIME | ST_RELATIME)) == 0)
        flags |= MS_STRICTATIME;
    flags |= st.f_flag & 0x2000 ? 256UL : 0; /* nosymfollow */
    return mount("none", "/", "none", flags, "") == 0 ? 0 : -errno;
}
