/*
 * Layers are tar archives, plain or compressed (gzip, zstd). libarchive reads them; here is what
 * the lab needs of it. Nothing in an archive is to be believed: names, sizes and links are what
 * somebody wrote there.
 */
#pragma once

#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

struct tar;

struct tar_entry {
    const char *path;      /* as the archive has it: "etc/passwd", "./etc/", "../../etc/passwd"  */
    mode_t mode;           /* type and permissions: inode(7)                                     */
    const char *symlink;   /* where a symbolic link leads, else NULL                             */
    const char *hard_link; /* the path of an earlier entry that this is another name of, else NULL */
    uint64_t size;         /* of a regular file's content, as the header says                    */
    uid_t uid;
    gid_t gid;
    struct timespec mtime;
    dev_t rdev;
};

/* Reads the archive in the file `fd`, from its beginning; `fd` stays the caller's.
 * 0, or -errno: -EBADMSG when it is no archive. */
int tar_open(int fd, struct tar **tar);
/* The next entry; what it points to lives until the next call.
 * 1, 0 at the end, or -errno (-EBADMSG). */
int tar_next(struct tar *tar, struct tar_entry *entry);
/* Reads on in the content of the current entry: bytes, 0 at its end, or -errno. */
ssize_t tar_read(struct tar *tar, void *buffer, size_t size);
void tar_close(struct tar *tar);

/* The bytes of a blob as they were before compression. */
struct plain;
int plain_open(int fd, struct plain **plain);
ssize_t plain_read(struct plain *plain, void *buffer, size_t size);
void plain_close(struct plain *plain);

/* Makes what `entry` describes as `name` in the open folder `parent`: a folder, file (its content
 * taken from `tar`), symbolic link or FIFO, with mode, time and, where we may, owner. A file of that
 * name that is there already is replaced; a folder stays and gets the mode. Devices and sockets are
 * left out (0). Nothing is followed: `name` has no "/". */
int tar_make(struct tar *tar, const struct tar_entry *entry, int parent, const char *name);
