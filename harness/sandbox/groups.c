#include "sandbox/groups.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sandbox/groupfs.h"
#include "sandbox/homes.h"

static int write_path(char path[PATH_MAX], const struct home *home, const char *run,
                      unsigned number)
{
    int wrote = snprintf(path, PATH_MAX, "%s/%s/room-%u", home->folder, run, number);

    return wrote < PATH_MAX ? 0 : -ENAMETOOLONG;
}

/* What cgroups(7), "Cgroups v2 delegation", hands over: the folder, and the files by which
 * processes and controllers are moved about. The limits themselves stay ours. */
static int hand_over(const char *folder, uid_t uid, gid_t gid)
{
    static const char *const files[] = {"cgroup.procs", "tasks", "cgroup.threads",
                                        "cgroup.subtree_control"};
    char path[PATH_MAX + 64];

    if (chown(folder, uid, gid) < 0)
        return -errno;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        if (chown(path, uid, gid) < 0 && errno != ENOENT) /* v1 has some of them, v2 others */
            return -errno;
    }
    return 0;
}

static int make_one(const struct home *home, const char *run, unsigned number, uid_t uid, gid_t gid,
                    pid_t pid)
{
    char parent[PATH_MAX], folder[PATH_MAX];
    int result = write_path(folder, home, run, number);

    if (result < 0)
        return result;
    snprintf(parent, sizeof parent, "%.*s", (int)(strrchr(folder, '/') - folder), folder);
    result = group_make(folder, parent, home_has(home, "cpuset"));
    if (result == 0)
        result = hand_over(folder, uid, gid);
    if (result == 0)
        result = group_write_number(folder, "cgroup.procs", (unsigned long long)pid);
    return result;
}

int groups_make(const char *run, unsigned number, uid_t uid, gid_t gid, pid_t pid, char *text,
                size_t size)
{
    static struct home homes[HOMES_MAX];
    size_t count = homes_find(homes), length = 0;

    text[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        int result = make_one(&homes[i], run, number, uid, gid, pid);
        if (result < 0) {
            groups_remove(run, number);
            return result;
        }
        length += (size_t)snprintf(text + length, size - length, "%s%s", length == 0 ? "" : " ",
                                   homes[i].v2 ? "v2" : homes[i].controllers);
        if (length >= size)
            return -E2BIG;
    }
    return count == 0 ? -ENOENT : 0;
}

void groups_remove(const char *run, unsigned number)
{
    static struct home homes[HOMES_MAX];
    char folder[PATH_MAX];
    size_t count = homes_find(homes);

    for (size_t i = 0; i < count; i++)
        if (write_path(folder, &homes[i], run, number) == 0)
            group_remove(folder);
}
