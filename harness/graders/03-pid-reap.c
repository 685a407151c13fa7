/* Lab 03, step 3: no zombie stays, and init is what the contract says. */
#include "graders/03-pid.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "grade/facts.h"

/* `count` orphans end at the same moment. With `at_once` init is stopped meanwhile, so that all of
 * them leave it one SIGCHLD: signals of a kind that is pending already are not counted. */
static void check_orphans(struct run *run, const struct init *init, size_t count, bool at_once)
{
    struct grade *g = run_grade(run);
    struct settling settling = {.run = run,
                                .holds = pid_children_are,
                                .init = init->pid,
                                .command = run_payload(run)->pid,
                                .children = count + 1};
    size_t zombies;

    run_ask(run, "orphans %zu %d", count, grade_between(g, 1, 99));
    if (!pid_settle(&settling) && !run_ended(run))
        grade_error(g, 0, "init has %zu children in place of %zu",
                    pid_count_children(init->pid, &zombies), count + 1);
    if (at_once) {
        pid_send_signal(run, init->pid, SIGSTOP);
        pid_await_state(run, init->pid, 'T');
    }
    if (!run_ended(run))
        run_ask(run, "release");
    settling.children = 1;
    if (!run_until(run, pid_alive_are, &settling)) /* a busy machine takes its time */
        grade_error(g, 0, "%zu orphans do not end", count);
    if (at_once)
        pid_send_signal(run, init->pid, SIGCONT);
    bool reaped = pid_settle(&settling);
    pid_await_idle(run, init->pid);
    expect(g, !pid_is_leaving(init->pid), .because = "init-left",
           .expected = say(g, "%zu orphans end, and init and COMMAND go on", count),
           .kernel = "init has ended with them, and so the kernel has killed COMMAND",
           .see = "lab03 --init sh -c '(sleep 1 &); sleep 3; echo done'");
    pid_count_children(init->pid, &zombies);
    expect(g, reaped, .because = zombies < count ? "some-zombies" : "zombies",
           .expected = say(g, "init reaps %zu orphan%s that ended%s", count, count > 1 ? "s" : "",
                           count > 1 ? " at once" : ""),
           .kernel = say(g, "%s of %zu are zombies, and init (process %d) sleeps in %s",
                         zombies < count ? say(g, "%zu", zombies) : "all", count, init->pid,
                         pid_call_of(run, init->pid)),
           .see = "lab03 --init sh -c '/tmp/rootfs/usr/local/bin/orphans 30; exec sleep 4'");
}

static bool is_inherited(const struct kernel_fd *fd, const struct kernel_fds *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->list[i].fd > 2 && list->list[i].dev == fd->dev && list->list[i].ino == fd->ino &&
            (S_ISFIFO(fd->mode) || S_ISREG(fd->mode) || S_ISSOCK(fd->mode)))
            return true;
    return false;
}

struct fd_check {
    struct run *run;
    const struct init *init;
    struct stat given;
    const struct kernel_fd *left; /* one that should be closed */
};

/* Nothing that the program above has, or had, is open in init any more. What init has opened for
 * itself (a signalfd, say) is its own affair. */
static bool is_clean(void *arg)
{
    struct fd_check *check = arg;
    struct grade *g = run_grade(check->run);
    const struct kernel_fds *own = facts_fds(g, check->init->pid, check->init->pidfd);
    const struct kernel_fds *above =
        facts_fds(g, run_program_pid(check->run), run_program_pidfd(check->run));

    check->left = NULL;
    for (size_t i = 0; i < own->count; i++) {
        const struct kernel_fd *fd = &own->list[i];
        if (fd->fd > 2 && (is_inherited(fd, above) ||
                           (fd->dev == check->given.st_dev && fd->ino == check->given.st_ino)))
            check->left = fd;
    }
    return check->left == NULL;
}

/* init starts with descriptors that are not for it: two of ours, and the pipes of process_start. */
static void check_fds(struct grade *g)
{
    const char *const arguments[] = {"--init", NULL};
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        grade_error(g, -errno, "no pipe");
    facts_close_later(g, ends[0]);
    facts_close_later(g, ends[1]);
    const struct room_fd fds[] = {{ends[0], 3}, {ends[1], grade_between(g, 1100, 2900)}};
    struct run *run =
        run_start(g, &(struct run_options){.arguments = arguments, .fds = fds, .fd_count = 2});
    struct init init = pid_find_init(run, run_payload(run)->pid);
    struct fd_check check = {.run = run, .init = &init};
    if (fstat(ends[0], &check.given) < 0)
        grade_error(g, -errno, "no pipe");
    /* COMMAND runs, so init has been told; once it sleeps again it has done what it does then. */
    bool clean = false;
    for (int look = 0; look < 5 && !clean; look++)
        clean = pid_await_idle(run, init.pid) && is_clean(&check);
    if (!clean)
        fail(g, .because = "init-fds",
             .expected = "init closes every descriptor from 3 up once COMMAND runs",
             .kernel = say(g, "/proc/%d/fd/%d -> %s", init.pid, check.left->fd, check.left->target),
             .see = "ls -l /proc/PID/fd of your init");
    const struct kernel_fds *own = facts_fds(g, init.pid, init.pidfd);
    for (int fd = 0; fd < 3; fd++)
        expect(g, kernel_fds_find(own, fd) != NULL, .because = "init-stdio",
               .expected = "descriptors 0, 1 and 2 stay open in init",
               .kernel = say(g, "/proc/%d/fd has no %d", init.pid, fd),
               .see = "ls -l /proc/PID/fd of your init");
}

/* COMMAND that is not there: the pipe to the parent must still be open then. */
static void check_not_started(struct grade *g)
{
    const char *const arguments[] = {"--init", NULL};
    const char *const command[] = {say(g, "no-%s", grade_word(g, 7)), NULL};
    struct run *run =
        run_start(g, &(struct run_options){.arguments = arguments, .command = command});

    run_exit_status(run);
    expect(g, run_said(run, say(g, "lab03: %s: No such file or directory", command[0])),
           .because = "start-error",
           .expected = say(g, "your program tells why it cannot start: \"lab03: %s: No such …\"",
                           command[0]),
           .kernel = "pid_init returned the error, but nobody above init heard of it",
           .see = "lab03 --init no-such-command");
}

void pid_step_reap(struct grade *g)
{
    struct init init;
    struct run *run = pid_start_init(g, &init);
    pid_t command = run_payload(run)->pid;

    expect(g, pid_number_at(run, command, 1) == 2, .because = "not-2",
           .expected = "with --init, COMMAND is PID 2",
           .kernel = say(g, "NSpid of /proc/%d/status: %s", command, pid_numbers_of(run, command)),
           .see = "lab03 --init sh -c 'echo $$'");
    const uint64_t of_libc = pid_bit(32) | pid_bit(33); /* which it lets nobody reset */
    expect(
        g, ((pid_status_of(g, command).sigblk | pid_status_of(g, command).sigign) & ~of_libc) == 0,
        .because = "command-deaf", .expected = "COMMAND starts with no signal blocked or ignored",
        .kernel = say(g, "/proc/%d/status: SigBlk %016llx, SigIgn %016llx", command,
                      (unsigned long long)pid_status_of(g, command).sigblk,
                      (unsigned long long)pid_status_of(g, command).sigign),
        .see = "lab03 --init grep Sig /proc/self/status");
    bool idle = pid_await_idle(run, init.pid);
    expect(g, idle, .because = "init-busy", .expected = "with nothing to do, init sleeps",
           .kernel =
               say(g, "/proc/%d/stat: state %c, at every look", init.pid, pid_state_of(init.pid)),
           .see = "top, while lab03 --init sleep 9 runs");
    run_ask(run, "tally"); /* whatever init may pass on: COMMAND stays */
    check_orphans(run, &init, 1, false);
    check_orphans(run, &init, (size_t)grade_between(g, 20, 40), true);
    for (int i = 0; i < 4; i++)
        check_orphans(run, &init, (size_t)grade_between(g, 2, 20), false);
    check_fds(g);
    check_not_started(g);
}
