#include "11-cgroup/given_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
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
