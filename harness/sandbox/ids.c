#include "sandbox/ids.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Where root's loan begins: far above what systems hand out (uids are 32 bits wide). */
enum { LOAN = 2000000000 };

static int write_file(pid_t pid, const char *name, const char *text)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    ssize_t wrote = write(fd, text, strlen(text));
    int result = wrote < 0 ? -errno : 0;
    close(fd);
    return result;
}

static int write_maps(pid_t pid, unsigned long uid, unsigned long gid, unsigned count)
{
    char text[64];

    snprintf(text, sizeof text, "0 %lu %u\n", uid, count);
    int result = write_file(pid, "uid_map", text);
    snprintf(text, sizeof text, "0 %lu %u\n", gid, count);
    return result < 0 ? result : write_file(pid, "gid_map", text);
}

int ids_write(pid_t pid, unsigned long first, unsigned count)
{
    return write_maps(pid, first, first, count);
}

/* The largest range of ids that this process's own user namespace has: all of them on a plain
 * machine, less in a container. Returns its length, 0 when it cannot be read. */
static unsigned long largest_range(const char *path, unsigned long *first)
{
    unsigned long inside, outside, count, best = 0;
    FILE *file = fopen(path, "re");

    if (file == NULL)
        return 0;
    while (fscanf(file, "%lu %lu %lu", &inside, &outside, &count) == 3) {
        if (count > best) {
            best = count;
            *first = inside;
        }
    }
    fclose(file);
    return best;
}

/* Whether this process's own user namespace has this id: a container may map one id only. */
static bool is_mapped(const char *path, unsigned long id)
{
    unsigned long inside, outside, count;
    bool found = false;
    FILE *file = fopen(path, "re");

    while (file != NULL && fscanf(file, "%lu %lu %lu", &inside, &outside, &count) == 3)
        found = found || (id >= inside && id - inside < count);
    if (file != NULL)
        fclose(file);
    return found;
}

static bool root_loan(const char *map, unsigned long *id)
{
    unsigned long first = 0;
    unsigned long count = largest_range(map, &first);

    if (count < IDS_FULL)
        return false;
    /* In a container with fewer ids, the last 65536 of them are the least likely to own files. */
    *id = first + count > (unsigned long)LOAN + IDS_FULL ? LOAN : first + count - IDS_FULL;
    return true;
}

/* The first range of at least 65536 ids that /etc/subuid or /etc/subgid lend to this user, who is
 * named there by name or by number. subuid(5) */
static bool subordinate(const char *path, unsigned long *id)
{
    char line[256], number[16];
    const struct passwd *user = getpwuid(getuid());
    FILE *file = fopen(path, "re");
    bool found = false;

    if (file == NULL)
        return false;
    snprintf(number, sizeof number, "%u", getuid());
    while (!found && fgets(line, sizeof line, file) != NULL) {
        char *rest = line;
        const char *name = strsep(&rest, ":");
        char *start = strsep(&rest, ":");
        if (start == NULL || rest == NULL)
            continue;
        found = (strcmp(name, number) == 0 || (user != NULL && strcmp(name, user->pw_name) == 0)) &&
                strtoul(rest, NULL, 10) >= IDS_FULL;
        *id = strtoul(start, NULL, 10);
    }
    fclose(file);
    return found;
}

/* Can this process have newuidmap(1) lend that range? Not in a user namespace that lacks it, as in
 * a container, and not where setuid programs gain nothing: prctl(2), PR_SET_NO_NEW_PRIVS. */
static bool can_be_lent(const struct ids_plan *plan)
{
    return is_mapped("/proc/self/uid_map", plan->uid) &&
           is_mapped("/proc/self/uid_map", plan->uid + plan->count - 1) &&
           is_mapped("/proc/self/gid_map", plan->gid) &&
           is_mapped("/proc/self/gid_map", plan->gid + plan->count - 1) &&
           prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0;
}

static bool on_path(const char *program)
{
    static const char *const folders[] = {"/usr/bin", "/bin", "/usr/sbin", "/usr/local/bin"};
    char path[64];

    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        snprintf(path, sizeof path, "%s/%s", folders[i], program);
        if (access(path, X_OK) == 0)
            return true;
    }
    return false;
}

void ids_choose(bool single, struct ids_plan *plan)
{
    *plan = (struct ids_plan){.way = IDS_SINGLE, .uid = geteuid(), .gid = getegid(), .count = 1};
    /* Never root itself, which owns the machine's files; unless that is all there is to lend. */
    if (geteuid() == 0 && is_mapped("/proc/self/uid_map", LOAN))
        plan->uid = LOAN;
    if (geteuid() == 0 && is_mapped("/proc/self/gid_map", LOAN))
        plan->gid = LOAN;
    if (single)
        return;
    struct ids_plan full = {.count = IDS_FULL};
    if (geteuid() == 0) {
        full.way = IDS_DIRECT;
        if (root_loan("/proc/self/uid_map", &full.uid) &&
            root_loan("/proc/self/gid_map", &full.gid))
            *plan = full;
    } else {
        full.way = IDS_HELPER;
        if (subordinate("/etc/subuid", &full.uid) && subordinate("/etc/subgid", &full.gid) &&
            on_path("newuidmap") && on_path("newgidmap") && can_be_lent(&full))
            *plan = full;
    }
}

/* newuidmap(1) is setuid root and writes the map for us, after a look at /etc/subuid. */
static int run_helper(const char *program, pid_t pid, unsigned long id, unsigned count)
{
    char target[16], first[24], length[16];
    int status;

    snprintf(target, sizeof target, "%d", pid);
    snprintf(first, sizeof first, "%lu", id);
    snprintf(length, sizeof length, "%u", count);
    pid_t child = fork();
    if (child < 0)
        return -errno;
    if (child == 0) {
        execlp(program, program, target, "0", first, length, NULL);
        _exit(127);
    }
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return -errno;
    return status == 0 ? 0 : -EPERM;
}

int ids_apply(pid_t pid, const struct ids_plan *plan)
{
    int result;

    switch (plan->way) {
    case IDS_HELPER:
        result = run_helper("newuidmap", pid, plan->uid, plan->count);
        return result < 0 ? result : run_helper("newgidmap", pid, plan->gid, plan->count);
    case IDS_SINGLE:
        /* An ordinary user may map its own group only once nobody inside can drop groups:
         * user_namespaces(7). Root is asked the same, so that both grade alike. */
        result = write_file(pid, "setgroups", "deny");
        return result < 0 ? result : write_maps(pid, plan->uid, plan->gid, plan->count);
    case IDS_DIRECT:
        break;
    }
    return write_maps(pid, plan->uid, plan->gid, plan->count);
}
