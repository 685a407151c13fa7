#include "grade/craft.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "digest/digest.h"
#include "grade/facts.h"
#include "kernel/inside.h"
#include "kernel/own.h"

enum { RECORD = 512, PIECE = 32 << 20 };

struct craft {
    struct grade *g;
    char *bytes;
    size_t size, room;
};

/* --- bytes that grow ------------------------------------------------------------------------ */

static void craft_free(void *arg)
{
    struct craft *craft = arg;

    free(craft->bytes);
    free(craft);
}

struct craft *craft_new(struct grade *g)
{
    struct craft *craft = calloc(1, sizeof *craft);

    if (craft == NULL)
        grade_error(g, -ENOMEM, "no memory for an archive");
    craft->g = g;
    grade_defer(g, craft_free, craft);
    return craft;
}

/* `size` zeros more, to be written over. */
static char *grow(struct craft *craft, size_t size)
{
    if (craft->room - craft->size < size) {
        size_t room = (craft->size + size) * 2;
        char *bytes = realloc(craft->bytes, room);
        if (bytes == NULL)
            grade_error(craft->g, -ENOMEM, "no memory for an archive");
        craft->bytes = bytes;
        craft->room = room;
    }
    memset(craft->bytes + craft->size, 0, size);
    craft->size += size;
    return craft->bytes + craft->size - size;
}

void craft_bytes(struct craft *craft, const void *bytes, size_t size)
{
    char *at = grow(craft, size);

    if (size > 0)
        memcpy(at, bytes, size);
}

static void pad(struct craft *craft)
{
    grow(craft, (RECORD - craft->size % RECORD) % RECORD);
}

/* --- headers -------------------------------------------------------------------------------- */

struct header { /* tar(5) */
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100];
    char magic[6], version[2], user[32], group[32], major[8], minor[8], prefix[155], pad[12];
};
_Static_assert(sizeof(struct header) == RECORD, "a header is a record");

static void put_octal(char *field, size_t size, uint64_t value)
{
    char text[32];

    snprintf(text, sizeof text, "%0*llo", (int)size - 1, (unsigned long long)value);
    memcpy(field, text, size);
}

static void put_text(char *field, size_t size, const char *text)
{
    memcpy(field, text, strnlen(text, size));
}

static void add_header(struct craft *craft, const struct craft_entry *entry, char type,
                       uint64_t size)
{
    struct header header = {.magic = "ustar", .version = {'0', '0'}, .type = type};
    unsigned sum = 0;

    put_text(header.name, sizeof header.name, entry->path);
    put_text(header.link, sizeof header.link, entry->link != NULL ? entry->link : "");
    put_octal(header.mode, sizeof header.mode,
              entry->mode != 0              ? entry->mode
              : entry->type == CRAFT_FOLDER ? 0755
                                            : 0644);
    put_octal(header.uid, sizeof header.uid, 0);
    put_octal(header.gid, sizeof header.gid, 0);
    put_octal(header.size, sizeof header.size, size >> 33 == 0 ? size : 0);
    put_octal(header.mtime, sizeof header.mtime, (uint64_t)entry->mtime);
    put_octal(header.major, sizeof header.major, entry->major);
    put_octal(header.minor, sizeof header.minor, entry->minor);
    memset(header.checksum, ' ', sizeof header.checksum);
    for (size_t i = 0; i < sizeof header; i++)
        sum += ((const unsigned char *)&header)[i];
    snprintf(header.checksum, sizeof header.checksum, "%06o", sum);
    craft_bytes(craft, &header, sizeof header);
}

/* A line of a pax header counts its own length, the digits of it included. */
static void add_pax_line(struct craft *craft, const char *key, const char *value)
{
    size_t rest = strlen(key) + strlen(value) + 3, length = rest;

    for (size_t last = 0; last != length;) {
        last = length;
        length = rest + (size_t)snprintf(NULL, 0, "%zu", last);
    }
    autofree char *line = malloc(length + 1);
    if (line == NULL)
        grade_error(craft->g, -ENOMEM, "no memory for an archive");
    snprintf(line, length + 1, "%zu %s=%s\n", length, key, value);
    craft_bytes(craft, line, length);
}

static void add_pax(struct craft *craft, const struct craft_entry *entry, uint64_t size)
{
    bool long_path = strlen(entry->path) > 100;
    bool long_link = entry->link != NULL && strlen(entry->link) > 100;
    char number[32];

    if (!long_path && !long_link && size >> 33 == 0)
        return;
    struct craft *lines = craft_new(craft->g);
    if (long_path)
        add_pax_line(lines, "path", entry->path);
    if (long_link)
        add_pax_line(lines, "linkpath", entry->link);
    snprintf(number, sizeof number, "%llu", (unsigned long long)size);
    if (size >> 33 != 0)
        add_pax_line(lines, "size", number);
    add_header(craft, &(struct craft_entry){.type = CRAFT_FILE, .path = "pax"}, 'x', lines->size);
    craft_bytes(craft, lines->bytes, lines->size);
    pad(craft);
}

void craft_add(struct craft *craft, const struct craft_entry *entry)
{
    uint64_t size = entry->claimed != 0 ? entry->claimed : entry->size;

    add_pax(craft, entry, size);
    add_header(craft, entry, (char)entry->type, size);
    if (entry->data != NULL)
        craft_bytes(craft, entry->data, entry->size);
    else
        grow(craft, entry->size);
    pad(craft);
}

void craft_file(struct craft *craft, const char *path, const char *text)
{
    craft_add(craft, &(struct craft_entry){
                         .type = CRAFT_FILE, .path = path, .data = text, .size = strlen(text)});
}

void craft_zeros(struct craft *craft, const char *path, size_t size)
{
    craft_add(craft, &(struct craft_entry){.type = CRAFT_FILE, .path = path, .size = size});
}

void craft_folder(struct craft *craft, const char *path)
{
    craft_add(craft, &(struct craft_entry){.type = CRAFT_FOLDER, .path = path});
}

void craft_symlink(struct craft *craft, const char *path, const char *to)
{
    craft_add(craft, &(struct craft_entry){.type = CRAFT_SYMLINK, .path = path, .link = to});
}

void craft_hard_link(struct craft *craft, const char *path, const char *to)
{
    craft_add(craft, &(struct craft_entry){.type = CRAFT_HARD_LINK, .path = path, .link = to});
}

/* --- blobs ---------------------------------------------------------------------------------- */

static const char *digest_of(struct grade *g, int fd)
{
    char hex[DIGEST_HEX];
    int result = digest_sha256_fd(fd, hex);

    if (result < 0)
        grade_error(g, result, "no digest of an archive");
    return say(g, "sha256:%s", hex);
}

static struct blob blob_open(struct grade *g)
{
    struct blob blob = {.fd = memfd_create("blob", MFD_CLOEXEC)};

    if (blob.fd < 0)
        grade_error(g, -errno, "no file in memory for an archive");
    facts_close_later(g, blob.fd);
    return blob;
}

static void blob_write(struct grade *g, struct blob *blob, const void *bytes, size_t size)
{
    int result = kernel_write_all(blob->fd, bytes, size);

    if (result < 0)
        grade_error(g, result, "cannot write an archive");
    blob->size += size;
}

struct blob craft_raw(struct grade *g, const void *bytes, size_t size)
{
    struct blob blob = blob_open(g);

    blob_write(g, &blob, bytes, size);
    blob.digest = blob.diff_id = digest_of(g, blob.fd);
    return blob;
}

/* By libarchive, which calls no archive at all "raw". */
static void compress_to(struct grade *g, int fd, enum craft_coding coding, const void *bytes,
                        size_t size)
{
    struct archive *out = archive_write_new();
    struct archive_entry *entry = archive_entry_new();

    archive_write_set_format_raw(out);
    if (coding == CRAFT_GZIP)
        archive_write_add_filter_gzip(out);
    else
        archive_write_add_filter_zstd(out);
    archive_write_set_options(out, "compression-level=1");
    archive_write_set_bytes_in_last_block(out, 1);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_pathname(entry, "data");
    bool good = archive_write_open_fd(out, fd) == ARCHIVE_OK &&
                archive_write_header(out, entry) == ARCHIVE_OK &&
                archive_write_data(out, bytes, size) == (la_ssize_t)size &&
                archive_write_close(out) == ARCHIVE_OK;
    const char *why = good ? "" : say(g, "%s", archive_error_string(out));
    archive_entry_free(entry);
    archive_write_free(out);
    if (!good)
        grade_error(g, 0, "cannot compress an archive: %s", why);
}

struct blob craft_blob(struct craft *craft, enum craft_coding coding)
{
    struct grade *g = craft->g;

    grow(craft, (size_t)2 * RECORD);
    struct blob blob = craft_raw(g, craft->bytes, craft->size);
    craft->size -= (size_t)2 * RECORD; /* it can go on */
    if (coding == CRAFT_PLAIN)
        return blob;
    struct blob small = blob_open(g);
    compress_to(g, small.fd, coding, craft->bytes, craft->size + (size_t)2 * RECORD);
    small.size = (size_t)lseek(small.fd, 0, SEEK_END);
    small.digest = digest_of(g, small.fd);
    small.diff_id = blob.diff_id;
    return small;
}

struct blob craft_bomb(struct grade *g, const char *path, uint64_t size)
{
    struct craft *craft = craft_new(g);
    struct blob blob = blob_open(g), piece = blob_open(g);
    char *zeros = mmap(NULL, PIECE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (zeros == MAP_FAILED)
        grade_error(g, -errno, "no memory for an archive");
    compress_to(g, piece.fd, CRAFT_ZSTD, zeros, PIECE);
    munmap(zeros, PIECE);
    piece.size = (size_t)lseek(piece.fd, 0, SEEK_END);
    char *bytes = mmap(NULL, piece.size, PROT_READ, MAP_SHARED, piece.fd, 0);
    if (bytes == MAP_FAILED)
        grade_error(g, -errno, "no memory for an archive");
    craft_add(craft, &(struct craft_entry){.type = CRAFT_FILE, .path = path, .claimed = size});
    compress_to(g, blob.fd, CRAFT_ZSTD, craft->bytes, craft->size);
    blob.size = (size_t)lseek(blob.fd, 0, SEEK_END);
    for (uint64_t done = 0; done < size; done += PIECE)
        blob_write(g, &blob, bytes, piece.size);
    munmap(bytes, piece.size);
    return blob;
}

char *craft_noise(struct grade *g, size_t size)
{
    struct craft *craft = craft_new(g);
    uint32_t word = 0;
    char *bytes = grow(craft, size + 1);

    for (size_t i = 0; i < size; i++, word >>= 8) {
        if (i % 3 == 0)
            word = grade_random(g, 1 << 24);
        bytes[i] = (char)word;
    }
    return bytes;
}
