/* Another process mounts, and takes what it opened along when it goes; lists what fts(3) finds in
 * the upper; learns the kind of marks by removing one that is not there; knows a mount by its id.
 */
#include "06-overlayfs/overlay.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

/* --- mount ---------------------------------------------------------------------------------- */

static int by_number(FILE *options, const char *word, const char *path)
{
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    fprintf(options, "%s/proc/self/fd/%d", word, fd);
    return 0;
}

static int mount_here(const struct overlay *overlay, const char *target)
{
    char *text = NULL;
    size_t size = 0;
    FILE *options = open_memstream(&text, &size);
    int result = 0;
    for (size_t i = 0; result == 0 && overlay->lowers[i] != NULL; i++)
        result = by_number(options, i == 0 ? "lowerdir=" : ":", overlay->lowers[i]);
    if (result == 0 && overlay->upper != NULL) {
        result = by_number(options, ",upperdir=", overlay->upper);
        if (result == 0)
            result = by_number(options, ",workdir=", overlay->work);
    }
    if (overlay_attributes(overlay->upper != NULL ? overlay->upper : target) == 1)
        fprintf(options, ",userxattr");
    else
        fprintf(options, ",redirect_dir=off,metacopy=off");
    fclose(options);
    if (result == 0 && size > 4095)
        result = -E2BIG;
    if (result == 0 && mount("none", target, "overlay", 0, text) < 0)
        result = -errno;
    return result;
}

/* A child does it, and takes its file descriptors and memory along when it goes. */
int overlay_mount(const struct overlay *overlay, const char *target)
{
    int pair[2], result = 0;
    if (overlay->upper != NULL && overlay->work == NULL)
        return -EINVAL;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    pid_t child = fork();
    if (child < 0)
        return -errno;
    if (child == 0) {
        result = mount_here(overlay, target);
        _exit(write(pair[1], &result, sizeof result) == sizeof result ? 0 : 1);
    }
    close(pair[1]);
    ssize_t got;
    do
        got = read(pair[0], &result, sizeof result);
    while (got < 0 && errno == EINTR);
    close(pair[0]);
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
        ;
    return got == sizeof result ? result : -EIO;
}

/* --- marks ---------------------------------------------------------------------------------- */

/* To remove what is not there is refused for the same reasons as to set it, and changes nothing. */
int overlay_attributes(const char *folder)
{
    static const char *const names[] = {"trusted.overlay.nobody-has-this",
                                        "user.overlay.nobody-has-this"};
    for (int i = 0; i < 2; i++) {
        if (removexattr(folder, names[i]) == 0 || errno == ENODATA)
            return i;
        if (errno != EPERM && errno != EOPNOTSUPP)
            return -errno;
    }
    return -errno;
}

int overlay_hide(int parent, const char *name)
{
    char *path = NULL;
    if (asprintf(&path, "/proc/self/fd/%d/%s", parent, name) < 0)
        return -ENOMEM;
    int result = mknod(path, S_IFCHR | 0666, makedev(0, 0)) < 0 ? -errno : 0;
    free(path);
    return result;
}

int overlay_replace(int folder)
{
    char path[40];
    snprintf(path, sizeof path, "/proc/self/fd/%d", folder);
    (void)setxattr(path, "trusted.overlay.opaque", "y", 1, 0);
    return setxattr(path, "user.overlay.opaque", "y", 1, 0) < 0 ? -errno : 0;
}

/* --- diff ----------------------------------------------------------------------------------- */

struct line {
    char kind;
    char path[];
};
struct diff {
    const char *const *lowers;
    const char *upper;
    struct line **lines;
    size_t count;
};

static int add_line(struct diff *diff, char kind, const char *path)
{
    struct line *line = malloc(sizeof *line + strlen(path) + 1);
    struct line **more = reallocarray(diff->lines, diff->count + 1, sizeof *more);
    if (line == NULL || more == NULL)
        return -ENOMEM;
    line->kind = kind;
    strcpy(line->path, path);
    diff->lines = more;
    diff->lines[diff->count++] = line;
    return 0;
}

static bool marked(const char *layer, const char *path)
{
    char full[2 * PATH_MAX], value[16];
    snprintf(full, sizeof full, "%s%s", layer, path);
    ssize_t length = lgetxattr(full, "user.overlay.opaque", value, sizeof value);
    if (length == 1 && *value == 'y')
        return true;
    length = lgetxattr(full, "trusted.overlay.opaque", value, sizeof value);
    return length == 1 && *value == 'y';
}

/* What the lowers show at `path`: walks it down, name by name, with the set of layers that are
 * still in. Gives back that set for a folder. */
static bool shown(const struct diff *diff, const char *path, bool *in, struct stat *st)
{
    char here[PATH_MAX], full[2 * PATH_MAX];
    bool found = true;
    for (size_t i = 0; diff->lowers[i] != NULL; i++)
        in[i] = true;
    for (const char *end = path; found && *end != '\0';) {
        end += 1 + strcspn(end + 1, "/");
        snprintf(here, sizeof here, "%.*s", (int)(end - path), path);
        found = false;
        bool over = false;
        for (size_t i = 0; diff->lowers[i] != NULL; i++) {
            struct stat one;
            snprintf(full, sizeof full, "%s%s", diff->lowers[i], here);
            if (over || !in[i] || lstat(full, &one) < 0) {
                in[i] = false;
                continue;
            }
            bool white = S_ISCHR(one.st_mode) && one.st_rdev == 0, folder = S_ISDIR(one.st_mode);
            if (!white && !found) {
                *st = one;
                found = true;
            }
            in[i] = folder;
            over = !folder || marked(diff->lowers[i], here);
        }
    }
    return found;
}

/* What the lowers show in a folder that hides them, and the upper says nothing of. */
static int lost(struct diff *diff, const char *path, const bool *in)
{
    bool below[512];
    char full[2 * PATH_MAX], name[PATH_MAX];
    struct stat st;
    int result = 0;
    for (size_t i = 0; result == 0 && diff->lowers[i] != NULL; i++) {
        struct dirent **list;
        if (!in[i])
            continue;
        snprintf(full, sizeof full, "%s%s", diff->lowers[i], path);
        int count = scandir(full, &list, NULL, NULL);
        if (count < 0)
            return -errno;
        for (int k = 0; k < count; k++) {
            snprintf(name, sizeof name, "%s/%s", path, list[k]->d_name);
            snprintf(full, sizeof full, "%s%s", diff->upper, name);
            bool dots = !strcmp(list[k]->d_name, ".") || !strcmp(list[k]->d_name, "..");
            bool known = dots || lstat(full, &st) == 0;
            for (size_t n = 0; !known && n < diff->count; n++)
                known = !strcmp(diff->lines[n]->path, name);
            if (!known && result == 0 && shown(diff, name, below, &st))
                result = add_line(diff, 'D', name);
            free(list[k]);
        }
        free(list);
    }
    return result;
}

static int one_of_upper(struct diff *diff, const FTSENT *entry)
{
    bool in[512] = {false};
    struct stat old;
    const char *path = entry->fts_path + strlen(diff->upper);
    const struct stat *new = entry->fts_statp;
    bool before = shown(diff, path, in, &old), folder = S_ISDIR(new->st_mode);
    if (S_ISCHR(new->st_mode) && new->st_rdev == 0)
        return before ? add_line(diff, 'D', path) : 0;
    bool fresh = false; /* the folder or one around it, but the root */
    if (folder) {
        char *part = strdup(path);
        for (char *end = part + strlen(part); end > part && !fresh; end = strrchr(part, '/')) {
            *end = '\0';
            fresh = marked(diff->upper, part);
        }
        free(part);
    }
    int result = 0;
    if (!before)
        result = add_line(diff, 'A', path);
    else if (!folder || fresh || old.st_mode != new->st_mode || old.st_uid != new->st_uid ||
             old.st_gid != new->st_gid)
        result = add_line(diff, 'C', path);
    return result == 0 && fresh && before && S_ISDIR(old.st_mode) ? lost(diff, path, in) : result;
}

static int order(const void *a, const void *b)
{
    return strcmp((*(struct line *const *)a)->path, (*(struct line *const *)b)->path);
}

int overlay_diff(const struct overlay *overlay,
                 int (*report)(void *arg, enum overlay_kind kind, const char *path), void *arg)
{
    struct diff diff = {.lowers = overlay->lowers};
    struct stat st;
    int result = 0;
    if (overlay->upper == NULL)
        return -EINVAL;
    for (size_t i = 0; overlay->lowers[i] != NULL; i++)
        if (stat(overlay->lowers[i], &st) < 0)
            return -errno;
    char *upper = realpath(overlay->upper, NULL);
    if (upper == NULL)
        return -errno;
    diff.upper = upper;
    char *const roots[] = {upper, NULL};
    FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    FTSENT *entry;
    while (result == 0 && fts != NULL && (entry = fts_read(fts)) != NULL) {
        if (entry->fts_level == 0 || entry->fts_info == FTS_DP)
            continue;
        result = entry->fts_errno != 0 ? -entry->fts_errno : one_of_upper(&diff, entry);
    }
    if (fts != NULL)
        fts_close(fts);
    if (diff.count > 0)
        qsort(diff.lines, diff.count, sizeof *diff.lines, order);
    for (size_t i = 0; i < diff.count; i++) {
        if (result == 0)
            result = report(arg, (enum overlay_kind)diff.lines[i]->kind, diff.lines[i]->path);
        free(diff.lines[i]);
    }
    free(diff.lines);
    free(upper);
    return result;
}

/* --- folders --------------------------------------------------------------------------------- */

int overlay_create(const char *folder, const char *lower)
{
    static const char *const below[] = {"", "/upper", "/work", "/merged"};
    char *paths[4] = {NULL};
    struct stat like;
    int made = 0, result = 0;
    if (stat(lower, &like) < 0)
        return -errno;
    mode_t mask = umask(0);
    for (; made < 4 && result == 0; made++) {
        if (asprintf(&paths[made], "%s%s", folder, below[made]) < 0)
            result = -ENOMEM;
        else if (mkdir(paths[made], 0755) < 0)
            result = -errno;
        if (result < 0)
            break;
    }
    umask(mask);
    if (result == 0 && lchown(paths[1], like.st_uid, like.st_gid) < 0 && errno != EPERM &&
        errno != EINVAL)
        result = -errno;
    if (result == 0 && chmod(paths[1], like.st_mode & ALLPERMS) < 0)
        result = -errno;
    while (result < 0 && made-- > 0)
        rmdir(paths[made]);
    for (int i = 0; i < 4; i++)
        free(paths[i]);
    return result;
}

static int mount_id(int fd, const char *name, unsigned long long *id)
{
    struct statx st;
    if (statx(fd, name, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_MNT_ID, &st))
        return -errno;
    *id = st.stx_mnt_id;
    return 0;
}

static int clear(int found, unsigned long long home)
{
    char self[40];
    unsigned long long id = 0;
    int result = mount_id(found, "", &id);
    if (result < 0 || id != home) {
        close(found);
        return result < 0 ? result : -EBUSY;
    }
    snprintf(self, sizeof self, "/proc/self/fd/%d", found);
    chmod(self, 0700);
    DIR *list = opendir(self);
    if (list == NULL)
        result = -errno;
    struct dirent *entry;
    while (result == 0 && (entry = readdir(list)) != NULL) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
            continue;
        int below = openat(found, entry->d_name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (below >= 0)
            result = clear(below, home);
        else if (errno != ENOTDIR && errno != ELOOP)
            result = -errno;
        if (result == 0 && unlinkat(found, entry->d_name, below >= 0 ? AT_REMOVEDIR : 0) < 0)
            result = -errno;
    }
    if (list != NULL)
        closedir(list);
    close(found);
    return result;
}

int overlay_remove(const char *folder)
{
    unsigned long long id = 0;
    int fd = open(folder, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : -errno;
    int result = mount_id(fd, "", &id);
    if (result == 0)
        result = clear(fd, id);
    if (result == 0 && rmdir(folder) < 0)
        result = -errno;
    return result;
}
