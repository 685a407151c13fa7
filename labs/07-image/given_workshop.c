/* An overlay to work in, and a container to run in it. */
#include "07-image/given_workshop.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "01-process/process.h"
#include "04-mount/mount.h"
#include "06-overlayfs/overlay.h"
#include "07-image/given_commit.h"

int workshop_begin(void)
{
    static bool begun;

    if (begun)
        return 0;
    if (unshare(CLONE_NEWNS) < 0)
        return -errno;
    int result = mount_private();
    begun = result == 0;
    return result;
}

static int join(char path[PATH_MAX], const char *folder, const char *name)
{
    return snprintf(path, PATH_MAX, "%s/%s", folder, name) < PATH_MAX ? 0 : -ENAMETOOLONG;
}

int workshop_open(struct workshop *shop, const char *folder, const char *const *lowers)
{
    char upper[PATH_MAX], work[PATH_MAX];

    *shop = (struct workshop){.root = -1};
    if (join(upper, folder, "upper") < 0 || join(work, folder, "work") < 0 ||
        join(shop->merged, folder, "merged") < 0)
        return -ENAMETOOLONG;
    int result = overlay_create(folder, lowers[0]);
    if (result < 0)
        return result;
    strcpy(shop->folder, folder);
    result = overlay_mount(&(struct overlay){lowers, upper, work}, shop->merged);
    if (result == 0) {
        shop->root = open(shop->merged, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (shop->root < 0) {
            result = -errno;
            mount_detach(shop->merged);
        }
    }
    if (result < 0)
        workshop_close(shop);
    return result;
}

/* A RUN that outlives a killed build would go on writing where the next build sweeps. With this its
 * first process goes when we go; that is PID 1 of a namespace, and the kernel kills the rest. */
static int die_with_us(const struct process *process, void *arg)
{
    (void)process;
    (void)arg;
    return prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ? -errno : 0;
}

/* A container mounts its own /proc, /sys and /dev on folders of the image. Where that has none they
 * are made, and go again: they are not what the command made. */
static const char *const mount_points[] = {"proc", "sys", "dev"};

static int make_mount_points(int root, bool made[3])
{
    for (size_t i = 0; i < 3; i++) {
        made[i] = mkdirat(root, mount_points[i], 0755) == 0;
        if (!made[i] && errno != EEXIST)
            return -errno;
    }
    return 0;
}

static void remove_mount_points(int root, const bool made[3])
{
    for (size_t i = 0; i < 3; i++)
        if (made[i])
            unlinkat(root, mount_points[i], AT_REMOVEDIR);
}

int workshop_run(const struct workshop *shop, char *const *argv, char *const *env,
                 const char *workdir)
{
    static const struct process_hook hooks[] = {{"die_with_us", die_with_us, NULL}, {0}};
    char *const none[] = {NULL};
    size_t given = 0, variables = 0, count = 0;
    bool made[3] = {false};
    int status = 0;

    while (argv[given] != NULL)
        given++;
    while (env[variables] != NULL)
        variables++;
    const char **line = calloc(given + 2 * variables + 8, sizeof *line);
    if (line == NULL)
        return -ENOMEM;
    /* This very program, labs 01 to 06, on the merged folder. */
    line[count++] = "/proc/self/exe";
    line[count++] = "--rootfs";
    line[count++] = shop->merged;
    line[count++] = "--workdir";
    line[count++] = workdir;
    for (size_t i = 0; i < variables; i++) {
        line[count++] = "--env";
        line[count++] = env[i];
    }
    line[count++] = "--";
    memcpy(line + count, argv, given * sizeof *argv);

    struct process process = {-1, -1};
    struct process_spec spec = {
        .namespaces = CLONE_NEWPID,
        .cgroup = -1,
        .child_hooks = hooks,
        .argv = (char *const *)line,
        .envp = none,
        .stdio = {open("/dev/null", O_RDONLY | O_CLOEXEC), STDERR_FILENO, STDERR_FILENO},
    };
    int result = spec.stdio[0] < 0 ? -errno : make_mount_points(shop->root, made);
    if (result == 0)
        result = process_start(&spec, &process, NULL);
    if (result == 0) {
        result = process_wait(&process, &status);
        close(process.pidfd);
    }
    remove_mount_points(shop->root, made);
    if (spec.stdio[0] >= 0)
        close(spec.stdio[0]);
    free(line);
    return result < 0 ? result : status;
}

static int unmount(struct workshop *shop)
{
    if (shop->root < 0)
        return 0;
    close(shop->root);
    shop->root = -1;
    return mount_detach(shop->merged);
}

int workshop_commit(struct workshop *shop, int out)
{
    char path[PATH_MAX];
    size_t entries = 0;
    int result = unmount(shop);

    if (result == 0)
        result = join(path, shop->folder, "upper");
    if (result < 0)
        return result;
    int upper = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (upper < 0)
        return -errno;
    result = overlay_attributes(path);
    if (result >= 0)
        result = commit_folder(upper, result == 1, out, &entries);
    close(upper);
    return result < 0 ? result : entries > 0;
}

void workshop_close(struct workshop *shop)
{
    unmount(shop);
    if (shop->folder[0] != '\0')
        overlay_remove(shop->folder); /* what is left goes with the next sweep of tmp/ */
    shop->folder[0] = '\0';
}
