/*
 * SHA-256, the one digest of the kit: skeletons, image layers, the probe's own file.
 * The arithmetic is nettle's; this page only turns it into the shape that we need.
 */
#ifndef STRATA_DIGEST_H
#define STRATA_DIGEST_H

#include <stddef.h>

/* 64 hexadecimal digits and the closing NUL. */
enum { DIGEST_HEX = 65 };

/*
 * The SHA-256 of length bytes at data, as 64 lower-case hexadecimal digits.
 * data may be NULL when length is 0. Always returns 0.
 */
int digest_sha256(const void *data, size_t length, char hex[DIGEST_HEX]);

/*
 * The SHA-256 of the whole file behind fd, read with pread(2) from offset 0: the file offset,
 * which others may share, stays where it is.
 * Returns 0, or -errno from pread(2): -ESPIPE for a pipe or socket, -EISDIR for a folder.
 * On failure hex is the empty string.
 */
int digest_sha256_fd(int fd, char hex[DIGEST_HEX]);

#endif
