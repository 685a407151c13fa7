/* What this machine offers, found out by doing it. */
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "grade/grade.h"
#include "sandbox/ids.h"

/* Calls `attempt` in a child, where it can do no harm; true when it succeeded. */
static bool child_can(bool (*attempt)(void))
{
    int status;
    pid_t pid = fork();

    if (pid == 0)
        _exit(attempt() ? 0 : 1);
    while (pid > 0 && waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return false;
    return pid > 0 && status == 0;
}

/* A user namespace alone proves nothing: Ubuntu's AppArmor rule grants one without capabilities.
 * A mount in it does. */
static bool try_userns(void)
{
    return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 &&
           mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("strata", "/tmp", "tmpfs", 0, NULL) == 0;
}

static bool try_ids(void)
{
    struct ids_plan plan;

    ids_choose(getenv("STRATA_SINGLE_ID") != NULL, &plan);
    return plan.count == IDS_FULL;
}

static bool try_mqueue(void)
{
    char name[32];

    snprintf(name, sizeof name, "/strata-%d", getpid());
    mqd_t queue = mq_open(name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600, NULL);
    if (queue < 0)
        return false;
    mq_close(queue);
    return mq_unlink(name) == 0;
}

static const struct {
    enum need need;
    const char *name;
    bool (*attempt)(void);
} table[] = {
    {NEED_USERNS, "userns", try_userns},
    {NEED_IDS, "ids:65536", try_ids},
    {NEED_MQUEUE, "mqueue", try_mqueue},
};

unsigned needs_missing(unsigned needs, const char **name)
{
    static unsigned known, missing; /* asked once a process */
    unsigned result = 0;

    for (size_t i = sizeof table / sizeof *table; i-- > 0;) {
        if ((needs & (unsigned)table[i].need) == 0)
            continue;
        if ((known & (unsigned)table[i].need) == 0) {
            known |= (unsigned)table[i].need;
            if (!child_can(table[i].attempt))
                missing |= (unsigned)table[i].need;
        }
        if ((missing & (unsigned)table[i].need) != 0) {
            result |= (unsigned)table[i].need;
            *name = table[i].name;
        }
    }
    return result;
}

const char *need_name(unsigned need)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if ((unsigned)table[i].need == need)
            return table[i].name;
    return NULL;
}
