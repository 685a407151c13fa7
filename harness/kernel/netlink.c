/* rtnetlink messages into structures: net/core/rtnetlink.c, net/ipv4/{devinet,fib_semantics}.c.
 *
 * Lengths come from the kernel, but the parsers believe none of them: linux/netlink.h's macros
 * would walk past the end of a message that lies. */
#include "kernel/netlink.h"
#include "kernel/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* A run of bytes that messages or attributes are cut from. */
struct run {
    const unsigned char *at;
    size_t len;
};

struct attribute {
    unsigned type;
    struct run value;
};

typedef int message(struct run payload, void *list);

/* Moves past `len` bytes and the padding to four that follows all but the last. */
static void skip(struct run *run, size_t len)
{
    size_t padded = (len + 3) & ~(size_t)3;

    if (padded > run->len)
        padded = run->len;
    run->at += padded;
    run->len -= padded;
}

/* Cuts the next attribute off. 1, 0 at the end, or -EBADMSG. */
static int next_attribute(struct run *run, struct attribute *attribute)
{
    struct rtattr head;

    if (run->len == 0)
        return 0;
    if (run->len < sizeof(head))
        return -EBADMSG;
    memcpy(&head, run->at, sizeof(head));
    if (head.rta_len < sizeof(head) || head.rta_len > run->len)
        return -EBADMSG;
    /* The two high bits say "nested" and "in network order"; they are no part of the type. */
    attribute->type = head.rta_type & (unsigned)NLA_TYPE_MASK;
    attribute->value = (struct run){run->at + sizeof(head), head.rta_len - sizeof(head)};
    skip(run, head.rta_len);
    return 1;
}

static int get_bytes(struct run value, void *to, size_t size)
{
    if (value.len != size)
        return -EBADMSG;
    memcpy(to, value.at, size);
    return 0;
}

/* Strings come with their NUL, but for a few old ones. */
static int get_string(struct run value, char *to, size_t size)
{
    size_t len = strnlen((const char *)value.at, value.len);

    if (len >= size)
        return -EBADMSG;
    memcpy(to, value.at, len);
    to[len] = '\0';
    return 0;
}

/* An address of a length that the attribute tells. */
static int get_address(struct run value, unsigned char *to, size_t size, size_t *len)
{
    if (value.len > size)
        return -EBADMSG;
    memcpy(to, value.at, value.len);
    *len = value.len;
    return 0;
}

static int parse_kind(struct run nested, struct kernel_link *link)
{
    struct attribute attribute;
    int more;

    while ((more = next_attribute(&nested, &attribute)) > 0)
        if (attribute.type == IFLA_INFO_KIND &&
            get_string(attribute.value, link->kind, sizeof(link->kind)) < 0)
            return -EBADMSG;
    return more;
}

static int link_attribute(struct attribute attribute, struct kernel_link *link)
{
    struct run value = attribute.value;
    unsigned char state;

    switch (attribute.type) {
    case IFLA_IFNAME:
        return get_string(value, link->name, sizeof(link->name));
    case IFLA_MTU:
        return get_bytes(value, &link->mtu, sizeof(link->mtu));
    case IFLA_MASTER:
        return get_bytes(value, &link->master, sizeof(link->master));
    case IFLA_LINK:
        return get_bytes(value, &link->link, sizeof(link->link));
    case IFLA_LINK_NETNSID:
        return get_bytes(value, &link->link_netnsid, sizeof(link->link_netnsid));
    case IFLA_ADDRESS:
        return get_address(value, link->address, sizeof(link->address), &link->address_len);
    case IFLA_LINKINFO:
        return parse_kind(value, link);
    case IFLA_OPERSTATE:
        if (get_bytes(value, &state, 1) < 0)
            return -EBADMSG;
        link->operstate = state;
        return 0;
    default:
        return 0;
    }
}

static int parse_link(struct run payload, void *list)
{
    struct kernel_links *links = list;
    struct kernel_link link = {.link_netnsid = -1};
    struct attribute attribute;
    struct kernel_link *grown;
    struct ifinfomsg head;
    int more;

    if (payload.len < sizeof(head))
        return -EBADMSG;
    memcpy(&head, payload.at, sizeof(head));
    skip(&payload, sizeof(head));
    link.index = head.ifi_index;
    link.flags = head.ifi_flags;
    link.type = head.ifi_type;
    while ((more = next_attribute(&payload, &attribute)) > 0)
        if (link_attribute(attribute, &link) < 0)
            return -EBADMSG;
    if (more < 0)
        return more;
    grown = kernel_grow(links->list, links->count, &links->capacity, sizeof(link));
    if (!grown)
        return -ENOMEM;
    links->list = grown;
    grown[links->count++] = link;
    return 0;
}

static int parse_address(struct run payload, void *list)
{
    struct kernel_addresses *addresses = list;
    struct kernel_address address = {0};
    struct attribute attribute;
    struct kernel_address *grown;
    struct ifaddrmsg head;
    bool local = false;
    int more;

    if (payload.len < sizeof(head))
        return -EBADMSG;
    memcpy(&head, payload.at, sizeof(head));
    skip(&payload, sizeof(head));
    address.index = (int)head.ifa_index;
    address.family = head.ifa_family;
    address.prefixlen = head.ifa_prefixlen;
    address.scope = head.ifa_scope;
    while ((more = next_attribute(&payload, &attribute)) > 0) {
        /* On a point-to-point link IFA_ADDRESS is the other end; IFA_LOCAL is ever our own. */
        if (attribute.type != IFA_LOCAL && (attribute.type != IFA_ADDRESS || local))
            continue;
        local = attribute.type == IFA_LOCAL;
        if (get_address(attribute.value, address.bytes, sizeof(address.bytes), &address.len) < 0)
            return -EBADMSG;
    }
    if (more < 0)
        return more;
    grown = kernel_grow(addresses->list, addresses->count, &addresses->capacity, sizeof(address));
    if (!grown)
        return -ENOMEM;
    addresses->list = grown;
    grown[addresses->count++] = address;
    return 0;
}

static int route_attribute(struct attribute attribute, struct kernel_route *route)
{
    struct run value = attribute.value;
    size_t len;

    switch (attribute.type) {
    case RTA_DST:
        return get_address(value, route->dst, sizeof(route->dst), &len);
    case RTA_GATEWAY:
        return get_address(value, route->gateway, sizeof(route->gateway), &route->gateway_len);
    case RTA_OIF:
        return get_bytes(value, &route->oif, sizeof(route->oif));
    case RTA_TABLE:
        return get_bytes(value, &route->table, sizeof(route->table));
    case RTA_PRIORITY:
        return get_bytes(value, &route->priority, sizeof(route->priority));
    default:
        return 0;
    }
}

static int parse_route(struct run payload, void *list)
{
    struct kernel_routes *routes = list;
    struct kernel_route route = {0};
    struct attribute attribute;
    struct kernel_route *grown;
    struct rtmsg head;
    int more;

    if (payload.len < sizeof(head))
        return -EBADMSG;
    memcpy(&head, payload.at, sizeof(head));
    skip(&payload, sizeof(head));
    route.family = head.rtm_family;
    route.dstlen = head.rtm_dst_len;
    route.table = head.rtm_table; /* eight bits; RTA_TABLE has them all */
    route.type = head.rtm_type;
    route.scope = head.rtm_scope;
    route.protocol = head.rtm_protocol;
    while ((more = next_attribute(&payload, &attribute)) > 0)
        if (route_attribute(attribute, &route) < 0)
            return -EBADMSG;
    if (more < 0)
        return more;
    grown = kernel_grow(routes->list, routes->count, &routes->capacity, sizeof(route));
    if (!grown)
        return -ENOMEM;
    routes->list = grown;
    grown[routes->count++] = route;
    return 0;
}

/* The verdict at the end of a dump, or an error instead of one: an int that is 0 or -errno. */
static int parse_code(struct run payload)
{
    int code;

    if (payload.len < sizeof(code))
        return -EBADMSG;
    memcpy(&code, payload.at, sizeof(code));
    return code > 0 || code < -4095 ? -EBADMSG : code;
}

static int parse(struct run run, uint32_t seq, unsigned type, message *one, void *list)
{
    while (run.len > 0) {
        struct nlmsghdr head;
        struct run payload;
        int error = 0;

        if (run.len < sizeof(head))
            return -EBADMSG;
        memcpy(&head, run.at, sizeof(head));
        if (head.nlmsg_len < sizeof(head) || head.nlmsg_len > run.len)
            return -EBADMSG;
        payload = (struct run){run.at + sizeof(head), head.nlmsg_len - sizeof(head)};
        skip(&run, head.nlmsg_len);
        if (seq && head.nlmsg_seq != seq)
            continue;
        if (head.nlmsg_flags & NLM_F_DUMP_INTR)
            return -EINTR;
        if (head.nlmsg_type == NLMSG_DONE || head.nlmsg_type == NLMSG_ERROR) {
            error = parse_code(payload);
            return error ? error : 1;
        }
        if (head.nlmsg_type == type)
            error = one(payload, list);
        if (error)
            return error;
    }
    return 0;
}

int kernel_links_parse(const void *buffer, size_t len, uint32_t seq, struct kernel_links *links)
{
    return parse((struct run){buffer, len}, seq, RTM_NEWLINK, parse_link, links);
}

int kernel_addresses_parse(const void *buffer, size_t len, uint32_t seq,
                           struct kernel_addresses *addresses)
{
    return parse((struct run){buffer, len}, seq, RTM_NEWADDR, parse_address, addresses);
}

int kernel_routes_parse(const void *buffer, size_t len, uint32_t seq, struct kernel_routes *routes)
{
    return parse((struct run){buffer, len}, seq, RTM_NEWROUTE, parse_route, routes);
}
