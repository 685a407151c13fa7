/* rtnetlink: recorded dumps, messages that lie, the real tables of here and there. */
#include "support.h"

#include "kernel/netlink.h"

#include <net/if_arp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static void test_recorded(void **state)
{
    struct kernel_links links = {0};
    struct kernel_addresses addresses = {0};
    struct kernel_routes routes = {0};
    const struct kernel_link *lo;
    size_t len;
    autofree char *link_bytes = fixture("netlink-links", &len);

    (void)state;
    assert_int_equal(kernel_links_parse(link_bytes, len, 0, &links), 1);
    lo = kernel_links_named(&links, "lo");
    assert_non_null(lo);
    assert_int_equal(lo->index, 1);
    assert_int_equal(lo->mtu, 65536);
    assert_int_equal(lo->type, ARPHRD_LOOPBACK);
    assert_true(lo->flags & IFF_LOOPBACK);
    assert_string_equal(lo->kind, "");
    assert_int_equal(lo->master, 0);
    assert_int_equal(lo->link_netnsid, -1);
    assert_int_equal(lo->address_len, 6);
    assert_ptr_equal(kernel_links_index(&links, 1), lo);
    assert_null(kernel_links_named(&links, "nope"));
    kernel_links_free(&links);
    kernel_links_free(&links);
    assert_int_equal(kernel_links_parse(link_bytes, len, 8, &links), 0); /* another's number */
    assert_int_equal(links.count, 0);

    autofree char *address_bytes = fixture("netlink-addresses", &len);
    assert_int_equal(kernel_addresses_parse(address_bytes, len, 7, &addresses), 1);
    assert_true(addresses.count > 0);
    assert_int_equal(addresses.list[0].index, 1);
    assert_int_equal(addresses.list[0].family, AF_INET);
    assert_int_equal(addresses.list[0].prefixlen, 8);
    assert_int_equal(addresses.list[0].len, 4);
    assert_memory_equal(addresses.list[0].bytes, "\x7f\0\0\1", 4);
    kernel_addresses_free(&addresses);

    autofree char *route_bytes = fixture("netlink-routes", &len);
    assert_int_equal(kernel_routes_parse(route_bytes, len, 7, &routes), 1);
    assert_true(routes.count > 0);
    kernel_routes_free(&routes);
}

static int parse_any(int which, const char *bytes, size_t len)
{
    struct kernel_links links = {0};
    struct kernel_addresses addresses = {0};
    struct kernel_routes routes = {0};
    int result;

    if (which == 0)
        result = kernel_links_parse(bytes, len, 0, &links);
    else if (which == 1)
        result = kernel_addresses_parse(bytes, len, 0, &addresses);
    else
        result = kernel_routes_parse(bytes, len, 0, &routes);
    kernel_links_free(&links);
    kernel_addresses_free(&addresses);
    kernel_routes_free(&routes);
    return result;
}

static void test_every_prefix(void **state)
{
    const char *const fixtures[] = {"netlink-links", "netlink-addresses", "netlink-routes"};

    (void)state;
    for (int i = 0; i < 3; i++) {
        size_t len, bad = 0;
        autofree char *bytes = fixture(fixtures[i], &len);

        for (size_t cut = 0; cut < len; cut++) {
            autofree char *prefix = exact(bytes, cut);
            int result = parse_any(i, prefix, cut);

            assert_true(result == 0 || result == -EBADMSG);
            bad += result < 0;
        }
        assert_true(bad > len / 2);
        assert_int_equal(parse_any(i, bytes, len), 1);
    }
}

/* One link of index 3 with the attributes of a veth port, made by hand. */
static size_t craft(char *buffer)
{
    struct nlmsghdr *head = (struct nlmsghdr *)(void *)buffer;
    struct ifinfomsg *body = NLMSG_DATA(head);
    const struct {
        uint16_t type;
        uint16_t len;
        const void *value;
    } attributes[] = {
        {IFLA_IFNAME, 5, "vp0\0"},
        {IFLA_LINK, 4, &(int){9}},
        {IFLA_MASTER, 4, &(int){2}},
        {IFLA_LINK_NETNSID, 4, &(int){0}},
        {IFLA_LINKINFO | NLA_F_NESTED, 12, "\x09\0\x01\0veth\0\0\0\0"},
        {9999, 3, "new"},
    };

    memset(buffer, 0, 256);
    body->ifi_index = 3;
    head->nlmsg_type = RTM_NEWLINK;
    head->nlmsg_len = NLMSG_LENGTH(sizeof(*body));
    for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
        struct rtattr *at = (struct rtattr *)(void *)(buffer + NLMSG_ALIGN(head->nlmsg_len));

        at->rta_type = attributes[i].type;
        at->rta_len = (uint16_t)RTA_LENGTH(attributes[i].len);
        memcpy(RTA_DATA(at), attributes[i].value, attributes[i].len);
        head->nlmsg_len = (uint32_t)(NLMSG_ALIGN(head->nlmsg_len) + RTA_ALIGN(at->rta_len));
    }
    return head->nlmsg_len;
}

static void test_crafted(void **state)
{
    _Alignas(8) char buffer[256];
    size_t len = craft(buffer);
    struct nlmsghdr *head = (struct nlmsghdr *)(void *)buffer;
    struct rtattr *first =
        (struct rtattr *)(void *)(buffer + NLMSG_LENGTH(sizeof(struct ifinfomsg)));
    struct kernel_links links = {0};

    (void)state;
    assert_int_equal(kernel_links_parse(buffer, len, 0, &links), 0);
    assert_int_equal(links.count, 1);
    assert_string_equal(links.list[0].name, "vp0");
    assert_string_equal(links.list[0].kind, "veth");
    assert_int_equal(links.list[0].link, 9);
    assert_int_equal(links.list[0].master, 2);
    assert_int_equal(links.list[0].link_netnsid, 0);
    kernel_links_free(&links);
    head->nlmsg_flags = NLM_F_DUMP_INTR;
    assert_int_equal(parse_any(0, buffer, len), -EINTR);
    head->nlmsg_flags = 0;
    first->rta_len = 3;
    assert_int_equal(parse_any(0, buffer, len), -EBADMSG);
    first->rta_len = 4000;
    assert_int_equal(parse_any(0, buffer, len), -EBADMSG);
    craft(buffer);
    first->rta_type = IFLA_MTU; /* five bytes are no MTU */
    assert_int_equal(parse_any(0, buffer, len), -EBADMSG);
    head->nlmsg_len = 15;
    assert_int_equal(parse_any(0, buffer, len), -EBADMSG);
}

static void test_error(void **state)
{
    struct {
        struct nlmsghdr head;
        struct nlmsgerr body;
    } message = {.head = {.nlmsg_len = sizeof(message), .nlmsg_type = NLMSG_ERROR}};

    (void)state;
    message.body.error = -EPERM;
    assert_int_equal(parse_any(0, (const char *)&message, sizeof(message)), -EPERM);
    message.body.error = 0;
    assert_int_equal(parse_any(1, (const char *)&message, sizeof(message)), 1);
    message.body.error = 5;
    assert_int_equal(parse_any(2, (const char *)&message, sizeof(message)), -EBADMSG);
    message.head.nlmsg_len = sizeof(message.head) + 2;
    assert_int_equal(parse_any(2, (const char *)&message, sizeof(message.head) + 2), -EBADMSG);
}

static void test_dump(void **state)
{
    autoclose int sock = kernel_netlink_open();
    struct kernel_links links;
    struct kernel_addresses addresses;
    struct kernel_routes routes;

    (void)state;
    assert_true(sock >= 0);
    for (int i = 0; i < 3; i++) { /* one socket, many questions */
        assert_int_equal(kernel_links_dump(i ? sock : -1, &links), 0);
        assert_non_null(kernel_links_named(&links, "lo"));
        assert_int_equal(kernel_addresses_dump(sock, &addresses), 0);
        assert_int_equal(kernel_routes_dump(sock, &routes), 0);
        kernel_links_free(&links);
        kernel_addresses_free(&addresses);
        kernel_routes_free(&routes);
    }
    assert_int_equal(kernel_links_dump(0x7ffffff, &links), -EBADF);
    assert_null(links.list);
}

/* A network namespace whose lo is up, which is how it differs from a fresh one. */
static int raise_lo(void *arg)
{
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    autoclose int sock = -1;

    (void)arg;
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
        return -1;
    sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return ioctl(sock, SIOCSIFFLAGS, &request);
}

static void test_elsewhere(void **state)
{
    struct child child = child_start(raise_lo, NULL);
    struct kernel_links links;
    struct kernel_addresses addresses;
    struct kernel_routes routes;
    bool local = false;

    (void)state;
    if (child.pid == 0)
        skip(); /* this machine gives no user namespaces */
    assert_int_equal(kernel_links_of(child.pidfd, child.pid, &links), 0);
    assert_non_null(kernel_links_named(&links, "lo"));
    assert_true(kernel_links_named(&links, "lo")->flags & IFF_UP);
    kernel_links_free(&links);
    assert_int_equal(kernel_addresses_of(child.pidfd, child.pid, &addresses), 0);
    assert_true(addresses.count >= 1);
    for (size_t i = 0; i < addresses.count; i++)
        assert_int_equal(addresses.list[i].index, 1); /* nothing of our own namespace */
    kernel_addresses_free(&addresses);
    assert_int_equal(kernel_routes_of(child.pidfd, child.pid, &routes), 0);
    for (size_t i = 0; i < routes.count; i++)
        local |= routes.list[i].family == AF_INET && routes.list[i].type == RTN_LOCAL &&
                 routes.list[i].table == RT_TABLE_LOCAL && routes.list[i].dst[0] == 127;
    assert_true(local);
    kernel_routes_free(&routes);
    child_end(&child);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recorded), cmocka_unit_test(test_every_prefix),
        cmocka_unit_test(test_crafted),  cmocka_unit_test(test_error),
        cmocka_unit_test(test_dump),     cmocka_unit_test(test_elsewhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
