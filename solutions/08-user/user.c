/* Lab 08: rootless. The contract is user.h. */
#include "08-user/user.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- an id without a map ---------------------------------------------------------------------- */

int user_namespaces(uint64_t *flags)
{
    /* BEGIN SOLUTION step 1
     * TODO(step 1): the flag of user_namespaces(7), added to what is there. process_start makes
     *               all namespaces in one clone3(2): the user namespace first, and it owns the
     *               others.
     */
    *flags |= CLONE_NEWUSER;
    return 0;
    /* END SOLUTION */
}

/* BEGIN SOLUTION step 1 helper */
/* What an id is that has no number here: 65534 on every machine where nobody has changed it. */
static uint32_t overflow_id(void)
{
    unsigned id;
    FILE *file = fopen("/proc/sys/kernel/overflowuid", "re");
    bool known = file != NULL && fscanf(file, "%u", &id) == 1;

    if (file != NULL)
        fclose(file);
    return known ? id : 65534;
}
/* END SOLUTION */

uint32_t user_translate(const struct user_range *ranges, size_t count, uint32_t id)
{
    /* BEGIN SOLUTION step 1 return 0
     * TODO(step 1): find the range that `id` lies in, and go as far into its outside as `id` lies
     *               in its inside. Ids use all 32 bits, more than an int has. An id in none of them
     *               is the number in /proc/sys/kernel/overflowuid.
     */
    for (size_t i = 0; i < count; i++)
        if (id >= ranges[i].inside && id - ranges[i].inside < ranges[i].count)
            return ranges[i].outside + (id - ranges[i].inside);
    return overflow_id();
    /* END SOLUTION */
}

/* --- the maps --------------------------------------------------------------------------------- */

/* BEGIN SOLUTION step 2 helper */
/* Writes /proc/PID/NAME by a single write(2): the kernel takes or refuses all of it. */
static int write_file(pid_t pid, const char *name, const char *text)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int result = write(fd, text, strlen(text)) < 0 ? -errno : 0;
    close(fd);
    return result;
}

/* A map is a line a range: what it is inside, what outside, and how many. */
static int write_map(pid_t pid, const char *name, const struct user_range *ranges, size_t count)
{
    enum { LINES_MAX = 340, LINE_MAX = sizeof "4294967295 4294967295 4294967295\n" };
    char text[LINES_MAX * LINE_MAX];
    size_t length = 0;

    if (count > LINES_MAX) /* what the kernel says to more than it takes: user_namespaces(7) */
        return -EINVAL;
    text[0] = '\0';
    for (size_t i = 0; i < count; i++)
        length += (size_t)snprintf(text + length, sizeof text - length, "%u %u %u\n",
                                   ranges[i].inside, ranges[i].outside, ranges[i].count);
    return write_file(pid, name, text);
}
/* END SOLUTION */

int user_map_uids(pid_t pid, const struct user_range *ranges, size_t count)
{
    /* BEGIN SOLUTION step 2
     * TODO(step 2): put all ranges into one text, a line each, and open(2) and write(2) it to
     *               /proc/PID/uid_map. user_namespaces(7) has the format, in "Defining user and
     *               group ID mappings", and below it who may write what.
     */
    return write_map(pid, "uid_map", ranges, count);
    /* END SOLUTION */
}

int user_map_gids(pid_t pid, const struct user_range *ranges, size_t count)
{
    /* BEGIN SOLUTION step 3
     * TODO(step 3): /proc/PID/gid_map, in the same way; but to a caller without CAP_SETGID the
     *               kernel says EPERM until somebody has written "deny" to /proc/PID/setgroups.
     *               (A map that was refused was not written: you may try again.)
     */
    int result = write_map(pid, "gid_map", ranges, count);

    if (result != -EPERM)
        return result;
    /* We lack CAP_SETGID, and then nobody inside may let go of a group either: a mode like 0705
     * shuts one group out of what all others may read. */
    result = write_file(pid, "setgroups", "deny");
    return result < 0 ? result : write_map(pid, "gid_map", ranges, count);
    /* END SOLUTION */
}

/* --- who COMMAND is --------------------------------------------------------------------------- */

int user_become_root(void)
{
    /* BEGIN SOLUTION step 4
     * TODO(step 4): let go of all groups by setgroups(2): where that is denied it is EPERM, and
     *               they stay. Then gid 0 and uid 0, each of the three that a process has
     *               (setresgid(2), setresuid(2)).
     */
    if (setgroups(0, NULL) < 0 && errno != EPERM)
        return -errno;
    if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
        return -errno;
    return 0;
    /* END SOLUTION */
}

/* --- what belongs to whom --------------------------------------------------------------------- */

int user_owner(int namespace, struct process_namespace *owner)
{
    /* BEGIN SOLUTION step 5
     * TODO(step 5): ioctl(2) with NS_GET_USERNS gives an fd of the owner: ioctl_ns(2). fstat(2)
     *               says of an open namespace what stat(2) said of its link in lab 01. The fd is
     *               yours to close.
     */
    struct stat st;
    int fd = ioctl(namespace, NS_GET_USERNS);

    if (fd < 0)
        return -errno;
    int result = fstat(fd, &st) < 0 ? -errno : 0;
    close(fd);
    if (result == 0)
        *owner = (struct process_namespace){.device = st.st_dev, .inode = st.st_ino};
    return result;
    /* END SOLUTION */
}

/* --- ids that are lent ------------------------------------------------------------------------ */

/* BEGIN SOLUTION step 6 helper */
/* A field of decimal digits and nothing else, as a number of 32 bits. */
static bool parse_number(const char *field, uint32_t *number)
{
    char *end;

    if (field == NULL || field[0] < '0' || field[0] > '9')
        return false;
    errno = 0;
    unsigned long value = strtoul(field, &end, 10);
    *number = (uint32_t)value;
    return errno == 0 && *end == '\0' && value <= UINT32_MAX;
}

/* Takes a line apart in place. False for one that makes no sense, or is somebody else's. */
static bool lends_to(char *line, const char *name, uid_t uid, struct user_range *range)
{
    char number[16];
    uint32_t first, count;

    line[strcspn(line, "\n")] = '\0';
    const char *whom = strsep(&line, ":"), *start = strsep(&line, ":"), *length = line;
    if (!parse_number(start, &first) || !parse_number(length, &count) || count == 0 ||
        count > UINT32_MAX - first)
        return false;
    snprintf(number, sizeof number, "%u", uid);
    if (strcmp(whom, number) != 0 && (name == NULL || strcmp(whom, name) != 0))
        return false;
    range->outside = first;
    range->count = count;
    return true;
}
/* END SOLUTION */

int user_subordinate(const char *file, const char *name, uid_t uid, struct user_range *range)
{
    /* BEGIN SOLUTION step 6
     * TODO(step 6): fopen(3), getline(3), strsep(3), strtoul(3): the first line whose NAME is
     *               `name` or the decimal of `uid`, with two numbers after it and no more.
     */
    char *line = NULL;
    size_t size = 0;
    bool found = false;
    FILE *lines = fopen(file, "re");

    if (lines == NULL)
        return -errno;
    while (!found && getline(&line, &size, lines) >= 0)
        found = lends_to(line, name, uid, range);
    free(line);
    fclose(lines);
    return found ? 0 : -ENOENT;
    /* END SOLUTION */
}

/* BEGIN SOLUTION step 6 helper */
/* PROGRAM PID INSIDE OUTSIDE COUNT [INSIDE OUTSIDE COUNT...], and what became of it. */
static int run_helper(const char *program, pid_t pid, const struct user_range *ranges, size_t count)
{
    size_t words = 2 + 3 * count;
    char(*text)[16] = calloc(words, sizeof *text); /* a number has at most ten digits */
    char **argv = calloc(words + 1, sizeof *argv);
    struct process helper;
    int status, result = text == NULL || argv == NULL ? -ENOMEM : 0;

    if (result < 0)
        goto out;
    argv[0] = (char *)program;
    for (size_t i = 1; i < words; i++)
        argv[i] = text[i];
    snprintf(text[1], sizeof text[1], "%d", pid);
    for (size_t i = 0; i < count; i++) {
        snprintf(text[2 + 3 * i], sizeof *text, "%u", ranges[i].inside);
        snprintf(text[3 + 3 * i], sizeof *text, "%u", ranges[i].outside);
        snprintf(text[4 + 3 * i], sizeof *text, "%u", ranges[i].count);
    }
    struct process_spec spec = {.cgroup = -1, .argv = argv, .envp = environ, .stdio = {-1, -1, -1}};
    result = process_start(&spec, &helper, NULL);
    if (result == 0) {
        result = process_wait(&helper, &status);
        close(helper.pidfd);
    }
    if (result == 0 && status != 0)
        result = -EPERM;
out:
    free(text);
    free(argv);
    return result;
}
/* END SOLUTION */

int user_map_subordinate(pid_t pid, const struct user_range *uids, size_t uid_count,
                         const struct user_range *gids, size_t gid_count)
{
    /* BEGIN SOLUTION step 6
     * TODO(step 6): newuidmap(1) takes PID and then three numbers a range; newgidmap(1) likewise.
     *               They are programs like any other: process_start and process_wait (lab 01) run
     *               them and touch no other child, least of all the one that waits for its maps.
     */
    int result = run_helper("newuidmap", pid, uids, uid_count);

    return result < 0 ? result : run_helper("newgidmap", pid, gids, gid_count);
    /* END SOLUTION */
}
