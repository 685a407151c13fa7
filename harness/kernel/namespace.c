/* Namespaces by device and inode: fs/proc/namespaces.c, fs/nsfs.c. */
#include "kernel/namespace.h"
#include "kernel/file.h"
#include "kernel/own.h"
#include "kernel/text.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

static const struct {
    const char *name;
    unsigned flag;
} kinds[KERNEL_NS_KINDS] = {
    [KERNEL_NS_CGROUP] = {"cgroup", CLONE_NEWCGROUP},
    [KERNEL_NS_IPC] = {"ipc", CLONE_NEWIPC},
    [KERNEL_NS_MNT] = {"mnt", CLONE_NEWNS},
    [KERNEL_NS_NET] = {"net", CLONE_NEWNET},
    [KERNEL_NS_PID] = {"pid", CLONE_NEWPID},
    [KERNEL_NS_PID_FOR_CHILDREN] = {"pid_for_children", 0},
    [KERNEL_NS_TIME] = {"time", CLONE_NEWTIME},
    [KERNEL_NS_TIME_FOR_CHILDREN] = {"time_for_children", 0},
    [KERNEL_NS_USER] = {"user", CLONE_NEWUSER},
    [KERNEL_NS_UTS] = {"uts", CLONE_NEWUTS},
};

const char *kernel_ns_name(enum kernel_ns_kind kind)
{
    return kind < KERNEL_NS_KINDS ? kinds[kind].name : NULL;
}

unsigned kernel_ns_flag(enum kernel_ns_kind kind)
{
    return kind < KERNEL_NS_KINDS ? kinds[kind].flag : 0;
}

int kernel_ns_at(int procfd, const char *name, struct kernel_ns_id *id)
{
    char path[64];
    struct stat st;

    *id = (struct kernel_ns_id){0};
    if ((size_t)snprintf(path, sizeof(path), "ns/%s", name) >= sizeof(path))
        return -ENOENT;
    if (fstatat(procfd, path, &st, 0) < 0)
        return kernel_proc_error(procfd, -errno);
    *id = (struct kernel_ns_id){.dev = st.st_dev, .ino = st.st_ino};
    return 0;
}

int kernel_ns(pid_t pid, const char *name, struct kernel_ns_id *id)
{
    autoclose int proc = kernel_proc_open(pid);

    *id = (struct kernel_ns_id){0};
    return proc < 0 ? proc : kernel_ns_at(proc, name, id);
}

int kernel_ns_fd(int fd, struct kernel_ns_id *id)
{
    struct stat st;

    *id = (struct kernel_ns_id){0};
    if (fstat(fd, &st) < 0)
        return -errno;
    *id = (struct kernel_ns_id){.dev = st.st_dev, .ino = st.st_ino};
    return 0;
}

bool kernel_ns_equal(struct kernel_ns_id a, struct kernel_ns_id b)
{
    return a.dev == b.dev && a.ino == b.ino;
}

int kernel_ns_all(pid_t pid, struct kernel_ns_set *set)
{
    autoclose int proc = kernel_proc_open(pid);

    *set = (struct kernel_ns_set){0};
    if (proc < 0)
        return proc;
    for (enum kernel_ns_kind kind = 0; kind < KERNEL_NS_KINDS; kind++) {
        int error = kernel_ns_at(proc, kinds[kind].name, &set->id[kind]);

        set->present[kind] = error == 0;
        if (error && error != -ENOENT)
            return error;
    }
    return 0;
}

bool kernel_ns_shared(const struct kernel_ns_set *a, const struct kernel_ns_set *b,
                      enum kernel_ns_kind kind)
{
    return kind < KERNEL_NS_KINDS && a->present[kind] && b->present[kind] &&
           kernel_ns_equal(a->id[kind], b->id[kind]);
}

int kernel_ns_link_parse(const char *text, size_t len, char kind[32], struct kernel_ns_id *id)
{
    struct kernel_text rest = kernel_text(text, len), word = rest;
    uint64_t number = 0;

    *id = (struct kernel_ns_id){0};
    kind[0] = '\0';
    if (!kernel_text_cut(&rest, ':', &word) || word.at == word.end || !kernel_text_skip(&rest, "["))
        return -EBADMSG;
    for (const char *c = word.at; c < word.end; c++)
        if ((*c < 'a' || *c > 'z') && *c != '_')
            return -EBADMSG;
    if (kernel_text_unsigned(&rest, 10, UINT64_MAX, &number) < 0 || !kernel_text_is(rest, "]"))
        return -EBADMSG;
    id->ino = number;
    return kernel_text_copy(word, kind, 32);
}
