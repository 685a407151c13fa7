/* Variant: every component is looked at before it is entered (O_PATH and O_NOFOLLOW); digests over
 * mapped memory; blobs without a name until they are whole (O_TMPFILE); waste by playing the layers
 * one after the other, the lowest first. */
#include "07-image/image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "06-overlayfs/overlay.h"
#include "07-image/given_digest.h"

/* --- digests -------------------------------------------------------------------------------- */

int image_digest(int fd, char digest[IMAGE_DIGEST])
{
    struct sha256_ctx sum;
    struct stat st;

    if (fstat(fd, &st) < 0)
        return -errno;
    if (S_ISDIR(st.st_mode))
        return -EISDIR;
    sha256_init(&sum);
    if (st.st_size > 0) {
        void *bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
        if (bytes == MAP_FAILED)
            return -errno;
        sha256_update(&sum, (size_t)st.st_size, bytes);
        munmap(bytes, (size_t)st.st_size);
    }
    digest_text(&sum, digest);
    return 0;
}

static const char *hex_of(const char *digest)
{
    const char *hex = digest + 7;

    if (memcmp(digest, "sha256:", strnlen(digest, 7)) != 0 || strnlen(digest, 72) != 71)
        return NULL;
    for (const char *at = hex; *at != '\0'; at++)
        if (!((*at >= '0' && *at <= '9') || (*at >= 'a' && *at <= 'f')))
            return NULL;
    return hex;
}

int image_verify_layer(int blob, const char *digest, const char *diff_id)
{
    char stored[IMAGE_DIGEST], unpacked[IMAGE_DIGEST], *block = malloc(8192);
    struct plain *plain = NULL;
    struct sha256_ctx sum;
    ssize_t got = 0;
    int result = block == NULL ? -ENOMEM : 0;

    if (result == 0 && (hex_of(digest) == NULL || hex_of(diff_id) == NULL))
        result = -EINVAL;
    if (result == 0)
        result = image_digest(blob, stored);
    if (result == 0 && strcmp(stored, digest) != 0)
        result = -EBADMSG;
    if (result == 0)
        result = plain_open(blob, &plain);
    sha256_init(&sum);
    while (result == 0 && (got = plain_read(plain, block, 8192)) != 0) {
        if (got < 0)
            result = (int)got;
        else
            sha256_update(&sum, (size_t)got, (const uint8_t *)block);
    }
    digest_text(&sum, unpacked);
    if (result == 0 && strcmp(unpacked, diff_id) != 0)
        result = -EBADMSG;
    plain_close(plain);
    free(block);
    return result;
}

/* --- places --------------------------------------------------------------------------------- */

static bool marks_hidden(const struct stat *st)
{
    return S_ISCHR(st->st_mode) && st->st_rdev == 0;
}

/* Goes one folder down. Gives up `folder` in any case. */
static int descend(int folder, const char *name)
{
    struct stat st;
    bool replaces = false;
    int next = -1, result = 0;

    if (strlen(name) > NAME_MAX)
        result = -ENAMETOOLONG;
    else if (strcmp(name, "..") == 0)
        result = -EXDEV;
    else if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        result = errno == ENOENT && mkdirat(folder, name, 0755) == 0 ? 0 : -errno;
    else if (S_ISLNK(st.st_mode))
        result = -ELOOP;
    else if (marks_hidden(&st)) {
        replaces = true;
        if (unlinkat(folder, name, 0) < 0 || mkdirat(folder, name, 0755) < 0)
            result = -errno;
    }
    if (result == 0) {
        next = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        result = next < 0 ? -errno : 0;
    }
    if (result == 0 && replaces)
        result = overlay_replace(next);
    close(folder);
    if (result < 0 && next >= 0)
        close(next);
    return result < 0 ? result : next;
}

int image_place(int root, const char *path, char name[NAME_MAX + 1])
{
    char copy[PATH_MAX], *rest = copy, *part, *last = NULL;

    if (path[0] == '\0')
        return -ENOENT;
    if (strlen(path) >= sizeof copy)
        return -ENAMETOOLONG;
    strcpy(copy, path);
    int folder = fcntl(root, F_DUPFD_CLOEXEC, 0);
    while (folder >= 0 && (part = strsep(&rest, "/")) != NULL) {
        if (part[0] == '\0' || strcmp(part, ".") == 0)
            continue;
        if (last != NULL)
            folder = descend(folder, last);
        last = part;
    }
    if (folder < 0)
        return folder;
    int result = 0;
    if (last != NULL && strcmp(last, "..") == 0)
        result = -EXDEV;
    else if (last != NULL && strlen(last) > NAME_MAX)
        result = -ENAMETOOLONG;
    if (result < 0) {
        close(folder);
        return result;
    }
    snprintf(name, NAME_MAX + 1, "%.*s", NAME_MAX, last != NULL ? last : ".");
    return folder;
}

/* --- unpacking ------------------------------------------------------------------------------ */

static int replace_folder(int parent, const char *name)
{
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int result = fd < 0 ? -errno : overlay_replace(fd);

    if (fd >= 0)
        close(fd);
    return result;
}

static int hide(int parent, const char *name)
{
    struct stat st;

    if (name[strspn(name, ".")] == '\0' && strlen(name) <= 2)
        return -EBADMSG;
    int result = overlay_hide(parent, name);
    if (result != -EEXIST)
        return result;
    if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return -errno;
    return S_ISDIR(st.st_mode) ? replace_folder(parent, name) : 0;
}

static int link_to(int root, const char *source, int parent, const char *name)
{
    char last[NAME_MAX + 1];
    struct stat st;
    int folder = image_place(root, source, last), result = 0;

    if (folder < 0)
        return folder;
    if (fstatat(folder, last, &st, AT_SYMLINK_NOFOLLOW) < 0)
        result = -errno;
    else if (marks_hidden(&st))
        result = -ENOENT;
    else if (linkat(folder, last, parent, name, 0) < 0 && errno == EEXIST) {
        result = tar_clear(parent, name);
        if (result == 0 && linkat(folder, last, parent, name, 0) < 0)
            result = -errno;
    }
    close(folder);
    return result;
}

int image_apply(struct tar *tar, const struct tar_entry *entry, int root)
{
    char name[NAME_MAX + 1];
    struct stat st;
    int result, parent = image_place(root, entry->path, name);

    if (parent < 0)
        return parent;
    bool was_hidden = fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && marks_hidden(&st);
    if (strcmp(name, ".wh..wh..opq") == 0)
        result = overlay_replace(parent);
    else if (strncmp(name, ".wh..wh.", 8) == 0)
        result = 0;
    else if (strncmp(name, ".wh.", 4) == 0)
        result = hide(parent, name + 4);
    else if (entry->hard_link != NULL)
        result = link_to(root, entry->hard_link, parent, name);
    else
        result = tar_make(tar, entry, parent, name);
    if (result == 0 && was_hidden && S_ISDIR(entry->mode))
        result = replace_folder(parent, name);
    close(parent);
    return result;
}

int image_unpack(int blob, int root, const struct image_limits *limits)
{
    uint64_t bytes = 0, entries = 0;
    struct tar_entry entry;
    struct tar *tar;
    int result = tar_open(blob, &tar);

    while (result >= 0 && (result = tar_next(tar, &entry)) > 0) {
        if (++entries > limits->entries || entry.size > limits->bytes - bytes)
            result = -EFBIG;
        else
            result = image_apply(tar, &entry, root);
        bytes += entry.size;
    }
    tar_close(tar);
    return result;
}

/* --- the store ------------------------------------------------------------------------------ */

int image_put(int store, int source, const char *expected, char digest[IMAGE_DIGEST])
{
    char block[10000], own[64], path[96];
    int folder = openat(store, "blobs/sha256", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int file = openat(store, "tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0644);
    int result = folder < 0 || file < 0 ? -errno : 0;
    off_t at = 0;
    ssize_t got;

    while (result == 0 && (got = pread(source, block, sizeof block, at)) != 0) {
        if (got < 0)
            result = -errno;
        for (ssize_t done = 0, n; result == 0 && done < got; done += n)
            if ((n = write(file, block + done, (size_t)(got - done))) < 0)
                result = -errno;
        at += got;
    }
    if (result == 0)
        result = image_digest(file, digest);
    if (result == 0 && expected != NULL && strcmp(digest, expected) != 0)
        result = -EBADMSG;
    if (result == 0 && fdatasync(file) < 0)
        result = -errno;
    snprintf(own, sizeof own, "/proc/self/fd/%d", file);
    snprintf(path, sizeof path, "blobs/sha256/%s", result == 0 ? digest + 7 : "");
    if (result == 0 && linkat(AT_FDCWD, own, store, path, AT_SYMLINK_FOLLOW) < 0 && errno != EEXIST)
        result = -errno;
    if (result == 0 && fsync(folder) < 0)
        result = -errno;
    if (file >= 0)
        close(file);
    if (folder >= 0)
        close(folder);
    return result;
}

int image_open(int store, const char *digest)
{
    const char *hex = hex_of(digest);
    int folder, fd;

    if (hex == NULL)
        return -EINVAL;
    folder = openat(store, "blobs/sha256", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return -errno;
    fd = openat(folder, hex, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        fd = -errno;
    close(folder);
    return fd;
}

/* --- history and waste ---------------------------------------------------------------------- */

int image_size(int blob, uint64_t *bytes)
{
    struct tar_entry entry;
    struct tar *tar;
    int result = tar_open(blob, &tar);

    *bytes = 0;
    while (result >= 0 && (result = tar_next(tar, &entry)) > 0)
        if (S_ISREG(entry.mode) && !entry.hard_link)
            *bytes += entry.size;
    tar_close(tar);
    return result;
}

/* A name that shows by now, and the file that it is a name of. */
struct name {
    char *path;
    size_t file; /* index of sizes; (size_t)-1: what is no file */
    size_t layer;
};

struct play {
    struct name *names;
    size_t count;
    uint64_t *sizes;
    size_t files;
    size_t layer;
};

static bool lies_below(const char *path, const char *folder)
{
    size_t length = strlen(folder);

    return length == 0 || (strncmp(path, folder, length) == 0 && path[length] == '/');
}

static void drop(struct play *play, const char *path, bool itself, bool below)
{
    for (size_t i = 0; i < play->count;) {
        struct name *name = &play->names[i];
        if (name->layer < play->layer && ((itself && strcmp(name->path, path) == 0) ||
                                          (below && lies_below(name->path, path)))) {
            free(name->path);
            *name = play->names[--play->count];
        } else {
            i++;
        }
    }
}

static int play_name(struct play *play, const char *path, size_t file)
{
    struct name *more = reallocarray(play->names, play->count + 1, sizeof *more);

    if (more == NULL)
        return -ENOMEM;
    play->names = more;
    more[play->count] = (struct name){strdup(path), file, play->layer};
    return more[play->count++].path == NULL ? -ENOMEM : 0;
}

static int play_entry(void *arg, const struct tar_entry *entry, char path[PATH_MAX])
{
    struct play *play = arg;
    char other[PATH_MAX], folder[PATH_MAX], *name = strrchr(path, '/');

    name = name != NULL ? name + 1 : path;
    strcpy(folder, path);
    for (char *slash; (slash = strrchr(folder, '/')) != NULL;) {
        *slash = '\0';
        drop(play, folder, true, false);
    }
    strcpy(folder, path);
    folder[name > path ? name - path - 1 : 0] = '\0';
    if (strcmp(name, ".wh..wh..opq") == 0) {
        drop(play, folder, false, true);
        return 0;
    }
    if (strncmp(name, ".wh..wh.", 8) == 0)
        return 0;
    if (strncmp(name, ".wh.", 4) == 0) {
        memmove(name, name + 4, strlen(name) - 3);
        drop(play, path, true, true);
        return 0;
    }
    drop(play, path, true, !S_ISDIR(entry->mode) || entry->hard_link != NULL);
    if (entry->hard_link != NULL) {
        if (tar_spell(entry->hard_link, other) < 0)
            return 0;
        for (size_t i = 0; i < play->count; i++)
            if (play->names[i].layer == play->layer && strcmp(play->names[i].path, other) == 0)
                return play_name(play, path, play->names[i].file);
        return 0;
    }
    if (!S_ISREG(entry->mode))
        return 0;
    uint64_t *more = reallocarray(play->sizes, play->files + 1, sizeof *more);
    if (more == NULL)
        return -ENOMEM;
    play->sizes = more;
    more[play->files] = entry->size;
    return play_name(play, path, play->files++);
}

int image_waste(const int *blobs, size_t count, uint64_t *bytes)
{
    struct play play = {0};
    int result = 0;

    for (; result == 0 && play.layer < count; play.layer++)
        result = tar_each(blobs[play.layer], play_entry, &play);
    *bytes = 0;
    for (size_t i = 0; i < play.files; i++)
        *bytes += play.sizes[i];
    for (size_t i = 0; i < play.count; i++) {
        *bytes -= play.sizes[play.names[i].file];
        play.sizes[play.names[i].file] = 0;
        free(play.names[i].path);
    }
    free(play.names);
    free(play.sizes);
    return result;
}

/* --- the build cache ------------------------------------------------------------------------ */

/* Each part with its length before it. */
static void add_part(struct sha256_ctx *sum, const void *bytes, uint64_t size)
{
    sha256_update(sum, sizeof size, (const uint8_t *)&size);
    sha256_update(sum, size, bytes);
}

int image_cache_key(const char *parent, const char *instruction, const struct image_input *inputs,
                    size_t count, char key[IMAGE_DIGEST])
{
    struct sha256_ctx sum;

    sha256_init(&sum);
    add_part(&sum, parent, strlen(parent));
    add_part(&sum, instruction, strlen(instruction));
    for (size_t i = 0; i < count; i++) {
        char digest[IMAGE_DIGEST];
        mode_t mode = inputs[i].mode & (S_IXUSR | S_IXGRP | S_IXOTH);
        int result = image_digest(inputs[i].fd, digest);
        if (result < 0)
            return result;
        add_part(&sum, inputs[i].name, strlen(inputs[i].name));
        add_part(&sum, &mode, sizeof mode);
        add_part(&sum, digest, strlen(digest));
    }
    digest_text(&sum, key);
    return 0;
}
