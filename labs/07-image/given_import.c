/* An image comes into the store: copy, verify, unpack, and only then give it its name. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "07-image/given_archive.h"
#include "07-image/given_image.h"
#include "07-image/given_import.h"
#include "07-image/given_store.h"

static bool has_layer(int store, const char *diff_id)
{
    char path[16 + IMAGE_DIGEST];

    snprintf(path, sizeof path, "layers/%s", diff_id + 7);
    return faccessat(store, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int import_layer_fault(size_t number, int error, const struct image_limits *limits,
                       struct fault *fault)
{
    if (error == -EFBIG)
        return fault_set(fault, error,
                         "with layer %zu the image is more than %ju bytes or %ju entries: refused; "
                         "--max-bytes and --max-entries allow more",
                         number, (uintmax_t)limits->bytes, (uintmax_t)limits->entries);
    if (error == -EXDEV || error == -ELOOP)
        return fault_set(fault, error, "layer %zu holds a path that leads out of it: refused",
                         number);
    if (error == -ENOSPC || error == -EDQUOT)
        return fault_set(fault, error, "layer %zu does not fit: %s; make room, nothing was kept",
                         number, strerror(-error));
    return fault_set(fault, error, "layer %zu cannot be unpacked: %s", number, fault_reason(error));
}

/* Into tmp/: `path` says where. */
static int unpack_layer(int store, const struct oci_layer *layer, const struct image_limits *limits,
                        char path[64], struct fault *fault)
{
    int blob = oci_open(store, &layer->blob, fault);

    if (blob < 0)
        return blob;
    int folder = store_temporary_folder(store, path);
    int result = folder < 0 ? folder : image_unpack(blob, folder, limits);
    /* The name must not outlive a power failure that the files do not survive. */
    if (result == 0 && syncfs(folder) < 0)
        result = -errno;
    if (folder >= 0)
        close(folder);
    close(blob);
    return result;
}

int image_unpack_layers(int store, const struct oci_image *image, const struct image_limits *limits,
                        struct fault *fault)
{
    char path[64], target[16 + IMAGE_DIGEST];

    for (size_t i = 0; i < image->count; i++) {
        const struct oci_layer *layer = &image->layers[i];
        if (has_layer(store, layer->diff_id))
            continue;
        int result = unpack_layer(store, layer, limits, path, fault);
        snprintf(target, sizeof target, "layers/%s", layer->diff_id + 7);
        if (result == 0 && renameat(store, path, store, target) < 0)
            result = -errno;
        if (result < 0)
            return import_layer_fault(i + 1, result, limits, fault);
    }
    return 0;
}

/* A copy in the store, of what has the digest that it should have. */
static int take_blob(int store, int folder, const struct descriptor *blob, struct fault *fault)
{
    char digest[IMAGE_DIGEST];

    if (folder == store) /* what import_files has put there a moment ago */
        return 0;
    int fd = oci_open(folder, blob, fault);
    if (fd < 0)
        return fd;
    int result = image_put(store, fd, blob->digest, digest);
    close(fd);
    if (result == -EBADMSG)
        fault_set(fault, result, "the blob %s is damaged: its bytes have another digest",
                  blob->digest);
    else if (result < 0)
        fault_set(fault, result, "the blob %s cannot be stored: %s", blob->digest,
                  fault_reason(result));
    return result;
}

static bool is_layer_type(const char *type)
{
    static const char docker[] = "application/vnd.docker.image.rootfs.diff.tar";

    if (strncmp(type, OCI_LAYER, strlen(OCI_LAYER)) == 0)
        type += strlen(OCI_LAYER);
    else if (strncmp(type, docker, strlen(docker)) == 0)
        type += strlen(docker);
    else
        return false;
    return type[0] == '\0' || strcmp(type, "+gzip") == 0 || strcmp(type, ".gzip") == 0 ||
           strcmp(type, "+zstd") == 0;
}

static int take_layer(int store, int folder, const struct oci_layer *layer, size_t number,
                      struct image_limits *left, struct fault *fault)
{
    if (!is_layer_type(layer->blob.type))
        return fault_set(fault, -EBADMSG, "layer %zu is a %s, which cannot be used here", number,
                         layer->blob.type);
    int result = take_blob(store, folder, &layer->blob, fault);
    if (result < 0)
        return result;
    int fd = image_open(store, layer->blob.digest);
    if (fd < 0)
        return fault_set(fault, fd, "layer %zu: %s", number, fault_reason(fd));
    result = image_verify_layer(fd, layer->blob.digest, layer->diff_id);
    if (result < 0 && result != -EFBIG)
        fault_set(fault, result, "layer %zu is not what its digest and diff_id say: %s", number,
                  fault_reason(result));
    if (result == 0)
        result = archive_measure(fd, left);
    close(fd);
    return result;
}

/* Everything checked and copied, then everything unpacked, then the name. */
int import_take(int store, int folder, const char *name, const struct oci_image *image,
                const struct image_limits *limits, struct fault *fault)
{
    struct image_limits left = *limits; /* the limits are for all layers together */
    int result = 0;

    for (size_t i = 0; result == 0 && i < image->count; i++) {
        result = take_layer(store, folder, &image->layers[i], i + 1, &left, fault);
        if (result < 0)
            import_layer_fault(i + 1, result, limits, fault);
    }
    if (result == 0)
        result = take_blob(store, folder, &image->config, fault);
    if (result == 0)
        result = take_blob(store, folder, &image->manifest, fault);
    if (result == 0)
        result = image_unpack_layers(store, image, limits, fault);
    if (result == 0)
        result = index_set(store, OCI_NAME, name, &image->manifest, fault);
    return result;
}
