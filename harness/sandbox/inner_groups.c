#include "sandbox/inner_groups.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sandbox/groupfs.h"
#include "sandbox/message.h"

#define BASE "/sys/fs/cgroup"

static const unsigned long safe = MS_NOSUID | MS_NODEV | MS_NOEXEC;

static int make_home_for_processes(const char *root)
{
    char init[sizeof BASE + 32];

    snprintf(init, sizeof init, "%s/init", root);
    if (mkdir(init, 0755) < 0)
        return -errno;
    return group_write_number(init, "cgroup.procs", (unsigned long long)getpid());
}

static int mount_one(const char *name)
{
    char target[sizeof BASE + 80];

    bool v2 = strcmp(name, "v2") == 0;
    snprintf(target, sizeof target, BASE "/%s", v2 ? "unified" : name);
    if (mkdir(target, 0755) < 0 ||
        mount("cgroup", target, v2 ? "cgroup2" : "cgroup", safe, v2 ? NULL : name) < 0)
        return -errno;
    return v2 ? make_home_for_processes(target) : 0;
}

static int mount_all(char *list)
{
    if (strcmp(list, "v2") == 0)
        return mount("cgroup", BASE, "cgroup2", safe, NULL) < 0 ? -errno
                                                                : make_home_for_processes(BASE);
    if (mount("cgroup", BASE, "tmpfs", safe, "mode=0755,size=1m") < 0)
        return -errno;
    for (char *word; (word = strsep(&list, " ")) != NULL;) {
        int result = mount_one(word);
        if (result < 0)
            return result;
    }
    return 0;
}

int inner_groups(int socket)
{
    static struct message message;

    if (message_receive(socket, &message, 0) <= 0)
        return -EPIPE;
    if (message.kind != MESSAGE_GROUPS || message.length == 0 ||
        message.text[message.length - 1] != '\0')
        return -EBADMSG;
    if (unshare(CLONE_NEWCGROUP) < 0)
        return -errno;
    return mount_all(message.text);
}
