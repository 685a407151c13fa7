/* Another way: everything is read into tables first (mounts, groups of a process, pids), and
 * decided afterwards; nftw(3) removes and kills; own mkdir and file code. */
#include "11-cgroup/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "11-cgroup/given_mounts.h"

enum { MOUNTS = 256, GROUPS = 64, ROUNDS = 500 };

/* --- files --------------------------------------------------------------------------------------
 */

static ssize_t slurp(char *text, size_t size, const char *format, ...)
{
    char path[PATH_MAX + 128];
    va_list args;

    va_start(args, format);
    vsnprintf(path, sizeof path, format, args);
    va_end(args);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return -errno;
    size_t length = fread(text, 1, size - 1, file);
    int error = ferror(file) ? errno : 0;
    fclose(file);
    if (error != 0)
        return -error;
    if (length > 0 && text[length - 1] == '\n')
        length--;
    text[length] = '\0';
    return (ssize_t)length;
}

static int store(const char *folder, const char *file, const char *value)
{
    char path[PATH_MAX + 128];

    snprintf(path, sizeof path, "%s/%s", folder, file);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int result = write(fd, value, strlen(value)) < 0 ? -errno : 0;
    close(fd);
    return result;
}

/* The word between two separators; the list gets one at each end, so that the ends are no matter.
 */
static bool listed(const char *list, const char *word)
{
    char padded[4096], sought[128];

    snprintf(padded, sizeof padded, ",%s,", list);
    snprintf(sought, sizeof sought, ",%s,", word);
    for (char *at = padded; *at != '\0'; at++)
        if (*at == ' ' || *at == '\n')
            *at = ',';
    return strstr(padded, sought) != NULL;
}

/* --- tables -------------------------------------------------------------------------------------
 */

struct mount_row {
    int version;
    char *root, *target, *options;
};
struct group_row {
    int version;
    char *controllers, *path;
};
struct tables {
    struct mount_row mounts[MOUNTS];
    struct group_row groups[GROUPS];
    size_t mount_count, group_count;
};

static int note_mount(void *arg, const struct mount_line *mount)
{
    struct tables *t = arg;
    int version = strcmp(mount->type, "cgroup2") == 0 ? 2 : strcmp(mount->type, "cgroup") == 0;

    if (version > 0 && t->mount_count < MOUNTS)
        t->mounts[t->mount_count++] = (struct mount_row){
            version, strdup(mount->root), strdup(mount->target), strdup(mount->super)};
    return 0;
}

static int note_groups(struct tables *t, pid_t pid)
{
    static char text[GROUPS * PATH_MAX];
    char *rest = text, *line;
    ssize_t length = slurp(text, sizeof text, "/proc/%d/cgroup", (int)pid);

    if (length < 0)
        return length == -ENOENT ? -ESRCH : (int)length;
    while ((line = strsep(&rest, "\n")) != NULL && t->group_count < GROUPS) {
        char *list = strchr(line, ':'), *path = list != NULL ? strchr(list + 1, ':') : NULL;
        if (path == NULL)
            continue;
        *path++ = '\0';
        t->groups[t->group_count++] =
            (struct group_row){list[1] == '\0' ? 2 : 1, strdup(list + 1), strdup(path)};
    }
    return 0;
}

static struct tables *read_tables(void)
{
    struct tables *t = calloc(1, sizeof *t);

    if (t != NULL)
        mounts_each(note_mount, t);
    return t;
}

static void drop(struct tables *t)
{
    for (size_t i = 0; i < t->mount_count; i++) {
        free(t->mounts[i].root);
        free(t->mounts[i].target);
        free(t->mounts[i].options);
    }
    for (size_t i = 0; i < t->group_count; i++) {
        free(t->groups[i].controllers);
        free(t->groups[i].path);
    }
    free(t);
}

int cgroup_mode(void)
{
    static const char *const known[] = {"cpu",     "cpuacct",    "cpuset",  "memory",  "pids",
                                        "freezer", "blkio",      "rdma",    "misc",    "devices",
                                        "net_cls", "perf_event", "hugetlb", "net_prio"};
    struct tables *t = read_tables();
    bool v1 = false, v2 = false;

    if (t == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < t->mount_count; i++) {
        v2 = v2 || t->mounts[i].version == 2;
        for (size_t k = 0; t->mounts[i].version == 1 && k < sizeof known / sizeof *known; k++)
            v1 = v1 || listed(t->mounts[i].options, known[k]);
    }
    drop(t);
    return v1 && v2 ? CGROUP_HYBRID : v1 ? CGROUP_V1 : v2 ? CGROUP_V2 : CGROUP_NONE;
}

/* The row of the group: version 1 before version 2. */
static const struct group_row *row_of(const struct tables *t, const char *controller)
{
    const struct group_row *found = NULL;

    for (const struct group_row *g = t->groups; g < t->groups + t->group_count; g++)
        if ((g->version == 1 && listed(g->controllers, controller)) ||
            (g->version == 2 && found == NULL))
            found = g;
    return found;
}

static bool has(const struct mount_row *mount, const char *controller)
{
    char text[512];

    if (mount->version == 1)
        return listed(mount->options, controller);
    return slurp(text, sizeof text, "%s/cgroup.controllers", mount->target) > 0 &&
           listed(text, controller);
}

int cgroup_find(pid_t pid, const char *controller, struct cgroup_place *place)
{
    struct tables *t = read_tables();
    int result = t == NULL ? -ENOMEM : note_groups(t, pid);
    const struct group_row *group = result == 0 ? row_of(t, controller) : NULL;

    if (result == 0)
        result = -ENOENT;
    for (size_t i = 0; group != NULL && result == -ENOENT && i < t->mount_count; i++) {
        const struct mount_row *m = &t->mounts[i];
        char root[PATH_MAX + 1], path[PATH_MAX + 1];
        /* Both with a slash at the end: what is below begins with what is above. */
        snprintf(root, sizeof root, "%s%s", m->root, strcmp(m->root, "/") == 0 ? "" : "/");
        snprintf(path, sizeof path, "%s%s", group->path, strcmp(group->path, "/") == 0 ? "" : "/");
        if (m->version != group->version || !has(m, controller) ||
            strncmp(path, root, strlen(root)) != 0)
            continue;
        path[strlen(path) - 1] = '\0';
        place->version = m->version;
        bool all = strlen(path) < strlen(root);
        result = snprintf(place->path, PATH_MAX, "%s%s%s", m->target, all ? "" : "/",
                          all ? "" : path + strlen(root)) < PATH_MAX
                     ? 0
                     : -ENAMETOOLONG;
    }
    if (t != NULL)
        drop(t);
    return result;
}

/* All groups from this one upwards, in one table: how many. */
static size_t ancestors(const char *path, char *paths[GROUPS])
{
    char file[PATH_MAX + 32];
    size_t count = 0;

    for (size_t length = strlen(path); count < GROUPS; length--) {
        if (length > 0 && path[length] != '/' && path[length] != '\0')
            continue;
        snprintf(file, sizeof file, "%.*s/cgroup.procs", (int)length, path);
        if (length == 0 || access(file, F_OK) < 0)
            break;
        paths[count++] = strndup(path, length);
    }
    return count;
}

static void drop_paths(char *paths[], size_t count)
{
    while (count > 0)
        free(paths[--count]);
}

int cgroup_bound(pid_t pid, const char *controller, const char *file, uint64_t *bound)
{
    char *paths[GROUPS], name[64], unused[64], text[64];
    struct cgroup_place place;
    int result = cgroup_find(pid, controller, &place);

    if (result < 0)
        return result;
    if (place.version != 1 || cgroup_v1_name(file, NULL, name, unused) != 0)
        snprintf(name, sizeof name, "%s", file);
    *bound = UINT64_MAX;
    size_t count = ancestors(place.path, paths);
    for (size_t i = count; i-- > 0;) {
        unsigned long long value;
        if (slurp(text, sizeof text, "%s/%s", paths[i], name) > 0 &&
            sscanf(text, "%llu", &value) == 1 && value < 9000000000000000000ULL && value < *bound)
            *bound = value;
    }
    drop_paths(paths, count);
    return 0;
}

/* --- making -------------------------------------------------------------------------------------
 */

/* Whether a group may have groups with controllers below it. */
static bool barren(const char *path)
{
    char text[64];

    return slurp(text, sizeof text, "%s/cgroup.type", path) >= 0 &&
           slurp(text, sizeof text, "%s/cgroup.procs", path) != 0;
}

static int grow(struct cgroup *group, const char *above, int version, const char *name,
                const char *controllers)
{
    struct cgroup_part *part = &group->parts[group->count];

    if (group->count == CGROUP_PARTS)
        return -E2BIG;
    part->version = version;
    snprintf(part->controllers, sizeof part->controllers, "%s", controllers);
    if (snprintf(part->path, PATH_MAX, "%s/%s", above, name) >= PATH_MAX)
        return -ENAMETOOLONG;
    if (mkdir(part->path, 0755) < 0)
        return -errno;
    part->folder = open(part->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (part->folder < 0) {
        int error = errno;
        rmdir(part->path);
        return -error;
    }
    group->count++;
    return 0;
}

static int grow_v2(struct cgroup *group, const char *path, const char *name,
                   const char *controllers)
{
    char *paths[GROUPS], wish[1024] = "", copy[640], *rest = copy, *word;
    size_t count = ancestors(path, paths);
    int result = -EACCES;

    snprintf(copy, sizeof copy, "%s", controllers);
    while ((word = strsep(&rest, ",")) != NULL)
        snprintf(wish + strlen(wish), sizeof wish - strlen(wish), "+%s ", word);
    for (size_t i = 0; i < count; i++) {
        if (barren(paths[i]))
            continue;
        result = store(paths[i], "cgroup.subtree_control", wish);
        if (result == 0) {
            result = grow(group, paths[i], 2, name, controllers);
            break;
        }
    }
    drop_paths(paths, count);
    return result;
}

static int fill_cpuset(const char *above, const char *folder)
{
    static const char *const files[] = {"cpuset.cpus", "cpuset.mems"};
    char text[4096];

    for (int i = 0; i < 2; i++) {
        if (slurp(text, sizeof text, "%s/%s", above, files[i]) < 0)
            return -EIO;
        int result = store(folder, files[i], text);
        if (result < 0)
            return result;
    }
    return 0;
}

int cgroup_create(const char *name, const char *const *controllers, struct cgroup *group)
{
    struct cgroup_place places[CGROUP_PARTS];
    struct {
        char list[64];
        size_t place;
    } wanted[CGROUP_PARTS] = {0};
    size_t count = 0;
    int result = 0;

    *group = (struct cgroup){.count = 0};
    /* First where everything is, so that nothing is made when something is lacking. */
    for (; *controllers != NULL; controllers++) {
        struct cgroup_place place;
        result = cgroup_find(getpid(), *controllers, &place);
        if (result == -ENOENT &&
            (strcmp(*controllers, "freezer") == 0 || strcmp(*controllers, "cpuacct") == 0))
            continue;
        if (result < 0)
            return result;
        size_t i = 0;
        while (i < count && strcmp(places[i].path, place.path) != 0)
            i++;
        if (i == CGROUP_PARTS)
            return -E2BIG;
        places[i] = place;
        snprintf(wanted[i].list + strlen(wanted[i].list), 64 - strlen(wanted[i].list), "%s%s",
                 i < count ? "," : "", *controllers);
        count = i == count ? count + 1 : count;
    }
    result = 0;
    for (size_t i = 0; result == 0 && i < count; i++) {
        const char *list = wanted[i].list;
        if (places[i].version == 2)
            result = grow_v2(group, places[i].path, name, list);
        else
            result = grow(group, places[i].path, 1, name, list);
        if (result == 0 && places[i].version == 1 && listed(list, "cpuset"))
            result = fill_cpuset(places[i].path, group->parts[group->count - 1].path);
    }
    if (result < 0)
        cgroup_remove(group);
    return result;
}

int cgroup_birthplace(const struct cgroup *group)
{
    int fd = -1;

    for (size_t i = 0; i < group->count; i++)
        fd = group->parts[i].version == 2 ? group->parts[i].folder : fd;
    return fd;
}

int cgroup_join(const struct cgroup *group, pid_t pid)
{
    char text[16];
    int first = 0;

    snprintf(text, sizeof text, "%ld", (long)pid);
    for (size_t i = group->count; i-- > 0;) {
        int result = store(group->parts[i].path, "cgroup.procs", text);
        first = first == 0 ? result : first;
    }
    return first;
}

/* --- limits -------------------------------------------------------------------------------------
 */

static const struct name_row {
    const char *v2, *v1;
    const char *from[2], *to[2]; /* values that change their words */
} names[] = {
    {"cgroup.freeze", "freezer.state", {"0", "1"}, {"THAWED", "FROZEN"}},
    {"cgroup.procs", "cgroup.procs", {0}, {0}},
    {"cpu.stat", "cpu.stat", {0}, {0}},
    {"cpu.weight", "cpu.shares", {0}, {0}},
    {"cpuset.cpus", "cpuset.cpus", {0}, {0}},
    {"cpuset.mems", "cpuset.mems", {0}, {0}},
    {"memory.current", "memory.usage_in_bytes", {0}, {0}},
    {"memory.max", "memory.limit_in_bytes", {"max", NULL}, {"-1", NULL}},
    {"memory.peak", "memory.max_usage_in_bytes", {0}, {0}},
    {"memory.stat", "memory.stat", {0}, {0}},
    {"pids.current", "pids.current", {0}, {0}},
    {"pids.events", "pids.events", {0}, {0}},
    {"pids.max", "pids.max", {0}, {0}},
};

static int by_name(const void *key, const void *row)
{
    return strcmp(key, ((const struct name_row *)row)->v2);
}

int cgroup_v1_name(const char *file, const char *value, char name[64], char v1_value[64])
{
    const struct name_row *row =
        bsearch(file, names, sizeof names / sizeof *names, sizeof *names, by_name);

    if (row == NULL)
        return -ENOENT;
    strcpy(name, row->v1);
    v1_value[0] = '\0';
    if (value == NULL)
        return 0;
    for (int i = 0; i < 2; i++)
        if (row->from[i] != NULL && strcmp(row->from[i], value) == 0)
            value = row->to[i];
    if (strcmp(name, "cpu.shares") == 0) {
        unsigned long hundredfold = 1024UL * strtoul(value, NULL, 10);
        unsigned long shares = hundredfold / 100 + (hundredfold % 100 >= 50);
        snprintf(v1_value, 64, "%lu", shares);
    } else {
        snprintf(v1_value, 64, "%s", value);
    }
    return 0;
}

/* Each part that could have the file, with what it is called there. */
struct target {
    char path[PATH_MAX + 64], value[64];
    const struct cgroup_part *part;
    char name[64];
};

static size_t targets_of(const struct cgroup *group, const char *file, const char *value,
                         struct target targets[CGROUP_PARTS])
{
    size_t count = 0;

    for (size_t i = 0; i < group->count; i++) {
        struct target *t = &targets[count];
        char controller[64];
        t->part = &group->parts[i];
        if (t->part->version == 2 || cgroup_v1_name(file, value, t->name, t->value) < 0) {
            snprintf(t->name, sizeof t->name, "%s", file);
            snprintf(t->value, sizeof t->value, "%s", value != NULL ? value : "");
        }
        sscanf(t->name, "%63[^.]", controller);
        count += strcmp(controller, "cgroup") == 0 || listed(t->part->controllers, controller);
    }
    return count;
}

int cgroup_write(const struct cgroup *group, const char *file, const char *value)
{
    struct target targets[CGROUP_PARTS];
    size_t count = targets_of(group, file, value, targets);
    int best = -ENOENT;

    for (size_t i = 0; i < count; i++) {
        int result = store(targets[i].part->path, targets[i].name, targets[i].value);
        if (best == -ENOENT || (best == 0 && result != -ENOENT))
            best = result;
    }
    return best;
}

ssize_t cgroup_read(const struct cgroup *group, const char *file, char *text, size_t size)
{
    struct target targets[CGROUP_PARTS];
    size_t count = targets_of(group, file, NULL, targets);
    ssize_t result = -ENOENT;

    for (size_t i = 0; i < count && result == -ENOENT; i++)
        result = slurp(text, size, "%s/%s", targets[i].part->path, targets[i].name);
    return result;
}

int cgroup_hide(void)
{
    if (unshare(CLONE_NEWCGROUP) == 0)
        return 0;
    return -errno;
}

/* --- the end ------------------------------------------------------------------------------------
 */

int cgroup_freeze(const struct cgroup *group, bool frozen)
{
    char text[256];
    int result = cgroup_write(group, "cgroup.freeze", frozen ? "1" : "0");

    for (int round = 0; result == 0 && round < ROUNDS; round++, poll(NULL, 0, 2)) {
        if (cgroup_read(group, "freezer.state", text, sizeof text) > 0
                ? listed(text, frozen ? "FROZEN" : "THAWED")
                : cgroup_read(group, "cgroup.events", text, sizeof text) > 0 &&
                      strstr(text, frozen ? "frozen 1" : "frozen 0") != NULL)
            return 0;
    }
    return result < 0 ? result : -ETIMEDOUT;
}

static int rmdir_each(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)at;
    if (kind == FTW_DP)
        rmdir(path);
    return 0;
}

/* nftw(3) has no argument for us, so the list of groups is here. */
static char **found;
static size_t found_count;

static int collect(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)at;
    if (kind == FTW_D || kind == FTW_DP) {
        char **more = realloc(found, (found_count + 1) * sizeof *more);
        if (more == NULL)
            return -1;
        found = more;
        found[found_count++] = strdup(path);
    }
    return 0;
}

/* One round: every group that there is, every pid in it. How many pids. */
static int kill_round(const struct cgroup *group, bool freeze)
{
    static char text[1 << 16];
    int killed = 0;

    for (size_t i = 0; i < group->count; i++)
        nftw(group->parts[i].path, collect, 16, FTW_PHYS);
    for (size_t i = 0; freeze && i < found_count; i++) {
        store(found[i], "cgroup.freeze", "1");
        store(found[i], "freezer.state", "FROZEN");
    }
    for (size_t i = 0; i < found_count; i++) {
        char *rest = text, *word;
        if (slurp(text, sizeof text, "%s/cgroup.procs", found[i]) <= 0)
            continue;
        while ((word = strsep(&rest, "\n")) != NULL) {
            int pid = atoi(word);
            killed++;
            if (pid > 0)
                kill(pid, SIGKILL);
        }
    }
    for (size_t i = 0; i < found_count; i++) {
        store(found[i], "freezer.state", "THAWED");
        store(found[i], "cgroup.freeze", "0");
        free(found[i]);
    }
    free(found);
    found = NULL;
    found_count = 0;
    return killed;
}

int cgroup_kill(const struct cgroup *group)
{
    bool dead = cgroup_write(group, "cgroup.kill", "1") == 0;

    for (int round = 0; round < ROUNDS; round++, poll(NULL, 0, 2))
        if (kill_round(group, !dead) == 0)
            return 0;
    return -ETIMEDOUT;
}

int cgroup_remove(struct cgroup *group)
{
    int result = 0;

    for (struct cgroup_part *p = group->parts; p < group->parts + group->count; p++) {
        int round = 0;
        do
            nftw(p->path, rmdir_each, 16, FTW_DEPTH | FTW_PHYS);
        while (access(p->path, F_OK) == 0 && round++ < ROUNDS && poll(NULL, 0, 2) == 0);
        if (access(p->path, F_OK) == 0)
            result = -EBUSY;
        close(p->folder);
    }
    group->count = 0;
    return result;
}
