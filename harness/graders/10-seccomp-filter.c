/* Lab 10, step 1: the filter is there, it does what it was told, and nothing comes after it. */
#include "graders/10-seccomp.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "grade/mounts.h"
#include "grade/trace.h"

/* One call is allowed by name, which it is anyway: libseccomp refuses such a rule (-EACCES). */
static const char *const open_to_all[] = {"--seccomp-open", "--seccomp-allow-namespaces",
                                          "--seccomp-allow", "umask", NULL};

/* --- the order, as the kernel was asked ------------------------------------------------------- */

static bool loads_filter(const struct trace_call *call)
{
    if (!call->done || call->result != 0)
        return false;
    return (call->number == SYS_seccomp && call->args[0] == SECCOMP_SET_MODE_FILTER) ||
           (call->number == SYS_prctl && call->args[0] == PR_SET_SECCOMP &&
            call->args[1] == SECCOMP_MODE_FILTER);
}

/* Calls that change what a process may do or what it sees. */
static const char *changes(const struct trace_call *call)
{
    static const struct {
        long number;
        const char *name;
    } table[] = {{SYS_mount, "mount"},           {SYS_umount2, "umount2"},
                 {SYS_pivot_root, "pivot_root"}, {SYS_chroot, "chroot"},
                 {SYS_chdir, "chdir"},           {SYS_setns, "setns"},
                 {SYS_unshare, "unshare"},       {SYS_setgroups, "setgroups"},
                 {SYS_setresgid, "setresgid"},   {SYS_setresuid, "setresuid"},
                 {SYS_setuid, "setuid"},         {SYS_setgid, "setgid"},
                 {SYS_capset, "capset"},         {SYS_sethostname, "sethostname"}};

    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (call->number == (uint64_t)table[i].number)
            return table[i].name;
    if (call->number == SYS_prctl &&
        (call->args[0] == PR_SET_NO_NEW_PRIVS || call->args[0] == PR_CAPBSET_DROP))
        return call->args[0] == PR_SET_NO_NEW_PRIVS ? "prctl(PR_SET_NO_NEW_PRIVS)"
                                                    : "prctl(PR_CAPBSET_DROP)";
    return loads_filter(call) ? "the load of another filter" : NULL;
}

/* The first load before `exec`: by the process itself, or else by a thread that it made for that
 * and which gave the filter to all. (That COMMAND has it, filter_check_loaded sees.) */
static size_t find_load(const struct trace *trace, size_t exec, pid_t pid)
{
    size_t own = exec, another = exec;

    for (size_t i = exec; i-- > 0;) {
        const struct trace_call *call = trace_at(trace, i);
        if (loads_filter(call) && call->pid == pid)
            own = i;
        else if (loads_filter(call))
            another = i;
    }
    return own < exec ? own : another;
}

static void check_order(struct grade *g, const struct trace *trace, pid_t pid)
{
    size_t count = trace_count(trace), exec = count, load = count, nnp = count;
    static const char see[] = "make trace10";

    for (size_t i = 0; i < count; i++) {
        const struct trace_call *call = trace_at(trace, i);
        if (call->pid != pid)
            continue;
        if (call->number == SYS_execve && call->done && call->result == 0 &&
            strstr(call->paths[0], "probe") != NULL)
            exec = i;
        if (nnp == count && call->number == SYS_prctl && call->args[0] == PR_SET_NO_NEW_PRIVS &&
            call->args[1] == 1 && call->done && call->result == 0)
            nnp = i;
    }
    expect(g, exec < count, .because = "not-followed",
           .expected = say(g, "process %d executes COMMAND", pid),
           .kernel = "the trace of your program and its children does not have that exec",
           .see = see);
    load = find_load(trace, exec, pid);
    expect(g, load < exec, .because = "no-filter",
           .expected = say(g, "process %d loads a filter before it executes COMMAND", pid),
           .kernel = "in the trace no seccomp(SECCOMP_SET_MODE_FILTER) of it succeeds before exec",
           .see = see);
    expect(g, nnp < load, .because = "too-early",
           .expected = "prctl(PR_SET_NO_NEW_PRIVS) first, then the filter",
           .kernel = nnp < count ? "the filter comes first"
                                 : "the process that executes COMMAND never sets it",
           .see = see);
    for (size_t i = load + 1; i < exec; i++) {
        const struct trace_call *call = trace_at(trace, i);
        const char *what = call->pid == pid ? changes(call) : NULL;
        expect(g, what == NULL, .because = "not-last",
               .expected = "the filter is the last thing before a clean start and exec",
               .kernel = say(g, "after it comes %s", what), .see = see);
    }
}

static void check_traced(struct grade *g, struct run *room, const struct victim *victims)
{
    struct trace *trace;
    struct run *run =
        trace_start(g,
                    &(struct run_options){.arguments = filter_refusing(g, victims, open_to_all),
                                          .beside = room},
                    &trace);
    pid_t pid = run_payload(run)->pid;

    trace_finish(trace);
    check_order(g, trace, pid);
    filter_check_loaded(room, run);
}

/* With no_new_privs a filter needs no power at all. */
static void check_ordinary(struct grade *g, struct run *room, const struct victim *victims)
{
    struct run *run =
        run_start(g, &(struct run_options){.arguments = filter_refusing(g, victims, open_to_all),
                                           .beside = room,
                                           .user = (unsigned)grade_between(g, 1000, 9000)});

    run_payload(run);
    filter_check_loaded(room, run);
    filter_check_victims(room, run, victims, "not-refused", ", for an ordinary user's COMMAND too");
}

/* --- errors ----------------------------------------------------------------------------------- */

/* Root of a user namespace may load a filter without no_new_privs. The contract says no. */
static void check_needs_nnp(struct grade *g, struct run *room)
{
    const char *const arguments[] = {"--unlimited",
                                     "--allow-new-privs",
                                     "--seccomp-open",
                                     "--seccomp-allow-namespaces",
                                     "--",
                                     "/strata/busybox",
                                     "cat",
                                     "/proc/self/status",
                                     NULL};
    const char *const options[] = {arguments[0], arguments[1], arguments[2], arguments[3], NULL};
    struct run *without = filter_start_without(g, room, options);
    struct attempt own = filter_try(without, "filter 0");
    const char *said;

    if (own.error != 0 || own.signal != 0 || own.result != 0)
        grade_error(g, (int)own.result, "a root without no_new_privs may not load a filter here");
    int status = outside_run(room, &(struct run_options){.arguments = arguments}, &said);
    bool set = strstr(said, "NoNewPrivs:\t1") != NULL;
    expect(g, status == NOT_STARTED && strstr(said, strerror(EPERM)) != NULL,
           .because = set ? "sets-nnp" : "needs-no-nnp",
           .expected = "without no_new_privs filter_load is -EPERM, and the start ends with 125",
           .kernel = say(g, "status %d: %s", status,
                         status == NOT_STARTED ? "and another error than EPERM"
                         : set                 ? "no_new_privs was set on the way, unasked"
                               : "COMMAND runs, and could still gain powers by exec"),
           .see = "lab10 --unlimited --allow-new-privs true; echo $?");
}

/* Refused means not loaded: under a filter that refuses write, the news of the failure would not
 * come through. */
static void check_not_loaded(struct grade *g, struct run *room)
{
    const char *const arguments[] = {"--unlimited",
                                     "--allow-new-privs",
                                     "--seccomp-open",
                                     "--seccomp-allow-namespaces",
                                     "--seccomp-deny",
                                     "write=EDOM",
                                     "--",
                                     "/strata/busybox",
                                     "true",
                                     NULL};
    const char *said;
    int status = outside_run(room, &(struct run_options){.arguments = arguments}, &said);

    expect(g, status == NOT_STARTED && strstr(said, strerror(EPERM)) != NULL,
           .because = "loaded-first",
           .expected = "without no_new_privs filter_load is -EPERM, and nothing is loaded",
           .kernel = say(g,
                         "status %d; with --seccomp-deny write=EDOM the news of it can't be "
                         "written: the filter is there",
                         status),
           .see = "lab10 --unlimited --allow-new-privs --seccomp-open --seccomp-deny write true");
}

/* Under a filter of ours in which seccomp(2) itself fails. */
static void check_error_passed_on(struct grade *g, struct run *room)
{
    const char *const arguments[] = {"--refuse-filters",
                                     say(g, "/strata/lab10"),
                                     "--seccomp-open",
                                     "--seccomp-allow-namespaces",
                                     "--",
                                     "/strata/busybox",
                                     "true",
                                     NULL};
    const char *said;
    int status = outside_run(
        room, &(struct run_options){.program = "/strata/probe", .arguments = arguments}, &said);

    expect(g, status == NOT_STARTED, .because = "error-ignored",
           .expected = "where the kernel takes no filter, filter_load fails: 125",
           .kernel = say(g, "exit status %d: COMMAND ran without the filter", status),
           .see = "seccomp_load(3), RETURN VALUE");
}

void filter_stepfilter(struct grade *g)
{
    struct victim victims[VICTIMS];
    struct run *room = outside_open(g, false);

    filter_draw(g, victims);
    struct run *run = filter_start(g, room, filter_refusing(g, victims, open_to_all));
    filter_check_loaded(room, run);
    filter_check_victims(room, run, victims, "not-refused", "");

    /* What was not named is as it was: another three. */
    struct victim others[VICTIMS];
    for (size_t i = 0; i < VICTIMS; i++) {
        static const struct victim free_ones[VICTIMS] = {
            {"getpid", "", 0}, {"umask", "18", 0}, {"setns", "99 0", 0}};
        others[i] = free_ones[i];
        int number = filter_number(others[i].name);
        struct attempt outside = filter_try(room, "call %d %s", number, others[i].arguments);
        struct attempt inside = filter_try(run, "call %d %s", number, others[i].arguments);
        expect(g, filter_same(&outside, &inside), .because = "too-much",
               .expected = say(g, "%s, which nobody refuses, answers as outside: %s",
                               others[i].name, filter_attempt_text(g, &outside)),
               .kernel = say(g, "%s: %s", others[i].name, filter_attempt_text(g, &inside)),
               .see = "lab10 --seccomp-open --seccomp-deny mkdir=EDOM ls /");
    }
    if (run_ids(g) > 1)
        check_ordinary(g, room, victims);
    check_traced(g, room, victims);
    check_needs_nnp(g, room);
    check_not_loaded(g, room);
    check_error_passed_on(g, room);
}
