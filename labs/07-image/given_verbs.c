#include "07-image/given_verbs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "07-image/given_image.h"
#include "07-image/given_settings.h"
#include "07-image/given_store.h"

/* Opens the store or ends the program. */
static int open_store(enum store_use use)
{
    struct fault fault = {""};
    int store = store_open(settings_store, use, &fault);

    if (store < 0)
        settings_refuse(&fault, store);
    return store;
}

static int done(int store, int result, const struct fault *fault)
{
    close(store);
    if (result < 0)
        settings_refuse(fault, result);
    return OPTION_DONE;
}

/* "A=B", split at its last '='; a value that has none is a mistake to be explained. */
static void split(const char *value, const char *form, char **a, char **b)
{
    struct fault fault = {""};

    if (settings_split(value, a, b) < 0 || **a == '\0' || **b == '\0')
        settings_refuse(
            &fault, fault_set(&fault, -EINVAL, "\"%.200s\" is not of the form %s", value, form));
}

/* FILE=NAME. A failed import leaves nothing, what it had copied included. */
int verb_import(struct container *container, const char *value)
{
    struct descriptor manifest;
    struct fault fault = {""}, ignored = {""};
    char *file, *name;

    (void)container;
    split(value, "FILE=NAME", &file, &name);
    int result = image_check_name(name, &fault);
    if (result == 0)
        result = image_check_source(file, &fault);
    if (result < 0)
        settings_refuse(&fault, result);
    umask(022); /* of the caller: modes are the archive's */
    int store = open_store(STORE_WRITE);
    result = image_import(store, file, name, &settings_limits, &manifest, &fault);
    image_collect(store, &ignored); /* the image that had the name before may be nobody's now */
    if (result == 0)
        puts(manifest.digest);
    return done(store, result, &fault);
}

/* NAME=FOLDER */
int verb_export(struct container *container, const char *value)
{
    struct descriptor manifest;
    struct fault fault = {""};
    char *name, *folder;

    (void)container;
    split(value, "NAME=FOLDER", &name, &folder);
    int store = open_store(STORE_READ);
    int result = image_export(store, name, folder, &manifest, &fault);
    if (result == 0)
        puts(manifest.digest);
    return done(store, result, &fault);
}

int verb_images(struct container *container, const char *value)
{
    struct fault fault = {""};
    int store = open_store(STORE_READ);

    (void)container;
    (void)value;
    return done(store, image_list(store, &fault), &fault);
}

int verb_history(struct container *container, const char *value)
{
    struct fault fault = {""};
    int store = open_store(STORE_READ);

    (void)container;
    return done(store, image_history(store, value, &fault), &fault);
}

int verb_waste(struct container *container, const char *value)
{
    struct fault fault = {""};
    int store = open_store(STORE_READ);

    (void)container;
    return done(store, image_print_waste(store, value, &fault), &fault);
}

int verb_rmi(struct container *container, const char *value)
{
    struct fault fault = {""};
    int store = open_store(STORE_WRITE);
    int result = image_remove(store, value, &fault);

    (void)container;
    if (result == 0)
        result = image_collect(store, &fault);
    return done(store, result, &fault);
}

static void print_fault(const char *sentence)
{
    fprintf(stderr, "%s: %s\n", program_invocation_short_name, sentence);
}

int verb_verify(struct container *container, const char *value)
{
    int store = open_store(STORE_READ);
    int faults = image_verify(store, print_fault);

    (void)container;
    (void)value;
    close(store);
    if (faults > 0)
        exit(1);
    return OPTION_DONE;
}
