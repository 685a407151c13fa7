/* How layer 01 plugs in: the environment, and the questions about processes that it answers. */
#include "01-process/given_wiring.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

enum { ENVIRONMENT_MAX = 256, PEERS_MAX = 4096 };

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

/* --peers PID:NAME prints the pids that share the namespace, one a line. */
static int show_peers(struct container *container, const char *value)
{
    static pid_t pids[PEERS_MAX];
    const char *name = strchr(value, ':');
    pid_t pid;
    int result = name == NULL ? -EINVAL : parse_pid(value, &pid);

    (void)container;
    if (result == 0)
        result = process_peers(pid, name + 1, pids, PEERS_MAX);
    if (result < 0)
        return result;
    for (int i = 0; i < result && i < PEERS_MAX; i++)
        printf("%d\n", pids[i]);
    return OPTION_DONE;
}

static const struct layer_option options[] = {
    {"env", 'e', "NAME=VALUE", "set a variable of COMMAND's environment", set_env},
    {"namespace", 0, "PID:NAME", "print the namespace NAME that PID is in", show_namespace},
    {"describe", 0, "PID", "print what the kernel says of PID", show_process},
    {"peers", 0, "PID:NAME", "print which processes share PID's namespace NAME", show_peers},
    {0},
};

const struct layer process_layer = {.name = "process", .prepare = prepare, .options = options};
