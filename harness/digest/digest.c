/* SHA-256 of a buffer and of an open file, by way of nettle. */
#include "digest/digest.h"

#include <errno.h>
#include <nettle/sha2.h>
#include <stdint.h>
#include <unistd.h>

static void finish(struct sha256_ctx *sum, char hex[DIGEST_HEX])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t raw[SHA256_DIGEST_SIZE];

    sha256_digest(sum, sizeof(raw), raw);
    for (size_t i = 0; i < sizeof(raw); i++) {
        hex[2 * i] = digits[raw[i] >> 4];
        hex[2 * i + 1] = digits[raw[i] & 15];
    }
    hex[2 * sizeof(raw)] = '\0';
}

int digest_sha256(const void *data, size_t length, char hex[DIGEST_HEX])
{
    struct sha256_ctx sum;

    sha256_init(&sum);
    if (length > 0)
        sha256_update(&sum, length, data);
    finish(&sum, hex);
    return 0;
}

int digest_sha256_fd(int fd, char hex[DIGEST_HEX])
{
    struct sha256_ctx sum;
    uint8_t block[16384];
    off_t at = 0;

    hex[0] = '\0';
    sha256_init(&sum);
    for (;;) {
        ssize_t n = pread(fd, block, sizeof(block), at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        sha256_update(&sum, (size_t)n, block);
        at += n;
    }
    finish(&sum, hex);
    return 0;
}
