/*
 * Lab 02: a host name and queues of its own.
 *
 * "Inside only" is graded as what it says: changed inside, and unchanged outside. Outside is the
 * room that the student's program runs in (harness/sandbox/sandbox.h).
 */
#include <errno.h>
#include <mqueue.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "grade/facts.h"
#include "grade/run.h"
#include "grade/step.h"
#include "kernel/inside.h"
#include "kernel/namespace.h"
#include "kernel/own.h"

enum { NAME_MAX_BYTES = 64 /* __NEW_UTS_LEN of the kernel */ };

static struct run *run_with(struct grade *g, const char *option, const char *value)
{
    const char *const arguments[] = {option, value, NULL};

    return run_start(g, &(struct run_options){.arguments = arguments});
}

/* A room in which nothing has happened yet, to see what it was like before: the probe, started
 * without anybody to talk to, ends at once. */
static struct run *fresh_room(struct grade *g)
{
    return run_start(g, &(struct run_options){.program = "/strata/probe", .no_command = true});
}

/* A start that must be refused with the kernel's own words, and COMMAND not run. */
struct refusal {
    const char *const *arguments;
    const char *what;                       /* "a host name of 65 bytes"             */
    const char *function;                   /* whose error it is                     */
    const char *error;                      /* "Invalid argument"                    */
    const char *not_refused, *wrong_error;  /* because                               */
    const char *see;
    /* Looks closer when it was not refused, for the verdict; NULL: no need. */
    const char *(*started)(struct grade *g, const struct refusal *refusal);
};

static void close_fd(void *fd)
{
    close((int)(intptr_t)fd);
}

/* The error that a function returned, in the words of the lab program, from what it printed. */
static const char *error_in(struct grade *g, const char *printed, const char *function)
{
    const char *start = say(g, "lab02: %s: ", function);
    const char *line = strstr(printed, start);

    if (line == NULL)
        return "nothing that the lab program heard of";
    return say(g, "%.*s", (int)strcspn(line + strlen(start), "\n"), line + strlen(start));
}

static void check_refused(struct grade *g, const struct refusal *refusal)
{
    const char *const command[] = {"/strata/probe", NULL};
    int errors = memfd_create("errors", MFD_CLOEXEC); /* of this run, not of the whole step */
    char printed[4096];

    if (errors < 0)
        grade_error(g, -errno, "no memory file for what a program prints");
    grade_defer(g, close_fd, (void *)(intptr_t)errors);
    struct run *run = run_start(g, &(struct run_options){.arguments = refusal->arguments,
                                                         .command = command,
                                                         .fds = &(struct room_fd){errors, 2},
                                                         .fd_count = 1});
    int status = run_exit_status(run);
    ssize_t length = pread(errors, printed, sizeof printed - 1, 0);
    printed[length > 0 ? length : 0] = '\0';
    grade_log(g, printed, strlen(printed));

    if (status != 125)
        fail(g, .because = refusal->not_refused,
             .expected = say(g, "%s ends the start: exit status 125", refusal->what),
             .kernel = refusal->started != NULL
                           ? refusal->started(g, refusal)
                           : say(g, "exit status %d: COMMAND was started all the same", status),
             .see = refusal->see);
    const char *error = error_in(g, printed, refusal->function);
    expect(g, strcmp(error, refusal->error) == 0, .because = refusal->wrong_error,
           .expected = say(g, "%s: the kernel's own error is passed on, \"%s\"", refusal->what,
                           refusal->error),
           .kernel = say(g, "%s returned \"%s\"", refusal->function, error), .see = refusal->see);
}

/* --- names ---------------------------------------------------------------------------------- */

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
    struct run *room = fresh_room(g);
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
    check_name(g, kind, say(g, "%s-%d.%s_%s.X", grade_word(g, 4), grade_between(g, 10, 99),
                            grade_word(g, 3), grade_word(g, 2)));
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
               .expected = say(g, "without further options, COMMAND's %s namespace is that of "
                                  "outside", kept[i]),
               .kernel = say(g, "/proc/%d/ns/%s -> %s, outside %s", payload->pid, kept[i],
                             facts_namespace(g, payload->pid, kept[i]),
                             facts_namespace(g, run_outside_pid(run), kept[i])),
               .see = say(g, "lab02 readlink /proc/self/ns/%s", kept[i]));

    run = run_with(g, "--new", "cgroup"); /* layer 01 has put a flag there first */
    payload = run_payload(run);
    expect(g, kernel_ns(payload->pid, "cgroup", &inside) < 0 ||
                  kernel_ns(run_outside_pid(run), "cgroup", &outside) < 0 ||
                  !kernel_ns_equal(inside, outside),
           .because = "lost-flags",
           .expected = "--new cgroup still gives a cgroup namespace: flags of other layers stay",
           .kernel = say(g, "/proc/%d/ns/cgroup -> %s, the same as outside", payload->pid,
                         facts_namespace(g, payload->pid, "cgroup")),
           .see = "lab02 --new cgroup readlink /proc/self/ns/cgroup");
    facts_own_namespace(run, "uts");
}

static void step_host_name(struct grade *g)
{
    check_names(g, &host_name);
    check_flags(g);
}

static void step_domain_name(struct grade *g)
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

    check_refused(g, &(struct refusal){
                         .arguments = arguments,
                         .what = say(g, "a %s of %zu bytes", kind->what, length),
                         .function = kind->function,
                         .error = "Invalid argument",
                         .not_refused = "not-refused",
                         .wrong_error = "wrong-error",
                         .see = say(g, "lab02 %s $(printf %%0%zud 0) -- true; echo $?",
                                    kind->option, length),
                         .started = started_as,
                     });
}

static void step_too_long(struct grade *g)
{
    /* First the presence: a name that is not too long is taken. */
    check_name(g, &host_name, grade_word(g, NAME_MAX_BYTES));
    check_too_long(g, &host_name, NAME_MAX_BYTES + 1);
    check_too_long(g, &domain_name, NAME_MAX_BYTES + 1);
    check_too_long(g, &host_name, (size_t)grade_between(g, 2 * NAME_MAX_BYTES, 300));
    check_too_long(g, &domain_name, (size_t)grade_between(g, 2 * NAME_MAX_BYTES, 300));
}

/* --- System V ------------------------------------------------------------------------------- */

struct sysv_kind {
    const char *name; /* of the table, and for --taken */
    const char *file;
    const char *what;
    const char *measure; /* what the column after the mode holds; NULL: of no interest */
};

static const struct sysv_kind sysv[] = {
    {"msg", "/proc/sysvipc/msg", "message queue", NULL},
    {"shm", "/proc/sysvipc/shm", "shared memory segment", "bytes"},
    {"sem", "/proc/sysvipc/sem", "semaphore set", "semaphores"},
};

/* A row of /proc/sysvipc/KIND begins with key, identifier, mode (octal), and then what there is of
 * it. */
struct sysv_row {
    int key, id;
    unsigned mode;
    long measure;
};

/* The row with this key; false when there is none. */
static bool find_key(const char *table, int key, struct sysv_row *row)
{
    for (const char *line = strchr(table, '\n'); line != NULL; line = strchr(line + 1, '\n'))
        if (sscanf(line, "%d %d %o %ld", &row->key, &row->id, &row->mode, &row->measure) == 4 &&
            row->key == key)
            return true;
    return false;
}

static const char *sysv_table(struct grade *g, pid_t pid, int pidfd, const struct sysv_kind *kind)
{
    return facts_read_within(g, pid, pidfd, CLONE_NEWUSER | CLONE_NEWIPC, kind->file);
}

static void check_object(struct run *run, const struct sysv_kind *kind, int key)
{
    struct grade *g = run_grade(run);
    const struct payload *payload = run_payload(run);
    const char *see = say(g, "lab02 --ipc 0x%x -- cat %s", key, kind->file);
    long wanted = strcmp(kind->name, "shm") == 0 ? sysconf(_SC_PAGESIZE) : 1;
    struct sysv_row row;

    expect(g,
           !find_key(sysv_table(g, run_outside_pid(run), run_outside_pidfd(run), kind), key, &row),
           .because = "ipc-outside", .expected = say(g, "no %s with key 0x%x outside", kind->what, key),
           .kernel = say(g, "%s outside has key %d, identifier %d", kind->file, key, row.id),
           .see = say(g, "cat %s in make shell02, after the program ran", kind->file));
    expect(g, find_key(sysv_table(g, payload->pid, payload->pidfd, kind), key, &row),
           .because = say(g, "no-%s", kind->name),
           .expected = say(g, "a %s with key 0x%x inside", kind->what, key),
           .kernel = say(g, "%s inside has no line that begins with %d", kind->file, key),
           .see = see);
    expect(g, (row.mode & 0777) == 0600, .because = "ipc-mode",
           .expected = say(g, "the %s has mode 0600", kind->what),
           .kernel = say(g, "%s inside: mode 0%o", kind->file, row.mode & 0777), .see = see);
    expect(g, kind->measure == NULL || row.measure == wanted, .because = "ipc-size",
           .expected = say(g, "the %s holds %ld %s", kind->what, wanted, kind->measure),
           .kernel = say(g, "%s inside: %ld %s", kind->file, row.measure, kind->measure),
           .see = see);
}

/* One of the three exists already: the kernel must be asked to say so, and heard. */
static void check_taken(struct grade *g, const struct sysv_kind *kind)
{
    int key = grade_between(g, 0x100, 0x7fffffff);
    const char *const arguments[] = {"--taken", say(g, "%s:%d", kind->name, key), "--ipc",
                                     say(g, "%d", key), NULL};

    check_refused(g, &(struct refusal){
                         .arguments = arguments,
                         .what = say(g, "a %s whose key is taken", kind->what),
                         .function = "ipc_create_sysv",
                         .error = "File exists",
                         .not_refused = "ipc-taken",
                         .wrong_error = "ipc-error",
                         .see = say(g, "lab02 --taken %s:87 --ipc 87 -- true; echo $?", kind->name),
                     });
}

static void step_sysv(struct grade *g)
{
    /* A key is 32 bits; the tables show the upper half of them as negative numbers. */
    const int keys[] = {grade_between(g, 0x10000, 0x7fffffff), -grade_between(g, 1, 0x7fffffff)};

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        struct run *run = run_with(g, "--ipc", say(g, "0x%x", keys[i]));
        for (size_t k = 0; k < sizeof sysv / sizeof *sysv; k++)
            check_object(run, &sysv[k], keys[i]);
        facts_own_namespace(run, "ipc");
    }
    facts_own_namespace(run_start(g, &(struct run_options){0}), "ipc"); /* asked for or not */
    for (size_t k = 0; k < sizeof sysv / sizeof *sysv; k++)
        check_taken(g, &sysv[k]);
}

/* --- POSIX ---------------------------------------------------------------------------------- */

/* Runs in the namespace that is asked: "MAXMSG MSGSIZE MODE", or nothing when there is no such queue. */
static int look_at_queue(void *arg, int out)
{
    const char *name = arg;
    struct mq_attr attributes;
    struct stat st;
    char text[96];
    mqd_t queue = mq_open(name, O_RDONLY | O_CLOEXEC);

    if (queue < 0)
        return errno == ENOENT ? 0 : -errno;
    if (mq_getattr(queue, &attributes) < 0 || fstat(queue, &st) < 0)
        return -errno;
    int length = snprintf(text, sizeof text, "%ld %ld %o", attributes.mq_maxmsg,
                          attributes.mq_msgsize, st.st_mode & 0777);
    return kernel_write_all(out, text, (size_t)length);
}

static const char *queue_at(struct grade *g, pid_t pid, int pidfd, const char *name)
{
    autofree char *text = NULL;
    size_t length;
    int result = kernel_inside(pidfd, pid, CLONE_NEWUSER | CLONE_NEWIPC, look_at_queue,
                               (void *)name, &text, &length);

    if (result < 0)
        grade_error(g, result, "cannot look for the queue %s of process %d", name, pid);
    return say(g, "%s", text);
}

static void check_queue(struct grade *g, int messages)
{
    const char *name = say(g, "/%s", grade_word(g, (size_t)grade_between(g, 4, 30)));
    struct run *run = run_with(g, "--mqueue", say(g, "%s:%d", name, messages));
    const struct payload *payload = run_payload(run);
    const char *inside = queue_at(g, payload->pid, payload->pidfd, name);
    const char *outside = queue_at(g, run_outside_pid(run), run_outside_pidfd(run), name);
    const char *wanted = say(g, "%d 64 600", messages);

    expect(g, outside[0] == '\0', .because = "mqueue-outside",
           .expected = say(g, "no message queue %s outside", name),
           .kernel = say(g, "there is one outside: it holds %s (messages, bytes, mode)", outside),
           .see = "ls /dev/mqueue in make shell02, after the program ran");
    expect(g, inside[0] != '\0', .because = "no-mqueue",
           .expected = say(g, "a message queue %s inside", name),
           .kernel = "mq_open inside says: No such file or directory",
           .see = "mount -t mqueue none DIR; ls DIR, as COMMAND");
    expect(g, strcmp(inside, wanted) == 0, .because = "mqueue-attributes",
           .expected = say(g, "it holds %s (messages, bytes each, mode)", wanted),
           .kernel = say(g, "mq_getattr inside says %s", inside),
           .see = "mq_getattr(3)");
    facts_own_namespace(run, "ipc");
}

/* A start with --mqueue that ends because the descriptor of the queue stays open is told by the
 * given code around the layer: COMMAND itself would not see it. */
static void check_closed(struct grade *g)
{
    const char *const arguments[] = {"--mqueue", say(g, "/%s:2", grade_word(g, 6)), NULL};
    const char *const command[] = {"/strata/busybox", "true", NULL};
    struct run *run = run_start(g, &(struct run_options){.arguments = arguments, .command = command});

    run_exit_status(run);
    expect(g, !run_said(run, "ipc_create_queue leaves descriptor"), .because = "mqueue-descriptor",
           .expected = "ipc_create_queue closes what it opened; the queue stays without it",
           .kernel = "after the call, the next descriptor has a higher number than before",
           .see = "make trace02: which mq_open has no close?");
}

static void check_queue_refused(struct grade *g, const char *const *arguments, const char *what,
                                const char *error, const char *see)
{
    check_refused(g, &(struct refusal){.arguments = arguments,
                                       .what = what,
                                       .function = "ipc_create_queue",
                                       .error = error,
                                       .not_refused = "mqueue-refused",
                                       .wrong_error = "mqueue-error",
                                       .see = see});
}

static void step_mqueue(struct grade *g)
{
    const char *name = say(g, "/%s", grade_word(g, 8));
    const char *const taken[] = {"--taken", say(g, "mqueue:%s", name), "--mqueue",
                                 say(g, "%s:3", name), NULL};
    /* fs.mqueue.msg_max of a new namespace is 10. */
    const char *const many[] = {"--mqueue", say(g, "%s:%d", name, grade_between(g, 11, 99)), NULL};

    check_closed(g);
    check_queue(g, grade_between(g, 2, 9));
    check_queue(g, 10);
    check_queue_refused(g, taken, "a message queue whose name is taken", "File exists",
                        "lab02 --taken mqueue:/a --mqueue /a:3 -- true; echo $?");
    check_queue_refused(g, many, "more messages than the namespace allows", "Invalid argument",
                        "lab02 --mqueue /a:11 -- true; echo $?");
}

static const struct step steps[] = {
    {.number = 1,
     .slug = "hostname",
     .title = "the host name changes inside only",
     .points = 25,
     .needs = NEED_USERNS,
     .chapter = "hostname",
     .man = "sethostname(2), uts_namespaces(7)",
     .run = step_host_name},
    {.number = 2,
     .slug = "domainname",
     .title = "the domain name too",
     .points = 15,
     .needs = NEED_USERNS,
     .chapter = "domainname",
     .man = "setdomainname(2)",
     .run = step_domain_name},
    {.number = 3,
     .slug = "too-long",
     .title = "a name too long is refused",
     .points = 15,
     .needs = NEED_USERNS,
     .after = {1, 2},
     .chapter = "too-long",
     .man = "sethostname(2), ERRORS; errno(3)",
     .run = step_too_long},
    {.number = 4,
     .slug = "sysv",
     .title = "System V queues, memory and semaphores inside only",
     .points = 25,
     .needs = NEED_USERNS,
     .chapter = "sysv",
     .man = "sysvipc(7), ipc_namespaces(7)",
     .run = step_sysv},
    {.number = 5,
     .slug = "mqueue",
     .title = "POSIX message queues inside only",
     .points = 20,
     .needs = NEED_USERNS | NEED_MQUEUE,
     .chapter = "mqueue",
     .man = "mq_overview(7), mq_open(3)",
     .run = step_mqueue},
};

LAB(.name = "02-uts-ipc", .title = "a host name and queues of its own", .steps = steps,
    .count = sizeof steps / sizeof *steps);
