/* What somebody hands us for an image: is it a layout, or the files themselves? */
#pragma once

#include <stdbool.h>

#include "07-image/given_fault.h"
#include "07-image/image.h"

struct archive_look {
    bool layout;       /* has oci-layout and index.json at its top               */
    bool docker_saved; /* has manifest.json instead: what docker save once wrote */
};

/* Reads the whole archive once. -EBADMSG when it is none. */
int archive_look_at(int fd, const char *path, struct archive_look *look, struct fault *fault);

/* Takes what the layer `blob` would unpack to off `left`. -EFBIG when that is not enough: a million
 * files are counted sooner than made. */
int archive_measure(int blob, struct image_limits *left);

/* Copies what belongs to a layout from the archive into the empty folder, and nothing else: every
 * name is one of three that are known before. */
int archive_take_layout(int fd, int folder, const char *path, struct fault *fault);
