/* The default profile of lab 10: each call is in one group, none is misspelt, none of those that
 * this libseccomp knows was forgotten; and under the filter each call gets what its group says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "10-seccomp/filter.h"
#include "10-seccomp/given_profile.h"

enum { DEADLINE_S = 60, NUMBERS = 512 };

/* Which of them has the call; how many do. */
static const struct filter_group *group_of(const char *call, int *count)
{
    const struct filter_group *found = NULL;

    *count = 0;
    for (const struct filter_group *g = profile_default()->groups; g->name != NULL; g++) {
        for (size_t i = 0; g->calls[i] != NULL; i++) {
            if (strcmp(g->calls[i], call) == 0) {
                found = g;
                ++*count;
            }
        }
    }
    return found;
}

static bool is_among(const char *const *list, const char *call)
{
    while (*list != NULL && strcmp(*list, call) != 0)
        list++;
    return *list != NULL;
}

static void test_groups(void **state)
{
    /* Newer than libseccomp 2.5.4 (or of machines that it came to know later). */
    static const char *const newer[] = {"mseal",
                                        "setxattrat",
                                        "getxattrat",
                                        "listxattrat",
                                        "removexattrat",
                                        "open_tree_attr",
                                        "riscv_hwprobe",
                                        "map_shadow_stack",
                                        "fchmodat2",
                                        "cachestat",
                                        "futex_wait",
                                        "futex_wake",
                                        "futex_requeue",
                                        "futex_waitv",
                                        "process_mrelease",
                                        "memfd_secret",
                                        NULL};
    int count, misspelt = 0, twice = 0;

    (void)state;
    for (const struct filter_group *g = profile_default()->groups; g->name != NULL; g++) {
        assert_true(strlen(g->reason) > 0);
        assert_true(g->error == 0 || g->error == EPERM);
        for (size_t i = 0; g->calls[i] != NULL; i++) {
            group_of(g->calls[i], &count);
            if (count != 1) {
                print_error("%s is in %d groups\n", g->calls[i], count);
                twice++;
            }
            if (seccomp_syscall_resolve_name(g->calls[i]) == __NR_SCMP_ERROR &&
                !is_among(newer, g->calls[i])) {
                print_error("%s: libseccomp knows no such call\n", g->calls[i]);
                misspelt++;
            }
        }
    }
    assert_int_equal(misspelt, 0);
    assert_int_equal(twice, 0);
}

/* In no group, and why: the four of filter_deny_namespaces, and what no kernel has (any more). */
static void test_nothing_forgotten(void **state)
{
    static const char *const absent[] = {"clone",
                                         "clone3",
                                         "unshare",
                                         "setns",
                                         "fanotify_mark",
                                         "afs_syscall",
                                         "tuxcall",
                                         "security",
                                         "vserver",
                                         "getpmsg",
                                         "putpmsg",
                                         "epoll_ctl_old",
                                         "epoll_wait_old",
                                         "break",
                                         "stty",
                                         "gtty",
                                         "ftime",
                                         "prof",
                                         "lock",
                                         "mpx",
                                         "ulimit",
                                         "profil",
                                         "idle",
                                         "statmount",
                                         "listmount",
                                         "lsm_get_self_attr",
                                         "lsm_set_self_attr",
                                         "lsm_list_modules",
                                         "uretprobe",
                                         "uprobe",
                                         "file_getattr",
                                         "file_setattr",
                                         NULL};
    static const uint32_t architectures[] = {SCMP_ARCH_X86_64, SCMP_ARCH_X86, SCMP_ARCH_AARCH64,
                                             SCMP_ARCH_ARM};
    int count, forgotten = 0;

    (void)state;
    for (size_t a = 0; a < sizeof architectures / sizeof *architectures; a++) {
        for (int number = 0; number < NUMBERS; number++) {
            char *name = seccomp_syscall_resolve_num_arch(architectures[a], number);
            if (name != NULL && group_of(name, &count) == NULL && !is_among(absent, name)) {
                print_error("%s (%d) is in no group\n", name, number);
                forgotten++;
            }
            free(name);
        }
    }
    assert_int_equal(forgotten, 0);
}

/* What the call gives in this process, with arguments that no call likes. */
static int error_of(int number)
{
    return syscall(number, -1L, -1L, -1L, -1L, -1L, -1L) == -1 ? errno : 0;
}

/* In a child of the test: loads the filter and tries every number whose call is not allowed, for
 * those harm nobody. Ends with how many answers were wrong. */
static _Noreturn void try_under_filter(void)
{
    struct filter filter = {0};
    int wrong = 0, tried = 0, count;

    if (filter_make(profile_default(), &filter) < 0 || filter_deny_namespaces(&filter) < 0 ||
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || filter_load(&filter) < 0)
        _exit(255);
    filter_free(&filter);
    for (int number = 0; number < NUMBERS; number++) {
        char *name = seccomp_syscall_resolve_num_arch(seccomp_arch_native(), number);
        if (name == NULL) /* among them uretprobe, which the kernel lets pass any filter */
            continue;
        const struct filter_group *group = group_of(name, &count);
        bool fourth = strcmp(name, "clone") == 0 || strcmp(name, "unshare") == 0 ||
                      strcmp(name, "setns") == 0;
        int wanted = group != NULL ? group->error : fourth ? EPERM : ENOSYS;
        if (wanted != 0 && error_of(number) != wanted) {
            fprintf(stderr, "%s gives %s\n", name, strerrorname_np(errno));
            wrong++;
        }
        tried += wanted != 0;
        free(name);
    }
    _exit(tried > 60 ? wrong : 254);
}

static void test_answers(void **state)
{
    int status;

    (void)state;
    pid_t child = fork();
    if (child == 0)
        try_under_filter();
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_nothing_forgotten),
        cmocka_unit_test(test_answers),
    };

    alarm(DEADLINE_S);
    return cmocka_run_group_tests_name("profile", tests, NULL, NULL);
}
