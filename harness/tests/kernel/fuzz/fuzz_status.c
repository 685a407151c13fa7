/* kernel_status_parse() on any bytes at all; what it accepts must make sense. */
#include "kernel/status.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct kernel_status status;

    if (kernel_status_parse((const char *)data, size, &status) == 0) {
        if (status.pid < 0 || status.state == '\0' || status.nspid.count > KERNEL_PID_LEVELS)
            abort();
        if (strlen(status.name) >= KERNEL_COMM_MAX || (status.groups_count && !status.groups))
            abort();
    }
    kernel_status_free(&status);
    return 0;
}
