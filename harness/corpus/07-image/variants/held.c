/* Variant: each component is held (O_PATH) before anything else is done with it; a hard link is one
 * to what is held, by /proc; blobs are copied by copy_file_range or sendfile, whose errors are not
 * those of read, and synced by another fd; the cache's key is a sum of sums. */
#include "07-image/image.h"

#include <errno.h>
#include <fcntl.h>
#include <nettle/base16.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "06-overlayfs/overlay.h"
#include "07-image/given_digest.h"

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

static void hex_text(struct sha256_ctx *ctx, char digest[IMAGE_DIGEST])
{
    uint8_t raw[32];

    sha256_digest(ctx, sizeof raw, raw);
    memcpy(digest, "sha256:", 7);
    base16_encode_update(digest + 7, sizeof raw, raw);
    digest[71] = '\0';
}

int image_digest(int fd, char digest[IMAGE_DIGEST])
{
    struct sha256_ctx ctx;
    uint8_t page[4096];
    ssize_t got;
    int error = 0;
    off_t before = lseek(fd, 0, SEEK_CUR);

    if (before < 0 || lseek(fd, 0, SEEK_SET) < 0)
        return -errno;
    sha256_init(&ctx);
    while ((got = read(fd, page, sizeof page)) > 0)
        sha256_update(&ctx, (size_t)got, page);
    if (got < 0)
        error = -errno;
    lseek(fd, before, SEEK_SET);
    hex_text(&ctx, digest);
    return error;
}

static bool valid(const char *d)
{
    uint8_t raw[32];
    char again[65] = "";

    if (strnlen(d, IMAGE_DIGEST) != 71 || strncmp(d, "sha256:", 7))
        return false;
    /* There and back: only the one spelling survives. */
    for (int i = 0; i < 32; i++) {
        unsigned byte;
        int used = 0;
        char two[3] = {d[7 + 2 * i], d[8 + 2 * i], 0};
        if (sscanf(two, "%2x%n", &byte, &used) != 1 || used != 2)
            return false;
        raw[i] = (uint8_t)byte;
    }
    base16_encode_update(again, 32, raw);
    return memcmp(again, d + 7, 64) == 0;
}

int image_verify_layer(int blob, const char *digest, const char *diff_id)
{
    char now[IMAGE_DIGEST];
    struct plain *plain = NULL;
    struct sha256_ctx ctx;
    uint8_t page[4096];
    ssize_t got;
    int error = valid(digest) && valid(diff_id) ? image_digest(blob, now) : -EINVAL;

    if (error)
        goto out;
    error = -EBADMSG;
    if (strcmp(now, digest))
        goto out;
    if ((error = plain_open(blob, &plain)))
        goto out;
    if (!*plain_compression(plain)) { /* the same bytes: no need to read them again */
        error = strcmp(digest, diff_id) ? -EBADMSG : 0;
        goto out;
    }
    sha256_init(&ctx);
    while ((got = plain_read(plain, page, sizeof page)) > 0)
        sha256_update(&ctx, (size_t)got, page);
    error = (int)got;
    hex_text(&ctx, now);
    if (!error && strcmp(now, diff_id))
        error = -EBADMSG;
out:
    plain_close(plain);
    return error;
}

/* What is there: 0 nothing, else S_IFMT, or 1 for a whiteout. */
static unsigned kind_of(int folder, const char *name)
{
    struct stat st;

    if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW))
        return 0;
    return S_ISCHR(st.st_mode) && !st.st_rdev ? 1 : st.st_mode & S_IFMT;
}

static int go_down(int folder, const char *name)
{
    bool opaque = false;
    struct stat st;
    int fd;

    if (!strcmp(name, ".."))
        return -EXDEV;
    if (strlen(name) > NAME_MAX)
        return -ENAMETOOLONG;
    switch (kind_of(folder, name)) {
    case 1:
        if (unlinkat(folder, name, 0))
            return -errno;
        opaque = true;
        __attribute__((fallthrough));
    case 0:
        if (mkdirat(folder, name, 0755))
            return -errno;
        break;
    case S_IFLNK:
        return -ELOOP;
    case S_IFDIR:
        break;
    default:
        return -ENOTDIR;
    }
    /* Held first, looked at then: what is held cannot be exchanged. */
    fd = openat(folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    if (fstat(fd, &st) || !S_ISDIR(st.st_mode)) {
        close(fd);
        return S_ISLNK(st.st_mode) ? -ELOOP : -ENOTDIR;
    }
    if (opaque) {
        int full = openat(fd, ".", DIR_FLAGS);
        int error = full < 0 ? -errno : overlay_replace(full);
        if (full >= 0)
            close(full);
        if (error) {
            close(fd);
            return error;
        }
    }
    return fd;
}

int image_place(int root, const char *path, char name[NAME_MAX + 1])
{
    char *copy, *rest, *word, *next;
    int here, result = 0;

    if (!*path)
        return -ENOENT;
    if (strlen(path) >= PATH_MAX)
        return -ENAMETOOLONG;
    rest = copy = strdup(path);
    if (!copy)
        return -ENOMEM;
    here = openat(root, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (here < 0)
        result = -errno;
    strcpy(name, ".");
    word = NULL;
    while (result == 0 && (next = strsep(&rest, "/"))) {
        if (!*next || !strcmp(next, "."))
            continue;
        if (word) {
            int deeper = go_down(here, word);
            close(here);
            here = deeper;
            if (deeper < 0)
                result = deeper;
        }
        word = next;
    }
    if (result == 0 && word) {
        if (!strcmp(word, ".."))
            result = -EXDEV;
        else if (strlen(word) > NAME_MAX)
            result = -ENAMETOOLONG;
        else
            strcpy(name, word);
    }
    free(copy);
    if (result == 0) { /* a proper fd, for whoever wants to list or mark it */
        result = openat(here, ".", DIR_FLAGS);
        if (result < 0)
            result = -errno;
    }
    if (here >= 0)
        close(here);
    return result;
}

static int opaque_below(int folder, const char *name)
{
    int fd = openat(folder, name, DIR_FLAGS);
    int error = fd < 0 ? -errno : overlay_replace(fd);

    if (fd >= 0)
        close(fd);
    return error;
}

static int do_whiteout(int folder, const char *hidden)
{
    if (!strcmp(hidden, ".wh..opq"))
        return overlay_replace(folder);
    if (!strncmp(hidden, ".wh.", 4))
        return 0;
    if (!*hidden || !strcmp(hidden, ".") || !strcmp(hidden, ".."))
        return -EBADMSG;
    switch (kind_of(folder, hidden)) {
    case 0:
        return overlay_hide(folder, hidden);
    case S_IFDIR:
        return opaque_below(folder, hidden);
    default:
        return 0;
    }
}

static int do_link(const struct tar_entry *entry, int root, int folder, const char *name)
{
    char old[NAME_MAX + 1], path[64];
    struct stat st;
    int error, held, where = image_place(root, entry->hard_link, old);

    if (where < 0)
        return where;
    held = openat(where, old, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    error = held < 0 ? -errno : 0;
    close(where);
    if (!error && !fstat(held, &st) && S_ISCHR(st.st_mode) && !st.st_rdev)
        error = -ENOENT;
    else if (!error && S_ISDIR(st.st_mode))
        error = -EPERM;
    if (!error)
        error = tar_clear(folder, name);
    snprintf(path, sizeof path, "/proc/self/fd/%d", held);
    /* Of the very file that was looked at: the magic link leads to it, a symbolic link too. */
    if (!error && linkat(AT_FDCWD, path, folder, name, AT_SYMLINK_FOLLOW))
        error = -errno;
    if (held >= 0)
        close(held);
    return error;
}

int image_apply(struct tar *tar, const struct tar_entry *entry, int root)
{
    char name[NAME_MAX + 1];
    int error, folder = image_place(root, entry->path, name);

    if (folder < 0)
        return folder;
    if (!strncmp(name, ".wh.", 4)) {
        error = do_whiteout(folder, name + 4);
    } else if (entry->hard_link) {
        error = do_link(entry, root, folder, name);
    } else if (S_ISDIR(entry->mode) && kind_of(folder, name) == 1) {
        /* As image_place does on the way: made, marked, and dressed at last. */
        int fd = go_down(folder, name);
        if (fd >= 0)
            close(fd);
        error = fd < 0 ? fd : tar_make(tar, entry, folder, name);
    } else {
        error = tar_make(tar, entry, folder, name);
    }
    close(folder);
    return error;
}

static int spend(struct image_limits *left, const struct tar_entry *entry)
{
    if (!left->entries || entry->size > left->bytes)
        return -EFBIG;
    *left = (struct image_limits){left->bytes - entry->size, left->entries - 1};
    return 0;
}

int image_unpack(int blob, int root, const struct image_limits *limits)
{
    struct image_limits left = *limits;
    struct tar_entry entry;
    struct tar *tar;
    int result = tar_open(blob, &tar);

    if (result < 0)
        return result;
    while ((result = tar_next(tar, &entry)) > 0) {
        result = spend(&left, &entry);
        if (result == 0)
            result = image_apply(tar, &entry, root);
        if (result != 0)
            break;
    }
    tar_close(tar);
    return result;
}

/* ---- */

static int fill(int source, int target)
{
    off_t at = 0;
    ssize_t n;

    do
        n = copy_file_range(source, &at, target, NULL, 1 << 30, 0);
    while (n > 0);
    if (n == 0 && at > 0)
        return 0;
    /* an old kernel, two file systems, or a file without a size */
    do
        n = sendfile(target, source, &at, 1 << 20);
    while (n > 0);
    return n < 0 ? -errno : 0;
}

static int sync_again(int folder, const char *name)
{
    int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    int error = fd < 0 || fsync(fd) ? -errno : 0;

    if (fd >= 0)
        close(fd);
    return error;
}

int image_put(int store, int source, const char *expected, char digest[IMAGE_DIGEST])
{
    char name[40];
    uint64_t random[2];
    struct stat st;
    int error = 0, file;
    int tmp = openat(store, "tmp", DIR_FLAGS);
    int blobs = openat(store, "blobs/sha256", DIR_FLAGS);

    if (tmp < 0 || blobs < 0) {
        error = -errno;
        goto out;
    }
    do {
        if (getrandom(random, sizeof random, 0) != sizeof random) {
            error = -errno;
            goto out;
        }
        snprintf(name, sizeof name, "%016lx%016lx", random[0], random[1]);
        file = openat(tmp, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    } while (file < 0 && errno == EEXIST);
    if (file < 0) {
        error = -errno;
        goto out;
    }
    error = fill(source, file);
    if (!error)
        error = image_digest(file, digest);
    if (close(file) && !error)
        error = -errno;
    if (!error && expected && strcmp(expected, digest))
        error = -EBADMSG;
    if (!error && fstatat(blobs, digest + 7, &st, AT_SYMLINK_NOFOLLOW)) {
        error = sync_again(tmp, name);
        if (!error && renameat(tmp, name, blobs, digest + 7))
            error = -errno;
        if (!error) {
            name[0] = '\0';
            if (fsync(blobs) || fsync(tmp))
                error = -errno;
        }
    }
    if (name[0])
        unlinkat(tmp, name, 0);
out:
    if (tmp >= 0)
        close(tmp);
    if (blobs >= 0)
        close(blobs);
    return error;
}

int image_open(int store, const char *digest)
{
    int fd, blobs;

    if (!valid(digest))
        return -EINVAL;
    blobs = openat(store, "blobs/sha256", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (blobs < 0)
        return -errno;
    fd = openat(blobs, digest + 7, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        fd = -errno;
    close(blobs);
    return fd;
}

/* ---- */

int image_size(int blob, uint64_t *bytes)
{
    struct tar_entry entry;
    struct tar *tar;
    uint64_t sum = 0;
    int n = tar_open(blob, &tar);

    if (n)
        return n;
    for (; (n = tar_next(tar, &entry)) == 1; sum += entry.size)
        ; /* the size of all but files is 0, of hard links too */
    tar_close(tar);
    *bytes = sum;
    return n;
}

/* Rules of the layers above: a path, and what of it they hide. */
struct rule {
    char *path;
    bool self, below;
};
struct rules {
    struct rule *list;
    size_t count;
    int error;
};
struct file {
    char *path;
    size_t content; /* which of the contents */
};
struct survey {
    struct rules above, mine;
    struct file *files;
    size_t count;
    uint64_t *contents; /* bytes; 0 when some name of it shows */
    size_t contents_count;
};

static void rule(struct rules *rules, const char *path, size_t length, bool self, bool below)
{
    struct rule *list = reallocarray(rules->list, rules->count + 1, sizeof *list);
    char *copy = strndup(path, length);

    if (list)
        rules->list = list;
    if (!list || !copy) {
        free(copy);
        rules->error = -ENOMEM;
        return;
    }
    list[rules->count++] = (struct rule){copy, self, below};
}

static bool covered(const struct rules *rules, const char *path)
{
    for (size_t i = 0; i < rules->count; i++) {
        const struct rule *r = &rules->list[i];
        size_t n = strlen(r->path);
        if (r->self && !strcmp(r->path, path))
            return true;
        if (r->below && (!n || (!strncmp(r->path, path, n) && path[n] == '/')))
            return true;
    }
    return false;
}

static int note_file(struct survey *s, const char *path, size_t content)
{
    struct file *files = reallocarray(s->files, s->count + 1, sizeof *files);

    if (!files)
        return -ENOMEM;
    s->files = files;
    files[s->count++] = (struct file){strdup(path), content};
    return 0;
}

static int look_at(void *arg, const struct tar_entry *entry, char path[PATH_MAX])
{
    struct survey *s = arg;
    char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    size_t folder = slash ? (size_t)(slash - path) : 0;
    char hidden[PATH_MAX];

    for (size_t i = 0; i < folder + 1; i++)
        if (path[i] == '/')
            rule(&s->mine, path, i, true, false);
    if (!strcmp(base, ".wh..wh..opq")) {
        rule(&s->mine, path, folder, false, true);
    } else if (!strncmp(base, ".wh.", 4)) {
        if (strncmp(base, ".wh..wh.", 8)) {
            snprintf(hidden, sizeof hidden, "%.*s%s%s", (int)folder, path, folder ? "/" : "",
                     base + 4);
            rule(&s->mine, hidden, strlen(hidden), true, true);
        }
    } else {
        rule(&s->mine, path, strlen(path), true, !S_ISDIR(entry->mode));
        if (entry->hard_link) {
            if (tar_spell(entry->hard_link, hidden))
                return 0;
            for (size_t i = s->count; i-- > 0;)
                if (!strcmp(s->files[i].path, hidden)) {
                    if (!covered(&s->above, path))
                        s->contents[s->files[i].content] = 0;
                    return note_file(s, path, s->files[i].content);
                }
        } else if (S_ISREG(entry->mode)) {
            uint64_t *grown = reallocarray(s->contents, s->contents_count + 1, sizeof *grown);
            if (!grown)
                return -ENOMEM;
            s->contents = grown;
            grown[s->contents_count++] = covered(&s->above, path) ? entry->size : 0;
            return note_file(s, path, s->contents_count - 1);
        }
    }
    return s->mine.error;
}

int image_waste(const int *blobs, size_t count, uint64_t *bytes)
{
    struct survey s = {0};
    int error = 0;

    *bytes = 0;
    while (count-- > 0 && !error) {
        s.mine = (struct rules){0};
        error = tar_each(blobs[count], look_at, &s);
        for (size_t i = 0; i < s.mine.count; i++) {
            struct rule *r = &s.mine.list[i];
            rule(&s.above, r->path, strlen(r->path), r->self, r->below);
            free(r->path);
        }
        free(s.mine.list);
        for (size_t i = 0; i < s.contents_count; i++)
            *bytes += s.contents[i];
        for (size_t i = 0; i < s.count; i++)
            free(s.files[i].path);
        s.count = s.contents_count = 0;
    }
    for (size_t i = 0; i < s.above.count; i++)
        free(s.above.list[i].path);
    free(s.above.list);
    free(s.files);
    free(s.contents);
    return error ? error : s.above.error;
}

/* A sum of sums: each part has a sum of its own, so no part can run into the next. */
static void part(struct sha256_ctx *whole, const void *data, size_t size)
{
    struct sha256_ctx ctx;
    uint8_t raw[32];

    sha256_init(&ctx);
    sha256_update(&ctx, size, data);
    sha256_digest(&ctx, 32, raw);
    sha256_update(whole, 32, raw);
}

int image_cache_key(const char *parent, const char *instruction, const struct image_input *inputs,
                    size_t count, char key[IMAGE_DIGEST])
{
    struct sha256_ctx whole;

    sha256_init(&whole);
    part(&whole, parent, strlen(parent));
    part(&whole, instruction, strlen(instruction));
    for (size_t i = 0; i < count; i++) {
        char content[IMAGE_DIGEST], mode[8];
        int error = image_digest(inputs[i].fd, content);
        if (error)
            return error;
        part(&whole, inputs[i].name, strlen(inputs[i].name));
        snprintf(mode, sizeof mode, "%04o", inputs[i].mode & 0111);
        part(&whole, mode, 4);
        part(&whole, content, strlen(content));
    }
    hex_text(&whole, key);
    return 0;
}
