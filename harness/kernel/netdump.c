/* Asking rtnetlink for whole tables. netlink(7), net/netlink/af_netlink.c. */
#include "kernel/netlink.h"
#include "kernel/own.h"

#include <poll.h>
#include <sys/socket.h>

#define BUFFER   ((size_t)64 << 10) /* a dump's messages come in buffers of 32 KiB at most */
#define ATTEMPTS 16                 /* dumps of tables that keep changing */
#define PATIENCE 2000               /* milliseconds for one buffer; the kernel answers at once */

/* The three tables are read alike; what differs is in here. */
struct table {
    int type; /* RTM_GET* */
    size_t list_size;
    int (*parse)(const void *bytes, size_t len, uint32_t seq, void *list);
    void (*clear)(void *list);
};

int kernel_netlink_open(void)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    int saved;

    if (fd < 0)
        return -errno;
    if (bind(fd, (struct sockaddr *)&(struct sockaddr_nl){.nl_family = AF_NETLINK},
             sizeof(struct sockaddr_nl)) == 0)
        return fd;
    saved = -errno;
    close(fd);
    return saved;
}

static int ask(int sock, int type, uint32_t seq)
{
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    struct {
        struct nlmsghdr head;
        struct ifinfomsg body; /* the longest of the three; zeros mean everything */
    } request = {
        .head = {.nlmsg_len = sizeof(request),
                 .nlmsg_type = (uint16_t)type,
                 .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
                 .nlmsg_seq = seq},
    };
    ssize_t sent;

    do
        sent =
            sendto(sock, &request, sizeof(request), 0, (struct sockaddr *)&kernel, sizeof(kernel));
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : 0;
}

/* Receives one buffer from the kernel. Root of this network namespace could send us messages of
 * its own making, but only the kernel has port 0. Returns its length or -errno. */
static ssize_t receive(int sock, void *buffer, size_t size)
{
    for (;;) {
        struct sockaddr_nl from = {0};
        socklen_t from_len = sizeof(from);
        struct pollfd readable = {.fd = sock, .events = POLLIN};
        int ready = poll(&readable, 1, PATIENCE);
        ssize_t got;

        if (ready == 0)
            return -ETIMEDOUT;
        got = ready < 0 ? -1
                        : recvfrom(sock, buffer, size, MSG_TRUNC | MSG_DONTWAIT,
                                   (struct sockaddr *)&from, &from_len);
        if (got < 0 && errno != EINTR && errno != EAGAIN)
            return -errno;
        if (got > (ssize_t)size)
            return -EBADMSG;
        if (got >= 0 && from.nl_pid == 0)
            return got;
    }
}

/* Throws the rest of an answer away. Each receive makes the kernel prepare the next part before it
 * returns, so the first time that nothing is there, nothing is left. */
static void drain(int sock, void *buffer, size_t size)
{
    while (recv(sock, buffer, size, MSG_TRUNC | MSG_DONTWAIT) >= 0 || errno == EINTR)
        ;
}

/* One question and its whole answer. */
static int exchange(int sock, const struct table *table, void *list)
{
    static uint32_t seq;
    autofree char *buffer = malloc(BUFFER);
    int done = buffer ? 0 : -ENOMEM;

    if (++seq == 0)
        seq = 1; /* to the parsers 0 means any */
    if (!done)
        done = ask(sock, table->type, seq);
    while (done == 0) {
        ssize_t got = receive(sock, buffer, BUFFER);

        done = got < 0 ? (int)got : table->parse(buffer, (size_t)got, seq, list);
    }
    if (done < 0 && buffer)
        drain(sock, buffer, BUFFER); /* a dump left half read would make the next one EBUSY */
    return done < 0 ? done : 0;
}

static int dump(int sock, const struct table *table, void *list)
{
    autoclose int own = sock < 0 ? kernel_netlink_open() : -1;
    int error = sock < 0 && own < 0 ? own : -EINTR;

    memset(list, 0, table->list_size);
    for (int i = 0; i < ATTEMPTS && error == -EINTR; i++) {
        table->clear(list);
        error = exchange(sock < 0 ? own : sock, table, list);
    }
    if (error)
        table->clear(list);
    return error == -EINTR ? -EAGAIN : error;
}

static int parse_links(const void *bytes, size_t len, uint32_t seq, void *list)
{
    return kernel_links_parse(bytes, len, seq, list);
}

static int parse_addresses(const void *bytes, size_t len, uint32_t seq, void *list)
{
    return kernel_addresses_parse(bytes, len, seq, list);
}

static int parse_routes(const void *bytes, size_t len, uint32_t seq, void *list)
{
    return kernel_routes_parse(bytes, len, seq, list);
}

static void clear_links(void *list)
{
    kernel_links_free(list);
}

static void clear_addresses(void *list)
{
    kernel_addresses_free(list);
}

static void clear_routes(void *list)
{
    kernel_routes_free(list);
}

static const struct table link_table = {RTM_GETLINK, sizeof(struct kernel_links), parse_links,
                                        clear_links};
static const struct table address_table = {RTM_GETADDR, sizeof(struct kernel_addresses),
                                           parse_addresses, clear_addresses};
static const struct table route_table = {RTM_GETROUTE, sizeof(struct kernel_routes), parse_routes,
                                         clear_routes};

int kernel_links_dump(int sock, struct kernel_links *links)
{
    return dump(sock, &link_table, links);
}

int kernel_addresses_dump(int sock, struct kernel_addresses *addresses)
{
    return dump(sock, &address_table, addresses);
}

int kernel_routes_dump(int sock, struct kernel_routes *routes)
{
    return dump(sock, &route_table, routes);
}
