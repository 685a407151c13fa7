#include "vm/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel/own.h"

struct place {
    const char *source, *target, *type;
    unsigned long flags;
    const char *data;
};

static int put(const struct place *place)
{
    mkdir(place->target, 0755);
    if (mount(place->source, place->target, place->type, place->flags, place->data) == 0)
        return 0;
    printf("guest: mount %s: %s\n", place->target, strerror(errno));
    return -errno;
}

/* The very first root has no mount above it that it could be swapped with (EINVAL, pivot_root(2)).
 * So it is bound elsewhere, that mount is moved over it, and becomes our root. */
static int move_root(void)
{
    if (mount("/", "/mnt", NULL, MS_BIND, NULL) < 0 || chdir("/mnt") < 0 ||
        mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0 || chdir("/") < 0)
        return -errno;
    return 0;
}

int machine_root(void)
{
    static const struct place places[] = {
        {"proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL},
        {"sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL},
        {"devtmpfs", "/dev", "devtmpfs", MS_NOSUID, "mode=0755"},
        {"devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "gid=5,mode=620,ptmxmode=666"},
        {"tmpfs", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, NULL},
        {"mqueue", "/dev/mqueue", "mqueue", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL},
        {"tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755"},
        {"tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777"},
    };
    int result = move_root();

    for (size_t i = 0; result == 0 && i < sizeof places / sizeof *places; i++)
        result = put(&places[i]);
    /* As systemd has it on real machines, so that a missing MS_PRIVATE shows. */
    if (result == 0 && mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL) < 0)
        result = -errno;
    return result;
}

static int write_to(const char *path, const char *text)
{
    autoclose int fd = open(path, O_WRONLY | O_CLOEXEC);

    return fd < 0 || write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

static int cgroup2(const char *target)
{
    return put(&(struct place){"cgroup2", target, "cgroup2", MS_NOSUID | MS_NODEV | MS_NOEXEC,
                               "nsdelegate"});
}

/* The root group hands its controllers down even while it has processes; each by itself, for a
 * kernel may lack one. */
static int hand_down(void)
{
    static const char *const controllers[] = {"+memory", "+pids", "+cpu", "+cpuset", "+io"};

    for (size_t i = 0; i < sizeof controllers / sizeof *controllers; i++)
        write_to("/sys/fs/cgroup/cgroup.subtree_control", controllers[i]);
    return 0;
}

static int cgroup1(void)
{
    static const char *const groups[] = {"cpu,cpuacct", "memory", "pids",    "cpuset",
                                         "freezer",     "blkio",  "devices", "name=systemd"};
    int result = put(&(struct place){"tmpfs", "/sys/fs/cgroup", "tmpfs",
                                     MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0755"});

    for (size_t i = 0; result == 0 && i < sizeof groups / sizeof *groups; i++) {
        char target[64], data[64];
        const char *name = strncmp(groups[i], "name=", 5) == 0 ? groups[i] + 5 : groups[i];
        snprintf(target, sizeof target, "/sys/fs/cgroup/%s", name);
        snprintf(data, sizeof data, "%s%s", name != groups[i] ? "none," : "", groups[i]);
        result = put(
            &(struct place){"cgroup", target, "cgroup", MS_NOSUID | MS_NODEV | MS_NOEXEC, data});
    }
    /* Each of two controllers that share a hierarchy is found under its own name. */
    if (result == 0 && (symlink("cpu,cpuacct", "/sys/fs/cgroup/cpu") < 0 ||
                        symlink("cpu,cpuacct", "/sys/fs/cgroup/cpuacct") < 0))
        result = -errno;
    return result;
}

int machine_cgroups(const char *kind)
{
    if (strcmp(kind, "v2") == 0) {
        int result = cgroup2("/sys/fs/cgroup");
        return result == 0 ? hand_down() : result;
    }
    int result = cgroup1();
    if (result == 0 && strcmp(kind, "hybrid") == 0)
        result = cgroup2("/sys/fs/cgroup/unified");
    return result;
}

void machine_limits(void)
{
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){1024, 524288});
}

void machine_network(void)
{
    struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    autoclose int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &lo) < 0)
        printf("guest: the loopback interface: %s\n", strerror(errno));
    if (sethostname("guest", strlen("guest")) < 0)
        printf("guest: its name: %s\n", strerror(errno));
}
