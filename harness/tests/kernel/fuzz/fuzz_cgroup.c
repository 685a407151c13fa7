/* kernel_cgroups_parse() and the questions to its list, on any bytes at all. */
#include "kernel/cgroup.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct kernel_cgroups cgroups;

    if (kernel_cgroups_parse((const char *)data, size, &cgroups) == 0) {
        const struct kernel_cgroup *v2 = kernel_cgroups_v2(&cgroups);

        if (v2 && (v2->hierarchy != 0 || *v2->controllers))
            abort();
        kernel_cgroups_find(&cgroups, "memory");
        for (size_t i = 0; i < cgroups.count; i++)
            if (cgroups.list[i].path[0] != '/')
                abort();
    }
    kernel_cgroups_free(&cgroups);
    return 0;
}
