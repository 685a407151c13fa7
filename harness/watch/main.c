/*
 * watch: prints the number of a lab each time one of its sources has been saved.
 *
 *     build/watch labs        "05" for a change in labs/05-pivot-root/, one line a change
 *
 * inotify(7) tells at once. Where it cannot (too many watches, a file system of another machine,
 * whose changes the kernel here does not hear of: WATCH_POLL=1) it looks twice a second instead.
 * It ends when nobody reads its output any more.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LABS_MAX = 100, SETTLE_MS = 80, POLL_MS = 500 };

struct watched {
    char number[3];
    char path[512];
    int watch;         /* inotify's number for it       */
    uint64_t contents; /* of its sources, when polling  */
    bool changed;
};

static struct watched watches[LABS_MAX];
static size_t watches_count;

static bool is_source(const char *name)
{
    size_t length = strlen(name);

    return length > 2 && name[0] != '.' && name[length - 2] == '.' &&
           (name[length - 1] == 'c' || name[length - 1] == 'h');
}

static bool is_lab(const char *name)
{
    return name[0] >= '0' && name[0] <= '9' && name[1] >= '0' && name[1] <= '9' && name[2] == '-';
}

static int find_labs(const char *folder)
{
    DIR *directory = opendir(folder);

    if (directory == NULL)
        return -errno;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        if (!is_lab(entry->d_name) || watches_count == LABS_MAX)
            continue;
        struct watched *lab = &watches[watches_count++];
        snprintf(lab->number, sizeof lab->number, "%.2s", entry->d_name);
        snprintf(lab->path, sizeof lab->path, "%s/%s", folder, entry->d_name);
    }
    closedir(directory);
    return watches_count > 0 ? 0 : -ENOENT;
}

/* Prints what has changed. False when nobody is there to read it. */
static bool tell(void)
{
    for (size_t i = 0; i < watches_count; i++) {
        if (watches[i].changed && printf("%s\n", watches[i].number) < 0)
            return false;
        watches[i].changed = false;
    }
    return fflush(stdout) == 0;
}

/* Waits until fd (-1: none) has something to say. 1, 0 after the time, -1 when our reader is gone.
 */
static int wait_for(int fd, int milliseconds)
{
    /* No events asked for: a pipe whose reader has gone reports POLLERR all the same. */
    struct pollfd fds[2] = {{fd, POLLIN, 0}, {STDOUT_FILENO, 0, 0}};
    int ready = poll(fds, 2, milliseconds);

    if (ready > 0 && fds[1].revents != 0)
        return -1;
    return ready < 0 && errno != EINTR ? -1 : ready > 0;
}

/* --- by inotify ------------------------------------------------------------------------------- */

/* An fd, or -errno. */
static int inotify_start(void)
{
    int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

    if (fd < 0)
        return -errno;
    for (size_t i = 0; i < watches_count; i++) {
        /* Editors write in place, or write another file and rename it. */
        watches[i].watch = inotify_add_watch(fd, watches[i].path, IN_CLOSE_WRITE | IN_MOVED_TO);
        if (watches[i].watch < 0) {
            int error = -errno;
            close(fd);
            return error;
        }
    }
    return fd;
}

static void inotify_take(int fd)
{
    union {
        struct inotify_event event;
        char bytes[16384];
    } buffer;
    ssize_t got = read(fd, buffer.bytes, sizeof buffer.bytes);

    for (ssize_t at = 0; at < got;) {
        struct inotify_event event;
        memcpy(&event, buffer.bytes + at, sizeof event);
        const char *name = buffer.bytes + at + sizeof event;
        for (size_t i = 0; i < watches_count; i++)
            if (watches[i].watch == event.wd && event.len > 0 && is_source(name))
                watches[i].changed = true;
        at += (ssize_t)(sizeof event + event.len);
    }
}

static int by_inotify(int fd)
{
    for (;;) {
        int ready = wait_for(fd, -1);
        /* A save is several events: take them all before one run is asked for. */
        while (ready == 1) {
            inotify_take(fd);
            ready = wait_for(fd, SETTLE_MS);
        }
        if (ready < 0 || !tell())
            return 0;
    }
}

/* --- by looking ---------------------------------------------------------------------------------
 */

/* A number that changes with the names, sizes and times of a lab's sources. The order in which
 * the folder gives them does not count. */
static uint64_t look(const struct watched *lab)
{
    uint64_t sum = 0;
    DIR *directory = opendir(lab->path);

    if (directory == NULL)
        return 0;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        struct stat stat;
        if (!is_source(entry->d_name) || fstatat(dirfd(directory), entry->d_name, &stat, 0) < 0)
            continue;
        uint64_t mix = stat.st_ino * 0x9e3779b97f4a7c15u + (uint64_t)stat.st_size;
        mix = (mix ^ (uint64_t)stat.st_mtim.tv_sec) * 0xbf58476d1ce4e5b9u;
        mix = (mix ^ (uint64_t)stat.st_mtim.tv_nsec) * 0x94d049bb133111ebu;
        sum += mix ^ (mix >> 31);
    }
    closedir(directory);
    return sum;
}

static int by_looking(void)
{
    for (size_t i = 0; i < watches_count; i++)
        watches[i].contents = look(&watches[i]);
    while (wait_for(-1, POLL_MS) >= 0) {
        for (size_t i = 0; i < watches_count; i++) {
            uint64_t now = look(&watches[i]);
            watches[i].changed = now != watches[i].contents;
            watches[i].contents = now;
        }
        if (!tell())
            break;
    }
    return 0;
}

int main(int argc, char **argv)
{
    const char *wish = getenv("WATCH_POLL");

    if (argc != 2) {
        fprintf(stderr, "usage: watch FOLDER\n");
        return 2;
    }
    prctl(PR_SET_PDEATHSIG, SIGTERM); /* the script that started us may be killed */
    int error = find_labs(argv[1]);
    if (error < 0) {
        fprintf(stderr, "watch: %s: no labs there (%s)\n", argv[1], strerror(-error));
        return 1;
    }
    bool polling = wish != NULL && strcmp(wish, "1") == 0;
    int fd = polling ? -1 : inotify_start();
    if (!polling && fd < 0)
        fprintf(stderr, "watch: no inotify (%s): looking twice a second instead\n", strerror(-fd));
    else if (polling)
        fprintf(stderr, "watch: looking twice a second, as WATCH_POLL=1 says\n");
    fprintf(stderr, "watch: ready\n");
    return fd < 0 ? by_looking() : by_inotify(fd);
}
