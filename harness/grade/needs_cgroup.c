/* Whether rooms can have control groups of their own here: by making one. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "grade/needs_cgroup.h"
#include "kernel/own.h"
#include "sandbox/groupfs.h"
#include "sandbox/homes.h"
#include "sandbox/ids.h"
#include "sandbox/limits.h"

/* What labs 11 to 13 limit. */
static const char *const wanted[] = {"memory", "pids", "cpu", "cpuset"};

/* Whether a group of this hierarchy has the controller: v2 shows a file for each that is on. */
static bool has(const struct home *home, const char *group, const char *controller)
{
    char path[PATH_MAX + 128];

    if (!home->v2)
        return home_has(home, controller);
    snprintf(path, sizeof path, "%s/%s%s", group, controller,
             strcmp(controller, "cpuset") == 0 ? ".cpus" : ".max");
    return access(path, F_OK) == 0;
}

enum { GROUP_PATH = PATH_MAX + 64 };

/* Makes a group there to look at; the caller removes it. The name is one that a later run sweeps,
 * should we be killed right now. 0 or -errno. */
static int make_trial(const struct home *home, char group[GROUP_PATH])
{
    char run[64];

    limits_mark(run, sizeof run);
    snprintf(group, GROUP_PATH, "%s/%s", home->folder, run);
    return group_make(group, home->folder, home_has(home, "cpuset"));
}

/* Which of the controllers there are, a bit each, once a group is handed over as a room's would be.
 */
static unsigned offered(const struct home *home, const struct ids_plan *plan)
{
    char group[GROUP_PATH];
    unsigned found = 0;

    if (make_trial(home, group) < 0)
        return 0;
    if (chown(group, (uid_t)plan->uid, (gid_t)plan->gid) == 0)
        for (unsigned i = 0; i < sizeof wanted / sizeof *wanted; i++)
            if (has(home, group, wanted[i]))
                found |= 1U << i;
    group_remove(group);
    return found;
}

int needs_cgroup_version(void)
{
    static struct home homes[HOMES_MAX];
    const unsigned all = (1U << sizeof wanted / sizeof *wanted) - 1;
    size_t count = homes_find(homes);
    unsigned v1 = 0, v2 = 0;
    struct ids_plan plan;

    ids_choose(getenv("STRATA_SINGLE_ID") != NULL, &plan);
    for (size_t i = 0; i < count; i++) {
        unsigned found = offered(&homes[i], &plan);
        if (homes[i].v2)
            v2 |= found;
        else
            v1 |= found;
    }
    return v2 == all ? 2 : v1 == all ? 1 : 0;
}

static bool tells(const char *group, const char *file)
{
    char path[PATH_MAX + 128], text[16];

    snprintf(path, sizeof path, "%s/%s", group, file);
    autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd >= 0 && read(fd, text, sizeof text) > 0;
}

/* The file may be there and refuse to be read: pressure stall information can be switched off when
 * the kernel starts. */
bool needs_cgroup_psi(void)
{
    static struct home homes[HOMES_MAX];
    size_t count = homes_find(homes);
    bool found = false;

    for (size_t i = 0; i < count && !found; i++) {
        char group[GROUP_PATH];
        if (!homes[i].v2 || make_trial(&homes[i], group) < 0)
            continue;
        found = tells(group, "memory.pressure");
        group_remove(group);
    }
    return found;
}
