/* How layer 04 plugs in: a private tree, then binds, tmpfs and detachments, in the order in which
 * they stand on the command line. */
#include "04-mount/given_wiring.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "04-mount/given_target.h"
#include "04-mount/mount.h"

enum { ACTIONS_MAX = 24 };

static const uint64_t default_size = 64 << 20;

/* One call of a layer function. "-v SRC:DST:ro" makes two of them. */
struct action {
    const char *source;
    const char *target; /* as the container will call it */
    uint64_t size;      /* bytes, of a tmpfs */
    bool recursive;     /* of a bind */
};

static struct action actions[ACTIONS_MAX];
static size_t action_count;
static size_t actions_done; /* by the child, which calls the hooks below in order */

static int take_private(struct container *container)
{
    (void)container;
    return mount_private();
}

/* Each hook that add() adds belongs to one action, the next one. What target_open found is handed
 * on by its path, which now leads through no link any more: an fd would mean the place below
 * whatever the layer mounts there. */
static int find_target(const struct container *container, const struct action *action, char *path,
                       size_t size)
{
    struct stat st = {.st_mode = S_IFDIR};

    if (action->source != NULL && stat(action->source, &st) < 0)
        return -errno;
    int fd = target_open(container->root, action->target, S_ISDIR(st.st_mode));
    if (fd < 0)
        return fd;
    char link[32];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, size - 1);
    int result = length < 0 ? -errno : (size_t)length == size - 1 ? -ENAMETOOLONG : 0;
    if (result == 0)
        path[length] = '\0';
    close(fd);
    return result;
}

static int bind_next(struct container *container)
{
    const struct action *action = &actions[actions_done++];
    char path[PATH_MAX];
    int result = find_target(container, action, path, sizeof path);

    return result < 0 ? result : mount_bind(action->source, path, action->recursive);
}

static int readonly_next(struct container *container)
{
    const struct action *action = &actions[actions_done++];
    char path[PATH_MAX];
    int result = find_target(container, action, path, sizeof path);

    return result < 0 ? result : mount_readonly(path);
}

static int tmpfs_next(struct container *container)
{
    const struct action *action = &actions[actions_done++];
    char path[PATH_MAX];
    int result = find_target(container, action, path, sizeof path);

    return result < 0 ? result : mount_tmpfs(path, action->size);
}

/* The path as it stands: a link at its end is the layer's to refuse. */
static int detach_next(struct container *container)
{
    const struct action *action = &actions[actions_done++];
    char path[PATH_MAX];
    int length = snprintf(path, sizeof path, "%s%s", container->root, action->target);

    return length >= (int)sizeof path ? -ENAMETOOLONG : mount_detach(path);
}

/* Not constant: the options add to it. The last entry stays empty. */
static struct layer_hook hooks[ACTIONS_MAX + 2] = {
    {START_PRIVATE_TREE, "mount_private", take_private},
};

static int add(const char *name, int (*run)(struct container *), struct action action)
{
    if (action_count == ACTIONS_MAX)
        return -E2BIG;
    hooks[1 + action_count] = (struct layer_hook){START_VOLUMES, name, run};
    actions[action_count++] = action;
    return 0;
}

/* Takes "SRC:DST[:ro]" apart in place. */
static int parse_bind(char *text, struct action *action, bool *readonly)
{
    char *target = strchr(text, ':');

    if (target == NULL)
        return -EINVAL;
    *target++ = '\0';
    char *mode = strchr(target, ':');
    if (mode != NULL)
        *mode++ = '\0';
    *readonly = mode != NULL && strcmp(mode, "ro") == 0;
    if (text[0] == '\0' || target[0] != '/' ||
        (mode != NULL && !*readonly && strcmp(mode, "rw") != 0))
        return -EINVAL;
    action->source = text;
    action->target = target;
    return 0;
}

static int add_bind(const char *value, bool recursive)
{
    struct action action = {.recursive = recursive};
    bool readonly;
    char *text = strdup(value); /* the action's, until the end */

    if (text == NULL)
        return -ENOMEM;
    int result = parse_bind(text, &action, &readonly);
    if (result < 0) {
        free(text);
        return result;
    }
    result = add("mount_bind", bind_next, action);
    if (result == 0 && readonly)
        result = add("mount_readonly", readonly_next, action);
    return result;
}

static int set_volume(struct container *container, const char *value)
{
    (void)container;
    return add_bind(value, true);
}

static int set_bind(struct container *container, const char *value)
{
    (void)container;
    return add_bind(value, false);
}

/* "64m": a number of bytes, with k, m or g for KiB, MiB, GiB. None at all is no size: tmpfs takes
 * size=0 for "no limit". */
static int parse_size(const char *text, uint64_t *size)
{
    static const char units[] = "kmg";
    char *end;

    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (errno != 0 || end == text || text[0] < '0' || text[0] > '9' || number == 0)
        return -EINVAL;
    if (*end != '\0') {
        const char *unit = strchr(units, *end);
        if (unit == NULL || end[1] != '\0')
            return -EINVAL;
        int shift = 10 * (int)(unit - units + 1);
        if (number > UINT64_MAX >> shift)
            return -ERANGE;
        number <<= shift;
    }
    *size = number;
    return 0;
}

/* DST[:size=BYTES] */
static int set_tmpfs(struct container *container, const char *value)
{
    static const char key[] = "size=";
    char *target = strdup(value);
    struct action action = {.target = target, .size = default_size};

    (void)container;
    if (target == NULL)
        return -ENOMEM;
    char *option = strchr(target, ':');
    if (option != NULL) {
        *option++ = '\0';
        if (strncmp(option, key, sizeof key - 1) != 0 ||
            parse_size(option + sizeof key - 1, &action.size) < 0)
            return -EINVAL;
    }
    return target[0] == '/' ? add("mount_tmpfs", tmpfs_next, action) : -EINVAL;
}

static int set_detach(struct container *container, const char *value)
{
    (void)container;
    return value[0] == '/' ? add("mount_detach", detach_next, (struct action){.target = value})
                           : -EINVAL;
}

static const struct layer_option options[] = {
    {"volume", 'v', "SRC:DST[:ro]", "show SRC at DST, with what is mounted below it", set_volume},
    {"bind", 0, "SRC:DST[:ro]", "show SRC at DST, without what is mounted below it", set_bind},
    {"tmpfs", 0, "DST[:size=BYTES]", "mount an empty tmpfs at DST (k, m, g; else 64m)", set_tmpfs},
    {"detach", 0, "DST", "take away what is mounted at DST", set_detach},
    {0},
};

const struct layer mount_layer = {
    .name = "mount", .options = options, .namespaces = mount_namespaces, .hooks = hooks};
