/* Writes an upper folder as a tar archive, by libarchive. */
#include "07-image/given_commit.h"

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

struct commit {
    struct archive *archive;
    struct archive_entry *entry;
    const char *opaque; /* the attribute that says so */
    void *inodes;       /* struct inode, a tree: files that have more than one name */
    size_t entries;
    char path[PATH_MAX];
};

struct inode {
    ino_t number; /* an upper folder is one file system */
    char path[];  /* its first name */
};

static int compare_inodes(const void *a, const void *b)
{
    ino_t left = ((const struct inode *)a)->number, right = ((const struct inode *)b)->number;

    return (left > right) - (left < right);
}

static int failure(const struct commit *commit)
{
    int error = archive_errno(commit->archive);

    return error > 0 ? -error : -EIO;
}

/* Begins the entry commit->path. What libarchive merely warns of concerns times and names that we
 * write as they are. */
static int write_header(struct commit *commit)
{
    if (archive_write_header(commit->archive, commit->entry) < ARCHIVE_WARN)
        return failure(commit);
    commit->entries++;
    return 0;
}

/* An empty file that is not there: the mark `name` in the folder commit->path, which has `length`
 * bytes and ends with "/" (or is empty). */
static int write_mark(struct commit *commit, size_t length, const char *name)
{
    if (length + strlen(name) >= sizeof commit->path)
        return -ENAMETOOLONG;
    strcpy(commit->path + length, name);
    archive_entry_clear(commit->entry);
    archive_entry_set_pathname(commit->entry, commit->path);
    archive_entry_set_filetype(commit->entry, AE_IFREG);
    archive_entry_set_perm(commit->entry, 0644);
    archive_entry_set_size(commit->entry, 0);
    archive_entry_set_mtime(commit->entry, 0, 0);
    return write_header(commit);
}

static int write_content(struct commit *commit, int folder, const char *name)
{
    char block[32 * 1024];
    int result = 0;
    ssize_t n = 1;
    int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    while (result == 0 && n > 0) {
        n = read(fd, block, sizeof block);
        if (n < 0 && errno != EINTR)
            result = -errno;
        if (n > 0 && archive_write_data(commit->archive, block, (size_t)n) < 0)
            result = failure(commit);
    }
    close(fd);
    return result;
}

/* Of a file with several names, the first in our order holds the content; *first is it, or NULL. */
static int find_first_name(struct commit *commit, const struct stat *st, const char **first)
{
    struct inode key = {.number = st->st_ino};
    struct inode **found = tfind(&key, &commit->inodes, compare_inodes);

    *first = found != NULL ? (*found)->path : NULL;
    if (found != NULL)
        return 0;
    struct inode *node = malloc(sizeof *node + strlen(commit->path) + 1);
    if (node == NULL)
        return -ENOMEM;
    node->number = st->st_ino;
    strcpy(node->path, commit->path);
    if (tsearch(node, &commit->inodes, compare_inodes) != NULL)
        return 0;
    free(node);
    return -ENOMEM;
}

static int write_file(struct commit *commit, int folder, const char *name, const struct stat *st)
{
    char target[PATH_MAX];
    const char *first = NULL;
    int result = 0;

    archive_entry_clear(commit->entry);
    archive_entry_set_pathname(commit->entry, commit->path);
    archive_entry_set_mode(commit->entry, st->st_mode);
    archive_entry_set_uid(commit->entry, st->st_uid);
    archive_entry_set_gid(commit->entry, st->st_gid);
    archive_entry_set_mtime(commit->entry, 0, 0);
    archive_entry_set_size(commit->entry, S_ISREG(st->st_mode) ? st->st_size : 0);
    if (S_ISLNK(st->st_mode)) {
        ssize_t length = readlinkat(folder, name, target, sizeof target - 1);
        if (length < 0)
            return -errno;
        target[length] = '\0';
        archive_entry_set_symlink(commit->entry, target);
    } else if (st->st_nlink > 1 && !S_ISDIR(st->st_mode)) {
        result = find_first_name(commit, st, &first);
        if (first != NULL)
            archive_entry_set_hardlink(commit->entry, first);
    }
    if (result == 0)
        result = write_header(commit);
    if (result == 0 && first == NULL && S_ISREG(st->st_mode) && st->st_size > 0)
        result = write_content(commit, folder, name);
    return result;
}

static int write_folder(struct commit *commit, int folder, size_t length);

/* `name` in `folder`, and what is below. commit->path is the folder's path, `length` bytes. */
static int write_entry(struct commit *commit, int folder, const char *name, size_t length)
{
    struct stat st;
    char mark[NAME_MAX + 5];

    if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return -errno;
    if (S_ISCHR(st.st_mode) && st.st_rdev == makedev(0, 0)) {
        snprintf(mark, sizeof mark, ".wh.%s", name);
        return write_mark(commit, length, mark);
    }
    if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode) || S_ISSOCK(st.st_mode))
        return 0;
    if (strncmp(name, ".wh.", 4) == 0) /* whoever unpacks the layer would hide something */
        return -EINVAL;
    if (length + strlen(name) + 2 > sizeof commit->path)
        return -ENAMETOOLONG;
    char *end = stpcpy(commit->path + length, name);
    if (!S_ISDIR(st.st_mode))
        return write_file(commit, folder, name, &st);

    strcpy(end, "/");
    int result = write_file(commit, folder, name, &st);
    if (result < 0)
        return result;
    int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    result = write_folder(commit, fd, length + strlen(name) + 1);
    close(fd);
    return result;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int not_dots(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

/* What lies in the open folder `folder`, whose path of `length` bytes is commit->path. */
static int write_folder(struct commit *commit, int folder, size_t length)
{
    struct dirent **names;
    char value = 'n';
    int result = 0;

    if (length > 0 && fgetxattr(folder, commit->opaque, &value, 1) == 1 && value == 'y')
        result = write_mark(commit, length, ".wh..wh..opq");
    int count = scandirat(folder, ".", &names, not_dots, by_bytes);
    if (count < 0)
        return -errno;
    for (int i = 0; i < count; i++) {
        if (result == 0)
            result = write_entry(commit, folder, names[i]->d_name, length);
        free(names[i]);
    }
    free(names);
    return result;
}

int commit_folder(int upper, bool user_attributes, int out, size_t *entries)
{
    struct commit commit = {
        .archive = archive_write_new(),
        .entry = archive_entry_new(),
        .opaque = user_attributes ? "user.overlay.opaque" : "trusted.overlay.opaque",
    };
    int result = 0;

    if (commit.archive == NULL || commit.entry == NULL)
        result = -ENOMEM;
    /* GNU's format has room for any name and size, in bytes as they are. */
    if (result == 0 && (archive_write_set_format_gnutar(commit.archive) != ARCHIVE_OK ||
                        archive_write_set_bytes_in_last_block(commit.archive, 1) != ARCHIVE_OK ||
                        archive_write_open_fd(commit.archive, out) != ARCHIVE_OK))
        result = failure(&commit);
    if (result == 0)
        result = write_folder(&commit, upper, 0);
    if (result == 0 && archive_write_close(commit.archive) != ARCHIVE_OK)
        result = failure(&commit);
    *entries = commit.entries;
    tdestroy(commit.inodes, free);
    archive_entry_free(commit.entry);
    archive_write_free(commit.archive);
    return result;
}
