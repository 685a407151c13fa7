#include "grade/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "digest/digest.h"
#include "kernel/inside.h"
#include "kernel/own.h"

enum { PATH_SIZE = 16 * 1024, DEPTH = 64, ITEMS = 20000, LOOK_MS = 5000 };

/* --- in the room: a child of ours that has joined it ---------------------------------------- */

/* One item on its way out: this, the path, the text. */
struct note {
    struct item item;
    size_t path_length, text_length;
};

struct walk {
    int out;
    size_t left; /* how many items more */
    char path[PATH_SIZE];
    char bytes[2 * PATH_SIZE]; /* on their way out */
    size_t length;
};

static int64_t nanoseconds(struct timespec time)
{
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static bool is_opaque(int folder)
{
    char mark;

    return fgetxattr(folder, "user.overlay.opaque", &mark, 1) == 1 && mark == 'y';
}

static int flush(struct walk *walk)
{
    size_t length = walk->length;

    walk->length = 0;
    return kernel_write_all(walk->out, walk->bytes, length);
}

/* Many small writes to a pipe would take most of the time. */
static int put(struct walk *walk, const void *bytes, size_t length)
{
    int result = walk->length + length > sizeof walk->bytes ? flush(walk) : 0;

    memcpy(walk->bytes + walk->length, bytes, length);
    walk->length += length;
    return result;
}

/* `fd` is what `st` describes, or -1. */
static int tell(struct walk *walk, const struct stat *st, int fd, const char *text)
{
    struct note note = {
        .item = {.mode = st->st_mode,
                 .dev = st->st_dev,
                 .ino = st->st_ino,
                 .links = st->st_nlink,
                 .size = (uint64_t)st->st_size,
                 .rdev = st->st_rdev,
                 .uid = st->st_uid,
                 .gid = st->st_gid,
                 .modified = nanoseconds(st->st_mtim),
                 .changed = nanoseconds(st->st_ctim),
                 .opaque = S_ISDIR(st->st_mode) && is_opaque(fd)},
        .path_length = strlen(walk->path),
        .text_length = strlen(text),
    };
    int result = put(walk, &note, sizeof note);

    if (result == 0)
        result = put(walk, walk->path, note.path_length);
    return result < 0 ? result : put(walk, text, note.text_length);
}

static int walk_folder(struct walk *walk, int fd, int depth);

static int walk_item(struct walk *walk, int parent, const char *name, int depth)
{
    char text[PATH_MAX] = "";
    autoclose int fd = -1;
    struct stat st;

    if (walk->left-- == 0)
        return -E2BIG;
    if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : -errno; /* gone meanwhile */
    if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)) {
        fd = openat(parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0)
            return errno == ENOENT ? 0 : -errno;
    }
    if (S_ISREG(st.st_mode)) {
        memcpy(text, "sha256:", 8);
        digest_sha256_fd(fd, text + 7);
    }
    if (S_ISLNK(st.st_mode) && readlinkat(parent, name, text, sizeof text - 1) < 0)
        return -errno;
    int result = tell(walk, &st, fd, text);
    return result == 0 && S_ISDIR(st.st_mode) ? walk_folder(walk, fd, depth + 1) : result;
}

static int walk_folder(struct walk *walk, int fd, int depth)
{
    size_t length = strlen(walk->path);
    int again = dup(fd), result = 0;
    DIR *list = again < 0 ? NULL : fdopendir(again);

    if (list == NULL) {
        result = -errno;
        if (again >= 0)
            close(again);
        return result;
    }
    rewinddir(list);
    for (struct dirent *entry; result == 0 && (entry = readdir(list)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (depth > DEPTH || length + strlen(entry->d_name) + 2 > sizeof walk->path)
            result = -ENAMETOOLONG;
        else
            snprintf(walk->path + length, sizeof walk->path - length, "%s%s",
                     length == 0 ? "" : "/", entry->d_name);
        if (result == 0)
            result = walk_item(walk, fd, entry->d_name, depth);
        walk->path[length] = '\0';
    }
    closedir(list);
    return result;
}

/* The first thing to go out is the error of opening the folder, or 0. */
static int walk_from(void *arg, int out)
{
    const char *path = arg;
    static struct walk walk;
    autoclose int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    int error = fd < 0 ? errno : 0;
    struct stat st;

    walk = (struct walk){.out = out, .left = ITEMS};
    int result = put(&walk, &error, sizeof error);
    if (error == 0 && fstat(fd, &st) < 0)
        return -errno;
    if (error == 0)
        result = tell(&walk, &st, fd, "");
    if (error == 0 && result == 0)
        result = walk_folder(&walk, fd, 0);
    return result < 0 ? result : flush(&walk);
}

/* --- back here ------------------------------------------------------------------------------ */

static void free_list(void *list)
{
    free(list);
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct item *)a)->path, ((const struct item *)b)->path);
}

static void add_item(struct grade *g, struct folder *folder, const struct note *note,
                     const char *bytes)
{
    struct item *item = &folder->list[folder->count++];

    *item = note->item;
    item->path = say(g, "%.*s", (int)note->path_length, bytes);
    item->text = say(g, "%.*s", (int)note->text_length, bytes + note->path_length);
}

struct folder folder_of(struct run *run, const char *path)
{
    struct grade *g = run_grade(run);
    struct folder folder = {0};
    autofree char *bytes = NULL;
    size_t length, most;
    int result =
        kernel_inside_within(LOOK_MS, run_outside_pidfd(run), run_outside_pid(run),
                             CLONE_NEWUSER | CLONE_NEWNS, walk_from, (void *)path, &bytes, &length);

    if (result < 0 || length < sizeof folder.error)
        grade_error(g, result, "cannot look at the folder %s of the room", path);
    memcpy(&folder.error, bytes, sizeof folder.error);
    most = length / sizeof(struct note) + 1;
    folder.list = calloc(most, sizeof *folder.list);
    if (folder.list == NULL)
        grade_error(g, -ENOMEM, "no memory for the folder %s", path);
    grade_defer(g, free_list, folder.list);
    for (size_t at = sizeof folder.error; at + sizeof(struct note) <= length;) {
        struct note note;
        memcpy(&note, bytes + at, sizeof note);
        add_item(g, &folder, &note, bytes + at + sizeof note);
        at += sizeof note + note.path_length + note.text_length;
    }
    qsort(folder.list, folder.count, sizeof *folder.list, by_path);
    return folder;
}

struct folder folder_part(struct grade *g, const struct folder *folder, const char *path)
{
    struct folder part = {.list = calloc(folder->count + 1, sizeof *part.list)};
    size_t length = strlen(path);

    if (part.list == NULL)
        grade_error(g, -ENOMEM, "no memory for the folder %s", path);
    grade_defer(g, free_list, part.list);
    for (size_t i = 0; i < folder->count; i++) {
        const char *end = folder->list[i].path + length;
        if (strncmp(folder->list[i].path, path, length) != 0 || (*end != '\0' && *end != '/'))
            continue;
        part.list[part.count] = folder->list[i];
        part.list[part.count++].path = *end == '/' ? end + 1 : end;
    }
    part.error = part.count == 0 ? ENOENT : 0;
    /* In the order of the shorter paths, as for folder_of. */
    qsort(part.list, part.count, sizeof *part.list, by_path);
    return part;
}

const struct item *folder_find(const struct folder *folder, const char *path)
{
    struct item key = {.path = path};

    return folder->count == 0
               ? NULL
               : bsearch(&key, folder->list, folder->count, sizeof *folder->list, by_path);
}

uint64_t folder_bytes(const struct folder *folder)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < folder->count; i++) {
        bool seen = !S_ISREG(folder->list[i].mode);
        for (size_t j = 0; !seen && j < i; j++)
            seen = folder->list[i].links > 1 && folder->list[j].ino == folder->list[i].ino &&
                   folder->list[j].dev == folder->list[i].dev;
        bytes += seen ? 0 : folder->list[i].size;
    }
    return bytes;
}

const char *item_text(struct grade *g, const struct item *item)
{
    if (item == NULL)
        return "nothing";
    if (S_ISLNK(item->mode))
        return say(g, "a symbolic link to %.60s", item->text);
    if (S_ISDIR(item->mode))
        return say(g, "a folder, mode %o%s", item->mode & 07777, item->opaque ? ", opaque" : "");
    if (S_ISCHR(item->mode) || S_ISBLK(item->mode))
        return say(g, "a %s device %u:%u", S_ISCHR(item->mode) ? "character" : "block",
                   major(item->rdev), minor(item->rdev));
    if (S_ISREG(item->mode))
        return say(g, "a file of %llu bytes (%.15s…), mode %o", (unsigned long long)item->size,
                   item->text, item->mode & 07777);
    return say(g, "mode %o", item->mode);
}

/* --- differences ---------------------------------------------------------------------------- */

static bool is_below(const char *path, const char *folder)
{
    size_t length = strlen(folder);

    return strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

/* Is `path` the folder that `except` lies in? */
static bool holds(const char *path, const char *except)
{
    const char *slash = strrchr(except, '/');
    size_t length = slash != NULL ? (size_t)(slash - except) : 0;

    return strlen(path) == length && strncmp(path, except, length) == 0;
}

static bool same_item(const struct item *a, const struct item *b, bool times)
{
    return a->mode == b->mode && a->dev == b->dev && a->ino == b->ino && a->rdev == b->rdev &&
           a->uid == b->uid && a->gid == b->gid && a->opaque == b->opaque &&
           strcmp(a->text, b->text) == 0 &&
           (!times || (a->links == b->links && a->size == b->size && a->modified == b->modified &&
                       a->changed == b->changed));
}

const char *folder_difference(struct grade *g, const struct folder *before,
                              const struct folder *after, const char *except)
{
    for (size_t i = 0; i < before->count; i++) {
        const struct item *old = &before->list[i], *new = folder_find(after, old->path);
        bool times = except == NULL || !holds(old->path, except);
        if (except != NULL && is_below(old->path, except))
            continue;
        if (new == NULL)
            return say(g, "gone: %.60s, %s", old->path, item_text(g, old));
        if (!same_item(old, new, times))
            return say(g, "changed: %.60s, %s, is now %s", old->path, item_text(g, old),
                       item_text(g, new));
    }
    for (size_t i = 0; i < after->count; i++) {
        const struct item *new = &after->list[i];
        if (except != NULL && is_below(new->path, except))
            continue;
        if (folder_find(before, new->path) == NULL)
            return say(g, "new: %.60s, %s", new->path, item_text(g, new));
    }
    return NULL;
}
