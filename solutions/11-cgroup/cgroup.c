/* Lab 11: a control group. The contract is cgroup.h. */
#include "11-cgroup/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "11-cgroup/given_files.h"
#include "11-cgroup/given_mounts.h"

/* How long the kernel may take to do what it was asked. */
enum { DEADLINE_MS = 1000 };

/* BEGIN SOLUTION step 1 helper */
static bool file_has(const char *folder, const char *file, const char *word)
{
    char path[PATH_MAX + 64], text[256];

    snprintf(path, sizeof path, "%s/%s", folder, file);
    return file_read(AT_FDCWD, path, text, sizeof text) > 0 && list_has(text, word);
}
/* END SOLUTION */

/* --- which versions, which group -------------------------------------------------------------- */

/* BEGIN SOLUTION step 1 helper */
/* What has been seen of the mounts so far. */
struct hierarchies {
    bool v1, v2;
};

static int note_hierarchy(void *arg, const struct mount_line *mount)
{
    struct hierarchies *seen = arg;

    if (strcmp(mount->type, "cgroup2") == 0)
        seen->v2 = true;
    else if (strcmp(mount->type, "cgroup") == 0 && strstr(mount->super, "name=") == NULL)
        seen->v1 = true;
    return 0;
}
/* END SOLUTION */

int cgroup_mode(void)
{
    /* BEGIN SOLUTION step 1
     * TODO(step 1): mounts_each (given_mounts.h) shows you every mount. Type "cgroup2" is version
     * 2; type "cgroup" is version 1, if its super block's options name a controller: systemd keeps
     * a hierarchy of its own that has none. What of a machine with both?
     */
    struct hierarchies seen = {0};
    int result = mounts_each(note_hierarchy, &seen);

    if (result < 0)
        return result;
    if (seen.v1)
        return seen.v2 ? CGROUP_HYBRID : CGROUP_V1;
    return seen.v2 ? CGROUP_V2 : CGROUP_NONE;
    /* END SOLUTION */
}

/* BEGIN SOLUTION step 1 helper */
/* What is looked for: the group `path` of the hierarchy that has `controller`. */
struct search {
    const char *controller;
    int version;
    char path[PATH_MAX];
    struct cgroup_place *place;
};

/* Lines are "4:memory:/a/b" and "0::/a/b". The path may hold ":", so only two of them count. */
static int find_line(pid_t pid, struct search *search)
{
    char name[64], *line = NULL;
    size_t size = 0;

    snprintf(name, sizeof name, "/proc/%d/cgroup", pid);
    FILE *file = fopen(name, "re");
    if (file == NULL)
        return errno == ENOENT ? -ESRCH : -errno;
    while (search->version != 1 && getline(&line, &size, file) > 0) {
        char *path = line;
        const char *number = strsep(&path, ":"), *controllers = strsep(&path, ":");
        if (path == NULL)
            continue;
        bool v2 = strcmp(number, "0") == 0 && controllers[0] == '\0';
        if (v2 || list_has(controllers, search->controller)) {
            search->version = v2 ? 2 : 1;
            snprintf(search->path, sizeof search->path, "%.*s", (int)strcspn(path, "\n"), path);
        }
    }
    free(line);
    fclose(file);
    return search->version == 0 ? -ENOENT : 0;
}

/* The part of `path` below `root`, or NULL when it is not below it: "/a" is not above "/ab". */
static const char *below(const char *path, const char *root)
{
    size_t length = strcmp(root, "/") == 0 ? 0 : strlen(root);

    if (strncmp(path, root, length) != 0 || (path[length] != '/' && path[length] != '\0'))
        return NULL;
    return strcmp(path + length, "/") == 0 ? "" : path + length;
}

static int try_mount(void *arg, const struct mount_line *mount)
{
    struct search *search = arg;
    bool right =
        search->version == 2
            ? strcmp(mount->type, "cgroup2") == 0 &&
                  file_has(mount->target, "cgroup.controllers", search->controller)
            : strcmp(mount->type, "cgroup") == 0 && list_has(mount->super, search->controller);
    const char *rest = right ? below(search->path, mount->root) : NULL;

    if (rest == NULL)
        return 0;
    search->place->version = search->version;
    int wrote = snprintf(search->place->path, PATH_MAX, "%s%s", mount->target, rest);
    return wrote < PATH_MAX ? 1 : -ENAMETOOLONG;
}
/* END SOLUTION */

int cgroup_find(pid_t pid, const char *controller, struct cgroup_place *place)
{
    /* BEGIN SOLUTION step 1
     * TODO(step 1): two files have to be put together. /proc/PID/cgroup says which group, as a path
     *               within the hierarchy; mountinfo says which folder of the hierarchy (root) is
     *               mounted where (target). What if root is "/a" and the path "/ab/c"?
     */
    struct search search = {.controller = controller, .place = place};
    int result = find_line(pid, &search);

    if (result < 0)
        return result;
    result = mounts_each(try_mount, &search);
    return result < 0 ? result : result == 0 ? -ENOENT : 0;
    /* END SOLUTION */
}

int cgroup_bound(pid_t pid, const char *controller, const char *file, uint64_t *bound)
{
    /* BEGIN SOLUTION step 4
     * TODO(step 4): begin at the group that cgroup_find gives, and go up folder by folder for as
     * long as there is a cgroup.procs. The smallest number on the way binds, whoever wrote it.
     * Version 1 calls the file by another name: cgroup_v1_name.
     */
    char path[PATH_MAX + 64], text[64], name[64], v1_value[64];
    struct cgroup_place place;
    int result = cgroup_find(pid, controller, &place);

    if (result < 0)
        return result;
    snprintf(name, sizeof name, "%s", file);
    if (place.version == 1)
        cgroup_v1_name(file, NULL, name, v1_value);
    *bound = UINT64_MAX;
    do {
        snprintf(path, sizeof path, "%s/%s", place.path, name);
        if (file_read(AT_FDCWD, path, text, sizeof text) <= 0 || text[0] < '0' || text[0] > '9')
            continue; /* no such file, or "max" */
        uint64_t here = strtoull(text, NULL, 10);
        if (here < *bound && here < (uint64_t)1 << 62)
            *bound = here;
    } while (group_above(place.path));
    return 0;
    /* END SOLUTION */
}

/* --- making one ------------------------------------------------------------------------------- */

/* BEGIN SOLUTION step 2 helper */
/* Whether the group hands these controllers down to its children, or does so from now on. All that
 * are missing are asked for in one write: the kernel takes all of them or none. */
static int hand_down(const char *path, const char *const *controllers)
{
    char text[256] = "", file[PATH_MAX + 32];
    size_t length = 0;

    for (; *controllers != NULL; controllers++)
        if (!file_has(path, "cgroup.subtree_control", *controllers))
            length += (size_t)snprintf(text + length, sizeof text - length, "+%s ", *controllers);
    if (length == 0)
        return 0;
    snprintf(file, sizeof file, "%s/cgroup.subtree_control", path);
    return file_write(AT_FDCWD, file, text);
}

/* Makes the group's folder below `parent` and opens it. */
static int make_part(struct cgroup *group, int version, const char *parent, const char *name)
{
    struct cgroup_part *part = &group->parts[group->count];

    if (group->count == CGROUP_PARTS)
        return -E2BIG;
    *part = (struct cgroup_part){.version = version, .folder = -1};
    if (snprintf(part->path, PATH_MAX, "%s/%s", parent, name) >= PATH_MAX)
        return -ENAMETOOLONG;
    if (mkdir(part->path, 0755) < 0)
        return -errno;
    group->count++; /* from here on cgroup_remove takes it away again */
    part->folder = open(part->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return part->folder < 0 ? -errno : 0;
}

/* Below the nearest group, from ours at `place` upwards, below which it can stand. That ours has
 * processes (EBUSY) is no news; what the next one says is the reason if there is none. */
static int make_v2(struct cgroup *group, struct cgroup_place *place, const char *name,
                   const char *const *controllers)
{
    int why = -EACCES;

    do {
        int result = hand_down(place->path, controllers);
        if (result == 0)
            result = make_part(group, 2, place->path, name);
        if (result == 0 || group->count > 0 || result == -EEXIST)
            return result;
        if (result != -EBUSY)
            why = result;
    } while (group_above(place->path));
    return why;
}

static int copy_file(const char *from, int to, const char *file)
{
    char path[PATH_MAX + 64], text[1024];

    snprintf(path, sizeof path, "%s/%s", from, file);
    ssize_t length = file_read(AT_FDCWD, path, text, sizeof text);
    return length < 0 ? (int)length : file_write(to, file, text);
}

static int make_v1(struct cgroup *group, const struct cgroup_place *place, const char *name,
                   const char *controller)
{
    struct cgroup_part *part = group->parts;
    size_t length = strlen(place->path);
    int result = 0;

    /* Several controllers may be mounted together (cpu,cpuacct): then there is a part already. */
    while (part < group->parts + group->count &&
           (strncmp(part->path, place->path, length) != 0 || part->path[length] != '/' ||
            strcmp(part->path + length + 1, name) != 0))
        part++;
    if (part == group->parts + group->count)
        result = make_part(group, 1, place->path, name);
    if (result < 0)
        return result;
    length = strlen(part->controllers);
    snprintf(part->controllers + length, sizeof part->controllers - length, "%s ", controller);
    if (strcmp(controller, "cpuset") == 0) {
        result = copy_file(place->path, part->folder, "cpuset.cpus");
        if (result == 0)
            result = copy_file(place->path, part->folder, "cpuset.mems");
    }
    return result;
}

static int make_parts(struct cgroup *group, const char *name, const char *const *controllers)
{
    const char *v2[CGROUP_PARTS + 1] = {NULL};
    struct cgroup_place place, v2_place;
    size_t count = 0;

    for (; *controllers != NULL; controllers++) {
        bool v1_only = strcmp(*controllers, "freezer") == 0 || strcmp(*controllers, "cpuacct") == 0;
        int result = cgroup_find(getpid(), *controllers, &place);
        if (result == -ENOENT && v1_only)
            continue;
        if (result == 0 && place.version == 1)
            result = make_v1(group, &place, name, *controllers);
        if (result < 0)
            return result;
        if (place.version == 2 && count < CGROUP_PARTS) {
            v2[count++] = *controllers;
            v2_place = place;
        }
    }
    if (count == 0)
        return 0;
    int result = make_v2(group, &v2_place, name, v2);
    char *list = group->parts[group->count - (result == 0)].controllers;
    for (size_t i = 0; result == 0 && i < count; i++)
        snprintf(list + strlen(list), sizeof group->parts->controllers - strlen(list), "%s ",
                 v2[i]);
    return result;
}
/* END SOLUTION */

int cgroup_create(const char *name, const char *const *controllers, struct cgroup *group)
{
    *group = (struct cgroup){.count = 0};
    /* BEGIN SOLUTION step 2
     * TODO(step 2): for each controller cgroup_find says where our own group is, and in which
     * version. Version 1: mkdir(2) below it, one folder a hierarchy. Version 2: one folder in all,
     * but below a group that hands the controllers down ("+memory +pids" written to
     * cgroup.subtree_control), which a group with processes may not (EBUSY): go up until one does.
     * Open each folder. If anything fails: cgroup_remove.
     */
    int result = make_parts(group, name, controllers);

    if (result < 0)
        cgroup_remove(group);
    return result;
    /* END SOLUTION */
}

int cgroup_birthplace(const struct cgroup *group)
{
    /* BEGIN SOLUTION step 2 return -1
     * TODO(step 2): the fd of the part of version 2, if there is one.
     */
    for (size_t i = 0; i < group->count; i++)
        if (group->parts[i].version == 2)
            return group->parts[i].folder;
    return -1;
    /* END SOLUTION */
}

int cgroup_join(const struct cgroup *group, pid_t pid)
{
    /* BEGIN SOLUTION step 2
     * TODO(step 2): write the pid, as text, to cgroup.procs of every part.
     */
    char text[16];
    int result = 0;

    snprintf(text, sizeof text, "%d", pid);
    for (size_t i = 0; result == 0 && i < group->count; i++)
        result = file_write(group->parts[i].folder, "cgroup.procs", text);
    return result;
    /* END SOLUTION */
}

/* --- limits ------------------------------------------------------------------------------------
 */

/* BEGIN SOLUTION step 3 helper */
/* Whether this part is the one that answers for `file`: the word before the dot is its controller.
 */
static bool answers_for(const struct cgroup_part *part, const char *file)
{
    char controller[64];

    snprintf(controller, sizeof controller, "%.*s", (int)strcspn(file, "."), file);
    if (part->version == 1 && strcmp(file, "cgroup.freeze") == 0)
        return list_has(part->controllers, "freezer");
    return strcmp(controller, "cgroup") == 0 || list_has(part->controllers, controller);
}

/* The file's name and value in this part. Version 1 may know it by none of its own. */
static void translate(const struct cgroup_part *part, const char *file, const char *value,
                      char name[64], char text[64])
{
    if (part->version == 1 && cgroup_v1_name(file, value, name, text) == 0)
        return;
    snprintf(name, 64, "%s", file);
    snprintf(text, 64, "%s", value);
}
/* END SOLUTION */

int cgroup_write(const struct cgroup *group, const char *file, const char *value)
{
    /* BEGIN SOLUTION step 3
     * TODO(step 3): "pids.max" belongs to the part that has the controller "pids"; "cgroup.procs"
     * to all of them. What if no part has the file at all?
     */
    char name[64], text[64];
    int result = -ENOENT;

    for (size_t i = 0; i < group->count; i++) {
        if (!answers_for(&group->parts[i], file))
            continue;
        translate(&group->parts[i], file, value, name, text);
        int wrote = file_write(group->parts[i].folder, name, text);
        if (wrote == 0 && result == -ENOENT)
            result = 0;
        else if (wrote < 0 && wrote != -ENOENT)
            result = wrote;
    }
    return result;
    /* END SOLUTION */
}

ssize_t cgroup_read(const struct cgroup *group, const char *file, char *text, size_t size)
{
    /* BEGIN SOLUTION step 3
     * TODO(step 3): the same for reading: the first part that has the file.
     */
    char name[64], none[64];
    ssize_t result = -ENOENT;

    for (size_t i = 0; result == -ENOENT && i < group->count; i++) {
        if (!answers_for(&group->parts[i], file))
            continue;
        translate(&group->parts[i], file, "", name, none);
        result = file_read(group->parts[i].folder, name, text, size);
    }
    return result;
    /* END SOLUTION */
}

int cgroup_v1_name(const char *file, const char *value, char name[64], char v1_value[64])
{
    /* BEGIN SOLUTION step 7
     * TODO(step 7): a table of two columns, and three files whose values change as well. The kernel
     *               turns a weight into shares by weight * 1024 / 100, to the nearest.
     */
    static const struct {
        const char *v2, *v1;
    } names[] = {
        {"memory.max", "memory.limit_in_bytes"},
        {"memory.current", "memory.usage_in_bytes"},
        {"memory.peak", "memory.max_usage_in_bytes"},
        {"memory.stat", "memory.stat"},
        {"pids.max", "pids.max"},
        {"pids.current", "pids.current"},
        {"pids.events", "pids.events"},
        {"cpu.weight", "cpu.shares"},
        {"cpu.stat", "cpu.stat"},
        {"cpuset.cpus", "cpuset.cpus"},
        {"cpuset.mems", "cpuset.mems"},
        {"cgroup.procs", "cgroup.procs"},
        {"cgroup.freeze", "freezer.state"},
    };
    size_t i = 0, count = sizeof names / sizeof *names;

    while (i < count && strcmp(names[i].v2, file) != 0)
        i++;
    if (i == count)
        return -ENOENT;
    snprintf(name, 64, "%s", names[i].v1);
    if (value == NULL)
        v1_value[0] = '\0';
    else if (strcmp(file, "memory.max") == 0 && strcmp(value, "max") == 0)
        snprintf(v1_value, 64, "-1");
    else if (strcmp(file, "cpu.weight") == 0)
        snprintf(v1_value, 64, "%lu", (strtoul(value, NULL, 10) * 1024 + 50) / 100);
    else if (strcmp(file, "cgroup.freeze") == 0)
        snprintf(v1_value, 64, "%s", strcmp(value, "1") == 0 ? "FROZEN" : "THAWED");
    else
        snprintf(v1_value, 64, "%s", value);
    return 0;
    /* END SOLUTION */
}

/* --- seeing itself as the root ------------------------------------------------------------------
 */

int cgroup_hide(void)
{
    /* BEGIN SOLUTION step 5
     * TODO(step 5): unshare(2) with the flag of cgroup_namespaces(7). The group that we are in now
     *               becomes "/": so this is of no use before joining.
     */
    return unshare(CLONE_NEWCGROUP) < 0 ? -errno : 0;
    /* END SOLUTION */
}

/* --- freezing, killing, removing ----------------------------------------------------------------
 */

/* BEGIN SOLUTION step 8 helper */
/* Whether the kernel has done it: asked for is not done yet. */
static bool is_frozen(const struct cgroup *group, bool frozen)
{
    char text[128];

    for (size_t i = 0; i < group->count; i++) {
        const struct cgroup_part *part = &group->parts[i];
        const char *wanted = frozen ? "frozen 1" : "frozen 0";
        if (part->version == 1 && !list_has(part->controllers, "freezer"))
            continue;
        if (part->version == 1)
            wanted = frozen ? "FROZEN" : "THAWED";
        const char *file = part->version == 1 ? "freezer.state" : "cgroup.events";
        if (file_read(part->folder, file, text, sizeof text) < 0 || strstr(text, wanted) == NULL)
            return false;
    }
    return true;
}
/* END SOLUTION */

int cgroup_freeze(const struct cgroup *group, bool frozen)
{
    /* BEGIN SOLUTION step 8
     * TODO(step 8): cgroup_write to cgroup.freeze. That only asks: cgroup.events (version 1:
     *               freezer.state) says when it is so.
     */
    long deadline = clock_ms() + DEADLINE_MS;
    int result = cgroup_write(group, "cgroup.freeze", frozen ? "1" : "0");

    while (result == 0 && !is_frozen(group, frozen))
        if (!clock_pause(deadline))
            return -ETIMEDOUT;
    return result;
    /* END SOLUTION */
}

/* BEGIN SOLUTION step 6 helper */
/* Kills what is in one group; returns how many that were. */
static int kill_members(int folder)
{
    int fd = openat(folder, "cgroup.procs", O_RDONLY | O_CLOEXEC), count = 0;
    FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
    int pid;

    if (file == NULL)
        return -errno;
    for (; fscanf(file, "%d", &pid) == 1; count++)
        if (pid > 0) /* 0: a process that our PID namespace has no number for */
            kill(pid, SIGKILL);
    fclose(file);
    return count;
}

/* Each group within may be frozen by itself. */
static int thaw(int folder)
{
    file_write(folder, "freezer.state", "THAWED"); /* version 1: elsewhere there is no such file */
    file_write(folder, "cgroup.freeze", "0");
    return 0;
}

/* Folders of groups hold nothing that unlink(2) could take away: only what is a group goes. */
static int remove_below(int folder)
{
    int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = copy < 0 ? NULL : fdopendir(copy);
    int result = 0;

    if (list == NULL)
        return -errno;
    for (struct dirent *entry; (entry = readdir(list)) != NULL;)
        if (entry->d_type == DT_DIR && entry->d_name[0] != '.' &&
            unlinkat(folder, entry->d_name, AT_REMOVEDIR) < 0)
            result = -errno;
    closedir(list);
    return result;
}
/* END SOLUTION */

int cgroup_kill(const struct cgroup *group)
{
    /* BEGIN SOLUTION step 6
     * TODO(step 6): "1" to cgroup.kill (version 2, since Linux 5.14) ends all at once. Without it:
     * kill each pid of cgroup.procs, here and below, and again until there are none; what forks
     * meanwhile cannot if it is frozen. In version 1 what is frozen does not even die before it is
     * thawed.
     */
    long deadline = clock_ms() + DEADLINE_MS;
    bool at_once = cgroup_write(group, "cgroup.kill", "1") == 0;

    for (;;) {
        int count = 0;
        if (!at_once)
            cgroup_write(group, "cgroup.freeze", "1");
        for (size_t i = 0; i < group->count; i++) {
            int members = groups_each(group->parts[i].folder, kill_members);
            if (members < 0)
                return members;
            count += members;
        }
        for (size_t i = 0; !at_once && i < group->count; i++)
            groups_each(group->parts[i].folder, thaw);
        if (count == 0)
            return 0;
        if (!clock_pause(deadline))
            return -ETIMEDOUT;
    }
    /* END SOLUTION */
}

int cgroup_remove(struct cgroup *group)
{
    /* BEGIN SOLUTION step 6
     * TODO(step 6): rmdir(2), the groups within first. EBUSY may only mean that the dead have not
     * left yet: try again for a while. Close the fds whatever happens.
     */
    long deadline = clock_ms() + DEADLINE_MS;
    int result = 0;

    for (size_t i = 0; i < group->count; i++) {
        struct cgroup_part *part = &group->parts[i];
        int gone = 0;
        do {
            if (part->folder >= 0)
                groups_each(part->folder, remove_below);
            gone = rmdir(part->path) < 0 && errno != ENOENT ? -errno : 0;
        } while (gone == -EBUSY && clock_pause(deadline));
        if (gone < 0)
            result = gone;
        if (part->folder >= 0)
            close(part->folder);
    }
    group->count = 0;
    return result;
    /* END SOLUTION */
}
