/* Questions to a parsed mount table. */
#include "kernel/mountinfo.h"
#include "kernel/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const struct kernel_mount *kernel_mounts_at(const struct kernel_mounts *mounts, const char *target)
{
    for (size_t i = mounts->count; i-- > 0;)
        if (strcmp(mounts->list[i].target, target) == 0)
            return &mounts->list[i];
    return NULL;
}

/* "/a" holds "/a" and "/a/b" but not "/ab". */
static bool is_below(const char *target, const char *path)
{
    size_t len = strlen(path);

    while (len && path[len - 1] == '/')
        len--;
    return strncmp(target, path, len) == 0 && (target[len] == '\0' || target[len] == '/');
}

const struct kernel_mount *kernel_mounts_below(const struct kernel_mounts *mounts, const char *path,
                                               const struct kernel_mount *after)
{
    size_t i = after ? (size_t)(after - mounts->list) + 1 : 0;

    for (; i < mounts->count; i++)
        if (is_below(mounts->list[i].target, path))
            return &mounts->list[i];
    return NULL;
}

const struct kernel_mount *kernel_mounts_id(const struct kernel_mounts *mounts, int id)
{
    for (size_t i = 0; i < mounts->count; i++)
        if (mounts->list[i].id == id)
            return &mounts->list[i];
    return NULL;
}

bool kernel_mount_has(const char *options, const char *word)
{
    struct kernel_text rest = kernel_text(options, strlen(options)), option;
    size_t len = strlen(word);
    bool any_value = len > 0 && word[len - 1] == '=';

    while (kernel_text_cut(&rest, ',', &option))
        if (any_value ? kernel_text_skip(&option, word) : kernel_text_is(option, word))
            return true;
    return false;
}

int kernel_mount_value(const char *options, const char *key, char **value)
{
    struct kernel_text rest = kernel_text(options, strlen(options)), option;

    *value = NULL;
    while (kernel_text_cut(&rest, ',', &option)) {
        if (!kernel_text_skip(&option, key) || !kernel_text_skip(&option, "="))
            continue;
        *value = strndup(option.at, (size_t)(option.end - option.at));
        if (!*value)
            return -ENOMEM;
        if (kernel_text_unescape(*value) == 0)
            return 0;
        free(*value);
        *value = NULL;
        return -EBADMSG;
    }
    return -ENOENT;
}
