/*
 * Lab 07, step 3: a folder that becomes a symbolic link between two system calls.
 *
 * The tracer (grade/trace.h) exchanges the two: whenever the program looks at a name it is a folder
 * that it sees, and whenever it opens one, the link. Who looks first and opens then is led out.
 * Nobody else is: what is opened is what the kernel has looked at itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "grade/trace.h"
#include "graders/07-image-hostile.h"
#include "graders/07-image-watch.h"
#include "kernel/own.h"
#include "kernel/path.h"

enum { EXCHANGE = 1 << 1 }; /* RENAME_EXCHANGE */

struct race {
    const char *base; /* in the room: BASE/root/d is the one, BASE/aside the other */
    int room;         /* a pidfd of the room's                                     */
    bool member;      /* the tracer is in the room's user namespace                */
    bool link;        /* d is the link now                                         */
    int exchanged, failed;
};

static void exchange(struct race *race, pid_t pid)
{
    autoclose int base = kernel_path_at(pid, race->base, O_DIRECTORY);
    autoclose int root = base < 0 ? -1 : kernel_path_open(base, "root", O_DIRECTORY);

    if (root < 0 || syscall(SYS_renameat2, root, "d", base, "aside", EXCHANGE) < 0) {
        race->failed = errno;
        return;
    }
    race->link = !race->link;
    race->exchanged++;
}

static bool is_look(uint64_t number)
{
    switch (number) {
    case SYS_newfstatat:
    case SYS_statx:
    case SYS_readlinkat:
    case SYS_faccessat:
    case SYS_faccessat2:
#ifdef SYS_stat /* newer architectures go without these */
    case SYS_stat:
    case SYS_lstat:
    case SYS_readlink:
    case SYS_access:
#endif
        return true;
    default:
        return false;
    }
}

static bool is_open(uint64_t number)
{
    switch (number) {
    case SYS_openat:
    case SYS_openat2:
#ifdef SYS_open
    case SYS_open:
#endif
        return true;
    default:
        return false;
    }
}

static void look(void *arg, const struct trace_call *call, bool entry)
{
    struct race *race = arg;

    if (!race->member)
        image_join(race->room);
    race->member = true;
    if (entry && ((race->link && is_look(call->number)) || (!race->link && is_open(call->number))))
        exchange(race, call->pid);
}

static struct race *race_open(struct run *room, const char *base)
{
    struct race *race = trace_shared(run_grade(room), sizeof *race);

    *race = (struct race){.base = base, .room = run_outside_pidfd(room)};
    return race;
}

static const char *scene(struct run *room)
{
    const char *base = image_folder(room);

    outside_do(room, "mkdir %s/root", base);
    outside_do(room, "mkdir %s/root/d", base);
    outside_do(room, "mkdir %s/victim", base);
    outside_do(room, "write %s/victim/marker %s", base, grade_word(run_grade(room), 30));
    outside_do(room, "symlink %s/aside %s/victim", base, base);
    return base;
}

void image_check_race(struct run *room)
{
    struct grade *g = run_grade(room);
    const char *base = scene(room), *victim = say(g, "%s/victim", base);
    struct race *race = race_open(room, base);
    struct craft *craft = craft_new(g);
    struct trace *trace;

    craft_file(craft, "d/marker", "planted");
    craft_file(craft, "d/e/new", "planted");
    struct blob blob = craft_blob(craft, CRAFT_PLAIN);
    struct folder before = folder_of(room, victim);
    const char *const arguments[] = {"--unpack", say(g, IMAGE_BLOB "=%s/root", base), NULL};
    const struct room_fd fds[] = {{blob.fd, IMAGE_FD}};
    int status = run_exit_status(trace_start_looking(
        g,
        &(struct run_options){
            .arguments = arguments, .no_command = true, .beside = room, .fds = fds, .fd_count = 1},
        &(struct trace_look){look, race}, &trace));
    if (race->exchanged == 0)
        grade_error(g, -race->failed, "no folder was exchanged for a link");
    struct folder after = folder_of(room, victim);
    const char *difference = folder_difference(g, &before, &after, NULL);
    expect(g, difference == NULL, .because = "race",
           .expected = "a folder that becomes a link after it was looked at: outside of the root "
                       "nothing changes",
           .kernel = say(g, "it was followed, and it got out: %s", difference),
           .see = "openat2(2), RESOLVE_NO_SYMLINKS: look and open in one call");
    expect(g, status == 0 || status == REFUSED, .because = "crash",
           .expected = "a folder that becomes a link after it was looked at: refused, or unpacked "
                       "below the root",
           .kernel = say(g, "the program ended with status %d", status),
           .see = "openat2(2), RESOLVE_NO_SYMLINKS");
}
