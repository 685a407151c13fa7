/* --build: which instructions there are, and which of them the cache has. */
#include "07-image/given_build.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "07-image/given_builder.h"
#include "07-image/given_image.h"
#include "07-image/given_settings.h"
#include "07-image/given_store.h"

static const char file_name[] = "Stratafile";
static bool without_cache;

/* --- the cache -------------------------------------------------------------------------------- */

/* A whole image, or it is no hit: somebody may have removed a part of it. */
static bool is_whole(int store, const struct oci_image *image)
{
    for (size_t i = 0; i < image->count; i++) {
        struct fault unread = {""};
        int fd = oci_open(store, &image->layers[i].blob, &unread);
        if (fd < 0)
            return false;
        close(fd);
    }
    return true;
}

/* True when the cache has a result under `key`: it is builder->image now. */
static bool look_up(struct builder *builder, const char *key)
{
    struct fault unread = {""};
    struct descriptor manifest;
    struct oci_image image;
    json_t *index;

    if (without_cache || index_read(builder->store, &index, &unread) < 0)
        return false;
    int result = index_find(index, OCI_CACHE_KEY, key, &manifest, &unread);
    json_decref(index);
    if (result == 0)
        result = oci_image_read(builder->store, &manifest, &image, &unread);
    if (result < 0)
        return false;
    if (!is_whole(builder->store, &image)) {
        oci_image_free(&image);
        return false;
    }
    oci_image_free(&builder->image);
    builder->image = image;
    return true;
}

/* Writes builder->image into the store, and where `key` leads to it. */
static int store_image(struct builder *builder, const char *key, struct fault *fault)
{
    struct oci_image *image = &builder->image;
    json_t *layers = json_array();

    for (size_t i = 0; i < image->count; i++)
        json_array_append_new(layers, descriptor_json(&image->layers[i].blob));
    int result = oci_write(builder->store, image->settings, OCI_CONFIG, &image->config, fault);
    json_t *manifest =
        json_pack("{s:i, s:s, s:o, s:o}", "schemaVersion", 2, "mediaType", OCI_MANIFEST, "config",
                  descriptor_json(&image->config), "layers", layers);
    if (result == 0)
        result = oci_write(builder->store, manifest, OCI_MANIFEST, &image->manifest, fault);
    json_decref(manifest);
    if (result == 0)
        result = image_unpack_layers(builder->store, image, &settings_limits, fault);
    if (result == 0)
        result = index_set(builder->store, OCI_CACHE_KEY, key, &image->manifest, fault);
    return result;
}

/* --- instructions ----------------------------------------------------------------------------- */

static int begin_stage(struct builder *builder, const struct instruction *it, struct fault *fault)
{
    struct oci_image *image = &builder->image;
    size_t i = builder->stage_count;

    while (i > 0 && (builder->stages[i - 1].name == NULL ||
                     strcmp(builder->stages[i - 1].name, it->source) != 0))
        i--;
    if (i > 0) {
        int result = builder_copy(image, &builder->stages[i - 1].image);
        return result < 0 ? fault_set(fault, result, "%s", fault_reason(result)) : 0;
    }
    if (strcmp(it->source, "scratch") != 0) {
        int result = oci_image_named(builder->store, it->source, image, fault);
        if (result == 0)
            result = image_unpack_layers(builder->store, image, &settings_limits, fault);
        return result;
    }
    *image = (struct oci_image){.settings = json_pack("{s:s, s:s, s:{}, s:{s:s, s:[]}, s:[]}",
                                                      "architecture", oci_architecture(), "os",
                                                      "linux", "config", "rootfs", "type", "layers",
                                                      "diff_ids", "history")};
    return image->settings != NULL ? 0 : fault_set(fault, -ENOMEM, "%s", strerror(ENOMEM));
}

static void end_stage(struct builder *builder, const char *name)
{
    builder->stages[builder->stage_count++] = (struct stage){name, builder->image};
    builder->image = (struct oci_image){0};
}

static int carry_out(struct builder *builder, const struct instruction *it, struct fault *fault)
{
    struct context context;
    char key[IMAGE_DIGEST] = "";
    int result = instruction_take(builder, it, &context, fault);

    if (result == 0) {
        result = image_cache_key(builder->image.manifest.digest, it->text, context.inputs,
                                 context.count, key);
        if (result < 0)
            fault_set(fault, result, "image_cache_key: %s", fault_reason(result));
    }
    bool hit = result == 0 && look_up(builder, key);
    if (result == 0 && !hit)
        result = instruction_do(builder, it, &context, fault);
    if (result == 0 && !hit)
        result = store_image(builder, key, fault);
    context_drop(&context);
    workshop_close(&builder->from);
    if (result < 0)
        return result;
    printf("%-6s %s\n", hit ? "CACHED" : "built", it->text);
    fflush(stdout);
    *(hit ? &builder->hits : &builder->misses) += 1;
    return 0;
}

static int build_all(struct builder *builder, const struct stratafile *file,
                     const struct instruction **at, struct fault *fault)
{
    const char *stage = NULL;
    int result = 0;

    for (size_t i = 0; result == 0 && i < stratafile_count(file); i++) {
        const struct instruction *it = *at = stratafile_at(file, i);
        if (it->verb != BUILD_FROM) {
            result = carry_out(builder, it, fault);
            continue;
        }
        if (i > 0)
            end_stage(builder, stage);
        if (builder->stage_count == BUILD_STAGES_MAX)
            return fault_set(fault, -E2BIG, "%d stages are enough", BUILD_STAGES_MAX);
        stage = it->stage;
        printf("       %s\n", it->text);
        result = begin_stage(builder, it, fault);
    }
    if (result == 0 && builder->image.manifest.digest[0] == '\0')
        result = fault_set(fault, -EINVAL, "nothing was built upon scratch");
    return result;
}

/* --- the whole -------------------------------------------------------------------------------- */

/* Folders of our own in the store, by absolute paths: mount(2) takes no fds. */
static int prepare(struct builder *builder, struct fault *fault)
{
    char path[64], proc[64], store[PATH_MAX];
    struct rlimit files;

    int scratch = store_temporary_folder(builder->store, path);
    if (scratch < 0)
        return fault_set(fault, scratch, "tmp/ of the store: %s", fault_reason(scratch));
    close(scratch);
    snprintf(proc, sizeof proc, "/proc/self/fd/%d", builder->store);
    ssize_t length = readlink(proc, store, sizeof store - 1);
    if (length < 0)
        return fault_set(fault, -errno, "%s: %s", proc, strerror(errno));
    store[length] = '\0';
    if (snprintf(builder->layers, PATH_MAX, "%s/layers", store) >= PATH_MAX ||
        snprintf(builder->scratch, PATH_MAX, "%s/%s", store, path) >= PATH_MAX)
        return fault_set(fault, -ENAMETOOLONG, "%s", strerror(ENAMETOOLONG));
    /* COPY has all its files open at once. */
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    umask(022); /* what the caller's is must not make another image */
    return 0;
}

/* Builds in the store, which is ours alone meanwhile. */
static int build(int store, const char *folder, const char *name, struct fault *fault)
{
    static struct builder builder; /* big */
    const struct instruction *at = NULL;
    struct stratafile *file = NULL;
    struct fault inner = {""};
    const char *wrong;
    int line = 0;

    builder = (struct builder){.store = store, .here.root = -1, .from.root = -1};
    builder.folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (builder.folder < 0)
        return fault_set(fault, -errno, "%s: %s", folder, strerror(errno));
    int result = stratafile_read(builder.folder, file_name, &file, &line, &wrong);
    if (result < 0) {
        const char *why = wrong != NULL ? wrong : fault_reason(result);
        if (line > 0)
            fault_set(fault, result, "%s/%s:%d: %s", folder, file_name, line, why);
        else
            fault_set(fault, result, "%s/%s: %s", folder, file_name, why);
    } else {
        result = prepare(&builder, fault);
    }
    if (result == 0) {
        result = build_all(&builder, file, &at, &inner);
        if (result == 0)
            result = index_set(store, OCI_NAME, name, &builder.image.manifest, &inner);
        if (result < 0)
            fault_set(fault, result, "%s/%s:%d: %s", folder, file_name, at != NULL ? at->line : 1,
                      inner.text);
    }
    if (result == 0)
        printf("%s %s: %zu layers, %u of %u instructions from the cache\n", name,
               builder.image.manifest.digest, builder.image.count, builder.hits,
               builder.hits + builder.misses);
    oci_image_free(&builder.image);
    for (size_t i = 0; i < builder.stage_count; i++)
        oci_image_free(&builder.stages[i].image);
    stratafile_free(file);
    close(builder.folder);
    store_sweep(store);
    return result;
}

int build_ask(struct container *container, const char *value)
{
    struct fault fault = {""};
    char *folder, *name;
    int result = settings_split(value, &folder, &name);

    (void)container;
    if (result < 0)
        return result;
    result = image_check_name(name, &fault);
    int store = result < 0 ? result : store_open(settings_store, STORE_WRITE, &fault);
    if (store < 0)
        settings_refuse(&fault, store);
    result = build(store, folder, name, &fault);
    if (result == 0)
        result = image_collect(store, &fault);
    close(store);
    if (result < 0)
        settings_refuse(&fault, result);
    return OPTION_DONE;
}

int build_without_cache(struct container *container, const char *value)
{
    (void)container;
    (void)value;
    without_cache = true;
    return 0;
}

int build_prune(struct container *container, const char *value)
{
    struct fault fault = {""};
    json_t *index = NULL, *entry;
    int store = store_open(settings_store, STORE_WRITE, &fault);
    int result = store < 0 ? store : index_read(store, &index, &fault);
    size_t i;

    (void)container;
    (void)value;
    json_array_foreach(json_object_get(index, "manifests"), i, entry)
    {
        const char *key = json_string_value(
            json_object_get(json_object_get(entry, "annotations"), OCI_CACHE_KEY));
        if (result == 0 && key != NULL)
            result = index_set(store, OCI_CACHE_KEY, key, NULL, &fault);
    }
    json_decref(index);
    if (result == 0)
        result = image_collect(store, &fault);
    if (store >= 0)
        close(store);
    if (result < 0)
        settings_refuse(&fault, result);
    return OPTION_DONE;
}
