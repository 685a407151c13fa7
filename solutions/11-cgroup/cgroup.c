/* Lab 11: a control group. The contract is cgroup.h. */
#include "11-cgroup/cgroup.h"

#include <ctype.h>
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
#include "11-cgroup/given_names.h"
#include "11-cgroup/given_parts.h"

/* How long the kernel may take to do what it was asked. */
enum { DEADLINE_MS = 1000 };

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
     *               2; type "cgroup" is version 1, if its super block's options name a controller:
     *               systemd keeps a hierarchy of its own that has none. What of a machine with
     *               both?
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
    char path[PATH_MAX];
    struct cgroup_place *place;
};

/* "4:memory:/a/b" or "0::/a/b". The path may hold ":", so only two of them count. A version 1
 * hierarchy that has the controller settles it. */
static int see_line(void *arg, char *line)
{
    struct search *search = arg;
    char *path = line;
    const char *number = strsep(&path, ":"), *controllers = strsep(&path, ":");
    bool v2 = strcmp(number, "0") == 0;

    if (path == NULL || (!v2 && !list_has(controllers, search->controller)))
        return 0;
    search->place->version = v2 ? 2 : 1;
    snprintf(search->path, sizeof search->path, "%s", path);
    return v2 ? 0 : 1;
}

/* The part of `path` below `root`, or NULL when it is not below it: "/a" is not above "/ab", nor
 * "/" above "/../a", which is outside of our cgroup namespace. */
static const char *below(const char *path, const char *root)
{
    size_t length = strcmp(root, "/") == 0 ? 0 : strlen(root);
    const char *rest = path + length;

    if (strncmp(path, root, length) != 0 || (*rest != '/' && *rest != '\0'))
        return NULL;
    if (strncmp(rest, "/..", 3) == 0 && (rest[3] == '/' || rest[3] == '\0'))
        return NULL;
    return strcmp(rest, "/") == 0 ? "" : rest;
}

static int see_mount(void *arg, const struct mount_line *mount)
{
    struct search *search = arg;
    struct cgroup_place *place = search->place;
    bool has_it =
        place->version == 2
            ? strcmp(mount->type, "cgroup2") == 0 &&
                  group_has(mount->target, "cgroup.controllers", search->controller)
            : strcmp(mount->type, "cgroup") == 0 && list_has(mount->super, search->controller);
    const char *rest = has_it ? below(search->path, mount->root) : NULL;

    if (rest == NULL)
        return 0;
    int length = snprintf(place->path, sizeof place->path, "%s%s", mount->target, rest);
    return length < (int)sizeof place->path ? 1 : -ENAMETOOLONG;
}
/* END SOLUTION */

int cgroup_find(pid_t pid, const char *controller, struct cgroup_place *place)
{
    /* BEGIN SOLUTION step 1
     * TODO(step 1): two files have to be put together. /proc/PID/cgroup (lines_each) says which
     *               group, as a path within the hierarchy; mountinfo (mounts_each) which folder of
     *               the hierarchy (root) is mounted where (target). What if root is "/a" and the
     *               path "/ab/c"?
     */
    struct search search = {.controller = controller, .place = place};
    char file[64];

    *place = (struct cgroup_place){.version = 0};
    snprintf(file, sizeof file, "/proc/%d/cgroup", pid);
    int result = lines_each(file, see_line, &search);
    if (result < 0)
        return result == -ENOENT ? -ESRCH : result;
    if (place->version == 0)
        return -ENOENT;
    result = mounts_each(see_mount, &search);
    return result < 0 ? result : result == 0 ? -ENOENT : 0;
    /* END SOLUTION */
}

int cgroup_bound(pid_t pid, const char *controller, const char *file, uint64_t *bound)
{
    /* BEGIN SOLUTION step 4
     * TODO(step 4): begin at the group that cgroup_find gives, and go up folder by folder
     *               (group_above). The smallest number on the way binds, whoever wrote it. Version
     *               1 calls the file by another name: cgroup_v1_name.
     */
    char text[64], name[64], v1_value[64];
    struct cgroup_place place;
    int result = cgroup_find(pid, controller, &place);

    if (result < 0)
        return result;
    snprintf(name, sizeof name, "%s", file);
    if (place.version == 1)
        cgroup_v1_name(file, NULL, name, v1_value);
    *bound = UINT64_MAX;
    do {
        /* No such file, or "max", is no limit; nor is version 1's number just below 2^63. */
        uint64_t here = UINT64_MAX;
        if (group_read(place.path, name, text, sizeof text) > 0 && isdigit(text[0]))
            here = strtoull(text, NULL, 10);
        if (here < *bound && here < (uint64_t)1 << 62)
            *bound = here;
    } while (group_above(place.path));
    return 0;
    /* END SOLUTION */
}

/* --- making one ------------------------------------------------------------------------------- */

/* BEGIN SOLUTION step 2 helper */
static int make_folder(struct cgroup *group, const struct cgroup_place *above, const char *name,
                       const char *controller)
{
    char path[PATH_MAX];

    if (snprintf(path, sizeof path, "%s/%s", above->path, name) >= (int)sizeof path)
        return -ENAMETOOLONG;
    if (!part_there(group, path) && mkdir(path, 0755) < 0)
        return -errno;
    return part_add(group, above->version, path, controller);
}

/* Asks a group of version 2 to hand these controllers down. The kernel does all that one write asks
 * for, or nothing, and does not mind what is so already. A group with processes (the root, which
 * has no cgroup.type, excepted) must not even be asked: for memory it says EBUSY, but pids alone it
 * would hand down, and then let no process into the groups below. */
static int hand_down(const char *path, const char *const *controllers)
{
    char text[256] = "";

    if (group_read(path, "cgroup.type", text, sizeof text) >= 0 &&
        group_read(path, "cgroup.procs", text, sizeof text) != 0)
        return -EBUSY;
    text[0] = '\0';
    for (; *controllers != NULL; controllers++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "+%s ", *controllers);
    return group_write(path, "cgroup.subtree_control", text);
}

/* Below the nearest group, from ours upwards, that hands the controllers down. */
static int make_v2(struct cgroup *group, struct cgroup_place *above, const char *name,
                   const char *const *controllers)
{
    int result;

    while ((result = hand_down(above->path, controllers)) < 0)
        if (!group_above(above->path)) /* a group with processes is all that we see */
            return result == -EBUSY ? -EACCES : result;
    for (; result == 0 && *controllers != NULL; controllers++)
        result = make_folder(group, above, name, *controllers);
    return result;
}

static bool in_v1_only(const char *controller)
{
    return strcmp(controller, "freezer") == 0 || strcmp(controller, "cpuacct") == 0;
}
/* END SOLUTION */

int cgroup_create(const char *name, const char *const *controllers, struct cgroup *group)
{
    *group = (struct cgroup){.count = 0};
    /* BEGIN SOLUTION step 2
     * TODO(step 2): for each controller cgroup_find says where our own group is, and in which
     *               version. Version 1: mkdir(2) below it, one folder a hierarchy. Version 2: one
     *               folder in all, but below a group that hands the controllers down ("+memory
     *               +pids" written to cgroup.subtree_control), which a group with processes in
     *               cgroup.procs may not: go up until one does. part_add (given_parts.h) keeps
     * account of the folders. If anything fails: cgroup_remove.
     */
    const char *v2[CGROUP_PARTS + 1] = {NULL};
    struct cgroup_place place, v2_place;
    size_t count = 0;
    int result = 0;

    for (; result == 0 && *controllers != NULL && count < CGROUP_PARTS; controllers++) {
        result = cgroup_find(getpid(), *controllers, &place);
        if (result == -ENOENT && in_v1_only(*controllers)) {
            result = 0;
        } else if (result == 0 && place.version == 1) {
            result = make_folder(group, &place, name, *controllers);
        } else if (result == 0) {
            v2[count++] = *controllers;
            v2_place = place;
        }
    }
    if (result == 0 && count > 0)
        result = make_v2(group, &v2_place, name, v2);
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

/* --- limits ----------------------------------------------------------------------------------- */

/* BEGIN SOLUTION step 3 helper */
/* Whether `file` is for this part to answer: the word before the dot is the controller. Then its
 * name there, and `*value` as version 1 wants it (in `text`), if that differs. */
static bool answers(const struct cgroup_part *part, const char *file, const char **value,
                    char name[64], char text[64])
{
    char controller[64];

    snprintf(name, 64, "%s", file);
    if (part->version == 1 && cgroup_v1_name(file, *value, name, text) == 0 &&
        strcmp(name, file) != 0)
        *value = text;
    snprintf(controller, sizeof controller, "%.*s", (int)strcspn(name, "."), name);
    return strcmp(controller, "cgroup") == 0 || list_has(part->controllers, controller);
}
/* END SOLUTION */

int cgroup_write(const struct cgroup *group, const char *file, const char *value)
{
    /* BEGIN SOLUTION step 3
     * TODO(step 3): "pids.max" belongs to the part that has the controller "pids"; "cgroup.procs"
     *               to all of them. What if no part has the file at all?
     */
    char name[64], text[64];
    int result = -ENOENT;

    for (size_t i = 0; i < group->count; i++) {
        const char *here = value;
        if (!answers(&group->parts[i], file, &here, name, text))
            continue;
        int wrote = file_write(group->parts[i].folder, name, here);
        if (wrote < 0 && wrote != -ENOENT)
            return wrote;
        if (wrote == 0)
            result = 0;
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
    const char *value = NULL;
    ssize_t result = -ENOENT;

    for (size_t i = 0; result == -ENOENT && i < group->count; i++)
        if (answers(&group->parts[i], file, &value, name, none))
            result = file_read(group->parts[i].folder, name, text, size);
    return result;
    /* END SOLUTION */
}

int cgroup_v1_name(const char *file, const char *value, char name[64], char v1_value[64])
{
    /* BEGIN SOLUTION step 7
     * TODO(step 7): v1_file (given_names.h) knows the name. Of three files the value changes as
     *               well; the kernel turns a weight into shares by weight * 1024 / 100, to the
     *               nearest.
     */
    const char *v1 = v1_file(file);

    if (v1 == NULL)
        return -ENOENT;
    snprintf(name, 64, "%s", v1);
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

/* --- seeing itself as the root ---------------------------------------------------------------- */

int cgroup_hide(void)
{
    /* BEGIN SOLUTION step 5
     * TODO(step 5): unshare(2) with the flag of cgroup_namespaces(7). The group that we are in now
     *               becomes "/": so this is of no use before joining.
     */
    return unshare(CLONE_NEWCGROUP) < 0 ? -errno : 0;
    /* END SOLUTION */
}

/* --- freezing, killing, removing -------------------------------------------------------------- */

/* BEGIN SOLUTION step 8 helper */
/* Whether the kernel has done it: asked for is not done yet. */
static bool is_frozen(const struct cgroup *group, bool frozen)
{
    char text[128];

    if (cgroup_read(group, "cgroup.events", text, sizeof text) > 0 &&
        strstr(text, frozen ? "frozen 1" : "frozen 0") == NULL)
        return false;
    return cgroup_read(group, "freezer.state", text, sizeof text) <= 0 ||
           strcmp(text, frozen ? "FROZEN" : "THAWED") == 0;
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
/* Kills what is in one group; returns how many that were. A frozen process of version 1 dies when
 * it is thawed, and one that is not frozen may fork before the list has been read: so both. */
static int kill_members(int folder)
{
    int pid, count = 0;

    file_write(folder, "freezer.state", "FROZEN"); /* each version knows only one of the files */
    file_write(folder, "cgroup.freeze", "1");
    int fd = openat(folder, "cgroup.procs", O_RDONLY | O_CLOEXEC);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
    if (file == NULL)
        return -errno;
    for (; fscanf(file, "%d", &pid) == 1; count++)
        if (pid > 0) /* 0: a process that our PID namespace has no number for */
            kill(pid, SIGKILL);
    fclose(file);
    file_write(folder, "freezer.state", "THAWED");
    file_write(folder, "cgroup.freeze", "0");
    return count;
}
/* END SOLUTION */

int cgroup_kill(const struct cgroup *group)
{
    /* BEGIN SOLUTION step 6
     * TODO(step 6): "1" to cgroup.kill (version 2, since Linux 5.14) ends all at once. Without it:
     *               kill each pid of cgroup.procs, here and below (groups_each), and again until
     *               there are none; what is frozen meanwhile cannot fork. In version 1 what is
     *               frozen does not even die before it is thawed.
     */
    long deadline = clock_ms() + DEADLINE_MS;
    int members;

    cgroup_write(group, "cgroup.kill", "1"); /* not everywhere; and it does not wait */
    do {
        members = 0;
        for (size_t i = 0; i < group->count; i++) {
            int count = groups_each(group->parts[i].folder, kill_members);
            if (count < 0)
                return count;
            members += count;
        }
    } while (members > 0 && clock_pause(deadline));
    return members > 0 ? -ETIMEDOUT : 0;
    /* END SOLUTION */
}

int cgroup_remove(struct cgroup *group)
{
    /* BEGIN SOLUTION step 6
     * TODO(step 6): rmdir(2), the groups within first (groups_each and group_clear). EBUSY may only
     *               mean that the dead have not left yet: try again for a while. Close the fds
     *               whatever happens.
     */
    long deadline = clock_ms() + DEADLINE_MS;
    int result = 0;

    for (size_t i = 0; i < group->count; i++) {
        struct cgroup_part *part = &group->parts[i];
        int gone;
        do {
            groups_each(part->folder, group_clear);
            gone = rmdir(part->path) < 0 && errno != ENOENT ? -errno : 0;
        } while (gone == -EBUSY && clock_pause(deadline));
        if (gone < 0)
            result = gone;
        close(part->folder);
    }
    group->count = 0;
    return result;
    /* END SOLUTION */
}
