/* Gives mount(2) short names by symbolic links in a tmpfs, which is gone afterwards; asks for each
 * path anew what the layers show, from the root down; knows a mount by the id that openat finds. */
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

/* A link called `name`, where we stand, to where `path` leads from `from`. */
static int make_link(int from, const char *path, const char *name)
{
    char text[PATH_MAX], there[32];
    int fd = openat(from, path, O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    snprintf(there, sizeof there, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(there, text, sizeof text - 1);
    int result = length < 0 ? -errno : 0;
    if (result == 0) {
        text[length] = '\0';
        result = symlink(text, name) < 0 ? -errno : 0;
    }
    close(fd);
    return result;
}

/* Mounts the overlay at the folder "merged" of the tmpfs that we stand in. */
static int mount_here(const struct overlay *overlay, int from, bool user)
{
    char options[4096] = "lowerdir=";
    int result = mkdir("merged", 0700) < 0 ? -errno : 0;

    for (int i = 0; result == 0 && overlay->lowers[i] != NULL; i++) {
        char name[16];
        snprintf(name, sizeof name, "%d", i);
        result = make_link(from, overlay->lowers[i], name);
        if (strlen(options) > sizeof options - 64)
            return -E2BIG;
        strcat(strcat(options, i > 0 ? ":" : ""), name);
    }
    if (result == 0 && overlay->upper != NULL) {
        result = make_link(from, overlay->upper, "upper");
        if (result == 0)
            result = make_link(from, overlay->work, "work");
        strcat(options, ",upperdir=upper,workdir=work");
    }
    if (user)
        strcat(options, ",userxattr");
    if (result == 0 && mount("overlay", "merged", "overlay", 0, options) < 0)
        result = -errno;
    return result;
}

int overlay_mount(const struct overlay *overlay, const char *target)
{
    bool user = overlay_attributes(overlay->upper != NULL ? overlay->upper : target) != 0;
    int tree = -1, result;

    if (overlay->upper != NULL && overlay->work == NULL)
        return -EINVAL;
    int from = open(".", O_PATH | O_CLOEXEC), place = open(target, O_PATH | O_CLOEXEC);
    if (from < 0 || place < 0 || mount("names", target, "tmpfs", 0, "mode=0700") < 0) {
        result = -errno;
    } else {
        int top = openat(from, target, O_PATH | O_CLOEXEC);
        result = top < 0 || fchdir(top) < 0 ? -errno : mount_here(overlay, from, user);
        if (result == 0 && (tree = open_tree(AT_FDCWD, "merged", OPEN_TREE_CLONE | O_CLOEXEC)) < 0)
            result = -errno;
        if (fchdir(from) < 0 && result == 0)
            result = -errno;
        umount2(target, MNT_DETACH);
        if (result == 0 && move_mount(tree, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH) < 0)
            result = -errno;
        close(top);
    }
    for (int i = 0; i < 3; i++)
        if ((int[]){from, place, tree}[i] >= 0)
            close((int[]){from, place, tree}[i]);
    return result;
}

/* --- the marks ------------------------------------------------------------------------------- */

static int try(const char *folder, const char *name)
{
    if (setxattr(folder, name, "", 0, 0) < 0)
        return -errno;
    return removexattr(folder, name) < 0 ? -errno : 0;
}

int overlay_attributes(const char *folder)
{
    if (try(folder, "trusted.strata-try") == 0)
        return 0;
    int result = try(folder, "user.strata-try");

    return result == 0 ? 1 : result;
}

int overlay_hide(int parent, const char *name)
{
    return syscall(SYS_mknodat, parent, name, S_IFCHR, 0) < 0 ? -errno : 0;
}

int overlay_replace(int folder)
{
    char path[32];

    snprintf(path, sizeof path, "/proc/self/fd/%d", folder);
    if (setxattr(path, "trusted.overlay.opaque", "y", 1, 0) < 0 && errno != EPERM)
        return -errno;
    return setxattr(path, "user.overlay.opaque", "y", 1, 0) < 0 ? -errno : 0;
}

/* --- what changed ---------------------------------------------------------------------------- */

static bool has_mark(const char *path)
{
    char value[16];

    return (lgetxattr(path, "user.overlay.opaque", value, sizeof value) == 1 && *value == 'y') ||
           (lgetxattr(path, "trusted.overlay.opaque", value, sizeof value) == 1 && *value == 'y');
}

/* What a layer makes of a path: hides all below it (-1), has nothing (0), has it (1). */
static int layer_has(const char *layer, const char *path, struct stat *st)
{
    char full[2 * PATH_MAX];
    size_t length = strlen(layer);

    strcpy(full, layer);
    for (const char *at = path; *at != '\0';) {
        size_t part = 1 + strcspn(at + 1, "/");
        memcpy(full + length, at, part);
        length += part;
        full[length] = '\0';
        at += part;
        if (lstat(full, st) < 0)
            return 0;
        if (S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0))
            return -1;
        if (!S_ISDIR(st->st_mode) && *at != '\0')
            return -1;
    }
    return 1;
}

/* Is the path itself, or a folder around it, opaque in the layer? */
static bool ends_here(const char *layer, const char *path)
{
    char full[2 * PATH_MAX];
    size_t start = strlen(layer);

    snprintf(full, sizeof full, "%s%s", layer, path);
    for (char *slash = strchr(full + start + 1, '/'); slash != NULL;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        bool opaque = has_mark(full);
        *slash = '/';
        if (opaque)
            return true;
    }
    return has_mark(full);
}

static bool lowers_have(const struct overlay *overlay, const char *path, struct stat *st)
{
    bool found = false;

    for (size_t i = 0; overlay->lowers[i] != NULL; i++) {
        struct stat here;
        int has = layer_has(overlay->lowers[i], path, &here);
        if (has < 0)
            break;
        if (has > 0) {
            *st = here;
            found = true;
            break; /* the topmost is all that matters */
        }
        if (ends_here(overlay->lowers[i], path))
            break;
    }
    return found;
}

static int walk(struct changes *changes, const struct overlay *overlay, const char *path,
                bool replaced);

static int compare(struct changes *changes, const struct overlay *overlay, const char *path,
                   bool replaced)
{
    char full[2 * PATH_MAX];
    struct stat old = {0}, new = {0};
    bool before = lowers_have(overlay, path, &old);
    bool after = layer_has(overlay->upper, path, &new) > 0;
    int result = 0;

    snprintf(full, sizeof full, "%s%s", overlay->upper, path);
    if (!after)
        return before ? changes_add(changes, OVERLAY_DELETED, path) : 0;
    if (S_ISDIR(new.st_mode) && has_mark(full))
        replaced = true;
    if (!before)
        result = changes_add(changes, OVERLAY_ADDED, path);
    else if (!S_ISDIR(new.st_mode) || replaced || old.st_mode != new.st_mode ||
             old.st_uid != new.st_uid || old.st_gid != new.st_gid)
        result = changes_add(changes, OVERLAY_CHANGED, path);
    if (result < 0 || !S_ISDIR(new.st_mode))
        return result;
    return walk(changes, overlay, path, replaced && before && S_ISDIR(old.st_mode));
}

static int walk(struct changes *changes, const struct overlay *overlay, const char *path,
                bool replaced)
{
    struct names names = {0};
    int result = names_read(&names, overlay->upper, path);

    for (size_t i = 0; result == 0 && replaced && overlay->lowers[i] != NULL; i++) {
        int more = names_read(&names, overlay->lowers[i], path);
        result = more == -ENOENT || more == -ENOTDIR ? 0 : more;
    }
    for (size_t i = 0; result == 0 && i < names.count; i++) {
        char *below;
        if (asprintf(&below, "%s/%s", path, names.list[i]) < 0)
            result = -ENOMEM;
        else
            result = compare(changes, overlay, below, replaced);
        if (result != -ENOMEM)
            free(below);
    }
    names_free(&names);
    return result;
}

int overlay_diff(const struct overlay *overlay,
                 int (*report)(void *arg, enum overlay_kind kind, const char *path), void *arg)
{
    struct changes changes = {0};
    int result = overlay->upper == NULL ? -EINVAL : 0;

    for (size_t i = 0; result == 0 && overlay->lowers[i] != NULL; i++)
        result = access(overlay->lowers[i], X_OK) < 0 ? -errno : 0;
    if (result == 0)
        result = walk(&changes, overlay, "", false);
    if (result == 0)
        result = changes_report(&changes, report, arg);
    changes_free(&changes);
    return result;
}

/* --- a container's folders ------------------------------------------------------------------- */

static int make(const char *path, unsigned mode)
{
    return mkdir(path, 0700) < 0 || chmod(path, mode) < 0 ? -errno : 0;
}

int overlay_create(const char *folder, const char *lower)
{
    char *paths[3] = {NULL};
    struct stat like;
    int result = stat(lower, &like) < 0 ? -errno : make(folder, 0755);

    if (result < 0)
        return result;
    for (int i = 0; i < 3 && result == 0; i++)
        if (asprintf(&paths[i], "%s/%s", folder, (const char *[]){"upper", "work", "merged"}[i]) <
            0)
            result = -ENOMEM;
        else
            result = make(paths[i], i == 0 ? like.st_mode & 07777 : 0755);
    /* A folder keeps its bits when its owner changes. */
    if (result == 0 && lchown(paths[0], like.st_uid, like.st_gid) < 0 && errno != EPERM &&
        errno != EINVAL)
        result = -errno;
    for (int i = 0; i < 3; i++)
        free(paths[i]);
    if (result < 0)
        overlay_remove(folder);
    return result;
}

/* The mount that an open file was found on. */
static long mount_of(int fd)
{
    struct statx st;

    return statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &st) < 0 ? -1 : (long)st.stx_mnt_id;
}

static int remove_all(int parent, const char *name, long mount)
{
    char there[40];
    struct names names = {0};
    int found = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;

    if (found < 0 || fstat(found, &st) < 0)
        return -errno;
    int result = mount >= 0 && mount_of(found) != mount ? -EBUSY : 0;
    int fd = -1;
    if (result == 0 && S_ISDIR(st.st_mode)) {
        snprintf(there, sizeof there, "/proc/self/fd/%d", found);
        if ((st.st_mode & 0700) != 0700)
            (void)chmod(there, 0700);
        fd = open(there, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        result = fd < 0 ? -errno : names_of(&names, fd);
    } else if (result == 0 && mount < 0) {
        result = -ENOTDIR;
    }
    for (size_t i = 0; result == 0 && i < names.count; i++)
        result = remove_all(fd, names.list[i], mount_of(fd));
    names_free(&names);
    if (result == 0 && unlinkat(parent, name, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0) < 0)
        result = -errno;
    if (fd >= 0)
        close(fd);
    close(found);
    return result;
}

int overlay_remove(const char *folder)
{
    int result = remove_all(AT_FDCWD, folder, -1);

    return result == -ENOENT ? 0 : result;
}
