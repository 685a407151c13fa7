/* The sandbox as its callers meet it: sandbox.h, and the groups of limits.h. Needs build/sandbox.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "kernel/cgroup.h"
#include "kernel/inside.h"
#include "kernel/namespace.h"
#include "kernel/stat.h"
#include "kernel/tree.h"
#include "sandbox/command.h"
#include "sandbox/limits.h"
#include "sandbox/message.h"
#include "sandbox/sandbox.h"

enum { PATIENCE_MS = 5000 };

static const char *const environment[] = {"PATH=/usr/bin:/bin", NULL};

static void open_both(struct sandbox *sandbox, struct room *room)
{
    int result = sandbox_open(&(struct sandbox_options){0}, sandbox);

    if (result < 0)
        fail_msg("no sandbox: %s", sandbox->why);
    result = room_open(sandbox, &(struct room_options){0}, room);
    if (result < 0)
        fail_msg("no room: %s", room->why);
}

/* Runs a shell command in the room as one of its users; what it prints goes to `text`. Returns its
 * status. */
static int run_shell_as(struct room *room, unsigned user, const char *script, char *text,
                        size_t size)
{
    const char *const argv[] = {"sh", "-c", script, NULL};
    struct room_process process;
    size_t length = 0;
    ssize_t got;
    int ends[2];

    assert_return_code(pipe2(ends, O_CLOEXEC), errno);
    struct room_fd out = {ends[1], 1};
    struct room_command command = {
        .argv = argv, .envp = environment, .fds = &out, .fd_count = 1, .user = user};
    int result = room_spawn(room, &command, &process);
    close(ends[1]);
    if (result < 0)
        fail_msg("%s", room->why);
    while ((got = read(ends[0], text + length, size - 1 - length)) > 0)
        length += (size_t)got;
    text[length] = '\0';
    close(ends[0]);
    assert_int_equal(room_wait(room, &process, PATIENCE_MS), 0);
    close(process.pidfd);
    return process.code == CLD_EXITED ? process.status : 128 + process.status;
}

static int run_shell(struct room *room, const char *script, char *text, size_t size)
{
    return run_shell_as(room, 0, script, text, size);
}

static bool waits_for(bool (*holds)(void *arg), void *arg)
{
    for (int spent = 0; spent < PATIENCE_MS; spent += 5) {
        if (holds(arg))
            return true;
        poll(NULL, 0, 5);
    }
    return false;
}

static size_t count_fds(void)
{
    DIR *folder = opendir("/proc/self/fd");
    size_t count = 0;

    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

static size_t count_children(void)
{
    struct kernel_pids pids = {0};

    assert_int_equal(kernel_children(getpid(), &pids), 0);
    size_t count = pids.count;
    kernel_pids_free(&pids);
    return count;
}

/* --- the ordinary course -------------------------------------------------------------------- */

static void test_open_and_close_leave_nothing(void **state)
{
    (void)state;
    size_t fds = count_fds();

    for (int i = 0; i < 3; i++) {
        struct sandbox sandbox;
        struct room room;
        open_both(&sandbox, &room);
        room_close(&room);
        room_close(&room);
        sandbox_close(&sandbox);
        sandbox_close(&sandbox);
        assert_false(limits_squeezed(sandbox.run));
    }
    assert_int_equal(count_fds(), fds);
    assert_int_equal(count_children(), 0);
}

static void test_a_command_has_three_fds(void **state)
{
    struct sandbox sandbox;
    struct room room;
    char text[256];

    (void)state;
    open_both(&sandbox, &room);
    /* ls has the folder itself open as the next one. */
    assert_int_equal(run_shell(&room, "ls /proc/self/fd | tr '\\n' ' '", text, sizeof text), 0);
    assert_string_equal(text, "0 1 2 3 ");
    assert_int_equal(run_shell(&room, "readlink /proc/self/fd/0", text, sizeof text), 0);
    assert_string_equal(text, "/dev/null\n");
    room_close(&room);
    sandbox_close(&sandbox);
}

static void test_commands_say_how_they_end(void **state)
{
    struct sandbox sandbox;
    struct room room;
    char text[16];

    (void)state;
    open_both(&sandbox, &room);
    assert_int_equal(run_shell(&room, "exit 7", text, sizeof text), 7);
    assert_int_equal(run_shell(&room, "kill -9 $$", text, sizeof text), 137);
    /* More than may be watched at once, one after another. */
    for (int i = 0; i < ROOM_WATCHED_MAX + 4; i++)
        assert_int_equal(run_shell(&room, "exit 3", text, sizeof text), 3);
    room_close(&room);
    sandbox_close(&sandbox);
}

/* Every id, every group and every capability of root is left behind. */
static void test_an_ordinary_user_of_the_room(void **state)
{
    struct sandbox sandbox;
    struct room room;
    char text[512];

    (void)state;
    open_both(&sandbox, &room);
    if (sandbox.ids == 1) {
        print_message("# an ordinary user of a room needs more than one id\n");
        room_close(&room);
        sandbox_close(&sandbox);
        skip();
    }
    assert_int_equal(run_shell_as(&room, 4321,
                                  "grep -E '^(Uid|Gid|Groups|Cap(Prm|Eff|Amb)):' /proc/self/status "
                                  "| tr -d ' \\n' | tr '\\t' ' '",
                                  text, sizeof text),
                     0);
    assert_string_equal(text, "Uid: 4321 4321 4321 4321Gid: 4321 4321 4321 4321Groups: "
                              "CapPrm: 0000000000000000CapEff: 0000000000000000"
                              "CapAmb: 0000000000000000");
    assert_int_equal(run_shell_as(&room, 4321, "mount -t tmpfs none /mnt 2>&1", text, sizeof text),
                     32);
    assert_int_equal(run_shell_as(&room, 4321, "unshare -Ur cat /proc/self/uid_map | tr -s ' '",
                                  text, sizeof text),
                     0);
    assert_string_equal(text, " 0 4321 1\n");
    room_close(&room);
    sandbox_close(&sandbox);
}

/* How many folders of this run there are in all hierarchies, rooms' included. */
static size_t count_groups(const char *run, unsigned room)
{
    static struct home homes[HOMES_MAX];
    size_t count = homes_find(homes), found = 0;
    char path[PATH_MAX + 64];

    for (size_t i = 0; i < count; i++) {
        snprintf(path, sizeof path, "%s/%s/room-%u", homes[i].folder, run, room);
        found += access(path, F_OK) == 0;
    }
    return found;
}

/* A room's root makes groups below its own and may not lift the limits above; they go with it. */
static void test_groups_of_a_room(void **state)
{
    struct sandbox sandbox;
    struct room room;
    char text[1024];

    (void)state;
    assert_int_equal(sandbox_open(&(struct sandbox_options){.cgroups = true}, &sandbox), 0);
    if (room_open(&sandbox, &(struct room_options){0}, &room) < 0) {
        print_message("# no control groups may be made here: %s\n", room.why);
        assert_int_equal(room.blame, BLAME_MACHINE);
        sandbox_close(&sandbox);
        skip();
    }
    unsigned number = room.number;
    assert_true(count_groups(sandbox.run, number) > 0);
    assert_int_equal(run_shell(&room, "cut -d: -f3- /proc/self/cgroup | sort -u | grep -v init",
                               text, sizeof text),
                     0);
    assert_string_equal(text, "/\n");
    const char *make = "for d in /sys/fs/cgroup /sys/fs/cgroup/*; do [ ! -e $d/cgroup.procs ] || "
                       "mkdir $d/mine || exit 1; done; echo made";
    assert_int_equal(run_shell(&room, make, text, sizeof text), 0);
    assert_string_equal(text, "made\n");
    const char *lift = "for f in $(find /sys/fs/cgroup -path '*/mine' -prune -o -path '*/init' "
                       "-prune -o \\( -name memory.max -o -name memory.limit_in_bytes -o -name "
                       "pids.max \\) -print); do (echo 1000000 >$f) 2>/dev/null && echo $f; done; "
                       "true";
    assert_int_equal(run_shell(&room, lift, text, sizeof text), 0);
    assert_string_equal(text, "");
    room_close(&room);
    assert_int_equal(count_groups(sandbox.run, number), 0);
    sandbox_close(&sandbox);
}

static void test_a_command_that_is_not_there(void **state)
{
    static const char *const argv[] = {"there-is-no-such-thing", NULL};
    struct room_command command = {.argv = argv, .envp = environment};
    struct room_process process;
    struct sandbox sandbox;
    struct room room;

    (void)state;
    open_both(&sandbox, &room);
    assert_int_equal(room_spawn(&room, &command, &process), -ENOENT);
    assert_non_null(strstr(room.why, "there-is-no-such-thing: No such file"));
    room_close(&room);
    sandbox_close(&sandbox);
}

/* Thousands of orphans must not fill the socket that tells of the end of commands. */
static void test_orphans_are_no_news(void **state)
{
    struct sandbox sandbox;
    struct room room;
    char text[16];
    int news = 0;

    (void)state;
    open_both(&sandbox, &room);
    const char *script = "i=0; while [ $i -lt 300 ]; do (true & ); i=$((i+1)); done; echo done";
    assert_int_equal(run_shell(&room, script, text, sizeof text), 0);
    assert_string_equal(text, "done\n");
    struct pollfd fd = {room.socket, POLLIN, 0};
    while (poll(&fd, 1, 200) > 0 && room_event(&room) == 1)
        news++;
    assert_int_equal(news, 0);
    room_close(&room);
    sandbox_close(&sandbox);
}

static void test_two_sandboxes_at_once(void **state)
{
    struct sandbox one, two;
    struct room a, b;
    char text[64];

    (void)state;
    open_both(&one, &a);
    open_both(&two, &b);
    assert_string_not_equal(one.run, two.run);
    assert_int_equal(run_shell(&a, "echo here >/tmp/only; hostname one", text, sizeof text), 0);
    assert_int_equal(run_shell(&b, "test ! -e /tmp/only && hostname", text, sizeof text), 0);
    assert_string_equal(text, "sandbox\n");
    room_close(&a);
    sandbox_close(&one);
    assert_int_equal(run_shell(&b, "echo alive", text, sizeof text), 0);
    assert_string_equal(text, "alive\n");
    room_close(&b);
    sandbox_close(&two);
}

static void test_one_id_is_one_id(void **state)
{
    struct sandbox sandbox;
    struct room room;
    char text[128];

    (void)state;
    assert_int_equal(sandbox_open(&(struct sandbox_options){.single_id = true}, &sandbox), 0);
    assert_int_equal(sandbox.ids, 1);
    assert_int_equal(room_open(&sandbox, &(struct room_options){0}, &room), 0);
    assert_int_equal(run_shell(&room,
                               "wc -l </proc/self/uid_map; id -u; awk '{print $3}' "
                               "/proc/self/gid_map; cat /proc/self/setgroups",
                               text, sizeof text),
                     0);
    assert_string_equal(text, "1\n0\n1\ndeny\n");
    room_close(&room);
    sandbox_close(&sandbox);
}

/* A harness that has many files open gives fds to its keeper that lie where others must go. */
static void test_a_harness_with_many_fds(void **state)
{
    struct sandbox sandbox;
    struct room room;
    int held[300];
    char text[16];

    (void)state;
    for (size_t i = 0; i < sizeof held / sizeof *held; i++)
        held[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    for (int hole = 80; hole < 110; hole++) { /* every number once the keeper's first */
        close(held[hole]);
        close(held[hole + 1]);
        open_both(&sandbox, &room);
        assert_int_equal(run_shell(&room, "echo well", text, sizeof text), 0);
        room_close(&room);
        sandbox_close(&sandbox);
        held[hole] = open("/dev/null", O_RDONLY | O_CLOEXEC);
        held[hole + 1] = open("/dev/null", O_RDONLY | O_CLOEXEC);
        hole += 5;
    }
    for (size_t i = 0; i < sizeof held / sizeof *held; i++)
        close(held[i]);
}

/* --- when somebody dies --------------------------------------------------------------------- */

static bool has_ended(void *arg)
{
    return sandbox_ended(arg);
}

static bool pidfd_ended(void *arg)
{
    struct pollfd end = {*(int *)arg, POLLIN, 0};

    return poll(&end, 1, 0) > 0;
}

static void test_a_killed_keeper_ends_the_sandbox(void **state)
{
    struct sandbox sandbox;
    struct room room;
    char text[16];

    (void)state;
    open_both(&sandbox, &room);
    assert_int_equal(run_shell(&room, "sleep 100 >/dev/null &", text, sizeof text), 0);
    assert_int_equal(kill(sandbox.keeper_pid, SIGKILL), 0);
    assert_true(waits_for(has_ended, &sandbox));
    assert_true(waits_for(pidfd_ended, &room.pidfd));
    assert_non_null(strstr(sandbox.why, "killed from outside"));
    room_close(&room);
    sandbox_close(&sandbox);
    assert_int_equal(count_children(), 0);
}

static void test_a_stopped_keeper_keeps_nobody_waiting(void **state)
{
    struct sandbox sandbox;
    struct room room;

    (void)state;
    open_both(&sandbox, &room);
    assert_int_equal(kill(sandbox.keeper_pid, SIGSTOP), 0);
    room_close(&room);
    sandbox_close(&sandbox);
    assert_int_equal(count_children(), 0);
}

static void test_an_ended_sandbox_stays_ended(void **state)
{
    struct sandbox sandbox;
    struct room room;

    (void)state;
    open_both(&sandbox, &room);
    room_close(&room);
    syscall(SYS_pidfd_send_signal, sandbox.pidfd, SIGKILL, NULL, 0);
    assert_true(waits_for(has_ended, &sandbox));
    assert_int_equal(room_open(&sandbox, &(struct room_options){0}, &room), -EPIPE);
    assert_true(room.why[0] != '\0');
    snprintf(sandbox.why, sizeof sandbox.why, "a reason told once");
    assert_true(sandbox_ended(&sandbox));
    assert_string_equal(sandbox.why, "a reason told once");
    sandbox_close(&sandbox);
}

/* --- groups --------------------------------------------------------------------------------- */

static void test_the_sweep_takes_only_what_is_ours_and_dead(void **state)
{
    struct kernel_stat stat;
    char dead[256], name[64], path[6][256];
    struct sandbox_options options = {0};
    struct kernel_ns_id ns;
    struct limits limits;

    (void)state;
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    waitpid(child, NULL, 0); /* its number names nobody now */
    limits_mark(name, sizeof name);
    limits_make(&limits, name, &options);
    if (limits.count == 0) {
        print_message("no control group may be made here\n");
        limits_remove(&limits);
        skip();
    }
    /* The folder that holds it is where all of ours go. */
    int home = (int)(strrchr(limits.groups[0], '/') - limits.groups[0]);
    const char *in = limits.groups[0];
    assert_int_equal(kernel_stat_read(getpid(), &stat), 0);
    assert_int_equal(kernel_ns(getpid(), "pid", &ns), 0);
    unsigned long long here = ns.ino;
    snprintf(dead, sizeof dead, "%.*s/strata-%d-1f-0-%llx", home, in, child, here);
    snprintf(path[0], 256, "%.*s/strata-%d-%llx-9-%llx", home, in, getpid(),
             (unsigned long long)stat.starttime, here);
    snprintf(path[1], 256, "%.*s/strata-%d-1f-0-%llxx", home, in, child, here);
    snprintf(path[2], 256, "%.*s/strata-%d-zz-0-%llx", home, in, child, here);
    /* Of another PID namespace: there that number may well be somebody. */
    snprintf(path[5], 256, "%.*s/strata-%d-1f-0-%llx", home, in, child, here + 1);
    snprintf(path[3], 256, "%.*s/strata-of-somebody-else", home, in);
    snprintf(path[4], 256, "%.*s/other-%d", home, in, getpid());
    assert_int_equal(mkdir(dead, 0755), 0);
    for (int i = 0; i < 6; i++)
        assert_int_equal(mkdir(path[i], 0755), 0);
    limits_sweep();
    bool swept = access(dead, F_OK) < 0, kept[6], ours = access(limits.groups[0], F_OK) == 0;
    for (int i = 0; i < 6; i++)
        kept[i] = rmdir(path[i]) == 0;
    rmdir(dead);
    limits_remove(&limits);
    assert_true(swept);
    assert_true(ours);
    for (int i = 0; i < 6; i++)
        assert_true(kept[i]);
}

/* --- messages ------------------------------------------------------------------------------- */

static void test_a_cut_message_is_refused(void **state)
{
    struct message *message = calloc(1, sizeof *message);
    int ends[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    message_blame(ends[0], BLAME_PROGRAM, -ENOMEM, "%d reasons", 3);
    assert_int_equal(message_receive(ends[1], message, 0), 1);
    assert_int_equal(message->a, BLAME_PROGRAM);
    assert_string_equal(message->text, "3 reasons");
    assert_int_equal(message->length, strlen("3 reasons") + 1);

    assert_int_equal(send(ends[0], message, 10, 0), 10);
    assert_int_equal(message_receive(ends[1], message, 0), -EBADMSG);
    message->length = 5;
    assert_true(send(ends[0], message, offsetof(struct message, fds), 0) > 0);
    assert_int_equal(message_receive(ends[1], message, 0), -EBADMSG);
    close(ends[0]);
    assert_int_equal(message_receive(ends[1], message, 0), 0);
    close(ends[1]);
    free(message);
}

static void test_a_hostile_command_is_refused(void **state)
{
    static const char *const argv[] = {"name", "argument", NULL};
    struct room_command command = {.argv = argv, .envp = environment, .cwd = "/"};
    struct message *message = calloc(1, sizeof *message);
    struct unpacked_command *unpacked = calloc(1, sizeof *unpacked);

    (void)state;
    assert_int_equal(command_pack(&command, message), 0);
    assert_int_equal(command_unpack(message, unpacked), 0);
    assert_string_equal(unpacked->argv[1], "argument");
    assert_string_equal(unpacked->cwd, "/");
    uint32_t whole = message->length;
    for (message->length = 0; message->length < whole; message->length++)
        assert_int_equal(command_unpack(message, unpacked), -EBADMSG);
    struct packed_command *packed = (struct packed_command *)message->text;
    packed->argc = COMMAND_ARGS_MAX + 1;
    assert_int_equal(command_unpack(message, unpacked), -EBADMSG);
    packed->argc = 0;
    assert_int_equal(command_unpack(message, unpacked), -EBADMSG);
    free(message);
    free(unpacked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_open_and_close_leave_nothing),
        cmocka_unit_test(test_a_command_has_three_fds),
        cmocka_unit_test(test_commands_say_how_they_end),
        cmocka_unit_test(test_an_ordinary_user_of_the_room),
        cmocka_unit_test(test_groups_of_a_room),
        cmocka_unit_test(test_a_command_that_is_not_there),
        cmocka_unit_test(test_orphans_are_no_news),
        cmocka_unit_test(test_two_sandboxes_at_once),
        cmocka_unit_test(test_one_id_is_one_id),
        cmocka_unit_test(test_a_harness_with_many_fds),
        cmocka_unit_test(test_a_killed_keeper_ends_the_sandbox),
        cmocka_unit_test(test_a_stopped_keeper_keeps_nobody_waiting),
        cmocka_unit_test(test_an_ended_sandbox_stays_ended),
        cmocka_unit_test(test_the_sweep_takes_only_what_is_ours_and_dead),
        cmocka_unit_test(test_a_cut_message_is_refused),
        cmocka_unit_test(test_a_hostile_command_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
