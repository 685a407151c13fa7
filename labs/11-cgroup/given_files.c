#include "11-cgroup/given_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

ssize_t file_read(int folder, const char *file, char *text, size_t size)
{
    int fd = openat(folder, file, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    ssize_t length = read(fd, text, size - 1);
    int error = errno;
    close(fd);
    if (length < 0)
        return -error;
    while (length > 0 && text[length - 1] == '\n')
        length--;
    text[length] = '\0';
    return length;
}

int file_write(int folder, const char *file, const char *value)
{
    int fd = openat(folder, file, O_WRONLY | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    int result = write(fd, value, strlen(value)) < 0 ? -errno : 0;
    close(fd);
    return result;
}

ssize_t group_read(const char *group, const char *file, char *text, size_t size)
{
    char path[PATH_MAX + 64];

    snprintf(path, sizeof path, "%s/%s", group, file);
    return file_read(AT_FDCWD, path, text, size);
}

int group_write(const char *group, const char *file, const char *value)
{
    char path[PATH_MAX + 64];

    snprintf(path, sizeof path, "%s/%s", group, file);
    return file_write(AT_FDCWD, path, value);
}

int lines_each(const char *file, int (*see)(void *arg, char *line), void *arg)
{
    FILE *stream = fopen(file, "re");
    char *line = NULL;
    size_t size = 0;
    ssize_t length;
    int result = 0;

    if (stream == NULL)
        return -errno;
    while (result == 0 && (length = getline(&line, &size, stream)) > 0) {
        if (line[length - 1] == '\n')
            line[length - 1] = '\0';
        result = see(arg, line);
    }
    free(line);
    fclose(stream);
    return result;
}

bool list_has(const char *list, const char *word)
{
    size_t length = strlen(word);

    for (const char *at = list; *at != '\0'; at += strspn(at, " ,\n")) {
        size_t here = strcspn(at, " ,\n");
        if (here == length && strncmp(at, word, length) == 0)
            return true;
        at += here;
    }
    return false;
}

bool group_has(const char *group, const char *file, const char *word)
{
    char text[256];

    return group_read(group, file, text, sizeof text) > 0 && list_has(text, word);
}

bool group_above(char *path)
{
    char file[PATH_MAX + 16];
    char *slash = strrchr(path, '/');

    if (slash == NULL)
        return false;
    *slash = '\0';
    snprintf(file, sizeof file, "%s/cgroup.procs", path);
    return access(file, F_OK) == 0;
}

int groups_each(int folder, int (*act)(int folder))
{
    int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), sum = 0;
    DIR *list = copy < 0 ? NULL : fdopendir(copy);

    if (list == NULL)
        return -errno;
    for (struct dirent *entry; sum >= 0 && (entry = readdir(list)) != NULL;) {
        if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
            continue;
        int below = openat(folder, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        int count = below < 0 ? 0 : groups_each(below, act);
        sum = count < 0 ? count : sum + count;
        if (below >= 0)
            close(below);
    }
    closedir(list);
    int count = sum < 0 ? 0 : act(folder);
    return count < 0 ? count : sum + count;
}

/* Folders of groups hold nothing that unlink(2) could take away: only what is a group goes. */
int group_clear(int folder)
{
    int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = copy < 0 ? NULL : fdopendir(copy);

    if (list == NULL)
        return 0;
    for (struct dirent *entry; (entry = readdir(list)) != NULL;)
        if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
            unlinkat(folder, entry->d_name, AT_REMOVEDIR);
    closedir(list);
    return 0;
}

long clock_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool clock_pause(long deadline)
{
    poll(NULL, 0, 2);
    return clock_ms() < deadline;
}
