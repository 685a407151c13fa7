/* How layer 03 plugs in: a /proc of the container's own, and an init in COMMAND's place. */
#include "03-pid/given_wiring.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "03-pid/pid.h"
#include "given/options.h"

static bool nested;
static const char *proc_folder = "/proc"; /* below the container's root */

/* Without an init: COMMAND itself, looked for in the PATH of its own environment. */
static int execute(const struct container *container)
{
    environ = container->envp;
    execvp(container->argv[0], container->argv);
    return -errno;
}

static int going_on_without(const struct container *container, const char *function)
{
    return fprintf(stderr, "%s: %s is not written yet; going on without it\n", container->program,
                   function);
}

/* What the new process becomes with --init. */
static int be_init(void *arg)
{
    const struct container *container = arg;
    struct process_spec command = {
        .cgroup = -1,
        .argv = container->argv,
        .envp = container->envp,
        .stdio = {-1, -1, -1},
    };

    if (option_without("pid")) /* an init where it would not be PID 1 */
        return execute(container);
    int result = nested ? pid_nest(&command) : 0;
    if (result == STRATA_TODO)
        going_on_without(container, "pid_nest");
    else if (result < 0)
        return result;

    result = pid_init(&command);
    if (result != STRATA_TODO)
        return result;
    going_on_without(container, "pid_init");
    return execute(container);
}

static int set_init(struct container *container, const char *value)
{
    (void)value;
    container->main = be_init;
    container->main_arg = container;
    return 0;
}

static int set_nested(struct container *container, const char *value)
{
    nested = true;
    return set_init(container, value);
}

static int set_proc(struct container *container, const char *value)
{
    (void)container;
    proc_folder = value;
    return value[0] == '/' ? 0 : -EINVAL;
}

static int mount_proc(struct container *container)
{
    char path[PATH_MAX];

    if (snprintf(path, sizeof path, "%s%s", container->root, proc_folder) >= (int)sizeof path)
        return -ENAMETOOLONG;
    /* The root may come from an image of strangers: were /proc a link in it, the mount would land
     * wherever that points to. */
    int fd = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno != ENOENT) /* what is not there, mount(2) will say */
        return -errno;
    if (fd >= 0)
        close(fd);
    return pid_mount_proc(path);
}

static const struct layer_option options[] = {
    {"init", 0, NULL, "your init is PID 1 and starts COMMAND as PID 2", set_init},
    {"nested", 0, NULL, "--init, and COMMAND is PID 1 one level further in", set_nested},
    {"proc", 0, "DIR", "where the fresh proc goes, in place of /proc", set_proc},
    {0},
};

static const struct layer_hook hooks[] = {
    {START_PROC, "pid_mount_proc", mount_proc},
    {0},
};

const struct layer pid_layer = {
    .name = "pid", .options = options, .namespaces = pid_namespaces, .hooks = hooks};
