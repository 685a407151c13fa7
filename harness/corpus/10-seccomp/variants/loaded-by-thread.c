/* filter_make only writes down what is wanted; libseccomp makes the filter when it is to be loaded,
 * in a thread of its own, from which TSYNC gives it to all. */
#include "10-seccomp/filter.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

struct wish {
    int number;
    int error;
    struct scmp_arg_cmp test;
    unsigned tests;
};

struct wishes {
    struct wish *list;
    size_t count, room;
    int unknown;
};

static int wish(struct wishes *wishes, const char *name, int error, const struct scmp_arg_cmp *test)
{
    int number = seccomp_syscall_resolve_name(name);

    if (number == __NR_SCMP_ERROR)
        return 0;
    if (wishes->count == wishes->room) {
        size_t room = wishes->room * 2 + 16;
        struct wish *list = reallocarray(wishes->list, room, sizeof *list);
        if (list == NULL)
            return -ENOMEM;
        wishes->list = list;
        wishes->room = room;
    }
    wishes->list[wishes->count] = (struct wish){.number = number, .error = error};
    if (test != NULL) {
        wishes->list[wishes->count].test = *test;
        wishes->list[wishes->count].tests = 1;
    }
    wishes->count++;
    return 0;
}

int filter_make(const struct filter_profile *profile, struct filter *filter)
{
    struct wishes *wishes = calloc(1, sizeof *wishes);
    const struct filter_group *group = profile->groups;
    int result = wishes == NULL ? -ENOMEM : 0;

    *filter = (struct filter){wishes};
    if (result == 0)
        wishes->unknown = profile->unknown;
    for (; result == 0 && group->name != NULL; group++)
        for (size_t i = 0; result == 0 && group->calls[i] != NULL; i++)
            result = wish(wishes, group->calls[i], group->error, NULL);
    if (result < 0)
        filter_free(filter);
    return result;
}

void filter_free(struct filter *filter)
{
    struct wishes *wishes = filter->context;

    if (wishes == NULL)
        return;
    free(wishes->list);
    free(wishes);
    filter->context = NULL;
}

int filter_deny_namespaces(struct filter *filter)
{
    static const char *const names[] = {"clone", "unshare"};
    unsigned at = seccomp_arch_native() == SCMP_ARCH_S390X;
    struct wishes *wishes = filter->context;
    int result = 0;

    for (int n = 0; n < 2; n++) {
        uint64_t all = 0;
        /* CLONE_NEWTIME is bit 7, CLONE_NEWNS 17, and the rest 25 to 30 */
        for (unsigned bit = n == 0 ? 8 : 7; bit <= 30; bit++) {
            uint64_t flag = UINT64_C(1) << bit;
            if ((flag & 0x7e020080) == 0)
                continue;
            all |= flag;
            struct scmp_arg_cmp set = {n == 0 ? at : 0, SCMP_CMP_MASKED_EQ, flag, flag};
            result = result ? result : wish(wishes, names[n], EPERM, &set);
        }
        struct scmp_arg_cmp none = {n == 0 ? at : 0, SCMP_CMP_MASKED_EQ, all, 0};
        result = result ? result : wish(wishes, names[n], 0, &none);
    }
    result = result ? result : wish(wishes, "setns", EPERM, NULL);
    return result ? result : wish(wishes, "clone3", ENOSYS, NULL);
}

static uint32_t action(int error)
{
    return error ? SCMP_ACT_ERRNO((uint32_t)error) : SCMP_ACT_ALLOW;
}

static int by_number(const void *left, const void *right)
{
    return ((const struct wish *)left)->number - ((const struct wish *)right)->number;
}

static int build(const struct wishes *wishes, scmp_filter_ctx context)
{
    int result = seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);

    if (result == 0 && seccomp_arch_native() == SCMP_ARCH_X86_64)
        result = seccomp_arch_add(context, SCMP_ARCH_X86);
    if (result == 0 && seccomp_arch_native() == SCMP_ARCH_AARCH64)
        result = seccomp_arch_add(context, SCMP_ARCH_ARM);
    for (size_t i = 0; result == 0 && i < wishes->count; i++) {
        const struct wish *one = &wishes->list[i];
        if (action(one->error) != action(wishes->unknown))
            result = seccomp_rule_add_array(context, action(one->error), one->number, one->tests,
                                            one->tests ? &one->test : NULL);
    }
    if (result == 0)
        result = seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    if (result == 0)
        result = seccomp_attr_set(context, SCMP_FLTATR_CTL_TSYNC, 1);
    if (result == 0)
        result = seccomp_attr_set(context, SCMP_FLTATR_CTL_NNP, 0);
    return result;
}

static void *load(void *arg)
{
    return (void *)(intptr_t)seccomp_load(arg);
}

int filter_load(const struct filter *filter)
{
    const struct wishes *wishes = filter->context;
    pthread_t thread;
    void *answer;

    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
        return -EPERM;
    qsort(wishes->list, wishes->count, sizeof *wishes->list, by_number);
    scmp_filter_ctx context = seccomp_init(action(wishes->unknown));
    int result = context == NULL ? -ENOMEM : build(wishes, context);
    if (result == 0)
        result = -pthread_create(&thread, NULL, load, context);
    if (result == 0) {
        pthread_join(thread, &answer);
        result = (int)(intptr_t)answer;
    }
    seccomp_release(context);
    return result;
}
