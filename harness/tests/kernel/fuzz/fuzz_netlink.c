/* The three rtnetlink parsers on any bytes at all: first byte says which. */
#include "kernel/netlink.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct kernel_links links = {0};
    struct kernel_addresses addresses = {0};
    struct kernel_routes routes = {0};

    if (size == 0)
        return 0;
    if (data[0] % 3 == 0)
        kernel_links_parse(data + 1, size - 1, 0, &links);
    else if (data[0] % 3 == 1)
        kernel_addresses_parse(data + 1, size - 1, 0, &addresses);
    else
        kernel_routes_parse(data + 1, size - 1, 0, &routes);
    kernel_links_free(&links);
    kernel_addresses_free(&addresses);
    kernel_routes_free(&routes);
    return 0;
}
