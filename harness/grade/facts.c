#include "grade/facts.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel/inside.h"
#include "kernel/namespace.h"
#include "kernel/own.h"

static struct kernel_ns_id namespace_of(struct grade *g, pid_t pid, const char *kind)
{
    struct kernel_ns_id id;
    int result = kernel_ns(pid, kind, &id);

    if (result == -ESRCH)
        fail(g, .because = "payload-gone", .expected = say(g, "process %d still runs", pid),
             .kernel = say(g, "/proc/%d is gone", pid), .see = "make trace of this lab");
    if (result < 0)
        grade_error(g, result, "cannot look at /proc/%d/ns/%s", pid, kind);
    return id;
}

const char *facts_namespace(struct grade *g, pid_t pid, const char *kind)
{
    return say(g, "%s:[%llu]", kind, (unsigned long long)namespace_of(g, pid, kind).ino);
}

void facts_own_namespace(struct run *run, const char *kind)
{
    struct grade *g = run_grade(run);
    const struct payload *payload = run_payload(run);
    struct kernel_ns_id outside = namespace_of(g, run_outside_pid(run), kind);
    struct kernel_ns_id inside = namespace_of(g, payload->pid, kind);
    struct kernel_ns_id program = namespace_of(g, run_program_pid(run), kind);

    expect(g, !kernel_ns_equal(inside, outside), .because = say(g, "same-%s", kind),
           .expected = say(g, "COMMAND has a %s namespace of its own", kind),
           .kernel = say(g, "/proc/%d/ns/%s -> %s, the same as outside", payload->pid, kind,
                         facts_namespace(g, payload->pid, kind)),
           .see = say(g, "in make shell%.2s: readlink /proc/self/ns/%s, then the same as COMMAND",
                      grade_lab(g), kind));
    expect(g, kernel_ns_equal(program, outside), .because = say(g, "moved-%s", kind),
           .expected = say(g, "only COMMAND moves; the program that starts it stays in %s",
                           facts_namespace(g, run_outside_pid(run), kind)),
           .kernel =
               say(g, "/proc/%d/ns/%s -> %s: the parent itself has moved", run_program_pid(run),
                   kind, facts_namespace(g, run_program_pid(run), kind)),
           .see = "unshare(2) changes its caller; the flags of clone3 change the child");
}

static void free_bytes(void *bytes)
{
    free(bytes);
}

const char *facts_bytes_within(struct grade *g, pid_t pid, int pidfd, unsigned namespaces,
                               const char *path, size_t *length)
{
    char *text = NULL;
    int result = kernel_inside_read(pidfd, pid, namespaces, path, &text, length);

    if (result == -ESRCH)
        fail(g, .because = "payload-gone", .expected = say(g, "process %d still runs", pid),
             .kernel = say(g, "/proc/%d is gone", pid), .see = "make trace of this lab");
    if (result < 0)
        grade_error(g, result, "cannot read %s within the namespaces of process %d", path, pid);
    grade_defer(g, free_bytes, text);
    return text;
}

const char *facts_read_within(struct grade *g, pid_t pid, int pidfd, unsigned namespaces,
                              const char *path)
{
    size_t length;

    return facts_bytes_within(g, pid, pidfd, namespaces, path, &length);
}

const char *facts_word_within(struct grade *g, pid_t pid, int pidfd, unsigned namespaces,
                              const char *path)
{
    const char *text = facts_read_within(g, pid, pidfd, namespaces, path);

    return say(g, "%.*s", (int)strcspn(text, "\n"), text);
}

/* One line an fd, for the trip out of the child that may look: "FD MODE DEV INO RDEV FLAGS MNT
 * PATH". */
static int list_fds(void *arg, int out)
{
    const pid_t *pid = arg;
    struct kernel_fds fds = {0};
    int result = kernel_fds_read(*pid, &fds);

    for (size_t i = 0; result == 0 && i < fds.count; i++) {
        const struct kernel_fd *fd = &fds.list[i];
        char line[4096 + 128];
        int length = snprintf(line, sizeof line, "%d %o %llu %llu %llu %d %d %s%c", fd->fd,
                              fd->mode, (unsigned long long)fd->dev, (unsigned long long)fd->ino,
                              (unsigned long long)fd->rdev, fd->flags, fd->mnt_id, fd->target, 0);
        result = kernel_write_all(out, line, (size_t)length);
    }
    kernel_fds_free(&fds);
    return result;
}

static void free_fds(void *arg)
{
    struct kernel_fds *fds = arg;

    kernel_fds_free(fds);
    free(fds);
}

struct kernel_fds *facts_fds(struct grade *g, pid_t pid, int pidfd)
{
    autofree char *text = NULL;
    struct kernel_fds *fds = calloc(1, sizeof *fds);
    size_t length;
    int result = kernel_inside(pidfd, pid, CLONE_NEWUSER, list_fds, &pid, &text, &length);

    if (result < 0 || fds == NULL)
        grade_error(g, result, "cannot list /proc/%d/fd", pid);
    grade_defer(g, free_fds, fds);
    for (const char *line = text; line < text + length; line += strlen(line) + 1) {
        unsigned long long dev, ino, rdev;
        struct kernel_fd fd = {0};
        int path = 0;
        if (sscanf(line, "%d %o %llu %llu %llu %d %d %n", &fd.fd, &fd.mode, &dev, &ino, &rdev,
                   &fd.flags, &fd.mnt_id, &path) < 7)
            grade_error(g, -EBADMSG, "a list of fds that cannot be read");
        fd.dev = dev;
        fd.ino = ino;
        fd.rdev = rdev;
        fd.target = strdup(line + path);
        fds->list = reallocarray(fds->list, fds->count + 1, sizeof fd);
        if (fds->list == NULL || fd.target == NULL)
            abort();
        fds->list[fds->count++] = fd;
    }
    return fds;
}

static void close_fd(void *fd)
{
    close((int)(intptr_t)fd);
}

void facts_close_later(struct grade *g, int fd)
{
    grade_defer(g, close_fd, (void *)(intptr_t)fd);
}
