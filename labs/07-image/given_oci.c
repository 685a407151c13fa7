/* Descriptors, documents and manifests. */
#include "07-image/given_oci.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "07-image/given_store.h"

int descriptor_read(const json_t *json, struct descriptor *descriptor, struct fault *fault)
{
    const char *type = json_string_value(json_object_get(json, "mediaType"));
    const char *digest = json_string_value(json_object_get(json, "digest"));
    const json_t *size = json_object_get(json, "size");

    if (type == NULL || strlen(type) >= sizeof descriptor->type || digest == NULL ||
        strlen(digest) != IMAGE_DIGEST - 1 || !json_is_integer(size) ||
        json_integer_value(size) < 0)
        return fault_set(fault, -EBADMSG,
                         "a descriptor without a proper mediaType, sha256 digest or size (%.80s)",
                         digest != NULL ? digest : "no digest");
    strcpy(descriptor->type, type);
    strcpy(descriptor->digest, digest);
    descriptor->size = (uint64_t)json_integer_value(size);
    return 0;
}

json_t *descriptor_json(const struct descriptor *descriptor)
{
    return json_pack("{s:s, s:s, s:I}", "mediaType", descriptor->type, "digest", descriptor->digest,
                     "size", (json_int_t)descriptor->size);
}

int oci_open(int folder, const struct descriptor *descriptor, struct fault *fault)
{
    char path[16 + IMAGE_DIGEST];
    struct stat st;

    /* A FIFO in its place would let us wait for ever in open(2). */
    if (strlen(descriptor->digest) == IMAGE_DIGEST - 1) {
        snprintf(path, sizeof path, "blobs/sha256/%s", descriptor->digest + 7);
        if (fstatat(folder, path, &st, 0) == 0 && !S_ISREG(st.st_mode))
            return fault_set(fault, -EBADMSG, "%s is no file", path);
    }
    int fd = image_open(folder, descriptor->digest);
    if (fd < 0)
        return fault_set(fault, fd, "the blob %.80s cannot be opened: %s", descriptor->digest,
                         fault_reason(fd));
    if (fstat(fd, &st) < 0 || (uint64_t)st.st_size != descriptor->size) {
        close(fd);
        return fault_set(fault, -EBADMSG,
                         "the blob %s has %jd bytes, and its descriptor says %" PRIu64,
                         descriptor->digest, (intmax_t)st.st_size, descriptor->size);
    }
    return fd;
}

/* Not by json_loadfd(3), which makes a system call for every byte. JSON_REJECT_DUPLICATES: of two
 * keys of one name, another program might believe the other. */
json_t *oci_load(int fd, json_error_t *error)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    FILE *file = copy < 0 ? NULL : fdopen(copy, "r");

    if (file == NULL) {
        *error = (json_error_t){.line = -1};
        snprintf(error->text, sizeof error->text, "%s", strerror(errno));
        if (copy >= 0)
            close(copy);
        return NULL;
    }
    json_t *json = json_loadf(file, JSON_REJECT_DUPLICATES, error);
    fclose(file);
    return json;
}

static int parse(int fd, const char *what, uint64_t size, json_t **json, struct fault *fault)
{
    json_error_t error;

    if (size > OCI_DOCUMENT_MAX)
        return fault_set(fault, -EFBIG, "%s has %" PRIu64 " bytes; JSON of an image has %d at most",
                         what, size, OCI_DOCUMENT_MAX);
    *json = oci_load(fd, &error);
    if (*json == NULL)
        return fault_set(fault, -EBADMSG, "%s is no proper JSON: line %d: %s", what, error.line,
                         error.text);
    if (!json_is_object(*json)) {
        json_decref(*json);
        *json = NULL;
        return fault_set(fault, -EBADMSG, "%s is JSON, but no object", what);
    }
    return 0;
}

int oci_read(int folder, const struct descriptor *descriptor, json_t **json, struct fault *fault)
{
    char found[IMAGE_DIGEST];
    int fd = oci_open(folder, descriptor, fault);

    *json = NULL;
    if (fd < 0)
        return fd;
    int result = descriptor->size <= OCI_DOCUMENT_MAX ? image_digest(fd, found) : 0;
    if (result < 0)
        fault_set(fault, result, "the digest of %s: %s", descriptor->digest, fault_reason(result));
    else if (descriptor->size <= OCI_DOCUMENT_MAX && strcmp(found, descriptor->digest) != 0)
        result = fault_set(fault, -EBADMSG, "the blob %s is damaged: its digest is %s",
                           descriptor->digest, found);
    else
        result = parse(fd, descriptor->digest, descriptor->size, json, fault);
    close(fd);
    return result;
}

int oci_write(int store, const json_t *json, const char *type, struct descriptor *descriptor,
              struct fault *fault)
{
    char path[64];
    struct stat st;
    int file = store_temporary_file(store, path);

    if (file < 0)
        return fault_set(fault, file, "tmp/ of the store: %s", fault_reason(file));
    snprintf(descriptor->type, sizeof descriptor->type, "%s", type);
    int result = json_dumpfd(json, file, JSON_COMPACT) < 0 || fstat(file, &st) < 0 ? -EIO : 0;
    if (result == 0) {
        descriptor->size = (uint64_t)st.st_size;
        result = image_put(store, file, NULL, descriptor->digest);
    }
    unlinkat(store, path, 0);
    close(file);
    if (result < 0)
        fault_set(fault, result, "JSON cannot be stored: %s", fault_reason(result));
    return result;
}

/* --- a manifest and what it leads to ---------------------------------------------------------- */

static int read_layers(const json_t *manifest, struct oci_image *image, struct fault *fault)
{
    const json_t *layers = json_object_get(manifest, "layers");
    const json_t *rootfs = json_object_get(image->settings, "rootfs");
    const json_t *diff_ids = json_object_get(rootfs, "diff_ids");

    if (!json_is_array(layers) || !json_is_array(diff_ids) ||
        json_array_size(layers) != json_array_size(diff_ids))
        return fault_set(
            fault, -EBADMSG, "the manifest %s has %zu layers and its configuration %zu diff_ids",
            image->manifest.digest, json_array_size(layers), json_array_size(diff_ids));
    if (json_array_size(layers) > OCI_LAYERS_MAX)
        return fault_set(fault, -EBADMSG, "the image has %zu layers; %d can be used",
                         json_array_size(layers), OCI_LAYERS_MAX);
    for (; image->count < json_array_size(layers); image->count++) {
        struct oci_layer *layer = &image->layers[image->count];
        const char *diff_id = json_string_value(json_array_get(diff_ids, image->count));
        int result = descriptor_read(json_array_get(layers, image->count), &layer->blob, fault);
        if (result < 0)
            return result;
        if (diff_id == NULL || strlen(diff_id) != IMAGE_DIGEST - 1)
            return fault_set(fault, -EBADMSG, "diff_id %zu is no sha256 digest", image->count + 1);
        strcpy(layer->diff_id, diff_id);
    }
    return 0;
}

int oci_image_read(int folder, const struct descriptor *manifest, struct oci_image *image,
                   struct fault *fault)
{
    json_t *json;

    *image = (struct oci_image){.manifest = *manifest};
    int result = oci_read(folder, manifest, &json, fault);
    if (result == 0)
        result = descriptor_read(json_object_get(json, "config"), &image->config, fault);
    if (result == 0)
        result = oci_read(folder, &image->config, &image->settings, fault);
    if (result == 0)
        result = read_layers(json, image, fault);
    json_decref(json);
    if (result < 0)
        oci_image_free(image);
    return result;
}

void oci_image_free(struct oci_image *image)
{
    json_decref(image->settings);
    image->settings = NULL;
    image->count = 0;
}

int oci_image_named(int store, const char *name, struct oci_image *image, struct fault *fault)
{
    struct descriptor manifest;
    json_t *index;
    int result = index_read(store, &index, fault);

    *image = (struct oci_image){0};
    if (result == 0)
        result = index_find(index, OCI_NAME, name, &manifest, fault);
    if (result == 0)
        result = oci_image_read(store, &manifest, image, fault);
    json_decref(index);
    return result;
}

const char *oci_architecture(void)
{
    static const char *const names[][2] = {
        {"x86_64", "amd64"}, {"aarch64", "arm64"}, {"armv7l", "arm"},         {"armv6l", "arm"},
        {"i686", "386"},     {"i386", "386"},      {"loongarch64", "loong64"}};
    static struct utsname machine; /* riscv64, ppc64le, s390x are called the same in both */

    if (uname(&machine) < 0)
        return "unknown";
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(machine.machine, names[i][0]) == 0)
            return names[i][1];
    return machine.machine;
}
