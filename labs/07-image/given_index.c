/* index.json: which images there are. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "07-image/given_oci.h"
#include "07-image/given_store.h"

enum { NESTED_MAX = 4 }; /* an index in an index in an index */

int index_read(int folder, json_t **index, struct fault *fault)
{
    json_error_t error;
    struct stat st;
    int fd = openat(folder, "index.json", O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);

    *index = NULL;
    if (fd < 0)
        return fault_set(fault, -errno, "index.json cannot be opened: %s", strerror(errno));
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > OCI_DOCUMENT_MAX) {
        close(fd);
        return fault_set(fault, -EBADMSG, "index.json is no file of at most %d bytes",
                         OCI_DOCUMENT_MAX);
    }
    *index = oci_load(fd, &error);
    close(fd);
    if (!json_is_array(json_object_get(*index, "manifests"))) {
        int result = fault_set(fault, -EBADMSG, "index.json is no index of images: %s",
                               *index == NULL ? error.text : "no array of manifests");
        json_decref(*index);
        *index = NULL;
        return result;
    }
    return 0;
}

/* Where in the index the image is, or the number of images. */
static size_t position(const json_t *index, const char *annotation, const char *value)
{
    const json_t *manifests = json_object_get(index, "manifests");
    size_t i = 0;

    for (; i < json_array_size(manifests); i++) {
        const json_t *annotations = json_object_get(json_array_get(manifests, i), "annotations");
        const char *found = json_string_value(json_object_get(annotations, annotation));
        if (found != NULL && strcmp(found, value) == 0)
            break;
    }
    return i;
}

int index_find(const json_t *index, const char *annotation, const char *value,
               struct descriptor *descriptor, struct fault *fault)
{
    const json_t *manifests = json_object_get(index, "manifests");
    size_t i = position(index, annotation, value);

    if (i == json_array_size(manifests))
        return fault_set(fault, -ENOENT, "no image is called %.200s; --images lists what there is",
                         value);
    return descriptor_read(json_array_get(manifests, i), descriptor, fault);
}

int index_set(int store, const char *annotation, const char *value,
              const struct descriptor *manifest, struct fault *fault)
{
    json_t *index;
    int result = index_read(store, &index, fault);

    if (result < 0)
        return result;
    json_t *manifests = json_object_get(index, "manifests");
    json_array_remove(manifests, position(index, annotation, value)); /* if it is there */
    if (manifest != NULL) {
        json_t *entry = descriptor_json(manifest);
        if (json_object_set_new(entry, "annotations", json_pack("{s:s}", annotation, value)) < 0 ||
            json_array_append(manifests, entry) < 0)
            result = -ENOMEM;
        json_decref(entry);
    }
    char *text = result == 0 ? json_dumps(index, JSON_INDENT(2)) : NULL;
    if (text == NULL)
        result = -ENOMEM;
    else
        result = store_replace(store, "index.json", text, strlen(text));
    free(text);
    json_decref(index);
    if (result < 0)
        fault_set(fault, result, "index.json cannot be written: %s", fault_reason(result));
    return result;
}

/* --- which image of somebody else's layout ---------------------------------------------------- */

static bool is_index(const char *type)
{
    return strcmp(type, OCI_INDEX) == 0 ||
           strcmp(type, "application/vnd.docker.distribution.manifest.list.v2+json") == 0;
}

static bool is_manifest(const char *type)
{
    return strcmp(type, OCI_MANIFEST) == 0 ||
           strcmp(type, "application/vnd.docker.distribution.manifest.v2+json") == 0;
}

static bool is_for_us(const json_t *descriptor)
{
    const json_t *platform = json_object_get(descriptor, "platform");
    const char *system = json_string_value(json_object_get(platform, "os"));
    const char *architecture = json_string_value(json_object_get(platform, "architecture"));

    return system != NULL && strcmp(system, "linux") == 0 && architecture != NULL &&
           strcmp(architecture, oci_architecture()) == 0;
}

/* The one of `tag`, else the one for this machine, else the only one. */
static const json_t *pick(const json_t *manifests, const char *tag, struct fault *fault)
{
    size_t count = json_array_size(manifests);
    const json_t *found = NULL;

    for (size_t i = 0; i < count; i++) {
        const json_t *entry = json_array_get(manifests, i);
        const json_t *annotations = json_object_get(entry, "annotations");
        const char *name = json_string_value(json_object_get(annotations, OCI_NAME));
        if (tag != NULL ? name != NULL && strcmp(name, tag) == 0 : is_for_us(entry)) {
            found = entry;
            break;
        }
    }
    if (found == NULL && tag == NULL && count == 1)
        found = json_array_get(manifests, 0);
    if (found == NULL && tag != NULL)
        fault_set(fault, -ENOENT, "no image of the layout is called %.200s", tag);
    else if (found == NULL)
        fault_set(fault, -ENOENT, "the layout has %zu images, and none is the one for linux/%s; %s",
                  count, oci_architecture(), "write FOLDER:TAG to choose");
    return found;
}

int oci_choose(int folder, const char *tag, struct descriptor *manifest, struct fault *fault)
{
    json_t *index;
    int result = index_read(folder, &index, fault);

    for (int depth = 0; result == 0 && depth < NESTED_MAX; depth++, tag = NULL) {
        const json_t *picked = pick(json_object_get(index, "manifests"), tag, fault);
        result = picked == NULL ? -ENOENT : descriptor_read(picked, manifest, fault);
        json_decref(index);
        index = NULL;
        if (result < 0 || !is_index(manifest->type))
            break;
        result = oci_read(folder, manifest, &index, fault);
    }
    json_decref(index);
    if (result == 0 && !is_manifest(manifest->type))
        result = fault_set(fault, -EBADMSG, "the layout leads to a %s, which is no image",
                           manifest->type);
    return result;
}
