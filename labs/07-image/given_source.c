/* What somebody hands us for an image: a root filesystem, a layout, a layout in an archive. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "07-image/given_archive.h"
#include "07-image/given_digest.h"
#include "07-image/given_image.h"
#include "07-image/given_import.h"
#include "07-image/given_store.h"

int image_check_name(const char *name, struct fault *fault)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._:@/+";

    if (name[0] != '\0' && name[0] != '-' && strlen(name) < 256 &&
        strspn(name, allowed) == strlen(name))
        return 0;
    return fault_set(fault, -EINVAL, "\"%.60s\" cannot be an image's name: %s", name,
                     "letters, digits and -._:@/+ can, not - first, 255 at most");
}

/* --- a layout --------------------------------------------------------------------------------- */

static int import_layout(int store, int folder, const char *tag, const char *name,
                         const struct image_limits *limits, struct descriptor *manifest,
                         struct fault *fault)
{
    struct oci_image image;
    int result = oci_choose(folder, tag, manifest, fault);

    if (result == 0)
        result = oci_image_read(folder, manifest, &image, fault);
    if (result < 0)
        return result;
    result = import_take(store, folder, name, &image, limits, fault);
    oci_image_free(&image);
    return result;
}

/* --- a root filesystem: an image is made around it -------------------------------------------- */

static int plain_facts(int fd, char diff_id[IMAGE_DIGEST], char type[96])
{
    struct sha256_ctx sum;
    struct plain *plain;
    uint8_t block[32 * 1024];
    ssize_t n = plain_open(fd, &plain);

    if (n < 0)
        return (int)n;
    const char *compression = plain_compression(plain);
    snprintf(type, 96, "%s%s%s", OCI_LAYER, compression[0] != '\0' ? "+" : "", compression);
    sha256_init(&sum);
    while ((n = plain_read(plain, block, sizeof block)) > 0)
        sha256_update(&sum, (size_t)n, block);
    plain_close(plain);
    digest_text(&sum, diff_id);
    return (int)n;
}

static json_t *make_settings(const char *file, const char *diff_id)
{
    const char *slash = strrchr(file, '/');
    char created_by[300];

    snprintf(created_by, sizeof created_by, "import %.255s", slash != NULL ? slash + 1 : file);
    for (char *at = created_by; *at != '\0'; at++) /* JSON is UTF-8, file names are anything */
        if ((unsigned char)*at < ' ' || (unsigned char)*at >= 0x7f)
            *at = '?';
    return json_pack("{s:s, s:s, s:{s:[s], s:[s]}, s:{s:s, s:[s]}, s:[{s:s}]}", "architecture",
                     oci_architecture(), "os", "linux", "config", "Env",
                     "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "Cmd",
                     "/bin/sh", "rootfs", "type", "layers", "diff_ids", diff_id, "history",
                     "created_by", created_by);
}

static int import_files(int store, int fd, const char *file, const char *name,
                        const struct image_limits *limits, struct descriptor *manifest,
                        struct fault *fault)
{
    struct oci_image image = {.count = 1};
    struct oci_layer *layer = &image.layers[0];
    struct stat st = {0};
    int result = plain_facts(fd, layer->diff_id, layer->blob.type);

    if (result == 0 && fstat(fd, &st) < 0)
        result = -errno;
    if (result == 0)
        result = image_put(store, fd, NULL, layer->blob.digest);
    if (result == -EFBIG || result == -ENOSPC || result == -EDQUOT)
        return import_layer_fault(1, result, limits, fault);
    if (result < 0)
        return fault_set(fault, result, "%s cannot be stored: %s", file, fault_reason(result));
    layer->blob.size = (uint64_t)st.st_size;

    image.settings = make_settings(file, layer->diff_id);
    result = oci_write(store, image.settings, OCI_CONFIG, &image.config, fault);
    json_t *json =
        json_pack("{s:i, s:s, s:o, s:[o]}", "schemaVersion", 2, "mediaType", OCI_MANIFEST, "config",
                  descriptor_json(&image.config), "layers", descriptor_json(&layer->blob));
    if (result == 0)
        result = oci_write(store, json, OCI_MANIFEST, &image.manifest, fault);
    json_decref(json);
    if (result == 0)
        result = import_take(store, store, name, &image, limits, fault);
    *manifest = image.manifest;
    oci_image_free(&image);
    return result;
}

/* --- the source ------------------------------------------------------------------------------- */

static int import_archive(int store, int fd, const char *path, const char *tag, const char *name,
                          const struct image_limits *limits, struct descriptor *manifest,
                          struct fault *fault)
{
    struct archive_look look;
    char temporary[64];
    int result = archive_look_at(fd, path, &look, fault);

    if (result < 0)
        return result;
    if (look.docker_saved)
        return fault_set(fault, -EBADMSG, "%s was written by docker save; make a layout of it: %s",
                         path, "skopeo copy docker-archive:FILE oci:FOLDER:TAG");
    if (!look.layout)
        return import_files(store, fd, path, name, limits, manifest, fault);
    int folder = store_temporary_folder(store, temporary);
    if (folder < 0)
        return fault_set(fault, folder, "tmp/ of the store: %s", fault_reason(folder));
    result = archive_take_layout(fd, folder, path, fault);
    if (result == 0)
        result = import_layout(store, folder, tag, name, limits, manifest, fault);
    close(folder);
    return result;
}

/* "PATH", or "PATH:TAG" when there is no file of that whole name. */
static int open_source(const char *source, char path[PATH_MAX], const char **tag,
                       struct fault *fault)
{
    struct stat st;
    const char *colon = strrchr(source, ':');

    *tag = NULL;
    if (snprintf(path, PATH_MAX, "%s", source) >= PATH_MAX)
        return fault_set(fault, -ENAMETOOLONG, "the file's path is too long");
    if (stat(path, &st) < 0 && errno == ENOENT && colon != NULL) {
        path[colon - source] = '\0';
        *tag = colon + 1;
    }
    if (stat(path, &st) < 0)
        return fault_set(fault, -errno, "%s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) /* open(2) of a FIFO would wait */
        return fault_set(fault, -EINVAL, "%s is neither an archive nor a folder", path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd < 0 ? fault_set(fault, -errno, "%s: %s", path, strerror(errno)) : fd;
}

int image_check_source(const char *source, struct fault *fault)
{
    char path[PATH_MAX];
    const char *tag;
    int fd = open_source(source, path, &tag, fault);

    if (fd < 0)
        return fd;
    close(fd);
    return 0;
}

int image_import(int store, const char *source, const char *name, const struct image_limits *limits,
                 struct descriptor *manifest, struct fault *fault)
{
    char path[PATH_MAX];
    const char *tag;
    struct stat st;
    int result = image_check_name(name, fault);
    int fd = result < 0 ? result : open_source(source, path, &tag, fault);

    if (fd < 0)
        return fd;
    /* All plain bytes of a blob: the contents, and headers and padding, four blocks an entry. */
    uint64_t headers = limits->entries > UINT64_MAX / 4096 ? UINT64_MAX : limits->entries * 4096;
    plain_limit(limits->bytes > UINT64_MAX - headers ? UINT64_MAX : limits->bytes + headers);
    if (fstat(fd, &st) < 0)
        result = fault_set(fault, -errno, "%s: %s", path, strerror(errno));
    else if (S_ISDIR(st.st_mode))
        result = import_layout(store, fd, tag, name, limits, manifest, fault);
    else
        result = import_archive(store, fd, path, tag, name, limits, manifest, fault);
    close(fd);
    return result;
}
