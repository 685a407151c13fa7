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
        return strstr(home->controllers, controller) != NULL;
    snprintf(path, sizeof path, "%s/%s%s", group, controller,
             strcmp(controller, "cpuset") == 0 ? ".cpus" : ".max");
    return access(path, F_OK) == 0;
}

/* Makes a group there, and hands it over as a room's would be. The name is one that a later run
 * sweeps, should we be killed right now. */
static unsigned offered(const struct home *home, const struct ids_plan *plan)
{
    char run[64], group[PATH_MAX + 64];
    unsigned found = 0;

    limits_mark(run, sizeof run);
    snprintf(group, sizeof group, "%s/%s", home->folder, run);
    if (group_make(group, home->folder, strstr(home->controllers, "cpuset") != NULL) < 0)
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
        char run[64], group[PATH_MAX + 64];
        if (!homes[i].v2)
            continue;
        limits_mark(run, sizeof run);
        snprintf(group, sizeof group, "%s/%s", homes[i].folder, run);
        if (group_make(group, homes[i].folder, false) < 0)
            continue;
        found = tells(group, "memory.pressure");
        group_remove(group);
    }
    return found;
}
