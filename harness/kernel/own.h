/* Ownership that shows in the declaration: `autoclose int fd = -1;` closes itself when its scope
 * ends, on every path out of it. Used all over the harness, so that an early return leaks nothing.
 *
 * The clean-up keeps errno, because it runs between the failing call and the caller's look at it.
 * gcc and clang: "Common Variable Attributes", cleanup.
 */
#ifndef KERNEL_OWN_H
#define KERNEL_OWN_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static inline void kernel_own_close(int *fd)
{
    int saved = errno;

    if (*fd >= 0)
        close(*fd);
    *fd = -1;
    errno = saved;
}

/* Takes the address of any pointer variable (char **, struct foo **). It is read by memcpy because
 * C lets no object of type char * be read as a void *. */
static inline void kernel_own_free(void *pointer)
{
    void *owned;

    memcpy(&owned, pointer, sizeof(owned));
    free(owned);
}

static inline void kernel_own_fclose(FILE **file)
{
    int saved = errno;

    if (*file != NULL)
        fclose(*file);
    *file = NULL;
    errno = saved;
}

/* Hands an fd over to somebody else: the variable forgets it and so will not close it. */
static inline int kernel_own_take(int *fd)
{
    int taken = *fd;

    *fd = -1;
    return taken;
}

/* Only an attribute can do this, so these three are macros. */
#define autoclose  __attribute__((cleanup(kernel_own_close)))
#define autofree   __attribute__((cleanup(kernel_own_free)))
#define autofclose __attribute__((cleanup(kernel_own_fclose)))

#endif
