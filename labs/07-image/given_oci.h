/*
 * The JSON of an image, by jansson. A folder here is a store or any other OCI image layout: both
 * have oci-layout, index.json and blobs/sha256/. Whoever wrote the JSON may mean ill: nothing in it
 * is used before it was looked at, and everything has a limit.
 *
 * 0 or a count or an fd, or -errno with the fault set.
 * github.com/opencontainers/image-spec: descriptor.md, manifest.md, config.md, image-index.md
 */
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "07-image/given_fault.h"
#include "07-image/image.h"

#define OCI_INDEX    "application/vnd.oci.image.index.v1+json"
#define OCI_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define OCI_CONFIG   "application/vnd.oci.image.config.v1+json"
#define OCI_LAYER    "application/vnd.oci.image.layer.v1.tar"

/* The annotations of an index that find an image: by its name, or by the build cache's key. */
#define OCI_NAME      "org.opencontainers.image.ref.name"
#define OCI_CACHE_KEY "strata.cache.key"

enum { OCI_LAYERS_MAX = 127, OCI_DOCUMENT_MAX = 4 << 20 };

/* What names a blob: its kind, digest and size. */
struct descriptor {
    char type[96];
    char digest[IMAGE_DIGEST];
    uint64_t size;
};

int descriptor_read(const json_t *json, struct descriptor *descriptor, struct fault *fault);
json_t *descriptor_json(const struct descriptor *descriptor); /* NULL without memory */

/* Opens the blob, which has to be a file of the size that the descriptor says. */
int oci_open(int folder, const struct descriptor *descriptor, struct fault *fault);

/* Reads a file as JSON, from where the fd stands to its end; its size has been looked at by then.
 * NULL, and why, when it is none. The fd stays the caller's. */
json_t *oci_load(int fd, json_error_t *error);

/* Reads the blob as JSON, if its digest is right. json_decref is the caller's. */
int oci_read(int folder, const struct descriptor *descriptor, json_t **json, struct fault *fault);

/* Stores `json` as a blob and fills the descriptor, but for its type, which comes as `type`. */
int oci_write(int store, const json_t *json, const char *type, struct descriptor *descriptor,
              struct fault *fault);

/* A manifest with its configuration. */
struct oci_image {
    struct descriptor manifest, config;
    json_t *settings; /* the configuration                                              */
    size_t count;
    struct oci_layer {
        struct descriptor blob;
        char diff_id[IMAGE_DIGEST];
    } layers[OCI_LAYERS_MAX]; /* the lowest first */
};

int oci_image_read(int folder, const struct descriptor *manifest, struct oci_image *image,
                   struct fault *fault);
void oci_image_free(struct oci_image *image);

/* index.json, and the image in it whose `annotation` is `value` (-ENOENT). */
int index_read(int folder, json_t **index, struct fault *fault);
int index_find(const json_t *index, const char *annotation, const char *value,
               struct descriptor *descriptor, struct fault *fault);
/* Changes index.json: that annotation leads to this manifest from now on, or with NULL nowhere. */
int index_set(int store, const char *annotation, const char *value,
              const struct descriptor *manifest, struct fault *fault);

/* index_read, index_find by name, oci_image_read. */
int oci_image_named(int store, const char *name, struct oci_image *image, struct fault *fault);

/* The image in somebody else's layout that `tag` names (NULL: the only one), for this machine where
 * there are several. */
int oci_choose(int folder, const char *tag, struct descriptor *manifest, struct fault *fault);

/* "amd64", "arm64": this machine in the words of the specification. */
const char *oci_architecture(void);
