/* One libseccomp filter an architecture, merged at the end; clone's flags by a table of tests. */
#include "10-seccomp/filter.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>

static uint32_t action_for(int error)
{
    if (error == 0)
        return SCMP_ACT_ALLOW;
    return SCMP_ACT_ERRNO((uint32_t)error);
}

/* A filter for `architecture` alone. */
static int fill(const struct filter_profile *profile, uint32_t architecture, scmp_filter_ctx *made)
{
    scmp_filter_ctx context = seccomp_init(action_for(profile->unknown));
    int result = context == NULL ? -ENOMEM : 0;

    if (result == 0)
        result = seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (result == 0 && architecture != seccomp_arch_native())
        if ((result = seccomp_arch_add(context, architecture)) == 0)
            result = seccomp_arch_remove(context, SCMP_ARCH_NATIVE);
    for (const struct filter_group *group = profile->groups; group->name != NULL; group++) {
        uint32_t action = action_for(group->error);
        if (action == action_for(profile->unknown))
            continue; /* happens anyway */
        for (const char *const *name = group->calls; result == 0 && *name != NULL; name++) {
            int number = seccomp_syscall_resolve_name(*name);
            if (number != __NR_SCMP_ERROR)
                result = seccomp_rule_add(context, action, number, 0);
        }
    }
    if (result < 0) {
        seccomp_release(context);
        return result;
    }
    *made = context;
    return 0;
}

int filter_make(const struct filter_profile *profile, struct filter *filter)
{
    uint32_t native = seccomp_arch_native(), other = 0;
    scmp_filter_ctx first = NULL, second = NULL;

    if (native == SCMP_ARCH_X86_64)
        other = SCMP_ARCH_X86;
    else if (native == SCMP_ARCH_AARCH64)
        other = SCMP_ARCH_ARM;
    int result = fill(profile, native, &first);
    if (result == 0 && other != 0)
        result = fill(profile, other, &second);
    if (result == 0 && other != 0 && (result = seccomp_merge(first, second)) == 0)
        second = NULL; /* is part of the first now */
    if (result < 0) {
        seccomp_release(first);
        seccomp_release(second);
        first = NULL;
    }
    filter->context = first;
    return result;
}

void filter_free(struct filter *filter)
{
    scmp_filter_ctx context = filter->context;

    filter->context = NULL;
    seccomp_release(context);
}

static int rule(scmp_filter_ctx context, uint32_t action, int call, unsigned argument,
                uint64_t mask, uint64_t wanted)
{
    int result = mask == 0 ? seccomp_rule_add(context, action, call, 0)
                           : seccomp_rule_add(context, action, call, 1,
                                              SCMP_CMP(argument, SCMP_CMP_MASKED_EQ, mask, wanted));

    return result == -EACCES ? 0 : result;
}

int filter_deny_namespaces(struct filter *filter)
{
    enum {
        ALL = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
              CLONE_NEWPID | CLONE_NEWNET
    };
    const unsigned of_clone = seccomp_arch_native() == SCMP_ARCH_S390X;
    const uint32_t refuse = SCMP_ACT_ERRNO(EPERM), hide = SCMP_ACT_ERRNO(ENOSYS);
    const struct {
        uint32_t action;
        int call;
        unsigned argument;
        uint64_t mask, wanted;
    } table[] = {
        {hide, SCMP_SYS(clone3), 0, 0, 0},
        {refuse, SCMP_SYS(setns), 0, 0, 0},
        {SCMP_ACT_ALLOW, SCMP_SYS(clone), of_clone, ALL, 0},
        {refuse, SCMP_SYS(clone), of_clone, CLONE_NEWNS, CLONE_NEWNS},
        {refuse, SCMP_SYS(clone), of_clone, CLONE_NEWCGROUP, CLONE_NEWCGROUP},
        {refuse, SCMP_SYS(clone), of_clone, CLONE_NEWUTS, CLONE_NEWUTS},
        {refuse, SCMP_SYS(clone), of_clone, CLONE_NEWIPC, CLONE_NEWIPC},
        {refuse, SCMP_SYS(clone), of_clone, CLONE_NEWUSER, CLONE_NEWUSER},
        {refuse, SCMP_SYS(clone), of_clone, CLONE_NEWPID, CLONE_NEWPID},
        {refuse, SCMP_SYS(clone), of_clone, CLONE_NEWNET, CLONE_NEWNET},
        {SCMP_ACT_ALLOW, SCMP_SYS(unshare), 0, ALL | CLONE_NEWTIME, 0},
        {refuse, SCMP_SYS(unshare), 0, CLONE_NEWNS, CLONE_NEWNS},
        {refuse, SCMP_SYS(unshare), 0, CLONE_NEWCGROUP, CLONE_NEWCGROUP},
        {refuse, SCMP_SYS(unshare), 0, CLONE_NEWUTS, CLONE_NEWUTS},
        {refuse, SCMP_SYS(unshare), 0, CLONE_NEWIPC, CLONE_NEWIPC},
        {refuse, SCMP_SYS(unshare), 0, CLONE_NEWUSER, CLONE_NEWUSER},
        {refuse, SCMP_SYS(unshare), 0, CLONE_NEWPID, CLONE_NEWPID},
        {refuse, SCMP_SYS(unshare), 0, CLONE_NEWNET, CLONE_NEWNET},
        {refuse, SCMP_SYS(unshare), 0, CLONE_NEWTIME, CLONE_NEWTIME},
    };
    int result = 0;

    for (size_t i = 0; result == 0 && i < sizeof table / sizeof *table; i++)
        result = rule(filter->context, table[i].action, table[i].call, table[i].argument,
                      table[i].mask, table[i].wanted);
    return result;
}

int filter_load(const struct filter *filter)
{
    static const struct {
        enum scmp_filter_attr attribute;
        uint32_t value;
    } attributes[] = {{SCMP_FLTATR_CTL_NNP, 0}, {SCMP_FLTATR_CTL_TSYNC, 1}};

    if (!prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0))
        return -EPERM;
    for (size_t i = 0; i < 2; i++) {
        int result =
            seccomp_attr_set(filter->context, attributes[i].attribute, attributes[i].value);
        if (result < 0)
            return result;
    }
    return seccomp_load(filter->context);
}
