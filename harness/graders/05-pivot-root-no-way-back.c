/* Lab 05, step 6: neither an open directory nor a working directory leads back out. */
#include "graders/05-pivot-root.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "grade/facts.h"
#include "grade/mounts.h"
#include "grade/run.h"
#include "grade/step.h"
#include "kernel/path.h"

static void close_later(void *arg)
{
    close((int)(intptr_t)arg);
}

/* A folder of the room, held open: with O_PATH, or for reading. Not all are opened with
 * O_DIRECTORY, so that fcntl(2) alone cannot tell what they are. */
static int folder_of_room(struct grade *g, struct run *room, const char *path, bool for_reading)
{
    int fd = kernel_path_at(run_outside_pid(room), path, for_reading ? O_DIRECTORY : 0);

    if (fd >= 0 && for_reading) {
        int found = fd;
        fd = open(say(g, "/proc/self/fd/%d", found), O_RDONLY | O_CLOEXEC);
        fd = fd < 0 ? -errno : fd;
        close(found);
    }
    if (fd < 0)
        grade_error(g, fd, "cannot open %s of the room", path);
    grade_defer(g, close_later, (void *)(intptr_t)fd);
    return fd;
}

/* -w with what must not be entered: 125, and the error is `error`. */
static void check_not_entered(struct grade *g, struct run *room, const char *path, int error,
                              const struct room_fd *fds, size_t count, const char *what)
{
    const char *const arguments[] = {"--rootfs", ROOTFS,       "--chroot", "--unmasked",
                                     "-v",       "/proc:/mnt", "-w",       path,
                                     "--",       "/bin/true",  NULL};
    const char *said;
    int status = outside_run(
        room, &(struct run_options){.arguments = arguments, .fds = fds, .fd_count = count}, &said);
    const char *see = say(g, "make shell05: lab05 --rootfs " ROOTFS " -w %s pwd; echo $?", path);

    expect(g, status == REFUSED,
           .because = error == ENOENT && count == 0 ? "not-refused" : "entered",
           .expected = say(g, "-w %s, %s, ends the start with status 125", path, what),
           .kernel = say(g, "exit status %d: COMMAND was started with it", status), .see = see);
    expect(g, error == EXDEV || strstr(said, strerror(EXDEV)) == NULL, .because = "still-open",
           .expected = say(g, "%s is closed before the working directory is entered", what),
           .kernel = say(g, "it was still open: chdir to %s worked", path), .see = see);
    expect(g, strstr(said, strerror(error)) != NULL, .because = "wrong-error",
           .expected = say(g, "-w %s, %s: %s", path, what, strerror(error)),
           .kernel = "another error: the program's words are below", .see = see);
}

/* fds that are no directories are still needed: by one of them the parent learns what failed. */
static void check_pipe_kept(struct grade *g, struct run *room)
{
    const char *const missing[] = {"--rootfs", ROOTFS,           "--chroot", "--unmasked",
                                   "--",       "/bin/not-there", NULL};
    const char *said;
    int status = outside_run(room, &(struct run_options){.arguments = missing}, &said);
    expect(
        g, status == NOT_FOUND && strstr(said, strerror(ENOENT)) != NULL, .because = "pipe-closed",
        .expected = "fds that are no directories stay: a COMMAND not found is told, and ends 127",
        .kernel =
            say(g, "exit status %d, and nobody said why: the pipe was closed as well", status),
        .see = "lab05 --rootfs " ROOTFS " not-there; echo $?");
}

static void check_fds(struct grade *g, struct run *room)
{
    static const struct {
        const char *path;
        int to;
        bool for_reading;
    } held[] = {{"/", 9, false}, {"/tmp", 3, true}, {"/usr", 200, true}, {"/etc", 1500, false}};
    enum { HELD = sizeof held / sizeof *held };
    struct room_fd fds[HELD];

    for (size_t i = 0; i < HELD; i++)
        fds[i] = (struct room_fd){folder_of_room(g, room, held[i].path, held[i].for_reading),
                                  held[i].to};
    for (size_t i = 0; i < HELD; i++)
        check_not_entered(g, room, say(g, "/proc/self/fd/%d", held[i].to), ENOENT, fds, HELD,
                          say(g, "fd %d, a folder outside%s", held[i].to,
                              held[i].for_reading ? "" : " (O_PATH)"));

    const char *const arguments[] = {"--rootfs", ROOTFS, "--chroot", "--unmasked", NULL};
    struct run *run =
        run_start(g, &(struct run_options){
                         .arguments = arguments, .beside = room, .fds = fds, .fd_count = HELD});
    const struct payload *payload = run_payload(run);
    const struct kernel_fds *open_fds = facts_fds(g, payload->pid, payload->pidfd);
    for (size_t i = 0; i < open_fds->count; i++)
        expect(g, open_fds->list[i].fd < 3 || !S_ISDIR(open_fds->list[i].mode),
               .because = "fd-inside", .expected = "COMMAND holds no directory open",
               .kernel = say(g, "/proc/%d/fd/%d -> %s", payload->pid, open_fds->list[i].fd,
                             open_fds->list[i].target),
               .see = "lab05 --rootfs " ROOTFS " ls -l /proc/self/fd");
}

void root_stepno_way_back(struct grade *g)
{
    struct run *room = root_room(g);
    const char *inner = say(g, "/home/%s", grade_word(g, 6));

    /* First the presence: a place that can be reached is entered. */
    outside_do(room, "mkdir " ROOTFS "%s", inner);
    const char *const arguments[] = {"--rootfs", ROOTFS, "--chroot", "--unmasked",
                                     "-w",       inner,  NULL};
    struct run *run = root_beside(g, room, arguments);
    const struct payload *payload = run_payload(run);
    struct place wanted = place_outside(room, say(g, ROOTFS "%s", inner));
    struct place cwd = place_of_cwd(g, payload->pid, payload->pidfd);
    expect(g, place_same(&cwd, &wanted), .because = "not-entered",
           .expected = say(g, "with -w %s COMMAND starts there: %s", inner, place_text(g, &wanted)),
           .kernel = say(g, "/proc/%d/cwd is %s", payload->pid, place_text(g, &cwd)),
           .see = say(g, "lab05 --rootfs " ROOTFS " -w %s pwd", inner));

    check_pipe_kept(g, room);
    check_not_entered(g, room, say(g, "/mnt/%s", grade_word(g, 7)), ENOENT, NULL, 0,
                      "which is not there");
    check_not_entered(g, room, say(g, "/mnt/%d/cwd", run_program_inside(room)), EXDEV, NULL, 0,
                      "a folder outside of the root");
    check_fds(g, room);
}
