/* Looking into something like a container: its pid namespace, its root, its traps; and who is left
 * in there when things go wrong. */
#include "support.h"

#include "kernel/inside.h"
#include "kernel/stat.h"
#include "kernel/tree.h"

#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>

static unsigned flags_of(int namespaces)
{
    return (unsigned)namespaces;
}

__attribute__((noreturn)) static int hang(void *arg, int out_fd)
{
    (void)arg;
    (void)!write(out_fd, "half", 4);
    for (;;)
        pause();
}

static int die(void *arg, int out_fd)
{
    (void)arg;
    (void)out_fd;
    return kill(getpid(), SIGKILL);
}

static int write_file(const char *path, const char *text)
{
    autoclose int fd = open(path, O_WRONLY | O_CLOEXEC);

    return write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -1;
}

/* Our own ids become 0 in there: who has none that is mapped can make no files. */
static int map_ids(uid_t uid, gid_t gid)
{
    char uids[32], gids[32];

    snprintf(uids, sizeof(uids), "0 %u 1", uid);
    snprintf(gids, sizeof(gids), "0 %u 1", gid);
    return write_file("/proc/self/setgroups", "deny") || write_file("/proc/self/uid_map", uids) ||
           write_file("/proc/self/gid_map", gids);
}

/* A container, nearly: all namespaces, the member of the pid namespace is PID 1 with its own /proc,
 * and a root below the root of its mount namespace. */
static int contain(void *arg)
{
    uid_t uid = geteuid();
    gid_t gid = getegid();
    int ready[2];
    char byte;
    pid_t member;

    (void)arg;
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC) < 0 ||
        map_ids(uid, gid) || pipe(ready) < 0)
        return -1;
    member = fork();
    if (member == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
            mount("tmpfs", "/tmp", "tmpfs", 0, NULL) < 0 || chdir("/tmp") < 0 ||
            mkdir("proc", 0755) < 0 || mount("proc", "proc", "proc", 0, NULL) < 0 ||
            mkfifo("fifo", 0600) < 0 || symlink("/proc/self/root/etc", "magic") < 0 ||
            symlink("/only-here", "link") < 0)
            _exit(1);
        close(open("only-here", O_CREAT | O_WRONLY, 0644));
        if (chroot("/tmp") < 0 || chdir("/") < 0 || write(ready[1], "", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    close(ready[1]);
    return read(ready[0], &byte, 1) == 1 ? 0 : -1;
}

struct container {
    struct child outer;
    pid_t pid; /* PID 1 in there, as we number it */
    int pidfd;
};

static int container_setup(void **state)
{
    static struct container container;
    struct kernel_pids children;

    *state = &container;
    container.pid = 0;
    container.outer = child_start(contain, NULL);
    if (container.outer.pid == 0)
        return 0;
    assert_int_equal(kernel_children(container.outer.pid, &children), 0);
    container.pid = children.list[0];
    container.pidfd = pidfd_open(container.pid, 0);
    kernel_pids_free(&children);
    return 0;
}

static int container_teardown(void **state)
{
    struct container *container = *state;

    if (container->pid) {
        close(container->pidfd);
        child_end(&container->outer);
    }
    return 0;
}

#define ALL flags_of(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC)

static int tell_pid(void *arg, int out_fd)
{
    char text[64];

    (void)arg;
    snprintf(text, sizeof(text), "pid %s parent %d", getpid() < 100 ? "small" : "large", getppid());
    return kernel_write_all(out_fd, text, strlen(text));
}

static void test_container(void **state)
{
    struct container *c = *state;
    autofree char *text = NULL;
    size_t len;

    if (c->pid == 0)
        skip();
    assert_int_equal(kernel_inside(c->pidfd, c->pid, ALL, tell_pid, NULL, &text, &len), 0);
    assert_string_equal(text, "pid small parent 0");
    free(text);
    assert_int_equal(kernel_inside_read(c->pidfd, c->pid, ALL, "/proc/sysvipc/msg", &text, &len),
                     0);
    assert_non_null(strstr(text, "msqid"));
    free(text);
    text = NULL;
    /* Its root is /tmp, not the root of its mount namespace. */
    assert_int_equal(kernel_inside_read(c->pidfd, c->pid, ALL, "/only-here", &text, &len), 0);
    free(text);
    assert_int_equal(kernel_inside_read(c->pidfd, c->pid, ALL, "link", &text, &len), 0);
    free(text);
    assert_int_equal(kernel_inside_read(c->pidfd, c->pid, ALL, "/fifo", &text, &len), -EINVAL);
    assert_int_equal(kernel_inside_read(c->pidfd, c->pid, ALL, "/", &text, &len), -EINVAL);
    assert_int_equal(kernel_inside_read(c->pidfd, c->pid, ALL, "/magic/passwd", &text, &len),
                     -ELOOP);
    assert_int_equal(kernel_inside_read(c->pidfd, c->pid, ALL, "/etc/passwd", &text, &len),
                     -ENOENT);
    assert_null(text);
    text = NULL;
}

/* A member of their pid namespace that hangs is killed, and so is nobody else. */
static void test_hanging_member(void **state)
{
    struct container *c = *state;
    struct kernel_ns_id ns;
    struct kernel_pids pids;
    autofree char *text = NULL;
    size_t len;

    if (c->pid == 0)
        skip();
    assert_int_equal(kernel_ns(c->pid, "pid", &ns), 0);
    assert_int_equal(kernel_inside_within(200, c->pidfd, c->pid, ALL, hang, NULL, &text, &len),
                     -ETIMEDOUT);
    assert_int_equal(kernel_inside(c->pidfd, c->pid, ALL, die, NULL, &text, &len), -EIO);
    assert_null(text);
    assert_int_equal(kernel_pids_in_ns(ns, &pids), 0);
    assert_int_equal(pids.count, 1);
    assert_int_equal(pids.list[0], c->pid);
    kernel_pids_free(&pids);
}

/* Forks a process whose helper hangs in the container. */
static pid_t start_caller(const struct container *c)
{
    pid_t caller = fork();

    if (caller == 0) {
        char *text;
        size_t len;

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        kernel_inside_within(60000, c->pidfd, c->pid, ALL, hang, NULL, &text, &len);
        _exit(0);
    }
    return caller;
}

/* Waits until the helper is there and holds still; the one between is the first of the two listed.
 * A deadline of 5 s. */
static struct kernel_pids wait_for_helper(pid_t caller)
{
    struct kernel_pids pids = {0};
    struct kernel_stat stat = {0};

    for (int i = 0; i < 5000 && stat.state != 'S'; i++) {
        kernel_pids_free(&pids);
        assert_int_equal(kernel_descendants(caller, &pids), 0);
        if (pids.count == 2)
            kernel_stat_read(pids.list[1], &stat);
        usleep(1000);
    }
    assert_int_equal(stat.state, 'S');
    return pids;
}

/* The caller is killed while its helper hangs inside: neither the helper nor the one between stays.
 * They are watched by pidfd, for an ordinary user may not even ask for their namespace. */
static void test_caller_killed(void **state)
{
    struct container *c = *state;
    struct kernel_pids pids;
    struct pollfd ends[2];
    pid_t caller;

    if (c->pid == 0)
        skip();
    caller = start_caller(c);
    pids = wait_for_helper(caller);
    for (int i = 0; i < 2; i++)
        ends[i] = (struct pollfd){.fd = pidfd_open(pids.list[i], 0), .events = POLLIN};
    assert_int_equal(poll(ends, 2, 0), 0);
    kernel_pids_free(&pids);
    kill(caller, SIGKILL);
    waitpid(caller, NULL, 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(poll(&ends[i], 1, 5000), 1);
        close(ends[i].fd);
    }
}

/* What root of the container may do: trace PID 1, its own, and nobody who came to look. */
static int try_to_trace(void *arg, int out_fd)
{
    char text[64];
    int traced = 0, refused = 0;

    (void)arg;
    for (pid_t pid = 1; pid < 100; pid++) {
        if (pid == getpid() || kill(pid, 0) < 0)
            continue;
        if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0)
            traced++;
        else if (errno == EPERM)
            refused++;
    }
    snprintf(text, sizeof(text), "traced %d refused %d", traced, refused);
    return kernel_write_all(out_fd, text, strlen(text));
}

static void test_not_traced(void **state)
{
    struct container *c = *state;
    struct kernel_pids pids;
    autofree char *text = NULL;
    size_t len;
    pid_t caller;

    if (c->pid == 0)
        skip();
    caller = start_caller(c);
    pids = wait_for_helper(caller);
    kernel_pids_free(&pids);
    assert_int_equal(kernel_inside(c->pidfd, c->pid, ALL, try_to_trace, NULL, &text, &len), 0);
    assert_string_equal(text, "traced 1 refused 1");
    kill(caller, SIGKILL);
    waitpid(caller, NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_container, container_setup, container_teardown),
        cmocka_unit_test_setup_teardown(test_hanging_member, container_setup, container_teardown),
        cmocka_unit_test_setup_teardown(test_not_traced, container_setup, container_teardown),
        cmocka_unit_test_setup_teardown(test_caller_killed, container_setup, container_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
