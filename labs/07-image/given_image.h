/* What one can do with the images of a store: docker's verbs. All of it: 0, or -errno with the
 * fault set. */
#pragma once

#include "07-image/given_oci.h"

/* Takes the image `source` into the store under `name`: a root filesystem tar, an OCI image layout
 * (a folder, or a tar of one), either with ":TAG" behind it. All is checked before the first file
 * is unpacked, and the name comes last. STORE_WRITE. */
int image_import(int store, const char *source, const char *name, const struct image_limits *limits,
                 struct descriptor *manifest, struct fault *fault);

/* Unpacks the image's layers into layers/, as far as they are not there. STORE_WRITE. */
int image_unpack_layers(int store, const struct oci_image *image, const struct image_limits *limits,
                        struct fault *fault);

/* Is there such a file or folder? What makes no sense is better told before a store is made. */
int image_check_source(const char *source, struct fault *fault);

/* What may stand behind "--import FILE=": letters, digits and -._:@/+ */
int image_check_name(const char *name, struct fault *fault);

/* Copies the image into the new folder `path` as a layout of its own, under the same name. */
int image_export(int store, const char *name, const char *path, struct descriptor *manifest,
                 struct fault *fault);

/* Print what there is: a line an image; a line an instruction; wasted bytes and all bytes. */
int image_list(int store, struct fault *fault);
int image_history(int store, const char *name, struct fault *fault);
int image_print_waste(int store, const char *name, struct fault *fault);

/* Forgets the name. image_collect does the rest. STORE_WRITE. */
int image_remove(int store, const char *name, struct fault *fault);

/* Throws away the blobs and unpacked layers that nothing in index.json leads to; what a container
 * stands on stays for the next time. STORE_WRITE. */
int image_collect(int store, struct fault *fault);

/* Looks at every file of the store, and calls `report` with a sentence for each fault. Returns how
 * many there were. */
int image_verify(int store, void (*report)(const char *sentence));
