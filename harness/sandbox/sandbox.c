/* The harness's side: opening a sandbox and ending it. room.c has the rooms. */
#include "sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/own.h"
#include "sandbox/keeper.h"
#include "sandbox/limits.h"
#include "sandbox/message.h"
#include "sandbox/peer.h"

/* How long anything of our own may take to answer, on a machine that does much else. */
enum { NEWS_MS = 5000, KEEPER_MS = 2000 };

/* Beside our own program; the tests' programs lie a folder deeper. */
static int open_program(void)
{
    static const char *const names[] = {"/sandbox", "/../sandbox", "/../../sandbox"};
    char path[PATH_MAX + 32];
    ssize_t length = readlink("/proc/self/exe", path, PATH_MAX);

    if (length <= 0)
        return -errno;
    path[length] = '\0';
    char *name = strrchr(path, '/');
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        strcpy(name, names[i]);
        struct stat st;
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
            return fd;
        if (fd >= 0)
            close(fd); /* a folder of that name */
    }
    return -ENOENT;
}

static int send_files(int control, const struct sandbox_options *options)
{
    static struct message message;

    for (size_t i = 0; i <= options->file_count; i++) {
        const struct sandbox_file *file = &options->files[i];
        bool last = i == options->file_count;
        message.kind = MESSAGE_FILES;
        message.fd_count = last ? 0 : 1;
        message.length = 0;
        if (!last) {
            message.fds[0] = file->fd;
            message.a = file->executable;
            message.length =
                (uint32_t)snprintf(message.text, sizeof message.text, "%s", file->name) + 1;
        }
        int result = message_send(control, &message);
        if (result < 0)
            return result;
    }
    return 0;
}

static int start_keeper(const struct sandbox_options *options, struct sandbox *sandbox,
                        int lifeline[2], int program)
{
    int control[2], keeper[2];

    if (peer_socket(control) < 0)
        return -errno;
    sandbox->control = control[0];
    autoclose int control_far = control[1];
    if (peer_socket(keeper) < 0)
        return -errno;
    sandbox->keeper = keeper[0];
    autoclose int keeper_far = keeper[1];

    struct keeper_job job = {.options = options,
                             .run = sandbox->run,
                             .harness = keeper_far,
                             .control = control_far,
                             .lifeline = {lifeline[0], lifeline[1]},
                             .program = program};
    ids_choose(options->single_id, &job.ids);
    sandbox->ids = job.ids.count;
    sandbox->uid = (uid_t)job.ids.uid;
    sandbox->gid = (gid_t)job.ids.gid;
    sandbox->cgroups = options->cgroups;
    sandbox->keeper_pid = fork();
    if (sandbox->keeper_pid == 0)
        keeper_run(&job);
    return sandbox->keeper_pid < 0 ? -errno : 0;
}

int sandbox_open(const struct sandbox_options *options, struct sandbox *sandbox)
{
    int lifeline[2];

    *sandbox = (struct sandbox){.pidfd = -1, .control = -1, .keeper = -1, .lifeline = -1};
    limits_sweep();
    limits_mark(sandbox->run, sizeof sandbox->run);
    autoclose int program = open_program();
    if (program < 0) {
        snprintf(sandbox->why, sizeof sandbox->why,
                 "the sandbox's program is missing beside this one; run make again");
        return program;
    }
    if (pipe2(lifeline, O_CLOEXEC) < 0)
        return -errno;
    int result = start_keeper(options, sandbox, lifeline, program);
    close(lifeline[0]);
    sandbox->lifeline = lifeline[1];
    if (result < 0)
        snprintf(sandbox->why, sizeof sandbox->why, "cannot start its keeper: %s",
                 strerror(-result));
    else
        result = peer_ready(sandbox->keeper, &sandbox->pidfd, sandbox->why, sizeof sandbox->why,
                            &sandbox->blame);
    if (result == 0) {
        sandbox->pid = peer_pid(sandbox->pidfd);
        result = send_files(sandbox->control, options);
        /* If it died of something it had a word to say of, that word is waiting for us. */
        int ready =
            peer_ready(sandbox->control, NULL, sandbox->why, sizeof sandbox->why, &sandbox->blame);
        if (ready < 0)
            result = ready;
    }
    if (result < 0)
        sandbox_close(sandbox);
    return result;
}

/* A keeper that somebody has stopped cannot clean up; what is left to do we do then. */
static void reap_keeper(pid_t keeper)
{
    autoclose int pidfd = (int)syscall(SYS_pidfd_open, keeper, 0);

    if (pidfd < 0 || !peer_end(pidfd, KEEPER_MS))
        kill(keeper, SIGKILL);
    while (waitpid(keeper, NULL, 0) < 0 && errno == EINTR)
        ;
}

void sandbox_close(struct sandbox *sandbox)
{
    if (sandbox->keeper > 0)
        shutdown(sandbox->keeper, SHUT_RDWR); /* to the keeper this is our end */
    if (sandbox->pidfd > 0) {
        /* Should the keeper be dead: we may kill what runs in a user namespace of ours. */
        syscall(SYS_pidfd_send_signal, sandbox->pidfd, SIGKILL, NULL, 0);
        if (sandbox->cgroups)
            limits_thaw(sandbox->run);
        peer_end(sandbox->pidfd, PEER_END_MS);
    }
    if (sandbox->keeper_pid > 0) {
        reap_keeper(sandbox->keeper_pid);
        limits_remove_run(sandbox->run); /* nothing there any more unless the keeper was killed */
    }
    sandbox->keeper_pid = 0;
    peer_close(&sandbox->pidfd);
    peer_close(&sandbox->control);
    peer_close(&sandbox->keeper);
    peer_close(&sandbox->lifeline);
}

bool sandbox_ended(struct sandbox *sandbox)
{
    static struct message message;
    struct pollfd fds[2] = {{sandbox->keeper, POLLIN, 0}, {sandbox->pidfd, POLLIN, 0}};

    if (sandbox->why[0] != '\0') /* told already; its processes may take a while to go */
        return true;
    if (poll(fds, 2, 0) <= 0)
        return false;
    int got = message_receive(sandbox->keeper, &message, MSG_DONTWAIT);
    if (got == 1 && message.kind == MESSAGE_FAILED) {
        snprintf(sandbox->why, sizeof sandbox->why, "%.*s", (int)message.length, message.text);
        sandbox->blame = message.a;
    } else {
        snprintf(sandbox->why, sizeof sandbox->why, "the sandbox was killed from outside");
    }
    return true;
}

bool sandbox_ending(struct sandbox *sandbox, bool surely)
{
    struct pollfd news = {sandbox->keeper, POLLIN, 0};

    if (surely || limits_squeezed(sandbox->run))
        poll(&news, 1, NEWS_MS);
    return sandbox_ended(sandbox);
}
