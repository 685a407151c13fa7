#include "sandbox/homes.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kernel/cgroup.h"
#include "kernel/mountinfo.h"
#include "kernel/own.h"

/* Our group's path, seen through a mount that may show only a part of the hierarchy. */
static bool below_mount(const struct kernel_mount *mount, const char *path, char *folder)
{
    size_t root = strcmp(mount->root, "/") == 0 ? 0 : strlen(mount->root);

    /* "/a" is above "/a" and "/a/b", not above "/ab". */
    if (strncmp(path, mount->root, root) != 0 || (path[root] != '/' && path[root] != '\0'))
        return false;
    int wrote = snprintf(folder, PATH_MAX, "%s%s", mount->target, path + root);
    return wrote > 0 && wrote < PATH_MAX;
}

static bool hands_down(const char *folder)
{
    char path[PATH_MAX + 32], text[256] = " ";

    snprintf(path, sizeof path, "%s/cgroup.subtree_control", folder);
    autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, text + 1, sizeof text - 3);
    if (got <= 0)
        return false;
    strcpy(text + 1 + strcspn(text + 1, "\n"), " ");
    return strstr(text, " memory ") != NULL && strstr(text, " pids ") != NULL;
}

/* A group with processes in it cannot hand anything down (but for the root), and ours has at least
 * one: us. Its parents may. */
static void climb(const char *top, char *folder)
{
    char at[PATH_MAX];
    size_t least = strlen(top);

    strcpy(at, folder);
    while (!hands_down(at) || access(at, W_OK) < 0) {
        char *slash = strrchr(at, '/');
        if (slash == NULL || (size_t)(slash - at) < least)
            return;
        *slash = '\0';
    }
    strcpy(folder, at);
}

/* The names among the options of a v1 hierarchy's super block that are controllers. */
static void name_controllers(const struct kernel_mount *mount, char controllers[HOME_CONTROLLERS])
{
    static const char *const names[] = {"cpu",  "cpuacct", "cpuset", "memory",
                                        "pids", "freezer", "blkio"};

    controllers[0] = '\0';
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t length = strlen(controllers);
        if (kernel_mount_has(mount->super, names[i]))
            snprintf(controllers + length, HOME_CONTROLLERS - length, "%s%s",
                     length == 0 ? "" : ",", names[i]);
    }
}

/* Our group in the hierarchy mounted there, or NULL when it is none that concerns us. */
static const struct kernel_cgroup *group_in(const struct kernel_mount *mount,
                                            const struct kernel_cgroups *groups, struct home *home)
{
    char first[HOME_CONTROLLERS];

    *home = (struct home){.v2 = strcmp(mount->fstype, "cgroup2") == 0};
    if (home->v2) {
        home->memory = home->processes = true;
        return kernel_cgroups_v2(groups);
    }
    if (strcmp(mount->fstype, "cgroup") != 0)
        return NULL;
    name_controllers(mount, home->controllers);
    home->memory = kernel_mount_has(mount->super, "memory");
    home->processes = kernel_mount_has(mount->super, "pids");
    snprintf(first, sizeof first, "%.*s", (int)strcspn(home->controllers, ","), home->controllers);
    return first[0] == '\0' ? NULL : kernel_cgroups_find(groups, first);
}

bool home_has(const struct home *home, const char *controller)
{
    return kernel_mount_has(home->controllers, controller);
}

size_t homes_find(struct home homes[HOMES_MAX])
{
    struct kernel_mounts mounts = {0};
    struct kernel_cgroups groups = {0};
    size_t count = 0;

    if (kernel_mounts_read(getpid(), &mounts) == 0 && kernel_cgroups_read(getpid(), &groups) == 0) {
        for (size_t i = 0; i < mounts.count && count < HOMES_MAX; i++) {
            const struct kernel_mount *mount = &mounts.list[i];
            struct home *home = &homes[count];
            const struct kernel_cgroup *group = group_in(mount, &groups, home);
            if (group == NULL || !below_mount(mount, group->path, home->folder))
                continue;
            if (home->v2)
                climb(mount->target, home->folder);
            count++;
        }
    }
    kernel_mounts_free(&mounts);
    kernel_cgroups_free(&groups);
    return count;
}
