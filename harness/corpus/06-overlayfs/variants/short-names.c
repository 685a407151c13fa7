/* Always stands in /proc/self/fd to mount, where a layer's name is a number; keeps all layers of a
 * folder open while it compares; removes without recursion; tries marks on a file without a name.
 */
#include "06-overlayfs/overlay.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "06-overlayfs/given_lists.h"

enum { MOST = 512 };

/* --- the mount ------------------------------------------------------------------------------- */

static int open_layer(const char *path, int *fds, size_t *count)
{
    int fd = *count == MOST ? -1 : open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return *count == MOST ? -E2BIG : -errno;
    fds[(*count)++] = fd;
    return 0;
}

int overlay_mount(const struct overlay *overlay, const char *target)
{
    char options[4096], place[32];
    FILE *text = fmemopen(options, sizeof options, "w");
    int fds[MOST] = {0}, result = 0;
    size_t count = 0;

    if (text == NULL || (overlay->upper != NULL && overlay->work == NULL)) {
        if (text != NULL)
            fclose(text);
        return -EINVAL;
    }
    bool user = overlay_attributes(overlay->upper != NULL ? overlay->upper : target) != 0;
    int here = open(".", O_PATH | O_CLOEXEC), there = open(target, O_PATH | O_CLOEXEC);
    if (here < 0 || there < 0)
        result = -errno;
    for (const char *const *lower = overlay->lowers; result == 0 && *lower != NULL; lower++) {
        if ((result = open_layer(*lower, fds, &count)) == 0)
            fprintf(text, "%s%d", count == 1 ? "lowerdir=" : ":", fds[count - 1]);
    }
    if (result == 0 && overlay->upper != NULL &&
        (result = open_layer(overlay->upper, fds, &count)) == 0 &&
        (result = open_layer(overlay->work, fds, &count)) == 0)
        fprintf(text, ",upperdir=%d,workdir=%d", fds[count - 2], fds[count - 1]);
    fprintf(text, "%s", user ? ",userxattr" : "");
    if (fclose(text) != 0 && result == 0)
        result = -E2BIG;
    snprintf(place, sizeof place, "/proc/self/fd/%d", there);
    if (result == 0 &&
        (chdir("/proc/self/fd") < 0 || mount("overlay", place, "overlay", 0, options) < 0))
        result = -errno;
    if (here >= 0 && fchdir(here) < 0 && result == 0)
        result = -errno;
    close(here);
    close(there);
    while (count > 0)
        close(fds[--count]);
    return result;
}

/* --- the marks ------------------------------------------------------------------------------- */

int overlay_attributes(const char *folder)
{
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    int result = -EOPNOTSUPP;

    if (fd < 0)
        return errno == EISDIR ? -EOPNOTSUPP : -errno;
    if (fsetxattr(fd, "trusted.overlay.opaque", "y", 1, 0) == 0)
        result = 0;
    else if (fsetxattr(fd, "user.overlay.opaque", "y", 1, 0) == 0)
        result = 1;
    close(fd);
    return result;
}

int overlay_hide(int parent, const char *name)
{
    if (mknodat(parent, name, S_IFCHR | 0644, 0) < 0)
        return -errno;
    return 0;
}

int overlay_replace(int folder)
{
    (void)fsetxattr(folder, "trusted.overlay.opaque", "y", 1, 0);
    return fsetxattr(folder, "user.overlay.opaque", "y", 1, 0) == 0 ? 0 : -errno;
}

/* --- what changed ---------------------------------------------------------------------------- */

static bool marked(int fd)
{
    char value[8];

    for (int i = 0; i < 2; i++) {
        const char *name = i == 0 ? "user.overlay.opaque" : "trusted.overlay.opaque";
        if (fgetxattr(fd, name, value, sizeof value) == 1 && value[0] == 'y')
            return true;
    }
    return false;
}

/* Folders of several layers at one path, open; stacks end with -1. */
static void close_stack(int *stack)
{
    for (size_t i = 0; stack[i] >= 0; i++)
        close(stack[i]);
    free(stack);
}

static int open_folder(int parent, const char *name)
{
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    return fd < 0 ? -errno : fd;
}

/* What the stack shows of `name`: *st, and *below, if that is a folder. 1 when something. */
static int shown(const int *stack, const char *name, struct stat *st, int **below)
{
    size_t count = 0, used = 0;
    int found = 0;

    while (stack[count] >= 0)
        count++;
    *below = malloc((count + 1) * sizeof **below);
    if (*below == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        struct stat here;
        if (fstatat(stack[i], name, &here, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        if (S_ISCHR(here.st_mode) && here.st_rdev == makedev(0, 0))
            break;
        if (!S_ISDIR(here.st_mode)) {
            if (!found)
                *st = here;
            found = 1;
            break;
        }
        if (!found)
            *st = here;
        found = 1;
        int fd = open_folder(stack[i], name);
        if (fd < 0) {
            found = fd;
            break;
        }
        (*below)[used++] = fd;
        if (marked(fd))
            break;
    }
    (*below)[used] = -1;
    return found;
}

static int compare(struct changes *changes, const char *path, int upper, const int *stack,
                   bool replaced)
{
    struct names names = {0};
    int result = names_of(&names, upper);

    for (size_t i = 0; result == 0 && replaced && stack[i] >= 0; i++)
        result = names_of(&names, stack[i]);
    for (size_t i = 0; result == 0 && i < names.count; i++) {
        const char *name = names.list[i];
        struct stat old = {0}, new = {0};
        char *full;
        int *below, fd = -1;
        if (asprintf(&full, "%s/%s", path, name) < 0)
            return -ENOMEM;
        int before = shown(stack, name, &old, &below);
        bool after = fstatat(upper, name, &new, AT_SYMLINK_NOFOLLOW) == 0 &&
                     !(S_ISCHR(new.st_mode) && new.st_rdev == 0);
        bool folder = after && S_ISDIR(new.st_mode);
        if (before < 0)
            result = before;
        if (result == 0 && folder)
            result = (fd = open_folder(upper, name)) < 0 ? fd : 0;
        bool anew = replaced || (fd >= 0 && marked(fd));
        if (result == 0 && before != (int)after)
            result = changes_add(changes, after ? OVERLAY_ADDED : OVERLAY_DELETED, full);
        else if (result == 0 && after &&
                 (!folder || anew || old.st_mode != new.st_mode || old.st_uid != new.st_uid ||
                  old.st_gid != new.st_gid))
            result = changes_add(changes, OVERLAY_CHANGED, full);
        if (result == 0 && folder)
            result = compare(changes, full, fd, below, anew);
        if (fd >= 0)
            close(fd);
        close_stack(below);
        free(full);
    }
    names_free(&names);
    return result;
}

int overlay_diff(const struct overlay *overlay,
                 int (*report)(void *arg, enum overlay_kind kind, const char *path), void *arg)
{
    struct changes changes = {0};
    size_t count = 0;
    int result = 0;

    if (overlay->upper == NULL)
        return -EINVAL;
    while (overlay->lowers[count] != NULL)
        count++;
    int *stack = malloc((count + 1) * sizeof *stack);
    int upper = open(overlay->upper, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (stack == NULL) {
        if (upper >= 0)
            close(upper);
        return -ENOMEM;
    }
    if (upper < 0)
        result = -errno;
    stack[0] = -1;
    for (size_t i = 0; result == 0 && i < count; i++) {
        stack[i] = open(overlay->lowers[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (stack[i] < 0)
            result = -errno;
        stack[i + 1] = -1;
    }
    if (result == 0)
        result = compare(&changes, "", upper, stack, false);
    if (result == 0)
        result = changes_report(&changes, report, arg);
    changes_free(&changes);
    close_stack(stack);
    if (upper >= 0)
        close(upper);
    return result;
}

/* --- a container's folders ------------------------------------------------------------------- */

static int make_all(const char *folder, const struct stat *like)
{
    static const char *const names[] = {"merged", "work", "upper"};

    if (mkdir(folder, 0755) < 0)
        return -errno;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), result = fd < 0 ? -errno : 0;
    for (int i = 0; result == 0 && i < 3; i++)
        if (mkdirat(fd, names[i], 0755) < 0)
            result = -errno;
    int upper = result == 0 ? openat(fd, "upper", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (result == 0 && upper < 0)
        result = -errno;
    if (upper >= 0) {
        if (fchown(upper, like->st_uid, like->st_gid) < 0)
            (void)fchown(upper, (uid_t)-1, like->st_gid);
        if (fchmod(upper, like->st_mode & 07777) < 0)
            result = -errno;
        close(upper);
    }
    if (fd >= 0)
        close(fd);
    if (result < 0)
        overlay_remove(folder);
    return result;
}

int overlay_create(const char *folder, const char *lower)
{
    struct stat like;

    if (stat(lower, &like) < 0)
        return -errno;
    mode_t old = umask(0);
    int result = make_all(folder, &like);
    umask(old);
    return result;
}

/* Removes the files of a folder; 1 and *name when there is a folder in it. */
static int remove_files(int fd, char name[NAME_MAX + 1])
{
    struct names names = {0};
    int result = names_of(&names, fd);

    for (size_t i = 0; result == 0 && i < names.count; i++) {
        struct stat st;
        struct statx about; /* before anything is changed in it: is it the root of a mount? */
        if (fstatat(fd, names.list[i], &st, AT_SYMLINK_NOFOLLOW) < 0 ||
            statx(fd, names.list[i], AT_SYMLINK_NOFOLLOW, STATX_TYPE, &about) < 0)
            result = -errno;
        else if ((about.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0)
            result = -EBUSY;
        else if (S_ISDIR(st.st_mode))
            result = 1;
        else
            result = unlinkat(fd, names.list[i], 0) < 0 ? -errno : 0;
        if (result == 1)
            snprintf(name, NAME_MAX + 1, "%s", names.list[i]);
    }
    names_free(&names);
    return result;
}

/* Goes down to a folder without folders, removes it, and begins again at the top. */
static int remove_deepest(const char *folder)
{
    char name[NAME_MAX + 1], next[NAME_MAX + 1];
    int parent = -1, at = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), result;

    if (at < 0)
        return errno == ELOOP ? -ENOTDIR : -errno;
    while ((result = remove_files(at, next)) == 1) {
        if (parent >= 0)
            close(parent);
        parent = at;
        memcpy(name, next, sizeof name);
        fchmodat(parent, name, 0700, AT_SYMLINK_NOFOLLOW);
        at = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (at < 0) {
            result = -errno;
            break;
        }
    }
    if (result == 0 && parent >= 0)
        result = unlinkat(parent, name, AT_REMOVEDIR) < 0 ? -errno : 1;
    if (at >= 0)
        close(at);
    if (parent >= 0)
        close(parent);
    return result;
}

int overlay_remove(const char *folder)
{
    int result;

    while ((result = remove_deepest(folder)) == 1)
        ;
    if (result == -ENOENT)
        return 0;
    return result < 0 ? result : rmdir(folder) < 0 ? -errno : 0;
}
