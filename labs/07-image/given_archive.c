#include "07-image/given_archive.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "07-image/given_tar.h"

int archive_look_at(int fd, const char *path, struct archive_look *look, struct fault *fault)
{
    char spelt[PATH_MAX];
    struct tar_entry entry;
    struct tar *tar;
    bool version = false, index = false;
    int result = tar_open(fd, &tar);

    *look = (struct archive_look){0};
    while (result == 0 && (result = tar_next(tar, &entry)) > 0) {
        result = 0;
        if (tar_spell(entry.path, spelt) < 0 || !S_ISREG(entry.mode))
            continue;
        version |= strcmp(spelt, "oci-layout") == 0;
        index |= strcmp(spelt, "index.json") == 0;
        look->docker_saved |= strcmp(spelt, "manifest.json") == 0;
    }
    tar_close(tar);
    look->layout = version && index;
    look->docker_saved &= !look->layout;
    if (result == -EFBIG)
        return fault_set(fault, result, "%s expands to more than the limits allow; %s", path,
                         "--max-bytes allows more");
    if (result == -EBADMSG)
        return fault_set(fault, result, "%s is no tar archive (plain, gzip or zstd) or is damaged",
                         path);
    return result < 0
               ? fault_set(fault, result, "%s cannot be read: %s", path, fault_reason(result))
               : 0;
}

int archive_measure(int blob, struct image_limits *left)
{
    struct tar_entry entry;
    struct tar *tar;
    int result = tar_open(blob, &tar);

    while (result == 0 && (result = tar_next(tar, &entry)) > 0) {
        if (left->entries == 0 || left->bytes < entry.size) {
            result = -EFBIG;
            break;
        }
        left->entries--;
        left->bytes -= entry.size;
        result = 0;
    }
    tar_close(tar);
    return result;
}

static bool is_blob(const char *spelt)
{
    static const char folder[] = "blobs/sha256/";
    const size_t length = sizeof folder - 1;

    return strncmp(spelt, folder, length) == 0 && strlen(spelt) == length + 64 &&
           strchr(spelt + length, '/') == NULL;
}

static int take(struct tar *tar, const struct tar_entry *entry, int folder)
{
    char spelt[PATH_MAX];

    if (tar_spell(entry->path, spelt) < 0 || entry->hard_link != NULL || !S_ISREG(entry->mode))
        return 0;
    if (strcmp(spelt, "oci-layout") != 0 && strcmp(spelt, "index.json") != 0 && !is_blob(spelt))
        return 0;
    int parent =
        openat(folder, is_blob(spelt) ? "blobs/sha256" : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (parent < 0)
        return -errno;
    const char *slash = strrchr(spelt, '/');
    int result = tar_make(tar, entry, parent, slash != NULL ? slash + 1 : spelt);
    close(parent);
    return result;
}

int archive_take_layout(int fd, int folder, const char *path, struct fault *fault)
{
    struct tar_entry entry;
    struct tar *tar;
    int result = tar_open(fd, &tar);

    if (result == 0 &&
        (mkdirat(folder, "blobs", 0755) < 0 || mkdirat(folder, "blobs/sha256", 0755) < 0))
        result = -errno;
    while (result == 0 && (result = tar_next(tar, &entry)) > 0)
        result = take(tar, &entry, folder);
    tar_close(tar);
    return result < 0
               ? fault_set(fault, result, "%s cannot be unpacked: %s", path, fault_reason(result))
               : 0;
}
