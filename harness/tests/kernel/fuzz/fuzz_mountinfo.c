/* kernel_mounts_parse() and the questions to its list, on any bytes at all. */
#include "kernel/mountinfo.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The last mount at its own target cannot be an earlier one, and is below its own target. */
static void check(const struct kernel_mounts *mounts, const struct kernel_mount *mount)
{
    const struct kernel_mount *top = kernel_mounts_at(mounts, mount->target);
    char *value;

    if (!top || top < mount || !kernel_mounts_id(mounts, mount->id))
        abort();
    if (!kernel_mounts_below(mounts, mount->target, NULL))
        abort();
    kernel_mount_has(mount->super, "size=");
    if (kernel_mount_value(mount->super, "lowerdir", &value) == 0)
        free(value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct kernel_mounts mounts;

    if (kernel_mounts_parse((const char *)data, size, &mounts) == 0)
        for (size_t i = 0; i < mounts.count && i < 64; i++)
            check(&mounts, &mounts.list[i]);
    kernel_mounts_free(&mounts);
    return 0;
}
