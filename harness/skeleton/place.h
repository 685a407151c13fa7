/*
 * Writing files without losing any. A file is complete or absent, never in between, and what a
 * student has written is never gone.
 *
 * All names are relative to a folder's descriptor. Everything returns 0 or a descriptor, or
 * -errno; nothing prints.
 */
#ifndef STRATA_SKELETON_PLACE_H
#define STRATA_SKELETON_PLACE_H

#include "digest/digest.h"
#include "skeleton/text.h"

#include <limits.h>

/* What a file was found to be. */
struct place_state {
    bool exists;
    char digest[DIGEST_HEX]; /* of its content; "" if it does not exist */
};

/*
 * Opens a folder and waits for its flock(2), so that two runs take turns; both end with
 * close(2). A file system without locks is used without.
 * Returns the descriptor or -errno of open(2).
 */
int place_open(const char *folder);

/*
 * Reads a regular file whole, from a folder's descriptor or AT_FDCWD. The text gets a NUL at its
 * end, an empty one too. Returns 0, -errno, -EISDIR or -EINVAL for what is no regular file,
 * -EFBIG beyond 16 MiB, -ENOMEM.
 */
int place_read(int folder, const char *name, struct text *text);

/* Looks at the file called name. Returns 0, also when there is none, or as place_read. */
int place_look(int folder, const char *name, struct place_state *state);

/*
 * Writes length bytes to the file called name, provided that it is still as state says: absent,
 * or of that digest. A new file, readied under the name ".NAME.strata-new", takes the place of
 * the old one in one step (renameat2(2)), with its mode, and its owner if we may set it.
 * Returns 0; -EBUSY if somebody has changed the file meanwhile, which then stays as it is;
 * -errno otherwise, with the old file untouched. The temporary name is gone in every case; one
 * left by a kill -9 is swept by the next call.
 */
int place_write(int folder, const char *name, const struct place_state *state, const char *bytes,
                size_t length);

/*
 * Copies the file called name to NAME.backup-YYYYMMDD-HHMMSS (local time), with "-1", "-2", ...
 * behind if that exists. The copy is on the disk (fsync(2)) when this returns.
 * backup: the name that it got. state: what was copied, for place_write.
 * Returns 0 or -errno, in which case no backup is left.
 */
int place_backup(int folder, const char *name, char backup[NAME_MAX + 1],
                 struct place_state *state);

#endif
