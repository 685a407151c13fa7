/* Variant: the kernel resolves the whole path at once (openat2) and says where it ends; blobs are
 * copied by sendfile, made safe by syncfs and named by link and unlink; what is wasted is looked up
 * in plain lists of what the layers above hide. */
#include "07-image/image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/openat2.h>

#include "06-overlayfs/overlay.h"
#include "07-image/given_digest.h"
#include "07-image/given_paths.h"

/* --- digests -------------------------------------------------------------------------------- */

/* Opens the file once more, for an offset of our own. */
static FILE *reopen(int fd)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return fopen(path, "re");
}

int image_digest(int fd, char digest[IMAGE_DIGEST])
{
    struct sha256_ctx sum;
    uint8_t bytes[4000];
    FILE *file = reopen(fd);
    size_t got;

    if (file == NULL)
        return -errno;
    sha256_init(&sum);
    while ((got = fread(bytes, 1, sizeof bytes, file)) > 0)
        sha256_update(&sum, got, bytes);
    int result = ferror(file) ? -EISDIR : 0;
    fclose(file);
    digest_text(&sum, digest);
    return result;
}

static int check_form(const char *digest)
{
    char hex[65], rest;

    return sscanf(digest, "sha256:%64[0-9a-f]%c", hex, &rest) == 1 && strlen(hex) == 64 ? 0
                                                                                        : -EINVAL;
}

static int digest_plain(struct plain *plain, char digest[IMAGE_DIGEST])
{
    struct sha256_ctx sum;
    uint8_t bytes[65536];

    sha256_init(&sum);
    for (;;) {
        ssize_t got = plain_read(plain, bytes, sizeof bytes);
        if (got < 0)
            return (int)got;
        if (got == 0)
            break;
        sha256_update(&sum, (size_t)got, bytes);
    }
    digest_text(&sum, digest);
    return 0;
}

int image_verify_layer(int blob, const char *digest, const char *diff_id)
{
    char is[IMAGE_DIGEST];
    struct plain *plain;
    int result;

    if (check_form(digest) < 0 || check_form(diff_id) < 0)
        return -EINVAL;
    if ((result = image_digest(blob, is)) < 0)
        return result;
    if (strcmp(is, digest) != 0)
        return -EBADMSG;
    if ((result = plain_open(blob, &plain)) < 0)
        return result;
    result = digest_plain(plain, is);
    plain_close(plain);
    if (result < 0)
        return result;
    return strcmp(is, diff_id) == 0 ? 0 : -EBADMSG;
}

/* --- places --------------------------------------------------------------------------------- */

static int open_beneath(int root, const char *path, uint64_t flags)
{
    struct open_how how = {
        .flags = flags | O_CLOEXEC,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };
    int fd = (int)syscall(SYS_openat2, root, path[0] != '\0' ? path : ".", &how, sizeof how);

    return fd < 0 ? -errno : fd;
}

static bool is_white(int root, const char *path, int *parent, const char **name)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    struct stat st;

    *name = slash != NULL ? slash + 1 : path;
    snprintf(folder, sizeof folder, "%.*s", slash != NULL ? (int)(slash - path) : 0, path);
    *parent = open_beneath(root, folder, O_RDONLY | O_DIRECTORY);
    return *parent >= 0 && fstatat(*parent, *name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISCHR(st.st_mode) && st.st_rdev == 0;
}

/* Makes the last folder of `path` (all before it is there), or turns a whiteout into one. */
static int make_one(int root, const char *path)
{
    const char *name;
    int parent, result = 0;
    bool white = is_white(root, path, &parent, &name);

    if (parent < 0)
        return parent;
    if (white && unlinkat(parent, name, 0) < 0)
        result = -errno;
    if (result == 0 && mkdirat(parent, name, 0755) < 0 && errno != EEXIST)
        result = -errno;
    int fd = result == 0 && white ? open_beneath(parent, name, O_RDONLY | O_DIRECTORY) : -1;
    if (fd >= 0) {
        result = overlay_replace(fd);
        close(fd);
    }
    close(parent);
    return result;
}

static int make_path(int root, const char *path)
{
    char part[PATH_MAX];
    int fd = open_beneath(root, path, O_RDONLY | O_DIRECTORY);

    if (fd != -ENOENT && fd != -ENOTDIR)
        return fd;
    for (size_t end = 0; path[end] != '\0';) {
        end += strcspn(path + end, "/");
        snprintf(part, sizeof part, "%.*s", (int)end, path);
        int result = make_one(root, part);
        if (result < 0)
            return result;
        end += path[end] == '/';
    }
    return open_beneath(root, path, O_RDONLY | O_DIRECTORY);
}

static bool goes_up(const char *path)
{
    char copy[PATH_MAX + 2];

    snprintf(copy, sizeof copy, "/%s/", path);
    return strstr(copy, "/../") != NULL;
}

int image_place(int root, const char *path, char name[NAME_MAX + 1])
{
    char spelt[PATH_MAX], *slash;
    int result = tar_spell(path, spelt);

    if (result < 0)
        return result;
    if (goes_up(spelt))
        return -EXDEV;
    slash = strrchr(spelt, '/');
    const char *last = slash != NULL ? slash + 1 : spelt[0] != '\0' ? spelt : ".";
    if (strlen(last) > NAME_MAX)
        return -ENAMETOOLONG;
    memcpy(name, last, strlen(last) + 1);
    if (slash != NULL)
        *slash = '\0';
    return make_path(root, slash != NULL ? spelt : "");
}

/* --- unpacking ------------------------------------------------------------------------------ */

static int set_opaque(int parent, const char *name)
{
    int fd = open_beneath(parent, name, O_RDONLY | O_DIRECTORY);

    if (fd < 0)
        return fd;
    int result = overlay_replace(fd);
    close(fd);
    return result;
}

static int white_out(int parent, const char *name)
{
    struct stat st;

    if (strcmp(name, "") == 0 || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return -EBADMSG;
    if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? overlay_hide(parent, name) : -errno;
    return S_ISDIR(st.st_mode) ? set_opaque(parent, name) : 0;
}

static int add_name(int root, const char *of, int parent, const char *name)
{
    char source[NAME_MAX + 1], beside[] = ".strata-link";
    int folder = image_place(root, of, source), result = 0;
    struct stat st;

    if (folder < 0)
        return folder;
    if (fstatat(folder, source, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISCHR(st.st_mode))
        result = -ENOENT;
    else if (linkat(folder, source, parent, beside, 0) < 0 ||
             renameat(parent, beside, parent, name) < 0)
        result = -errno;
    if (result == 0 || fstatat(parent, beside, &st, AT_SYMLINK_NOFOLLOW) == 0)
        unlinkat(parent, beside, 0); /* rename(2) leaves it when both are one file already */
    close(folder);
    return result;
}

int image_apply(struct tar *tar, const struct tar_entry *entry, int root)
{
    char name[NAME_MAX + 1];
    struct stat st = {0};
    int parent = image_place(root, entry->path, name), result;

    if (parent < 0)
        return parent;
    bool hidden = fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISCHR(st.st_mode);
    if (strncmp(name, ".wh.", 4) != 0)
        result = entry->hard_link != NULL ? add_name(root, entry->hard_link, parent, name)
                                          : tar_make(tar, entry, parent, name);
    else if (strncmp(name, ".wh..wh.", 8) != 0)
        result = white_out(parent, name + 4);
    else
        result = strcmp(name + 8, ".opq") == 0 ? overlay_replace(parent) : 0;
    if (result == 0 && hidden && S_ISDIR(entry->mode))
        result = set_opaque(parent, name);
    close(parent);
    return result;
}

int image_unpack(int blob, int root, const struct image_limits *limits)
{
    struct image_limits left = *limits;
    struct tar_entry entry;
    struct tar *tar;
    int result = tar_open(blob, &tar);

    if (result < 0)
        return result;
    for (result = tar_next(tar, &entry); result == 1; result = tar_next(tar, &entry)) {
        if (left.entries-- == 0 || entry.size > left.bytes) {
            result = -EFBIG;
            break;
        }
        left.bytes -= entry.size;
        if ((result = image_apply(tar, &entry, root)) < 0)
            break;
    }
    tar_close(tar);
    return result;
}

/* --- the store ------------------------------------------------------------------------------ */

static int copy(int source, int target)
{
    off_t at = 0;
    ssize_t sent;

    while ((sent = sendfile(target, source, &at, 30000)) > 0)
        ;
    if (sent < 0 && errno == EINVAL) /* a folder cannot be sent, nor read */
        sent = read(source, &sent, 0);
    return sent < 0 ? -errno : 0;
}

int image_put(int store, int source, const char *expected, char digest[IMAGE_DIGEST])
{
    char temporary[80], path[96];
    static unsigned serial;
    int file = -1, result;

    do {
        snprintf(temporary, sizeof temporary, "tmp/%d.%u.new", getpid(), serial++);
        file = openat(store, temporary, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0644);
    } while (file < 0 && errno == EEXIST);
    if (file < 0)
        return -errno;
    result = copy(source, file);
    if (result == 0)
        result = image_digest(file, digest);
    if (result == 0 && expected != NULL && strcmp(expected, digest) != 0)
        result = -EBADMSG;
    if (result == 0 && syncfs(file) < 0)
        result = -errno;
    if (result == 0) {
        snprintf(path, sizeof path, "blobs/sha256/%s", digest + 7);
        if (linkat(store, temporary, store, path, 0) < 0 && errno != EEXIST)
            result = -errno;
    }
    if (unlinkat(store, temporary, 0) < 0 && result == 0)
        result = -errno;
    if (result == 0 && syncfs(file) < 0)
        result = -errno;
    close(file);
    return result;
}

int image_open(int store, const char *digest)
{
    char path[96];

    if (check_form(digest) < 0)
        return -EINVAL;
    snprintf(path, sizeof path, "blobs/sha256/%s", digest + strlen("sha256:"));
    return open_beneath(store, path, O_RDONLY);
}

/* --- history and waste ---------------------------------------------------------------------- */

static int add_size(void *bytes, const struct tar_entry *entry, char path[PATH_MAX])
{
    (void)path;
    if (entry->hard_link == NULL && S_ISREG(entry->mode))
        *(uint64_t *)bytes += entry->size;
    return 0;
}

int image_size(int blob, uint64_t *bytes)
{
    *bytes = 0;
    return tar_each(blob, add_size, bytes);
}

/* What one layer or another above does: to a path alone, or to all that lies below it as well. */
struct cover {
    char *path;
    bool itself, below;
};

struct covers {
    struct cover *list;
    size_t count, room, known; /* known: those of the layers above                              */
    struct paths files;        /* names of this layer: bytes that are hidden, so far            */
    uint64_t bytes;
};

static int cover(struct covers *covers, const char *path, bool itself, bool below)
{
    if (covers->count == covers->room) {
        covers->room = covers->room * 2 + 64;
        covers->list = reallocarray(covers->list, covers->room, sizeof *covers->list);
        if (covers->list == NULL)
            return -ENOMEM;
    }
    covers->list[covers->count] = (struct cover){strdup(path), itself, below};
    return covers->list[covers->count++].path != NULL ? 0 : -ENOMEM;
}

static bool is_covered(const struct covers *covers, const char *path)
{
    for (size_t i = 0; i < covers->known; i++) {
        const struct cover *c = &covers->list[i];
        size_t length = strlen(c->path);
        if (c->itself && strcmp(c->path, path) == 0)
            return true;
        if (c->below &&
            (length == 0 || (strncmp(c->path, path, length) == 0 && path[length] == '/')))
            return true;
    }
    return false;
}

static int note_file(struct covers *covers, const struct tar_entry *entry, const char *path)
{
    char other[PATH_MAX];
    uint64_t *hidden;

    if (entry->hard_link != NULL) {
        if (tar_spell(entry->hard_link, other) < 0 ||
            (hidden = paths_add_alias(&covers->files, path, other)) == NULL)
            return 0;
    } else if ((hidden = paths_add(&covers->files, path)) == NULL) {
        return -ENOMEM;
    } else {
        *hidden = entry->size;
        covers->bytes += entry->size;
    }
    if (!is_covered(covers, path)) {
        covers->bytes -= *hidden;
        *hidden = 0;
    }
    return 0;
}

static int note_entry(void *arg, const struct tar_entry *entry, char path[PATH_MAX])
{
    struct covers *covers = arg;
    char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
    bool plain = strncmp(name, ".wh.", 4) != 0, folder = S_ISDIR(entry->mode);
    int result = 0;

    if (plain && (S_ISREG(entry->mode) || entry->hard_link != NULL))
        result = note_file(covers, entry, path);
    if (result == 0 && plain)
        result = cover(covers, path, true, !folder || entry->hard_link != NULL);
    else if (strcmp(name, ".wh..wh..opq") == 0) {
        *(slash != NULL ? slash : path) = '\0';
        result = cover(covers, path, false, true);
    } else if (result == 0 && strncmp(name, ".wh..wh.", 8) != 0) {
        memmove(name, name + 4, strlen(name + 4) + 1);
        result = cover(covers, path, true, true);
    }
    while (result == 0 && (slash = strrchr(path, '/')) != NULL) {
        *slash = '\0';
        result = cover(covers, path, true, false);
    }
    return result;
}

int image_waste(const int *blobs, size_t count, uint64_t *bytes)
{
    struct covers covers = {0};
    int result = 0;

    while (result == 0 && count-- > 0) {
        covers.known = covers.count;
        result = tar_each(blobs[count], note_entry, &covers);
        paths_free(&covers.files);
    }
    for (size_t i = 0; i < covers.count; i++)
        free(covers.list[i].path);
    free(covers.list);
    *bytes = covers.bytes;
    return result;
}

/* --- the build cache ------------------------------------------------------------------------ */

int image_cache_key(const char *parent, const char *instruction, const struct image_input *inputs,
                    size_t count, char key[IMAGE_DIGEST])
{
    char *text = NULL, digest[IMAGE_DIGEST];
    size_t size;
    struct sha256_ctx sum;
    FILE *out = open_memstream(&text, &size);
    int result = 0;

    if (out == NULL)
        return -errno;
    fprintf(out, "%zu:%s%zu:%s", strlen(parent), parent, strlen(instruction), instruction);
    for (size_t i = 0; i < count && result == 0; i++) {
        result = image_digest(inputs[i].fd, digest);
        fprintf(out, "%zu:%s%o%s", strlen(inputs[i].name), inputs[i].name, inputs[i].mode & 0111U,
                digest);
    }
    fclose(out);
    sha256_init(&sum);
    sha256_update(&sum, size, (const uint8_t *)text);
    digest_text(&sum, key);
    free(text);
    return result;
}
