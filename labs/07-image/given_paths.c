#include "07-image/given_paths.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

struct node {
    uint64_t number;
    uint64_t *counted; /* the number that counts: this one, or another node's */
    const char *path;
    char text[]; /* where a node's own path lies */
};

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct node *)a)->path, ((const struct node *)b)->path);
}

uint64_t *paths_find(const struct paths *paths, const char *path)
{
    struct node key = {.path = path};
    struct node **found = tfind(&key, &paths->root, compare);

    return found != NULL ? (*found)->counted : NULL;
}

static uint64_t *add(struct paths *paths, const char *path, uint64_t *counted)
{
    struct node *node = malloc(sizeof *node + strlen(path) + 1);

    if (node == NULL)
        return NULL;
    node->number = 0;
    node->counted = counted != NULL ? counted : &node->number;
    node->path = strcpy(node->text, path);
    if (tsearch(node, &paths->root, compare) == NULL) {
        free(node);
        return NULL;
    }
    return node->counted;
}

uint64_t *paths_add(struct paths *paths, const char *path)
{
    uint64_t *number = paths_find(paths, path);

    return number != NULL ? number : add(paths, path, NULL);
}

uint64_t *paths_add_alias(struct paths *paths, const char *path, const char *other)
{
    uint64_t *counted = paths_find(paths, other);
    struct node key = {.path = path};
    struct node **found = tfind(&key, &paths->root, compare);

    if (counted == NULL || found == NULL)
        return counted == NULL ? NULL : add(paths, path, counted);
    (*found)->counted = counted;
    return counted;
}

void paths_free(struct paths *paths)
{
    tdestroy(paths->root, free);
    paths->root = NULL;
}

void paths_parent(char *path)
{
    char *slash = strrchr(path, '/');

    *(slash != NULL ? slash : path) = '\0';
}
