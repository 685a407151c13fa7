/* The files of a control group, by the path of its folder. */
#pragma once

#include <stdbool.h>

/* Writes a value to the file `name` of `group`. 0 or -errno. */
int group_write(const char *group, const char *name, const char *value);
int group_write_number(const char *group, const char *name, unsigned long long value);

/* The number behind `key` in a file of "KEY NUMBER" lines, 0 when there is none. */
unsigned long long group_read_key(const char *group, const char *name, const char *key);

/* Makes the group `folder` below an existing one. A new v1 cpuset has no CPU and takes no process
 * until it is given its parent's. 0 or -errno. */
int group_make(const char *folder, const char *parent, bool cpuset);

/* Thaws a group of version 1's freezer with those below it: what is frozen there does not even die
 * of SIGKILL. No harm to any other group. */
void group_thaw(const char *folder);

/* Removes a group with those below it, which go first. 0 (also when it is not there) or -errno:
 * -EBUSY while a process is in it. */
int group_remove(const char *folder);
