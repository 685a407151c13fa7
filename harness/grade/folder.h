/* What lies below a folder of a room, all the way down, as the harness finds it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "grade/run.h"
#include "grade/step.h"

struct item {
    const char *path; /* from the folder on: "etc/passwd"; the folder itself is ""             */
    mode_t mode;
    uint64_t dev, ino, links, size, rdev, uid, gid;
    int64_t modified, changed; /* nanoseconds: st_mtim, st_ctim                                */
    bool opaque;               /* a folder with the mark user.overlay.opaque                   */
    const char *text; /* of a link: where to; of a file: the digest of its content, "sha256:…" */
};

struct folder {
    int error; /* 0, or the errno with which it could not be opened: then it is empty          */
    struct item *list;
    size_t count;
};

/* The folder `path` of the room that `run` is in, as its root sees it. Nothing is followed and
 * nothing opened but folders and files. Lives as long as the step. */
struct folder folder_of(struct run *run, const char *path);

/* What of it lies below `path`, a folder in it, as folder_of() would have found it. */
struct folder folder_part(struct grade *g, const struct folder *folder, const char *path);

/* One of them, or NULL. */
const struct item *folder_find(const struct folder *folder, const char *path);

/* The bytes of all files in it, each counted once however many names it has. */
uint64_t folder_bytes(const struct folder *folder);

/* "file of 12 bytes, mode 644", for verdicts. NULL: "nothing". */
const char *item_text(struct grade *g, const struct item *item);

/* The first difference between two looks at the same folder in words ("gone: PATH", "new: PATH",
 * "changed: PATH"), or NULL. What lies below `except` (a path as above, or NULL) and the times of
 * the folder that it lies in may differ. */
const char *folder_difference(struct grade *g, const struct folder *before,
                              const struct folder *after, const char *except);
