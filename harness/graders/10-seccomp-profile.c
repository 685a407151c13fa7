/* Lab 10, step 5: what the default profile refuses is refused, with the right error; the rest of
 * what a small system does, it can do. */
#include "graders/10-seccomp.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>

#include "grade/mounts.h"

/* Arguments with which the kernel answers something else than the filter does: bad addresses, fds
 * and flags are found before anybody asks for a capability. Calls whose capability is asked for
 * first say EPERM either way, and cannot be told from here (swapon, reboot, acct). */
static const struct {
    const char *name, *arguments;
} refused[] = {
    {"mount", "1 1 1 0 0"},
    {"umount2", "1 0x80000000"},
    {"pivot_root", "1 1"},
    {"open_tree", "-1 1 0"},
    {"move_mount", "-1 1 -1 1 0"},
    {"fsopen", "1 8"},
    {"fsmount", "-1 8 0"},
    {"fspick", "-1 1 0x8000"},
    {"fsconfig", "-1 99 0 0 0"},
    {"mount_setattr", "-1 1 0 1 0"},
    {"add_key", "1 1 1 0 0"},
    {"request_key", "1 1 1 0"},
    {"keyctl", "99 0 0 0 0"},
    {"bpf", "0 1 8"},
    {"perf_event_open", "1 0 0 0 0"},
    {"ptrace", "99 0 0 0"},
    {"process_vm_readv", "0 1 1 1 1 0"},
    {"process_vm_writev", "0 1 1 1 1 0"},
    {"process_madvise", "-1 1 1 0 0"},
    {"kcmp", "0 0 99 0 0"},
    {"pidfd_getfd", "-1 0 0"},
    {"iopl", "99"},
    {"quotactl", "-1 1 0 0"},
    {"quotactl_fd", "-1 -1 0 0"},
    {"open_by_handle_at", "-1 1 0"},
    {"fanotify_init", "-1 0"},
    {"io_uring_setup", "1 1"},
    {"io_uring_enter", "-1 0 0 0 0 0"},
    {"io_uring_register", "-1 0 0 0"},
    {"userfaultfd", "-1"},
    {"get_mempolicy", "1 1 64 0 0"},
    {"set_mempolicy", "99 0 0"},
    {"mbind", "1 1 99 0 0 0"},
    {"move_pages", "0 1 1 1 1 0"},
    {"migrate_pages", "-1 1 1 1"},
    {"personality", "0xffffffff"},
    {"settimeofday", "1 0"},
    {"clock_settime", "0 1"},
    {"adjtimex", "1"},
    {"clock_adjtime", "0 1"},
    {"sethostname", "1 8"},
    {"setdomainname", "1 8"},
    {"sysfs", "99 0 0"},
    {"ustat", "0 0"},
    {"syslog", "2 0 0"},
};

/* One or two of each group that is allowed. */
static const struct {
    const char *name, *arguments;
} allowed[] = {
    {"openat", "-1 1 0 0"},
    {"close_range", "2 1 0"},
    {"dup3", "-1 -1 0"},
    {"fcntl", "-1 1 0"},
    {"preadv2", "-1 0 0 0 0 0"},
    {"sendfile", "-1 -1 0 0"},
    {"copy_file_range", "-1 0 -1 0 0 0"},
    {"inotify_init1", "524288"},
    {"statx", "-1 1 0 0 0"},
    {"faccessat2", "-1 1 0 0"},
    {"renameat2", "-1 1 -1 1 0"},
    {"mknodat", "-1 1 0 0"},
    {"fchownat", "-1 1 0 0 0"},
    {"getxattr", "1 1 0 0"},
    {"mmap", "0 0 0 0 0 0"},
    {"mprotect", "1 1 0"},
    {"memfd_create", "1 0"},
    {"membarrier", "0 0 0"},
    {"pidfd_open", "-1 0"},
    {"waitid", "9 0 0 0 0"},
    {"prlimit64", "-1 0 0 0"},
    {"prctl", "3 0 0 0 0"},
    {"futex", "1 0 0 0 0 0"},
    {"rseq", "1 0 0 0"},
    {"sched_getattr", "0 1 0 0"},
    {"setresuid", "-1 -1 -1"},
    {"getgroups", "0 0"},
    {"capget", "0 0"},
    {"seccomp", "2 0 1"},
    {"rt_sigaction", "99 0 0 8"},
    {"tgkill", "0 0 0"},
    {"signalfd4", "-1 1 8 0"},
    {"clock_gettime", "0 1"},
    {"clock_nanosleep", "99 0 1 0"},
    {"timerfd_create", "99 0"},
    {"timer_create", "99 0 0"},
    {"pipe2", "1 0"},
    {"ppoll", "0 0 1 0 8"},
    {"epoll_create1", "524288"},
    {"eventfd2", "0 524288"},
    {"socket", "1 99 0"},
    {"accept4", "-1 0 0 0"},
    {"sendmsg", "-1 0 0"},
    {"shmget", "0 0 0"},
    {"semop", "-1 1 1"},
    {"mq_unlink", "1"},
    {"uname", "1"},
    {"getrandom", "1 1 0"},
};

static void check_refused(struct grade *g, struct run *without, struct run *with)
{
    unsigned told = 0;

    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        int number = filter_number(refused[i].name);
        if (number < 0)
            continue;
        struct attempt before = filter_try(without, "call %d %s", number, refused[i].arguments);
        if (before.result == -EPERM || before.result == -ENOSYS || before.signal != 0)
            continue; /* the kernel's own answer is no other */
        struct attempt after = filter_try(with, "call %d %s", number, refused[i].arguments);
        expect(g, after.error == 0 && after.signal == 0 && after.result == -EPERM,
               .because = after.result == -ENOSYS ? "told-unknown" : "profile-not-refused",
               .expected =
                   say(g, "%s, which a group of the profile refuses, is EPERM", refused[i].name),
               .kernel = say(g, "%s: %s (and without the filter: %s)", refused[i].name,
                             filter_attempt_text(g, &after), filter_attempt_text(g, &before)),
               .see = "labs/10-seccomp/given_profile.c");
        told++;
    }
    if (told < 20)
        grade_error(g, 0, "only %u refused calls can be told from the kernel's own refusals", told);
}

static void check_allowed(struct grade *g, struct run *without, struct run *with)
{
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++) {
        int number = filter_number(allowed[i].name);
        if (number < 0)
            continue;
        struct attempt before = filter_try(without, "call %d %s", number, allowed[i].arguments);
        struct attempt after = filter_try(with, "call %d %s", number, allowed[i].arguments);
        expect(g, filter_same(&before, &after), .because = "profile-refuses",
               .expected = say(g, "%s, which the profile allows, answers as without a filter: %s",
                               allowed[i].name, filter_attempt_text(g, &before)),
               .kernel = say(g, "%s: %s", allowed[i].name, filter_attempt_text(g, &after)),
               .see = "labs/10-seccomp/given_profile.c");
    }
}

/* A call of no group, and one that is newer than this libseccomp, if this kernel has any. */
static void check_unknown(struct grade *g, struct run *without, struct run *with)
{
    int numbers[] = {filter_number("fanotify_mark"), -1}, last = filter_number("fchmodat2");

    while (seccomp_syscall_resolve_num_arch(seccomp_arch_native(), last) != NULL)
        last++;
    for (int number = last; number < last + 40 && numbers[1] < 0; number++) {
        struct attempt new = filter_try(without, "call %d -1 -1 -1 -1 -1 -1", number);
        if (new.error == 0 && new.signal == 0 && new.result != -ENOSYS &&new.result != -EPERM)
            numbers[1] = number;
    }
    for (size_t i = 0; i < 2; i++) {
        if (numbers[i] < 0)
            continue;
        const char *what = i == 0 ? "fanotify_mark" : "a call newer than libseccomp's list";
        struct attempt before = filter_try(without, "call %d -1 -1 -1 -1 -1", numbers[i]);
        struct attempt after = filter_try(with, "call %d -1 -1 -1 -1 -1", numbers[i]);
        if (before.result == -ENOSYS)
            continue;
        expect(g, after.error == 0 && after.signal == 0 && after.result == -ENOSYS,
               .because = "unknown-allowed",
               .expected = say(g, "%s (number %d), in no group: ENOSYS", what, numbers[i]),
               .kernel = say(g, "number %d: %s (and without the filter: %s)", numbers[i],
                             filter_attempt_text(g, &after), filter_attempt_text(g, &before)),
               .see = "filter.h: struct filter_profile, unknown");
    }
}

/* filter_deny_namespaces, now that what no rule is about is refused. */
static void check_namespaces(struct grade *g, struct run *with)
{
    struct attempt clone = filter_try(with, "clone 0 %u", (unsigned)CLONE_NEWUSER);
    struct attempt clone3 = filter_try(with, "clone3 0 0");

    expect(g, clone.result == -EPERM && clone3.result == -ENOSYS, .because = "profile-namespaces",
           .expected = "under the default profile: clone(CLONE_NEWUSER) EPERM, clone3 ENOSYS",
           .kernel = say(g, "clone: %s; clone3: %s", filter_attempt_text(g, &clone),
                         filter_attempt_text(g, &clone3)),
           .see = "lab10 --unlimited unshare -u true");
    const char *reply = run_ask(with, "threads 3");
    expect(g, strcmp(reply, "ok") == 0, .because = "profile-threads",
           .expected = "under the default profile COMMAND can start threads",
           .kernel = say(g, "pthread_create: %s (errno)", reply), .see = "clone(2)");
}

/* --- BusyBox ---------------------------------------------------------------------------------- */

/* What small systems do all day; the output has to be the same with and without the filter. */
static const char script[] =
    "set -e; d=$(mktemp -d); cd $d; umask 022\n"
    "seq 1 2000 | sort -rn | awk '{ s += $1 } END { print s }'\n"
    "echo $1 > a; cp a b; mv b c; ln a d; ln -s a e; mkdir f; chmod 700 f; readlink e; cat d\n"
    "dd if=/dev/zero of=g bs=4096 count=8 2>/dev/null; wc -c < g; truncate -s 10 g; wc -c < g\n"
    "tar -cf h a c f; mkdir i; tar -xf h -C i; ls -1 i; gzip a; gunzip -c a.gz; rm a.gz\n"
    "find . -type l; sed 's/./x/g' c; md5sum c | cut -d' ' -f1; stat -c '%a %s' c; du -s f > n\n"
    "(sleep 30 & p=$!; kill $p; wait $p || echo $?) 2>n; trap 'echo trapped' USR1; kill -USR1 $$\n"
    "mkfifo j; (echo through > j &); cat j; date -u -d @0; id -u; ps > n; df > n; uname -s\n"
    "touch -d @86400 c; stat -c %Y c; sh -c 'exit 3' || echo $?; echo x | xargs echo y; sync\n"
    "timeout 5 sleep 0.01; env -i A=1 env; printf '%s' abc | od -c; free > n\n"
    "cd /; rm -r $d; echo done\n";

static int run_script(struct run *room, const char *text, const char *word, bool filtered,
                      const char **said)
{
    const char *const arguments[] = {"--rootfs",
                                     "/tmp/rootfs",
                                     filtered ? "--" : "--without=seccomp",
                                     filtered ? "/bin/sh" : "--",
                                     filtered ? "-c" : "/bin/sh",
                                     filtered ? text : "-c",
                                     filtered ? "sh" : text,
                                     filtered ? word : "sh",
                                     filtered ? NULL : word,
                                     NULL};

    return outside_run(room, &(struct run_options){.arguments = arguments}, said);
}

/* The first line of `after` that is not that of `before`. */
static const char *first_difference(struct grade *g, const char *before, const char *after)
{
    size_t was, is;

    for (;;) {
        was = strcspn(before, "\n");
        is = strcspn(after, "\n");
        if (was != is || strncmp(before, after, was + 1) != 0 || before[was] == '\0')
            break;
        before += was + 1;
        after += is + 1;
    }
    return say(g, "it prints \"%.*s\" where it was \"%.*s\"", (int)(is < 60 ? is : 60), after,
               (int)(was < 40 ? was : 40), before);
}

static void check_script(struct grade *g, struct run *room, const char *text, const char *what)
{
    const char *word = grade_word(g, 9), *before, *after;
    int free_status = run_script(room, text, word, false, &before);

    if (free_status != 0 || strstr(before, "done") == NULL)
        grade_error(g, 0, "BusyBox fails without a filter: %s", before);
    int status = run_script(room, text, word, true, &after);
    expect(g, status == 0 && strcmp(before, after) == 0, .because = "busybox",
           .expected = say(g, "%s, under the default profile as without a filter", what),
           .kernel = say(g, "status %d; %s", status, first_difference(g, before, after)),
           .see = "lab10 --rootfs /tmp/rootfs sh, and strace outside: which call gives ENOSYS?");
}

static void check_busybox(struct grade *g, struct run *room)
{
    int port = grade_between(g, 20000, 60000);

    check_script(g, room, script, "a shell script with pipes, files, signals and archives works");
    outside_do(room, "loopback");
    check_script(g, room,
                 say(g,
                     "set -e; mkdir -p /tmp/w; echo $1 > /tmp/w/page\n"
                     "httpd -f -p 127.0.0.1:%d -h /tmp/w & p=$!\n"
                     "n=0; until wget -q -O /tmp/got http://127.0.0.1:%d/page 2>/tmp/why; do\n"
                     "  n=$((n+1)); [ $n -lt 100 ] || { cat /tmp/why; break; }; sleep 0.02; done\n"
                     "kill $p; cat /tmp/got; rm -r /tmp/w /tmp/got /tmp/why; echo done",
                     port, port),
                 "httpd serves a page to wget");
}

/* COMMAND that is not there: the news of it still reaches the parent, through the filter. */
static void check_not_found(struct grade *g, struct run *room)
{
    const char *const arguments[] = {"--rootfs", "/tmp/rootfs", "--", "/bin/not-there", NULL};
    const char *said;
    int status = outside_run(room, &(struct run_options){.arguments = arguments}, &said);

    expect(g, status == 127 && strstr(said, strerror(ENOENT)) != NULL, .because = "no-news",
           .expected = "a COMMAND that is not there: 127, and why",
           .kernel = say(g, "exit status %d, and nobody said why", status),
           .see = "lab10 --rootfs /tmp/rootfs not-there; echo $?");
}

/* A profile may name calls that nobody here knows. */
static void check_passed_over(struct grade *g, struct run *room)
{
    const char *const arguments[] = {
        "--seccomp-open", "--seccomp-deny", say(g, "no_%s", grade_word(g, 6)),
        "--seccomp-deny", "getpgid=EDOM",   NULL};
    struct run *run = filter_start(g, room, arguments);
    struct attempt attempt = filter_try(run, "call %d 0", filter_number("getpgid"));

    expect(g, attempt.result == -EDOM, .because = "stops-at-unknown",
           .expected = "after a name that nobody knows, the profile goes on: getpgid is EDOM",
           .kernel = say(g, "getpgid: %s", filter_attempt_text(g, &attempt)),
           .see = "lab10 --seccomp-deny no_such_call true; echo $?");
}

void filter_stepprofile(struct grade *g)
{
    /* getuid32, which only 32-bit programs have, tells whether they fall under the filter at all:
     * whose they are is the matter of step 3. */
    static const char *const all_powers[] = {"--unlimited", "--seccomp-deny", "getuid32=EDOM",
                                             NULL};
    struct run *room = outside_open(g, true);
    struct run *without = filter_start_without(g, room, all_powers);
    struct run *with = filter_start(g, room, all_powers);

    filter_check_loaded(room, with);
    check_allowed(g, without, with);
    check_refused(g, without, with);
    check_unknown(g, without, with);
    check_namespaces(g, with);
    filter_check_names(room, without, with);
    check_passed_over(g, room);
    check_not_found(g, room);
    check_busybox(g, room);
}
