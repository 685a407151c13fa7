/* /proc/PID/status: all lines, few lines, forged lines. */
#include "support.h"

#include "kernel/status.h"

#include <sched.h>

static struct kernel_status parsed(const char *name)
{
    struct kernel_status status;
    size_t len;
    autofree char *text = fixture(name, &len);

    assert_int_equal(kernel_status_parse(text, len, &status), 0);
    return status;
}

static void test_recorded(void **state)
{
    struct kernel_status status = parsed("status-recorded");

    (void)state;
    assert_int_equal(status.umask, 022);
    assert_int_equal(status.state, 'R');
    assert_int_equal(status.tgid, status.pid);
    assert_int_equal(status.nspid.count, 1);
    assert_int_equal(status.nspid.pid[0], status.pid);
    assert_int_equal(status.tracer_pid, 0);
    assert_int_equal(status.groups_count, 0);
    assert_true(status.has_caps);
    assert_true(status.cap_eff == 0x1fffeffffff);
    assert_int_equal(status.seccomp, 0);
    assert_int_equal(status.seccomp_filters, 0);
    assert_int_equal(status.no_new_privs, 0);
    assert_true(status.vm_rss_kb > 0);
    assert_int_equal(status.vm_rss_kb,
                     status.rss_anon_kb + status.rss_file_kb + status.rss_shmem_kb);
    assert_string_equal(status.cpus_allowed_list, "0-1");
    kernel_status_free(&status);
    kernel_status_free(&status);
}

static void test_nested(void **state)
{
    struct kernel_status status = parsed("status-nested");

    (void)state;
    assert_int_equal(status.nspid.count, 31);
    assert_int_equal(status.nspid.pid[0], 50000);
    assert_int_equal(status.nspid.pid[30], 1);
    assert_int_equal(status.nssid.count, 1);
    kernel_status_free(&status);
}

static void test_forged_name(void **state)
{
    struct kernel_status status = parsed("status-escaped");

    (void)state;
    assert_string_equal(status.name, "a\nPid:\\1");
    assert_int_not_equal(status.pid, 1);
    kernel_status_free(&status);
}

static void test_groups(void **state)
{
    const gid_t groups[] = {4, 24, 27, 1001, 4294967294};
    const uid_t uids[] = {1000, 1001, 1002, 65534};
    struct kernel_status status = parsed("status-groups");

    (void)state;
    assert_int_equal(status.groups_count, 5);
    assert_memory_equal(status.groups, groups, sizeof(groups));
    assert_memory_equal(status.uid, uids, sizeof(uids));
    kernel_status_free(&status);
}

static void test_missing_lines(void **state)
{
    struct kernel_status status = parsed("status-zombie");

    (void)state;
    assert_int_equal(status.state, 'Z');
    assert_int_equal(status.vm_rss_kb, -1);
    assert_int_equal(status.umask, -1);
    kernel_status_free(&status);
    status = parsed("status-minimal");
    assert_int_equal(status.pid, 5);
    assert_int_equal(status.tracer_pid, -1);
    assert_int_equal(status.seccomp, -1);
    assert_int_equal(status.seccomp_filters, -1);
    assert_int_equal(status.no_new_privs, -1);
    assert_false(status.has_caps);
    assert_true(status.uid[0] == (uid_t)-1);
    assert_int_equal(status.nspid.count, 0);
    assert_null(status.cpus_allowed_list);
    kernel_status_free(&status);
}

static int parse(const char *text)
{
    struct kernel_status status;
    int error = kernel_status_parse(text, strlen(text), &status);

    kernel_status_free(&status);
    return error;
}

#define MINIMAL "Name:\tx\nState:\tS (sleeping)\nPid:\t5\n"

static void test_refused(void **state)
{
    const char nul[] = "Name:\tx\nState:\tS\nPid:\t5\n\0";
    struct kernel_status status;
    char levels[512] = MINIMAL "NSpid:";

    (void)state;
    assert_int_equal(parse(MINIMAL), 0);
    assert_int_equal(parse("Name:\tx\nPid:\t5\n"), -EBADMSG);
    assert_int_equal(parse("Name:\tx\nState:\tS\n"), -EBADMSG);
    assert_int_equal(parse("Name:\tx\nState:\tS\nTgid:\t5\nPPid:\t5\n"), -EBADMSG);
    assert_int_equal(parse(MINIMAL "PPid:\t2147483648\n"), -EBADMSG);
    assert_int_equal(parse(MINIMAL "PPid:\t-1\n"), -EBADMSG);
    assert_int_equal(parse(MINIMAL "CapEff:\t10000000000000000\n"), -EBADMSG);
    assert_int_equal(parse(MINIMAL "Uid:\t1\t2\t3\n"), -EBADMSG);
    assert_int_equal(parse(MINIMAL "Uid:\t1\t2\t3\t4294967296\n"), -EBADMSG);
    assert_int_equal(parse(MINIMAL "VmRSS:\t12\n"), -EBADMSG);
    assert_int_equal(parse(MINIMAL "Groups:\t1 x\n"), -EBADMSG);
    assert_int_equal(parse(MINIMAL "Cpus_allowed_list:\t0\nCpus_allowed_list:\t1\n"), 0);
    assert_int_equal(parse(MINIMAL "Groups:\t1 2\nGroups:\t3\n"), 0);
    for (int i = 0; i < KERNEL_PID_LEVELS; i++)
        strcat(levels, "\t7");
    assert_int_equal(parse(levels), 0);
    strcat(levels, "\t7");
    assert_int_equal(parse(levels), -EBADMSG);
    assert_int_equal(kernel_status_parse(nul, sizeof(nul) - 1, &status), -EBADMSG);
    assert_int_equal(kernel_status_parse(NULL, 0, &status), -EBADMSG);
}

static void test_every_prefix(void **state)
{
    const char *const fixtures[] = {"status-recorded", "status-nested", "status-groups"};

    (void)state;
    for (size_t i = 0; i < sizeof(fixtures) / sizeof(fixtures[0]); i++) {
        size_t len;
        autofree char *text = fixture(fixtures[i], &len);

        for (size_t cut = 0; cut <= len; cut++) {
            autofree char *prefix = exact(text, cut);
            struct kernel_status status;
            int error = kernel_status_parse(prefix, cut, &status);

            assert_true(error == 0 || error == -EBADMSG);
            kernel_status_free(&status);
        }
    }
}

static int rename_self(void *arg)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    sigprocmask(SIG_BLOCK, &set, NULL);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return prctl(PR_SET_NAME, arg);
}

static void test_read(void **state)
{
    char name[] = "x\nPid:\t1\\n";
    struct child child = child_start(rename_self, name);
    struct kernel_status status;
    pid_t pid = child.pid;

    (void)state;
    assert_int_equal(kernel_status_read(pid, &status), 0);
    assert_string_equal(status.name, name);
    assert_int_equal(status.pid, pid);
    assert_int_equal(status.ppid, getpid());
    assert_int_equal(status.uid[1], geteuid());
    assert_int_equal(status.no_new_privs, 1);
    assert_true(status.sigblk & (uint64_t)1 << (SIGUSR2 - 1));
    assert_true(status.has_caps);
    kernel_status_free(&status);
    child_end(&child);
    assert_int_equal(kernel_status_read(pid, &status), -ESRCH);
    kernel_status_free(&status);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recorded),      cmocka_unit_test(test_nested),
        cmocka_unit_test(test_forged_name),   cmocka_unit_test(test_groups),
        cmocka_unit_test(test_missing_lines), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_every_prefix),  cmocka_unit_test(test_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
