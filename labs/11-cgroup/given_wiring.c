/* How layer 11 plugs in: a group for each container, made before it starts, gone after it ended. */
#include "11-cgroup/given_wiring.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "11-cgroup/given_freezer.h"

static struct cgroup group;
static const char *wanted[CGROUP_PARTS + 1]; /* controllers; ends with NULL       */
static bool needed;                          /* a limit hangs on them             */
static bool host_namespace;                  /* --cgroupns=host                   */
static const char *name, *pids_limit;
static const char *conf[16]; /* of --cgroup-conf: "memory.max=1000000" */
static size_t conf_count;

const struct cgroup *container_group(void)
{
    return &group;
}

void container_wants(const char *controller, bool is_needed)
{
    size_t i = 0;

    while (wanted[i] != NULL && strcmp(wanted[i], controller) != 0)
        i++;
    if (i < CGROUP_PARTS)
        wanted[i] = controller;
    needed = needed || is_needed;
}

int container_of(pid_t pid, const char *const *controllers, struct cgroup *found)
{
    struct cgroup_place place;

    *found = (struct cgroup){.count = 0};
    for (; *controllers != NULL && found->count < CGROUP_PARTS; controllers++) {
        struct cgroup_part *part = &found->parts[found->count];
        int result = cgroup_find(pid, *controllers, &place);
        if (result == -ENOENT) /* in version 2, "cpuacct" and "freezer" are none */
            continue;
        if (result < 0)
            return result;
        part->version = place.version;
        snprintf(part->controllers, sizeof part->controllers, "%s", *controllers);
        snprintf(part->path, sizeof part->path, "%s", place.path);
        part->folder = open(place.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (part->folder < 0)
            return -errno;
        found->count++;
    }
    return found->count == 0 ? -ENOENT : 0;
}

void container_close(struct cgroup *found)
{
    while (found->count > 0)
        close(found->parts[--found->count].folder);
}

static void prepare(struct container *container)
{
    (void)container;
    container_wants("pids", false);
    container_wants("freezer", false);
}

/* --- the container's group ----------------------------------------------------------------------
 */

static bool may_do_without(int error)
{
    return !needed && (error == -EACCES || error == -EPERM || error == -ENOENT || error == -EROFS);
}

static int create(struct container *container)
{
    static char own_name[32];

    snprintf(own_name, sizeof own_name, "strata-%d", getpid());
    int result = cgroup_create(name != NULL ? name : own_name, wanted, &group);
    if (result == STRATA_TODO)
        return result;
    if (may_do_without(result)) {
        fprintf(stderr, "%s: no control group here (%s); going on without one\n",
                container->program, strerror(-result));
        return 0;
    }
    if (result == -EACCES || result == -EPERM || result == -ENOENT)
        fprintf(
            stderr,
            "%s: a limit needs a control group that we may make. An ordinary user gets one from\n"
            "systemd: systemd-run --user --scope -p Delegate=yes %s ...\n",
            container->program, container->program);
    if (result == 0)
        container->cgroup = cgroup_birthplace(&group);
    return result;
}

static int limit_pids(struct container *container)
{
    (void)container;
    return pids_limit != NULL && group.count > 0 ? cgroup_write(&group, "pids.max", pids_limit) : 0;
}

/* "pids.max=7": the file and its value. */
static int write_conf(struct container *container)
{
    char file[64];

    (void)container;
    for (size_t i = 0; i < conf_count && group.count > 0; i++) {
        size_t length = strcspn(conf[i], "=");
        snprintf(file, sizeof file, "%.*s", (int)length, conf[i]);
        int result = cgroup_write(&group, file, conf[i] + length + 1);
        if (result < 0)
            return result;
    }
    return 0;
}

/* Version 2 has it born there. In version 1 it is moved while it waits for its go-ahead, before its
 * first instruction of any consequence. */
static int join(struct container *container)
{
    return group.count > 0 ? cgroup_join(&group, container->process.pid) : 0;
}

/* The last thing that the parent does before COMMAND may go on. It takes a thread, for which the
 * parent's own group may have no room: then there is no freezing by signals. */
static int listen_to_signals(struct container *container)
{
    int result = group.count > 0 ? freezer_listen(&group, container->program) : 0;

    return result == -EAGAIN ? 0 : result;
}

static int hide(struct container *container)
{
    (void)container;
    return group.count > 0 && !host_namespace ? cgroup_hide() : 0;
}

static void finish(const struct container *container)
{
    int result = group.count > 0 ? cgroup_kill(&group) : 0;

    if (result < 0 && result != STRATA_TODO)
        fprintf(stderr, "%s: cgroup_kill: %s\n", container->program, strerror(-result));
    result = group.count > 0 ? cgroup_remove(&group) : 0;
    if (result < 0)
        fprintf(stderr, "%s: cgroup_remove: %s\n", container->program,
                result == STRATA_TODO ? "not written yet; the group stays" : strerror(-result));
}

/* --- options and questions ----------------------------------------------------------------------
 */

static int set_pids_limit(struct container *container, const char *value)
{
    char *end;
    long number = strtol(value, &end, 10);

    (void)container;
    if (end == value || *end != '\0' || number < -1 || number == 0)
        return -EINVAL;
    pids_limit = number == -1 ? "max" : value; /* docker's word for no limit */
    container_wants("pids", true);
    return 0;
}

/* The controller of a file: the word before its dot. NULL for "cgroup", which is none. */
static const char *controller_of(const char *file)
{
    size_t length = strcspn(file, ".=");

    return length == 6 && strncmp(file, "cgroup", 6) == 0 ? NULL : strndup(file, length);
}

/* FILE=VALUE */
static int set_conf(struct container *container, const char *value)
{
    const char *equals = strchr(value, '='), *controller = controller_of(value);

    (void)container;
    if (equals == NULL || equals == value || equals - value > 63 ||
        conf_count == sizeof conf / sizeof *conf)
        return -EINVAL;
    conf[conf_count++] = value;
    if (controller != NULL)
        container_wants(controller, true);
    return 0;
}

static int set_name(struct container *container, const char *value)
{
    (void)container;
    if (value[0] == '\0' || value[0] == '.' || strchr(value, '/') != NULL ||
        strlen(value) > NAME_MAX)
        return -EINVAL;
    name = value;
    return 0;
}

static int set_namespace(struct container *container, const char *value)
{
    (void)container;
    host_namespace = strcmp(value, "host") == 0;
    return host_namespace || strcmp(value, "private") == 0 ? 0 : -EINVAL;
}

static int show_mode(struct container *container, const char *value)
{
    static const char *const words[] = {
        [CGROUP_NONE] = "none", [CGROUP_V1] = "v1", [CGROUP_V2] = "v2", [CGROUP_HYBRID] = "hybrid"};
    int mode = cgroup_mode();

    (void)container;
    (void)value;
    if (mode < 0)
        return mode;
    printf("%s\n", words[mode]);
    return OPTION_DONE;
}

/* PID:CONTROLLER */
static int show_place(struct container *container, const char *value)
{
    struct cgroup_place place;
    char *end;
    long pid = strtol(value, &end, 10);

    (void)container;
    if (end == value || *end != ':' || pid <= 0 || pid > INT_MAX)
        return -EINVAL;
    int result = cgroup_find((pid_t)pid, end + 1, &place);
    if (result < 0)
        return result;
    printf("v%d %s\n", place.version, place.path);
    return OPTION_DONE;
}

/* PID:CONTROLLER:FILE */
static int show_bound(struct container *container, const char *value)
{
    char controller[32], *end;
    uint64_t bound;
    long pid = strtol(value, &end, 10);
    const char *file = *end == ':' ? strchr(end + 1, ':') : NULL;

    (void)container;
    if (end == value || file == NULL || pid <= 0 || pid > INT_MAX)
        return -EINVAL;
    snprintf(controller, sizeof controller, "%.*s", (int)(file - end - 1), end + 1);
    int result = cgroup_bound((pid_t)pid, controller, file + 1, &bound);
    if (result < 0)
        return result;
    if (bound == UINT64_MAX)
        printf("max\n");
    else
        printf("%llu\n", (unsigned long long)bound);
    return OPTION_DONE;
}

/* PID:FILE */
static int show_file(struct container *container, const char *value)
{
    char text[4096], *end;
    long pid = strtol(value, &end, 10);
    const char *controllers[] = {"pids", NULL};
    struct cgroup found;

    (void)container;
    if (end == value || *end != ':' || pid <= 0 || pid > INT_MAX)
        return -EINVAL;
    if (controller_of(end + 1) != NULL)
        controllers[0] = controller_of(end + 1);
    ssize_t length = container_of((pid_t)pid, controllers, &found);
    if (length == 0)
        length = cgroup_read(&found, end + 1, text, sizeof text);
    container_close(&found);
    if (length < 0)
        return (int)length;
    printf("%s\n", text);
    return OPTION_DONE;
}

/* FILE[=VALUE] */
static int show_v1(struct container *container, const char *value)
{
    char file[64], v1_file[64], v1_value[64];
    const char *equals = strchr(value, '=');
    size_t length = equals != NULL ? (size_t)(equals - value) : strlen(value);

    (void)container;
    if (length >= sizeof file)
        return -EINVAL;
    snprintf(file, sizeof file, "%.*s", (int)length, value);
    int result = cgroup_v1_name(file, equals != NULL ? equals + 1 : NULL, v1_file, v1_value);
    if (result < 0)
        return result;
    if (equals != NULL)
        printf("%s %s\n", v1_file, v1_value);
    else
        printf("%s\n", v1_file);
    return OPTION_DONE;
}

static const struct layer_option options[] = {
    {"pids-limit", 0, "N", "at most N processes and threads (-1: no limit)", set_pids_limit},
    {"cgroup-conf", 0, "FILE=VALUE", "write VALUE to FILE of the group (\"pids.max=7\")", set_conf},
    {"cgroup-name", 0, "NAME", "call the control group NAME", set_name},
    {"cgroupns", 0, "private|host", "see the own group as the root (private), or not",
     set_namespace},
    {"cgroup-mode", 0, NULL, "print v1, v2, hybrid or none", show_mode},
    {"cgroup-find", 0, "PID:CONTROLLER", "print where PID's group is", show_place},
    {"cgroup-bound", 0, "PID:CONTROLLER:FILE", "print the limit that binds PID", show_bound},
    {"cgroup-read", 0, "PID:FILE", "print FILE of PID's group", show_file},
    {"cgroup-v1", 0, "FILE[=VALUE]", "print what version 1 calls it", show_v1},
    {0},
};

static const struct layer_hook hooks[] = {
    {START_CGROUP, "cgroup_create", create},
    {START_CGROUP, "cgroup_write", limit_pids},
    {START_CGROUP, "cgroup_write", write_conf},
    {START_ID_MAPS, "cgroup_join", join},
    {START_NETWORK, "freezer", listen_to_signals},
    {START_CGROUP_NS, "cgroup_hide", hide},
    {0},
};

const struct layer cgroup_layer = {
    .name = "cgroup", .prepare = prepare, .options = options, .hooks = hooks, .finish = finish};
