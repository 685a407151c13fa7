/* Links, addresses and routes, asked of the kernel by rtnetlink. rtnetlink(7), netlink(7),
 * include/uapi/linux/{netlink,rtnetlink,if_link,if_addr}.h.
 *
 * The parsers take the bytes that recv(2) gave, so that they can be tried on made-up ones. They
 * APPEND, because one dump comes in several buffers; begin with a zeroed list. */
#ifndef KERNEL_NETLINK_H
#define KERNEL_NETLINK_H

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define KERNEL_LINK_ADDRESS_MAX 32 /* MAX_ADDR_LEN in include/linux/netdevice.h */

struct kernel_link {
    int index;
    char name[IFNAMSIZ];
    char kind[32];    /* "veth", "bridge"; "" for what has none, as lo */
    unsigned flags;   /* IFF_* */
    unsigned type;    /* ARPHRD_* */
    uint32_t mtu;     /* bytes */
    int operstate;    /* IF_OPER_* */
    int master;       /* index of the bridge it is a port of; 0: none */
    int link;         /* index of the peer, which may be in another namespace; 0: none */
    int link_netnsid; /* that namespace's number as we see it; -1: our own, or not told */
    unsigned char address[KERNEL_LINK_ADDRESS_MAX];
    size_t address_len;
};

struct kernel_links {
    struct kernel_link *list;
    size_t count;
    size_t capacity;
};

struct kernel_address {
    int index;            /* of the link */
    unsigned char family; /* AF_INET or AF_INET6 */
    unsigned char prefixlen;
    unsigned char scope;     /* RT_SCOPE_* */
    unsigned char bytes[16]; /* the interface's own address, in network order */
    size_t len;              /* 4 or 16 */
};

struct kernel_addresses {
    struct kernel_address *list;
    size_t count;
    size_t capacity;
};

struct kernel_route {
    unsigned char family;
    unsigned char dst[16]; /* zeros for a default route */
    unsigned char dstlen;  /* bits */
    unsigned char gateway[16];
    size_t gateway_len;     /* 0: none */
    int oif;                /* index of the link; 0: none */
    uint32_t table;         /* RT_TABLE_MAIN is 254 */
    unsigned char type;     /* RTN_UNICAST, ... */
    unsigned char scope;    /* RT_SCOPE_* */
    unsigned char protocol; /* RTPROT_* */
    uint32_t priority;
};

struct kernel_routes {
    struct kernel_route *list;
    size_t count;
    size_t capacity;
};

/* Parse one buffer of netlink messages.
 *   seq  only messages of this sequence number are looked at; 0: all
 * Return 0 when more is to come, 1 after NLMSG_DONE, the -errno of an NLMSG_ERROR (or of a DONE
 * that carries one), -EINTR when the kernel says that the tables changed meanwhile (ask again),
 * -EBADMSG for messages or attributes that are cut short, -ENOMEM. Attributes that we do not know
 * are skipped. What was appended before an error stays and is freed by the caller. */
int kernel_links_parse(const void *buffer, size_t len, uint32_t seq, struct kernel_links *links);
int kernel_addresses_parse(const void *buffer, size_t len, uint32_t seq,
                           struct kernel_addresses *addresses);
int kernel_routes_parse(const void *buffer, size_t len, uint32_t seq, struct kernel_routes *routes);

/* Opens an rtnetlink socket in the caller's network namespace: an fd or -errno. A socket belongs
 * for ever to the namespace it was made in. */
int kernel_netlink_open(void);

/* Ask for everything of the kind. `sock` is a socket from kernel_netlink_open(), or -1 to make one
 * for this call. 0 or -errno; -EAGAIN when the tables changed at every attempt; -ETIMEDOUT.
 * *links and so on are written over; on failure they are empty. Routes are those of all tables. */
int kernel_links_dump(int sock, struct kernel_links *links);
int kernel_addresses_dump(int sock, struct kernel_addresses *addresses);
int kernel_routes_dump(int sock, struct kernel_routes *routes);

/* The same in the network namespace of another process, by kernel_inside() (see there for pidfd
 * and pid, and for further errors). */
int kernel_links_of(int pidfd, pid_t pid, struct kernel_links *links);
int kernel_addresses_of(int pidfd, pid_t pid, struct kernel_addresses *addresses);
int kernel_routes_of(int pidfd, pid_t pid, struct kernel_routes *routes);

void kernel_links_free(struct kernel_links *links);
void kernel_addresses_free(struct kernel_addresses *addresses);
void kernel_routes_free(struct kernel_routes *routes);

/* The link of this name or index, or NULL. */
const struct kernel_link *kernel_links_named(const struct kernel_links *links, const char *name);
const struct kernel_link *kernel_links_index(const struct kernel_links *links, int index);

#endif
