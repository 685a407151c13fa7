/* The files of a control group: small texts that the kernel makes up when they are read. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* Reads `file` in the open folder (or AT_FDCWD, with a path), at most `size` - 1 bytes, without the
 * line feed at its end. Returns the length, or -errno. */
ssize_t file_read(int folder, const char *file, char *text, size_t size);

/* Writes `value` with one write(2): the kernel takes all of it at once, and says what it thinks of
 * it. 0, or -errno. */
int file_write(int folder, const char *file, const char *value);

/* The same for the folder `group`, a path. */
ssize_t group_read(const char *group, const char *file, char *text, size_t size);
int group_write(const char *group, const char *file, const char *value);

/* Calls `see` for each line of `file` (a path), without its line feed, until it returns other than
 * 0; returns that, 0 at the end, or -errno. The line may be taken apart. */
int lines_each(const char *file, int (*see)(void *arg, char *line), void *arg);

/* Whether a list of words between spaces or commas has this one. */
bool list_has(const char *list, const char *word);

/* Whether the list in a file of the folder `group` has this one. */
bool group_has(const char *group, const char *file, const char *word);

/* Cuts `path`, a group's, to that of the group above. False when that is none (every group has a
 * file cgroup.procs). */
bool group_above(char *path);

/* Calls `act` for the open group and all groups below it, the lowest first, until it returns a
 * negative value. Returns that, or the sum of what it returned. */
int groups_each(int folder, int (*act)(int folder));

/* Removes the groups directly below the open one (rmdir(2) of each). For groups_each: so always 0;
 * whatever stays makes the removal of its parent EBUSY. */
int group_clear(int folder);

/* Milliseconds of a clock that only goes forward, and a pause of two of them; false once `deadline`
 * has passed. */
long clock_ms(void);
bool clock_pause(long deadline);
