#include "vm/vmlinux.h"

#include <archive.h>
#include <archive_entry.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "kernel/file.h"
#include "kernel/own.h"

enum { NOTE_PHYS32_ENTRY = 18 }; /* include/xen/interface/elfnote.h */
enum { IMAGE_MAX = 256 << 20, KERNEL_MAX = 512 << 20 };

struct bytes {
    char *data;
    size_t length;
};

/* How a compressed kernel begins: xz, zstd, lz4 (legacy frame), gzip, bzip2, lzma. */
static const struct {
    const char *bytes;
    size_t length;
} magics[] = {{"\xfd"
               "7zXZ",
               6},
              {"\x28\xb5\x2f\xfd", 4},
              {"\x02\x21\x4c\x18", 4},
              {"\x1f\x8b\x08", 3},
              {"BZh", 3},
              {"\x5d\x00\x00\x00", 4}};

static int slurp(const char *path, struct bytes *bytes)
{
    struct stat st;
    autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    if (st.st_size <= 0 || st.st_size > IMAGE_MAX)
        return -EFBIG;
    bytes->data = malloc((size_t)st.st_size);
    if (bytes->data == NULL)
        return -ENOMEM;
    while (bytes->length < (size_t)st.st_size) {
        ssize_t got = read(fd, bytes->data + bytes->length, (size_t)st.st_size - bytes->length);
        if (got <= 0)
            return got < 0 ? -errno : -EIO;
        bytes->length += (size_t)got;
    }
    return 0;
}

/* Reads until the compressed stream ends. What follows it in the image is not for us, so an error
 * after the kernel is none. */
static void unpack(struct archive *archive, struct bytes *kernel)
{
    size_t room = 64 << 20;
    ssize_t got = 1;

    kernel->data = malloc(room);
    while (kernel->data != NULL && got > 0) {
        if (kernel->length == room) {
            char *more = room < KERNEL_MAX ? realloc(kernel->data, room * 2) : NULL;
            if (more == NULL)
                return;
            kernel->data = more;
            room *= 2;
        }
        got = archive_read_data(archive, kernel->data + kernel->length, room - kernel->length);
        kernel->length += got > 0 ? (size_t)got : 0;
    }
}

static void decompress(const char *data, size_t length, struct bytes *kernel)
{
    struct archive_entry *entry;
    struct archive *archive = archive_read_new();

    if (archive == NULL)
        return;
    archive_read_support_filter_all(archive);
    archive_read_support_format_raw(archive);
    if (archive_read_open_memory(archive, data, length) == ARCHIVE_OK &&
        archive_read_next_header(archive, &entry) == ARCHIVE_OK)
        unpack(archive, kernel);
    archive_read_free(archive);
}

/* Is there a note of this type by "Xen" in the segment? elf(5), "Notes". */
static bool has_entry_note(const char *at, size_t length)
{
    Elf64_Nhdr note;

    while (length >= sizeof note) {
        memcpy(&note, at, sizeof note);
        size_t name = (note.n_namesz + 3UL) & ~3UL, body = (note.n_descsz + 3UL) & ~3UL;
        if (length < sizeof note + name + body)
            return false;
        if (note.n_type == NOTE_PHYS32_ENTRY && note.n_namesz == 4 &&
            memcmp(at + sizeof note, "Xen", 4) == 0)
            return true;
        at += sizeof note + name + body;
        length -= sizeof note + name + body;
    }
    return false;
}

static bool is_startable(const struct bytes *kernel)
{
    Elf64_Ehdr header;

    if (kernel->length < sizeof header || memcmp(kernel->data, ELFMAG, SELFMAG) != 0)
        return false;
    memcpy(&header, kernel->data, sizeof header);
    if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_phentsize != sizeof(Elf64_Phdr))
        return false;
    for (size_t i = 0; i < header.e_phnum; i++) {
        Elf64_Phdr segment;
        size_t at = header.e_phoff + i * sizeof segment;
        if (at > kernel->length || kernel->length - at < sizeof segment)
            return false;
        memcpy(&segment, kernel->data + at, sizeof segment);
        if (segment.p_offset > kernel->length ||
            segment.p_filesz > kernel->length - segment.p_offset)
            return false;
        if (segment.p_type == PT_NOTE &&
            has_entry_note(kernel->data + segment.p_offset, segment.p_filesz))
            return true;
    }
    return false;
}

static int save(const char *path, const struct bytes *kernel)
{
    FILE *out = fopen(path, "we");

    if (out == NULL)
        return -errno;
    bool whole = fwrite(kernel->data, 1, kernel->length, out) == kernel->length;
    if (fclose(out) == 0 && whole)
        return 0;
    unlink(path);
    return -EIO;
}

/* The next place at or after `from` that looks like compressed data; the end if there is none. */
static size_t next_magic(const struct bytes *image, size_t from)
{
    for (; from < image->length; from++)
        for (size_t i = 0; i < sizeof magics / sizeof *magics; i++)
            if (image->length - from > magics[i].length &&
                memcmp(image->data + from, magics[i].bytes, magics[i].length) == 0)
                return from;
    return image->length;
}

int vmlinux_extract(const char *image_path, const char *out)
{
    struct bytes image = {0};
    int tries = 0;
    int result = slurp(image_path, &image);

    if (result == 0)
        result = -ENOENT;
    for (size_t at = 0;
         result == -ENOENT && tries < 64 && (at = next_magic(&image, at)) < image.length;
         at++, tries++) {
        struct bytes kernel = {0};
        decompress(image.data + at, image.length - at, &kernel);
        if (is_startable(&kernel))
            result = save(out, &kernel);
        free(kernel.data);
    }
    free(image.data);
    return result;
}
