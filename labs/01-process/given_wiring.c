/* How layer 01 plugs in: what COMMAND starts with, and the questions about processes that it
 * answers. */
#include "01-process/given_wiring.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { ENVIRONMENT_MAX = 256, PEERS_MAX = 4096 };

/* --- what COMMAND starts with --------------------------------------------------------------- */

/* COMMAND's environment, from nothing: none of ours gets in by itself. */
static char *environment[ENVIRONMENT_MAX + 1] = {
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"};

static void prepare(struct container *container)
{
    container->envp = environment;
}

static int set_env(struct container *container, const char *value)
{
    (void)container;
    size_t length = strcspn(value, "=");
    size_t i = 0;

    if (length == 0 || value[length] != '=')
        return -EINVAL;
    while (environment[i] != NULL && (strncmp(environment[i], value, length + 1) != 0))
        i++;
    if (i == ENVIRONMENT_MAX)
        return -E2BIG;
    environment[i] = strdup(value);
    return environment[i] != NULL ? 0 : -ENOMEM;
}

/* --new KIND[,KIND...]: new namespaces, by the names of /proc/PID/ns. Later layers ask for theirs
 * themselves; this is for trying them one by one. */
static uint64_t new_namespaces;

static int set_new(struct container *container, const char *value)
{
    static const struct {
        const char *name;
        uint64_t flag;
    } kinds[] = {{"cgroup", CLONE_NEWCGROUP}, {"ipc", CLONE_NEWIPC}, {"mnt", CLONE_NEWNS},
                 {"net", CLONE_NEWNET},       {"pid", CLONE_NEWPID}, {"user", CLONE_NEWUSER},
                 {"uts", CLONE_NEWUTS}};

    (void)container;
    for (;;) {
        size_t length = strcspn(value, ","), i = 0;
        while (i < sizeof kinds / sizeof *kinds &&
               (strlen(kinds[i].name) != length || strncmp(kinds[i].name, value, length) != 0))
            i++;
        if (i == sizeof kinds / sizeof *kinds)
            return -EINVAL;
        new_namespaces |= kinds[i].flag;
        if (value[length] == '\0')
            return 0;
        value += length + 1;
    }
}

static int add_namespaces(uint64_t *flags)
{
    *flags |= new_namespaces;
    return 0;
}

/* --into FOLDER: the control group to be born into. Lab 11 makes groups, and has better words. */
static int set_into(struct container *container, const char *value)
{
    container->cgroup = open(value, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return container->cgroup < 0 ? -errno : 0;
}

/* --banner TEXT goes to stdio's buffer and is deliberately not flushed: whoever makes a process now
 * copies the buffer as well (step 2). */
static int print_banner(struct container *container, const char *value)
{
    (void)container;
    printf("%s\n", value);
    return 0;
}

/* --- holding a start ------------------------------------------------------------------------ */

/* --hold parent:FIFO and --hold child:FIFO stop the start in a hook until somebody opens FIFO for
 * writing, so that one can look around in /proc meanwhile. */
static const char *held_parent, *held_child;

static int set_hold(struct container *container, const char *value)
{
    (void)container;
    if (strncmp(value, "parent:", 7) == 0)
        held_parent = value + 7;
    else if (strncmp(value, "child:", 6) == 0)
        held_child = value + 6;
    else
        return -EINVAL;
    return 0;
}

static int hold(const char *fifo)
{
    int fd;

    if (fifo == NULL)
        return 0;
    do
        fd = open(fifo, O_RDONLY | O_CLOEXEC); /* returns once the other end is open: fifo(7) */
    while (fd < 0 && errno == EINTR);
    if (fd < 0)
        return -errno;
    close(fd);
    return 0;
}

static int hold_parent(struct container *container)
{
    (void)container;
    return hold(held_parent);
}

static int hold_child(struct container *container)
{
    (void)container;
    return hold(held_child);
}

/* --- questions ------------------------------------------------------------------------------ */

static int parse_pid(const char *value, pid_t *pid)
{
    char *end;

    errno = 0;
    long number = strtol(value, &end, 10);
    if (errno != 0 || end == value || (*end != '\0' && *end != ':') || number <= 0 ||
        number > INT_MAX)
        return -EINVAL;
    *pid = (pid_t)number;
    return 0;
}

/* --namespace PID:NAME prints "NAME MAJOR:MINOR INODE". */
static int show_namespace(struct container *container, const char *value)
{
    struct process_namespace id;
    const char *name = strchr(value, ':');
    pid_t pid;
    int result = name == NULL ? -EINVAL : parse_pid(value, &pid);

    (void)container;
    if (result == 0)
        result = process_namespace(pid, name + 1, &id);
    if (result < 0)
        return result;
    printf("%s %u:%u %" PRIu64 "\n", name + 1, major(id.device), minor(id.device),
           (uint64_t)id.inode);
    return OPTION_DONE;
}

/* --describe PID prints one "KEY VALUE" a line. */
static int show_process(struct container *container, const char *value)
{
    struct process_info info;
    pid_t pid;
    int result = parse_pid(value, &pid);

    (void)container;
    if (result == 0)
        result = process_describe(pid, &info);
    if (result < 0)
        return result;
    printf("name %s\nstate %c\nparent %d\nuser_ticks %llu\nsystem_ticks %llu\nthreads %lu\n"
           "resident_kib %lu\neffective_capabilities %016" PRIx64 "\ninnermost_pid %d\n",
           info.name, info.state, info.parent, info.user_ticks, info.system_ticks, info.threads,
           info.resident_kib, info.effective_capabilities, info.innermost_pid);
    return OPTION_DONE;
}

/* --peers PID:NAME[:MAX] prints the pids that share the namespace, one a line. With MAX: those that
 * were filled in when there was room for MAX, and then how many there are. */
static int show_peers(struct container *container, const char *value)
{
    static pid_t pids[PEERS_MAX]; /* zeroed: what the layer wrote is what is not 0 */
    const char *colon = strchr(value, ':'), *limit = colon != NULL ? strchr(colon + 1, ':') : NULL;
    long max = PEERS_MAX;
    char name[32], *end = "";
    pid_t pid;
    int result = colon == NULL ? -EINVAL : parse_pid(value, &pid);

    (void)container;
    if (result == 0 && limit != NULL)
        max = strtol(limit + 1, &end, 10);
    if (result == 0 && (*end != '\0' || max < 0 || max > PEERS_MAX))
        result = -EINVAL;
    if (result == 0) {
        snprintf(name, sizeof name, "%.*s", (int)strcspn(colon + 1, ":"), colon + 1);
        result = process_peers(pid, name, pids, (size_t)max);
    }
    if (result < 0)
        return result;
    for (int i = 0; i < PEERS_MAX && pids[i] != 0; i++)
        printf("%d\n", pids[i]);
    if (limit != NULL)
        printf("of %d\n", result);
    return OPTION_DONE;
}

static const struct layer_option options[] = {
    {"env", 'e', "NAME=VALUE", "set a variable of COMMAND's environment", set_env},
    {"new", 0, "KIND[,KIND...]", "start COMMAND in new namespaces (uts, net, ...)", set_new},
    {"into", 0, "FOLDER", "start COMMAND in this control group (v2)", set_into},
    {"banner", 0, "TEXT", "print TEXT first", print_banner},
    {"hold", 0, "WHO:FIFO", "hold the parent or the child until FIFO is written", set_hold},
    {"namespace", 0, "PID:NAME", "print the namespace NAME that PID is in", show_namespace},
    {"describe", 0, "PID", "print what the kernel says of PID", show_process},
    {"peers", 0, "PID:NAME[:MAX]", "print which processes share PID's namespace", show_peers},
    {0},
};

static const struct layer_hook hooks[] = {
    {START_ID_MAPS, "hold_parent", hold_parent},
    {START_IDENTITY, "hold_child", hold_child},
    {0},
};

const struct layer process_layer = {.name = "process",
                                    .prepare = prepare,
                                    .options = options,
                                    .namespaces = add_namespaces,
                                    .hooks = hooks};
