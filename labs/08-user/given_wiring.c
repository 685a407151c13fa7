/* How layer 08 plugs in: which maps the new user namespace gets, and questions about maps. */
#include "08-user/given_wiring.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/sched.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "08-user/given_advice.h"
#include "08-user/given_ranges.h"
#include "08-user/user.h"

static struct ranges uids, gids; /* what the command line asked for                          */
static bool host;                /* --userns=host: no user namespace of the container's own  */
static bool keep_id;             /* --userns=keep-id: COMMAND does not become root           */
static bool unmapped;
static bool no_gids;     /* --gid-map none */
static bool subordinate; /* --subids */

static int add_namespaces(uint64_t *flags)
{
    return host ? 0 : user_namespaces(flags);
}

/* --new user (lab 01) makes one, too, and it gets the same maps. */
static bool to_be_mapped(const struct container *container)
{
    return (container->namespaces & CLONE_NEWUSER) != 0 && !unmapped;
}

/* --- in the parent, while the child waits --------------------------------------------------- */

/* Root of a user namespace passes on all ids that it has; anybody else has one to give: the own
 * one, as root or as itself. */
static int fill(struct ranges *ranges, const char *file, uint32_t own)
{
    if (ranges->count > 0)
        return 0;
    if (geteuid() == 0)
        return ranges_all(ranges, file);
    ranges->list[ranges->count++] = (struct user_range){keep_id ? own : 0, own, 1};
    return 0;
}

static int map_uids(struct container *container)
{
    if (!to_be_mapped(container) || subordinate)
        return 0;
    int result = fill(&uids, "/proc/self/uid_map", geteuid());
    return result < 0 ? result : user_map_uids(container->process.pid, uids.list, uids.count);
}

static int map_gids(struct container *container)
{
    if (!to_be_mapped(container) || subordinate || no_gids)
        return 0;
    int result = fill(&gids, "/proc/self/gid_map", getegid());
    return result < 0 ? result : user_map_gids(container->process.pid, gids.list, gids.count);
}

/* The caller is 0, and from 1 up come the ids that the file lends to it; unless the command line
 * says which. */
static int lend(struct ranges *ranges, const char *file, uint32_t own)
{
    const struct passwd *user = getpwuid(getuid());

    if (ranges->count > 0)
        return 0;
    ranges->count = 2;
    ranges->list[0] = (struct user_range){0, own, 1};
    ranges->list[1].inside = 1;
    return user_subordinate(file, user != NULL ? user->pw_name : NULL, getuid(), &ranges->list[1]);
}

static int map_subordinate(struct container *container)
{
    if (!to_be_mapped(container) || !subordinate)
        return 0;
    int result = lend(&uids, "/etc/subuid", geteuid());
    if (result == 0)
        result = lend(&gids, "/etc/subgid", getegid());
    if (result == -ENOENT)
        fprintf(stderr, "%s: no ids are lent to uid %u in /etc/subuid and /etc/subgid\n",
                container->program, getuid());
    return result < 0 ? result
                      : user_map_subordinate(container->process.pid, uids.list, uids.count,
                                             gids.list, gids.count);
}

/* --- in the child --------------------------------------------------------------------------- */

static int become_root(struct container *container)
{
    return to_be_mapped(container) && !keep_id ? user_become_root() : 0;
}

/* --- options -------------------------------------------------------------------------------- */

static int set_userns(struct container *container, const char *value)
{
    (void)container;
    host = strcmp(value, "host") == 0;
    keep_id = strcmp(value, "keep-id") == 0;
    return host || keep_id ? 0 : -EINVAL;
}

static int set_map(struct container *container, const char *value)
{
    (void)container;
    int result = ranges_parse(&uids, value);
    return result < 0 ? result : ranges_parse(&gids, value);
}

static int set_uid_map(struct container *container, const char *value)
{
    (void)container;
    return ranges_parse(&uids, value);
}

static int set_gid_map(struct container *container, const char *value)
{
    (void)container;
    no_gids = strcmp(value, "none") == 0;
    return no_gids ? 0 : ranges_parse(&gids, value);
}

static int set_unmapped(struct container *container, const char *value)
{
    (void)container;
    (void)value;
    unmapped = true;
    return 0;
}

static int set_subids(struct container *container, const char *value)
{
    (void)container;
    (void)value;
    subordinate = true;
    return 0;
}

/* --- questions ------------------------------------------------------------------------------ */

/* The number that the next open would give: it grows when a descriptor stays open. */
static int next_descriptor(void)
{
    int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);

    if (fd >= 0)
        close(fd);
    return fd;
}

static int show_translation(struct container *container, const char *value)
{
    uint32_t id;

    (void)container;
    if (ranges_number(value, '\0', &id, NULL) < 0)
        return -EINVAL;
    int before = next_descriptor();
    uint32_t outer = user_translate(uids.list, uids.count, id);
    if (next_descriptor() != before) {
        fprintf(stderr, "user_translate leaves descriptor %d open\n", before);
        return -EBADFD;
    }
    printf("%" PRIu32 "\n", outer);
    return OPTION_DONE;
}

static int ask_owner(const char *path, struct process_namespace *owner)
{
    int namespace = open(path, O_RDONLY | O_CLOEXEC);

    if (namespace < 0)
        return -errno;
    int before = next_descriptor();
    int result = user_owner(namespace, owner);
    if (fcntl(namespace, F_GETFD) < 0) {
        fprintf(stderr, "user_owner closes the namespace that it was asked about\n");
        return -EBADFD;
    }
    if (result == 0 && next_descriptor() != before) {
        fprintf(stderr, "user_owner leaves descriptor %d open\n", before);
        result = -EBADFD;
    }
    close(namespace);
    return result;
}

/* --owner PID:KIND prints "user MAJOR:MINOR INODE", as --namespace PID:user does. */
static int show_owner(struct container *container, const char *value)
{
    char path[64];
    uint32_t pid;
    const char *kind;
    struct process_namespace owner = {0};

    (void)container;
    if (ranges_number(value, ':', &pid, &kind) < 0 || strchr(kind, '/') != NULL)
        return -EINVAL;
    if (snprintf(path, sizeof path, "/proc/%" PRIu32 "/ns/%s", pid, kind) >= (int)sizeof path)
        return -EINVAL;
    int result = ask_owner(path, &owner);
    if (result < 0)
        return result;
    printf("user %u:%u %" PRIu64 "\n", major(owner.device), minor(owner.device),
           (uint64_t)owner.inode);
    return OPTION_DONE;
}

/* --subordinate FILE:NAME:UID prints "FIRST COUNT"; without a NAME (FILE::UID) it has none. */
static int show_subordinate(struct container *container, const char *value)
{
    const struct user_range untouched = {.inside = 4711};
    struct user_range range = untouched;
    char file[256], name[256] = "";
    uint32_t uid;
    const char *last = strrchr(value, ':');

    (void)container;
    if (last == NULL || ranges_number(last + 1, '\0', &uid, NULL) < 0 ||
        (sscanf(value, "%255[^:]:%255[^:]:", file, name) != 2 &&
         sscanf(value, "%255[^:]::", file) != 1))
        return -EINVAL;
    int before = next_descriptor();
    int result = user_subordinate(file, name[0] != '\0' ? name : NULL, uid, &range);
    if (next_descriptor() != before) {
        fprintf(stderr, "user_subordinate leaves descriptor %d open\n", before);
        return -EBADFD;
    }
    if (result == 0 && range.inside != untouched.inside) {
        fprintf(stderr, "user_subordinate changed range->inside\n");
        result = -EBADMSG;
    }
    if (result < 0)
        return result;
    printf("%" PRIu32 " %" PRIu32 "\n", range.outside, range.count);
    return OPTION_DONE;
}

/* A start that failed may be the machine's doing. */
static void finish(const struct container *container)
{
    if (container->process.pid < 0 && (container->namespaces & CLONE_NEWUSER) != 0)
        advice_user_namespaces(container->program);
}

static const struct layer_option options[] = {
    {"userns", 0, "MODE", "host: no user namespace; keep-id: do not become root", set_userns},
    {"map", 0, "IN:OUT:COUNT[,...]", "map these uids and gids, not the caller's", set_map},
    {"uid-map", 0, "IN:OUT:COUNT[,...]", "map these uids", set_uid_map},
    {"gid-map", 0, "IN:OUT:COUNT[,...]", "map these gids, or \"none\"", set_gid_map},
    {"unmapped", 0, NULL, "map nothing at all", set_unmapped},
    {"subids", 0, NULL, "map by newuidmap: the --map, or the caller as 0 and all lent ids from 1",
     set_subids},
    {"translate", 0, "ID", "print what ID is outside of the --map before it", show_translation},
    {"owner", 0, "PID:NAME", "print which user namespace owns PID's namespace NAME", show_owner},
    {"subordinate", 0, "FILE:NAME:UID", "print which ids FILE lends to that user",
     show_subordinate},
    {0},
};

static const struct layer_hook hooks[] = {
    {START_ID_MAPS, "user_map_uids", map_uids},
    {START_ID_MAPS, "user_map_gids", map_gids},
    {START_ID_MAPS, "user_map_subordinate", map_subordinate},
    {START_IDENTITY, "user_become_root", become_root},
    {0},
};

const struct layer user_layer = {.name = "user",
                                 .options = options,
                                 .namespaces = add_namespaces,
                                 .hooks = hooks,
                                 .finish = finish};
