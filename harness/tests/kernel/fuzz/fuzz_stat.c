/* kernel_stat_parse() on any bytes at all; what it accepts must make sense. */
#include "kernel/stat.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct kernel_stat stat;

    if (kernel_stat_parse((const char *)data, size, &stat) < 0)
        return 0;
    if (stat.pid < 0 || stat.state == '\0' || strlen(stat.comm) >= KERNEL_COMM_MAX)
        abort();
    return 0;
}
