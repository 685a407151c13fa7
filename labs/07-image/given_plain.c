/* The bytes of a blob before compression, by libarchive's filters. */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "07-image/given_tar.h"

struct plain {
    struct archive *archive;
    int fd;
    off_t at;  /* our own offset: the caller's fd keeps its */
    int error; /* of reading the file: -errno. What libarchive makes of it is less precise */
    bool ended;
    uint64_t count;
    char block[64 * 1024];
};

static uint64_t limit = UINT64_MAX;

void plain_limit(uint64_t bytes)
{
    limit = bytes;
}

static la_ssize_t read_block(struct archive *archive, void *arg, const void **block)
{
    struct plain *plain = arg;
    ssize_t n;

    do
        n = pread(plain->fd, plain->block, sizeof plain->block, plain->at);
    while (n < 0 && errno == EINTR);
    if (n < 0) {
        plain->error = -errno;
        archive_set_error(archive, errno, "read");
        return ARCHIVE_FATAL;
    }
    plain->at += n;
    *block = plain->block;
    return n;
}

static int failure(const struct plain *plain)
{
    if (plain->error < 0)
        return plain->error;
    return archive_errno(plain->archive) == ENOMEM ? -ENOMEM : -EBADMSG;
}

static int start(struct plain *plain)
{
    struct archive *archive = plain->archive;
    struct archive_entry *entry;

    /* "raw": whatever the file holds is one entry. "empty": so is nothing. */
    if (archive_read_support_filter_gzip(archive) != ARCHIVE_OK ||
        archive_read_support_filter_zstd(archive) != ARCHIVE_OK ||
        archive_read_support_format_raw(archive) != ARCHIVE_OK ||
        archive_read_support_format_empty(archive) != ARCHIVE_OK)
        return -ENOSYS; /* a libarchive without them */
    if (archive_read_open(archive, plain, NULL, read_block, NULL) != ARCHIVE_OK)
        return failure(plain);
    int result = archive_read_next_header(archive, &entry);
    plain->ended = result == ARCHIVE_EOF;
    if (result != ARCHIVE_OK && result != ARCHIVE_EOF)
        return failure(plain);
    /* The last filter is "none". A layer is compressed once; what is compressed again and again is
     * somebody's trap. */
    return archive_filter_count(archive) > 2 ? -EBADMSG : 0;
}

int plain_open(int fd, struct plain **plain)
{
    struct plain *new = calloc(1, sizeof *new);

    *plain = NULL;
    if (new == NULL)
        return -ENOMEM;
    new->fd = fd;
    new->archive = archive_read_new();
    int result = new->archive != NULL ? start(new) : -ENOMEM;
    if (result < 0) {
        plain_close(new);
        return result;
    }
    *plain = new;
    return 0;
}

ssize_t plain_read(struct plain *plain, void *buffer, size_t size)
{
    if (plain->ended)
        return 0;
    la_ssize_t n = archive_read_data(plain->archive, buffer, size);
    if (n < 0)
        return failure(plain);
    plain->ended = n == 0 && size > 0;
    plain->count += (uint64_t)n;
    return plain->count > limit ? -EFBIG : n;
}

const char *plain_compression(const struct plain *plain)
{
    if (archive_filter_count(plain->archive) < 2)
        return "";
    return archive_filter_name(plain->archive, 0);
}

void plain_close(struct plain *plain)
{
    if (plain == NULL)
        return;
    archive_read_free(plain->archive);
    free(plain);
}
