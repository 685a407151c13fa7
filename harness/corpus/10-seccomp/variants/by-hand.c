/* Writes the filter's program itself, at the time of loading: libseccomp only knows the numbers. */
#include "10-seccomp/filter.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { RULES_MAX = 1500, CODE_MAX = 4096 };

/* One call of one architecture. With `flags`, refused only if its first argument has one of them.
 */
struct rule {
    uint32_t architecture;
    int number;
    int error;
    uint32_t flags;
};

struct rules {
    struct rule list[RULES_MAX];
    size_t count;
    uint32_t architectures[2]; /* the native one and, or 0, the other */
    int unknown;
};

static uint32_t answer(int error)
{
    return error == 0 ? SECCOMP_RET_ALLOW
                      : SECCOMP_RET_ERRNO | ((uint32_t)error & SECCOMP_RET_DATA);
}

static int add(struct rules *rules, const char *name, int error, uint32_t flags)
{
    for (int i = 0; i < 2 && rules->architectures[i] != 0; i++) {
        int number = seccomp_syscall_resolve_name_arch(rules->architectures[i], name);
        if (number < 0)
            continue;
        if (rules->count == RULES_MAX)
            return -E2BIG;
        rules->list[rules->count++] = (struct rule){rules->architectures[i], number, error, flags};
    }
    return 0;
}

int filter_make(const struct filter_profile *profile, struct filter *filter)
{
    struct rules *rules = calloc(1, sizeof *rules);
    int result = 0;

    if (rules == NULL)
        return -ENOMEM;
    rules->unknown = profile->unknown;
    rules->architectures[0] = seccomp_arch_native();
    if (rules->architectures[0] == SCMP_ARCH_X86_64)
        rules->architectures[1] = SCMP_ARCH_X86;
    if (rules->architectures[0] == SCMP_ARCH_AARCH64)
        rules->architectures[1] = SCMP_ARCH_ARM;
    for (const struct filter_group *g = profile->groups; g->name != NULL && result == 0; g++)
        for (size_t i = 0; g->calls[i] != NULL && result == 0; i++)
            result = add(rules, g->calls[i], g->error, 0);
    filter->context = rules;
    if (result < 0)
        filter_free(filter);
    return result;
}

void filter_free(struct filter *filter)
{
    free(filter->context);
    filter->context = NULL;
}

int filter_deny_namespaces(struct filter *filter)
{
    static const uint32_t seven = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
                                  CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
    struct rules *rules = filter->context;
    int result = add(rules, "clone3", ENOSYS, 0);

    if (result == 0)
        result = add(rules, "setns", EPERM, 0);
    if (result == 0)
        result = add(rules, "unshare", EPERM, seven | CLONE_NEWTIME);
    return result < 0 ? result : add(rules, "clone", EPERM, seven);
}

struct code {
    struct sock_filter list[CODE_MAX];
    unsigned short count;
};

static void put(struct code *code, uint16_t what, uint32_t value, uint8_t yes, uint8_t no)
{
    if (code->count < CODE_MAX)
        code->list[code->count] = (struct sock_filter){what, yes, no, value};
    code->count++;
}

static void put_rule(struct code *code, const struct rule *rule)
{
    uint32_t argument = offsetof(struct seccomp_data, args);

    if (seccomp_arch_native() == SCMP_ARCH_S390X)
        argument += 8;
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
    argument += 4;
#endif
    put(code, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)rule->number, 0, rule->flags != 0 ? 4 : 1);
    if (rule->flags != 0) {
        put(code, BPF_LD | BPF_W | BPF_ABS, argument, 0, 0);
        put(code, BPF_JMP | BPF_JSET | BPF_K, rule->flags, 0, 1);
    }
    put(code, BPF_RET | BPF_K, answer(rule->error), 0, 0);
    if (rule->flags != 0)
        put(code, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
}

static void put_architecture(struct code *code, const struct rules *rules, uint32_t architecture)
{
    size_t start = code->count;

    put(code, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch), 0, 0);
    put(code, BPF_JMP | BPF_JEQ | BPF_K, architecture, 1, 0);
    put(code, BPF_JMP | BPF_JA, 0, 0, 0); /* to the end of this part, once that is known */
    put(code, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
#ifdef __X32_SYSCALL_BIT
    if (architecture == SCMP_ARCH_X86_64) {
        put(code, BPF_JMP | BPF_JGE | BPF_K, __X32_SYSCALL_BIT, 0, 1);
        put(code, BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS, 0, 0);
    }
#endif
    for (size_t i = 0; i < rules->count; i++)
        if (rules->list[i].architecture == architecture)
            put_rule(code, &rules->list[i]);
    put(code, BPF_RET | BPF_K, answer(rules->unknown), 0, 0);
    if (code->count <= CODE_MAX)
        code->list[start + 2].k = (uint32_t)(code->count - start - 3);
}

int filter_load(const struct filter *filter)
{
    static struct code code;
    const struct rules *rules = filter->context;

    code.count = 0;
    for (int i = 0; i < 2; i++)
        if (rules->architectures[i] != 0)
            put_architecture(&code, rules, rules->architectures[i]);
    put(&code, BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS, 0, 0);
    if (code.count > CODE_MAX)
        return -E2BIG;

    struct sock_fprog program = {code.count, code.list};
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0)
        return -EPERM;
    long thread =
        syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
    if (thread < 0)
        return -errno;
    return thread > 0 ? -ECANCELED : 0; /* the number of the thread that cannot */
}
