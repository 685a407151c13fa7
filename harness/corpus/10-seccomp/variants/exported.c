/* libseccomp writes the program, but it is taken out and loaded by seccomp(2) itself. */
#include "10-seccomp/filter.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int allow_or_refuse(scmp_filter_ctx context, const char *name, int error,
                           const struct scmp_arg_cmp *tests, unsigned count)
{
    int number = seccomp_syscall_resolve_name(name);
    uint32_t action = error != 0 ? SCMP_ACT_ERRNO((uint32_t)error) : SCMP_ACT_ALLOW;

    if (number == __NR_SCMP_ERROR)
        return 0;
    int result = seccomp_rule_add_array(context, action, number, count, tests);
    return result == -EACCES ? 0 : result;
}

int filter_make(const struct filter_profile *profile, struct filter *filter)
{
    int result = 0;
    scmp_filter_ctx context = seccomp_init(
        profile->unknown == 0 ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO((uint32_t)profile->unknown));

    filter->context = NULL;
    if (context == NULL)
        return -ENOMEM;
    switch (seccomp_arch_native()) {
    case SCMP_ARCH_X86_64:
        result = seccomp_arch_add(context, SCMP_ARCH_X86);
        break;
    case SCMP_ARCH_AARCH64:
        result = seccomp_arch_add(context, SCMP_ARCH_ARM);
        break;
    default:
        break;
    }
    if (result == 0)
        result = seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (result == 0)
        result = seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a tree, not a list */
    for (const struct filter_group *group = profile->groups; group->name != NULL; group++)
        for (size_t i = 0; result == 0 && group->calls[i] != NULL; i++)
            result = allow_or_refuse(context, group->calls[i], group->error, NULL, 0);
    if (result == 0)
        filter->context = context;
    else
        seccomp_release(context);
    return result;
}

void filter_free(struct filter *filter)
{
    if (filter->context != NULL)
        seccomp_release(filter->context);
    filter->context = NULL;
}

int filter_deny_namespaces(struct filter *filter)
{
    static const uint64_t bits[] = {CLONE_NEWNET, CLONE_NEWPID, CLONE_NEWUSER,   CLONE_NEWIPC,
                                    CLONE_NEWUTS, CLONE_NEWNS,  CLONE_NEWCGROUP, CLONE_NEWTIME};
    enum { BITS = sizeof bits / sizeof *bits };
    unsigned where = seccomp_arch_native() == SCMP_ARCH_S390X ? 1 : 0;
    uint64_t seven = 0;
    int result = 0;

    for (size_t i = 0; i < BITS - 1; i++)
        seven |= bits[i];
    struct scmp_arg_cmp none = {where, SCMP_CMP_MASKED_EQ, seven, 0};
    result = allow_or_refuse(filter->context, "clone", 0, &none, 1);
    none = (struct scmp_arg_cmp){0, SCMP_CMP_MASKED_EQ, seven | CLONE_NEWTIME, 0};
    if (result == 0)
        result = allow_or_refuse(filter->context, "unshare", 0, &none, 1);
    for (size_t i = 0; result == 0 && i < BITS; i++) {
        struct scmp_arg_cmp one = {where, SCMP_CMP_MASKED_EQ, bits[i], bits[i]};
        if (bits[i] != CLONE_NEWTIME)
            result = allow_or_refuse(filter->context, "clone", EPERM, &one, 1);
        one.arg = 0;
        if (result == 0)
            result = allow_or_refuse(filter->context, "unshare", EPERM, &one, 1);
    }
    if (result == 0)
        result = allow_or_refuse(filter->context, "clone3", ENOSYS, NULL, 0);
    return result < 0 ? result : allow_or_refuse(filter->context, "setns", EPERM, NULL, 0);
}

int filter_load(const struct filter *filter)
{
    struct sock_fprog program = {0};
    int memory = -1, result = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) > 0 ? 0 : -EPERM;

    if (result == 0 && (memory = memfd_create("filter", MFD_CLOEXEC)) < 0)
        result = -errno;
    if (result == 0)
        result = seccomp_export_bpf(filter->context, memory);
    off_t size = result == 0 ? lseek(memory, 0, SEEK_END) : 0;
    if (size > 0) {
        program.len = (unsigned short)((size_t)size / sizeof *program.filter);
        program.filter = malloc((size_t)size);
        if (program.filter == NULL || pread(memory, program.filter, (size_t)size, 0) != size)
            result = -EIO;
    }
    if (memory >= 0)
        close(memory);
    if (result == 0) {
        long other =
            syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
        result = other > 0 ? -ECANCELED : other < 0 ? -errno : 0;
    }
    free(program.filter);
    return result;
}
