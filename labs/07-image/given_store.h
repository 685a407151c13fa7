/*
 * The folder that all images lie in, and who may do what in it at the same time.
 *
 * Everything is made below tmp/ and renamed when it is whole. A program that is killed leaves its
 * half there and nowhere else, and whoever uses the store next, and has it for itself, throws that
 * away.
 */
#pragma once

#include <stdint.h>

#include "07-image/given_fault.h"

enum store_use {
    STORE_READ,  /* it has to be there                                                       */
    STORE_ADD,   /* adds blobs: several programs may at the same time                        */
    STORE_WRITE, /* changes which images there are: one program alone; the others wait       */
};

/* Opens the store `path`; to add or write it is made if it is missing. Returns an fd of the folder;
 * closing it gives up the lock (flock(2)) that comes with it. */
int store_open(const char *path, enum store_use use, struct fault *fault);

/* Makes a new, empty file (or folder) below tmp/ and writes its path within the store. A file's fd,
 * or a folder's. */
int store_temporary_file(int store, char path[64]);
int store_temporary_folder(int store, char path[64]);

/* Copies all bytes of `source`, from its beginning, to the end of `target`. */
int store_copy(int source, int target);

/* Writes `size` bytes as the file `name` of the store: whole or not at all. */
int store_replace(int store, const char *name, const void *data, uint64_t size);

/* Moves PATH of the store to tmp/, where the next sweep finds it. -EBUSY when somebody holds a lock
 * on that folder: a container stands on it. */
int store_discard(int store, const char *path);

/* Removes what is in tmp/ and not locked by anybody. Failures leave it to the next one. */
void store_sweep(int store);
