/* Starting the student's program in a room, with the payload's socket and pipes for its words. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "grade/run_private.h"
#include "grade/world.h"
#include "kernel/own.h"

static void run_end(void *arg)
{
    struct run *run = arg;

    if (run->room == &run->own_room)
        room_close(&run->own_room);
    run_close_fd(&run->probe);
    run_close_fd(&run->errors);
    run_close_fd(&run->output);
    if (run->has_payload)
        run_close_fd(&run->payload.pidfd);
    run_close_fd(&run->process.pidfd);
    free(run);
}

/* argv of the lab program: its own name, its options, "--", COMMAND. */
static const char **build_argv(struct run *run, const struct run_options *options)
{
    static const char *argv[128];
    const char *const probe[] = {options->rootfs ? "/bin/probe" : "/strata/probe", NULL};
    const char *const *command = options->command;
    size_t count = 0;

    if (command == NULL)
        command = probe;
    argv[count++] = options->program != NULL ? options->program : world_program(run->g);
    for (const char *const *a = options->arguments; a != NULL && *a != NULL && count < 100; a++)
        argv[count++] = *a;
    if (!options->no_command) {
        argv[count++] = "--";
        for (; *command != NULL && count < 126; command++)
            argv[count++] = say(run->g, "%s", *command);
        for (const char *const *a = options->probe_arguments;
             a != NULL && *a != NULL && count < 126;)
            argv[count++] = *a++;
    }
    argv[count] = NULL;
    return argv;
}

static int make_channels(struct run *run, int far[2])
{
    int errors[2], pair[2], yes = 1;
    struct stat st;

    if (pipe2(errors, O_CLOEXEC) < 0)
        return -errno;
    run->errors = errors[0];
    far[1] = errors[1];
    fcntl(run->errors, F_SETFL, O_NONBLOCK);
    if (run->no_payload) {
        if (pipe2(pair, O_CLOEXEC) < 0)
            return -errno;
        run->output = pair[0];
        far[0] = pair[1];
        fcntl(run->output, F_SETFL, O_NONBLOCK);
        return 0;
    }
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    run->probe = pair[0];
    far[0] = pair[1];
    setsockopt(run->probe, SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes);
    if (fstat(far[0], &st) < 0)
        return -errno;
    run->socket_inode = st.st_ino;
    return 0;
}

struct run *run_start(struct grade *g, const struct run_options *options)
{
    static const char *const plain[] = {"PATH=/strata:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
                                        "HOME=/tmp", "LANG=C.UTF-8", NULL};
    struct run *run = calloc(1, sizeof *run);
    struct room_fd fds[ROOM_FDS_MAX];
    size_t count = 0;
    int far[2] = {-1, -1};

    if (run == NULL)
        grade_error(g, -ENOMEM, "no memory for a run");
    run->g = g;
    run->probe = run->errors = run->output = -1;
    run->process.pidfd = run->payload.pidfd = -1;
    run->own_room.pidfd = run->own_room.socket = -1;
    run->room = options->beside != NULL ? options->beside->room : &run->own_room;
    run->no_payload = options->command != NULL || options->no_command;
    grade_defer(g, run_end, run);

    if (run->room == &run->own_room)
        world_room(g, &(struct room_options){.rootfs = options->rootfs}, run->room);
    int result = make_channels(run, far);
    autoclose int far_in = far[0];
    autoclose int far_errors = far[1];
    if (result < 0)
        grade_error(g, result, "no pipes for a run");
    if (!run->no_payload)
        fds[count++] = (struct room_fd){far_in, 0};
    fds[count++] = (struct room_fd){far_in, 1};
    fds[count++] = (struct room_fd){options->together ? far_in : far_errors, 2};
    for (size_t i = 0; i < options->fd_count && count < ROOM_FDS_MAX; i++)
        fds[count++] = options->fds[i];

    struct room_command command = {
        .argv = build_argv(run, options),
        .envp = options->environment != NULL ? options->environment : plain,
        .fds = fds,
        .fd_count = count,
        .ignored = options->ignored,
        .blocked = options->blocked,
        .user = options->user,
        .group = options->group,
    };
    result = room_spawn(run->room, &command, &run->process);
    if (result == -EPIPE) /* the room went while the program started: it has that quickly */
        world_lost(g);
    if (result < 0)
        grade_error(g, result, "the lab program could not be started in the sandbox (%s)",
                    run->room->why);
    return run;
}
