#include "07-image/given_run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "06-overlayfs/given_wiring.h"
#include "06-overlayfs/overlay.h"
#include "07-image/given_oci.h"
#include "07-image/given_settings.h"
#include "07-image/given_store.h"

enum { WORDS_MAX = 1024 };

static struct oci_image image;
static bool chosen;
static const char *lowers[OCI_LAYERS_MAX + 1]; /* the topmost first */

static char folder[PATH_MAX], upper[PATH_MAX], work[PATH_MAX], merged[PATH_MAX];
static struct overlay overlay = {.lowers = lowers, .upper = upper, .work = work};

/* --- the layers ------------------------------------------------------------------------------- */

/* The lock on its folder says that a container stands on the layer, to whoever tidies the store. It
 * is ours until we end: the fd stays open. */
static int use_layer(const char *store, const struct oci_layer *layer, size_t place,
                     struct fault *fault)
{
    char *path;

    if (asprintf(&path, "%s/layers/%s", store, layer->diff_id + 7) < 0)
        return -ENOMEM;
    lowers[place] = path;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || flock(fd, LOCK_SH) < 0)
        return fault_set(fault, -errno, "%s: %s; import the image again", path, strerror(errno));
    return 0;
}

/* A layer whose topmost folder is opaque hides all below it. overlayfs looks for that mark in every
 * folder but this one. */
static bool hides_all(const char *path)
{
    char mark;

    return lgetxattr(path, "user.overlay.opaque", &mark, 1) == 1 && mark == 'y';
}

int run_set_image(struct container *container, const char *name)
{
    static char *nothing[] = {NULL};
    struct fault fault = {""};
    char *path = realpath(settings_store, NULL);
    int store = store_open(settings_store, STORE_READ, &fault);

    if (store < 0 || path == NULL)
        settings_refuse(&fault, store < 0 ? store : -errno);
    int result = chosen ? fault_set(&fault, -EINVAL, "--image can be given once")
                        : oci_image_named(store, name, &image, &fault);
    if (result == 0 && image.count == 0)
        result = fault_set(&fault, -EINVAL, "the image %.200s has no layers, so no root", name);
    for (size_t i = 0; result == 0 && i < image.count && (i == 0 || !hides_all(lowers[i - 1])); i++)
        result = use_layer(path, &image.layers[image.count - 1 - i], i, &fault);
    close(store);
    free(path);
    if (result < 0)
        settings_refuse(&fault, result);
    chosen = true;
    if (container->argv == NULL)
        container->argv = nothing; /* the image may know a COMMAND */
    return 0;
}

int run_hand_over(uint64_t *flags)
{
    int result = 0;

    (void)flags;
    for (const char **path = lowers; overlay_has_folder() && result == 0 && *path != NULL; path++)
        result = overlay_add_lower(*path);
    return result;
}

/* --- the configuration ------------------------------------------------------------------------ */

/* Appends the words of a JSON array. */
static int add_words(char **words, size_t *count, const json_t *array)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        const char *word = json_string_value(json_array_get(array, i));
        if (word == NULL)
            return -EBADMSG;
        if (*count == WORDS_MAX)
            return -E2BIG;
        words[(*count)++] = strdup(word);
        if (words[*count - 1] == NULL)
            return -ENOMEM;
    }
    return 0;
}

/* Entrypoint, then COMMAND or else Cmd: as docker run(1) does. */
static int choose_command(struct container *container, const json_t *config, struct fault *fault)
{
    static char *words[WORDS_MAX + 1];
    size_t count = 0;
    int result = add_words(words, &count, json_object_get(config, "Entrypoint"));

    if (result == 0 && container->argv[0] == NULL)
        result = add_words(words, &count, json_object_get(config, "Cmd"));
    for (char **word = container->argv; result == 0 && *word != NULL; word++) {
        if (count == WORDS_MAX)
            return -E2BIG;
        words[count++] = *word;
    }
    if (result == 0 && count == 0)
        result = fault_set(fault, -ENOEXEC, "the image has no Cmd: give a COMMAND");
    container->argv = words;
    return result;
}

/* The image's Env; what -e said wins. PATH is there without being asked for: there the image wins.
 */
static int choose_environment(struct container *container, const json_t *config)
{
    static const char usual[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    static char *words[WORDS_MAX + 1];
    size_t count = 0;
    int result = add_words(words, &count, json_object_get(config, "Env"));

    for (char **word = container->envp; result == 0 && *word != NULL; word++) {
        size_t length = strcspn(*word, "="), i = 0;
        while (i < count && (strncmp(words[i], *word, length) != 0 || words[i][length] != '='))
            i++;
        if (i == WORDS_MAX)
            return -E2BIG;
        if (i == count || strcmp(*word, usual) != 0)
            words[i] = *word;
        count += i == count;
    }
    container->envp = words;
    return result;
}

/* Below tmp/ of the store, and locked: nobody sweeps it while the fd is open, and anybody does when
 * we were killed. */
static int make_folder(struct container *container, struct fault *fault)
{
    char path[64];
    int store = store_open(settings_store, STORE_ADD, fault);
    int fd = store < 0 ? store : store_temporary_folder(store, path);

    if (fd < 0)
        return fault_set(fault, fd, "%s/tmp: %s; --container FOLDER puts changes elsewhere",
                         settings_store, fault_reason(fd));
    if (flock(fd, LOCK_SH) < 0)
        return -errno;
    close(store);
    char *absolute = realpath(settings_store, NULL);
    if (absolute == NULL)
        return -errno;
    snprintf(folder, sizeof folder, "%s/%s/container", absolute, path);
    free(absolute);
    int result = overlay_create(folder, lowers[0]);
    if (result == 0 && (snprintf(upper, sizeof upper, "%s/upper", folder) >= PATH_MAX ||
                        snprintf(work, sizeof work, "%s/work", folder) >= PATH_MAX ||
                        snprintf(merged, sizeof merged, "%s/merged", folder) >= PATH_MAX))
        result = -ENAMETOOLONG;
    if (result == 0)
        container->root = merged;
    return result;
}

int run_configure(struct container *container)
{
    struct fault fault = {""};

    if (!chosen)
        return 0;
    const json_t *config = json_object_get(image.settings, "config");
    const char *workdir = json_string_value(json_object_get(config, "WorkingDir"));
    int result = choose_command(container, config, &fault);

    if (result == 0)
        result = choose_environment(container, config);
    if (container->workdir == NULL && workdir != NULL && workdir[0] != '\0')
        container->workdir = workdir;
    if (result == 0 && container->root[0] == '\0')
        result = make_folder(container, &fault);
    if (result < 0 && fault.text[0] != '\0')
        settings_refuse(&fault, result);
    return result;
}

int run_mount(struct container *container)
{
    char proc[PATH_MAX];
    int result = merged[0] != '\0' ? overlay_mount(&overlay, container->root) : 0;

    /* An image of a single program has no /proc to mount one on (/sys and /dev are made later). */
    if (result == 0 && chosen &&
        snprintf(proc, sizeof proc, "%s/proc", container->root) < PATH_MAX &&
        mkdir(proc, 0755) < 0 && errno != EEXIST)
        result = -errno;
    return result;
}

void run_finish(const struct container *container)
{
    if (folder[0] == '\0')
        return;
    int result = overlay_remove(folder);
    if (result < 0)
        fprintf(stderr, "%s: %s cannot be removed: %s\n", container->program, folder,
                fault_reason(result));
    *strrchr(folder, '/') = '\0';
    rmdir(folder);
}
