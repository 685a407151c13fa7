/* How layer 06 plugs in: a container on layers of its own, or any overlay anywhere. */
#include "06-overlayfs/given_wiring.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "06-overlayfs/overlay.h"

enum { LOWERS_MAX = 500 }; /* as many as overlayfs takes */

static const char *lowers[LOWERS_MAX + 1];
static size_t lower_count;
static struct overlay overlay = {.lowers = lowers};

static const char *folder;          /* --container */
static char *upper, *work, *merged; /* in it */
static bool created;                /* by us, so ours to remove */
static size_t first;                /* --first */
static bool remove_after;           /* --rm */
static const char *target;          /* --merge */

/* In the parent: a container whose folders cannot be made is never started. */
static int create(struct container *container)
{
    if (folder == NULL) /* then layers are of use only with --merge, and the other way round */
        return (lower_count > 0) == (target != NULL) ? 0 : -EINVAL;
    if (lower_count == 0)
        return -EINVAL;
    int result = overlay_create(folder, lowers[0]);
    if (result < 0)
        return result;
    created = true;
    /* Without symbolic links, for the new root would resolve those in its own way; and as mountinfo
     * will show them. Kept until the end. */
    char *path = realpath(folder, NULL);
    if (path == NULL)
        return -errno;
    if (asprintf(&upper, "%s/upper", path) < 0 || asprintf(&work, "%s/work", path) < 0 ||
        asprintf(&merged, "%s/merged", path) < 0)
        return -ENOMEM;
    free(path);
    overlay.upper = upper;
    overlay.work = work;
    if (target == NULL)
        container->root = target = merged;
    return 0;
}

static int mount_overlay(struct container *container)
{
    (void)container;
    return target != NULL && lower_count > 0 ? overlay_mount(&overlay, target) : 0;
}

static void remove_created(const struct container *container)
{
    if (!created || !remove_after)
        return;
    int result = overlay_remove(folder);
    if (result < 0)
        fprintf(stderr, "%s: overlay_remove: %s\n", container->program,
                result == STRATA_TODO ? "not written yet" : strerror(-result));
}

bool overlay_has_folder(void)
{
    return folder != NULL;
}

int overlay_add_lower(const char *path)
{
    if (lower_count == LOWERS_MAX)
        return -E2BIG;
    lowers[lower_count++] = path;
    return 0;
}

static int set_lower(struct container *container, const char *value)
{
    (void)container;
    return overlay_add_lower(value);
}

static int set_lower_file(struct container *container, const char *value)
{
    FILE *file = fopen(value, "re");
    char *line = NULL;
    size_t size = 0;
    ssize_t length;
    int result = file == NULL ? -errno : 0;

    while (result == 0 && (length = getline(&line, &size, file)) > 0) {
        if (line[length - 1] == '\n')
            line[length - 1] = '\0';
        result = set_lower(container, line);
        line = NULL; /* kept until the end */
    }
    free(line);
    if (file != NULL)
        fclose(file);
    return result;
}

static int set_container(struct container *container, const char *value)
{
    (void)container;
    folder = value;
    return value[0] != '\0' ? 0 : -EINVAL;
}

static int set_rm(struct container *container, const char *value)
{
    (void)container;
    (void)value;
    remove_after = true;
    return 0;
}

static int set_merge(struct container *container, const char *value)
{
    (void)container;
    target = value;
    return 0;
}

static int set_upper(struct container *container, const char *value)
{
    (void)container;
    overlay.upper = value;
    return 0;
}

static int set_work(struct container *container, const char *value)
{
    (void)container;
    overlay.work = value;
    return 0;
}

/* --- questions: one function of the layer each, and no container ------------------------------ */

static int answered(int result)
{
    return result < 0 ? result : OPTION_DONE;
}

static int ask_create(struct container *container, const char *value)
{
    (void)container;
    return lower_count == 0 ? -EINVAL : answered(overlay_create(value, lowers[0]));
}

static int ask_remove(struct container *container, const char *value)
{
    (void)container;
    return answered(overlay_remove(value));
}

static int ask_attributes(struct container *container, const char *value)
{
    int kind = overlay_attributes(value);

    (void)container;
    if (kind >= 0)
        puts(kind == 1 ? "user.overlay" : "trusted.overlay");
    return answered(kind);
}

/* The folder that `path` lies in is the open one that the layer is given. */
static int ask_hide(struct container *container, const char *path)
{
    const char *slash = strrchr(path, '/');
    char *parent = slash == path   ? strdup("/")
                   : slash != NULL ? strndup(path, (size_t)(slash - path))
                                   : strdup(".");
    int fd = parent != NULL ? open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    int result = fd < 0 ? -errno : overlay_hide(fd, slash != NULL ? slash + 1 : path);

    (void)container;
    free(parent);
    if (fd >= 0)
        close(fd);
    return answered(result);
}

static int ask_replace(struct container *container, const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int result = fd < 0 ? -errno : overlay_replace(fd);

    (void)container;
    if (fd >= 0)
        close(fd);
    return answered(result);
}

enum { ENOUGH = 77 }; /* what print_change ends a diff with; overlay_diff hands it on */

static int set_first(struct container *container, const char *value)
{
    (void)container;
    first = strtoul(value, NULL, 10);
    return first > 0 ? 0 : -EINVAL;
}

static int print_change(void *arg, enum overlay_kind kind, const char *path)
{
    size_t *printed = arg;

    printf("%c %s\n", (char)kind, path);
    return ++*printed == first ? ENOUGH : 0;
}

static int ask_diff(struct container *container, const char *value)
{
    struct overlay compared = {.lowers = lowers, .upper = value};
    size_t printed = 0;

    (void)container;
    if (lower_count == 0)
        return -EINVAL;
    int result = overlay_diff(&compared, print_change, &printed);
    if (result >= 0 && result != (first > 0 && printed >= first ? ENOUGH : 0))
        return -EPROTO;
    return answered(result);
}

static const struct layer_option options[] = {
    {"lower", 0, "DIR", "a lower layer; the first one given is on top", set_lower},
    {"lower-file", 0, "FILE", "more of them, one a line", set_lower_file},
    {"container", 0, "FOLDER", "make FOLDER for the changes, and the layers the root",
     set_container},
    {"rm", 0, NULL, "remove FOLDER when COMMAND has ended", set_rm},
    {"merge", 0, "TARGET", "mount the overlay at TARGET, and leave the root alone", set_merge},
    {"upper", 0, "DIR", "with --merge: where changes go, instead of FOLDER", set_upper},
    {"work", 0, "DIR", "with --merge: the kernel's scratch, instead of FOLDER", set_work},
    {"diff", 0, "UPPER", "list what UPPER changes in the lower layers", ask_diff},
    {"first", 0, "N", "end --diff after N lines", set_first},
    {"attributes", 0, "FOLDER", "say which attributes mark folders here", ask_attributes},
    {"hide", 0, "PATH", "mark PATH of a layer as deleted", ask_hide},
    {"replace", 0, "PATH", "mark the folder PATH of a layer as opaque", ask_replace},
    {"create", 0, "FOLDER", "make a container's FOLDER, and no container", ask_create},
    {"remove", 0, "FOLDER", "remove FOLDER and all in it", ask_remove},
    {0},
};

static const struct layer_hook hooks[] = {
    {START_CGROUP, "overlay_create", create},
    {START_ROOT_TREE, "overlay_mount", mount_overlay},
    {0},
};

const struct layer overlay_layer = {
    .name = "overlay", .options = options, .hooks = hooks, .finish = remove_created};
