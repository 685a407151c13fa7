/* Process trees: fs/proc/array.c, children_seq_show(), and fs/proc/base.c. */
#include "kernel/tree.h"
#include "kernel/file.h"
#include "kernel/own.h"
#include "kernel/stat.h"
#include "kernel/text.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>

static int append(struct kernel_pids *pids, pid_t pid)
{
    pid_t *grown = kernel_grow(pids->list, pids->count, &pids->capacity, sizeof(*grown));

    if (!grown)
        return -ENOMEM;
    pids->list = grown;
    grown[pids->count++] = pid;
    return 0;
}

static int append_text(const char *text, size_t len, struct kernel_pids *pids)
{
    struct kernel_text rest = kernel_text(text, len);

    for (;;) {
        uint64_t pid;
        int error;

        while (rest.at < rest.end && (*rest.at == ' ' || *rest.at == '\n'))
            rest.at++;
        if (rest.at == rest.end)
            return 0;
        if (kernel_text_unsigned(&rest, 10, INT_MAX, &pid) < 0 || pid == 0 ||
            (rest.at < rest.end && *rest.at != ' ' && *rest.at != '\n'))
            return -EBADMSG;
        error = append(pids, (pid_t)pid);
        if (error)
            return error;
    }
}

int kernel_pids_parse(const char *text, size_t len, struct kernel_pids *pids)
{
    int error;

    *pids = (struct kernel_pids){0};
    error = append_text(text, len, pids);
    if (error)
        kernel_pids_free(pids);
    return error;
}

/* Appends every entry of a directory that is a number: processes of /proc, threads of task. */
static int list_numbers(int at, const char *path, struct kernel_pids *pids)
{
    int dirfd = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = dirfd < 0 ? NULL : fdopendir(dirfd);
    struct dirent *entry;
    int error = 0;

    if (!dir) {
        error = -errno;
        if (dirfd >= 0)
            close(dirfd);
        return error;
    }
    while (!error && (errno = 0, entry = readdir(dir)) != NULL) {
        struct kernel_text name = kernel_text(entry->d_name, strlen(entry->d_name));
        uint64_t pid;

        if (kernel_text_unsigned(&name, 10, INT_MAX, &pid) == 0 && name.at == name.end)
            error = append(pids, (pid_t)pid);
    }
    if (!error && errno)
        error = -errno;
    closedir(dir);
    return error;
}

int kernel_pids_all(struct kernel_pids *pids)
{
    int error;

    *pids = (struct kernel_pids){0};
    error = list_numbers(AT_FDCWD, "/proc", pids);
    if (error)
        kernel_pids_free(pids);
    return error;
}

/* Without the children files: everybody whose parent this is. */
static int scan_children(pid_t pid, struct kernel_pids *pids)
{
    autofree pid_t *list = NULL;
    struct kernel_pids all;
    int error = kernel_pids_all(&all);

    list = all.list;
    for (size_t i = 0; !error && i < all.count; i++) {
        struct kernel_stat stat;

        if (kernel_stat_read(all.list[i], &stat) == 0 && stat.ppid == pid)
            error = append(pids, all.list[i]);
    }
    return error;
}

/* Appends the children of every thread, for each thread keeps those that it made itself. */
static int list_children(int proc, struct kernel_pids *pids)
{
    struct kernel_pids threads = {0};
    int error = list_numbers(proc, "task", &threads);

    for (size_t i = 0; !error && i < threads.count; i++) {
        autofree char *text = NULL;
        char path[64];
        size_t len;

        snprintf(path, sizeof(path), "task/%d/children", threads.list[i]);
        error = kernel_read_at(proc, path, &text, &len);
        if (error == -ENOENT || error == -ESRCH)
            error = 0; /* this thread has ended, and its children are another's now */
        else if (!error)
            error = append_text(text, len, pids);
    }
    kernel_pids_free(&threads);
    return error;
}

static int append_children(pid_t pid, struct kernel_pids *pids)
{
    autoclose int proc = kernel_proc_open(pid);
    int error;

    if (proc < 0)
        return proc;
    if (faccessat(AT_FDCWD, "/proc/thread-self/children", F_OK, 0) < 0)
        return kernel_proc_gone(proc) ? -ESRCH : scan_children(pid, pids);
    error = list_children(proc, pids);
    return error ? kernel_proc_error(proc, error) : 0;
}

int kernel_children(pid_t pid, struct kernel_pids *pids)
{
    int error;

    *pids = (struct kernel_pids){0};
    error = append_children(pid, pids);
    if (error)
        kernel_pids_free(pids);
    return error;
}

static bool holds(const struct kernel_pids *pids, pid_t pid, size_t below)
{
    for (size_t i = 0; i < below; i++)
        if (pids->list[i] == pid)
            return true;
    return false;
}

int kernel_descendants(pid_t pid, struct kernel_pids *pids)
{
    int error;

    *pids = (struct kernel_pids){0};
    error = append_children(pid, pids);
    /* The list grows behind the one whose children are asked for, until nobody has any. */
    for (size_t i = 0; !error && i < pids->count; i++) {
        size_t before = pids->count, kept = before;

        error = append_children(pids->list[i], pids);
        if (error == -ESRCH)
            error = 0;
        /* A process that moved in the tree meanwhile shall not be listed twice: else a pid that is
         * reused at the wrong moment could close a circle. */
        for (size_t j = before; j < pids->count; j++)
            if (pids->list[j] != pid && !holds(pids, pids->list[j], kept))
                pids->list[kept++] = pids->list[j];
        pids->count = kept;
    }
    if (error)
        kernel_pids_free(pids);
    return error;
}

int kernel_pids_in_ns(struct kernel_ns_id ns, struct kernel_pids *pids)
{
    struct kernel_pids all;
    int error = kernel_pids_all(&all);

    *pids = (struct kernel_pids){0};
    for (size_t i = 0; !error && i < all.count; i++) {
        struct kernel_ns_id its;
        int looked = kernel_ns(all.list[i], "pid", &its);

        if (looked == 0 && kernel_ns_equal(its, ns))
            error = append(pids, all.list[i]);
        pids->unreadable += looked == -EACCES || looked == -EPERM;
    }
    kernel_pids_free(&all);
    if (error)
        kernel_pids_free(pids);
    return error;
}

void kernel_pids_free(struct kernel_pids *pids)
{
    free(pids->list);
    *pids = (struct kernel_pids){0};
}
