#include "11-cgroup/given_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "11-cgroup/given_files.h"

/* Which part that is: group->count when it is none. */
static size_t part_at(const struct cgroup *group, const char *path)
{
    size_t i = 0;

    while (i < group->count && strcmp(group->parts[i].path, path) != 0)
        i++;
    return i;
}

bool part_there(const struct cgroup *group, const char *path)
{
    return part_at(group, path) < group->count;
}

static int part_new(struct cgroup *group, int version, const char *path)
{
    struct cgroup_part *part = &group->parts[group->count];

    if (group->count == CGROUP_PARTS)
        return -E2BIG;
    *part = (struct cgroup_part){.version = version};
    snprintf(part->path, sizeof part->path, "%s", path);
    part->folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (part->folder < 0)
        return -errno;
    group->count++;
    return 0;
}

/* The parent's folder is ".." of the group's. */
static int inherit(int folder, const char *file)
{
    char above[64], text[1024];

    snprintf(above, sizeof above, "../%s", file);
    ssize_t length = file_read(folder, above, text, sizeof text);
    return length < 0 ? (int)length : file_write(folder, file, text);
}

int part_add(struct cgroup *group, int version, const char *path, const char *controller)
{
    struct cgroup_part *part = &group->parts[part_at(group, path)];
    int result = part_there(group, path) ? 0 : part_new(group, version, path);

    if (result < 0) {
        rmdir(path);
        return result;
    }
    size_t length = strlen(part->controllers);
    snprintf(part->controllers + length, sizeof part->controllers - length, "%s%s",
             length > 0 ? "," : "", controller);
    if (version == 2 || strcmp(controller, "cpuset") != 0)
        return 0;
    result = inherit(part->folder, "cpuset.cpus");
    return result < 0 ? result : inherit(part->folder, "cpuset.mems");
}
