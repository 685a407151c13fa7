#include "sandbox/groupfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel/own.h"

int group_write(const char *group, const char *name, const char *value)
{
    char path[PATH_MAX + 64];

    snprintf(path, sizeof path, "%s/%s", group, name);
    autoclose int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, value, strlen(value)) < 0)
        return -errno;
    return 0;
}

int group_write_number(const char *group, const char *name, unsigned long long value)
{
    char text[32];

    snprintf(text, sizeof text, "%llu", value);
    return group_write(group, name, text);
}

unsigned long long group_read_key(const char *group, const char *name, const char *key)
{
    char path[PATH_MAX + 64], line[128], word[64];
    unsigned long long number = 0, found = 0;

    snprintf(path, sizeof path, "%s/%s", group, name);
    autofclose FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "%63s %llu", word, &number) == 2 && strcmp(word, key) == 0)
            found = number;
    return found;
}

static int copy_value(const char *from, const char *to, const char *name)
{
    char path[PATH_MAX + 64], value[512];

    snprintf(path, sizeof path, "%s/%s", from, name);
    autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, value, sizeof value - 1);
    if (got < 0)
        return -errno;
    value[got] = '\0';
    return group_write(to, name, value);
}

int group_make(const char *folder, const char *parent, bool cpuset)
{
    if (mkdir(folder, 0755) < 0)
        return -errno;
    int result = cpuset ? copy_value(parent, folder, "cpuset.cpus") : 0;
    if (result == 0 && cpuset)
        result = copy_value(parent, folder, "cpuset.mems");
    if (result < 0)
        rmdir(folder);
    return result;
}

/* Calls `act` for each group right below `folder`. False when there is no such folder (errno). */
static bool each_below(const char *folder, void (*act)(const char *folder))
{
    DIR *list = opendir(folder);

    if (list == NULL)
        return false;
    for (struct dirent *entry; (entry = readdir(list)) != NULL;) {
        char path[PATH_MAX];
        if (entry->d_type != DT_DIR || strcmp(entry->d_name, ".") == 0 ||
            strcmp(entry->d_name, "..") == 0)
            continue;
        if (snprintf(path, sizeof path, "%s/%s", folder, entry->d_name) < (int)sizeof path)
            act(path);
    }
    closedir(list);
    return true;
}

void group_thaw(const char *folder)
{
    group_write(folder, "freezer.state", "THAWED");
    each_below(folder, group_thaw);
}

static void remove_one(const char *folder)
{
    group_remove(folder);
}

int group_remove(const char *folder)
{
    if (!each_below(folder, remove_one))
        return errno == ENOENT ? 0 : -errno;
    return rmdir(folder) < 0 && errno != ENOENT ? -errno : 0;
}
