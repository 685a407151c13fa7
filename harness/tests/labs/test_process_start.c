/* process_start, on which every later lab builds: hooks and their order, id maps before the
 * go-ahead, failures at every place, a control group, stdio. (Its clean start and its exit statuses
 * are what the grader of lab 01 asks about.) */
#include "start.h"

#include <poll.h>
#include <sys/prctl.h>
#include <time.h>

enum { DEADLINE_S = 60, EINTR_STARTS = 20, STORM_NS = 200000, STAY_NS = 20000000 };

/* --- hooks ---------------------------------------------------------------------------------- */

static int note_pid(const struct process *process, void *where)
{
    pid_t *pids = where;

    pids[0] = process->pid;
    pids[1] = getpid();
    return 0;
}

static void test_order(void **state)
{
    (void)state;
    const struct process_hook parent[] = {
        {"a", note, "a"}, {"b", note, "b"}, {"pid", note_pid, &page->pids[0]}, {0}};
    const struct process_hook child[] = {{"c", note, "c"},
                                         {"d", note, "d"},
                                         {"pid", note_pid, &page->pids[2]},
                                         {"e", note, "e"},
                                         {0}};
    struct process_spec spec = plain_spec();

    spec.parent_hooks = parent;
    spec.child_hooks = child;
    assert_int_equal(start_and_wait(&spec), 0);
    assert_string_equal(page->order, "abcde");
    assert_int_equal(page->pids[1], getpid());
    assert_int_not_equal(page->pids[0], getpid());
    assert_int_equal(page->pids[2], page->pids[0]);
    assert_int_equal(page->pids[3], page->pids[0]);
}

static int write_file(pid_t pid, const char *name, const char *text)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int result = write(fd, text, strlen(text)) < 0 ? -errno : 0;
    close(fd);
    return result;
}

static int map_ids(const struct process *process, void *arg)
{
    char uids[32], gids[32];
    int result;

    (void)arg;
    snprintf(uids, sizeof uids, "0 %u 1", geteuid());
    snprintf(gids, sizeof gids, "0 %u 1", getegid());
    if ((result = write_file(process->pid, "setgroups", "deny")) < 0 ||
        (result = write_file(process->pid, "uid_map", uids)) < 0)
        return result;
    return write_file(process->pid, "gid_map", gids);
}

static int note_ids(const struct process *process, void *arg)
{
    (void)process;
    (void)arg;
    page->uid = getuid();
    page->gid = getgid();
    return 0;
}

/* False where the kernel gives us no user namespace. */
static bool user_namespaces(void)
{
    pid_t pid = fork();
    int status;

    assert_true(pid >= 0);
    if (pid == 0)
        _exit(unshare(CLONE_NEWUSER) < 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status == 0;
}

static void test_maps_before_child(void **state)
{
    (void)state;
    const struct process_hook parent[] = {{"map_ids", map_ids, NULL}, {0}};
    const struct process_hook child[] = {{"note_ids", note_ids, NULL}, {0}};
    struct process_spec spec = plain_spec();

    if (!user_namespaces()) {
        print_message("# no user namespaces here: SKIP\n");
        skip();
    }
    page->uid = page->gid = 1;
    spec.namespaces = CLONE_NEWUSER;
    spec.child_hooks = child;
    assert_int_equal(start_and_wait(&spec), 0);
    assert_int_not_equal(page->uid, 0); /* without a map: nobody */
    spec.parent_hooks = parent;
    assert_int_equal(start_and_wait(&spec), 0);
    assert_int_equal(page->uid, 0);
    assert_int_equal(page->gid, 0);
}

/* --- failures ------------------------------------------------------------------------------- */

static int refuse(const struct process *process, void *error)
{
    (void)process;
    return -*(int *)error;
}

static void test_parent_hook_fails(void **state)
{
    (void)state;
    int error = ENOSPC;
    struct process_hook parent[] = {{"a", note, "a"}, {"b", note, "b"}, {"c", note, "c"}, {0}};
    const struct process_hook child[] = {{"x", note, "x"}, {0}};
    static const char *const ran[] = {"", "aa", "abab"}; /* start_fails starts twice */

    for (int i = 0; i < 3; i++) {
        struct process_spec spec = plain_spec();
        struct process_hook kept = parent[i];

        parent[i] = (struct process_hook){"the one", refuse, &error};
        spec.parent_hooks = parent;
        spec.child_hooks = child;
        page->order[0] = '\0';
        start_fails(&spec, PROCESS_PARENT_HOOK, "the one", -ENOSPC);
        assert_string_equal(page->order, ran[i]);
        parent[i] = kept;
    }
}

static void test_child_hook_fails(void **state)
{
    (void)state;
    int error = EXDEV;
    const struct process_hook parent[] = {{"p", note, "p"}, {0}};
    struct process_hook child[] = {{"a", note, "a"}, {"b", note, "b"}, {"c", note, "c"}, {0}};
    static const char *const ran[] = {"pp", "papa", "pabpab"};

    for (int i = 0; i < 3; i++) {
        struct process_spec spec = plain_spec();
        struct process_hook kept = child[i];

        child[i] = (struct process_hook){"a name longer than there is room for it", refuse, &error};
        spec.parent_hooks = parent;
        spec.child_hooks = child;
        page->order[0] = '\0';
        start_fails(&spec, PROCESS_CHILD_HOOK, "a name longer than there is roo", -EXDEV);
        assert_string_equal(page->order, ran[i]);
        child[i] = kept;
    }
}

static int main_refuses(void *arg)
{
    (void)arg;
    return -ELOOP;
}

static void test_clone_and_exec_fail(void **state)
{
    (void)state;
    struct process_spec spec = plain_spec();

    spec.namespaces = CLONE_NEWUSER | CLONE_FS; /* clone(2): EINVAL */
    start_fails(&spec, PROCESS_CLONE, "", -EINVAL);

    spec = plain_spec();
    spec.argv = (char *[]){(char *)(uintptr_t) "/nowhere/at/all", NULL};
    start_fails(&spec, PROCESS_EXEC, "", -ENOENT);
    spec.argv = (char *[]){(char *)(uintptr_t) "/proc/self/status", NULL};
    start_fails(&spec, PROCESS_EXEC, "", -EACCES);
    spec.main = main_refuses;
    start_fails(&spec, PROCESS_EXEC, "", -ELOOP);

    spec = plain_spec();
    spec.stdio[1] = 1000; /* not open */
    start_fails(&spec, PROCESS_CHILD_HOOK, "", -EBADF);
}

/* --- in place of exec ----------------------------------------------------------------------- */

static int main_exits(void *arg)
{
    snprintf(page->text, sizeof page->text, "%s", (const char *)arg);
    _exit(9);
}

static void test_main(void **state)
{
    (void)state;
    struct process_spec spec = plain_spec();

    spec.argv = NULL;
    spec.main = main_exits;
    spec.main_arg = "an init";
    assert_int_equal(start_and_wait(&spec), 9);
    assert_string_equal(page->text, "an init");
}

/* --- stdio ---------------------------------------------------------------------------------- */

static ino_t inode(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 ? st.st_ino : 0;
}

static int main_notes_stdio(void *arg)
{
    (void)arg;
    for (int i = 0; i < 3; i++)
        page->inodes[i] = inode(i);
    _exit(0);
}

/* Runs `body` in a process of its own, whose stdio may be played with. Its exit status. */
static int apart(int (*body)(void))
{
    int status;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0)
        _exit(body());
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* 0 when the child of `spec` had these as its stdio. */
static int stdio_is(struct process_spec *spec, const ino_t wanted[3])
{
    struct process process;
    int status;

    spec->main = main_notes_stdio;
    if (process_start(spec, &process, NULL) < 0 || process_wait(&process, &status) < 0)
        return 2;
    return status != 0 || memcmp(page->inodes, wanted, sizeof page->inodes) != 0;
}

static int swap_stdio(void)
{
    struct process_spec spec = plain_spec();
    int files[3];

    for (int i = 0; i < 3; i++) {
        files[i] = fcntl(memfd_create("file", 0), F_DUPFD, 10);
        dup2(files[i], i);
    }
    const ino_t swapped[3] = {inode(files[1]), inode(files[2]), inode(files[0])};
    memcpy(spec.stdio, (int[]){1, 2, 0}, sizeof spec.stdio);
    return stdio_is(&spec, swapped);
}

/* A caller without 0, 1 and 2: the pipes of the start must keep out of the way. */
static int closed_stdio(void)
{
    struct process_spec spec = plain_spec();
    struct process process;
    int file = fcntl(memfd_create("file", 0), F_DUPFD, 10);
    const ino_t same[3] = {inode(file), inode(file), inode(file)};

    for (int i = 0; i < 3; i++) {
        close(i);
        spec.stdio[i] = file;
    }
    if (stdio_is(&spec, same) != 0)
        return 3;
    /* What was put at 0, 1 and 2 must not have taken the place of the pipe that tells of this. */
    spec.main = NULL;
    spec.argv = (char *[]){(char *)(uintptr_t) "/nowhere/at/all", NULL};
    return process_start(&spec, &process, NULL) != -ENOENT;
}

static void test_stdio(void **state)
{
    (void)state;
    assert_int_equal(apart(swap_stdio), 0);
    assert_int_equal(apart(closed_stdio), 0);
}

/* --- a control group ------------------------------------------------------------------------ */

/* Where cgroup v2 is mounted, or "" where it is not. */
static void find_cgroup2(char *path, size_t size)
{
    FILE *file = fopen("/proc/self/mounts", "re");
    char line[4096], target[1024], type[64];

    path[0] = '\0';
    assert_non_null(file);
    while (path[0] == '\0' && fgets(line, sizeof line, file))
        if (sscanf(line, "%*s %1023s %63s", target, type) == 2 && strcmp(type, "cgroup2") == 0)
            snprintf(path, size, "%s", target);
    fclose(file);
}

static int main_notes_cgroup(void *arg)
{
    (void)arg;
    int fd = open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC);
    ssize_t got = read(fd, page->text, sizeof page->text - 1);

    _exit(got <= 0);
}

static void test_into_cgroup(void **state)
{
    (void)state;
    char mount[1024], name[64], path[1200];
    struct process_spec spec = plain_spec();

    find_cgroup2(mount, sizeof mount);
    snprintf(name, sizeof name, "strata-%d-0-test", getpid());
    snprintf(path, sizeof path, "%s/%s", mount, name);
    if (mount[0] == '\0' || mkdir(path, 0755) < 0) {
        print_message("# no writable cgroup v2 here: SKIP\n");
        skip();
    }
    spec.cgroup = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    spec.main = main_notes_cgroup;
    int status = start_and_wait(&spec);
    close(spec.cgroup);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(status, 0);
    assert_non_null(strstr(page->text, name));
}

/* --- bad moments ---------------------------------------------------------------------------- */

static int die_here(const struct process *process, void *arg)
{
    (void)arg;
    page->pids[0] = process->pid;
    return kill(getpid(), SIGKILL);
}

/* The parent dies while the child waits for its go-ahead: the child must end, and never go on. */
static void test_parent_killed(void **state)
{
    (void)state;
    const struct process_hook parent[] = {{"die", die_here, NULL}, {0}};
    const struct process_hook child[] = {{"x", note, "x"}, {0}};
    struct process_spec spec = plain_spec();
    struct process process;
    int status;

    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0); /* so that the orphan is ours to see */
    spec.parent_hooks = parent;
    spec.child_hooks = child;
    pid_t starter = fork();
    assert_true(starter >= 0);
    if (starter == 0)
        _exit(process_start(&spec, &process, NULL) != 0);
    assert_int_equal(waitpid(starter, &status, 0), starter);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    assert_int_equal(waitpid(page->pids[0], &status, 0),
                     page->pids[0]); /* alarm() is the deadline */
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 125);
    assert_string_equal(page->order, "");
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
}

static volatile sig_atomic_t hits;

static void hit(int number)
{
    (void)number;
    hits++;
}

static int main_stays(void *arg)
{
    (void)arg;
    nanosleep(&(struct timespec){.tv_nsec = STAY_NS}, NULL);
    _exit(3);
}

/* 'S' once a process waits for something; '?' when there is no such process. */
static char state_of(pid_t pid)
{
    char path[64], text[512] = "";

    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = read(fd, text, sizeof text - 1);
    close(fd);
    const char *end = got > 0 ? strrchr(text, ')') : NULL;
    return end != NULL && end[1] == ' ' ? end[2] : '?';
}

/* A parent hook: interrupts the child, which waits for its go-ahead, again and again. */
static int shake(const struct process *process, void *arg)
{
    (void)arg;
    for (int i = 0; i < 3; i++) {
        while (state_of(process->pid) != 'S') /* alarm() is the deadline */
            if (state_of(process->pid) == 'Z' || state_of(process->pid) == '?')
                return -ESRCH;
        kill(process->pid, SIGUSR1);
    }
    return 0;
}

/* Signals all the time, without SA_RESTART: every wait of a start is cut short again and again. */
static void test_eintr_storm(void **state)
{
    (void)state;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    struct itimerspec every = {{.tv_nsec = STORM_NS}, {.tv_nsec = STORM_NS}};
    struct process_spec spec = plain_spec();
    timer_t timer;

    assert_int_equal(sigaction(SIGUSR1, &(struct sigaction){.sa_handler = hit}, NULL), 0);
    assert_int_equal(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
    assert_int_equal(timer_settime(timer, 0, &every, NULL), 0);
    const struct process_hook parent[] = {{"shake", shake, NULL}, {0}};
    spec.parent_hooks = parent;
    spec.argv = (char *[]){(char *)(uintptr_t) "/bin/sh", (char *)(uintptr_t) "-c",
                           (char *)(uintptr_t) "sleep 0.02; exit 3", NULL};
    for (int i = 0; i < EINTR_STARTS; i++) {
        hits = 0;
        /* Without exec it is the news that the parent waits for long, with exec it is the end. */
        spec.main = i % 2 ? main_stays : NULL;
        assert_int_equal(start_and_wait(&spec), 3);
        assert_true(hits > 0);
    }
    assert_int_equal(timer_delete(timer), 0);
}

int main(void)
{
#define WITH_PAGE(test) cmocka_unit_test_setup_teardown(test, page_make, page_drop)
    const struct CMUnitTest tests[] = {
        WITH_PAGE(test_order),
        WITH_PAGE(test_maps_before_child),
        WITH_PAGE(test_parent_hook_fails),
        WITH_PAGE(test_child_hook_fails),
        WITH_PAGE(test_clone_and_exec_fail),
        WITH_PAGE(test_main),
        WITH_PAGE(test_stdio),
        WITH_PAGE(test_into_cgroup),
        WITH_PAGE(test_parent_killed),
        WITH_PAGE(test_eintr_storm),
    };

    alarm(DEADLINE_S);
    return cmocka_run_group_tests_name("process_start", tests, NULL, NULL);
}
