/* What no image needs any more goes. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "07-image/given_image.h"
#include "07-image/given_paths.h"
#include "07-image/given_store.h"

int image_remove(int store, const char *name, struct fault *fault)
{
    struct descriptor manifest;
    json_t *index;
    int result = index_read(store, &index, fault);

    if (result == 0)
        result = index_find(index, OCI_NAME, name, &manifest, fault);
    json_decref(index);
    return result < 0 ? result : index_set(store, OCI_NAME, name, NULL, fault);
}

static int keep(struct paths *kept, const char *folder, const char *digest)
{
    char path[24 + IMAGE_DIGEST];

    snprintf(path, sizeof path, "%.16s/%.64s", folder, digest + 7);
    return paths_add(kept, path) != NULL ? 0 : -ENOMEM;
}

static int keep_image(struct paths *kept, const struct oci_image *image)
{
    int result = keep(kept, "blobs/sha256", image->manifest.digest);

    if (result == 0)
        result = keep(kept, "blobs/sha256", image->config.digest);
    for (size_t i = 0; result == 0 && i < image->count; i++) {
        result = keep(kept, "blobs/sha256", image->layers[i].blob.digest);
        if (result == 0)
            result = keep(kept, "layers", image->layers[i].diff_id);
    }
    return result;
}

/* All that index.json leads to, with a name or without. One image that cannot be read ends it: what
 * it needs is not known. */
static int keep_all(int store, struct paths *kept, struct fault *fault)
{
    struct descriptor manifest;
    struct oci_image image;
    json_t *index;
    int result = index_read(store, &index, fault);
    const json_t *manifests = json_object_get(index, "manifests");

    for (size_t i = 0; result == 0 && i < json_array_size(manifests); i++) {
        result = descriptor_read(json_array_get(manifests, i), &manifest, fault);
        if (result == 0)
            result = oci_image_read(store, &manifest, &image, fault);
        if (result == 0) {
            result = keep_image(kept, &image);
            oci_image_free(&image);
        }
    }
    json_decref(index);
    return result;
}

static int discard_others(int store, const struct paths *kept, const char *folder)
{
    char path[300];
    int fd = openat(store, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *list = fd >= 0 ? fdopendir(fd) : NULL;
    int result = 0;

    if (list == NULL)
        return -errno;
    for (struct dirent *entry; result == 0 && (entry = readdir(list)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (paths_find(kept, path) == NULL)
            result = store_discard(store, path);
        if (result == -EBUSY) /* a container stands on it */
            result = 0;
    }
    closedir(list);
    return result;
}

int image_collect(int store, struct fault *fault)
{
    struct paths kept = {0};
    int result = keep_all(store, &kept, fault);

    if (result == 0)
        result = discard_others(store, &kept, "layers");
    if (result == 0)
        result = discard_others(store, &kept, "blobs/sha256");
    paths_free(&kept);
    store_sweep(store);
    return result < 0
               ? fault_set(fault, result, "the store cannot be tidied: %s", fault_reason(result))
               : 0;
}
