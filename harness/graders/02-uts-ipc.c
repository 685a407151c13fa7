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
#include <sys/stat.h>

#include "grade/facts.h"
#include "grade/run.h"
#include "grade/step.h"
#include "kernel/inside.h"
#include "kernel/own.h"

enum { NAME_MAX_BYTES = 64 /* __NEW_UTS_LEN of the kernel */ };

static struct run *run_with(struct grade *g, const char *option, const char *value)
{
    const char *const arguments[] = {option, value, NULL};

    return run_start(g, &(struct run_options){.arguments = arguments});
}

/* --- names ---------------------------------------------------------------------------------- */

struct name_kind {
    const char *option;
    const char *file; /* shows the name of the reader's UTS namespace */
    const char *what;
};

static const struct name_kind host_name = {"--hostname", "/proc/sys/kernel/hostname", "host name"};
static const struct name_kind domain_name = {"--domainname", "/proc/sys/kernel/domainname",
                                             "domain name"};

static const char *name_of(struct grade *g, pid_t pid, int pidfd, const struct name_kind *kind)
{
    return facts_word_within(g, pid, pidfd, CLONE_NEWUSER | CLONE_NEWUTS, kind->file);
}

static const char *name_outside(struct run *run, const struct name_kind *kind)
{
    return name_of(run_grade(run), run_outside_pid(run), run_outside_pidfd(run), kind);
}

/* A name appears inside as it was given, byte by byte, and outside all stays as it was. */
static void check_name(struct grade *g, const struct name_kind *kind, const char *name)
{
    struct run *run = run_with(g, kind->option, name);
    const char *before = name_outside(run, kind);
    const struct payload *payload = run_payload(run);
    const char *inside = name_of(g, payload->pid, payload->pidfd, kind);
    const char *after = name_outside(run, kind);

    expect(g, strcmp(after, before) == 0, .because = "outside-changed",
           .expected = say(g, "outside, the %s stays \"%s\"", kind->what, before),
           .kernel = say(g, "%s outside is now \"%s\"", kind->file, after),
           .see = say(g, "cat %s before and after, in make shell02", kind->file));
    facts_own_namespace(run, "uts");
    expect(g, strcmp(inside, name) == 0, .because = "wrong-name",
           .expected = say(g, "inside, the %s is \"%s\"", kind->what, name),
           .kernel = say(g, "%s inside is \"%s\"", kind->file, inside),
           .see = say(g, "lab02 %s %s -- cat %s", kind->option, name, kind->file));
}

static void step_host_name(struct grade *g)
{
    check_name(g, &host_name, grade_word(g, (size_t)grade_between(g, 5, 20)));
    check_name(g, &host_name, grade_word(g, NAME_MAX_BYTES)); /* the longest there is */
}

static void step_domain_name(struct grade *g)
{
    check_name(g, &domain_name, say(g, "%s.%s", grade_word(g, 6), grade_word(g, 3)));
    check_name(g, &domain_name, grade_word(g, NAME_MAX_BYTES));
}

/* --- too long ------------------------------------------------------------------------------- */

static void check_refused(struct grade *g, const struct name_kind *kind)
{
    size_t length = (size_t)grade_between(g, NAME_MAX_BYTES + 1, 3 * NAME_MAX_BYTES);
    const char *const arguments[] = {kind->option, grade_word(g, length), NULL};
    const char *const command[] = {"/strata/probe", NULL};
    struct run *run =
        run_start(g, &(struct run_options){.arguments = arguments, .command = command});
    int status = run_exit_status(run);

    expect(g, status == 125, .because = "not-refused",
           .expected = say(g, "a %s of %zu bytes ends the start: exit status 125", kind->what,
                           length),
           .kernel = say(g, "exit status %d: COMMAND was started all the same", status),
           .see = say(g, "lab02 %s $(printf %%0%zud 0) -- true; echo $?", kind->option, length));
    expect(g, run_said(run, "Invalid argument"), .because = "wrong-error",
           .expected = "the kernel's own error is passed on: Invalid argument (EINVAL)",
           .kernel = "the program failed with another one: its words are below",
           .see = "sethostname(2), ERRORS");
}

static void step_too_long(struct grade *g)
{
    /* First the presence: a name that is not too long is taken. */
    check_name(g, &host_name, grade_word(g, NAME_MAX_BYTES));
    check_refused(g, &host_name);
    check_refused(g, &domain_name);
}

/* --- System V ------------------------------------------------------------------------------- */

struct sysv_kind {
    const char *file;
    const char *what;
};

static const struct sysv_kind sysv[] = {
    {"/proc/sysvipc/msg", "message queue"},
    {"/proc/sysvipc/shm", "shared memory segment"},
    {"/proc/sysvipc/sem", "semaphore set"},
};

/* The line of /proc/sysvipc/KIND with this key (the first column), or NULL. */
static const char *find_key(struct grade *g, const char *table, int key)
{
    for (const char *line = strchr(table, '\n'); line != NULL; line = strchr(line, '\n')) {
        line++;
        if (*line != '\0' && strtol(line, NULL, 10) == key)
            return say(g, "%.*s", (int)strcspn(line, "\n"), line);
    }
    return NULL;
}

static const char *sysv_table(struct grade *g, pid_t pid, int pidfd, const struct sysv_kind *kind)
{
    return facts_read_within(g, pid, pidfd, CLONE_NEWUSER | CLONE_NEWIPC, kind->file);
}

/* The third number of each table's lines is the mode, in octal. */
static long mode_of(const char *line)
{
    char *end;

    strtol(line, &end, 10);
    strtol(end, &end, 10);
    return strtol(end, NULL, 8) & 0777;
}

static void step_sysv(struct grade *g)
{
    int key = grade_between(g, 0x10000, 0x7fffffff);
    struct run *run = run_with(g, "--ipc", say(g, "%d", key));
    const struct payload *payload = run_payload(run);

    for (size_t i = 0; i < sizeof sysv / sizeof *sysv; i++) {
        const struct sysv_kind *kind = &sysv[i];
        const char *inside = find_key(g, sysv_table(g, payload->pid, payload->pidfd, kind), key);
        const char *outside = find_key(
            g, sysv_table(g, run_outside_pid(run), run_outside_pidfd(run), kind), key);
        expect(g, outside == NULL, .because = "ipc-outside",
               .expected = say(g, "no %s with key 0x%x outside", kind->what, key),
               .kernel = say(g, "%s outside: %s", kind->file, outside),
               .see = say(g, "cat %s in make shell02, after the program ran", kind->file));
        expect(g, inside != NULL, .because = say(g, "no-%s", strrchr(kind->file, '/') + 1),
               .expected = say(g, "a %s with key 0x%x inside", kind->what, key),
               .kernel = say(g, "%s inside has no line that begins with %d", kind->file, key),
               .see = say(g, "lab02 --ipc 0x%x -- cat %s", key, kind->file));
        expect(g, mode_of(inside) == 0600, .because = "ipc-mode",
               .expected = say(g, "the %s has mode 0600", kind->what),
               .kernel = say(g, "%s inside: mode %lo", kind->file, mode_of(inside)),
               .see = say(g, "lab02 --ipc 0x%x -- cat %s", key, kind->file));
    }
    facts_own_namespace(run, "ipc");
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

static void step_mqueue(struct grade *g)
{
    const char *name = say(g, "/%s", grade_word(g, 8));
    int messages = grade_between(g, 2, 9);
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
     .after = {4},
     .chapter = "mqueue",
     .man = "mq_overview(7), mq_open(3)",
     .run = step_mqueue},
};

LAB(.name = "02-uts-ipc", .title = "a host name and queues of its own", .steps = steps,
    .count = sizeof steps / sizeof *steps);
