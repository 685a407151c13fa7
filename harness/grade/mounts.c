#include "grade/mounts.h"

#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "kernel/inside.h"
#include "kernel/own.h"

/* --- the room ------------------------------------------------------------------------------- */

struct run *outside_open(struct grade *g, bool rootfs)
{
    struct run *run =
        run_start(g, &(struct run_options){.program = "/strata/probe", .rootfs = rootfs});

    run_payload(run);
    return run;
}

const char *outside_do(struct run *outside, const char *format, ...)
{
    char text[4096];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    const char *reply = run_ask(outside, "%s", text);
    int error = 0;
    if (sscanf(reply, "error %d", &error) == 1)
        grade_error(run_grade(outside), -error, "the room could not be prepared: %s", text);
    return strlen(reply) > 3 ? reply + 3 : "";
}

int outside_run(struct run *outside, const struct run_options *options, const char **said)
{
    struct run_options spoken = *options;
    const char *arguments[64] = {NULL};
    size_t count = 0;

    for (const char *const *a = options->arguments; *a != NULL && count < 56; a++)
        arguments[count++] = *a;
    for (const char *const *a = options->command; a != NULL && *a != NULL && count < 62; a++)
        arguments[count++] = *a;
    spoken.arguments = arguments;
    spoken.command = NULL;
    spoken.no_command = true;
    spoken.together = true;
    spoken.beside = outside;
    struct run *run = run_start(run_grade(outside), &spoken);
    int status = run_exit_status(run);
    *said = say(run_grade(outside), "%s", run_output(run));
    return status;
}

/* --- mounts --------------------------------------------------------------------------------- */

static void free_mounts(void *arg)
{
    struct kernel_mounts *mounts = arg;

    kernel_mounts_free(mounts);
    free(mounts);
}

const struct kernel_mounts *mounts_of(struct grade *g, pid_t pid)
{
    struct kernel_mounts *mounts = calloc(1, sizeof *mounts);
    int result = mounts == NULL ? -ENOMEM : kernel_mounts_read(pid, mounts);

    if (result < 0) {
        free(mounts);
        if (result == -ESRCH)
            fail(g, .because = "payload-gone", .expected = say(g, "process %d still runs", pid),
                 .kernel = say(g, "/proc/%d is gone", pid), .see = "make trace of this lab");
        grade_error(g, result, "cannot read /proc/%d/mountinfo", pid);
    }
    grade_defer(g, free_mounts, mounts);
    return mounts;
}

const char *mounts_line(struct grade *g, const struct kernel_mount *m)
{
    if (m == NULL) /* the words of an expectation are put together before it is known to fail */
        return "no such mount";

    const char *shared = m->shared != 0 ? say(g, " shared:%d", m->shared) : "";
    const char *master = m->master != 0 ? say(g, " master:%d", m->master) : "";

    return say(g, "%d %d %u:%u %s %s %s%s%s%s - %s %s %s", m->id, m->parent, m->major, m->minor,
               m->root, m->target, m->options, shared, master, m->unbindable ? " unbindable" : "",
               m->fstype, m->source, m->super);
}

/* --- places --------------------------------------------------------------------------------- */

struct question {
    pid_t pid;
    const char *path;
    bool link;
    bool lifted;
};

static int answer(int out, const char *path, bool link)
{
    struct place place = {0};
    struct stat st;
    struct statfs fs;

    if ((link ? lstat(path, &st) : stat(path, &st)) < 0) {
        place.error = errno;
    } else {
        place = (struct place){
            .mode = st.st_mode, .dev = st.st_dev, .ino = st.st_ino, .rdev = st.st_rdev};
        if (!S_ISLNK(st.st_mode) && statfs(path, &fs) == 0) {
            place.fs_type = (uint64_t)fs.f_type;
            place.fs_size = (uint64_t)fs.f_blocks * (uint64_t)fs.f_bsize;
        }
    }
    return kernel_write_all(out, &place, sizeof place);
}

static int look_at(void *arg, int out)
{
    const struct question *question = arg;

    return answer(out, question->path, question->link);
}

static int look_at_cwd(void *arg, int out)
{
    const struct question *question = arg;
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/cwd", question->pid); /* of our own /proc */
    return answer(out, path, false);
}

/* setns(2) into the namespace that we are in already: it puts root and working directory to what
 * is mounted at the top. */
static int to_the_top(pid_t pid)
{
    autoclose int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

    return pidfd < 0 || setns(pidfd, CLONE_NEWNS) < 0 ? -errno : 0;
}

static int look_at_namespace(void *arg, int out)
{
    const struct question *question = arg;
    int result = to_the_top(question->pid);

    if (result == 0 && question->lifted) {
        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
            return -errno;
        umount2("/", MNT_DETACH); /* refused: then it is what was there from the start */
        result = to_the_top(getpid());
    }
    return result < 0 ? result : answer(out, "/", false);
}

static struct place ask(struct grade *g, pid_t pid, int pidfd, unsigned namespaces,
                        int (*look)(void *, int), struct question question)
{
    autofree char *bytes = NULL;
    struct place place = {0};
    size_t length;

    question.pid = pid;
    int result = kernel_inside(pidfd, pid, namespaces, look, &question, &bytes, &length);
    if (result == -ESRCH)
        fail(g, .because = "payload-gone", .expected = say(g, "process %d still runs", pid),
             .kernel = say(g, "/proc/%d is gone", pid), .see = "make trace of this lab");
    if (result < 0 || length != sizeof place)
        grade_error(g, result, "cannot look at %s of process %d",
                    question.path != NULL ? question.path : "the folders", pid);
    memcpy(&place, bytes, sizeof place);
    return place;
}

struct place place_of(struct grade *g, pid_t pid, int pidfd, const char *path, bool link)
{
    return ask(g, pid, pidfd, CLONE_NEWUSER | CLONE_NEWNS, look_at,
               (struct question){.path = path, .link = link});
}

struct place place_inside(struct run *run, const char *path)
{
    const struct payload *payload = run_payload(run);

    return place_of(run_grade(run), payload->pid, payload->pidfd, path, false);
}

struct place place_outside(struct run *run, const char *path)
{
    return place_of(run_grade(run), run_outside_pid(run), run_outside_pidfd(run), path, false);
}

struct place place_of_cwd(struct grade *g, pid_t pid, int pidfd)
{
    return ask(g, pid, pidfd, CLONE_NEWUSER, look_at_cwd, (struct question){0});
}

struct place place_of_namespace(struct grade *g, pid_t pid, int pidfd, bool lifted)
{
    return ask(g, pid, pidfd, CLONE_NEWUSER | CLONE_NEWNS, look_at_namespace,
               (struct question){.lifted = lifted});
}

bool place_same(const struct place *a, const struct place *b)
{
    return a->error == 0 && b->error == 0 && a->dev == b->dev && a->ino == b->ino;
}

const char *place_text(struct grade *g, const struct place *place)
{
    if (place->error != 0)
        return strerror(place->error);
    return say(g, "device %u:%u inode %llu", major(place->dev), minor(place->dev),
               (unsigned long long)place->ino);
}
