/* What each instruction of a Stratafile does. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "07-image/given_builder.h"
#include "07-image/given_store.h"

static int reason(struct fault *fault, int error, const char *what)
{
    return fault_set(fault, error, "%s: %s", what, fault_reason(error));
}

/* --- the configuration ------------------------------------------------------------------------ */

/* The object or array `key` in `parent`: what else is there, or nothing, is replaced by `fresh`. */
static json_t *member(json_t *parent, const char *key, json_t *fresh)
{
    json_t *found = json_object_get(parent, key);

    if (found != NULL && json_typeof(found) == json_typeof(fresh)) {
        json_decref(fresh);
        return found;
    }
    return json_object_set_new(parent, key, fresh) < 0 ? NULL : fresh;
}

static json_t *config_of(const struct builder *builder)
{
    return member(builder->image.settings, "config", json_object());
}

static const char *workdir_of(const struct builder *builder)
{
    const char *found = json_string_value(json_object_get(config_of(builder), "WorkingDir"));

    return found != NULL && found[0] == '/' ? found : "/";
}

/* `path`, or if it is relative, that in the working directory. */
static int absolute(const struct builder *builder, const char *path, char whole[PATH_MAX])
{
    const char *base = path[0] == '/' ? "" : workdir_of(builder);
    int length = snprintf(whole, PATH_MAX, "%s%s%s", base, path[0] == '/' ? "" : "/", path);

    return length < PATH_MAX ? 0 : -ENAMETOOLONG;
}

/* ["/bin/x", "y"] as it stands; anything else is for the shell. */
static json_t *command_json(const char *text)
{
    json_t *command = text[0] == '[' ? json_loads(text, 0, NULL) : NULL, *word;
    size_t i;
    bool good = json_is_array(command) && json_array_size(command) > 0;

    json_array_foreach(command, i, word) good = good && json_is_string(word);
    if (good)
        return command;
    json_decref(command);
    return json_pack("[s, s, s]", "/bin/sh", "-c", text);
}

/* The strings of an array, as execve(2) wants them; they stay the array's. */
static char **strings_of(const json_t *array)
{
    char **list = calloc(json_array_size(array) + 1, sizeof *list);
    size_t i, count = 0;
    json_t *word;

    json_array_foreach(array, i, word) if (list != NULL && json_is_string(word)) list[count++] =
        (char *)json_string_value(word);
    return list;
}

static int set_env(const struct builder *builder, const char *text)
{
    json_t *env = member(config_of(builder), "Env", json_array()), *word;
    size_t i, name = strcspn(text, "=") + 1;

    json_array_foreach(env, i, word)
    {
        const char *value = json_string_value(word);
        if (value != NULL && strncmp(value, text, name) == 0)
            return json_array_set_new(env, i, json_string(text)) < 0 ? -ENOMEM : 0;
    }
    return json_array_append_new(env, json_string(text)) < 0 ? -ENOMEM : 0;
}

/* --- layers ----------------------------------------------------------------------------------- */

static void free_lowers(char **lowers)
{
    for (char **one = lowers; lowers != NULL && *one != NULL; one++)
        free(*one);
    free(lowers);
}

/* The image's layers as lower folders, the topmost first; of scratch, one that is empty. */
static char **lowers_of(const struct builder *builder, const struct oci_image *image)
{
    char **lowers = calloc(image->count + 2, sizeof *lowers);
    int result = lowers != NULL ? 0 : -1;

    for (size_t i = 0; result >= 0 && i < image->count; i++)
        result = asprintf(&lowers[i], "%s/%s", builder->layers,
                          image->layers[image->count - 1 - i].diff_id + 7);
    if (result >= 0 && image->count == 0) {
        result = asprintf(&lowers[0], "%s/empty", builder->scratch);
        if (result >= 0 && mkdir(lowers[0], 0755) < 0 && errno != EEXIST)
            result = -1;
    }
    if (result >= 0)
        return lowers;
    free_lowers(lowers);
    return NULL;
}

static int open_workshop(const struct builder *builder, struct workshop *shop, const char *name,
                         const struct oci_image *image, struct fault *fault)
{
    char folder[PATH_MAX];
    int result = workshop_begin();

    if (result == -EPERM)
        return fault_set(fault, result,
                         "only root may mount, or root of a user namespace (lab 08)");
    if (result == 0 &&
        snprintf(folder, sizeof folder, "%s/%s", builder->scratch, name) >= (int)sizeof folder)
        result = -ENAMETOOLONG;
    char **lowers = result == 0 ? lowers_of(builder, image) : NULL;
    if (result == 0)
        result =
            lowers == NULL ? -ENOMEM : workshop_open(shop, folder, (const char *const *)lowers);
    free_lowers(lowers);
    return result < 0 ? reason(fault, result, "an overlay to work in") : 0;
}

/* What has changed becomes a layer of the image, if anything has. Returns 1, 0 or -errno. */
static int add_layer(struct builder *builder, struct fault *fault)
{
    struct oci_layer layer = {.blob.type = OCI_LAYER};
    char path[64];
    struct stat st;

    if (builder->image.count == OCI_LAYERS_MAX)
        return fault_set(fault, -E2BIG, "the image has %d layers already", OCI_LAYERS_MAX);
    int file = store_temporary_file(builder->store, path);
    if (file < 0)
        return reason(fault, file, "tmp/ of the store");
    int changed = workshop_commit(&builder->here, file), result = changed < 0 ? changed : 0;
    if (changed > 0)
        result = fstat(file, &st) < 0 ? -errno
                                      : image_put(builder->store, file, NULL, layer.blob.digest);
    unlinkat(builder->store, path, 0);
    close(file);
    if (result < 0)
        return reason(fault, result,
                      result == -EINVAL ? "a name that begins with \".wh.\"" : "the layer");
    if (changed > 0) {
        /* Not compressed: then digest and diff_id are one. */
        layer.blob.size = (uint64_t)st.st_size;
        strcpy(layer.diff_id, layer.blob.digest);
        builder->image.layers[builder->image.count++] = layer;
        json_t *rootfs = member(builder->image.settings, "rootfs", json_object());
        if (json_array_append_new(member(rootfs, "diff_ids", json_array()),
                                  json_string(layer.diff_id)) < 0)
            return reason(fault, -ENOMEM, "the layer");
    }
    return changed;
}

/* --- instructions ----------------------------------------------------------------------------- */

static const struct oci_image *find_stage(const struct builder *builder, const char *name)
{
    for (size_t i = builder->stage_count; i-- > 0;)
        if (builder->stages[i].name != NULL && strcmp(builder->stages[i].name, name) == 0)
            return &builder->stages[i].image;
    return NULL;
}

int instruction_take(struct builder *builder, const struct instruction *it, struct context *context,
                     struct fault *fault)
{
    int root = builder->folder, result;

    *context = (struct context){0};
    if (it->verb != BUILD_COPY)
        return 0;
    if (it->stage != NULL) {
        const struct oci_image *image = find_stage(builder, it->stage);
        if (image == NULL)
            return fault_set(fault, -ENOENT, "no stage before this one is called %s", it->stage);
        result = open_workshop(builder, &builder->from, "from", image, fault);
        if (result < 0)
            return result;
        root = builder->from.root;
    }
    result = context_take(root, it->source, it->stage != NULL, builder->store, context);
    if (result == -EXDEV)
        return fault_set(fault, result, "%s leads out of the Stratafile's folder", it->source);
    if (result == -EINVAL)
        return fault_set(fault, result, "%s: only files, folders and links can be copied",
                         it->source);
    return result < 0 ? reason(fault, result, it->source) : 0;
}

static int run(struct builder *builder, const struct instruction *it, struct fault *fault)
{
    json_t *command = command_json(it->rest);
    char **argv = strings_of(command);
    char **env = strings_of(json_object_get(config_of(builder), "Env"));
    const char *workdir = workdir_of(builder);
    int result = argv == NULL || env == NULL ? -ENOMEM : 0;

    int folder = result < 0 ? result : context_folder(builder->here.root, workdir);
    if (folder >= 0) {
        close(folder);
        result = workshop_run(&builder->here, argv, env, workdir);
    } else {
        result = folder;
    }
    free(argv);
    free(env);
    json_decref(command);
    if (result > 0)
        return fault_set(fault, -ECHILD, "the command ended with exit status %d", result);
    return result < 0 ? reason(fault, result, "the command cannot be run") : 0;
}

/* The three that may change files. Returns 1 when they did, with a layer more. */
static int change_files(struct builder *builder, const struct instruction *it,
                        const struct context *context, const char *place, struct fault *fault)
{
    int result = open_workshop(builder, &builder->here, "here", &builder->image, fault);

    if (result < 0)
        return result;
    if (it->verb == BUILD_RUN) {
        result = run(builder, it, fault);
    } else if (it->verb == BUILD_COPY) {
        result = context_put(context, builder->here.root, place);
    } else {
        result = context_folder(builder->here.root, place);
        if (result >= 0)
            close(result);
        result = result < 0 ? result : 0;
    }
    if (result < 0)
        reason(fault, result, place);
    else
        result = add_layer(builder, fault);
    workshop_close(&builder->here);
    return result;
}

int instruction_do(struct builder *builder, const struct instruction *it,
                   const struct context *context, struct fault *fault)
{
    char place[PATH_MAX] = "";
    int changed = 0, result = 0;

    if (it->verb == BUILD_COPY || it->verb == BUILD_WORKDIR)
        result = absolute(builder, it->verb == BUILD_COPY ? it->target : it->rest, place);
    if (result < 0)
        return reason(fault, result, it->rest);
    if (it->verb == BUILD_COPY || it->verb == BUILD_RUN || it->verb == BUILD_WORKDIR)
        changed = change_files(builder, it, context, place, fault);
    if (changed < 0)
        return changed;

    if (it->verb == BUILD_ENV)
        result = set_env(builder, it->rest);
    else if (it->verb == BUILD_CMD)
        result = json_object_set_new(config_of(builder), "Cmd", command_json(it->rest));
    else if (it->verb == BUILD_WORKDIR)
        result = json_object_set_new(config_of(builder), "WorkingDir", json_string(place));
    json_t *history = member(builder->image.settings, "history", json_array());
    json_t *line = changed ? json_pack("{s:s}", "created_by", it->text)
                           : json_pack("{s:s, s:b}", "created_by", it->text, "empty_layer", 1);
    if (result < 0 || json_array_append_new(history, line) < 0)
        return fault_set(fault, -ENOMEM, "the configuration cannot hold this (is it UTF-8?)");
    return 0;
}

int builder_copy(struct oci_image *to, const struct oci_image *from)
{
    *to = *from;
    to->settings = json_deep_copy(from->settings);
    return to->settings != NULL ? 0 : -ENOMEM;
}
