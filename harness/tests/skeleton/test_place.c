/* Files are complete or absent, and what somebody wrote meanwhile stays. */
#include "fixture.h"

#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { CANNOT = 77 };

static char big[200000];

static int write_as_found(const char *folder, const char *content)
{
    struct place_state state;
    int fd = place_open(folder);
    int err = fd < 0 ? fd : place_look(fd, "root.c", &state);

    if (err == 0)
        err = place_write(fd, "root.c", &state, content, strlen(content));
    close(fd);
    return err;
}

/*
 * Runs body in a child, which may change itself for good; returns what body returned. No body
 * may use an assertion: it would go on with the tests, in the child.
 */
static int in_child(int (*body)(void))
{
    int status;
    pid_t pid = fork();

    if (pid == 0)
        _exit(-body());
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return -WEXITSTATUS(status);
}

static void test_write(void **state)
{
    (void)state;
    assert_int_equal(write_as_found(scratch, "one\n"), 0);
    assert_content("root.c", "one\n");
    assert_int_equal(chmod(in_scratch("root.c"), 0640), 0);
    assert_int_equal(write_as_found(scratch, "two\n"), 0);
    assert_content("root.c", "two\n");
    struct stat status;
    assert_int_equal(stat(in_scratch("root.c"), &status), 0);
    assert_int_equal(status.st_mode & 07777, 0640);
    assert_string_equal(names_in(""), "root.c ");
}

static void test_sweeps_what_a_kill_left(void **state)
{
    (void)state;
    put(".root.c.strata-new", "half of a ske");
    assert_int_equal(write_as_found(scratch, "whole\n"), 0);
    assert_content("root.c", "whole\n");
    assert_string_equal(names_in(""), "root.c ");
}

static void test_changed_meanwhile(void **state)
{
    struct place_state seen;
    int fd = place_open(scratch);

    (void)state;
    assert_int_equal(place_look(fd, "root.c", &seen), 0);
    assert_false(seen.exists);
    put("root.c", "mine\n");
    assert_int_equal(place_write(fd, "root.c", &seen, "new\n", 4), -EBUSY);
    assert_content("root.c", "mine\n");

    assert_int_equal(place_look(fd, "root.c", &seen), 0);
    put("root.c", "mine, saved again\n");
    assert_int_equal(place_write(fd, "root.c", &seen, "new\n", 4), -EBUSY);
    assert_content("root.c", "mine, saved again\n");
    assert_string_equal(names_in(""), "root.c ");
    close(fd);
}

static void test_no_regular_file(void **state)
{
    struct place_state seen;
    struct text text = {0};
    int fd = place_open(scratch);

    (void)state;
    assert_int_equal(mkfifo(in_scratch("fifo"), 0600), 0);
    put_folder("folder");
    assert_int_equal(place_look(fd, "fifo", &seen), -EINVAL);
    assert_int_equal(place_look(fd, "folder", &seen), -EISDIR);
    assert_int_equal(place_read(fd, "absent", &text), -ENOENT);
    assert_int_equal(place_open(in_scratch("absent")), -ENOENT);
    close(fd);
}

static int write_beyond_limit(void)
{
    const struct rlimit limit = {4096, 4096};

    signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &limit) < 0)
        return -CANNOT;
    return write_as_found(scratch, big);
}

static void test_write_cut_short(void **state)
{
    (void)state;
    put("root.c", "mine\n");
    assert_int_equal(in_child(write_beyond_limit), -EFBIG);
    assert_content("root.c", "mine\n");
    assert_string_equal(names_in(""), "root.c ");
}

static int backup_beyond_limit(void)
{
    const struct rlimit limit = {4096, 4096};
    char name[NAME_MAX + 1];
    struct place_state seen;

    signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &limit) < 0)
        return -CANNOT;
    return place_backup(place_open(scratch), "root.c", name, &seen);
}

static void test_backup_cut_short(void **state)
{
    (void)state;
    put("root.c", big);
    assert_int_equal(in_child(backup_beyond_limit), -EFBIG);
    assert_content("root.c", big);
    assert_string_equal(names_in(""), "root.c ");
}

static int put_id(const char *path, unsigned id)
{
    char map[64];
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    int n = snprintf(map, sizeof(map), "0 %u 1", id);

    return fd >= 0 && write(fd, map, (size_t)n) == n && close(fd) == 0 ? 0 : -1;
}

/* A tmpfs of 16 KiB, which goes away with the child's mount namespace. */
static int write_to_full_disk(void)
{
    const unsigned uid = geteuid(), gid = getegid();
    struct text kept = {0};
    int deny;

    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
        return -CANNOT;
    deny = open("/proc/self/setgroups", O_WRONLY | O_CLOEXEC);
    if (deny < 0 || write(deny, "deny", 4) != 4 || put_id("/proc/self/uid_map", uid) < 0 ||
        put_id("/proc/self/gid_map", gid) < 0 ||
        mount("tmpfs", scratch, "tmpfs", 0, "size=16k") < 0)
        return -CANNOT;
    if (write_as_found(scratch, "mine\n") < 0)
        return -CANNOT;
    int err = write_as_found(scratch, big);
    int left = place_read(AT_FDCWD, in_scratch("root.c"), &kept) < 0 ||
               strcmp(kept.bytes, "mine\n") != 0 || strcmp(names_in(""), "root.c ") != 0;

    text_free(&kept);
    return left ? -1 : err;
}

static void test_full_disk(void **state)
{
    (void)state;
    int err = in_child(write_to_full_disk);

    if (err == -CANNOT)
        skip();
    assert_int_equal(err, -ENOSPC);
}

static int write_read_only(void)
{
    if (geteuid() == 0 && (setgroups(0, NULL) < 0 || setgid(65534) < 0 || setuid(65534) < 0))
        return -CANNOT;
    return write_as_found(scratch, "new\n");
}

static void test_read_only_folder(void **state)
{
    (void)state;
    put("root.c", "mine\n");
    assert_int_equal(chmod(scratch, 0555), 0);
    assert_int_equal(in_child(write_read_only), -EACCES);
    assert_content("root.c", "mine\n");
    assert_string_equal(names_in(""), "root.c ");
    assert_int_equal(chmod(scratch, 0755), 0);
}

/* With sudo, what we write still belongs to the student. */
static void test_owner(void **state)
{
    char backup[NAME_MAX + 1];
    struct place_state seen;
    struct stat status;
    int fd;

    (void)state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(chown(scratch, 1234, 1235), 0);
    assert_int_equal(write_as_found(scratch, "one\n"), 0);
    assert_int_equal(write_as_found(scratch, "two\n"), 0);
    fd = place_open(scratch);
    assert_int_equal(place_backup(fd, "root.c", backup, &seen), 0);
    assert_int_equal(fstatat(fd, "root.c", &status, 0), 0);
    assert_int_equal(status.st_uid, 1234);
    assert_int_equal(fstatat(fd, backup, &status, 0), 0);
    assert_int_equal(status.st_gid, 1235);
    close(fd);
}

/* Many in one second: every one gets a name of its own, and none replaces another. */
static void test_backup_names(void **state)
{
    char backups[4][NAME_MAX + 1];
    struct place_state seen;
    int fd = place_open(scratch);
    unsigned counted = 0;

    (void)state;
    for (int i = 0; i < 4; i++) {
        char content[16];

        snprintf(content, sizeof(content), "version %d\n", i);
        put("root.c", content);
        assert_int_equal(place_backup(fd, "root.c", backups[i], &seen), 0);
        int date, clock, end = 0;

        assert_int_equal(sscanf(backups[i], "root.c.backup-%8d-%6d%n", &date, &clock, &end), 2);
        assert_int_equal(end, strlen("root.c.backup-YYYYMMDD-HHMMSS"));
        counted += backups[i][end] == '-';
    }
    assert_true(counted > 0);
    for (int i = 0; i < 4; i++) {
        char content[16];

        snprintf(content, sizeof(content), "version %d\n", i);
        assert_content(backups[i], content);
    }
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_enter, scratch_leave)
        IN_SCRATCH(test_write),
        IN_SCRATCH(test_sweeps_what_a_kill_left),
        IN_SCRATCH(test_changed_meanwhile),
        IN_SCRATCH(test_no_regular_file),
        IN_SCRATCH(test_write_cut_short),
        IN_SCRATCH(test_backup_cut_short),
        IN_SCRATCH(test_full_disk),
        IN_SCRATCH(test_read_only_folder),
        IN_SCRATCH(test_owner),
        IN_SCRATCH(test_backup_names),
    };

    memset(big, 'x', sizeof(big) - 1);
    return cmocka_run_group_tests_name("skeleton: files", tests, NULL, NULL);
}
