/*
 * Lab 07: images.
 *
 * An image is a pile of layers and a page of JSON that says how to start it; every one of those
 * files is named by the SHA-256 of its bytes. The store is a folder in the OCI image layout:
 *
 *   oci-layout, index.json   which images there are: names, and the digests of their manifests
 *   blobs/sha256/HEX         manifests, configurations, layers: each once, whoever uses it
 *   layers/HEX/              a layer unpacked (HEX of its diff_id), to be a lower of lab 06
 *   tmp/                     what is not finished yet
 *
 * JSON and tar are given (given_*.h). You write what makes a store trustworthy.
 *
 * 0 (or an fd, a count) on success, -errno on failure.
 * github.com/opencontainers/image-spec: descriptor.md, layer.md, image-layout.md
 */
#pragma once

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#include "07-image/given_tar.h"
#include "given/todo.h"

/* "sha256:" and 64 lower-case hexadecimal digits, with the zero at the end. */
enum { IMAGE_DIGEST = 72 };

/* The digest of all bytes of the file `fd`, from its beginning, wherever its offset is. */
int image_digest(int fd, char digest[IMAGE_DIGEST]);

/* Checks a layer before a byte of it is unpacked: `digest` is that of the blob as it is stored and
 * sent, `diff_id` that of the same layer uncompressed. -EBADMSG when one does not hold, -EINVAL
 * when one is no digest at all (see IMAGE_DIGEST; another algorithm is none). The blob's own comes
 * first: bytes that nobody has vouched for are not decompressed. */
int image_verify_layer(int blob, const char *digest, const char *diff_id);

/* Finds the place of `path`, taken from an archive, below the open folder `root`: returns an fd of
 * the folder that it lies in (the caller's to close) and its last component in `name`. Missing
 * folders on the way are made, mode 0755; what `name` is to be is not.
 * A leading "/" and "." components mean nothing; `path` may end with "/". The root itself ("./") is
 * "." in root. Whatever `path` holds, and whatever lies below root by now, the result is below
 * root: ".." is -EXDEV, wherever it stands, and a symbolic link on the way is never followed
 * (-ELOOP). A file in the way is -ENOTDIR, but a whiteout gives way to a folder, an opaque one:
 * what lies below it in the archive belongs to this layer. An empty path is -ENOENT, and
 * -ENAMETOOLONG is one of PATH_MAX bytes or with a component above NAME_MAX. openat2(2) */
int image_place(int root, const char *path, char name[NAME_MAX + 1]);

/* Unpacks one entry below `root`, a folder that becomes a lower layer of lab 06.
 *   - a whiteout, ".wh.NAME", hides NAME of the layers below; it is not itself unpacked
 *   - ".wh..wh..opq" makes the folder it lies in opaque; other names that begin with ".wh..wh."
 *     are another tool's own business: left out. ".wh.", ".wh.." and ".wh..." are -EBADMSG
 *   - a whiteout concerns the layers below only: a NAME of this very layer stays whichever comes
 *     first in the archive, and if it is a folder it is opaque
 *   - a hard link is made to the entry that it names, which is below root too (image_place), is not
 *     followed when it is a symbolic link, and must be there (-ENOENT). What has its own name by
 *     now gives way (tar_clear)
 *   - all else: tar_make */
int image_apply(struct tar *tar, const struct tar_entry *entry, int root);

/* What an archive may cost. A few kilobytes can expand to anything. */
struct image_limits {
    uint64_t bytes; /* of all contents together */
    uint64_t entries;
};

/* Unpacks the layer `blob` below `root`, entry by entry. -EFBIG before `bytes` or `entries` would
 * be exceeded (limits that are just reached are not). What a header says of a size is what counts:
 * that no more follows, tar_make sees to. On failure what was unpacked so far may lie there: the
 * caller unpacks into tmp/, and throws that away. */
int image_unpack(int blob, int root, const struct image_limits *limits);

/* Copies the file `source` (from its beginning) into the store, as a blob: returns its digest.
 * With `expected` not NULL, only if that is its digest: else -EBADMSG, and nothing is stored.
 * A blob is there whole or not at all, whenever the power fails: it is written below tmp/, fsynced,
 * then renamed, and the folder fsynced. A blob that is there already is not written again. Only a
 * kill leaves something in tmp/. fsync(2), rename(2) */
int image_put(int store, int source, const char *expected, char digest[IMAGE_DIGEST]);

/* Opens the blob for reading: an fd. -EINVAL when `digest` is none (it comes from somebody's JSON:
 * "sha256:../../../etc/passwd" is none), -ENOENT when it is not in the store. */
int image_open(int store, const char *digest);

/* The bytes that a layer's files hold: the sizes of its regular files; another name of one (a hard
 * link) holds nothing. What image history prints beside each instruction. */
int image_size(int blob, uint64_t *bytes);

/* How many of the bytes in these layers (the lowest first) nobody can see: those of files that a
 * later layer replaces, hides, or whose folder it hides, replaces by something else or makes
 * opaque. A file with several names is seen while one of them is. */
int image_waste(const int *blobs, size_t count, uint64_t *bytes);

/* The build cache's key for one instruction: the same for the same `parent` (what it is built on: a
 * digest, or "" for nothing), `instruction` (its text) and inputs, else another.
 * An input is a file that COPY takes: name and content count, and its mode's x bits; times and
 * owner do not. Inputs come sorted. No two different lists may give one key by being written one
 * after the other. */
struct image_input {
    const char *name;
    mode_t mode;
    int fd;
};
int image_cache_key(const char *parent, const char *instruction, const struct image_input *inputs,
                    size_t count, char key[IMAGE_DIGEST]);
