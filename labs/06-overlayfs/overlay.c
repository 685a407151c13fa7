/* Lab 06: layered files. The contract is overlay.h. */
#include "06-overlayfs/overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <linux/openat2.h>

#include "06-overlayfs/given_lists.h"

/* Options of mount(2) end where its page ends; overlayfs takes this many lower layers. */
enum { OPTIONS_SIZE = 4096, LOWERS_MAX = 500 };

/* --- the mount ------------------------------------------------------------------------------- */

/* Appends "WORDPATH" to the options. */
static int add_option(char options[OPTIONS_SIZE], const char *word, const char *path)
{
    size_t used = strlen(options), room = OPTIONS_SIZE - used;

    return (size_t)snprintf(options + used, room, "%s%s", word, path) < room ? 0 : -E2BIG;
}

/* Appends which marks the layers bear. And three things that some distributions switch on: with
 * them, the upper folder alone would no longer tell what was changed. */
static int add_marks(char options[OPTIONS_SIZE], const char *folder)
{
    return overlay_attributes(folder) == 0
               ? add_option(options, ",redirect_dir=off,metacopy=off,index=off", "")
               : add_option(options, ",userxattr,index=off", "");
}

/* Appends the lower layers to the empty options. */
static int add_lowers(char options[OPTIONS_SIZE], const char *const *lowers)
{
    /* TODO(step 1): "lowerdir=" and all the paths, a ':' between two of them. overlayfs.rst,
     *               "Multiple lower layers", says which end is the top.
     */
    (void)options;
    (void)lowers;
    return STRATA_TODO;
}

/* Appends where changes go. */
static int add_upper(char options[OPTIONS_SIZE], const struct overlay *overlay)
{
    /* TODO(step 2): two options more, which overlayfs.rst, "Upper and Lower", has. Each begins
     *               with a ','. Without a work folder there is nowhere to prepare a copy: -EINVAL.
     */
    (void)options;
    (void)overlay;
    return STRATA_TODO;
}

/* Mounts an overlay whose paths mount(2) reads as they are meant. */
static int mount_layers(const struct overlay *overlay, const char *target)
{
    char options[OPTIONS_SIZE] = "";
    int result = add_lowers(options, overlay->lowers);

    if (result == 0 && overlay->upper != NULL)
        result = add_upper(options, overlay);
    /* The upper folder is the kernel's to mark. Without one, ours to try is the mount point. */
    if (result == 0)
        result = add_marks(options, overlay->upper != NULL ? overlay->upper : target);
    if (result < 0)
        return result;
    /* TODO(step 1): mount(2) with these options, as its `data`. */
    return STRATA_TODO;
}

/* Mounts an overlay of any paths, by names that mount(2) cannot misread. */
static int mount_renamed(const struct overlay *overlay, const char *target)
{
    /* TODO(step 6): the kernel has a second name for each file that a process holds open, short
     *               and without an odd byte: proc_pid_fd(5). O_PATH opens a folder without the
     *               right to read it. Name all layers in this way and let mount_layers do the
     *               rest. Then close them, after success too: the mount holds its layers by itself.
     */
    (void)overlay;
    (void)target;
    return STRATA_TODO;
}

/* In the options of mount(2), ',' ends an option and ':' a lower layer. A '\' before them would
 * help, but kernels differ in where, and how often, they take it away again. */
static bool is_plain(const char *path)
{
    return path == NULL || path[strcspn(path, ",:\\")] == '\0';
}

int overlay_mount(const struct overlay *overlay, const char *target)
{
    bool plain = is_plain(overlay->upper) && is_plain(overlay->work);
    size_t length = 128; /* more than the words between the paths take */

    length += overlay->upper != NULL ? strlen(overlay->upper) : 0;
    length += overlay->work != NULL ? strlen(overlay->work) : 0;
    for (const char *const *lower = overlay->lowers; *lower != NULL; lower++) {
        plain = plain && is_plain(*lower);
        length += strlen(*lower) + 1;
    }
    /* Where it can, the mount shows the paths as they are: mountinfo lists them. */
    return plain && length < OPTIONS_SIZE ? mount_layers(overlay, target)
                                          : mount_renamed(overlay, target);
}

/* --- the marks ------------------------------------------------------------------------------- */

int overlay_attributes(const char *folder)
{
    /* TODO(step 3): setxattr(2) with a name that nobody uses ("trusted.overlay.strata"), first of
     *               the one kind, then of the other. Take it away again. Which errors mean "not
     *               this kind", and which that the folder cannot be tried on?
     */
    (void)folder;
    return STRATA_TODO;
}

int overlay_hide(int parent, const char *name)
{
    /* TODO(step 3): mknodat(2), makedev(3). Making devices takes CAP_MKNOD, but this one is no way
     *               to any hardware, and open to all.
     */
    (void)parent;
    (void)name;
    return STRATA_TODO;
}

int overlay_replace(int folder)
{
    /* TODO(step 3): two marks with fsetxattr(2). The first may be refused, and that is no failure.
     */
    (void)folder;
    return STRATA_TODO;
}

/* --- what changed ---------------------------------------------------------------------------- */

/* What one layer has at a path. */
enum look { LOOK_NOTHING, LOOK_WHITEOUT, LOOK_FILE, LOOK_FOLDER, LOOK_OPAQUE };

static bool is_whiteout(const struct stat *st)
{
    /* TODO(step 4): inode(7) has the file types; makedev(3). */
    (void)st;
    return false;
}

/* Is the folder marked as opaque, with either kind of mark? */
static bool is_opaque(const char *folder)
{
    /* TODO(step 4): lgetxattr(2), twice. There are other values than "y", and longer ones. */
    (void)folder;
    return false;
}

/* Returns an enum look, and *st unless that is LOOK_NOTHING; or -errno. */
static int look(const char *layer, const char *path, struct stat *st)
{
    char full[PATH_MAX];

    if (snprintf(full, sizeof full, "%s%s", layer, path) >= (int)sizeof full)
        return -ENAMETOOLONG;
    if (lstat(full, st) < 0)
        return errno == ENOENT ? LOOK_NOTHING : -errno;
    if (is_whiteout(st))
        return LOOK_WHITEOUT;
    if (!S_ISDIR(st->st_mode))
        return LOOK_FILE;
    return is_opaque(full) ? LOOK_OPAQUE : LOOK_FOLDER;
}

/* Which lower layers take part in a folder of the merged tree. */
struct parts {
    bool of[LOWERS_MAX];
};

struct walk {
    const struct overlay *overlay;
    struct changes changes;
    char path[PATH_MAX]; /* where we are; one buffer for all folders, however deep they nest */
};

/* What the lower layers alone show at walk->path: 1 and *st of the topmost, 0 when nothing, or
 * -errno. Only those layers count that take part in the folder around it (`around`); *parts becomes
 * those that take part in the path, if that is a folder. */
static int look_lower(const struct walk *walk, const struct parts *around, struct parts *parts,
                      struct stat *st)
{
    const char *const *lowers = walk->overlay->lowers;
    int found = 0;

    *parts = (struct parts){0};
    *st = (struct stat){0};
    /* TODO(step 4): go down through the layers as the kernel does. What ends the search: a
     *               whiteout, a file (found or, below a folder, hidden), an opaque folder.
     */
    (void)lowers, (void)around;
    return found;
}

static int compare_folder(struct walk *walk, const struct parts *parts, bool replaced);

/* Compares what the lowers show at walk->path with what shows with the upper. `around` are the
 * lower layers that take part in the folder around; `replaced`: the upper hides all of those. */
static int compare(struct walk *walk, const struct parts *around, bool replaced)
{
    struct parts parts;
    struct stat old, new = {0};
    int before = look_lower(walk, around, &parts, &old);
    int after = look(walk->overlay->upper, walk->path, &new);

    if (before < 0 || after < 0)
        return before < 0 ? before : after;
    /* TODO(step 4): three cases by `before` and `after`, and changes_add for each difference, as
     *               overlay.h defines them. Then go on below a folder: compare_folder.
     */
    (void)replaced;
    return STRATA_TODO;
}

/* Compares all names of the folder walk->path: those of the upper and, where it hides what the
 * lower layers have, theirs as well. */
static int compare_folder(struct walk *walk, const struct parts *parts, bool replaced)
{
    const char *const *lowers = walk->overlay->lowers;
    size_t length = strlen(walk->path), room = sizeof walk->path - length;
    struct names names = {0};
    int result = names_read(&names, walk->overlay->upper, walk->path);

    for (size_t i = 0; result == 0 && replaced && lowers[i] != NULL; i++)
        if (parts->of[i])
            result = names_read(&names, lowers[i], walk->path);
    for (size_t i = 0; result == 0 && i < names.count; i++) {
        if ((size_t)snprintf(walk->path + length, room, "/%s", names.list[i]) >= room)
            result = -ENAMETOOLONG;
        else
            result = compare(walk, parts, replaced);
        walk->path[length] = '\0';
    }
    names_free(&names);
    return result;
}

int overlay_diff(const struct overlay *overlay,
                 int (*report)(void *arg, enum overlay_kind kind, const char *path), void *arg)
{
    struct walk walk = {.overlay = overlay};
    struct parts all = {0};
    int result = overlay->upper != NULL ? 0 : -EINVAL;

    for (size_t i = 0; result == 0 && overlay->lowers[i] != NULL; i++) {
        if (i == LOWERS_MAX)
            result = -E2BIG;
        else if (access(overlay->lowers[i], F_OK) < 0)
            result = -errno;
        else
            all.of[i] = true;
    }
    if (result == 0)
        result = compare_folder(&walk, &all, false);
    if (result == 0)
        result = changes_report(&walk.changes, report, arg);
    changes_free(&walk.changes);
    return result;
}

/* --- a container's folders ------------------------------------------------------------------- */

int overlay_create(const char *folder, const char *lower)
{
    /* TODO(step 5): mkdir(2), and what it refuses is your answer for a folder that is there. Mind
     *               the umask. chown(2) may be refused (EPERM; EINVAL: an id that is not mapped
     *               here), which is no failure. After any other, overlay_remove.
     */
    (void)folder;
    (void)lower;
    return STRATA_TODO;
}

/* Opens the folder `name` to empty it, though its mode may say that nobody reads it. `resolve` is
 * openat2(2)'s: what of the way may not be gone. -EBUSY where a mount is in that way. */
static int open_doomed(int parent, const char *name, uint64_t resolve)
{
    /* TODO(step 5): syscall(SYS_openat2, …), for libc has no function for it. O_PATH needs no right
     *               to read, and can refuse what is no folder, or a link to one. What is open has
     *               a name of its own in /proc/self/fd: by that, and not by `name`, make the folder
     *               one that its owner may read, and open it.
     */
    (void)parent;
    (void)name;
    (void)resolve;
    return STRATA_TODO;
}

static int empty_folder(int folder);

/* Removes the file or folder `name` of an open folder. */
static int remove_entry(int parent, const char *name)
{
    /* TODO(step 5): what unlinkat(2) does not unlink is a folder (EISDIR): empty_folder, then
     *               unlinkat again, with a flag. RESOLVE_NO_XDEV of openat2(2) stays out of what is
     *               mounted, be it a bind of this very file system.
     */
    (void)parent;
    (void)name;
    return STRATA_TODO;
}

/* Removes all that is in the open folder, and closes it. */
static int empty_folder(int folder)
{
    struct names names = {0};
    int result = names_of(&names, folder);

    for (size_t i = 0; result == 0 && i < names.count; i++)
        result = remove_entry(folder, names.list[i]);
    names_free(&names);
    close(folder);
    return result;
}

int overlay_remove(const char *folder)
{
    int fd = open_doomed(AT_FDCWD, folder, 0);

    if (fd < 0)
        return fd == -ENOENT ? 0 : fd;
    int result = empty_folder(fd);
    if (result == 0 && rmdir(folder) < 0)
        result = -errno;
    return result;
}
