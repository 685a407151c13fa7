#include "07-image/given_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const parts[] = {"blobs", "blobs/sha256", "layers", "tmp"};
static const char version[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
static const char no_images[] =
    "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\","
    "\"manifests\":[]}";

static int lock(int fd, int how)
{
    int result;

    do
        result = flock(fd, how);
    while (result < 0 && errno == EINTR);
    return result < 0 ? -errno : 0;
}

/* --- what is not finished --------------------------------------------------------------------- */

static int temporary_path(char path[64])
{
    unsigned long long random;

    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
        return -errno;
    snprintf(path, 64, "tmp/%016llx", random);
    return 0;
}

int store_temporary_file(int store, char path[64])
{
    int result = temporary_path(path);

    if (result < 0)
        return result;
    int fd = openat(store, path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    return fd < 0 ? -errno : fd;
}

int store_temporary_folder(int store, char path[64])
{
    int result = temporary_path(path);

    if (result < 0)
        return result;
    if (mkdirat(store, path, 0755) < 0)
        return -errno;
    int fd = openat(store, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static int write_all(int fd, const char *data, uint64_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, data, size);
        if (n < 0 && errno != EINTR)
            return -errno;
        if (n > 0) {
            data += n;
            size -= (uint64_t)n;
        }
    }
    return 0;
}

int store_copy(int source, int target)
{
    char block[32 * 1024];
    off_t at = 0;
    ssize_t n;

    while ((n = pread(source, block, sizeof block, at)) != 0) {
        if (n < 0 && errno != EINTR)
            return -errno;
        int result = n > 0 ? write_all(target, block, (uint64_t)n) : 0;
        if (result < 0)
            return result;
        at += n > 0 ? n : 0;
    }
    return 0;
}

int store_replace(int store, const char *name, const void *data, uint64_t size)
{
    char path[64];
    int file = store_temporary_file(store, path);

    if (file < 0)
        return file;
    int result = write_all(file, data, size);
    if (result == 0 &&
        (fsync(file) < 0 || renameat(store, path, store, name) < 0 || fsync(store) < 0))
        result = -errno;
    close(file);
    if (result < 0)
        unlinkat(store, path, 0);
    return result;
}

int store_discard(int store, const char *path)
{
    char away[64];
    int fd = openat(store, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0)
        return errno == ENOENT ? 0 : -errno;
    int result = lock(fd, LOCK_EX | LOCK_NB);
    if (result == 0)
        result = temporary_path(away);
    if (result == 0 && renameat(store, path, store, away) < 0)
        result = -errno;
    close(fd);
    return result == -EWOULDBLOCK ? -EBUSY : result;
}

/* Empties the folder `name` of tmp/: files go, folders move up into tmp/ itself, to be met there.
 * So a tree of any depth needs no recursion and no path that grows. Symbolic links are not
 * followed. */
static void flatten(int tmp, int folder)
{
    char path[64];
    int copy = dup(folder);
    DIR *list = copy >= 0 ? fdopendir(copy) : NULL;

    if (list == NULL && copy >= 0)
        close(copy);
    for (struct dirent *entry; list != NULL && (entry = readdir(list)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (unlinkat(folder, entry->d_name, 0) == 0 || errno != EISDIR)
            continue;
        if (unlinkat(folder, entry->d_name, AT_REMOVEDIR) == 0)
            continue;
        /* Moving a folder writes its "..". */
        fchmodat(folder, entry->d_name, S_IRWXU, 0);
        if (temporary_path(path) == 0)
            renameat(folder, entry->d_name, tmp, path + strlen("tmp/"));
    }
    if (list != NULL)
        closedir(list);
}

/* One entry of tmp/. True when it is gone. */
static bool sweep_entry(int tmp, const char *name)
{
    if (unlinkat(tmp, name, 0) == 0)
        return true;
    if (errno != EISDIR)
        return false;
    int folder = openat(tmp, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder < 0 && fchmodat(tmp, name, S_IRWXU, 0) == 0)
        folder = openat(tmp, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder < 0)
        return false;
    if (lock(folder, LOCK_EX | LOCK_NB) == 0) {
        fchmod(folder, S_IRWXU);
        flatten(tmp, folder);
    }
    close(folder);
    return unlinkat(tmp, name, AT_REMOVEDIR) == 0;
}

void store_sweep(int store)
{
    int tmp = openat(store, "tmp", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *list = tmp >= 0 ? fdopendir(tmp) : NULL;
    bool changed = list != NULL;

    while (changed) { /* folders that moved up are for the next round */
        changed = false;
        rewinddir(list);
        for (struct dirent *entry; (entry = readdir(list)) != NULL;)
            if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
                changed |= sweep_entry(tmp, entry->d_name);
    }
    if (list != NULL)
        closedir(list);
    else if (tmp >= 0)
        close(tmp);
}

/* --- the folder ------------------------------------------------------------------------------- */

static bool exists(int store, const char *name)
{
    return faccessat(store, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Somebody else's folder is not made a store. One that a killed program has half made is finished.
 */
static int check_ours(int store)
{
    static const char *const known[] = {".", "..", "blobs", "layers", "tmp", "index.json", NULL};
    int copy = openat(store, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = copy >= 0 ? fdopendir(copy) : NULL;
    int result = 0;

    if (list == NULL)
        return -errno;
    for (struct dirent *entry; result == 0 && (entry = readdir(list)) != NULL;) {
        size_t i = 0;
        while (known[i] != NULL && strcmp(known[i], entry->d_name) != 0)
            i++;
        if (known[i] == NULL)
            result = -ENOTEMPTY;
    }
    closedir(list);
    return result;
}

static int furnish(int store)
{
    int result = check_ours(store);

    for (size_t i = 0; result == 0 && i < sizeof parts / sizeof *parts; i++)
        if (mkdirat(store, parts[i], 0755) < 0 && errno != EEXIST)
            result = -errno;
    if (result == 0 && !exists(store, "index.json"))
        result = store_replace(store, "index.json", no_images, strlen(no_images));
    if (result == 0) /* last: it says that the rest is there */
        result = store_replace(store, "oci-layout", version, strlen(version));
    return result;
}

static int prepare(int store, enum store_use use)
{
    int result;

    if (!exists(store, "oci-layout")) {
        if (use == STORE_READ)
            return -ENOENT;
        result = lock(store, LOCK_EX);
        if (result == 0 && !exists(store, "oci-layout"))
            result = furnish(store);
        if (result < 0)
            return result;
    }
    if (lock(store, LOCK_EX | LOCK_NB) == 0)
        store_sweep(store);
    result = lock(store, use == STORE_WRITE ? LOCK_EX : LOCK_SH);
    if (result == 0 && use == STORE_WRITE)
        store_sweep(store);
    return result;
}

int store_open(const char *path, enum store_use use, struct fault *fault)
{
    if (use != STORE_READ && mkdir(path, 0700) < 0 && errno != EEXIST)
        return fault_set(fault, -errno, "the store %s cannot be made: %s; choose another --store",
                         path, strerror(errno));
    int store = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (store < 0)
        return fault_set(fault, -errno,
                         "the store %s cannot be opened: %s; --store says where it is", path,
                         strerror(errno));
    int result = prepare(store, use);
    if (result < 0) {
        close(store);
        return fault_set(fault, result, "%s is no store: %s", path,
                         result == -ENOENT ? "it has no file oci-layout; --import makes one"
                         : result == -ENOTEMPTY
                             ? "there are other things in it; choose an empty folder"
                             : fault_reason(result));
    }
    return store;
}
