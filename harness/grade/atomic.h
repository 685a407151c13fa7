/*
 * Files that are there whole or not at all.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

/* Opens the folder `path`, making it and its parents if they lack. When root makes one, it belongs
 * to the owner of the folder above, so that a run as root does not lock its user out.
 * Returns the fd or -errno. */
int atomic_folder(const char *path);

/* Writes `length` bytes as `name` into the folder: into a temporary file first, then rename(2).
 * 0 or -errno; on failure the old file is untouched and the temporary one is gone. */
int atomic_write(int folder, const char *name, const char *text, size_t length);
