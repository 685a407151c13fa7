/* An image leaves the store, as a layout that other tools read. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "07-image/given_image.h"
#include "07-image/given_store.h"

static int copy_blob(int store, int folder, const struct descriptor *blob, struct fault *fault)
{
    char digest[IMAGE_DIGEST];
    int fd = oci_open(store, blob, fault);

    if (fd < 0)
        return fd;
    int result = image_put(folder, fd, blob->digest, digest);
    close(fd);
    return result < 0 ? fault_set(fault, result, "the blob %s cannot be copied: %s", blob->digest,
                                  fault_reason(result))
                      : 0;
}

static int copy_image(int store, int folder, const char *name, const struct oci_image *image,
                      struct fault *fault)
{
    int result = 0;

    for (size_t i = 0; result == 0 && i < image->count; i++)
        result = copy_blob(store, folder, &image->layers[i].blob, fault);
    if (result == 0)
        result = copy_blob(store, folder, &image->config, fault);
    if (result == 0)
        result = copy_blob(store, folder, &image->manifest, fault);
    if (result == 0)
        result = index_set(folder, OCI_NAME, name, &image->manifest, fault);
    return result;
}

/* Takes back what a failed export has made: we made the folder a store, so its contents are ours.
 */
static void take_back(int folder, const char *path, bool made)
{
    static const char *const ours[] = {"oci-layout", "index.json", "blobs", "layers"};

    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        store_discard(folder, ours[i]);
    store_sweep(folder);
    unlinkat(folder, "tmp", AT_REMOVEDIR);
    if (made)
        rmdir(path);
}

int image_export(int store, const char *name, const char *path, struct descriptor *manifest,
                 struct fault *fault)
{
    struct oci_image image;
    int result = oci_image_named(store, name, &image, fault);

    if (result < 0)
        return result;
    *manifest = image.manifest;
    bool made = mkdir(path, 0755) == 0;
    if (!made && (errno != EEXIST || rmdir(path) < 0 || mkdir(path, 0755) < 0)) {
        oci_image_free(&image);
        return fault_set(fault, -errno, "%s must be a new or an empty folder: %s", path,
                         strerror(errno));
    }
    /* image_put needs a tmp/, and so does index_set: it is a store for a moment. */
    int folder = store_open(path, STORE_WRITE, fault);
    result = folder < 0 ? folder : copy_image(store, folder, name, &image, fault);
    oci_image_free(&image);
    if (folder >= 0) {
        if (result < 0) {
            take_back(folder, path, made);
        } else {
            unlinkat(folder, "tmp", AT_REMOVEDIR);
            unlinkat(folder, "layers", AT_REMOVEDIR);
        }
        close(folder);
    }
    return result;
}
