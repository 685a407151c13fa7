/* Variant: without libcap: capset(2) and prctl(2) by number, names from a table of its own; the ids
 * one system call each; the root by mount_setattr(2). */
#include "09-capabilities/capabilities.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/mount.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char names[] =
    "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE "
    "NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO "
    "SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME "
    "SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG "
    "WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE ";

/* The last capability of this kernel: by its file, or by asking for one after the other. */
static int last_capability(void)
{
    char text[16] = "";
    int fd = open("/proc/sys/kernel/cap_last_cap", O_RDONLY | O_CLOEXEC), last = -1;

    if (fd >= 0) {
        if (read(fd, text, sizeof text - 1) > 0)
            last = atoi(text);
        close(fd);
    }
    while (last < 0 || prctl(PR_CAPBSET_READ, last + 1, 0, 0, 0) >= 0)
        last++;
    return last;
}

int capabilities_parse(const char *name, capability_set *set)
{
    char word[40];
    size_t length = 0;
    int last = last_capability(), number = 0;

    for (; *name != '\0'; name++) {
        if ((!isalpha((unsigned char)*name) && *name != '_') || length + 2 >= sizeof word)
            return -EINVAL;
        word[length++] = (char)toupper((unsigned char)*name);
    }
    word[length] = '\0';
    if (strcmp(word, "ALL") == 0) {
        *set = (capability_set)-1 >> (63 - last);
        return 0;
    }
    const char *own = strncmp(word, "CAP_", 4) == 0 ? word + 4 : word;
    size_t rest = strlen(own);
    for (const char *at = names; *at != '\0' && number <= last; number++) {
        size_t end = strcspn(at, " ");
        if (end == rest && strncmp(at, own, end) == 0) {
            *set = 1ULL << number;
            return 0;
        }
        at += end + 1;
    }
    return -EINVAL;
}

int capabilities_become(uid_t uid, gid_t gid, const gid_t *groups, size_t count)
{
    if (uid + 1 == 0 || gid + 1 == 0)
        return -EINVAL;
    /* Nothing to take away, nothing to give: then nobody has to be asked. */
    if ((count != 0 || getgroups(0, NULL) != 0) && setgroups(count, groups) != 0) {
        char answer[5] = "";
        int error = errno, fd = open("/proc/self/setgroups", O_RDONLY | O_CLOEXEC);
        if (fd >= 0) {
            if (read(fd, answer, 4) != 4)
                answer[0] = '\0';
            close(fd);
        }
        if (count != 0 || strcmp(answer, "deny") != 0)
            return -error;
    }
    prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
    if (setregid(gid, gid) != 0 || setresgid((gid_t)-1, (gid_t)-1, gid) != 0 ||
        setreuid(uid, uid) != 0 || setresuid((uid_t)-1, (uid_t)-1, uid) != 0)
        return -errno;
    prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0);
    return 0;
}

static int write_sets(capability_set permitted, capability_set effective)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {
        {(uint32_t)effective, (uint32_t)permitted, 0},
        {(uint32_t)(effective >> 32), (uint32_t)(permitted >> 32), 0},
    };

    return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

int capabilities_limit(capability_set keep)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];

    if (syscall(SYS_capget, &header, data) < 0)
        return -errno;
    capability_set permitted = (capability_set)data[1].permitted << 32 | data[0].permitted;
    int result = write_sets(permitted, permitted); /* inheritable and ambient are empty by that */
    if (result < 0)
        return result;
    for (int n = last_capability(); n >= 0; n--)
        if ((keep & 1ULL << n) == 0 && prctl(PR_CAPBSET_READ, n, 0, 0, 0) == 1 &&
            prctl(PR_CAPBSET_DROP, n, 0, 0, 0) < 0)
            return -errno;
    permitted = geteuid() == 0 ? permitted & keep : 0;
    return write_sets(permitted, permitted);
}

int capabilities_no_new_privs(void)
{
    return syscall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1UL, 0UL, 0UL, 0UL) < 0 ? -errno : 0;
}

int capabilities_protect_root(void)
{
    struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY};

    if (syscall(SYS_mount_setattr, -1, "/", 0, &attributes, sizeof attributes) < 0)
        return -errno;
    return 0;
}
