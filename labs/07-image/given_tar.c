/* Reading a layer entry by entry, by libarchive's tar format. */
#include "07-image/given_tar.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

struct tar {
    struct archive *archive;
    struct plain *plain;
    locale_t utf8;
    int error; /* of plain_read: -errno */
    char block[64 * 1024];
};

static la_ssize_t read_block(struct archive *archive, void *arg, const void **block)
{
    struct tar *tar = arg;
    ssize_t n = plain_read(tar->plain, tar->block, sizeof tar->block);

    if (n < 0) {
        tar->error = (int)n;
        archive_set_error(archive, -tar->error, "read");
        return ARCHIVE_FATAL;
    }
    *block = tar->block;
    return n;
}

static int failure(const struct tar *tar)
{
    if (tar->error < 0)
        return tar->error;
    return archive_errno(tar->archive) == ENOMEM ? -ENOMEM : -EBADMSG;
}

/* libarchive converts names between character sets by the thread's locale. Ours is "C", where a
 * name in UTF-8 could not be expressed; and it is not ours to change for the whole program. */
static locale_t in_utf8(const struct tar *tar)
{
    return uselocale(tar->utf8 != (locale_t)0 ? tar->utf8 : LC_GLOBAL_LOCALE);
}

static int start(struct tar *tar)
{
    if (archive_read_support_format_tar(tar->archive) != ARCHIVE_OK)
        return -ENOSYS;
    return archive_read_open(tar->archive, tar, NULL, read_block, NULL) == ARCHIVE_OK
               ? 0
               : failure(tar);
}

int tar_open(int fd, struct tar **tar)
{
    struct tar *new = calloc(1, sizeof *new);
    int result = -ENOMEM;

    *tar = NULL;
    if (new == NULL)
        return -ENOMEM;
    new->utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0); /* none: names stay as they can */
    new->archive = archive_read_new();
    if (new->archive != NULL)
        result = plain_open(fd, &new->plain);
    if (result == 0)
        result = start(new);
    if (result < 0) {
        tar_close(new);
        return result;
    }
    *tar = new;
    return 0;
}

static void describe(struct archive_entry *from, struct tar_entry *entry)
{
    const char *hard_link = archive_entry_hardlink(from);
    mode_t mode = archive_entry_mode(from);
    la_int64_t size = archive_entry_size(from);

    *entry = (struct tar_entry){
        .path = archive_entry_pathname(from),
        .mode = mode,
        .hard_link = hard_link,
        .symlink = hard_link == NULL && S_ISLNK(mode) ? archive_entry_symlink(from) : NULL,
        .size = hard_link == NULL && S_ISREG(mode) && size > 0 ? (uint64_t)size : 0,
        .uid = (uid_t)archive_entry_uid(from),
        .gid = (gid_t)archive_entry_gid(from),
        .mtime = {archive_entry_mtime(from), archive_entry_mtime_nsec(from)},
        .rdev = archive_entry_rdev(from),
    };
    if (entry->mtime.tv_nsec < 0 || entry->mtime.tv_nsec > 999999999)
        entry->mtime.tv_nsec = 0;
}

int tar_next(struct tar *tar, struct tar_entry *entry)
{
    struct archive_entry *from;
    locale_t before = in_utf8(tar);
    int result;

    do
        result = archive_read_next_header(tar->archive, &from);
    while (result == ARCHIVE_RETRY);
    /* A warning is mostly about a name that is no UTF-8: it is used as it is. */
    if (result == ARCHIVE_OK || result == ARCHIVE_WARN)
        describe(from, entry);
    uselocale(before);
    if (result == ARCHIVE_EOF)
        return 0;
    if (result != ARCHIVE_OK && result != ARCHIVE_WARN)
        return failure(tar);
    if (entry->path == NULL || (S_ISLNK(entry->mode) && !entry->hard_link && !entry->symlink))
        return -EBADMSG;
    return 1;
}

ssize_t tar_read(struct tar *tar, void *buffer, size_t size)
{
    la_ssize_t n = archive_read_data(tar->archive, buffer, size);

    return n < 0 ? failure(tar) : n;
}

void tar_close(struct tar *tar)
{
    if (tar == NULL)
        return;
    archive_read_free(tar->archive);
    plain_close(tar->plain);
    if (tar->utf8 != (locale_t)0)
        freelocale(tar->utf8);
    free(tar);
}
