/* The program around the layers: from the command line to the exit status. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "given/crash.h"
#include "given/layer.h"
#include "given/options.h"
#include "given/signals.h"

enum { HOOKS_MAX = 64 };

/* A hook of one layer, bound to the container it works for. */
struct bound_hook {
    const struct layer_hook *hook;
    struct container *container;
};

/* All hooks of the layers in use, in the start order, split where the new process begins. */
struct plan {
    struct bound_hook bound[HOOKS_MAX];
    struct process_hook parent[HOOKS_MAX + 1];
    struct process_hook child[HOOKS_MAX + 1];
    size_t count;
};

/* "Not written yet" is no failure: the rest of the container can still be seen and graded. */
static int unless_todo(const struct container *container, const char *function, int result)
{
    if (result != STRATA_TODO)
        return result;
    fprintf(stderr, "%s: %s is not written yet; going on without it\n", container->program,
            function);
    return 0;
}

static int call_hook(const struct process *process, void *arg)
{
    const struct bound_hook *bound = arg;

    if (process->pidfd >= 0) /* in the parent; the child knows itself by getpid() */
        bound->container->process = *process;
    return unless_todo(bound->container, bound->hook->name, bound->hook->run(bound->container));
}

static void plan_layer(struct plan *plan, struct container *container, const struct layer *layer)
{
    for (const struct layer_hook *hook = layer->hooks; hook != NULL && hook->run != NULL; hook++) {
        if (plan->count == HOOKS_MAX)
            abort(); /* a mistake of ours: the course has far fewer */
        plan->bound[plan->count++] = (struct bound_hook){hook, container};
    }
}

/* Sorts by phase, layers of one phase staying in their own order, and splits parent from child. */
static void plan_order(struct plan *plan)
{
    size_t parents = 0, children = 0;

    for (enum start_phase phase = START_ID_MAPS; phase <= START_SECCOMP; phase++) {
        for (size_t i = 0; i < plan->count; i++) {
            struct bound_hook *bound = &plan->bound[i];
            if (bound->hook->phase != phase)
                continue;
            struct process_hook hook = {bound->hook->name, call_hook, bound};
            if (phase < START_IDENTITY)
                plan->parent[parents++] = hook;
            else
                plan->child[children++] = hook;
        }
    }
}

/* What the parent does before there is a process: its control group and limits. */
static int before_clone(struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct bound_hook *bound = &plan->bound[i];
        if (bound->hook->phase != START_CGROUP)
            continue;
        int result =
            unless_todo(bound->container, bound->hook->name, bound->hook->run(bound->container));
        if (result < 0) {
            fprintf(stderr, "%s: %s: %s\n", bound->container->program, bound->hook->name,
                    strerror(-result));
            return result;
        }
    }
    return 0;
}

static int report_failure(const struct container *container, const struct process_failure *failure,
                          int error)
{
    const char *what = failure->stage == PROCESS_EXEC    ? container->argv[0]
                       : failure->stage == PROCESS_CLONE ? "cannot start a process"
                       : failure->hook[0] != '\0'        ? failure->hook
                                                         : "cannot prepare the process";

    if (error == STRATA_TODO) {
        fprintf(stderr, "%s: process_start is not written yet; nothing can start without it\n",
                container->program);
        return 125;
    }
    fprintf(stderr, "%s: %s: %s\n", container->program, what, strerror(-error));
    return process_failure_status(failure->stage, error);
}

/* fds 0, 1 and 2 must be taken, or the next file we open would become COMMAND's output. */
static void hold_stdio(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    while (fd >= 0 && fd <= 2);
    if (fd > 2)
        close(fd);
}

/* The terminal changed its size: nothing to do, but a wait is interrupted by it all the same. */
static void on_window_change(int number)
{
    (void)number;
}

static bool any_finish(const struct layer *const *layers)
{
    while (*layers != NULL && (*layers)->finish == NULL)
        layers++;
    return *layers != NULL;
}

/* What the layers made outlives COMMAND, but must not outlive us: the last layer's goes first. */
static void finish(const struct container *container, const struct layer *const *layers)
{
    size_t count = 0;

    while (layers[count] != NULL)
        count++;
    while (count-- > 0)
        if (layers[count]->finish != NULL && !option_without(layers[count]->name))
            layers[count]->finish(container);
}

static int run(struct container *container, const struct layer *const *layers)
{
    struct plan plan = {0};
    struct process_failure failure = {0};
    int status = 125;

    for (const struct layer *const *layer = layers; *layer != NULL; layer++) {
        if (option_without((*layer)->name))
            continue;
        if ((*layer)->namespaces != NULL) {
            int result = (*layer)->namespaces(&container->namespaces);
            if (unless_todo(container, (*layer)->name, result) < 0)
                return report_failure(container, &failure, result);
        }
        plan_layer(&plan, container, *layer);
    }
    plan_order(&plan);
    if (before_clone(&plan) < 0) {
        finish(container, layers);
        return 125;
    }
    if (any_finish(layers))
        signals_pass_on(container);

    struct process_spec spec = {
        .namespaces = container->namespaces,
        .cgroup = container->cgroup,
        .parent_hooks = plan.parent,
        .child_hooks = plan.child,
        .argv = container->argv,
        .envp = container->envp,
        .main = container->main,
        .main_arg = container->main_arg,
        .stdio = {-1, -1, -1},
    };
    int result = process_start(&spec, &container->process, &failure);
    if (result < 0) {
        status = report_failure(container, &failure, result);
    } else {
        signals_catch_up();
        result = process_wait(&container->process, &status);
        if (result < 0) {
            fprintf(stderr, "%s: process_wait: %s\n", container->program,
                    result == STRATA_TODO ? "not written yet" : strerror(-result));
            status = 125;
        }
        close(container->process.pidfd);
    }

    container->status = status;
    finish(container, layers);
    return status;
}

int lab_main(const struct lab_program *program, int argc, char **argv)
{
    struct container container = {
        .program = program->name, .cgroup = -1, .root = "", .process = {-1, -1}};

    hold_stdio();
    crash_report(program->name);
    sigaction(SIGWINCH, &(struct sigaction){.sa_handler = on_window_change}, NULL);
    signal(SIGCHLD, SIG_DFL); /* ignored, as some callers leave it, it would eat the exit status */

    for (const struct layer *const *layer = program->layers; *layer != NULL; layer++)
        if ((*layer)->prepare != NULL)
            (*layer)->prepare(&container);

    int status = options_parse(program, &container, argc, argv);
    return status >= 0 ? status : run(&container, program->layers);
}
