/* The half of --import that all sources share. */
#pragma once

#include "07-image/given_oci.h"

/* Takes the image from the layout in the open folder (the store itself, when its blobs are there
 * already): everything checked and copied, then everything unpacked, then the name. */
int import_take(int store, int folder, const char *name, const struct oci_image *image,
                const struct image_limits *limits, struct fault *fault);

/* Why layer `number`, from 1, cannot be unpacked. Returns `error`. */
int import_layer_fault(size_t number, int error, const struct image_limits *limits,
                       struct fault *fault);
