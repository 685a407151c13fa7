#pragma once

#include "given/layer.h"

extern const struct layer overlay_layer;

/* For lab 07, whose layers come from an image. Was a folder given for what the container changes
 * (--container)? And a lower layer more, below those that there are: 0, or -E2BIG. */
bool overlay_has_folder(void);
int overlay_add_lower(const char *path);
