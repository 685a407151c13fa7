/* Options that call one function of the contract and print what it says. */
#include "07-image/given_ask.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "07-image/given_settings.h"
#include "07-image/given_store.h"
#include "07-image/image.h"

enum { INPUTS_MAX = 64, BLOBS_MAX = 64 };

static struct image_input inputs[INPUTS_MAX];
static size_t input_count;
static const char *parent = "", *instruction = "";

static int answered(int result)
{
    return result < 0 ? result : OPTION_DONE;
}

/* Its offset is somewhere: the contract reads files from their beginning wherever that is. */
static int open_file(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd >= 0)
        (void)lseek(fd, 7, SEEK_SET);
    return fd < 0 ? -errno : fd;
}

static int close_after(int fd, int result)
{
    close(fd);
    return result;
}

int ask_digest(struct container *container, const char *value)
{
    char digest[IMAGE_DIGEST] = "";
    int fd = open_file(value);

    (void)container;
    if (fd < 0)
        return fd;
    int result = close_after(fd, image_digest(fd, digest));
    if (result == 0)
        puts(digest);
    return answered(result);
}

/* FILE=DIGEST=DIFF_ID */
int ask_check(struct container *container, const char *value)
{
    char *rest, *file = NULL, *digest = NULL, *diff_id;
    int result = settings_split(value, &rest, &diff_id);

    (void)container;
    if (result == 0)
        result = settings_split(rest, &file, &digest);
    if (result < 0)
        return result;
    int fd = open_file(file);
    return fd < 0 ? fd : answered(close_after(fd, image_verify_layer(fd, digest, diff_id)));
}

/* FOLDER=PATH: a path of an archive may hold anything, so FOLDER ends at the first '='. */
int ask_place(struct container *container, const char *value)
{
    char name[NAME_MAX + 1] = "";
    char *folder = strdup(value), *path = folder != NULL ? strchr(folder, '=') : NULL;
    struct stat st;

    (void)container;
    if (path == NULL) {
        free(folder);
        return -EINVAL;
    }
    *path++ = '\0'; /* folder is kept until the end, as all values here */
    int root = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return -errno;
    umask(0); /* modes are what the contract says, and nothing else makes them so */
    int fd = close_after(root, image_place(root, path, name));
    if (fd < 0)
        return fd;
    if (close_after(fd, fstat(fd, &st)) < 0)
        return -errno;
    printf("%ju %ju %s\n", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino, name);
    return OPTION_DONE;
}

/* FILE=FOLDER */
int ask_unpack(struct container *container, const char *value)
{
    char *file, *folder;
    int result = settings_split(value, &file, &folder);

    (void)container;
    if (result < 0)
        return result;
    int blob = open_file(file);
    if (blob < 0)
        return blob;
    umask(0); /* modes are what the contract and the archive say */
    if (mkdir(folder, 0755) < 0 && errno != EEXIST)
        return -errno;
    int root = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return -errno;
    result = image_unpack(blob, root, &settings_limits);
    close(root);
    close(blob);
    return answered(result);
}

/* FILE or FILE=DIGEST */
int ask_put(struct container *container, const char *value)
{
    char digest[IMAGE_DIGEST] = "";
    char *file, *expected = NULL;
    struct fault fault = {""};

    (void)container;
    if (settings_split(value, &file, &expected) < 0)
        file = strdup(value);
    int fd = open_file(file);
    if (fd < 0)
        return fd;
    int store = store_open(settings_store, STORE_ADD, &fault);
    if (store < 0)
        settings_refuse(&fault, store);
    int result = image_put(store, fd, expected, digest);
    close(store);
    close(fd);
    if (result == 0)
        puts(digest);
    return answered(result);
}

int ask_open(struct container *container, const char *value)
{
    struct fault fault = {""};
    char block[32 * 1024];
    ssize_t n;
    int store = store_open(settings_store, STORE_READ, &fault);

    (void)container;
    if (store < 0)
        settings_refuse(&fault, store);
    int fd = close_after(store, image_open(store, value));
    if (fd < 0)
        return fd;
    while ((n = read(fd, block, sizeof block)) > 0) /* image_open's fd is at the beginning */
        if (fwrite(block, 1, (size_t)n, stdout) != (size_t)n)
            return -EIO;
    close(fd);
    return n < 0 ? -errno : OPTION_DONE;
}

int ask_size(struct container *container, const char *value)
{
    uint64_t bytes = 7; /* whatever was there */
    int fd = open_file(value);

    (void)container;
    if (fd < 0)
        return fd;
    int result = close_after(fd, image_size(fd, &bytes));
    if (result == 0)
        printf("%" PRIu64 "\n", bytes);
    return answered(result);
}

/* FILE,FILE...: the lowest first */
int ask_wasted(struct container *container, const char *value)
{
    int blobs[BLOBS_MAX] = {0};
    size_t count = 0;
    uint64_t bytes = 7; /* whatever was there */
    char *list = strdup(value), *rest = list;

    (void)container;
    for (char *file; list != NULL && (file = strsep(&rest, ",")) != NULL; count++) {
        if (count == BLOBS_MAX)
            return -E2BIG;
        if ((blobs[count] = open_file(file)) < 0)
            return blobs[count];
    }
    int result = image_waste(blobs, count, &bytes);
    while (count > 0)
        close(blobs[--count]);
    free(list);
    if (result == 0)
        printf("%" PRIu64 "\n", bytes);
    return answered(result);
}

/* --- the build cache's key: its parts first --------------------------------------------------- */

int ask_parent(struct container *container, const char *value)
{
    (void)container;
    parent = value;
    return 0;
}

int ask_instruction(struct container *container, const char *value)
{
    (void)container;
    instruction = value;
    return 0;
}

/* NAME=FILE */
int ask_input(struct container *container, const char *value)
{
    char *name, *file;
    struct stat st;
    int result = settings_split(value, &name, &file);

    (void)container;
    if (result < 0)
        return result;
    if (input_count == INPUTS_MAX)
        return -E2BIG;
    int fd = open_file(file);
    if (fd < 0)
        return fd;
    if (fstat(fd, &st) < 0)
        return -errno;
    inputs[input_count++] = (struct image_input){name, st.st_mode, fd};
    return 0;
}

int ask_cache_key(struct container *container, const char *value)
{
    char key[IMAGE_DIGEST] = "";
    int result = image_cache_key(parent, instruction, inputs, input_count, key);

    (void)container;
    (void)value;
    if (result == 0)
        puts(key);
    return answered(result);
}
