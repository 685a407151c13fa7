/*
 * Archives made by hand, header by header: so that a name, a link, a size can be anything that
 * somebody hostile would write. tar(5), "POSIX ustar archives" and "Pax interchange format".
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "grade/run.h"
#include "grade/step.h"

/* The types of a header, as tar(5) writes them. */
enum craft_type {
    CRAFT_FILE = '0',
    CRAFT_HARD_LINK = '1',
    CRAFT_SYMLINK = '2',
    CRAFT_CHARACTER = '3',
    CRAFT_BLOCK = '4',
    CRAFT_FOLDER = '5',
    CRAFT_FIFO = '6',
};

struct craft_entry {
    enum craft_type type;
    const char *path; /* a name that ustar has no room for gets a pax header                  */
    const char *link; /* of links: where to                                                   */
    mode_t mode;      /* permissions; 0: 0644, of folders 0755                                */
    const void *data; /* of files; NULL: `size` zeros                                         */
    size_t size;
    uint64_t claimed; /* the size that the header tells; 0: the true one                      */
    unsigned major, minor;
    int64_t mtime;
};

struct craft; /* an archive in the making; it lives as long as the step */

struct craft *craft_new(struct grade *g);
void craft_add(struct craft *craft, const struct craft_entry *entry);

/* The most usual ones. */
void craft_file(struct craft *craft, const char *path, const char *text);
void craft_zeros(struct craft *craft, const char *path, size_t size);
void craft_folder(struct craft *craft, const char *path);
void craft_symlink(struct craft *craft, const char *path, const char *to);
void craft_hard_link(struct craft *craft, const char *path, const char *to);

/* Any bytes, as they are. */
void craft_bytes(struct craft *craft, const void *bytes, size_t size);

enum craft_coding { CRAFT_PLAIN, CRAFT_GZIP, CRAFT_ZSTD };

/* A file in memory, and what it is called: "sha256:" and 64 digits. */
struct blob {
    int fd; /* ours */
    size_t size;
    const char *digest;
    const char *diff_id; /* of the same bytes before they were compressed */
};

/* The archive with its end, compressed. */
struct blob craft_blob(struct craft *craft, enum craft_coding coding);

/* An archive of one file `path` of `size` zeros, compressed by zstd: the frame of a piece, over and
 * over. `size` is a multiple of 32 MiB. It has no end of archive, and no diff_id. */
struct blob craft_bomb(struct grade *g, const char *path, uint64_t size);

/* These very bytes, in no archive and not compressed. */
struct blob craft_raw(struct grade *g, const void *bytes, size_t size);

/* Bytes that nobody knows before: of this run's random numbers. They live as long as the step. */
char *craft_noise(struct grade *g, size_t size);
