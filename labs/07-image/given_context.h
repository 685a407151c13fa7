/*
 * What COPY takes, and where it puts it.
 *
 * All paths are looked up by the kernel below a root that is not ours (openat2(2)): the folder of
 * the Stratafile, which they may not leave, or an image, whose absolute links mean the image.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "07-image/image.h"

/* The files that one COPY takes, sorted. An input's name says what it is:
 *   "a", "sub/a"   a file; its mode's x bits go along
 *   "sub/"         a folder
 *   "a//to"        a symbolic link to "to": no name of a file has "//" in it
 * Of folders and links the name is all there is; their content is empty. */
struct context {
    struct image_input *inputs;
    size_t count;
    bool folder; /* a whole folder is taken: its content, not itself */
    int empty;   /* an empty file, of ours                            */
};

/* Takes `path` below the open folder `root`. `inside`: root is that of an image. `except`, an open
 * folder or -1, is left out wherever it is met: nobody copies the store into itself.
 * 0, or -errno: -EXDEV when the path leads out, -EINVAL for a socket, device or FIFO. */
int context_take(int root, const char *path, bool inside, int except, struct context *context);
void context_drop(struct context *context); /* all zero is fine */

/* Makes it `target` below the open folder `root` of an image, an absolute path: where that ends
 * with
 * "/" or is a folder, a file goes into it. Missing folders are made, mode 0755; a file's mode is
 * 0644 and its x bits. */
int context_put(const struct context *context, int root, const char *target);

/* Opens the folder `path` below `root`, an image's; what is missing on the way is made, mode 0755.
 */
int context_folder(int root, const char *path);
