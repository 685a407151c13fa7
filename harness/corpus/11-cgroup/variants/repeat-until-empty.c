/* Another way: neither cgroup.kill nor the freezer to end a group, but no room for new processes
 * (pids.max 0) and killing until nobody is left; poll(2) on cgroup.events to know what is frozen.
 * Lines are taken apart by sscanf(3). */
#include "11-cgroup/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "11-cgroup/given_files.h"

enum { PATIENCE_MS = 1000 };

/* --- where things are ----------------------------------------------------------------------------
 */

/* One line of mountinfo that is about control groups. */
struct hierarchy {
    char root[PATH_MAX], target[PATH_MAX], kind[32], has[512];
};

static void decode(char *text)
{
    for (char *at = text; (at = strchr(at, '\\')) != NULL; at++) {
        unsigned byte;
        if (sscanf(at, "\\%3o", &byte) == 1) {
            *at = (char)byte;
            memmove(at + 1, at + 4, strlen(at + 4) + 1);
        }
    }
}

static bool parse(const char *line, struct hierarchy *h)
{
    const char *dash = strstr(line, " - cgroup");

    if (dash == NULL || sscanf(line, "%*d %*d %*d:%*d %4095s %4095s", h->root, h->target) != 2 ||
        sscanf(dash, " - %31s %*s %511s", h->kind, h->has) != 2)
        return false;
    decode(h->root);
    decode(h->target);
    return true;
}

static bool is_v2(const struct hierarchy *h)
{
    return strcmp(h->kind, "cgroup2") == 0;
}

int cgroup_mode(void)
{
    FILE *file = fopen("/proc/self/mountinfo", "re");
    struct hierarchy h;
    char *line = NULL;
    size_t size = 0;
    int v1 = 0, v2 = 0;

    if (file == NULL)
        return -errno;
    while (getline(&line, &size, file) > 0)
        if (parse(line, &h)) {
            v2 |= is_v2(&h);
            v1 |= !is_v2(&h) && strstr(h.has, "name=systemd") == NULL;
        }
    free(line);
    fclose(file);
    return v1 != 0 ? (v2 != 0 ? CGROUP_HYBRID : CGROUP_V1) : v2 != 0 ? CGROUP_V2 : CGROUP_NONE;
}

/* Reads /proc/PID/cgroup: version 1's path for the controller (or "") and version 2's (or ""). */
static int read_groups(pid_t pid, const char *controller, char v1[PATH_MAX], char v2[PATH_MAX])
{
    char name[64], *line = NULL;
    size_t size = 0;

    snprintf(name, sizeof name, "/proc/%ld/cgroup", (long)pid);
    FILE *file = fopen(name, "re");
    if (file == NULL)
        return errno == ENOENT ? -ESRCH : -errno;
    v1[0] = v2[0] = '\0';
    while (getline(&line, &size, file) > 0) {
        char list[256];
        int id, path = 0;
        if (sscanf(line, "%d::%n", &id, &path) == 1 && path > 0)
            snprintf(v2, PATH_MAX, "%.*s", (int)strcspn(line + path, "\n"), line + path);
        else if (sscanf(line, "%d:%255[^:]:%n", &id, list, &path) == 2 && path > 0 &&
                 list_has(list, controller))
            snprintf(v1, PATH_MAX, "%.*s", (int)strcspn(line + path, "\n"), line + path);
    }
    free(line);
    fclose(file);
    return 0;
}

/* How much of the path remains below the mount's root; -1: it is not below. */
static ssize_t offset(const char *path, const char *root)
{
    size_t i = 0;

    if (strcmp(root, "/") == 0)
        return strcmp(path, "/") == 0 ? 1 : 0;
    while (root[i] != '\0' && path[i] == root[i])
        i++;
    return root[i] == '\0' && (path[i] == '/' || path[i] == '\0') ? (ssize_t)i : -1;
}

int cgroup_find(pid_t pid, const char *controller, struct cgroup_place *place)
{
    char v1[PATH_MAX], v2[PATH_MAX], *line = NULL;
    struct hierarchy h;
    size_t size = 0;
    int result = read_groups(pid, controller, v1, v2);

    if (result < 0)
        return result;
    const char *path = v1[0] != '\0' ? v1 : v2;
    FILE *file = fopen("/proc/self/mountinfo", "re");
    if (file == NULL)
        return -errno;
    result = -ENOENT;
    while (path[0] != '\0' && result == -ENOENT && getline(&line, &size, file) > 0) {
        if (!parse(line, &h) || is_v2(&h) != (path == v2))
            continue;
        bool has = path == v2 ? group_has(h.target, "cgroup.controllers", controller)
                              : list_has(h.has, controller);
        ssize_t at = offset(path, h.root);
        if (!has || at < 0)
            continue;
        place->version = path == v2 ? 2 : 1;
        result = snprintf(place->path, PATH_MAX, "%s%s", h.target, path + at) < PATH_MAX
                     ? 0
                     : -ENAMETOOLONG;
    }
    free(line);
    fclose(file);
    return result;
}

/* The smaller of the bounds of this group and of those above: by recursion. */
static uint64_t smallest(char *path, const char *file)
{
    char text[64];
    uint64_t here = UINT64_MAX;

    if (group_read(path, file, text, sizeof text) > 0 && strcmp(text, "max") != 0)
        here = strtoull(text, NULL, 10);
    if (here >= (uint64_t)1 << 60)
        here = UINT64_MAX;
    uint64_t above = group_above(path) ? smallest(path, file) : UINT64_MAX;
    return above < here ? above : here;
}

int cgroup_bound(pid_t pid, const char *controller, const char *file, uint64_t *bound)
{
    struct cgroup_place place;
    char name[64], value[64];
    int result = cgroup_find(pid, controller, &place);

    if (result == 0)
        *bound = smallest(
            place.path,
            place.version == 1 && cgroup_v1_name(file, NULL, name, value) == 0 ? name : file);
    return result;
}

/* --- making
 * --------------------------------------------------------------------------------------- */

static int add(struct cgroup *group, const struct cgroup_place *above, const char *name,
               const char *controller)
{
    struct cgroup_part *part;
    char path[PATH_MAX];

    if (snprintf(path, sizeof path, "%s/%s", above->path, name) >= PATH_MAX)
        return -ENAMETOOLONG;
    for (part = group->parts; part < group->parts + group->count; part++)
        if (strcmp(part->path, path) == 0) {
            strncat(part->controllers, " ",
                    sizeof part->controllers - strlen(part->controllers) - 1);
            strncat(part->controllers, controller,
                    sizeof part->controllers - strlen(part->controllers) - 1);
            return 0;
        }
    if (group->count == CGROUP_PARTS)
        return -E2BIG;
    if (mkdir(path, 0777) != 0)
        return -errno;
    memset(part, 0, sizeof *part);
    part->version = above->version;
    strcpy(part->path, path);
    snprintf(part->controllers, sizeof part->controllers, "%s", controller);
    part->folder = open(path, O_DIRECTORY | O_CLOEXEC);
    group->count++;
    return part->folder < 0 ? -errno : 0;
}

static int copy_cpuset(const char *above, int folder)
{
    char text[1024];
    int result = -EIO;

    for (int i = 0; i < 2; i++) {
        const char *file = i == 0 ? "cpuset.cpus" : "cpuset.mems";
        if (group_read(above, file, text, sizeof text) < 0)
            return -EIO;
        result = file_write(folder, file, text);
        if (result < 0)
            return result;
    }
    return result;
}

/* Goes up to the first group that hands this controller down, or begins to. */
static int climb(struct cgroup_place *place, const char *controller)
{
    char wish[80], text[64];
    int result = -EACCES;

    snprintf(wish, sizeof wish, "+%s", controller);
    do {
        if (group_has(place->path, "cgroup.subtree_control", controller))
            return 0;
        if (group_read(place->path, "cgroup.procs", text, sizeof text) != 0 &&
            group_read(place->path, "cgroup.type", text, sizeof text) >= 0)
            continue;
        result = group_write(place->path, "cgroup.subtree_control", wish);
    } while (result < 0 && group_above(place->path));
    return result;
}

int cgroup_create(const char *name, const char *const *controllers, struct cgroup *group)
{
    struct cgroup_place highest = {.version = 0};
    const char *later[CGROUP_PARTS];
    size_t count = 0;
    int result = 0;

    memset(group, 0, sizeof *group);
    for (size_t i = 0; result == 0 && controllers[i] != NULL && count < CGROUP_PARTS; i++) {
        struct cgroup_place place;
        result = cgroup_find(getpid(), controllers[i], &place);
        if (result < 0) {
            bool old =
                strcmp(controllers[i], "freezer") == 0 || strcmp(controllers[i], "cpuacct") == 0;
            result = result == -ENOENT && old ? 0 : result;
        } else if (place.version == 2) {
            later[count++] = controllers[i];
            result = climb(&place, controllers[i]);
            if (highest.version == 0 || strlen(place.path) < strlen(highest.path))
                highest = place;
        } else {
            result = add(group, &place, name, controllers[i]);
            if (result == 0 && strcmp(controllers[i], "cpuset") == 0)
                result = copy_cpuset(place.path, group->parts[group->count - 1].folder);
        }
    }
    for (size_t i = 0; result == 0 && i < count; i++)
        result = add(group, &highest, name, later[i]);
    if (result != 0)
        cgroup_remove(group);
    return result;
}

int cgroup_birthplace(const struct cgroup *group)
{
    size_t i = 0;

    while (i < group->count && group->parts[i].version != 2)
        i++;
    return i < group->count ? group->parts[i].folder : -1;
}

int cgroup_join(const struct cgroup *group, pid_t pid)
{
    char text[32];
    int result = 0;

    sprintf(text, "%d", pid);
    for (size_t i = 0; i < group->count && result == 0; i++)
        result = group_write(group->parts[i].path, "cgroup.procs", text);
    return result;
}

/* --- limits
 * --------------------------------------------------------------------------------------- */

int cgroup_write(const struct cgroup *group, const char *file, const char *value)
{
    int result = -ENOENT;

    /* The file tells by being there: a hierarchy has the files of its own controllers only. */
    for (size_t i = 0; i < group->count; i++) {
        const struct cgroup_part *part = &group->parts[i];
        char name[64], changed[64];
        int wrote;
        if (part->version == 1 && cgroup_v1_name(file, value, name, changed) == 0)
            wrote = file_write(part->folder, name, changed);
        else
            wrote = file_write(part->folder, file, value);
        if (wrote != -ENOENT && (result == -ENOENT || wrote < 0))
            result = wrote;
    }
    return result;
}

ssize_t cgroup_read(const struct cgroup *group, const char *file, char *text, size_t size)
{
    ssize_t length = -ENOENT;

    for (size_t i = 0; i < group->count && length == -ENOENT; i++) {
        char name[64], changed[64];
        bool old = group->parts[i].version == 1 && cgroup_v1_name(file, NULL, name, changed) == 0;
        length = file_read(group->parts[i].folder, old ? name : file, text, size);
    }
    return length;
}

int cgroup_v1_name(const char *file, const char *value, char name[64], char v1_value[64])
{
    /* Pairs, one after the other. */
    static const char *const pairs[] = {
        "memory.max",     "memory.limit_in_bytes",
        "memory.current", "memory.usage_in_bytes",
        "memory.peak",    "memory.max_usage_in_bytes",
        "cpu.weight",     "cpu.shares",
        "cgroup.freeze",  "freezer.state",
    };
    static const char *const same[] = {"memory.stat", "pids.max",    "pids.current",
                                       "pids.events", "cpuset.cpus", "cpuset.mems",
                                       "cpu.stat",    "cgroup.procs"};

    name[0] = '\0';
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i += 2)
        if (strcmp(file, pairs[i]) == 0)
            strcpy(name, pairs[i + 1]);
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        if (strcmp(file, same[i]) == 0)
            strcpy(name, file);
    if (name[0] == '\0')
        return -ENOENT;
    if (value == NULL)
        value = "";
    snprintf(v1_value, 64, "%s", value);
    if (strcmp(name, "cpu.shares") == 0 && *value != '\0')
        snprintf(v1_value, 64, "%.0f", strtod(value, NULL) * 10.24);
    if (strcmp(name, "freezer.state") == 0 && *value != '\0')
        strcpy(v1_value, *value == '1' ? "FROZEN" : "THAWED");
    if (strcmp(name, "memory.limit_in_bytes") == 0 && strcmp(value, "max") == 0)
        strcpy(v1_value, "-1");
    return 0;
}

int cgroup_hide(void)
{
    int result = unshare(CLONE_NEWCGROUP);

    return result < 0 ? -errno : result;
}

/* --- the end
 * -------------------------------------------------------------------------------------- */

/* Waits until the file of the part says so. The kernel wakes who polls cgroup.events; version 1 has
 * nothing like it. */
static int await(const struct cgroup_part *part, const char *file, const char *words, long deadline)
{
    int fd = openat(part->folder, file, O_RDONLY | O_CLOEXEC), result = 0;
    char text[256];

    if (fd < 0)
        return -errno;
    for (;;) {
        ssize_t length = pread(fd, text, sizeof text - 1, 0);
        if (length < 0)
            result = -errno;
        text[length < 0 ? 0 : length] = '\0';
        long left = deadline - clock_ms();
        if (result < 0 || strstr(text, words) != NULL)
            break;
        if (left <= 0) {
            result = -ETIMEDOUT;
            break;
        }
        struct pollfd change = {fd, POLLPRI, 0};
        poll(part->version == 2 ? &change : NULL, part->version == 2,
             part->version == 2 ? (int)left : 1);
    }
    close(fd);
    return result;
}

int cgroup_freeze(const struct cgroup *group, bool frozen)
{
    long deadline = clock_ms() + PATIENCE_MS;
    int result = cgroup_write(group, "cgroup.freeze", frozen ? "1" : "0");

    for (size_t i = 0; result == 0 && i < group->count; i++) {
        const struct cgroup_part *part = &group->parts[i];
        if (part->version == 2)
            result = await(part, "cgroup.events", frozen ? "frozen 1" : "frozen 0", deadline);
        else if (faccessat(part->folder, "freezer.state", F_OK, 0) == 0)
            result = await(part, "freezer.state", frozen ? "FROZEN" : "THAWED", deadline);
    }
    return result;
}

static int kill_listed(int folder)
{
    char line[32];
    int count = 0, fd;

    file_write(folder, "freezer.state", "THAWED"); /* in version 1 nobody dies frozen */
    fd = openat(folder, "cgroup.procs", O_RDONLY | O_CLOEXEC);
    FILE *list = fd < 0 ? NULL : fdopen(fd, "r");
    if (list == NULL)
        return -errno;
    while (fgets(line, sizeof line, list) != NULL) {
        if (atoi(line) > 0)
            kill(atoi(line), SIGKILL);
        count++;
    }
    fclose(list);
    return count;
}

int cgroup_kill(const struct cgroup *group)
{
    long deadline = clock_ms() + PATIENCE_MS;

    cgroup_write(group, "pids.max", "0"); /* from here on nobody forks */
    for (;;) {
        int left = 0;
        for (size_t i = 0; i < group->count; i++) {
            int count = groups_each(group->parts[i].folder, kill_listed);
            if (count < 0)
                return count;
            left += count;
        }
        if (left == 0)
            return 0;
        if (clock_ms() >= deadline)
            return -ETIMEDOUT;
        poll(NULL, 0, 1);
    }
}

/* Removes the group, those below it first. */
static int remove_tree(const char *path)
{
    DIR *dir = opendir(path);
    char below[PATH_MAX + 260];

    for (struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;)
        if (e->d_type == DT_DIR && e->d_name[0] != '.') {
            snprintf(below, sizeof below, "%s/%s", path, e->d_name);
            remove_tree(below);
        }
    if (dir != NULL)
        closedir(dir);
    return rmdir(path) < 0 && errno != ENOENT ? -errno : 0;
}

int cgroup_remove(struct cgroup *group)
{
    long deadline = clock_ms() + PATIENCE_MS;
    int worst = 0;

    for (size_t i = 0; i < group->count; i++) {
        int result;
        while ((result = remove_tree(group->parts[i].path)) == -EBUSY && clock_ms() < deadline)
            poll(NULL, 0, 2);
        if (result < 0)
            worst = result;
        if (group->parts[i].folder >= 0)
            close(group->parts[i].folder);
    }
    *group = (struct cgroup){.count = 0};
    return worst;
}
