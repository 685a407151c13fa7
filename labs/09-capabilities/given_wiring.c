/* How layer 09 plugs in: who COMMAND is, what it may do, and that nothing gives it more. */
#include "09-capabilities/given_wiring.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <strings.h>
#include <unistd.h>

#include "09-capabilities/capabilities.h"
#include "09-capabilities/given_users.h"
#include "given/options.h"

enum { GROUPS_MAX = USER_GROUPS_MAX };

/* The words of the command line. Who is meant by a name, only the container's own files can tell:
 * they are read once its root is "/". */
static const char *user_text;
static const char *group_texts[GROUPS_MAX];
static size_t group_count;

/* --cap-add and --cap-drop, all of them together, and whether one of them said ALL. */
static capability_set added, dropped;
static bool added_all, dropped_all;

static bool read_only, unlimited, may_gain;

static bool keep_given; /* --keep: just this set, in numbers */
static capability_set keep;

/* --- hooks ---------------------------------------------------------------------------------- */

/* Without a root of its own "/" is the caller's. */
static int own_root(struct container *container)
{
    bool own = container->root[0] != '\0' && !option_without("root") &&
               (container->namespaces & CLONE_NEWNS) != 0;

    return read_only && !own ? -EPERM : 0;
}

static int protect_root(struct container *container)
{
    (void)container;
    return read_only ? capabilities_protect_root() : 0;
}

static int become(struct container *container)
{
    /* Without -u: root, or with --userns=keep-id (lab 08) whoever we are. */
    struct user user = {.uid = geteuid(), .gid = geteuid() == 0 ? 0 : getegid()};
    const char *text = user_text;
    int result = text != NULL ? users_find(text, &user) : 0;

    for (size_t i = 0; result == 0 && i < group_count; i++)
        result = users_add_group(text = group_texts[i], &user);
    if (result == -EINVAL)
        fprintf(stderr, "%s: not a user or a group of this container: %s\n", container->program,
                text);
    return result < 0 ? result : capabilities_become(user.uid, user.gid, user.groups, user.count);
}

/* Docker's rule, in which the order of the options does not matter: "add ALL" leaves out what is
 * dropped by name; "drop ALL" leaves what is added; else what is added and dropped is there. */
static capability_set kept(void)
{
    if (keep_given)
        return keep;
    if (added_all)
        return added & ~dropped;
    if (dropped_all)
        return added;
    return (capabilities_default & ~dropped) | added;
}

static int limit(struct container *container)
{
    (void)container;
    return unlimited ? 0 : capabilities_limit(kept());
}

static int no_new_privs(struct container *container)
{
    (void)container;
    return may_gain ? 0 : capabilities_no_new_privs();
}

/* --- options -------------------------------------------------------------------------------- */

static int set_user(struct container *container, const char *value)
{
    (void)container;
    user_text = value;
    return 0;
}

static int set_group(struct container *container, const char *value)
{
    (void)container;
    if (group_count == GROUPS_MAX)
        return -E2BIG;
    group_texts[group_count++] = value;
    return 0;
}

static bool is_all(const char *name)
{
    return strcasecmp(name, "ALL") == 0;
}

static int set_add(struct container *container, const char *value)
{
    capability_set set = 0;
    int result = capabilities_parse(value, &set);

    (void)container;
    if (result < 0)
        return result;
    added |= set;
    added_all |= is_all(value);
    return 0;
}

static int set_drop(struct container *container, const char *value)
{
    capability_set set = 0;
    int result = capabilities_parse(value, &set);

    (void)container;
    if (result < 0)
        return result;
    if (is_all(value))
        dropped_all = true;
    else
        dropped |= set;
    return 0;
}

static int set_keep(struct container *container, const char *value)
{
    int end = 0;

    (void)container;
    keep_given = sscanf(value, "%" SCNx64 "%n", &keep, &end) == 1 && value[end] == '\0';
    return keep_given ? 0 : -EINVAL;
}

/* --capability NAME prints the set that NAME means. */
static int show_capability(struct container *container, const char *value)
{
    capability_set set = 0;
    int result = capabilities_parse(value, &set);

    (void)container;
    if (result < 0)
        return result;
    printf("%016" PRIx64 "\n", set);
    return OPTION_DONE;
}

static int set_read_only(struct container *container, const char *value)
{
    (void)container;
    (void)value;
    read_only = true;
    return 0;
}

static int set_unlimited(struct container *container, const char *value)
{
    (void)container;
    (void)value;
    unlimited = true;
    return 0;
}

static int set_may_gain(struct container *container, const char *value)
{
    (void)container;
    (void)value;
    may_gain = true;
    return 0;
}

static const struct layer_option options[] = {
    {"user", 'u', "USER[:GROUP]", "run as USER, a number or a name in the container", set_user},
    {"group-add", 0, "GROUP", "be a member of GROUP as well", set_group},
    {"cap-add", 0, "NAME", "leave this capability (ALL: every one)", set_add},
    {"cap-drop", 0, "NAME", "take this capability away (ALL: every one)", set_drop},
    {"keep", 0, "SET", "leave just this set, in hexadecimal", set_keep},
    {"capability", 0, "NAME", "print the set that NAME means, in hexadecimal", show_capability},
    {"unlimited", 0, NULL, "leave the sets of capabilities as they are", set_unlimited},
    {"allow-new-privs", 0, NULL, "let exec give powers (set-user-ID files)", set_may_gain},
    {"read-only", 0, NULL, "nothing can be written to the root", set_read_only},
    {0},
};

static const struct layer_hook hooks[] = {
    {START_PRIVATE_TREE, "--read-only needs a new root", own_root},
    {START_MASKS, "capabilities_protect_root", protect_root},
    {START_IDS, "capabilities_become", become},
    {START_CAPABILITIES, "capabilities_limit", limit},
    {START_NO_NEW_PRIVS, "capabilities_no_new_privs", no_new_privs},
    {0},
};

const struct layer capabilities_layer = {
    .name = "capabilities", .options = options, .hooks = hooks};
