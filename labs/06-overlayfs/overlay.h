/*
 * Lab 06: layered files.
 *
 * overlayfs shows several folders as one. The lower ones are never written to, so a hundred
 * containers can stand on the same image; what a container changes goes to an upper folder of its
 * own. How a file is deleted that lies in a folder nobody may write to, is the interesting part.
 *
 * 0 on success, -errno on failure. Paths may hold any byte that a path can hold: ':', ',', '\' and
 * spaces are ordinary there. A layer may be named by a symbolic link to it. No function changes the
 * caller's umask or working directory, or leaves anything behind but what it is for.
 * Documentation/filesystems/overlayfs.rst in the kernel's source
 */
#pragma once

#include <stdbool.h>

#include "given/todo.h"

struct overlay {
    const char *const *lowers; /* at least one, the topmost first; ends with NULL             */
    const char *upper;         /* where changes go; NULL: nothing can be changed              */
    const char *work;          /* on the file system of `upper`; the kernel's own scratch     */
};

/* Mounts `overlay` at `target`, an existing folder. Of a name that several layers have, the topmost
 * wins; folders of one name are merged, and mode and owner are the topmost one's. 64 lowers have
 * room, however long their paths are.
 * Without `upper` the mount is read-only, and the kernel wants two lowers at least (-EINVAL).
 * -EINVAL also for an `upper` without `work`, or on another file system than it.
 * The layers' marks (overlay_hide, overlay_replace) are honoured, and what is deleted in the mount
 * is marked in the same way: see overlay_attributes. What changes goes to `upper` whole: metacopy
 * and redirect_dir are not on. It is one mount, and no flag of it (nosuid, nodev, noexec) forbids
 * what the layers allow.
 * mount(2), or fsopen(2), fsconfig(2), fsmount(2), move_mount(2) */
int overlay_mount(const struct overlay *overlay, const char *target);

/* Makes a new container's folders: `folder` itself and, in it, "upper", "work" and "merged", all of
 * mode 0755, whatever the umask, but "upper": that becomes the root of the merged tree, and so gets
 * the mode, and where it may the owner, of `lower`, the topmost lower layer.
 * -EEXIST when something of the name `folder` is there, be it an empty folder: whose it is, is not
 * known. -ENOENT when the folder that it shall lie in is not. Nothing stays behind on failure. */
int overlay_create(const char *folder, const char *lower);

/* Removes `folder` with all that is in it, whatever the mode of a folder in it (that of work/work
 * is 0). Nothing outside is touched: symbolic links are not followed, and what is mounted below is
 * not entered (-EBUSY, for a file that is mounted on, too; what was removed before stays so).
 * Folders may lie side by side in any number, and paths in it be longer than PATH_MAX. -ENOTDIR
 * when `folder` is a file or a link. A folder that is not there is removed enough: 0. */
int overlay_remove(const char *folder);

/* Which extended attributes mark folders for overlayfs where we are: 1 when "user.overlay.…" (and
 * the mount option userxattr), 0 when "trusted.overlay.…". The kernel lets only CAP_SYS_ADMIN in
 * the *initial* user namespace set the latter. Found out by trying on `folder`, which is left as it
 * was. -errno: -EOPNOTSUPP when its file system has neither kind, or why it cannot be tried on.
 * xattr(7) */
int overlay_attributes(const char *folder);

/* Marks `name` in the open folder `parent` as deleted: a whiteout, a character device 0:0. A file
 * of that name must not be there (-EEXIST). mknodat(2) */
int overlay_hide(int parent, const char *name);

/* Marks the open folder `folder` as opaque: nothing of the layers below shows in it. The mark is
 * "y" in overlay.opaque, of the trusted kind where that is allowed, and always of the user kind as
 * well: whoever mounts the layer may be in a user namespace. (On the top folder of a layer the
 * kernel ignores it.) A mark that is there already, of whatever value, is no error. fsetxattr(2) */
int overlay_replace(int folder);

/* What a change is: the letters of docker-diff(1). */
enum overlay_kind {
    OVERLAY_ADDED = 'A',
    OVERLAY_CHANGED = 'C',
    OVERLAY_DELETED = 'D',
};

/* Calls `report` for each difference between what the lowers alone show and what shows with the
 * upper folder, sorted by path (as strcmp does), until it returns other than 0. `path` begins with
 * "/". The overlay need not be mounted.
 *   A  the path was not there before; each path in an added folder is reported
 *   D  it is no longer there, by a whiteout or because the folder around it is opaque; what was
 *      below it went along and is not reported
 *   C  the upper has it and the lowers had it:
 *      - a file that was opened for writing, a link or device that was made anew, something of
 *        another type than before (what a folder held that became a file went along)
 *      - a folder only for its own sake: its mode or owner changed (from what the lowers show), it
 *        was no folder before, or it took the lowers' one's place, being opaque or in an opaque
 *        folder. Not for what changed in it
 * The root of the tree is never reported, nor a whiteout where the lowers have nothing. Opaque is
 * what has the mark of either kind.
 * Returns 0, what `report` returned, or -errno: -EINVAL without an upper, -ENOENT when a layer is
 * not there, -EACCES when a folder that counts may not be read. */
int overlay_diff(const struct overlay *overlay,
                 int (*report)(void *arg, enum overlay_kind kind, const char *path), void *arg);
