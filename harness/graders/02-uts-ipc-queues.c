/* Lab 02, steps 4 and 5: the objects of an IPC namespace. */
#include "graders/02-uts-ipc.h"

#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "grade/facts.h"
#include "kernel/inside.h"
#include "kernel/own.h"

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
           .because = "ipc-outside",
           .expected = say(g, "no %s with key 0x%x outside", kind->what, key),
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

    uts_check_refused(
        g, &(struct refusal){
               .arguments = arguments,
               .what = say(g, "a %s whose key is taken", kind->what),
               .function = "ipc_create_sysv",
               .error = "File exists",
               .not_refused = "ipc-taken",
               .wrong_error = "ipc-error",
               .see = say(g, "lab02 --taken %s:87 --ipc 87 -- true; echo $?", kind->name),
           });
}

void uts_step_sysv(struct grade *g)
{
    /* A key is 32 bits; the tables show the upper half of them as negative numbers. */
    const int keys[] = {grade_between(g, 0x10000, 0x7fffffff), -grade_between(g, 1, 0x7fffffff)};

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        struct run *run = uts_run_with(g, "--ipc", say(g, "0x%x", keys[i]));
        for (size_t k = 0; k < sizeof sysv / sizeof *sysv; k++)
            check_object(run, &sysv[k], keys[i]);
        facts_own_namespace(run, "ipc");
    }
    facts_own_namespace(run_start(g, &(struct run_options){0}), "ipc"); /* asked for or not */
    for (size_t k = 0; k < sizeof sysv / sizeof *sysv; k++)
        check_taken(g, &sysv[k]);
}

/* --- POSIX ---------------------------------------------------------------------------------- */

/* Runs in the namespace that is asked: "MAXMSG MSGSIZE MODE", or nothing when there is no such
 * queue. */
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
    struct run *run = uts_run_with(g, "--mqueue", say(g, "%s:%d", name, messages));
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
           .kernel = say(g, "mq_getattr inside says %s", inside), .see = "mq_getattr(3)");
    facts_own_namespace(run, "ipc");
}

/* A start with --mqueue that ends because the descriptor of the queue stays open is told by the
 * given code around the layer: COMMAND itself would not see it. */
static void check_closed(struct grade *g)
{
    const char *const arguments[] = {"--mqueue", say(g, "/%s:2", grade_word(g, 6)), NULL};
    const char *const command[] = {"/strata/busybox", "true", NULL};
    struct run *run =
        run_start(g, &(struct run_options){.arguments = arguments, .command = command});

    run_exit_status(run);
    expect(g, !run_said(run, "ipc_create_queue leaves descriptor"), .because = "mqueue-descriptor",
           .expected = "ipc_create_queue closes what it opened; the queue stays without it",
           .kernel = "after the call, the next descriptor has a higher number than before",
           .see = "make trace02: which mq_open has no close?");
}

static void check_queue_refused(struct grade *g, const char *const *arguments, const char *what,
                                const char *error, const char *see)
{
    uts_check_refused(g, &(struct refusal){.arguments = arguments,
                                           .what = what,
                                           .function = "ipc_create_queue",
                                           .error = error,
                                           .not_refused = "mqueue-refused",
                                           .wrong_error = "mqueue-error",
                                           .see = see});
}

void uts_step_mqueue(struct grade *g)
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
