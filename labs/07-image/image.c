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
    /* TODO(step 1): sha256_init, then sha256_update with one block of the file after the other,
     *               then digest_text (given_digest.h). pread(2) reads at an offset of your own, so
     *               the fd's does not matter and does not move.
     */
    (void)fd;
    (void)digest;
    return STRATA_TODO;
}

int image_verify_layer(int blob, const char *digest, const char *diff_id)
{
    /* TODO(step 1): first, are both digests at all? Then the blob's own, and only when that holds
     *               the one of its plain bytes: plain_open, plain_read (given_tar.h). A plain layer
     *               has the same for both.
     */
    (void)blob;
    (void)digest;
    (void)diff_id;
    return STRATA_TODO;
}

/* --- where an entry goes ---------------------------------------------------------------------- */

int image_place(int root, const char *path, char name[NAME_MAX + 1])
{
    /* TODO(step 3): tar_place believes everything: "../" and links that somebody planted lead it
     *               out of root. Go down from root, component by component (tar_spell has taken the
     *               slashes and dots away that mean nothing), making what is missing, and let the
     *               kernel watch each step: openat2(2), by syscall(SYS_openat2, …), has RESOLVE_
     *               flags for just this. And when a whiteout of this layer is in the way? See
     *               image.h.
     */
    return tar_place(root, path, name);
}

/* --- unpacking -------------------------------------------------------------------------------- */

int image_apply(struct tar *tar, const struct tar_entry *entry, int root)
{
    /* TODO(step 2): image_place says where. Then: a name that begins with ".wh.", a hard link
     *               (linkat(2)), and all else; but what if this very layer has hidden the name of a
     *               folder before? Lab 06 has overlay_hide and overlay_replace. fstatat(2) with
     *               AT_SYMLINK_NOFOLLOW tells what is there already.
     */
    (void)tar;
    (void)entry;
    (void)root;
    return STRATA_TODO;
}

/* Takes one more entry off what unpacking may still cost. */
static int spend(struct image_limits *left, const struct tar_entry *entry)
{
    /* TODO(step 3): -EFBIG when no entry is left, or not as many bytes as this one has. */
    (void)left, (void)entry;
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

int image_put(int store, int source, const char *expected, char digest[IMAGE_DIGEST])
{
    /* TODO(step 4): store_temporary_file and store_copy (given_store.h). Copy first, and take the
     *               digest of the copy: `source` is somebody's file and may change meanwhile. Then
     *               fsync(2) of the file, renameat(2), fsync of the folder: which half-done state
     *               would each other order leave? On every way out the file in tmp/ is gone.
     */
    (void)store;
    (void)source;
    (void)expected;
    (void)digest;
    return STRATA_TODO;
}

int image_open(int store, const char *digest)
{
    /* TODO(step 4): step 1 knows what a digest is. The rest is a file name. */
    (void)store;
    (void)digest;
    return STRATA_TODO;
}

/* --- history and waste ------------------------------------------------------------------------ */

int image_size(int blob, uint64_t *bytes)
{
    /* TODO(step 5): image_unpack shows how a layer is read. What is asked for here is the `size` of
     *               what is a regular file and no hard link.
     */
    (void)blob;
    (void)bytes;
    return STRATA_TODO;
}

int image_waste(const int *blobs, size_t count, uint64_t *bytes)
{
    /* TODO(step 5): from the topmost layer down: then all that may hide a file is known when the
     *               file comes. A set of paths (given_paths.h) keeps what the layers above do; a
     *               file is looked for there, and so is each folder that it lies in. tar_each reads
     *               a layer and calls a function of yours for each entry; read each layer twice,
     *               for what it does itself concerns the layers below it only.
     */
    (void)blobs;
    (void)count;
    (void)bytes;
    return STRATA_TODO;
}

/* --- the build cache -------------------------------------------------------------------------- */

int image_cache_key(const char *parent, const char *instruction, const struct image_input *inputs,
                    size_t count, char key[IMAGE_DIGEST])
{
    /* TODO(step 6): one SHA-256 of everything that counts. "ab" and "c", one after the other, are
     *               "a" and "bc" as well: what can stand between two texts and within none?
     */
    (void)parent;
    (void)instruction;
    (void)inputs;
    (void)count;
    (void)key;
    return STRATA_TODO;
}
