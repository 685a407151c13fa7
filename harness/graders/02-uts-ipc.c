/*
 * Lab 02: a host name and queues of its own.
 *
 * "Inside only" is graded as what it says: changed inside, and unchanged outside. Outside is the
 * room that the student's program runs in (harness/sandbox/sandbox.h).
 */
#include "graders/02-uts-ipc.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "grade/facts.h"

struct run *uts_run_with(struct grade *g, const char *option, const char *value)
{
    const char *const arguments[] = {option, value, NULL};

    return run_start(g, &(struct run_options){.arguments = arguments});
}

/* A room in which nothing has happened yet, to see what it was like before: the probe, started
 * without anybody to talk to, ends at once. */
struct run *uts_fresh_room(struct grade *g)
{
    return run_start(g, &(struct run_options){.program = "/strata/probe", .no_command = true});
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

void uts_check_refused(struct grade *g, const struct refusal *refusal)
{
    const char *const command[] = {"/strata/probe", NULL};
    int errors = memfd_create("errors", MFD_CLOEXEC); /* of this run, not of the whole step */
    char printed[4096];

    if (errors < 0)
        grade_error(g, -errno, "no memory file for what a program prints");
    facts_close_later(g, errors);
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

static const struct step steps[] = {
    {.number = 1,
     .slug = "hostname",
     .title = "the host name changes inside only",
     .points = 25,
     .needs = NEED_USERNS,
     .chapter = "hostname",
     .man = "sethostname(2), uts_namespaces(7)",
     .run = uts_step_host_name},
    {.number = 2,
     .slug = "domainname",
     .title = "the domain name too",
     .points = 15,
     .needs = NEED_USERNS,
     .chapter = "domainname",
     .man = "setdomainname(2)",
     .run = uts_step_domain_name},
    {.number = 3,
     .slug = "too-long",
     .title = "a name too long is refused",
     .points = 15,
     .needs = NEED_USERNS,
     .after = {1, 2},
     .chapter = "too-long",
     .man = "sethostname(2), ERRORS; errno(3)",
     .run = uts_step_too_long},
    {.number = 4,
     .slug = "sysv",
     .title = "System V queues, memory and semaphores inside only",
     .points = 25,
     .needs = NEED_USERNS,
     .chapter = "sysv",
     .man = "sysvipc(7), ipc_namespaces(7)",
     .run = uts_step_sysv},
    {.number = 5,
     .slug = "mqueue",
     .title = "POSIX message queues inside only",
     .points = 20,
     .needs = NEED_USERNS | NEED_MQUEUE,
     .chapter = "mqueue",
     .man = "mq_overview(7), mq_open(3)",
     .run = uts_step_mqueue},
};

LAB(.name = "02-uts-ipc", .title = "a host name and queues of its own", .steps = steps,
    .count = sizeof steps / sizeof *steps);
