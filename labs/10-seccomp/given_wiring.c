/* How layer 10 plugs in: which calls COMMAND may make, from its first instruction on. */
#include "10-seccomp/given_wiring.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "10-seccomp/filter.h"
#include "10-seccomp/given_profile.h"
#include "10-seccomp/given_threads.h"

enum { GROUPS_MAX = 64, CALLS_MAX = 1024, ASKED_MAX = 64, THREADS_MAX = 64 };

static bool unconfined, open_to_all, namespaces_allowed;
static int unknown; /* --seccomp-unknown; 0: as the profile says */

/* --seccomp-deny NAME[=ERRNO] and --seccomp-allow NAME: groups of one call each. */
static struct {
    const char *calls[2];
    int error; /* 0: allowed */
} asked[ASKED_MAX];
static size_t asked_count;

/* The profile that is made of the default one and the options. */
static struct filter_group groups[GROUPS_MAX + ASKED_MAX + 2];
static const char *calls[CALLS_MAX];
static size_t group_count, call_count;

static struct filter filter;

/* --- the profile ---------------------------------------------------------------------------- */

static bool is_asked(const char *call)
{
    for (size_t i = 0; i < asked_count; i++)
        if (strcmp(asked[i].calls[0], call) == 0)
            return true;
    return false;
}

/* The group without the calls that have one of their own now: each call is in one group. */
static void add_group(const struct filter_group *group)
{
    groups[group_count] = *group;
    groups[group_count++].calls = calls + call_count;
    for (const char *const *call = group->calls; *call != NULL; call++)
        if (!is_asked(*call))
            calls[call_count++] = *call;
    calls[call_count++] = NULL;
}

static void add_asked(void)
{
    for (size_t i = 0; i < asked_count; i++)
        groups[group_count++] = (struct filter_group){
            .name = "asked for", .error = asked[i].error, .calls = asked[i].calls};
}

static void put_together(struct filter_profile *profile)
{
    static const char *const four[] = {"clone", "clone3", "unshare", "setns", NULL};
    static const struct filter_group namespaces = {"namespaces", "asked for", 0, four};
    const struct filter_profile *standard = profile_default();

    *profile = (struct filter_profile){groups, open_to_all ? 0 : standard->unknown};
    if (unknown != 0)
        profile->unknown = unknown;
    for (const struct filter_group *group = standard->groups; !open_to_all && group->name != NULL;
         group++)
        add_group(group);
    if (namespaces_allowed && !open_to_all)
        add_group(&namespaces);
    add_asked();
}

/* --- hooks ---------------------------------------------------------------------------------- */

static int start_threads(struct container *container)
{
    (void)container;
    return threads_start();
}

static int make(struct container *container)
{
    struct filter_profile profile;

    (void)container;
    if (unconfined)
        return 0;
    put_together(&profile);
    return filter_make(&profile, &filter);
}

static int deny_namespaces(struct container *container)
{
    (void)container;
    return unconfined || namespaces_allowed || filter.context == NULL
               ? 0
               : filter_deny_namespaces(&filter);
}

/* The last thing before a clean start and exec, whose own few calls the profile has to allow. */
static int load(struct container *container)
{
    (void)container;
    if (unconfined || filter.context == NULL)
        return 0;
    int result = filter_load(&filter);
    filter_free(&filter);
    filter_free(&filter); /* as filter.h says: twice does no harm */
    return result;
}

/* --- options -------------------------------------------------------------------------------- */

static int set_security(struct container *container, const char *value)
{
    (void)container;
    unconfined = strcmp(value, "seccomp=unconfined") == 0;
    return unconfined ? 0 : -EINVAL;
}

static int set_open(struct container *container, const char *value)
{
    (void)container;
    (void)value;
    open_to_all = true;
    return 0;
}

static int set_namespaces(struct container *container, const char *value)
{
    (void)container;
    (void)value;
    namespaces_allowed = true;
    return 0;
}

/* "EACCES" or "13". */
static int parse_error(const char *text)
{
    char *end;
    long number = strtol(text, &end, 10);

    if (end != text && *end == '\0')
        return number > 0 && number < 4096 ? (int)number : 0;
    for (int error = 1; error < 256; error++) {
        const char *name = strerrorname_np(error);
        if (name != NULL && strcmp(name, text) == 0)
            return error;
    }
    return 0;
}

static int ask(const char *name, size_t length, int error)
{
    if (length == 0)
        return -EINVAL;
    if (asked_count == ASKED_MAX)
        return -E2BIG;
    asked[asked_count].calls[0] = strndup(name, length); /* kept until the end */
    asked[asked_count].error = error;
    return asked[asked_count++].calls[0] != NULL ? 0 : -ENOMEM;
}

static int add_denial(struct container *container, const char *value)
{
    size_t length = strcspn(value, "=");
    int error = value[length] == '=' ? parse_error(value + length + 1) : EPERM;

    (void)container;
    return error == 0 ? -EINVAL : ask(value, length, error);
}

static int add_allowance(struct container *container, const char *value)
{
    (void)container;
    return ask(value, strlen(value), 0);
}

static int set_unknown(struct container *container, const char *value)
{
    (void)container;
    unknown = parse_error(value);
    return unknown == 0 ? -EINVAL : 0;
}

static int set_threads(struct container *container, const char *value)
{
    int count = atoi(value);

    if (count < 1 || count > THREADS_MAX)
        return -EINVAL;
    threads_ask(container, count);
    return 0;
}

static int set_thread_filter(struct container *container, const char *value)
{
    (void)container;
    (void)value;
    threads_ask_filtered();
    return 0;
}

static const struct layer_option options[] = {
    {"security-opt", 0, "OPTION", "seccomp=unconfined: load no filter", set_security},
    {"seccomp-open", 0, NULL, "begin with a filter that refuses nothing", set_open},
    {"seccomp-deny", 0, "CALL[=ERRNO]", "refuse CALL (EPERM, or this error)", add_denial},
    {"seccomp-allow", 0, "CALL", "allow CALL, whatever its group says", add_allowance},
    {"seccomp-unknown", 0, "ERRNO", "refuse what is in no group with this error", set_unknown},
    {"seccomp-allow-namespaces", 0, NULL, "leave new namespaces alone", set_namespaces},
    {"threads", 0, "COUNT", "execute COMMAND by the last of COUNT more threads", set_threads},
    {"thread-filter", 0, NULL, "the first of them has a filter of its own", set_thread_filter},
    {0},
};

static const struct layer_hook hooks[] = {
    {START_SECCOMP, "the threads of --threads", start_threads},
    {START_SECCOMP, "filter_make", make},
    {START_SECCOMP, "filter_deny_namespaces", deny_namespaces},
    {START_SECCOMP, "filter_load", load},
    {0},
};

const struct layer seccomp_layer = {.name = "seccomp", .options = options, .hooks = hooks};
