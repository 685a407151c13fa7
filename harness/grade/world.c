#include "grade/world.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "grade/caller.h"
#include "grade/grade.h"
#include "grade/run.h"
#include "kernel/file.h"
#include "kernel/own.h"
#include "sandbox/message.h"

enum { FILES_MAX = 16 };

struct world {
    struct sandbox sandbox;
    struct sandbox_file files[FILES_MAX];
    size_t count;
    bool open;
    bool spent;       /* not for another step: see world_spent() */
    int make;         /* a pidfd of the make that runs us, or -1 */
    char program[64]; /* "/strata/lab05" */
    char *probe;      /* its bytes: whoever says that he is the probe must have the same */
    size_t probe_size;
};

static int add_file(struct world *world, const char *name, const char *path, bool executable)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    world->files[world->count++] = (struct sandbox_file){name, fd, executable};
    return fd;
}

/* From build/: the lab program (the caller's choice of file), the probe, and the root filesystem
 * with the BusyBox that unpacks it. */
static int add_files(struct grade *g, struct world *world)
{
    static const struct {
        const char *name, *path;
        bool executable;
    } parts[] = {{"probe", "build/probe", true},
                 {"busybox", "build/busybox", true},
                 {"rootfs.tar", "build/rootfs.tar", false}};
    char path[PATH_MAX];

    snprintf(world->program, sizeof world->program, "/strata/lab%.2s", g->lab->name);
    if (add_file(world, world->program + strlen("/strata/"), g->program, true) < 0) {
        grade_error(g, -errno, "%s is missing; run make again", g->program);
    }
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        snprintf(path, sizeof path, "%s/%s", g->options->root, parts[i].path);
        int fd = add_file(world, parts[i].name, path, parts[i].executable);
        if (fd < 0)
            grade_error(g, fd, "%s is missing; run make again", path);
        if (i == 0 && kernel_read_at(AT_FDCWD, path, &world->probe, &world->probe_size) < 0)
            grade_error(g, -EIO, "%s cannot be read", path);
    }
    return 0;
}

bool world_abandoned(struct grade *g)
{
    const struct world *world = g->user;
    struct pollfd end = {world->make, POLLIN, 0};

    return poll(&end, 1, 0) > 0;
}

int run_prepare(struct grade *g)
{
    struct world *world = calloc(1, sizeof *world);

    if (world == NULL)
        return -ENOMEM;
    world->make = caller_make();
    g->user = world;
    return add_files(g, world);
}

void world_spent(struct grade *g)
{
    struct world *world = g->user;

    world->spent = true;
}

/* Rooms went with the step's undo stack. */
void run_step_end(struct grade *g)
{
    struct world *world = g->user;

    if (world == NULL || !world->spent)
        return;
    world->spent = false;
    if (world->open)
        sandbox_close(&world->sandbox);
    world->open = false;
}

void run_finish(struct grade *g)
{
    struct world *world = g->user;

    if (world == NULL)
        return;
    g->user = NULL;
    if (world->open)
        sandbox_close(&world->sandbox);
    for (size_t i = 0; i < world->count; i++)
        close(world->files[i].fd);
    if (world->make >= 0)
        close(world->make);
    free(world->probe);
    free(world);
}

/* What the machine does not allow is nobody's mistake. */
static _Noreturn void no_place(struct grade *g, int error, int blame, const char *why)
{
    if (blame == BLAME_MACHINE)
        grade_skip(g, "needs userns: %s", why);
    grade_error(g, error, "no sandbox: %s", why[0] != '\0' ? why : "it did not start");
}

static void open_sandbox(struct grade *g, struct world *world)
{
    struct sandbox_options options = {
        .files = world->files,
        .file_count = world->count,
        .cgroups = g->lab->cgroups && needs_missing(NEED_CGROUP, &(const char *){NULL}) == 0,
        .single_id = getenv("STRATA_SINGLE_ID") != NULL,
        .address_sanitizer = getenv("STRATA_ASAN") != NULL,
    };

    if (world->open && !sandbox_ended(&world->sandbox))
        return;
    if (world->open)
        sandbox_close(&world->sandbox);
    world->open = false;
    int result = sandbox_open(&options, &world->sandbox);
    if (result < 0)
        no_place(g, result, world->sandbox.blame, world->sandbox.why);
    world->open = true;
}

void world_room(struct grade *g, const struct room_options *options, struct room *room)
{
    struct world *world = g->user;

    open_sandbox(g, world);
    int result = room_open(&world->sandbox, options, room);
    if (result == -EPIPE && sandbox_ended(&world->sandbox)) {
        open_sandbox(g, world); /* it ended just now: once more in a new one */
        result = room_open(&world->sandbox, options, room);
    }
    if (result < 0)
        no_place(g, result, room->blame, room->why);
}

_Noreturn void world_lost(struct grade *g)
{
    struct world *world = g->user;

    bool ended = sandbox_ending(&world->sandbox, true);

    if (!ended) /* nobody outside ends a single room */
        fail(g, .because = "room-killed",
             .expected = "a program that leaves PID 1 of its sandbox alone",
             .kernel = "PID 1 of the sandbox has ended, and everything in it",
             .see = say(g, "make trace%.2s", g->lab->name));
    if (world->sandbox.blame == BLAME_PROGRAM)
        fail(g, .because = "too-much", .expected = "a program that is content with what there is",
             .kernel = say(g, "%s", world->sandbox.why), .see = "cat /proc/PID/status");
    grade_error(g, 0, "the sandbox is gone: %s", world->sandbox.why);
}

void world_killed(struct grade *g)
{
    struct world *world = g->user;

    if (sandbox_ending(&world->sandbox, false))
        world_lost(g);
}

enum { TOOL_MS = 3000, TOOL_BYTES = 8192 };

/* Takes what the tool writes until it closes its output or time is over. */
static const char *take_all(struct grade *g, int from)
{
    static char text[TOOL_BYTES];
    struct pollfd fd = {from, POLLIN, 0};
    size_t length = 0;
    ssize_t got = 1;

    while (got > 0 && length < sizeof text - 1 && poll(&fd, 1, TOOL_MS) > 0) {
        got = read(from, text + length, sizeof text - 1 - length);
        length += got > 0 ? (size_t)got : 0;
    }
    text[length] = '\0';
    return got == 0 ? say(g, "%s", text) : NULL;
}

const char *world_tool(struct grade *g, const char *const *argv, struct room *room)
{
    static struct room_process
        process; /* a room keeps its address: no longer than the room lives */
    static const char *const plain[] = {"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C", NULL};
    struct world *world = g->user;
    int ends[2];

    if (!world->open || sandbox_ended(&world->sandbox) ||
        room_open(&world->sandbox, &(struct room_options){0}, room) < 0)
        return NULL;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return NULL;
    struct room_fd out = {ends[1], 1};
    struct room_command command = {.argv = argv, .envp = plain, .fds = &out, .fd_count = 1};
    int result = room_spawn(room, &command, &process);
    close(ends[1]);
    const char *text = result == 0 ? take_all(g, ends[0]) : NULL;
    close(ends[0]);
    if (result == 0)
        close(process.pidfd);
    return text;
}

const char *world_program(struct grade *g)
{
    const struct world *world = g->user;

    return world->program;
}

const char *world_probe(struct grade *g, size_t *size)
{
    const struct world *world = g->user;

    *size = world->probe_size;
    return world->probe;
}

unsigned run_ids(struct grade *g)
{
    struct world *world = g->user;

    open_sandbox(g, world);
    return world->sandbox.ids;
}

const char *grade_lab(const struct grade *g)
{
    return g->lab->name;
}
