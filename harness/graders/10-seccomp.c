/*
 * Lab 10: fewer system calls.
 *
 * A refusal proves nothing by itself: the kernel refuses much, by checks of its own. So every call
 * is first made without the filter, where it has to answer something else, and then with it.
 * Errors are drawn anew each time, from those that the call would never give.
 */
#include "graders/10-seccomp.h"

#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "grade/mounts.h"
#include "kernel/status.h"

/* --- trying calls ----------------------------------------------------------------------------- */

struct attempt filter_try(struct run *run, const char *format, ...)
{
    struct attempt attempt = {0};
    long long result;
    char text[256];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    const char *reply = run_ask(run, "%s", text);
    if (sscanf(reply, "ok signal %d", &attempt.signal) == 1)
        return attempt;
    if (sscanf(reply, "ok %lld", &result) == 1)
        attempt.result = result;
    else if (sscanf(reply, "error %d", &attempt.error) != 1)
        attempt.error = EPROTO;
    return attempt;
}

const char *filter_error_name(struct grade *g, int error)
{
    const char *name = strerrorname_np(error);

    return name != NULL ? name : say(g, "%d", error);
}

const char *filter_attempt_text(struct grade *g, const struct attempt *attempt)
{
    const char *signal = sigabbrev_np(attempt->signal);

    if (attempt->error != 0)
        return say(g, "no process could be made to try it: %s",
                   filter_error_name(g, attempt->error));
    if (attempt->signal != 0)
        return say(g, "ended by SIG%s (signal %d)", signal != NULL ? signal : "?", attempt->signal);
    if (attempt->result == FILTER_LETS)
        return "the filter lets it through";
    if (attempt->result < 0)
        return say(g, "%s", filter_error_name(g, (int)-attempt->result));
    return say(g, "%lld", (long long)attempt->result);
}

const char *filter_told(struct grade *g, const char *call, const struct attempt *outside,
                        const struct attempt *inside)
{
    bool same = filter_same(outside, inside);

    return say(g, "%s: %s%s", call, filter_attempt_text(g, inside),
               same ? ", as outside: nobody refuses it" : "");
}

/* Numbers of processes differ from try to try. */
bool filter_same(const struct attempt *a, const struct attempt *b)
{
    if (a->error != 0 || b->error != 0 || a->signal != b->signal)
        return false;
    return a->result == b->result || (a->result > 0 && b->result > 0);
}

int filter_number(const char *name)
{
    int number = seccomp_syscall_resolve_name_arch(seccomp_arch_native(), name);

    return number < 0 ? -1 : number;
}

int filter_number_32(const char *name)
{
    int number = seccomp_arch_native() == SCMP_ARCH_X86_64
                     ? seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86, name)
                     : -1;

    return number < 0 ? -1 : number;
}

int filter_number_of(int bits, const char *name)
{
    return bits == 32 ? filter_number_32(name) : filter_number(name);
}

/* --- runs ------------------------------------------------------------------------------------- */

struct run *filter_start(struct grade *g, struct run *room, const char *const *arguments)
{
    struct run *run = run_start(g, &(struct run_options){.arguments = arguments, .beside = room});

    run_payload(run);
    return run;
}

struct run *filter_start_without(struct grade *g, struct run *room, const char *const *arguments)
{
    const char *all[32] = {"--security-opt", "seccomp=unconfined"};

    for (size_t i = 0; arguments != NULL && arguments[i] != NULL && i < 28; i++)
        all[i + 2] = arguments[i];
    return filter_start(g, room, all);
}

static struct kernel_status status_of(struct grade *g, pid_t pid)
{
    struct kernel_status status;
    int result = kernel_status_read(pid, &status);

    if (result == -ESRCH)
        fail(g, .because = "payload-gone", .expected = say(g, "process %d still runs", pid),
             .kernel = say(g, "/proc/%d is gone", pid), .see = "make trace10");
    if (result < 0)
        grade_error(g, result, "cannot read /proc/%d/status", pid);
    kernel_status_free(&status); /* what it points to; the numbers stay */
    return status;
}

void filter_check_loaded(struct run *room, struct run *run)
{
    struct grade *g = run_grade(run);
    pid_t pid = run_payload(run)->pid;
    struct kernel_status outside = status_of(g, run_payload(room)->pid), inside = status_of(g, pid);
    int before = outside.seccomp_filters;
    const char *see = "lab10 grep -E 'NoNewPrivs|Seccomp' /proc/self/status";

    expect(g, inside.seccomp == 2, .because = "no-filter",
           .expected = say(g, "/proc/%d/status of COMMAND: Seccomp: 2 (filter)", pid),
           .kernel = say(g, "it says Seccomp: %d: COMMAND runs without a filter", inside.seccomp),
           .see = see);
    if (before >= 0) /* since Linux 5.9 */
        expect(g, inside.seccomp_filters == before + 1, .because = "filters",
               .expected = say(g, "Seccomp_filters: %d, one more than outside", before + 1),
               .kernel = say(g, "it says Seccomp_filters: %d: the filter was loaded %s",
                             inside.seccomp_filters,
                             inside.seccomp_filters > before ? "more than once" : "elsewhere"),
               .see = see);
    expect(g, inside.no_new_privs == 1, .because = "no-nnp", .expected = "NoNewPrivs: 1",
           .kernel = say(g, "it says NoNewPrivs: %d", inside.no_new_privs), .see = see);
}

/* --- victims ---------------------------------------------------------------------------------- */

void filter_draw(struct grade *g, struct victim victims[VICTIMS])
{
    static const struct victim pool[] = {
        {"sysinfo", "1", 0},
        {"getcwd", "0 0", 0},
        {"sched_yield", "", 0},
        {"sched_getscheduler", "0", 0},
        {"capget", "0 0", 0},
        {"getpriority", "0 0", 0},
        {"times", "1", 0},
        {"getitimer", "9 0", 0},
        {"sched_get_priority_max", "0", 0},
        {"mincore", "1 1 0", 0},
        {"getrusage", "0 1", 0},
        {"flock", "99 8", 0},
        {"inotify_init1", "524288", 0},
        {"timerfd_create", "1 0", 0},
    };
    static const int errors[] = {EDOM,  EXDEV,  EPIPE, ELOOP, ENOLINK, EISDIR, ENOTDIR,
                                 ESRCH, EMFILE, ENXIO, EIO,   ECOMM,   ESTALE, EOVERFLOW};
    enum { POOL = sizeof pool / sizeof *pool, ERRORS = sizeof errors / sizeof *errors };
    uint32_t call = grade_random(g, POOL), error = grade_random(g, ERRORS);

    for (uint32_t i = 0; i < VICTIMS; i++) {
        victims[i] = pool[(call + 5 * i) % POOL];
        victims[i].error = errors[(error + 3 * i) % ERRORS];
    }
    /* One that does not fit into a byte; the kernel has none of these itself. */
    victims[grade_random(g, VICTIMS)].error = grade_between(g, 600, 3999);
}

const char *const *filter_refusing(struct grade *g, const struct victim victims[VICTIMS],
                                   const char *const *first)
{
    static const char *all[32];
    size_t count = 0;

    for (; *first != NULL && count < 20; first++)
        all[count++] = *first;
    for (size_t i = 0; i < VICTIMS; i++) {
        all[count++] = "--seccomp-deny";
        all[count++] = say(g, "%s=%s", victims[i].name, filter_error_name(g, victims[i].error));
    }
    all[count] = NULL;
    return all;
}

void filter_check_victims(struct run *room, struct run *run, const struct victim victims[VICTIMS],
                          const char *because, const char *who)
{
    struct grade *g = run_grade(run);

    for (size_t i = 0; i < VICTIMS; i++) {
        const struct victim *v = &victims[i];
        int number = filter_number(v->name);
        struct attempt outside = filter_try(room, "call %d %s", number, v->arguments);
        struct attempt inside = filter_try(run, "call %d %s", number, v->arguments);
        if (outside.error != 0 || outside.signal != 0 || outside.result == -v->error)
            grade_error(g, -outside.error, "%s does not work outside", v->name);
        expect(g, inside.error == 0 && inside.signal == 0 && inside.result == -v->error,
               .because = because,
               .expected =
                   say(g, "%s is refused with %s%s", v->name, filter_error_name(g, v->error), who),
               .kernel = v->error > UINT8_MAX && inside.result == -(v->error & UINT8_MAX)
                             ? say(g, "%s: its lowest byte, %d", v->name, (int)-inside.result)
                             : filter_told(g, v->name, &outside, &inside),
               .see = say(g, "lab10 --seccomp-open --seccomp-deny mkdir=EDOM mkdir /tmp/x"));
    }
}

/* --- the steps -------------------------------------------------------------------------------- */

static const struct step steps[] = {
    {.number = 1,
     .slug = "filter",
     .title = "a filter after no_new_privs, right before exec",
     .points = 20,
     .needs = NEED_USERNS | NEED_SECCOMP,
     .chapter = "filter",
     .man = "seccomp(2), seccomp_rule_add(3), seccomp_load(3)",
     .run = filter_stepfilter},
    {.number = 2,
     .slug = "threads",
     .title = "on every thread",
     .points = 15,
     .needs = NEED_USERNS | NEED_SECCOMP,
     .after = {1},
     .chapter = "threads",
     .man = "seccomp(2), SECCOMP_FILTER_FLAG_TSYNC; seccomp_attr_set(3)",
     .run = filter_stepthreads},
    {.number = 3,
     .slug = "architecture",
     .title = "system calls of a foreign architecture are refused",
     .points = 20,
     .needs = NEED_USERNS | NEED_SECCOMP | NEED_FOREIGN,
     .after = {1},
     .chapter = "architecture",
     .man = "seccomp_arch_add(3), seccomp_attr_set(3); seccomp(2), NOTES",
     .run = filter_steparchitecture},
    {.number = 4,
     .slug = "namespaces",
     .title = "no new namespaces by clone, clone3 or unshare",
     .points = 25,
     .needs = NEED_USERNS | NEED_SECCOMP,
     .after = {1},
     .chapter = "namespaces",
     .man = "clone(2), unshare(2), setns(2); seccomp_rule_add(3)",
     .run = filter_stepnamespaces},
    {.number = 5,
     .slug = "profile",
     .title = "the default profile lets BusyBox work",
     .points = 20,
     .needs = NEED_USERNS | NEED_SECCOMP,
     .after = {1},
     .chapter = "profile",
     .man = "seccomp_rule_add(3), RETURN VALUE; syscalls(2)",
     .run = filter_stepprofile},
};

LAB(.name = "10-seccomp", .title = "fewer system calls", .steps = steps,
    .count = sizeof steps / sizeof *steps);
