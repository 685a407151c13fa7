#include "grade/elsewhere.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "grade/caller.h"
#include "grade/elsewhere_plan.h"
#include "grade/lab.h"
#include "grade/report.h"
#include "kernel/own.h"
#include "vm/guest.h"

struct flight {
    struct elsewhere *home;
    struct guest guest;
    struct logring console; /* the kernel's last words */
    bool open;
    char where[64];
};

struct elsewhere {
    const struct grade_options *options;
    struct plan plan;
    struct flight flights[GUEST_CGROUPS];
    json_t *results[PLAN_LABS][STEP_MAX];
    int make; /* a pidfd of the make that runs us, or -1 */
};

/* --- what guests say ---------------------------------------------------------------------------
 */

static void take_console(void *arg, const char *text, size_t length)
{
    struct flight *flight = arg;

    logring_add(&flight->console, text, length);
}

/* One result: kept until the guest has ended well. A second one for the same step is ignored. */
static void take_message(void *arg, const char *message, size_t length)
{
    struct flight *flight = arg;
    struct elsewhere *e = flight->home;
    json_t *step = json_loadb(message, length, 0, NULL);
    const char *name = json_string_value(json_object_get(step, "lab"));
    size_t number = (size_t)json_integer_value(json_object_get(step, "number"));

    for (size_t i = 0; name && i < e->plan.count; i++) {
        const struct plan_lab *lab = &e->plan.labs[i];
        if (strcmp(lab->lab->name, name) != 0 || number < 1 || number > lab->lab->count ||
            lab->place[number - 1] != (int)(flight - e->flights) || e->results[i][number - 1])
            continue;
        e->results[i][number - 1] = json_incref(step);
    }
    json_decref(step);
}

/* --- starting them -----------------------------------------------------------------------------
 */

/* How long a guest may be silent, in milliseconds; 0: as usual. For tests. */
static int silence_allowed(void)
{
    const char *text = getenv("STRATA_GUEST_SECONDS");

    return text ? atoi(text) * 1000 : 0;
}

static void start(struct elsewhere *e, int place)
{
    struct flight *flight = &e->flights[place];
    struct guest_file files[PLAN_LABS];
    char paths[PLAN_LABS][64];
    bool kvm = guest_kvm(e->options->root);

    flight->home = e;
    flight->open = true;
    snprintf(flight->where, sizeof(flight->where), "in the guest (cgroup %s, %s)",
             guest_cgroup_name((enum guest_cgroup)place), kvm ? "KVM" : "TCG");
    autofree char *job = plan_job(&e->plan, e->options, place, flight->where);
    struct guest_options options = {
        .root = e->options->root,
        .cgroup = (enum guest_cgroup)place,
        .kvm = kvm,
        .job = job ? job : "",
        .files = files,
        .file_count = plan_files(&e->plan, e->options, place, files, paths),
        .silence_ms = silence_allowed(),
        .message = take_message,
        .console = take_console,
        .arg = flight,
    };
    if (guest_open(&options, &flight->guest) < 0)
        flight->guest.done = true; /* with its reason */
}

struct elsewhere *elsewhere_open(const struct lab *const *labs, size_t count,
                                 const struct grade_options *options, bool *usage, char *fault,
                                 size_t size)
{
    struct elsewhere *e = calloc(1, sizeof(*e));

    *usage = false;
    if (!e)
        return NULL;
    e->options = options;
    e->make = -1;
    if (plan_make(&e->plan, labs, count, options) < 0) {
        *usage = true;
        snprintf(fault, size, "VM=%s: 0, 1, v1, v2 or hybrid", getenv("VM"));
    }
    if (*usage || !e->plan.wanted) {
        free(e);
        return NULL;
    }
    if (e->plan.lacking)
        return e;
    e->make = caller_make();
    for (int place = 0; place < GUEST_CGROUPS; place++)
        for (size_t i = 0; i < e->plan.count; i++)
            if (plan_goes(&e->plan.labs[i], place) && !e->flights[place].open)
                start(e, place);
    return e;
}

/* --- results -----------------------------------------------------------------------------------
 */

static const struct plan_lab *planned(const struct elsewhere *e, const struct lab *lab)
{
    for (size_t i = 0; e && i < e->plan.count; i++)
        if (e->plan.labs[i].lab == lab)
            return &e->plan.labs[i];
    return NULL;
}

bool elsewhere_takes(const struct elsewhere *e, const struct lab *lab, size_t index)
{
    const struct plan_lab *entry = planned(e, lab);

    return entry && entry->place[index] != PLAN_HERE;
}

const char *elsewhere_where(const struct elsewhere *e, const struct lab *lab, size_t index)
{
    const char *where = e->flights[planned(e, lab)->place[index]].where;

    return where[0] ? where : "nowhere";
}

const char *elsewhere_summary(const struct elsewhere *e)
{
    int places = 0;
    const char *where = NULL;

    if (!e)
        return "here";
    for (int i = 0; i < GUEST_CGROUPS; i++) {
        places += e->flights[i].open;
        where = e->flights[i].open ? e->flights[i].where : where;
    }
    if (places == 0)
        return "here";
    if (e->plan.here)
        return "here and in a guest";
    return places == 1 ? where : "in guests";
}

/* Until the guest has ended; all guests are heard meanwhile. False when we are to stop. */
static bool await(struct elsewhere *e, struct flight *flight)
{
    while (!flight->guest.done) {
        struct pollfd make = {e->make, POLLIN, 0};
        for (int i = 0; i < GUEST_CGROUPS; i++)
            if (e->flights[i].open && !e->flights[i].guest.done)
                guest_pump(&e->flights[i].guest, &e->flights[i] == flight ? 100 : 0);
        if (poll(&make, 1, 0) > 0) /* nobody waits for this verdict any more */
            raise(SIGTERM);
        if (grade_interrupted())
            return false;
    }
    return true;
}

/* The line in which the kernel says why it gave up, or NULL. */
static const char *last_cry(const struct logring *console)
{
    for (size_t i = 0; i < logring_count(console); i++) {
        const char *panic = strstr(logring_line(console, i), "Kernel panic");
        if (panic)
            return panic;
    }
    return NULL;
}

static void blame(struct flight *flight, struct grade *g, struct result *result)
{
    logring_finish(&flight->console);
    const char *cry = last_cry(&flight->console);
    size_t count = logring_count(&flight->console);

    result->outcome = OUTCOME_ERROR;
    result->reason =
        arena_format(&g->arena, "%s%s%s", flight->guest.why, cry ? ": " : "", cry ? cry : "");
    result->log_of = "the guest's kernel";
    result->log = arena_take(&g->arena, sizeof(*result->log) * (count + 1));
    result->log_count = 0;
    result->log_total = flight->console.total;
    for (size_t i = 0; result->log && i < count; i++) {
        const char *line = logring_line(&flight->console, i);
        result->log[result->log_count++] = arena_copy(&g->arena, line, strlen(line));
    }
}

void elsewhere_fetch(struct elsewhere *e, struct grade *g, size_t index)
{
    struct result *result = &g->results[index];
    size_t lab = (size_t)(planned(e, g->lab) - e->plan.labs);

    if (e->plan.lacking) {
        result->outcome = OUTCOME_SKIP;
        const char *need = NULL;
        needs_missing(g->lab->steps[index].needs | NEED_USERNS, &need);
        result->reason = arena_format(&g->arena, "needs %s%s: %s", need ? need : "a guest",
                                      need ? ", here or in a guest" : "", e->plan.lacking);
        return;
    }
    struct flight *flight = &e->flights[e->plan.labs[lab].place[index]];
    if (!await(e, flight))
        return;
    if (flight->guest.good && e->results[lab][index])
        report_step_read(g, index, e->results[lab][index]);
    else if (flight->guest.good)
        result->reason = "the guest has no result of this step";
    else
        blame(flight, g, result);
}

void elsewhere_close(struct elsewhere *e)
{
    if (!e)
        return;
    for (int i = 0; i < GUEST_CGROUPS; i++)
        if (e->flights[i].open)
            guest_close(&e->flights[i].guest);
    for (size_t i = 0; i < e->plan.count; i++)
        for (size_t k = 0; k < STEP_MAX; k++)
            json_decref(e->results[i][k]);
    if (e->make >= 0)
        close(e->make);
    free(e);
}
