/* Another way: open folders in place of paths (openat(2), "..", fstatfs(2)), the version by the
 * file system's magic number, signals by pidfd. */
#include "11-cgroup/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { TRIES = 500 };

static void closed(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}
#define autofd __attribute__((cleanup(closed))) int

static void nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
}

/* --- files relative to a folder -----------------------------------------------------------------
 */

static ssize_t get(int folder, const char *file, char *text, size_t size)
{
    autofd fd = openat(folder, file, O_RDONLY | O_CLOEXEC);
    size_t length = 0;
    ssize_t got = 1;

    if (fd < 0)
        return -errno;
    while (length < size - 1 && (got = read(fd, text + length, size - 1 - length)) > 0)
        length += (size_t)got;
    if (got < 0)
        return -errno;
    while (length > 0 && text[length - 1] == '\n')
        length--;
    text[length] = '\0';
    return (ssize_t)length;
}

static int put(int folder, const char *file, const char *text)
{
    autofd fd = openat(folder, file, O_WRONLY | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    return write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

/* Whether `word` is one of the words of `list`. */
static bool among(const char *list, const char *word)
{
    char copy[4096], *rest = copy, *each;

    snprintf(copy, sizeof copy, "%s", list);
    while ((each = strsep(&rest, " ,\n")) != NULL)
        if (strcmp(each, word) == 0)
            return true;
    return false;
}

/* 2, 1, or 0 for what is no control group at all. */
static int version_of(int folder)
{
    struct statfs fs;

    if (fstatfs(folder, &fs) < 0)
        return 0;
    return fs.f_type == CGROUP2_SUPER_MAGIC ? 2 : fs.f_type == CGROUP_SUPER_MAGIC ? 1 : 0;
}

/* The group above, or -1 when there is none in this hierarchy. */
static int parent_of(int folder)
{
    int above = openat(folder, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct stat a, b;

    if (above >= 0 && fstat(above, &a) == 0 && fstat(folder, &b) == 0 && a.st_dev == b.st_dev &&
        a.st_ino != b.st_ino && version_of(above) != 0)
        return above;
    closed(&above);
    return -1;
}

/* --- mounts -------------------------------------------------------------------------------------
 */

struct view {
    int version;
    char root[PATH_MAX], target[PATH_MAX], options[1024];
};

static void plain(char *text)
{
    char *to = text;

    for (; *text != '\0'; *to++ = *text++)
        if (text[0] == '\\' && strspn(text + 1, "01234567") >= 3) {
            text[3] = (char)((text[1] - '0') * 64 + (text[2] - '0') * 8 + (text[3] - '0'));
            text += 3;
        }
    *to = '\0';
}

/* The next mount of a hierarchy, whichever version. */
static bool next_view(FILE *list, struct view *view)
{
    static char line[3 * PATH_MAX];
    char type[64];

    while (fgets(line, sizeof line, list) != NULL) {
        const char *dash = strstr(line, " - ");
        if (dash == NULL ||
            sscanf(line, "%*s %*s %*s %4095s %4095s", view->root, view->target) != 2 ||
            sscanf(dash, " - %63s %*s %1023s", type, view->options) != 2 ||
            strncmp(type, "cgroup", 6) != 0)
            continue;
        plain(view->root);
        plain(view->target);
        autofd folder = open(view->target, O_PATH | O_DIRECTORY | O_CLOEXEC);
        view->version = folder < 0 ? 0 : version_of(folder);
        if (view->version != 0)
            return true;
    }
    return false;
}

/* Does a controller of this kernel stand among the options? */
static bool controls(const char *options)
{
    FILE *file = fopen("/proc/cgroups", "re");
    char line[256], name[64];
    bool found = false;

    while (file != NULL && !found && fgets(line, sizeof line, file) != NULL)
        found = line[0] != '#' && sscanf(line, "%63s", name) == 1 && among(options, name);
    if (file != NULL)
        fclose(file);
    return found;
}

int cgroup_mode(void)
{
    FILE *list = fopen("/proc/self/mountinfo", "re");
    struct view view;
    int seen = 0;

    if (list == NULL)
        return -errno;
    while (next_view(list, &view))
        if (view.version == 2 || controls(view.options))
            seen |= view.version;
    fclose(list);
    return (const int[]){CGROUP_NONE, CGROUP_V1, CGROUP_V2, CGROUP_HYBRID}[seen];
}

/* The path of pid's group in the hierarchy of this version that has the controller. */
static int path_of(pid_t pid, int version, const char *controller, char path[PATH_MAX])
{
    char name[64], line[PATH_MAX + 256];

    snprintf(name, sizeof name, "/proc/%d/cgroup", (int)pid);
    FILE *file = fopen(name, "re");
    if (file == NULL)
        return errno == ENOENT ? -ESRCH : -errno;
    int result = -ENOENT;
    while (result != 0 && fgets(line, sizeof line, file) != NULL) {
        char *list = strchr(line, ':') + 1, *colon = strchr(list, ':');
        *colon = '\0';
        line[strcspn(line, "\n")] = '\0';
        colon[1 + strcspn(colon + 1, "\n")] = '\0';
        if (version == 2 ? line[0] == '0' && list[0] == '\0' : among(list, controller)) {
            snprintf(path, PATH_MAX, "%s", colon + 1);
            result = 0;
        }
    }
    fclose(file);
    return result;
}

/* Whether this view shows the group; then where. */
static bool shows(const struct view *view, const char *controller, const char *path,
                  struct cgroup_place *place)
{
    size_t length = strlen(view->root);
    char controllers[512];

    if (length == 1)
        length = 0;
    if (strncmp(path, view->root, length) != 0 || (path[length] != '\0' && path[length] != '/'))
        return false;
    if (view->version == 2) {
        autofd folder = open(view->target, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (get(folder, "cgroup.controllers", controllers, sizeof controllers) < 0 ||
            !among(controllers, controller))
            return false;
    } else if (!among(view->options, controller)) {
        return false;
    }
    place->version = view->version;
    return snprintf(place->path, PATH_MAX, "%s%s", view->target, path + length) < PATH_MAX;
}

int cgroup_find(pid_t pid, const char *controller, struct cgroup_place *place)
{
    char path[PATH_MAX];
    struct view view;
    int version = 1, result = path_of(pid, 1, controller, path);

    if (result == -ENOENT) {
        version = 2;
        result = path_of(pid, 2, controller, path);
    }
    if (result < 0)
        return result;
    FILE *list = fopen("/proc/self/mountinfo", "re");
    if (list == NULL)
        return -errno;
    result = -ENOENT;
    while (result != 0 && next_view(list, &view))
        if (view.version == version && shows(&view, controller, path, place))
            result = 0;
    fclose(list);
    return result;
}

int cgroup_bound(pid_t pid, const char *controller, const char *file, uint64_t *bound)
{
    struct cgroup_place place;
    char name[64], ignored[64], text[64];
    int result = cgroup_find(pid, controller, &place);

    if (result < 0)
        return result;
    if (place.version == 2 || cgroup_v1_name(file, NULL, name, ignored) < 0)
        snprintf(name, sizeof name, "%s", file);
    int folder = open(place.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return -errno;
    *bound = UINT64_MAX;
    while (folder >= 0) {
        if (get(folder, name, text, sizeof text) > 0 && strcmp(text, "max") != 0) {
            uint64_t here = strtoull(text, NULL, 10);
            /* Version 1 counts in pages: no limit is the last whole page below 2^63. */
            if (here < (uint64_t)INT64_MAX - 65536 && here < *bound)
                *bound = here;
        }
        int above = parent_of(folder);
        close(folder);
        folder = above;
    }
    return 0;
}

/* --- making -------------------------------------------------------------------------------------
 */

static int path_of_fd(int fd, char path[PATH_MAX])
{
    char link[64];

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length < 0)
        return -errno;
    path[length] = '\0';
    return 0;
}

static int add_part(struct cgroup *group, int above, int version, const char *name)
{
    struct cgroup_part *part = &group->parts[group->count];

    if (group->count == CGROUP_PARTS)
        return -E2BIG;
    if (mkdirat(above, name, 0755) < 0)
        return -errno;
    *part = (struct cgroup_part){.version = version};
    part->folder = openat(above, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int result = part->folder < 0 ? -errno : path_of_fd(part->folder, part->path);
    if (result < 0) {
        closed(&part->folder);
        unlinkat(above, name, AT_REMOVEDIR);
        return result;
    }
    group->count++;
    return 0;
}

static int inherit(int folder, const char *file)
{
    char above[64], text[4096];

    snprintf(above, sizeof above, "../%s", file);
    ssize_t length = get(folder, above, text, sizeof text);
    return length < 0 ? (int)length : put(folder, file, text);
}

static int add_v1(struct cgroup *group, const char *where, const char *name, const char *controller)
{
    autofd above = open(where, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct stat here, other;
    size_t i = 0;

    if (above < 0 || fstat(above, &here) < 0)
        return -errno;
    for (; i < group->count; i++) /* one hierarchy is one device */
        if (fstat(group->parts[i].folder, &other) == 0 && other.st_dev == here.st_dev)
            break;
    int result = i < group->count ? 0 : add_part(group, above, 1, name);
    if (result < 0)
        return result;
    char *list = group->parts[i].controllers;
    snprintf(list + strlen(list), 64 - strlen(list), "%s%s", *list != '\0' ? "," : "", controller);
    if (strcmp(controller, "cpuset") == 0 &&
        (result = inherit(group->parts[i].folder, "cpuset.cpus")) == 0)
        result = inherit(group->parts[i].folder, "cpuset.mems");
    return result;
}

/* Whether it hands all of them down, now or after it was asked. */
static int willing(int folder, const char *controllers)
{
    char text[512], wish[128] = "", copy[64], *rest = copy, *word;

    bool is_root = faccessat(folder, "cgroup.type", F_OK, 0) < 0;
    if (!is_root && get(folder, "cgroup.procs", text, sizeof text) > 0)
        return -EBUSY;
    if (get(folder, "cgroup.subtree_control", text, sizeof text) < 0)
        return -EACCES;
    snprintf(copy, sizeof copy, "%s", controllers);
    while ((word = strsep(&rest, ",")) != NULL)
        if (!among(text, word))
            snprintf(wish + strlen(wish), sizeof wish - strlen(wish), "+%s ", word);
    return wish[0] == '\0' ? 0 : put(folder, "cgroup.subtree_control", wish);
}

static int add_v2(struct cgroup *group, const char *where, const char *name,
                  const char *controllers)
{
    int folder = open(where, O_RDONLY | O_DIRECTORY | O_CLOEXEC), result = -EACCES;

    while (folder >= 0 && (result = willing(folder, controllers)) < 0) {
        int above = parent_of(folder);
        close(folder);
        folder = above;
    }
    if (folder < 0)
        return result == -EBUSY ? -EACCES : result;
    result = add_part(group, folder, 2, name);
    close(folder);
    if (result == 0)
        snprintf(group->parts[group->count - 1].controllers, 64, "%s", controllers);
    return result;
}

int cgroup_create(const char *name, const char *const *controllers, struct cgroup *group)
{
    char v2[64] = "", where[PATH_MAX] = "";
    struct cgroup_place place;
    int result = 0;

    *group = (struct cgroup){.count = 0};
    for (size_t i = 0; result == 0 && controllers[i] != NULL; i++) {
        const char *controller = controllers[i];
        result = cgroup_find(getpid(), controller, &place);
        if (result == 0 && place.version == 1) {
            result = add_v1(group, place.path, name, controller);
        } else if (result == 0) {
            snprintf(v2 + strlen(v2), sizeof v2 - strlen(v2), "%s%s", *v2 != '\0' ? "," : "",
                     controller);
            memcpy(where, place.path, sizeof where);
        } else if (result == -ENOENT && among("freezer cpuacct", controller)) {
            result = 0;
        }
    }
    if (result == 0 && v2[0] != '\0')
        result = add_v2(group, where, name, v2);
    if (result < 0)
        cgroup_remove(group);
    return result;
}

int cgroup_birthplace(const struct cgroup *group)
{
    for (const struct cgroup_part *p = group->parts; p < group->parts + group->count; p++)
        if (version_of(p->folder) == 2)
            return p->folder;
    return -1;
}

int cgroup_join(const struct cgroup *group, pid_t pid)
{
    char text[16];

    snprintf(text, sizeof text, "%d\n", (int)pid);
    for (const struct cgroup_part *p = group->parts; p < group->parts + group->count; p++) {
        int result = put(p->folder, "cgroup.procs", text);
        if (result < 0)
            return result;
    }
    return 0;
}

/* --- limits -------------------------------------------------------------------------------------
 */

/* What the part calls the file, or NULL when it is not its. */
static const char *named(const struct cgroup_part *part, const char *file, const char *value,
                         char name[64], char v1_value[64])
{
    char controller[64];

    if (part->version == 2 || cgroup_v1_name(file, value, name, v1_value) < 0) {
        snprintf(name, 64, "%s", file);
        snprintf(v1_value, 64, "%s", value != NULL ? value : "");
    }
    snprintf(controller, sizeof controller, "%s", name);
    controller[strcspn(controller, ".")] = '\0';
    return among("cgroup", controller) || among(part->controllers, controller) ? name : NULL;
}

int cgroup_write(const struct cgroup *group, const char *file, const char *value)
{
    char name[64], text[64];
    bool done = false;

    for (const struct cgroup_part *p = group->parts; p < group->parts + group->count; p++) {
        if (named(p, file, value, name, text) == NULL)
            continue;
        int result = put(p->folder, name, text);
        if (result < 0 && result != -ENOENT)
            return result;
        done = done || result == 0;
    }
    return done ? 0 : -ENOENT;
}

ssize_t cgroup_read(const struct cgroup *group, const char *file, char *text, size_t size)
{
    char name[64], none[64];

    for (const struct cgroup_part *p = group->parts; p < group->parts + group->count; p++) {
        ssize_t length =
            named(p, file, NULL, name, none) == NULL ? -ENOENT : get(p->folder, name, text, size);
        if (length != -ENOENT)
            return length;
    }
    return -ENOENT;
}

int cgroup_v1_name(const char *file, const char *value, char name[64], char v1_value[64])
{
    static const char same[] = "memory.stat pids.max pids.current pids.events cpuset.cpus "
                               "cpuset.mems cpu.stat cgroup.procs";
    const char *v1 = among(same, file) ? file : NULL;

    snprintf(v1_value, 64, "%s", value != NULL ? value : "");
    if (strcmp(file, "memory.current") == 0)
        v1 = "memory.usage_in_bytes";
    if (strcmp(file, "memory.peak") == 0)
        v1 = "memory.max_usage_in_bytes";
    if (strcmp(file, "memory.max") == 0) {
        v1 = "memory.limit_in_bytes";
        if (value != NULL && strcmp(value, "max") == 0)
            snprintf(v1_value, 64, "-1");
    }
    if (strcmp(file, "cpu.weight") == 0) {
        v1 = "cpu.shares";
        if (value != NULL)
            snprintf(v1_value, 64, "%ld", (atol(value) * 1024 * 2 + 100) / 200);
    }
    if (strcmp(file, "cgroup.freeze") == 0) {
        v1 = "freezer.state";
        if (value != NULL)
            snprintf(v1_value, 64, "%s", value[0] == '0' ? "THAWED" : "FROZEN");
    }
    if (v1 == NULL)
        return -ENOENT;
    snprintf(name, 64, "%s", v1);
    return 0;
}

int cgroup_hide(void)
{
    return syscall(SYS_unshare, CLONE_NEWCGROUP) < 0 ? -errno : 0;
}

/* --- the end ------------------------------------------------------------------------------------
 */

int cgroup_freeze(const struct cgroup *group, bool frozen)
{
    int result = cgroup_write(group, "cgroup.freeze", frozen ? "1" : "0");
    char text[256];

    for (int i = 0; result == 0 && i < TRIES; i++) {
        if (cgroup_read(group, "freezer.state", text, sizeof text) >= 0) {
            if (among(text, frozen ? "FROZEN" : "THAWED"))
                return 0;
        } else if (cgroup_read(group, "cgroup.events", text, sizeof text) < 0) {
            return -ENOENT;
        } else if (strstr(text, frozen ? "frozen 1" : "frozen 0") != NULL) {
            return 0;
        }
        nap();
    }
    return result < 0 ? result : -ETIMEDOUT;
}

/* What walk() does in a group, after it has been done in those below. */
enum deed { KILL, FREEZE, THAW, SWEEP };

static int kill_here(int folder)
{
    autofd fd = openat(folder, "cgroup.procs", O_RDONLY | O_CLOEXEC);
    FILE *list = fd < 0 ? NULL : fdopen(dup(fd), "r");
    char line[32];
    int count = 0;

    if (list == NULL)
        return -errno;
    for (; fgets(line, sizeof line, list) != NULL; count++) {
        autofd process = (int)syscall(SYS_pidfd_open, atoi(line), 0);
        if (process >= 0)
            syscall(SYS_pidfd_send_signal, process, SIGKILL, NULL, 0);
    }
    fclose(list);
    return count;
}

static int walk(int folder, enum deed deed)
{
    int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), sum = 0;
    DIR *dir = copy < 0 ? NULL : fdopendir(copy);

    if (dir == NULL)
        return -errno;
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        if (e->d_type != DT_DIR || strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        autofd below = openat(folder, e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        int count = below < 0 ? 0 : walk(below, deed);
        if (deed == SWEEP)
            unlinkat(folder, e->d_name, AT_REMOVEDIR);
        sum += count > 0 ? count : 0;
    }
    closedir(dir);
    if (deed == FREEZE || deed == THAW) {
        put(folder, "freezer.state", deed == THAW ? "THAWED" : "FROZEN");
        put(folder, "cgroup.freeze", deed == THAW ? "0" : "1");
    }
    return sum + (deed == KILL ? kill_here(folder) : 0);
}

static int all(const struct cgroup *group, enum deed deed)
{
    int sum = 0;

    for (const struct cgroup_part *p = group->parts; p < group->parts + group->count; p++)
        sum += walk(p->folder, deed);
    return sum;
}

int cgroup_kill(const struct cgroup *group)
{
    bool at_once = cgroup_write(group, "cgroup.kill", "1") == 0;

    for (int i = 0; i < TRIES; i++) {
        if (!at_once)
            all(group, FREEZE);
        int count = all(group, KILL);
        if (!at_once)
            all(group, THAW);
        if (count == 0)
            return 0;
        nap();
    }
    return -ETIMEDOUT;
}

int cgroup_remove(struct cgroup *group)
{
    int result = 0;

    while (group->count > 0) {
        struct cgroup_part *part = &group->parts[--group->count];
        autofd above = openat(part->folder, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
        const char *name = strrchr(part->path, '/') + 1;
        int gone = -EBUSY;
        for (int i = 0; gone == -EBUSY && i < TRIES; i++) {
            walk(part->folder, SWEEP);
            gone = unlinkat(above, name, AT_REMOVEDIR) < 0 ? -errno : 0;
            if (gone == -EBUSY)
                nap();
        }
        close(part->folder);
        if (gone < 0 && gone != -ENOENT)
            result = gone;
    }
    return result;
}
