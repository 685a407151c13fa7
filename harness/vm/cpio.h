/*
 * Archives that the kernel unpacks into its first root file system: cpio, format "newc".
 * Documentation/driver-api/early-userspace/buffer-format.rst of the kernel.
 *
 * All that is in them belongs to root and is of time 0, whoever made them. Archives may follow one
 * another; each is a multiple of 4 bytes long, as the kernel wants it.
 */
#pragma once

#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

struct cpio {
    FILE *out;
    unsigned entries; /* also the inode numbers: each its own, or they would be hard links */
};

/* One entry.
 *   path   without a leading '/'; folders come before what is in them
 *   mode   type and permissions, stat(2)'s st_mode
 *   data   a file's content, or where a link leads to; `length` bytes
 * Returns 0 or -errno. */
int cpio_add(struct cpio *cpio, const char *path, mode_t mode, const void *data, size_t length);

/* A device node: mode S_IFCHR or S_IFBLK. */
int cpio_node(struct cpio *cpio, const char *path, mode_t mode, unsigned major, unsigned minor);

/* A file with the content of an open one, read from its start. */
int cpio_file(struct cpio *cpio, const char *path, mode_t mode, int fd);

/* The folders that lead to `path`, mode 0755; the kernel minds no folder that is there already. */
int cpio_folders(struct cpio *cpio, const char *path);

/* The end mark. */
int cpio_end(struct cpio *cpio);
