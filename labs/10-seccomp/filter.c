/* Lab 10: fewer system calls. The contract is filter.h. */
#include "10-seccomp/filter.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>

/* --- a rule ----------------------------------------------------------------------------------- */

/* 0: the kernel makes the call; else it does not, and the caller is told this error. */
static uint32_t action_of(int error)
{
    /* TODO(step 1): seccomp_rule_add(3) lists the actions: which lets a call through, and which
     *               makes it fail with an error of your choice?
     */
    (void)error;
    return SCMP_ACT_ALLOW;
}

/* A rule for the call of this number: whatever its arguments (`test` NULL), or if one of them
 * passes a test. */
static int add_call(const struct filter *filter, uint32_t action, int number,
                    const struct scmp_arg_cmp *test)
{
    /* TODO(step 1): seccomp_rule_add_array(3), with one test or none. (A number below 0 stands for
     *               a call that only other architectures have: a rule takes it.) A rule that says
     *               what happens without it is refused with -EACCES: is that a failure?
     */
    (void)filter;
    (void)action;
    (void)number;
    (void)test;
    return STRATA_TODO;
}

/* What becomes of a rule for a name that this libseccomp has no number for. */
static int unknown_name(void)
{
    /* TODO(step 5): the profile is longer than any one kernel's list of calls, and longer than this
     *               libseccomp's. What is lost without that rule?
     */
    return -ENOSYS;
}

static int add_rule(const struct filter *filter, int error, const char *name,
                    const struct scmp_arg_cmp *test)
{
    int number = seccomp_syscall_resolve_name(name);

    if (number == __NR_SCMP_ERROR)
        return unknown_name();
    return add_call(filter, action_of(error), number, test);
}

/* --- the filter ------------------------------------------------------------------------------- */

/* What becomes of calls that no rule is about. */
static uint32_t default_action(const struct filter_profile *profile)
{
    /* TODO(step 5): so far a filter is a list of what is refused, and lets everything else through,
     *               calls of future kernels too. profile->unknown turns it round.
     */
    (void)profile;
    return SCMP_ACT_ALLOW;
}

/* Begins a filter that has no rule yet. */
static int create(struct filter *filter, uint32_t action)
{
    /* TODO(step 1): seccomp_init(3). What does it return when there is no memory? */
    (void)filter;
    (void)action;
    return STRATA_TODO;
}

/* Says what the calls of other architectures are. A number means nothing without its architecture:
 * 165 is mount on x86_64, and getresuid for the 32-bit programs that the same kernel runs. */
static int cover_architectures(const struct filter *filter)
{
    /* TODO(step 3): seccomp_arch_native(3) says where we are, seccomp_arch_add(3) takes the 32-bit
     *               one in. For all others seccomp_attr_set(3) has SCMP_FLTATR_ACT_BADARCH; its
     *               default ends one thread only.
     */
    (void)filter;
    return 0;
}

int filter_make(const struct filter_profile *profile, struct filter *filter)
{
    int result = create(filter, default_action(profile));

    /* Before the rules: each is for the architectures that are there when it is added. */
    if (result == 0)
        result = cover_architectures(filter);
    for (const struct filter_group *group = profile->groups; group->name != NULL; group++)
        for (const char *const *call = group->calls; result == 0 && *call != NULL; call++)
            result = add_rule(filter, group->error, *call, NULL);
    if (result < 0)
        filter_free(filter);
    return result;
}

void filter_free(struct filter *filter)
{
    /* TODO(step 1): seccomp_release(3), and forget the context: two calls must do no harm. */
    (void)filter;
}

/* --- no new namespaces ------------------------------------------------------------------------ */

int filter_deny_namespaces(struct filter *filter)
{
    /* TODO(step 4): clone(2), unshare(2), setns(2) and clone3: see filter.h. Which argument has
     *               clone's flags, and which on s390x? A test (struct scmp_arg_cmp) can compare
     *               what is left of it under a mask: SCMP_CMP_MASKED_EQ. Beware of the lowest byte
     *               of clone's flags: it is the signal to send at the end. CLONE_NEWTIME lies in
     *               that byte too, and so is unshare's alone.
     */
    (void)filter;
    return STRATA_TODO;
}

/* --- into the kernel -------------------------------------------------------------------------- */

/* 0 when no exec can give this process more than it has, else -EPERM. */
static int require_no_new_privs(void)
{
    /* TODO(step 1): prctl(2) tells whether no_new_privs is set; the unused arguments must be 0. */
    return STRATA_TODO;
}

/* A filter belongs to a thread, and those that were there before have their own. */
static int for_all_threads(const struct filter *filter)
{
    /* TODO(step 2): seccomp_attr_set(3) has an attribute that makes seccomp_load ask the kernel for
     *               SECCOMP_FILTER_FLAG_TSYNC: seccomp(2).
     */
    (void)filter;
    return 0;
}

/* Hands the filter to the kernel. */
static int load(const struct filter *filter)
{
    /* TODO(step 1): seccomp_load(3). It would set no_new_privs by itself, unless the attribute
     *               SCMP_FLTATR_CTL_NNP is 0: seccomp_attr_set(3).
     */
    (void)filter;
    return STRATA_TODO;
}

int filter_load(const struct filter *filter)
{
    int result = require_no_new_privs();

    if (result == 0)
        result = for_all_threads(filter);
    if (result == 0)
        result = load(filter);
    return result;
}
