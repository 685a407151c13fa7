#include "grade/facts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

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
           .kernel = say(g, "/proc/%d/ns/%s -> %s: the parent itself has moved",
                         run_program_pid(run), kind,
                         facts_namespace(g, run_program_pid(run), kind)),
           .see = "unshare(2) changes its caller; the flags of clone3 change the child");
}

const char *facts_read_within(struct grade *g, pid_t pid, int pidfd, unsigned namespaces,
                              const char *path)
{
    autofree char *text = NULL;
    size_t length;
    int result = kernel_inside_read(pidfd, pid, namespaces, path, &text, &length);

    if (result == -ESRCH)
        fail(g, .because = "payload-gone", .expected = say(g, "process %d still runs", pid),
             .kernel = say(g, "/proc/%d is gone", pid), .see = "make trace of this lab");
    if (result < 0)
        grade_error(g, result, "cannot read %s within the namespaces of process %d", path, pid);
    return say(g, "%s", text);
}

const char *facts_word_within(struct grade *g, pid_t pid, int pidfd, unsigned namespaces,
                              const char *path)
{
    const char *text = facts_read_within(g, pid, pidfd, namespaces, path);

    return say(g, "%.*s", (int)strcspn(text, "\n"), text);
}
