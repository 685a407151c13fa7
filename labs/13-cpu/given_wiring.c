/* How layer 13 plugs in: what the group may use, before anything runs in it. */
#include "13-cpu/given_wiring.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "11-cgroup/given_wiring.h"
#include "12-memory/memory.h"
#include "13-cpu/cpu.h"

static cpu_millis cpus;                 /* --cpus; 0: not asked for      */
static uint64_t period;                 /* --cpu-period; 0: the usual    */
static bool weight_asked;               /* --cpu-weight, and which       */
static unsigned weight;                 /*                               */
static const char *set_cpus, *set_mems; /* --cpuset-cpus, --cpuset-mems  */

/* --device-read-bps, --device-write-bps */
static struct rate {
    unsigned major, minor;
    uint64_t bytes; /* 0: not asked for */
} reads, writes;

static void prepare(struct container *container)
{
    (void)container;
    container_wants("cpu", false);
    container_wants("cpuacct", false);
}

static int limit(struct container *container)
{
    (void)container;
    if ((cpus == 0 && period == 0) || container_group()->count == 0)
        return 0;
    return cpu_limit(container_group(), cpus, period);
}

static int weigh(struct container *container)
{
    (void)container;
    return weight_asked && container_group()->count > 0 ? cpu_weight(container_group(), weight) : 0;
}

static int choose(struct container *container)
{
    (void)container;
    if ((set_cpus == NULL && set_mems == NULL) || container_group()->count == 0)
        return 0;
    return cpu_set(container_group(), set_cpus, set_mems);
}

/* One call for a device: what is not limited there is no limit. */
static int limit_io(struct container *container)
{
    const struct cgroup *group = container_group();
    bool same = reads.major == writes.major && reads.minor == writes.minor;
    int result = 0;

    (void)container;
    if (group->count == 0)
        return 0;
    if (reads.bytes > 0)
        result =
            cpu_io_limit(group, reads.major, reads.minor, reads.bytes, same ? writes.bytes : 0);
    if (result == 0 && writes.bytes > 0 && !(same && reads.bytes > 0))
        result = cpu_io_limit(group, writes.major, writes.minor, 0, writes.bytes);
    return result;
}

/* --- options and questions ----------------------------------------------------------------------
 */

static int parse_number(const char *value, uint64_t most, uint64_t *number)
{
    char *end;

    if (value[0] < '0' || value[0] > '9')
        return -EINVAL;
    errno = 0;
    *number = strtoull(value, &end, 10);
    return errno != 0 || *end != '\0' || *number > most ? -EINVAL : 0;
}

static int set_amount(struct container *container, const char *value)
{
    (void)container;
    container_wants("cpu", true);
    return cpu_parse(value, &cpus);
}

static int set_period(struct container *container, const char *value)
{
    (void)container;
    container_wants("cpu", true);
    return parse_number(value, UINT32_MAX, &period);
}

static int set_weight(struct container *container, const char *value)
{
    uint64_t number;
    int result = parse_number(value, UINT_MAX, &number);

    (void)container;
    if (result < 0)
        return result;
    weight = (unsigned)number;
    weight_asked = true;
    container_wants("cpu", true);
    return 0;
}

static int set_processors(struct container *container, const char *value)
{
    (void)container;
    set_cpus = value;
    container_wants("cpuset", true);
    return 0;
}

static int set_nodes(struct container *container, const char *value)
{
    (void)container;
    set_mems = value;
    container_wants("cpuset", true);
    return 0;
}

/* PATH:SIZE, as docker run has it; or MAJOR:MINOR:SIZE, where no device file is to be seen. */
static int parse_rate(const char *value, struct rate *rate)
{
    char device[PATH_MAX], end;
    const char *colon = strrchr(value, ':');
    struct stat st;

    if (colon == NULL ||
        snprintf(device, sizeof device, "%.*s", (int)(colon - value), value) >= (int)sizeof device)
        return -EINVAL;
    if (sscanf(device, "%u:%u%c", &rate->major, &rate->minor, &end) != 2) {
        if (stat(device, &st) < 0)
            return -errno;
        if (!S_ISBLK(st.st_mode))
            return -ENOTBLK;
        rate->major = major(st.st_rdev);
        rate->minor = minor(st.st_rdev);
    }
    container_wants(cgroup_mode() == CGROUP_V2 ? "io" : "blkio", true);
    return memory_parse(colon + 1, &rate->bytes);
}

static int set_read(struct container *container, const char *value)
{
    (void)container;
    return parse_rate(value, &reads);
}

static int set_write(struct container *container, const char *value)
{
    (void)container;
    return parse_rate(value, &writes);
}

static int show_amount(struct container *container, const char *value)
{
    cpu_millis millis;
    int result = cpu_parse(value, &millis);

    (void)container;
    if (result < 0)
        return result;
    printf("%" PRIu64 "\n", millis);
    return OPTION_DONE;
}

static int show_stat(struct container *container, const char *value)
{
    static const char *const controllers[] = {"cpu", "cpuacct", NULL};
    struct cpu_stat stat = {0};
    struct cgroup group;
    uint64_t pid;
    int result = parse_number(value, INT_MAX, &pid);

    (void)container;
    if (result < 0)
        return result;
    result = container_of((pid_t)pid, controllers, &group);
    if (result == 0)
        result = cpu_stat(&group, &stat);
    container_close(&group);
    if (result < 0)
        return result;
    printf("usage_usec %" PRIu64 "\nperiods %" PRIu64 "\nthrottled %" PRIu64
           "\nthrottled_usec %" PRIu64 "\n",
           stat.usage_usec, stat.periods, stat.throttled, stat.throttled_usec);
    return OPTION_DONE;
}

/* PERIODS:THROTTLED:PERIODS:THROTTLED, of two readings. */
static int show_throttled(struct container *container, const char *value)
{
    struct cpu_stat before = {0}, after = {0};

    (void)container;
    if (sscanf(value, "%" SCNu64 ":%" SCNu64 ":%" SCNu64 ":%" SCNu64, &before.periods,
               &before.throttled, &after.periods, &after.throttled) != 4)
        return -EINVAL;
    unsigned share = cpu_throttled(&before, &after);
    printf("%u.%02u %%\n", share / 100, share % 100);
    return OPTION_DONE;
}

/* A plain number of thousandths, with an "m" or without: this question is not about cpu_parse. */
static int show_request(struct container *container, const char *value)
{
    char number[24];
    cpu_millis millis;

    snprintf(number, sizeof number, "%.*s", (int)strcspn(value, "m"), value);
    int result = parse_number(number, 1000000000, &millis);

    (void)container;
    if (result < 0)
        return result;
    printf("shares %u\nweight %u\n", cpu_request_shares(millis), cpu_request_weight(millis));
    return OPTION_DONE;
}

static const struct layer_option options[] = {
    {"cpus", 0, "N", "at most N processors: 0.5, 2, 250m", set_amount},
    {"cpu-period", 0, "USEC", "measured in periods of USEC (100000)", set_period},
    {"cpu-weight", 0, "N", "a share of what is fought over: 1 to 10000 (100)", set_weight},
    {"cpuset-cpus", 0, "LIST", "run on these processors only: 0-2,7", set_processors},
    {"cpuset-mems", 0, "LIST", "take memory from these nodes only", set_nodes},
    {"device-read-bps", 0, "PATH:SIZE", "read at most SIZE a second from a device", set_read},
    {"device-write-bps", 0, "PATH:SIZE", "write at most SIZE a second to it", set_write},
    {"cpu-parse", 0, "N", "print N in thousandths of a processor", show_amount},
    {"cpu-stat", 0, "PID", "print what was counted in the group of PID", show_stat},
    {"cpu-throttled", 0, "P:T:P:T", "print the share of throttled periods", show_throttled},
    {"cpu-request", 0, "MILLIS", "print what Kubernetes makes of a request", show_request},
    {0},
};

static const struct layer_hook hooks[] = {
    {START_CGROUP, "cpu_limit", limit},
    {START_CGROUP, "cpu_weight", weigh},
    {START_CGROUP, "cpu_set", choose},
    {START_CGROUP, "cpu_io_limit", limit_io},
    {0},
};

const struct layer cpu_layer = {
    .name = "cpu", .prepare = prepare, .options = options, .hooks = hooks};
