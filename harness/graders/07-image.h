/* What the steps of lab 07's grader share. 07-image.c has the list of them. */
#pragma once

#include "grade/craft.h"
#include "grade/folder.h"
#include "grade/mounts.h"
#include "grade/run.h"
#include "grade/step.h"

enum { REFUSED = 125, IMAGE_BLOBS = 8 };

/* Blobs are handed to the program as fds; this is the path of the first one, and so on. */
enum { IMAGE_FD = 10 };
#define IMAGE_BLOB "/proc/self/fd/10"

/* What the lab program said to a question, and how it ended. */
struct answer {
    int status;
    const char *said;
};

/* One question to one function: lab07 OPTION VALUE, with settings before it (a NULL-terminated
 * list, or NULL), in the room. */
struct answer image_ask(struct run *room, const char *const *settings, const char *option,
                        const char *value, const struct blob *blobs, size_t count);

/* The function must refuse, with status 125 and this error (0: any); else the step fails. `what` is
 * what it was asked to do, `because` the word for its having done so. */
void image_refuses(struct run *room, const struct answer *answer, int error, const char *because,
                   const char *what, const char *see);

/* The function must do it: status 0. */
void image_does(struct run *room, const struct answer *answer, const char *what, const char *see);

/* A new folder in /tmp. */
const char *image_folder(struct run *room);

/* Unpacks the archive into `folder`, which may be there already. */
struct answer image_unpack_into(struct run *room, struct craft *craft, const char *folder);

/* --- step 4: the store ----------------------------------------------------------------------- */

/* A store to be, on a file system of its own of `size` ("400k"). Returns its path in the room. */
const char *image_store(struct run *room, const char *size);

/* Bytes of a random size, both ends possible, that nobody knows before. */
struct blob image_content(struct grade *g, int low, int high);

/* Where the store keeps it: "blobs/sha256/HEX". */
const char *image_blob_path(struct grade *g, const char *digest);

/* Puts it; the second one expects that it works and that the blob is there, whole. */
struct answer image_put_into(struct run *room, const char *store, const struct blob *blob,
                             const char *expected);
void image_stored(struct run *room, const char *store, const struct blob *blob,
                  const char *expected, const char *what);

/* There are `count` blobs, each is what it is called, and tmp/ is empty. */
void image_check_blobs(struct run *room, const char *store, size_t count, const char *when);

/* What the store holds at every instant, after a kill -9, and beside another program. Returns
 * whether a file was synced by a call of its own, fsync(2) for one, which can fail. */
bool image_check_crashes(struct run *room);

void image_stepdigests(struct grade *g);
void image_stepwhiteouts(struct grade *g);
void image_stephostile(struct grade *g);
void image_stepstore(struct grade *g);
void image_stepwaste(struct grade *g);
void image_stepcache(struct grade *g);
