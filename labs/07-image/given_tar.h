/*
 * Layers are tar archives, plain or compressed (gzip, zstd). libarchive reads them; here is what
 * the lab needs of it. Nothing in an archive is to be believed: names, sizes and links are what
 * somebody wrote there.
 */
#pragma once

#include <limits.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

struct tar;

struct tar_entry {
    const char *path;      /* as the archive has it: "etc/passwd", "./etc/", "../../etc/passwd" */
    mode_t mode;           /* type and permissions: inode(7)                                    */
    const char *symlink;   /* where a symbolic link leads, else NULL                            */
    const char *hard_link; /* the path of an earlier entry: this is another name of it; or NULL */
    uint64_t size;         /* of a regular file's content, as the header says; else 0           */
    uid_t uid;
    gid_t gid;
    struct timespec mtime;
    dev_t rdev;
};

/* Reads the archive in the file `fd`, from its beginning; `fd` stays the caller's, and so does its
 * offset. 0, or -errno: -EBADMSG when it is no archive. */
int tar_open(int fd, struct tar **tar);

/* The next entry; what it points to lives until the next call.
 * 1, 0 at the end, or -errno (-EBADMSG). */
int tar_next(struct tar *tar, struct tar_entry *entry);

/* Reads on in the content of the current entry: bytes, 0 at its end, or -errno. */
ssize_t tar_read(struct tar *tar, void *buffer, size_t size);

void tar_close(struct tar *tar); /* NULL is fine */

/* The bytes of a blob as they were before compression. */
struct plain;
int plain_open(int fd, struct plain **plain);
ssize_t plain_read(struct plain *plain, void *buffer, size_t size);
void plain_close(struct plain *plain); /* NULL is fine */

/* How the blob is compressed: "gzip", "zstd", or "" when it is not. */
const char *plain_compression(const struct plain *plain);

/* From now on plain_read, and tar_read and tar_next which use it, give -EFBIG when one blob holds
 * more than so many plain bytes. A megabyte can expand to a gigabyte, and to a digest all bytes
 * count, those that nobody unpacks too. */
void plain_limit(uint64_t bytes);

/* Makes what `entry` describes as `name` in the open folder `parent`: a folder, file (its content
 * taken from `tar`), symbolic link or FIFO, with mode, time and, where we may, owner. A file of
 * that name that is there already is replaced; a folder stays and gets the mode. Devices and
 * sockets are left out (0). Nothing is followed: `name` has no "/".
 * Content that is longer or shorter than the header says is -EBADMSG. Who is not root gets folders
 * with u+rwx, or the rest could not be unpacked; and a file whose owner could not be set loses its
 * setuid and setgid bits. */
int tar_make(struct tar *tar, const struct tar_entry *entry, int parent, const char *name);

/* Makes room for something that is to be called `name`: what is there goes, unless it is a folder
 * with something in it (-ENOTEMPTY). Nothing there: 0. */
int tar_clear(int parent, const char *name);

/* The path of an entry in one spelling: "./etc//passwd", "/etc/./passwd" are "etc/passwd", and
 * "etc/" is "etc"; the root is "". ".." stays as it is, wherever it leads.
 * 0, -ENOENT for an empty path, or -ENAMETOOLONG from PATH_MAX on. */
int tar_spell(const char *path, char spelt[PATH_MAX]);

/* Calls `visit` for each entry of the layer `blob`, with its path spelt by tar_spell, which `visit`
 * may change, until it returns other than 0. Returns that, 0, or -errno. */
int tar_each(int blob, int (*visit)(void *arg, const struct tar_entry *entry, char path[PATH_MAX]),
             void *arg);

/* image_place for archives whose author means well: makes missing folders, and believes everything.
 * ".." goes up and symbolic links are followed, out of `root` too. What step 3 is there to end. */
int tar_place(int root, const char *path, char name[NAME_MAX + 1]);
