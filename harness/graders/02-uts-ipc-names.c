/* Lab 02, steps 1 to 3: the two names of a UTS namespace. */
#include "graders/02-uts-ipc.h"

#include <sched.h>
#include <stdbool.h>
#include <string.h>

#include "grade/facts.h"
#include "kernel/namespace.h"

enum { NAME_MAX_BYTES = 64 /* __NEW_UTS_LEN of the kernel */ };

struct name_kind {
    const char *option;
    const char *function;
    const char *file; /* shows the name of the reader's UTS namespace */
    const char *what;
};

static const struct name_kind host_name = {"--hostname", "uts_set_hostname",
                                           "/proc/sys/kernel/hostname", "host name"};
static const struct name_kind domain_name = {"--domainname", "uts_set_domainname",
                                             "/proc/sys/kernel/domainname", "domain name"};

static const char *name_of(struct grade *g, pid_t pid, int pidfd, const struct name_kind *kind)
{
    return facts_word_within(g, pid, pidfd, CLONE_NEWUSER | CLONE_NEWUTS, kind->file);
}

static const char *name_outside(struct run *run, const struct name_kind *kind)
{
    return name_of(run_grade(run), run_outside_pid(run), run_outside_pidfd(run), kind);
}

/* A name appears inside as it was given, byte by byte; outside all stays as it was; and so does
 * the other name, on both sides: inside it is the copy that the namespace began with. */
static void check_name(struct grade *g, const struct name_kind *kind, const char *name)
{
    const struct name_kind *other = kind == &host_name ? &domain_name : &host_name;
    struct run *room = uts_fresh_room(g);
    const char *before = name_outside(room, kind), *other_before = name_outside(room, other);
    const char *const arguments[] = {kind->option, name, NULL};
    struct run *run = run_start(g, &(struct run_options){.arguments = arguments, .beside = room});
    const struct payload *payload = run_payload(run);
    const char *inside = name_of(g, payload->pid, payload->pidfd, kind);
    const char *other_inside = name_of(g, payload->pid, payload->pidfd, other);
    const char *after = name_outside(run, kind);

    expect(g, strcmp(after, before) == 0, .because = "outside-changed",
           .expected = say(g, "outside, the %s stays \"%s\"", kind->what, before),
           .kernel = say(g, "%s outside is now \"%s\"", kind->file, after),
           .see = say(g, "cat %s before and after, in make shell02", kind->file));
    expect(g, strcmp(other_inside, other_before) == 0, .because = "other-name",
           .expected = say(g, "%s leaves the %s as it was: \"%s\"", kind->option, other->what,
                           other_before),
           .kernel = say(g, "%s inside is \"%s\"", other->file, other_inside),
           .see = say(g, "lab02 %s %s -- cat %s", kind->option, name, other->file));
    facts_own_namespace(run, "uts");
    expect(g, strcmp(inside, name) == 0, .because = "wrong-name",
           .expected = say(g, "inside, the %s is \"%s\"", kind->what, name),
           .kernel = say(g, "%s inside is %s\"%s\"", kind->file,
                         strstr(name, inside) != NULL ? "only " : "", inside),
           .see = say(g, "lab02 %s %s -- cat %s", kind->option, name, kind->file));
}

/* The kernel takes any bytes: short ones, capitals, dots, and as many as there is room for. */
static void check_names(struct grade *g, const struct name_kind *kind)
{
    check_name(g, kind, grade_word(g, (size_t)grade_between(g, 9, 20)));
    check_name(g, kind,
               say(g, "%s-%d.%s_%s.X", grade_word(g, 4), grade_between(g, 10, 99), grade_word(g, 3),
                   grade_word(g, 2)));
    check_name(g, kind, grade_word(g, 1));
    check_name(g, kind, grade_word(g, NAME_MAX_BYTES));
}

/* The layer adds its flags, whatever is asked of it later, to those that are there; and no more. */
static void check_flags(struct grade *g)
{
    static const char *const kept[] = {"user", "mnt", "pid", "net", "cgroup"};
    struct run *run = run_start(g, &(struct run_options){0});
    const struct payload *payload = run_payload(run);
    struct kernel_ns_id inside, outside;

    expect(g,
           kernel_ns(payload->pid, "uts", &inside) < 0 ||
               kernel_ns(run_outside_pid(run), "uts", &outside) < 0 ||
               !kernel_ns_equal(inside, outside),
           .because = "on-demand",
           .expected = "a uts namespace of its own also for a COMMAND that asked for no name",
           .kernel = say(g, "/proc/%d/ns/uts -> %s, the same as outside", payload->pid,
                         facts_namespace(g, payload->pid, "uts")),
           .see = "lab02 readlink /proc/self/ns/uts");
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        expect(g,
               kernel_ns(payload->pid, kept[i], &inside) < 0 ||
                   kernel_ns(run_outside_pid(run), kept[i], &outside) < 0 ||
                   kernel_ns_equal(inside, outside),
               .because = "more-namespaces",
               .expected = say(g,
                               "without further options, COMMAND's %s namespace is that of "
                               "outside",
                               kept[i]),
               .kernel = say(g, "/proc/%d/ns/%s -> %s, outside %s", payload->pid, kept[i],
                             facts_namespace(g, payload->pid, kept[i]),
                             facts_namespace(g, run_outside_pid(run), kept[i])),
               .see = say(g, "lab02 readlink /proc/self/ns/%s", kept[i]));

    run = uts_run_with(g, "--new", "cgroup"); /* layer 01 has put a flag there first */
    payload = run_payload(run);
    expect(g,
           kernel_ns(payload->pid, "cgroup", &inside) < 0 ||
               kernel_ns(run_outside_pid(run), "cgroup", &outside) < 0 ||
               !kernel_ns_equal(inside, outside),
           .because = "lost-flags",
           .expected = "--new cgroup still gives a cgroup namespace: flags of other layers stay",
           .kernel = say(g, "/proc/%d/ns/cgroup -> %s, the same as outside", payload->pid,
                         facts_namespace(g, payload->pid, "cgroup")),
           .see = "lab02 --new cgroup readlink /proc/self/ns/cgroup");
    facts_own_namespace(run, "uts");
}

void uts_step_host_name(struct grade *g)
{
    check_names(g, &host_name);
    check_flags(g);
}

void uts_step_domain_name(struct grade *g)
{
    check_names(g, &domain_name);
}

/* --- too long ------------------------------------------------------------------------------- */

/* Under which name COMMAND runs, though the one asked for is too long. */
static const char *started_as(struct grade *g, const struct refusal *refusal)
{
    const struct name_kind *kind =
        strcmp(refusal->arguments[0], host_name.option) == 0 ? &host_name : &domain_name;
    struct run *run = run_start(g, &(struct run_options){.arguments = refusal->arguments});
    const struct payload *payload = run_payload(run);
    const char *inside = name_of(g, payload->pid, payload->pidfd, kind);

    if (strncmp(inside, refusal->arguments[1], strlen(inside)) == 0)
        return say(g, "COMMAND runs under the first %zu bytes of the name", strlen(inside));
    return say(g, "COMMAND runs all the same, with the %s \"%s\"", kind->what, inside);
}

static void check_too_long(struct grade *g, const struct name_kind *kind, size_t length)
{
    const char *const arguments[] = {kind->option, grade_word(g, length), NULL};

    uts_check_refused(
        g, &(struct refusal){
               .arguments = arguments,
               .what = say(g, "a %s of %zu bytes", kind->what, length),
               .function = kind->function,
               .error = "Invalid argument",
               .not_refused = "not-refused",
               .wrong_error = "wrong-error",
               .see = say(g, "lab02 %s $(printf %%0%zud 0) -- true; echo $?", kind->option, length),
               .started = started_as,
           });
}

void uts_step_too_long(struct grade *g)
{
    /* First the presence: a name that is not too long is taken. */
    check_name(g, &host_name, grade_word(g, NAME_MAX_BYTES));
    check_too_long(g, &host_name, NAME_MAX_BYTES + 1);
    check_too_long(g, &domain_name, NAME_MAX_BYTES + 1);
    check_too_long(g, &host_name, (size_t)grade_between(g, 2 * NAME_MAX_BYTES, 300));
    check_too_long(g, &domain_name, (size_t)grade_between(g, 2 * NAME_MAX_BYTES, 300));
}
