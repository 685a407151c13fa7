/* Mounts by fsopen and fsconfig, with fds where the kernel takes them; compares two whole trees,
 * before and after; knows a mount below by its id in statx. */
#include "06-overlayfs/overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "06-overlayfs/given_lists.h"

/* --- the mount ------------------------------------------------------------------------------- */

static int set_layer(int context, const char *key, const char *path)
{
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int result = fd < 0 || fsconfig(context, FSCONFIG_SET_FD, key, NULL, fd) < 0 ? -errno : 0;

    if (fd >= 0)
        close(fd);
    return result;
}

static int set_text(int context, const char *key, const char *value)
{
    return fsconfig(context, value != NULL ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, key, value,
                    0) < 0
               ? -errno
               : 0;
}

static int configure(int context, const struct overlay *overlay, bool user)
{
    int result = 0;

    for (size_t i = 0; result == 0 && overlay->lowers[i] != NULL; i++)
        result = set_layer(context, "lowerdir+", overlay->lowers[i]);
    if (result == 0 && overlay->upper != NULL)
        result = overlay->work == NULL ? -EINVAL : set_layer(context, "upperdir", overlay->upper);
    if (result == 0 && overlay->upper != NULL)
        result = set_layer(context, "workdir", overlay->work);
    if (result == 0 && user)
        result = set_text(context, "userxattr", NULL);
    if (result == 0 && fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
        result = -errno;
    return result;
}

static int mount_new(const struct overlay *overlay, const char *target, bool user)
{
    int context = fsopen("overlay", FSOPEN_CLOEXEC);
    if (context < 0)
        return -errno;
    int result = configure(context, overlay, user);
    if (result == 0) {
        int fd = fsmount(context, FSMOUNT_CLOEXEC, 0);
        if (fd < 0 || move_mount(fd, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH) < 0)
            result = -errno;
        if (fd >= 0)
            close(fd);
    }
    close(context);
    return result;
}

/* Before 6.13 layers cannot be given as fds: by their names in /proc then. */
static int mount_old(const struct overlay *overlay, const char *target, bool user)
{
    const char *paths[256] = {NULL};
    char options[4096] = "";
    int fds[256], result = 0;
    size_t count = 0, used = 0, opened = 0;

    for (; count < 250 && overlay->lowers[count] != NULL; count++)
        paths[count] = overlay->lowers[count];
    paths[count] = overlay->upper;
    paths[count + 1] = overlay->upper != NULL ? overlay->work : NULL;
    for (; result == 0 && paths[opened] != NULL && used < sizeof options - 64; opened++) {
        fds[opened] = open(paths[opened], O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fds[opened] < 0) {
            result = -errno;
            break;
        }
        used += (size_t)sprintf(options + used, "%s/proc/self/fd/%d",
                                opened == 0       ? "lowerdir="
                                : opened < count  ? ":"
                                : opened == count ? ",upperdir="
                                                  : ",workdir=",
                                fds[opened]);
    }
    if (user)
        strcpy(options + used, ",userxattr");
    if (result == 0 && mount("overlay", target, "overlay", 0, options) < 0)
        result = -errno;
    while (opened > 0)
        close(fds[--opened]);
    return result;
}

int overlay_mount(const struct overlay *overlay, const char *target)
{
    bool user = overlay_attributes(overlay->upper != NULL ? overlay->upper : target) != 0;

    if (overlay->upper != NULL && overlay->work == NULL)
        return -EINVAL;
    int result = mount_new(overlay, target, user);
    return result == 0 || access(target, F_OK) < 0 ? result : mount_old(overlay, target, user);
}

/* --- the marks ------------------------------------------------------------------------------- */

int overlay_attributes(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int kind = -1;

    if (fd < 0)
        return -errno;
    if (fsetxattr(fd, "trusted.overlay.try", "", 0, XATTR_CREATE) == 0)
        kind = 0;
    else if (fsetxattr(fd, "user.overlay.try", "", 0, XATTR_CREATE) == 0)
        kind = 1;
    int result = kind < 0 ? -errno : kind;
    if (kind >= 0)
        fremovexattr(fd, kind == 0 ? "trusted.overlay.try" : "user.overlay.try");
    close(fd);
    return result;
}

int overlay_hide(int parent, const char *name)
{
    char path[PATH_MAX];

    snprintf(path, sizeof path, "/proc/self/fd/%d/%s", parent, name);
    return mknod(path, S_IFCHR | 0600, 0) == 0 ? 0 : -errno;
}

int overlay_replace(int folder)
{
    int result = 0;

    if (fsetxattr(folder, "user.overlay.opaque", "y", 1, 0) < 0)
        result = -errno;
    if (fsetxattr(folder, "trusted.overlay.opaque", "y", 1, 0) < 0 && errno != EPERM)
        result = -errno;
    return result;
}

/* --- what changed: two whole trees ------------------------------------------------------------ */

struct node {
    char *path;
    mode_t mode;
    uid_t uid;
    gid_t gid;
    bool own;  /* of the topmost layer given           */
    bool anew; /* opaque there, or in an opaque folder */
};

struct tree {
    struct node *list;
    size_t count, room;
};

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct node *)a)->path, ((const struct node *)b)->path);
}

static bool opaque(const char *path)
{
    char value[2];

    return (lgetxattr(path, "user.overlay.opaque", value, 2) == 1 && value[0] == 'y') ||
           (lgetxattr(path, "trusted.overlay.opaque", value, 2) == 1 && value[0] == 'y');
}

static int grow(struct tree *tree, const struct node *node)
{
    if (tree->count == tree->room) {
        size_t room = tree->room == 0 ? 64 : 2 * tree->room;
        struct node *list = reallocarray(tree->list, room, sizeof *list);
        if (list == NULL)
            return -ENOMEM;
        tree->list = list;
        tree->room = room;
    }
    tree->list[tree->count] = *node;
    tree->list[tree->count].path = strdup(node->path);
    return tree->list[tree->count++].path == NULL ? -ENOMEM : 0;
}

/* Merges the folder `path` of layers[0..count) into the tree. own[i]: layer i is the upper. */
static int merge(struct tree *tree, const char *path, const char *const *layers, size_t count,
                 const char *upper, bool anew)
{
    struct names names = {0};
    int result = 0;

    for (size_t i = 0; result == 0 && i < count; i++)
        result = names_read(&names, layers[i], path);
    for (size_t n = 0; result == 0 && n < names.count; n++) {
        const char **below = calloc(count + 1, sizeof *below);
        struct node node = {.anew = anew};
        size_t used = 0;
        bool found = false;
        char full[PATH_MAX];
        if (below == NULL || asprintf(&node.path, "%s/%s", path, names.list[n]) < 0)
            return -ENOMEM;
        for (size_t i = 0; result == 0 && i < count; i++) {
            struct stat st;
            if (snprintf(full, sizeof full, "%s%s", layers[i], node.path) >= (int)sizeof full)
                result = -ENAMETOOLONG;
            else if (lstat(full, &st) < 0)
                continue;
            bool folder = S_ISDIR(st.st_mode);
            if ((S_ISCHR(st.st_mode) && st.st_rdev == 0) || (found && !folder))
                break;
            if (!found) {
                node.mode = st.st_mode;
                node.uid = st.st_uid;
                node.gid = st.st_gid;
                node.own = layers[i] == upper;
            }
            found = true;
            if (!folder)
                break;
            below[used++] = layers[i];
            if (opaque(full)) {
                node.anew |= layers[i] == upper;
                break;
            }
        }
        if (result == 0 && found)
            result = grow(tree, &node);
        if (result == 0 && found && S_ISDIR(node.mode))
            result = merge(tree, node.path, below, used, upper, node.own && node.anew);
        free(node.path);
        free(below);
    }
    names_free(&names);
    return result;
}

static int tree_of(struct tree *tree, const struct overlay *overlay, bool with_upper)
{
    size_t count = 0;
    int result = 0;

    while (overlay->lowers[count] != NULL)
        count++;
    const char **layers = calloc(count + 1, sizeof *layers);
    if (layers == NULL)
        return -ENOMEM;
    if (with_upper)
        layers[0] = overlay->upper;
    memcpy(layers + (with_upper ? 1 : 0), overlay->lowers, count * sizeof *layers);
    count += with_upper ? 1 : 0;
    result = merge(tree, "", layers, count, overlay->upper, false);
    free(layers);
    if (result == 0 && tree->count > 0)
        qsort(tree->list, tree->count, sizeof *tree->list, by_path);
    return result;
}

static void tree_free(struct tree *tree)
{
    for (size_t i = 0; i < tree->count; i++)
        free(tree->list[i].path);
    free(tree->list);
}

static const struct node *find(const struct tree *tree, const char *path)
{
    struct node key = {.path = (char *)path};

    return tree->count == 0 ? NULL
                            : bsearch(&key, tree->list, tree->count, sizeof *tree->list, by_path);
}

static bool went_along(const struct tree *after, const char *path)
{
    char folder[PATH_MAX];
    const struct node *node;

    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    *slash = '\0';
    return slash != folder && ((node = find(after, folder)) == NULL || !S_ISDIR(node->mode));
}

static bool changed(const struct node *old, const struct node *new)
{
    return new->own && (!S_ISDIR(new->mode) || new->anew || old->mode != new->mode ||
                        old->uid != new->uid || old->gid != new->gid);
}

int overlay_diff(const struct overlay *overlay,
                 int (*report)(void *arg, enum overlay_kind kind, const char *path), void *arg)
{
    struct tree before = {0}, after = {0};
    int result = overlay->upper == NULL ? -EINVAL : tree_of(&before, overlay, false);

    if (result == 0)
        result = tree_of(&after, overlay, true);
    for (size_t i = 0, j = 0; result == 0 && (i < before.count || j < after.count);) {
        int order = i == before.count  ? 1
                    : j == after.count ? -1
                                       : by_path(&before.list[i], &after.list[j]);
        if (order < 0) {
            if (!went_along(&after, before.list[i].path))
                result = report(arg, OVERLAY_DELETED, before.list[i].path);
        } else if (order > 0) {
            result = report(arg, OVERLAY_ADDED, after.list[j].path);
        } else if (changed(&before.list[i], &after.list[j])) {
            result = report(arg, OVERLAY_CHANGED, after.list[j].path);
        }
        i += order <= 0 ? 1 : 0;
        j += order >= 0 ? 1 : 0;
    }
    tree_free(&before);
    tree_free(&after);
    return result;
}

/* --- a container's folders ------------------------------------------------------------------- */

int overlay_create(const char *folder, const char *lower)
{
    static const char *const names[] = {"", "/upper", "/work", "/merged"};
    char path[PATH_MAX];
    struct stat like;
    int result = 0;

    if (stat(lower, &like) < 0 || mkdir(folder, 0755) < 0)
        return -errno;
    for (int i = 0; i < 4 && result == 0; i++) {
        if (snprintf(path, sizeof path, "%s%s", folder, names[i]) >= (int)sizeof path)
            result = -ENAMETOOLONG;
        else if ((i > 0 && mkdir(path, 0700) < 0) ||
                 (i == 1 && chown(path, like.st_uid, like.st_gid) < 0 && errno != EPERM &&
                  errno != EINVAL) ||
                 chmod(path, i == 1 ? like.st_mode & 07777 : 0755) < 0)
            result = -errno;
    }
    if (result < 0)
        overlay_remove(folder);
    return result;
}

static int remove_below(int parent, const char *name, uint64_t mount)
{
    struct statx st;
    struct names names = {0};

    if (statx(parent, name, AT_SYMLINK_NOFOLLOW, STATX_TYPE | STATX_MNT_ID, &st) < 0)
        return -errno;
    if (mount != 0 && st.stx_mnt_id != mount)
        return -EBUSY;
    if (!S_ISDIR(st.stx_mode))
        return mount == 0 ? -ENOTDIR : unlinkat(parent, name, 0) < 0 ? -errno : 0;
    (void)fchmodat(parent, name, 0700, AT_SYMLINK_NOFOLLOW);
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int result = fd < 0 ? -errno : names_of(&names, fd);
    for (size_t i = 0; result == 0 && i < names.count; i++)
        result = remove_below(fd, names.list[i], st.stx_mnt_id);
    names_free(&names);
    if (fd >= 0)
        close(fd);
    return result < 0 ? result : unlinkat(parent, name, AT_REMOVEDIR) < 0 ? -errno : 0;
}

int overlay_remove(const char *folder)
{
    int result = remove_below(AT_FDCWD, folder, 0);

    return result == -ENOENT ? 0 : result;
}
