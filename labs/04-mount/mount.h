/*
 * Lab 04: a private mount tree.
 *
 * A new mount namespace starts as a copy of the old one, and a copy of a *shared* mount still
 * belongs to the same peer group: what is mounted on one appears on all. So the first act in a new
 * mount namespace is to leave those groups.
 *
 * 0 on success, -errno on failure. All functions but mount_namespaces are called in the new
 * process. mount_namespaces(7), mount(2)
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "given/todo.h"

/* Adds the CLONE_NEW* flag of this layer. */
int mount_namespaces(uint64_t *flags);

/* Makes every mount of this namespace private, from the root down. Outside, nothing changes: what
 * was shared there stays shared. mount_namespaces(7), "Shared subtrees" */
int mount_private(void);

/* Shows `source` at `target` as well; both exist and are both folders or both files. With
 * `recursive`, what is mounted below `source` comes along. */
int mount_bind(const char *source, const char *target, bool recursive);

/* Makes the mount at `target` read-only; other mounts of the same file system, and its super
 * block, stay as they are. The other flags that the mount has (nosuid, nodev, noexec, …) stay: the
 * kernel refuses to clear those that it locked. `target` is a mount point (a bind has just made it
 * one). With `recursive` set in mount_bind the mounts below are not touched by this call. */
int mount_readonly(const char *target);

/* Mounts an empty tmpfs at `target`: at most `size` bytes, mode 1777, nosuid, nodev, noexec.
 * tmpfs(5) */
int mount_tmpfs(const char *target, uint64_t size);

/* Takes away the mount at `target` and all below it at once, even while in use: whoever still has
 * a file open there keeps it, nobody finds it any more. If `target` is a symbolic link it is not
 * followed (-EINVAL). umount2(2) */
int mount_detach(const char *target);
