/* Is every file of the store what it should be? */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "07-image/given_compare.h"
#include "07-image/given_image.h"
#include "07-image/given_paths.h"

struct verify {
    int store;
    int faults;
    struct paths damaged; /* blobs that were reported                             */
    struct paths layers;  /* that were looked at: images share them               */
    void (*report)(const char *sentence);
};

/* Reports what `fault` says and empties it for the next. */
static void found(struct verify *verify, struct fault *fault)
{
    verify->report(fault->text);
    verify->faults++;
    fault->text[0] = '\0';
}

static void verify_blob(struct verify *verify, const char *name)
{
    char digest[IMAGE_DIGEST], path[300];
    struct fault fault = {""};

    snprintf(path, sizeof path, "blobs/sha256/%s", name);
    int fd = openat(verify->store, path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    int result = fd < 0 ? -errno : image_digest(fd, digest);
    if (fd >= 0)
        close(fd);
    if (result < 0)
        fault_set(&fault, result, "%s cannot be read: %s", path, fault_reason(result));
    else if (strcmp(digest + 7, name) != 0)
        fault_set(&fault, -EBADMSG, "%s is damaged: its digest is %s", path, digest);
    if (fault.text[0] != '\0') {
        found(verify, &fault);
        paths_add(&verify->damaged, name);
    }
}

static void verify_blobs(struct verify *verify)
{
    int fd = openat(verify->store, "blobs/sha256", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = fd >= 0 ? fdopendir(fd) : NULL;
    struct fault fault = {""};

    if (list == NULL) {
        fault_set(&fault, -errno, "blobs/sha256 cannot be read: %s", strerror(errno));
        found(verify, &fault);
        return;
    }
    for (struct dirent *entry; (entry = readdir(list)) != NULL;)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            verify_blob(verify, entry->d_name);
    closedir(list);
}

/* A layer three times: the blob's size, its digests, and the files in layers/. */
static int verify_layer(struct verify *verify, const struct oci_layer *layer, struct fault *fault)
{
    char path[16 + IMAGE_DIGEST];
    if (paths_find(&verify->damaged, layer->blob.digest + 7) != NULL)
        return 0;
    int blob = oci_open(verify->store, &layer->blob, fault);
    if (blob < 0)
        return blob;
    snprintf(path, sizeof path, "layers/%s", layer->diff_id + 7);
    int result = image_verify_layer(blob, layer->blob.digest, layer->diff_id);
    if (result < 0) {
        fault_set(fault, result, "the layer %s is not what its digest and diff_id %s say: %s",
                  layer->blob.digest, layer->diff_id, fault_reason(result));
    } else {
        int folder = openat(verify->store, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (folder < 0)
            result =
                fault_set(fault, -errno, "%s is missing or no folder: %s", path, strerror(errno));
        else
            result = compare_layer(blob, folder, path, fault);
        if (folder >= 0)
            close(folder);
    }
    close(blob);
    return result;
}

static void verify_image(struct verify *verify, const struct descriptor *manifest)
{
    char key[2 * IMAGE_DIGEST];
    struct fault fault = {""};
    struct oci_image image;

    if (oci_image_read(verify->store, manifest, &image, &fault) < 0) {
        found(verify, &fault);
        return;
    }
    for (size_t i = 0; i < image.count; i++) {
        const struct oci_layer *layer = &image.layers[i];
        snprintf(key, sizeof key, "%s %s", layer->blob.digest, layer->diff_id);
        uint64_t *seen = paths_add(&verify->layers, key);
        if ((seen == NULL || *seen == 0) && verify_layer(verify, layer, &fault) < 0)
            found(verify, &fault);
        if (seen != NULL)
            *seen = 1;
    }
    oci_image_free(&image);
}

static void verify_index(struct verify *verify)
{
    struct fault fault = {""};
    struct descriptor manifest;
    json_t *index;

    if (index_read(verify->store, &index, &fault) < 0) {
        found(verify, &fault);
        return;
    }
    const json_t *manifests = json_object_get(index, "manifests");
    for (size_t i = 0; i < json_array_size(manifests); i++) {
        if (descriptor_read(json_array_get(manifests, i), &manifest, &fault) < 0)
            found(verify, &fault);
        else
            verify_image(verify, &manifest);
    }
    json_decref(index);
}

int image_verify(int store, void (*report)(const char *sentence))
{
    struct verify verify = {.store = store, .report = report};

    verify_blobs(&verify);
    verify_index(&verify);
    paths_free(&verify.layers);
    paths_free(&verify.damaged);
    return verify.faults;
}
