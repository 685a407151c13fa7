/* How layer 07 plugs in: a store of images, questions about it, and a container from an image. */
#include "07-image/given_wiring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "07-image/given_ask.h"
#include "07-image/given_build.h"
#include "07-image/given_keys.h"
#include "07-image/given_run.h"
#include "07-image/given_settings.h"
#include "07-image/given_verbs.h"

static int set_store(struct container *container, const char *value)
{
    (void)container;
    settings_store = value;
    return value[0] != '\0' ? 0 : -EINVAL;
}

static int parse_number(const char *value, uint64_t *number)
{
    char *end;

    errno = 0;
    unsigned long long parsed = strtoull(value, &end, 10);
    if (errno != 0)
        return -errno;
    if (value[0] < '0' || value[0] > '9' || *end != '\0')
        return -EINVAL;
    *number = parsed;
    return 0;
}

static int set_max_bytes(struct container *container, const char *value)
{
    (void)container;
    return parse_number(value, &settings_limits.bytes);
}

static int set_max_entries(struct container *container, const char *value)
{
    (void)container;
    return parse_number(value, &settings_limits.entries);
}

static const struct layer_option options[] = {
    {"store", 0, "DIR", "the store of images, for the options after this (./store)", set_store},
    {"max-bytes", 0, "N", "what an image or layer may unpack to (4 GiB)", set_max_bytes},
    {"max-entries", 0, "N", "how many files, folders and links (200000)", set_max_entries},
    {"image", 0, "NAME", "make the root of NAME, and run its command if COMMAND is missing",
     run_set_image},
    {"import", 0, "FILE=NAME", "store a root filesystem tar or an OCI layout[:TAG]", verb_import},
    {"export", 0, "NAME=FOLDER", "write an OCI layout", verb_export},
    {"images", 0, NULL, "list: name, digest, layers, bytes", verb_images},
    {"verify", 0, NULL, "check every file of the store", verb_verify},
    {"history", 0, "NAME", "list bytes and instruction of each layer", verb_history},
    {"waste", 0, "NAME", "print the bytes that nobody can see, and all bytes", verb_waste},
    {"rmi", 0, "NAME", "forget NAME, and remove what no image uses", verb_rmi},
    {"build", 0, "FOLDER=NAME", "build the image NAME as FOLDER/Stratafile says", build_ask},
    {"no-cache", 0, NULL, "for --build: do everything again", build_without_cache},
    {"prune", 0, NULL, "forget what the build cache holds", build_prune},
    {"digest", 0, "FILE", "print FILE's digest", ask_digest},
    {"check-layer", 0, "FILE=DIGEST=ID", "do digest and diff_id hold of the layer FILE?",
     ask_check},
    {"place", 0, "FOLDER=PATH", "where PATH of an archive goes: DEVICE INODE NAME", ask_place},
    {"unpack", 0, "FILE=FOLDER", "unpack the layer FILE, within the limits", ask_unpack},
    {"put", 0, "FILE[=DIGEST]", "store FILE as a blob", ask_put},
    {"open", 0, "DIGEST", "print a blob of the store", ask_open},
    {"size", 0, "FILE", "the bytes that the files of the layer FILE hold", ask_size},
    {"wasted", 0, "FILE,FILE...", "bytes in layers, the lowest first, that nobody sees",
     ask_wasted},
    {"parent", 0, "TEXT", "for --cache-key: what is built upon", ask_parent},
    {"instruction", 0, "TEXT", "for --cache-key: the instruction", ask_instruction},
    {"input", 0, "NAME=FILE", "for --cache-key: one more file", ask_input},
    {"cache-key", 0, NULL, "print the build cache's key of these", ask_cache_key},
    {"cache-keys", 0, "FILE", "the same for many requests, in JSON (for the grader)", keys_ask},
    {0},
};

static const struct layer_hook hooks[] = {
    {START_CGROUP, "--image", run_configure},
    {START_ROOT_TREE, "overlay_mount", run_mount},
    {0},
};

const struct layer image_layer = {
    .name = "image",
    .options = options,
    .namespaces = run_hand_over,
    .hooks = hooks,
    .finish = run_finish,
};
