/* Questions to the lists of netlink.h, and the same lists from another network namespace. */
#include "kernel/inside.h"
#include "kernel/netlink.h"
#include "kernel/own.h"

#include <sched.h>

/* Joining the user namespace as well gives an ordinary user the rights that it takes. */
#define NAMESPACES ((unsigned)CLONE_NEWUSER | (unsigned)CLONE_NEWNET)

void kernel_links_free(struct kernel_links *links)
{
    free(links->list);
    *links = (struct kernel_links){0};
}

void kernel_addresses_free(struct kernel_addresses *addresses)
{
    free(addresses->list);
    *addresses = (struct kernel_addresses){0};
}

void kernel_routes_free(struct kernel_routes *routes)
{
    free(routes->list);
    *routes = (struct kernel_routes){0};
}

const struct kernel_link *kernel_links_named(const struct kernel_links *links, const char *name)
{
    for (size_t i = 0; i < links->count; i++)
        if (strcmp(links->list[i].name, name) == 0)
            return &links->list[i];
    return NULL;
}

const struct kernel_link *kernel_links_index(const struct kernel_links *links, int index)
{
    for (size_t i = 0; i < links->count; i++)
        if (links->list[i].index == index)
            return &links->list[i];
    return NULL;
}

/* The child in there is a fork of us, so its lists have our layout and travel as they are. */
static int send_links(void *arg, int out_fd)
{
    struct kernel_links links;
    int error = kernel_links_dump(-1, &links);

    (void)arg;
    return error ? error : kernel_write_all(out_fd, links.list, links.count * sizeof(*links.list));
}

static int send_addresses(void *arg, int out_fd)
{
    struct kernel_addresses addresses;
    int error = kernel_addresses_dump(-1, &addresses);

    (void)arg;
    return error ? error
                 : kernel_write_all(out_fd, addresses.list,
                                    addresses.count * sizeof(*addresses.list));
}

static int send_routes(void *arg, int out_fd)
{
    struct kernel_routes routes;
    int error = kernel_routes_dump(-1, &routes);

    (void)arg;
    return error ? error
                 : kernel_write_all(out_fd, routes.list, routes.count * sizeof(*routes.list));
}

/* Fetches the elements of `size` bytes that `send` writes. malloc'd memory is fit for any type. */
static int fetch(int pidfd, pid_t pid, int (*send)(void *arg, int out_fd), size_t size,
                 char **bytes, size_t *count)
{
    size_t len;
    int error = kernel_inside(pidfd, pid, NAMESPACES, send, NULL, bytes, &len);

    *count = len / size;
    return error;
}

int kernel_links_of(int pidfd, pid_t pid, struct kernel_links *links)
{
    char *bytes;
    int error;

    *links = (struct kernel_links){0};
    error = fetch(pidfd, pid, send_links, sizeof(*links->list), &bytes, &links->count);
    links->list = (void *)bytes;
    links->capacity = links->count;
    return error;
}

int kernel_addresses_of(int pidfd, pid_t pid, struct kernel_addresses *addresses)
{
    char *bytes;
    int error;

    *addresses = (struct kernel_addresses){0};
    error = fetch(pidfd, pid, send_addresses, sizeof(*addresses->list), &bytes, &addresses->count);
    addresses->list = (void *)bytes;
    addresses->capacity = addresses->count;
    return error;
}

int kernel_routes_of(int pidfd, pid_t pid, struct kernel_routes *routes)
{
    char *bytes;
    int error;

    *routes = (struct kernel_routes){0};
    error = fetch(pidfd, pid, send_routes, sizeof(*routes->list), &bytes, &routes->count);
    routes->list = (void *)bytes;
    routes->capacity = routes->count;
    return error;
}
