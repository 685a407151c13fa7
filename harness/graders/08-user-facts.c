/* Lab 08: ids, maps and groups of a process, read by a member of a user namespace: the kernel
 * writes them in the numbers of whoever reads. */
#include "graders/08-user.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "grade/facts.h"
#include "kernel/idmap.h"
#include "kernel/tree.h"

static const char *read_in_room(struct run *outside, pid_t pid, const char *name)
{
    struct grade *g = run_grade(outside);

    return facts_read_within(g, run_outside_pid(outside), run_outside_pidfd(outside), CLONE_NEWUSER,
                             say(g, "/proc/%d/%s", pid, name));
}

static int by_inside(const void *a, const void *b)
{
    const struct kernel_idrange *one = a, *other = b;

    return one->inside < other->inside ? -1 : one->inside > other->inside;
}

const char *user_map_of(struct run *outside, pid_t pid, const char *name)
{
    struct grade *g = run_grade(outside);
    const char *text = read_in_room(outside, pid, name), *lines = "";
    struct kernel_idmap map;
    int result = kernel_idmap_parse(text, strlen(text), &map);

    if (result < 0)
        grade_error(g, result, "/proc/%d/%s cannot be read: %s", pid, name, text);
    qsort(map.list, map.count, sizeof *map.list, by_inside);
    for (size_t i = 0; i < map.count; i++)
        lines = say(g, "%s%s%u %u %u", lines, i > 0 ? ", " : "", map.list[i].inside,
                    map.list[i].outside, map.list[i].count);
    kernel_idmap_free(&map);
    return lines[0] != '\0' ? lines : "nothing";
}

const char *user_setgroups_of(struct run *outside, pid_t pid)
{
    const char *text = read_in_room(outside, pid, "setgroups");

    return say(run_grade(outside), "%.*s", (int)strcspn(text, "\n"), text);
}

static void free_status(void *arg)
{
    kernel_status_free(arg);
    free(arg);
}

/* Parses the text; what it holds lives as long as the step. */
static struct kernel_status parse(struct grade *g, const char *text, pid_t pid)
{
    struct kernel_status *status = malloc(sizeof *status);
    int result = status == NULL ? -ENOMEM : kernel_status_parse(text, strlen(text), status);

    if (result < 0) {
        free(status);
        grade_error(g, result, "/proc/%d/status cannot be read", pid);
    }
    grade_defer(g, free_status, status);
    return *status;
}

struct kernel_status user_status_of_room(struct run *outside, pid_t pid)
{
    return parse(run_grade(outside), read_in_room(outside, pid, "status"), pid);
}

struct kernel_status user_status_of_self(struct run *run)
{
    struct grade *g = run_grade(run);
    const struct payload *payload = run_payload(run);

    return parse(g,
                 facts_read_within(g, payload->pid, payload->pidfd, CLONE_NEWUSER,
                                   say(g, "/proc/%d/status", payload->pid)),
                 payload->pid);
}

const char *user_ids_text(struct grade *g, const uid_t ids[4])
{
    return say(g, "%u %u %u %u", ids[0], ids[1], ids[2], ids[3]);
}

const char *user_groups_text(struct grade *g, const struct kernel_status *status)
{
    const char *text = "";

    for (size_t i = 0; i < status->groups_count; i++)
        text = say(g, "%s%s%u", text, i > 0 ? " " : "", status->groups[i]);
    return text[0] != '\0' ? text : "none";
}

bool user_ids_are(const uid_t ids[4], uid_t id)
{
    return ids[0] == id && ids[1] == id && ids[2] == id && ids[3] == id;
}

pid_t user_number_in_room(struct run *outside, pid_t pid)
{
    struct kernel_status room = user_status_of_room(outside, run_outside_pid(outside));
    struct kernel_status status = user_status_of_room(outside, pid);

    if (status.nspid.count < room.nspid.count)
        grade_error(run_grade(outside), 0, "process %d is not in the sandbox", pid);
    return status.nspid.pid[room.nspid.count - 1];
}

void user_check_map(struct run *outside, struct run *run, const char *name, const char *wanted,
                    const char *because, const char *see)
{
    struct grade *g = run_grade(run);
    pid_t pid = run_payload(run)->pid;
    const char *map = user_map_of(outside, pid, name);

    expect(g, strcmp(map, wanted) == 0, .because = because,
           .expected = say(g, "/proc/%d/%s: %.70s (inside, outside, how many)", pid, name, wanted),
           .kernel = strcmp(map, "nothing") == 0 ? "it is empty: nothing is mapped"
                                                 : say(g, "it holds another map: %.90s", map),
           .see = see);
}

/* Files of /proc, and handles of processes beside that of COMMAND. */
static const char *left_open(struct run *run)
{
    struct grade *g = run_grade(run);
    const struct kernel_fds *fds = facts_fds(g, run_program_pid(run), run_program_pidfd(run));
    size_t handles = 0;

    for (size_t i = 0; i < fds->count; i++) {
        const char *target = fds->list[i].target;
        handles += strstr(target, "pidfd") != NULL;
        if (handles > 1 || strncmp(target, "/proc/", 6) == 0)
            return say(g, "/proc/%d/fd/%d -> %.80s", run_program_pid(run), fds->list[i].fd, target);
    }
    return NULL;
}

void user_check_program(struct run *outside, struct run *run, unsigned user)
{
    struct grade *g = run_grade(run);
    pid_t pid = run_program_pid(run);
    struct kernel_pids children;

    run_payload(run);
    struct kernel_status status = user_status_of_room(outside, pid);
    int result = kernel_children(pid, &children);
    size_t count = result < 0 ? 0 : children.count;

    kernel_pids_free(&children);
    expect(g, user_ids_are(status.uid, user), .because = "caller-changed",
           .expected = say(g, "the lab program itself stays uid %u", user),
           .kernel = say(g, "Uid %s", user_ids_text(g, status.uid)),
           .see = "ps -o pid,uid,args, in another shell");
    expect(g, count == 1, .because = "left-behind",
           .expected = "the lab program has one child, COMMAND",
           .kernel = say(g, "it has %zu children", count), .see = "ps f");
    const char *open = left_open(run);
    expect(g, open == NULL, .because = "left-open",
           .expected = "the lab program closes what it opened for the maps",
           .kernel = say(g, "while COMMAND runs: %s", open), .see = "ls -l /proc/PID/fd");
}
