/*
 * Lab 10: fewer system calls.
 *
 * Every power a process has, it has through system calls. A filter is a small program that the
 * kernel runs before each of them: it sees the call's number, the architecture that the number
 * belongs to, and the six argument registers, and decides. libseccomp writes the program; what it
 * should decide is yours.
 *
 * 0 on success, -errno on failure. seccomp(2), seccomp_init(3)
 */
#pragma once

#include "given/todo.h"

/* Some system calls, and what becomes of them. given_profile.c has the default ones, each group
 * with its reason. A name that this libseccomp, or one of the architectures, does not know is
 * passed over: profiles outlive kernels. */
struct filter_group {
    const char *name;         /* "mounting"                                              */
    const char *reason;       /* why it is allowed, or refused                           */
    int error;                /* 0: allowed; else what the caller is told, as EPERM      */
    const char *const *calls; /* ends with NULL                                          */
};

struct filter_profile {
    const struct filter_group *groups; /* ends with .name == NULL; a call is in one group at most */
    int unknown; /* what callers of a call in no group are told, as ENOSYS; 0: it is allowed      */
};

/* A filter in the making; libseccomp's scmp_filter_ctx. */
struct filter {
    void *context;
};

/* Makes a filter of `profile` for the native architecture and the 32-bit one that the same kernel
 * runs beside it (x86 for x86_64, arm for aarch64; none elsewhere). A system call of any other
 * architecture (x32 among them) kills the process, all its threads. Nothing is loaded yet. The
 * caller frees the filter; after a failure there is nothing to free. */
int filter_make(const struct filter_profile *profile, struct filter *filter);

/* Frees it; safe on a zeroed one and twice. What is loaded stays loaded. */
void filter_free(struct filter *filter);

/* Refuses new namespaces, on all of the filter's architectures: clone and unshare with any of the
 * CLONE_NEW* flags, and setns, are EPERM. Without them both stay allowed: clone makes processes and
 * threads. clone3 keeps its flags in memory, where a filter cannot look: it is ENOSYS, and libc
 * then falls back on clone. Called after filter_make, with a profile that has none of these four
 * calls in a group: to libseccomp a rule for the whole of a call outweighs those that look at its
 * arguments. (On s390x clone's flags are its second argument.) clone(2) */
int filter_deny_namespaces(struct filter *filter);

/* Loads the filter into the kernel, as one filter and once, for every thread of this process. From
 * the next system call on it holds. no_new_privs must be set before (lab 09), it is not set here:
 * without it the answer is -EPERM and nothing is loaded, also for a root from whom the kernel would
 * take the filter. When one thread cannot have the filter, none has it, and the answer is
 * -ECANCELED. seccomp(2), SECCOMP_FILTER_FLAG_TSYNC */
int filter_load(const struct filter *filter);
