/*
 * Lab 07, step 4: the store, looked at before and after each system call of a program that puts
 * something into it. All of this runs in the tracer (grade/trace.h).
 */
#include "graders/07-image-watch.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernel/own.h"
#include "kernel/path.h"

static void fault(struct watch *watch, const char *because, const char *text, const char *name)
{
    if (watch->broken)
        return;
    watch->broken = true;
    snprintf(watch->because, sizeof watch->because, "%s", because);
    snprintf(watch->fault, sizeof watch->fault, "%s: %.16s…", text, name);
}

static int store_folder(const struct watch *watch, pid_t pid, const char *name)
{
    char path[256];

    snprintf(path, sizeof path, "%s/%s", watch->store, name);
    int found = kernel_path_at(pid, path, O_DIRECTORY);
    if (found < 0)
        return found;
    int fd = openat(found, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    close(found);
    return fd;
}

static int open_fd_of(pid_t pid, int number)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/fd/%d", pid, number);
    return open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

/* What fd `number` of the process stands for, without opening anything. */
static bool stat_fd_of(pid_t pid, int number, struct stat *st)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/fd/%d", pid, number);
    return stat(path, st) == 0;
}

static void note_synced(struct watch *watch, pid_t pid, int number, ino_t folder)
{
    struct stat st;

    if (!stat_fd_of(pid, number, &st))
        return;
    if (S_ISDIR(st.st_mode)) {
        watch->folder_synced = watch->folder_synced || st.st_ino == folder;
        return;
    }
    autoclose int fd = S_ISREG(st.st_mode) ? open_fd_of(pid, number) : -1;
    if (fd < 0)
        return;
    struct synced *synced = &watch->synced[watch->synced_count++ % SYNCED_MAX];
    synced->ino = st.st_ino;
    digest_sha256_fd(fd, synced->digest);
}

/* The flags that the file behind an fd was opened with. */
static int flags_of(pid_t pid, int number)
{
    char path[64], text[512];
    unsigned flags = 0;

    snprintf(path, sizeof path, "/proc/%d/fdinfo/%d", pid, number);
    autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (got <= 0)
        return 0;
    text[got] = '\0';
    const char *line = strstr(text, "flags:");
    if (line != NULL)
        sscanf(line, "flags: %o", &flags);
    return (int)flags;
}

/* Calls `visit` for the open fds of a process. */
static void each_fd(struct watch *watch, pid_t pid, ino_t folder,
                    void (*visit)(struct watch *, pid_t, int, ino_t))
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/fd", pid);
    DIR *list = opendir(path);
    if (list == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(list)) != NULL;)
        if (entry->d_name[0] != '.')
            visit(watch, pid, atoi(entry->d_name), folder);
    closedir(list);
}

/* A file opened with O_SYNC or O_DSYNC is synced after each write. */
static void note_if_synchronous(struct watch *watch, pid_t pid, int number, ino_t folder)
{
    if ((flags_of(pid, number) & O_DSYNC) != 0) /* O_SYNC holds that bit, too */
        note_synced(watch, pid, number, folder);
}

static void look_at_sync(struct watch *watch, const struct trace_call *call, ino_t folder)
{
    struct stat st;

    if (call->result < 0)
        return;
    switch (call->number) {
    case SYS_fsync:
    case SYS_fdatasync:
        note_synced(watch, call->pid, (int)call->args[0], folder);
        if (stat_fd_of(call->pid, (int)call->args[0], &st) && S_ISREG(st.st_mode))
            watch->by_call = true;
        return;
    case SYS_sync:
    case SYS_syncfs: /* all that the process has open, and every folder */
        if (call->number == SYS_syncfs)
            watch->by_call = true;
        each_fd(watch, call->pid, folder, note_synced);
        watch->folder_synced = true;
        return;
    case SYS_write:
    case SYS_pwrite64:
    case SYS_writev:
    case SYS_pwritev:
    case SYS_sendfile:
        note_if_synchronous(watch, call->pid, (int)call->args[0], folder);
        return;
    case SYS_copy_file_range:
        note_if_synchronous(watch, call->pid, (int)call->args[2], folder);
        return;
    default:
        return;
    }
}

static bool was_synced(const struct watch *watch, ino_t ino, const char *digest)
{
    for (size_t i = 0; i < watch->synced_count && i < SYNCED_MAX; i++)
        if (watch->synced[i].ino == ino && strcmp(watch->synced[i].digest, digest) == 0)
            return true;
    return false;
}

bool image_is_known(struct watch *watch, const char *name)
{
    for (size_t i = 0; i < watch->names; i++)
        if (strcmp(watch->known[i], name) == 0)
            return true;
    if (watch->names < NAMES_MAX)
        snprintf(watch->known[watch->names++], DIGEST_HEX, "%s", name);
    return false;
}

/* Those that were there before have been looked at, and will be at the end. */
static bool is_old(const struct watch *watch, const char *name)
{
    for (size_t i = 0; i < watch->names_before; i++)
        if (strcmp(watch->known[i], name) == 0)
            return true;
    return false;
}

static void look_at_name(struct watch *watch, int folder, const char *name)
{
    char digest[DIGEST_HEX] = "";
    autoclose int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return;
    digest_sha256_fd(fd, digest);
    /* While this program is held, it may be another one's name, whose calls are not seen here. */
    bool known = strlen(name) == DIGEST_HEX - 1 && image_is_known(watch, name);
    if (strcmp(digest, name) != 0)
        fault(watch, "half-done",
              "before the file was whole, something half-done lay in blobs/sha256", name);
    else if (!known && watch->then != HOLD && !was_synced(watch, st.st_ino, digest))
        fault(watch, "not-synced", "the name came before the file behind it was fsynced", name);
    if (!known)
        watch->folder_synced = false;
}

static void look_at_blobs(struct watch *watch, int folder)
{
    int again = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = again < 0 ? NULL : fdopendir(again);

    if (list == NULL) {
        if (again >= 0)
            close(again);
        return;
    }
    for (struct dirent *entry; (entry = readdir(list)) != NULL;)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
            !is_old(watch, entry->d_name))
            look_at_name(watch, folder, entry->d_name);
    closedir(list);
}

/* A file of the store that is open for writing and holds something. */
static void note_partial(struct watch *watch, pid_t pid, int number, ino_t unused)
{
    struct stat st;

    (void)unused;
    if (number > 2 && stat_fd_of(pid, number, &st) && S_ISREG(st.st_mode) && st.st_size > 0 &&
        st.st_dev == watch->dev && (flags_of(pid, number) & O_ACCMODE) != O_RDONLY)
        watch->partial = true;
}

/* When the program ends, it has closed all of the store that it has opened itself. */
static void note_left_open(struct watch *watch, pid_t pid, int number, ino_t unused)
{
    struct stat st;

    (void)unused;
    if (number > 2 && stat_fd_of(pid, number, &st) && st.st_dev == watch->dev)
        snprintf(watch->left_open, sizeof watch->left_open, "fd %d, a %s, is still open", number,
                 S_ISDIR(st.st_mode) ? "folder" : "file");
}

static void act(struct watch *watch, const struct trace_call *call)
{
    bool came = watch->wait_for_name && watch->names > watch->names_before;

    if (watch->then == GO_ON || watch->partial)
        return;
    if (watch->wait_for_name)
        watch->partial = came;
    else
        each_fd(watch, call->pid, 0, note_partial);
    if (!watch->partial)
        return;
    if (watch->then == KILL) {
        kill(call->pid, SIGKILL);
        return;
    }
    for (int i = 0; !watch->go && i < HELD_MS; i++)
        usleep(1000);
}

/* A program makes some hundred calls before it comes to its work. */
static bool has_begun(struct watch *watch, const struct trace_call *call, bool entry)
{
    struct stat st;

    if (!watch->begun && !entry && call->result >= 0 &&
        (call->number == SYS_openat || call->number == SYS_openat2 || call->number == SYS_dup) &&
        stat_fd_of(call->pid, (int)call->result, &st))
        watch->begun = st.st_dev == watch->dev;
    return watch->begun;
}

void image_join(int room)
{
    if (setns(room, CLONE_NEWUSER) < 0)
        return;
    prctl(PR_SET_DUMPABLE, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* both are cleared by the change */
}

void image_look(void *memory, const struct trace_call *call, bool entry)
{
    struct watch *watch = memory;
    struct stat st;

    if (!watch->member)
        image_join(watch->room);
    watch->member = true;
    if (!has_begun(watch, call, entry))
        return;
    if (entry && call->number == SYS_exit_group)
        each_fd(watch, call->pid, 0, note_left_open);
    autoclose int folder = store_folder(watch, call->pid, "blobs/sha256");
    if (folder < 0 || fstat(folder, &st) < 0)
        return;
    if (!entry)
        look_at_sync(watch, call, st.st_ino);
    look_at_blobs(watch, folder);
    act(watch, call);
}
