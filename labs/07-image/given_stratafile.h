/*
 * A Stratafile says how an image is built, one instruction a line: what a Dockerfile says, less of
 * it.
 *
 *   FROM IMAGE [AS STAGE]            begins a stage: on an image of the store, an earlier stage, or
 *                                    "scratch", which is nothing
 *   COPY [--from=STAGE] SOURCE PLACE a file or folder of the Stratafile's folder, or of a stage
 *   RUN COMMAND                      by /bin/sh -c, or as it stands: ["/bin/busybox", "true"]
 *   ENV NAME=VALUE                   VALUE to the end of the line
 *   WORKDIR FOLDER                   made if it is missing; where RUN and the container start
 *   CMD COMMAND                      what the container runs; written like RUN's
 *
 * "#" begins a comment line, "\" at the end of a line goes on in the next one.
 */
#pragma once

#include <stddef.h>

enum build_verb { BUILD_FROM, BUILD_COPY, BUILD_RUN, BUILD_ENV, BUILD_WORKDIR, BUILD_CMD };

struct instruction {
    enum build_verb verb;
    int line;           /* where it begins, from 1                                          */
    const char *text;   /* as it is shown and goes into the cache's key: "COPY app /app"     */
    const char *rest;   /* of `text`, what follows the verb                                 */
    const char *source; /* FROM: the image; COPY: what is copied; else NULL                 */
    const char *target; /* COPY: where to; else NULL                                        */
    const char *stage;  /* FROM: its name; COPY: where from; NULL: not said                 */
};

struct stratafile;

/* Reads `name` in the open folder `folder`, and checks all that can be checked before the first
 * instruction is carried out. 0, or -errno; when somebody's line is wrong, -EINVAL, *line is its
 * number and *fault says what is wrong with it. */
int stratafile_read(int folder, const char *name, struct stratafile **file, int *line,
                    const char **fault);
size_t stratafile_count(const struct stratafile *file);
const struct instruction *stratafile_at(const struct stratafile *file, size_t index);
void stratafile_free(struct stratafile *file); /* NULL is fine */
