/* Lab 07: images. The contract is image.h. */
#include "07-image/image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <linux/openat2.h>

#include "06-overlayfs/overlay.h"
#include "07-image/given_digest.h"
#include "07-image/given_paths.h"
#include "07-image/given_store.h"

/* --- a file's name is the digest of what is in it --------------------------------------------- */

int image_digest(int fd, char digest[IMAGE_DIGEST])
{
    /* BEGIN SOLUTION step 1
     * TODO(step 1): sha256_init, then sha256_update with one block of the file after the other,
     *               then digest_text (given_digest.h). pread(2) reads at an offset of your own, so
     *               the fd's does not matter and does not move.
     */
    struct sha256_ctx sum;
    uint8_t block[32 * 1024];
    off_t at = 0;
    ssize_t n;

    sha256_init(&sum);
    while ((n = pread(fd, block, sizeof block, at)) != 0) {
        if (n < 0 && errno != EINTR)
            return -errno;
        if (n > 0) {
            sha256_update(&sum, (size_t)n, block);
            at += n;
        }
    }
    digest_text(&sum, digest);
    return 0;
    /* END SOLUTION */
}

/* BEGIN SOLUTION step 1 helper */
/* Digests come from JSON that strangers wrote and become file names: 64 digits, or nothing. */
static bool is_digest(const char *text)
{
    return strncmp(text, "sha256:", 7) == 0 && strlen(text) == IMAGE_DIGEST - 1 &&
           strspn(text + 7, "0123456789abcdef") == 64;
}

/* The digest of the blob as it was before compression. */
static int plain_digest(int blob, char digest[IMAGE_DIGEST])
{
    struct sha256_ctx sum;
    struct plain *plain;
    uint8_t block[32 * 1024];
    ssize_t n = plain_open(blob, &plain);

    if (n < 0)
        return (int)n;
    sha256_init(&sum);
    while ((n = plain_read(plain, block, sizeof block)) > 0)
        sha256_update(&sum, (size_t)n, block);
    plain_close(plain);
    digest_text(&sum, digest);
    return (int)n;
}
/* END SOLUTION */

int image_verify_layer(int blob, const char *digest, const char *diff_id)
{
    /* BEGIN SOLUTION step 1
     * TODO(step 1): first, are both digests at all? Then the blob's own, and only when that holds
     *               the one of its plain bytes: plain_open, plain_read (given_tar.h). A plain layer
     *               has the same for both.
     */
    char found[IMAGE_DIGEST];

    if (!is_digest(digest) || !is_digest(diff_id))
        return -EINVAL;
    int result = image_digest(blob, found);
    if (result == 0 && strcmp(found, digest) != 0)
        result = -EBADMSG;
    /* The decompressor meets only bytes that somebody has vouched for. */
    if (result == 0)
        result = plain_digest(blob, found);
    if (result == 0 && strcmp(found, diff_id) != 0)
        result = -EBADMSG;
    return result;
    /* END SOLUTION */
}

/* --- where an entry goes ---------------------------------------------------------------------- */

/* BEGIN SOLUTION step 2 helper */
/* Has this layer hidden the name before? */
static bool is_whiteout(int parent, const char *name)
{
    struct stat st;

    return fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISCHR(st.st_mode) &&
           st.st_rdev == makedev(0, 0);
}
/* END SOLUTION */

/* BEGIN SOLUTION step 3 helper */
/* Opens the folder `name`, one component, in `parent`; makes it if it is missing. */
static int enter(int parent, const char *name)
{
    /* openat(2) with O_NOFOLLOW looks at the last component alone, and says ENOTDIR for a link to
     * a folder as it does for a file. This asks the kernel for just what we mean. */
    struct open_how how = {
        .flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
    };
    bool hidden = is_whiteout(parent, name);

    if (strcmp(name, "..") == 0)
        return -EXDEV;
    if (hidden && unlinkat(parent, name, 0) < 0)
        return -errno;
    if (mkdirat(parent, name, 0755) < 0 && errno != EEXIST)
        return -errno;
    int fd = (int)syscall(SYS_openat2, parent, name, &how, sizeof how);
    if (fd < 0)
        return -errno;
    int result = hidden ? overlay_replace(fd) : 0;
    if (result < 0)
        close(fd);
    return result < 0 ? result : fd;
}
/* END SOLUTION */

int image_place(int root, const char *path, char name[NAME_MAX + 1])
{
    /* BEGIN SOLUTION step 3 replace: return tar_place(root, path, name);
     * TODO(step 3): tar_place believes everything: "../" and links that somebody planted lead it
     *               out of root. Go down from root, component by component (tar_spell has taken the
     *               slashes and dots away that mean nothing), making what is missing, and let the
     *               kernel watch each step: openat2(2), by syscall(SYS_openat2, …), has RESOLVE_
     *               flags for just this. And when a whiteout of this layer is in the way? See
     *               image.h.
     */
    char spelt[PATH_MAX], *component = spelt, *slash;
    int result = tar_spell(path, spelt);

    if (result < 0)
        return result;
    int folder = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return -errno;
    for (; (slash = strchr(component, '/')) != NULL; component = slash + 1) {
        *slash = '\0';
        int next = enter(folder, component);
        close(folder);
        if (next < 0)
            return next;
        folder = next;
    }
    if (strcmp(component, "..") == 0)
        result = -EXDEV;
    if (strlen(component) > NAME_MAX)
        result = -ENAMETOOLONG;
    if (result < 0) {
        close(folder);
        return result;
    }
    strcpy(name, component[0] != '\0' ? component : ".");
    return folder;
    /* END SOLUTION */
}

/* --- unpacking -------------------------------------------------------------------------------- */

/* BEGIN SOLUTION step 2 helper */
/* Makes the folder `name` opaque: without that it would be merged with the one below. */
static int make_opaque(int parent, const char *name)
{
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    int result = overlay_replace(fd);
    close(fd);
    return result;
}

/* ".wh.NAME" in the folder `parent`. */
static int apply_whiteout(int parent, const char *hidden)
{
    struct stat st;

    if (strcmp(hidden, ".wh..opq") == 0)
        return overlay_replace(parent);
    if (strncmp(hidden, ".wh.", 4) == 0)
        return 0;
    if (hidden[0] == '\0' || strcmp(hidden, ".") == 0 || strcmp(hidden, "..") == 0)
        return -EBADMSG;
    if (fstatat(parent, hidden, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? overlay_hide(parent, hidden) : -errno;
    /* It is this layer's own, and covers the layers below: a folder if it is told to. */
    return S_ISDIR(st.st_mode) ? make_opaque(parent, hidden) : 0;
}

static int apply_hard_link(const struct tar_entry *entry, int root, int parent, const char *name)
{
    char source[NAME_MAX + 1];
    int result = -ENOENT;
    int folder = image_place(root, entry->hard_link, source);

    if (folder < 0)
        return folder;
    if (!is_whiteout(folder, source))
        result = tar_clear(parent, name);
    /* Without AT_SYMLINK_FOLLOW a symbolic link is linked itself. */
    if (result == 0 && linkat(folder, source, parent, name, 0) < 0)
        result = -errno;
    close(folder);
    return result;
}
/* END SOLUTION */

int image_apply(struct tar *tar, const struct tar_entry *entry, int root)
{
    /* BEGIN SOLUTION step 2
     * TODO(step 2): image_place says where. Then: a name that begins with ".wh.", a hard link
     *               (linkat(2)), and all else; but what if this very layer has hidden the name of a
     *               folder before? Lab 06 has overlay_hide and overlay_replace. fstatat(2) with
     *               AT_SYMLINK_NOFOLLOW tells what is there already.
     */
    char name[NAME_MAX + 1];
    int result;
    int parent = image_place(root, entry->path, name);

    if (parent < 0)
        return parent;
    if (strncmp(name, ".wh.", 4) == 0) {
        result = apply_whiteout(parent, name + 4);
    } else if (entry->hard_link != NULL) {
        result = apply_hard_link(entry, root, parent, name);
    } else {
        bool hidden = is_whiteout(parent, name);
        result = tar_make(tar, entry, parent, name);
        if (result == 0 && hidden && S_ISDIR(entry->mode))
            result = make_opaque(parent, name);
    }
    close(parent);
    return result;
    /* END SOLUTION */
}

/* Takes one more entry off what unpacking may still cost. */
static int spend(struct image_limits *left, const struct tar_entry *entry)
{
    /* BEGIN SOLUTION step 3 replace: (void)left, (void)entry;
     * TODO(step 3): -EFBIG when no entry is left, or not as many bytes as this one has.
     */
    if (left->entries == 0 || left->bytes < entry->size)
        return -EFBIG;
    left->entries--;
    left->bytes -= entry->size;
    /* END SOLUTION */
    return 0;
}

/* Given: how a layer is read. */
int image_unpack(int blob, int root, const struct image_limits *limits)
{
    struct image_limits left = *limits;
    struct tar_entry entry;
    struct tar *tar;
    int result = tar_open(blob, &tar);

    if (result < 0)
        return result;
    while ((result = tar_next(tar, &entry)) > 0) {
        result = spend(&left, &entry);
        if (result == 0)
            result = image_apply(tar, &entry, root);
        if (result != 0)
            break;
    }
    tar_close(tar);
    return result;
}

/* --- the store -------------------------------------------------------------------------------- */

/* BEGIN SOLUTION step 4 helper */
/* Gives the finished file its name. Its data first: a name that survives a power failure must not
 * lead to a file that did not. */
static int publish(int store, int file, const char *temporary, const char *path)
{
    if (fsync(file) < 0 || renameat(store, temporary, store, path) < 0)
        return -errno;
    int folder = openat(store, "blobs/sha256", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return -errno;
    int result = fsync(folder) < 0 ? -errno : 0;
    close(folder);
    return result;
}
/* END SOLUTION */

int image_put(int store, int source, const char *expected, char digest[IMAGE_DIGEST])
{
    /* BEGIN SOLUTION step 4
     * TODO(step 4): store_temporary_file and store_copy (given_store.h). Copy first, and take the
     *               digest of the copy: `source` is somebody's file and may change meanwhile. Then
     *               fsync(2) of the file, renameat(2), fsync of the folder: which half-done state
     *               would each other order leave? On every way out the file in tmp/ is gone.
     */
    char temporary[64], path[16 + IMAGE_DIGEST];
    int file = store_temporary_file(store, temporary);

    if (file < 0)
        return file;
    int result = store_copy(source, file);
    if (result == 0)
        result = image_digest(file, digest);
    if (result == 0 && expected != NULL && strcmp(expected, digest) != 0)
        result = -EBADMSG;
    if (result == 0) {
        snprintf(path, sizeof path, "blobs/sha256/%s", digest + 7);
        if (faccessat(store, path, F_OK, 0) < 0)
            result = publish(store, file, temporary, path);
    }
    unlinkat(store, temporary, 0); /* ENOENT when it has its name */
    close(file);
    return result;
    /* END SOLUTION */
}

int image_open(int store, const char *digest)
{
    /* BEGIN SOLUTION step 4
     * TODO(step 4): step 1 knows what a digest is. The rest is a file name.
     */
    char path[16 + IMAGE_DIGEST];

    if (!is_digest(digest))
        return -EINVAL;
    snprintf(path, sizeof path, "blobs/sha256/%s", digest + 7);
    int fd = openat(store, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
    /* END SOLUTION */
}

/* --- history and waste ------------------------------------------------------------------------ */

int image_size(int blob, uint64_t *bytes)
{
    /* BEGIN SOLUTION step 5
     * TODO(step 5): image_unpack shows how a layer is read. What is asked for here is the `size` of
     *               what is a regular file and no hard link.
     */
    struct tar_entry entry;
    struct tar *tar;
    int result = tar_open(blob, &tar);

    if (result < 0)
        return result;
    *bytes = 0;
    while ((result = tar_next(tar, &entry)) > 0)
        *bytes += entry.hard_link == NULL && S_ISREG(entry.mode) ? entry.size : 0;
    tar_close(tar);
    return result;
    /* END SOLUTION */
}

/* BEGIN SOLUTION step 5 helper */
/* What the layers above do to a path of those below: hide it, and hide what is below it. */
enum { HIDES_ITSELF = 1, HIDES_BELOW = 2 };

struct waste {
    struct paths marks; /* HIDES_ bits of all layers above                               */
    struct paths files; /* of this layer, by all their names: bytes that no name shows    */
    uint64_t bytes;     /* of all layers so far                                          */
};

static bool is_hidden(const struct waste *waste, const char *path)
{
    char prefix[PATH_MAX];
    unsigned bits = HIDES_ITSELF | HIDES_BELOW;

    strcpy(prefix, path);
    for (;;) {
        const uint64_t *marks = paths_find(&waste->marks, prefix);
        if (marks != NULL && (*marks & bits) != 0)
            return true;
        if (prefix[0] == '\0')
            return false;
        paths_parent(prefix);
        bits = HIDES_BELOW;
    }
}

/* Counts an entry of this layer, if it is a file or one more name of a file. */
static int count_hidden(void *arg, const struct tar_entry *entry, char path[PATH_MAX])
{
    struct waste *waste = arg;
    char source[PATH_MAX];
    uint64_t *hidden = NULL;

    if (entry->hard_link != NULL) {
        if (tar_spell(entry->hard_link, source) == 0)
            hidden = paths_add_alias(&waste->files, path, source);
    } else if (S_ISREG(entry->mode)) {
        hidden = paths_add(&waste->files, path);
        if (hidden == NULL)
            return -ENOMEM;
        *hidden = entry->size;
        waste->bytes += entry->size;
    }
    if (hidden != NULL && !is_hidden(waste, path)) { /* one name that shows is enough */
        waste->bytes -= *hidden;
        *hidden = 0;
    }
    return 0;
}

static int mark(struct waste *waste, const char *path, unsigned bits)
{
    uint64_t *marks = paths_add(&waste->marks, path);

    if (marks != NULL)
        *marks |= bits;
    return marks != NULL ? 0 : -ENOMEM;
}

/* Notes what an entry of this layer does to the layers below. */
static int note_marks(void *arg, const struct tar_entry *entry, char path[PATH_MAX])
{
    char *name = strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path;
    unsigned bits = S_ISDIR(entry->mode) ? HIDES_ITSELF : HIDES_ITSELF | HIDES_BELOW;

    if (strcmp(name, ".wh..wh..opq") == 0) {
        paths_parent(path);
        bits = HIDES_BELOW;
    } else if (strncmp(name, ".wh..wh.", 8) == 0) {
        return 0;
    } else if (strncmp(name, ".wh.", 4) == 0) {
        memmove(name, name + 4, strlen(name + 4) + 1);
        bits = HIDES_ITSELF | HIDES_BELOW;
    } else if (S_ISCHR(entry->mode) || S_ISBLK(entry->mode)) {
        bits = 0; /* is left out when the layer is unpacked */
    }
    int result = mark(arg, path, bits);
    while (result == 0 && path[0] != '\0') { /* where it lies is a folder, whatever was there */
        paths_parent(path);
        result = mark(arg, path, HIDES_ITSELF);
    }
    return result;
}
/* END SOLUTION */

int image_waste(const int *blobs, size_t count, uint64_t *bytes)
{
    /* BEGIN SOLUTION step 5
     * TODO(step 5): from the topmost layer down: then all that may hide a file is known when the
     *               file comes. A set of paths (given_paths.h) keeps what the layers above do; a
     *               file is looked for there, and so is each folder that it lies in. tar_each reads
     *               a layer and calls a function of yours for each entry; read each layer twice,
     *               for what it does itself concerns the layers below it only.
     */
    struct waste waste = {0};
    int result = 0;

    for (size_t i = count; result == 0 && i-- > 0;) {
        result = tar_each(blobs[i], count_hidden, &waste);
        if (result == 0)
            result = tar_each(blobs[i], note_marks, &waste);
        paths_free(&waste.files);
    }
    paths_free(&waste.marks);
    *bytes = waste.bytes;
    return result;
    /* END SOLUTION */
}

/* --- the build cache -------------------------------------------------------------------------- */

int image_cache_key(const char *parent, const char *instruction, const struct image_input *inputs,
                    size_t count, char key[IMAGE_DIGEST])
{
    /* BEGIN SOLUTION step 6
     * TODO(step 6): one SHA-256 of everything that counts. "ab" and "c", one after the other, are
     *               "a" and "bc" as well: what can stand between two texts and within none?
     */
    struct sha256_ctx sum;
    char digest[IMAGE_DIGEST];

    /* With its closing zero, which it cannot hold, a text ends where it ends; the others have a
     * fixed length. */
    sha256_init(&sum);
    sha256_update(&sum, strlen(parent) + 1, (const uint8_t *)parent);
    sha256_update(&sum, strlen(instruction) + 1, (const uint8_t *)instruction);
    for (size_t i = 0; i < count; i++) {
        uint8_t executable = inputs[i].mode & 0111;
        int result = image_digest(inputs[i].fd, digest);
        if (result < 0)
            return result;
        sha256_update(&sum, strlen(inputs[i].name) + 1, (const uint8_t *)inputs[i].name);
        sha256_update(&sum, 1, &executable);
        sha256_update(&sum, sizeof digest, (const uint8_t *)digest);
    }
    digest_text(&sum, key);
    return 0;
    /* END SOLUTION */
}
