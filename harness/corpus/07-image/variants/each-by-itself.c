/* Variant: no function knows of another: a folder is entered by a call to itself; a blob is written
 * to a file that is synced with each write (O_DSYNC), its digest taken on the way, and renamed
 * where nothing is; waste is asked for file by file, of each layer above. */
#include "07-image/image.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/fs.h>

#include "06-overlayfs/overlay.h"
#include "07-image/given_digest.h"

enum { HEX = 64 };
static const char algorithm[] = "sha256:";

/* --- digests -------------------------------------------------------------------------------- */

int image_digest(int fd, char digest[IMAGE_DIGEST])
{
    struct sha256_ctx sum;
    uint8_t block[512];
    ssize_t got;
    off_t before = lseek(fd, 0, SEEK_CUR);

    if (before < 0 || lseek(fd, 0, SEEK_SET) < 0)
        return -errno;
    sha256_init(&sum);
    while ((got = read(fd, block, sizeof block)) > 0)
        sha256_update(&sum, (size_t)got, block);
    int result = got < 0 ? -errno : 0;
    lseek(fd, before, SEEK_SET);
    digest_text(&sum, digest);
    return result;
}

static bool well_formed(const char *digest)
{
    size_t start = strlen(algorithm), i = 0;

    if (strncmp(digest, algorithm, start) != 0)
        return false;
    for (const char *at = digest + start; *at != '\0'; at++, i++)
        if (i >= HEX || !isxdigit((unsigned char)*at) || isupper((unsigned char)*at))
            return false;
    return i == HEX;
}

static int digest_before_compression(int blob, char digest[IMAGE_DIGEST])
{
    struct plain *plain = NULL;
    struct sha256_ctx sum;
    char block[1024];
    int result = plain_open(blob, &plain);
    ssize_t got = result;

    sha256_init(&sum);
    while (got >= 0 && (got = plain_read(plain, block, sizeof block)) > 0)
        sha256_update(&sum, (size_t)got, (uint8_t *)block);
    plain_close(plain);
    digest_text(&sum, digest);
    return got < 0 ? (int)got : 0;
}

int image_verify_layer(int blob, const char *digest, const char *diff_id)
{
    char outer[IMAGE_DIGEST], inner[IMAGE_DIGEST];
    int result;

    if (!well_formed(digest) || !well_formed(diff_id))
        return -EINVAL;
    result = image_digest(blob, outer);
    if (result < 0)
        return result;
    if (memcmp(outer, digest, IMAGE_DIGEST) != 0)
        return -EBADMSG;
    result = digest_before_compression(blob, inner);
    if (result < 0)
        return result;
    return memcmp(inner, diff_id, IMAGE_DIGEST) != 0 ? -EBADMSG : 0;
}

/* --- places --------------------------------------------------------------------------------- */

/* The folder `name` in `folder`, made if it is missing. */
static int folder_in(int folder, const char *name)
{
    struct stat st;
    bool white;
    int next;

    if (strcmp(name, "..") == 0)
        return -EXDEV;
    next = openat(folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (next < 0 && errno != ENOENT)
        return -errno;
    if (next >= 0) {
        int result = fstat(next, &st) < 0 ? -errno : 0;
        close(next);
        if (result < 0)
            return result;
        white = S_ISCHR(st.st_mode) && st.st_rdev == 0;
        if (S_ISLNK(st.st_mode))
            return -ELOOP;
        if (!S_ISDIR(st.st_mode) && !white)
            return -ENOTDIR;
        if (S_ISDIR(st.st_mode)) {
            next = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
            return next < 0 ? -errno : next;
        }
        if (unlinkat(folder, name, 0) < 0)
            return -errno;
    } else {
        white = false;
    }
    if (mkdirat(folder, name, 0755) < 0)
        return -errno;
    next = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (next < 0)
        return -errno;
    if (white) {
        int result = overlay_replace(next);
        if (result < 0) {
            close(next);
            return result;
        }
    }
    return next;
}

/* Where the rest of a path leads from `folder`, which is the caller's. */
static int place_from(int folder, const char *path, char name[NAME_MAX + 1])
{
    char first[NAME_MAX + 1];
    size_t length;

    while (path[0] == '/' || (path[0] == '.' && (path[1] == '/' || path[1] == '\0')))
        path++;
    length = strcspn(path, "/");
    if (length > NAME_MAX)
        return -ENAMETOOLONG;
    memcpy(first, length > 0 ? path : ".", length > 0 ? length : 1);
    first[length > 0 ? length : 1] = '\0';
    path += length;
    while (path[0] == '/' || (path[0] == '.' && (path[1] == '/' || path[1] == '\0')))
        path++;
    if (path[0] == '\0') {
        strcpy(name, first);
        return strcmp(first, "..") == 0 ? -EXDEV : fcntl(folder, F_DUPFD_CLOEXEC, 3);
    }
    int next = folder_in(folder, first);
    if (next < 0)
        return next;
    int result = place_from(next, path, name);
    close(next);
    return result;
}

int image_place(int root, const char *path, char name[NAME_MAX + 1])
{
    size_t length = strlen(path);

    return length == 0          ? -ENOENT
           : length >= PATH_MAX ? -ENAMETOOLONG
                                : place_from(root, path, name);
}

/* --- unpacking ------------------------------------------------------------------------------ */

static mode_t type_of(int parent, const char *name, bool *white)
{
    struct stat st;

    *white = false;
    if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return 0;
    *white = S_ISCHR(st.st_mode) && st.st_rdev == 0;
    return st.st_mode & S_IFMT;
}

static int hide_below(int parent, const char *name)
{
    int folder = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (folder < 0)
        return -errno;
    int result = overlay_replace(folder);
    close(folder);
    return result;
}

static int apply_mark(int parent, const char *what)
{
    bool white;
    mode_t type;

    if (strcmp(what, ".wh..opq") == 0)
        return hide_below(parent, ".");
    if (strncmp(what, ".wh.", 4) == 0)
        return 0;
    if (what[0] == '\0' || strcmp(what, ".") == 0 || strcmp(what, "..") == 0)
        return -EBADMSG;
    type = type_of(parent, what, &white);
    if (type == 0)
        return mknodat(parent, what, S_IFCHR, 0) < 0 ? -errno : 0;
    return type == S_IFDIR ? hide_below(parent, what) : 0;
}

static int apply_link(int root, const char *path, int parent, const char *name)
{
    char source[NAME_MAX + 1];
    bool white;
    int folder = image_place(root, path, source), result = 0;

    if (folder < 0)
        return folder;
    if (type_of(folder, source, &white) == 0 || white)
        result = -ENOENT;
    if (result == 0)
        result = tar_clear(parent, name);
    if (result == 0 && linkat(folder, source, parent, name, 0) < 0)
        result = -errno;
    close(folder);
    return result;
}

int image_apply(struct tar *tar, const struct tar_entry *entry, int root)
{
    char name[NAME_MAX + 1];
    bool white;
    int parent = image_place(root, entry->path, name);
    int result;

    if (parent < 0)
        return parent;
    type_of(parent, name, &white);
    if (strncmp(name, ".wh.", 4) == 0)
        result = apply_mark(parent, &name[4]);
    else if (entry->hard_link != NULL)
        result = apply_link(root, entry->hard_link, parent, name);
    else if ((result = tar_make(tar, entry, parent, name)) == 0 && white && S_ISDIR(entry->mode))
        result = hide_below(parent, name);
    close(parent);
    return result;
}

int image_unpack(int blob, int root, const struct image_limits *limits)
{
    struct tar_entry entry;
    struct tar *tar;
    uint64_t entries = 0, bytes = 0;
    int result = tar_open(blob, &tar);

    if (result < 0)
        return result;
    while ((result = tar_next(tar, &entry)) > 0) {
        entries++;
        if (entries > limits->entries || __builtin_add_overflow(bytes, entry.size, &bytes) ||
            bytes > limits->bytes)
            result = -EFBIG;
        else
            result = image_apply(tar, &entry, root);
        if (result < 0)
            break;
    }
    tar_close(tar);
    return result;
}

/* --- the store ------------------------------------------------------------------------------ */

static int write_synced(int source, int file, struct sha256_ctx *sum)
{
    uint8_t block[16384];

    for (off_t at = 0;;) {
        ssize_t got = pread(source, block, sizeof block, at);
        if (got <= 0)
            return got < 0 ? -errno : 0;
        for (ssize_t put = 0; put < got;) {
            ssize_t n = pwrite(file, block + put, (size_t)(got - put), at + put);
            if (n < 0)
                return -errno;
            put += n;
        }
        sha256_update(sum, (size_t)got, block);
        at += got;
    }
}

static int sync_folder(int store)
{
    int folder = openat(store, "blobs/sha256", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (folder < 0)
        return -errno;
    int result = fsync(folder) < 0 ? -errno : 0;
    close(folder);
    return result;
}

int image_put(int store, int source, const char *expected, char digest[IMAGE_DIGEST])
{
    char name[IMAGE_DIGEST + 32], temporary[64];
    struct sha256_ctx sum;
    uint64_t number;

    if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number)
        return -EIO;
    snprintf(temporary, sizeof temporary, "tmp/%jx", (uintmax_t)number);
    int file = openat(store, temporary, O_WRONLY | O_CREAT | O_EXCL | O_DSYNC | O_CLOEXEC, 0600);
    if (file < 0)
        return -errno;
    sha256_init(&sum);
    int result = write_synced(source, file, &sum);
    struct stat st;
    if (result == 0 && fstat(file, &st) == 0 && st.st_size == 0 && fsync(file) < 0)
        result = -errno; /* nothing was written, so nothing was synced */
    digest_text(&sum, digest);
    if (close(file) < 0 && result == 0)
        result = -errno;
    if (result == 0 && expected != NULL && strcmp(expected, digest) != 0)
        result = -EBADMSG;
    snprintf(name, sizeof name, "blobs/sha256/%s", digest + strlen(algorithm));
    if (result == 0 && syscall(SYS_renameat2, store, temporary, store, name, RENAME_NOREPLACE) < 0)
        result = errno == EEXIST ? 1 : -errno;
    if (result != 0)
        unlinkat(store, temporary, 0);
    return result == 0 ? sync_folder(store) : result < 0 ? result : 0;
}

int image_open(int store, const char *digest)
{
    char name[IMAGE_DIGEST + 32];

    if (!well_formed(digest))
        return -EINVAL;
    snprintf(name, sizeof name, "blobs/sha256/%s", digest + strlen(algorithm));
    int fd = openat(store, name, O_RDONLY | O_CLOEXEC);
    return fd >= 0 ? fd : -errno;
}

/* --- history and waste ---------------------------------------------------------------------- */

int image_size(int blob, uint64_t *bytes)
{
    struct tar_entry entry;
    struct tar *tar;
    uint64_t sum = 0;
    int result = tar_open(blob, &tar);

    if (result < 0)
        return result;
    while ((result = tar_next(tar, &entry)) == 1) {
        if (entry.hard_link != NULL || (entry.mode & S_IFMT) != S_IFREG)
            continue;
        sum += entry.size;
    }
    tar_close(tar);
    *bytes = sum;
    return result;
}

struct question {
    const char *path; /* of a file below */
    bool gone;
};

static bool begins_with_folder(const char *path, const char *folder)
{
    size_t length = strlen(folder);

    return length == 0 || (memcmp(path, folder, strnlen(path, length)) == 0 &&
                           strlen(path) > length && path[length] == '/');
}

/* Does this entry of a layer above do away with that file? */
static int ask_entry(void *arg, const struct tar_entry *entry, char path[PATH_MAX])
{
    struct question *question = arg;
    char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
    bool folder = S_ISDIR(entry->mode) && entry->hard_link == NULL;

    if (begins_with_folder(path, question->path))
        question->gone = true; /* the file's place has become a folder */
    if (strcmp(name, ".wh..wh..opq") == 0) {
        *(slash != NULL ? slash : path) = '\0';
        if (begins_with_folder(question->path, path))
            question->gone = true;
        return 0;
    }
    if (strncmp(name, ".wh..wh.", 8) == 0)
        return 0;
    if (strncmp(name, ".wh.", 4) == 0) {
        memmove(name, name + 4, strlen(name + 4) + 1);
        folder = false;
    }
    if (strcmp(path, question->path) == 0 ||
        (!folder && path[0] != '\0' && begins_with_folder(question->path, path)))
        question->gone = true;
    return 0;
}

/* The names of one file. */
struct one {
    char **names;
    size_t count;
    uint64_t size;
};

struct files {
    struct one *list;
    size_t count;
};

static int add_name(struct one *file, const char *path)
{
    char **more = reallocarray(file->names, file->count + 1, sizeof *more);

    if (more == NULL)
        return -ENOMEM;
    file->names = more;
    more[file->count] = strdup(path);
    return more[file->count++] != NULL ? 0 : -ENOMEM;
}

static int collect(void *arg, const struct tar_entry *entry, char path[PATH_MAX])
{
    struct files *files = arg;
    char of[PATH_MAX];

    if (entry->hard_link != NULL) {
        if (tar_spell(entry->hard_link, of) < 0)
            return 0;
        for (size_t i = 0; i < files->count; i++)
            for (size_t j = 0; j < files->list[i].count; j++)
                if (strcmp(files->list[i].names[j], of) == 0)
                    return add_name(&files->list[i], path);
        return 0;
    }
    if (!S_ISREG(entry->mode) || entry->size == 0)
        return 0;
    struct one *more = reallocarray(files->list, files->count + 1, sizeof *more);
    if (more == NULL)
        return -ENOMEM;
    files->list = more;
    more[files->count] = (struct one){.size = entry->size};
    return add_name(&more[files->count++], path);
}

static int is_seen(const int *above, size_t count, const struct one *file, bool *seen)
{
    *seen = false;
    for (size_t i = 0; i < file->count && !*seen; i++) {
        struct question question = {.path = file->names[i]};
        for (size_t j = 0; j < count && !question.gone; j++) {
            int result = tar_each(above[j], ask_entry, &question);
            if (result < 0)
                return result;
        }
        *seen = !question.gone;
    }
    return 0;
}

int image_waste(const int *blobs, size_t count, uint64_t *bytes)
{
    int result = 0;

    *bytes = 0;
    for (size_t i = 0; i < count && result == 0; i++) {
        struct files files = {0};
        result = tar_each(blobs[i], collect, &files);
        for (size_t j = 0; j < files.count; j++) {
            bool seen = true;
            if (result == 0)
                result = is_seen(blobs + i + 1, count - i - 1, &files.list[j], &seen);
            *bytes += seen ? 0 : files.list[j].size;
            for (size_t k = 0; k < files.list[j].count; k++)
                free(files.list[j].names[k]);
            free(files.list[j].names);
        }
        free(files.list);
    }
    return result;
}

/* --- the build cache ------------------------------------------------------------------------ */

/* A digest of digests: each has the same length. */
static void chain(char digest[IMAGE_DIGEST], const void *bytes, size_t size)
{
    struct sha256_ctx sum;
    char own[IMAGE_DIGEST];

    sha256_init(&sum);
    sha256_update(&sum, size, bytes);
    digest_text(&sum, own);
    sha256_init(&sum);
    sha256_update(&sum, IMAGE_DIGEST, (const uint8_t *)digest);
    sha256_update(&sum, IMAGE_DIGEST, (const uint8_t *)own);
    digest_text(&sum, digest);
}

int image_cache_key(const char *parent, const char *instruction, const struct image_input *inputs,
                    size_t count, char key[IMAGE_DIGEST])
{
    char digest[IMAGE_DIGEST] = "";

    memset(key, 0, IMAGE_DIGEST);
    chain(key, parent, strlen(parent));
    chain(key, instruction, strlen(instruction));
    for (size_t i = 0; i < count; i++) {
        uint8_t bits = (uint8_t)(inputs[i].mode & 0111);
        int result = image_digest(inputs[i].fd, digest);
        if (result < 0)
            return result;
        chain(key, inputs[i].name, strlen(inputs[i].name));
        chain(key, &bits, 1);
        chain(key, digest, sizeof digest);
    }
    return 0;
}
