#include "probe/start_with.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { GROUPS_MAX = 32 };

static void must(int result, const char *what)
{
    if (result >= 0)
        return;
    fprintf(stderr, "probe --start-with: %s: %s\n", what, strerror(errno));
    _exit(120);
}

static void write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    must(fd, path);
    must((int)write(fd, text, strlen(text)), path);
    close(fd);
}

/* `who` is "UID:GID", as the new user namespace numbers us. */
static void be_alone(const char *who)
{
    char map[64];
    unsigned uid = 0, gid = 0;
    uid_t old_uid = geteuid();
    gid_t old_gid = getegid();

    sscanf(who, "%u:%u", &uid, &gid);
    must(unshare(CLONE_NEWUSER), "unshare");
    write_file("/proc/self/setgroups", "deny");
    snprintf(map, sizeof map, "%u %u 1", uid, old_uid);
    write_file("/proc/self/uid_map", map);
    snprintf(map, sizeof map, "%u %u 1", gid, old_gid);
    write_file("/proc/self/gid_map", map);
}

static void join_groups(const char *list)
{
    gid_t groups[GROUPS_MAX];
    size_t count = 0;

    for (const char *at = list; *at != '\0' && count < GROUPS_MAX; at += *at == ',') {
        char *end;
        groups[count++] = (gid_t)strtoul(at, &end, 10);
        at = end;
    }
    must(setgroups(count, groups), "setgroups");
}

/* Everything that is permitted becomes effective, and the inheritable set what is given. */
static void set_sets(uint64_t inheritable)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];

    must((int)syscall(SYS_capget, &header, data), "capget");
    for (int i = 0; i < 2; i++) {
        data[i].effective = data[i].permitted;
        data[i].inheritable = (uint32_t)(inheritable >> (32 * i)) & data[i].permitted;
    }
    must((int)syscall(SYS_capset, &header, data), "capset");
}

static void raise_ambient(uint64_t set)
{
    for (unsigned long n = 0; n < 64; n++)
        if ((set >> n & 1) != 0 && prctl(PR_CAPBSET_READ, n, 0, 0, 0) >= 0)
            must(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, n, 0, 0), "PR_CAP_AMBIENT_RAISE");
}

static void bound(uint64_t set)
{
    for (unsigned long n = 0; prctl(PR_CAPBSET_READ, n, 0, 0, 0) >= 0; n++)
        if ((set >> n & 1) == 0)
            must(prctl(PR_CAPBSET_DROP, n, 0, 0, 0), "PR_CAPBSET_DROP");
}

static void refuse(unsigned number, unsigned error)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof code / sizeof *code, code};

    must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0), "PR_SET_SECCOMP");
}

/* A disk that does not take what it was given. sync(2) has no way to say so, and works. */
static void refuse_syncs(void)
{
    static const unsigned numbers[] = {SYS_fsync, SYS_fdatasync, SYS_syncfs, SYS_sync_file_range,
                                       SYS_msync};

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        refuse(numbers[i], EIO);
}

/* The value of WORD if it is `key`, which ends with '='; else NULL. */
static const char *value_of(const char *word, const char *key)
{
    size_t length = strlen(key);

    return strncmp(word, key, length) == 0 ? word + length : NULL;
}

_Noreturn void probe_start_with(char **words)
{
    uint64_t inheritable = 0, ambient = 0, bounding = UINT64_MAX;
    const char *uid = NULL, *gid = NULL, *groups = NULL, *alone = NULL, *value;
    int securebits = 0;

    for (; *words != NULL && (*words)[0] != '/'; words++) {
        if ((value = value_of(*words, "uid=")) != NULL)
            uid = value;
        else if ((value = value_of(*words, "gid=")) != NULL)
            gid = value;
        else if ((value = value_of(*words, "groups=")) != NULL)
            groups = value;
        else if ((value = value_of(*words, "inh=")) != NULL)
            inheritable = strtoull(value, NULL, 16);
        else if ((value = value_of(*words, "amb=")) != NULL)
            ambient = strtoull(value, NULL, 16);
        else if ((value = value_of(*words, "bnd=")) != NULL)
            bounding = strtoull(value, NULL, 16);
        else if (strcmp(*words, "noroot") == 0)
            securebits = SECBIT_NOROOT;
        else if ((value = value_of(*words, "alone=")) != NULL)
            alone = value;
        else if (strcmp(*words, "alone") == 0)
            alone = "0:0";
        else if (strcmp(*words, "noclone3") == 0)
            refuse(SYS_clone3, ENOSYS); /* as lab 10's filter does: flags lie in memory there */
        else if (strcmp(*words, "nosync") == 0)
            refuse_syncs();
    }
    if (groups != NULL)
        join_groups(groups); /* which is denied where we go now */
    if (alone != NULL)
        be_alone(alone);
    if (gid != NULL)
        must(setresgid((gid_t)atoi(gid), (gid_t)atoi(gid), (gid_t)atoi(gid)), "setresgid");
    if (uid != NULL) {
        must(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), "PR_SET_KEEPCAPS");
        must(setresuid((uid_t)atoi(uid), (uid_t)atoi(uid), (uid_t)atoi(uid)), "setresuid");
    }
    set_sets(inheritable | ambient);
    raise_ambient(ambient);
    if (securebits != 0)
        must(prctl(PR_SET_SECUREBITS, securebits, 0, 0, 0), "PR_SET_SECUREBITS");
    bound(bounding);
    execv(*words, words);
    must(-1, *words != NULL ? *words : "no PROGRAM");
    _exit(120);
}
