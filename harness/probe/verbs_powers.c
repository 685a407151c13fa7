/* Verbs about powers: what a process may do is found out by doing it. */
#include "probe/verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

/* --- attempts: each takes one capability and changes nothing that matters --------------------- */

static bool close_socket(int fd, bool good)
{
    int error = errno;

    if (fd >= 0)
        close(fd);
    errno = error;
    return good;
}

static bool try_raw(void)
{
    int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);

    return close_socket(fd, fd >= 0);
}

static bool try_port(void)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(80)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    return close_socket(fd, fd >= 0 && bind(fd, (struct sockaddr *)&any, sizeof any) == 0);
}

static bool try_chroot(void)
{
    return chroot("/") == 0;
}

static bool try_hostname(void)
{
    char name[65] = "";

    return gethostname(name, sizeof name) == 0 && sethostname(name, strlen(name)) == 0;
}

/* A file of our own that its mode closes to us. */
static bool try_closed(void)
{
    static const char path[] = "/dev/shm/.closed";
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0);

    if (fd >= 0) {
        close(fd);
        fd = open(path, O_RDONLY | O_CLOEXEC);
    }
    int error = errno;
    unlink(path);
    errno = error;
    return close_socket(fd, fd >= 0);
}

static bool try_setfcap(void)
{
    static const char path[] = "/dev/shm/.setfcap";
    struct vfs_cap_data none = {.magic_etc = VFS_CAP_REVISION_2};
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
    bool good = fd >= 0 && fsetxattr(fd, "security.capability", &none, XATTR_CAPS_SZ_2, 0) == 0;
    int error = errno;

    unlink(path);
    errno = error;
    return close_socket(fd, good);
}

static bool try_bounding(void)
{
    return prctl(PR_CAPBSET_DROP, 0, 0, 0, 0) == 0;
}

/* try WHAT: "ok" or the error, of a child, so that nothing of it stays. */
static void verb_try(char *arguments, struct answer *answer)
{
    static const struct {
        const char *name;
        bool (*attempt)(void);
    } table[] = {
        {"NET_RAW", try_raw},        {"NET_BIND_SERVICE", try_port}, {"SYS_CHROOT", try_chroot},
        {"SYS_ADMIN", try_hostname}, {"DAC_OVERRIDE", try_closed},   {"SETFCAP", try_setfcap},
        {"SETPCAP", try_bounding},
    };
    int status;

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (strcmp(table[i].name, arguments) != 0)
            continue;
        pid_t child = fork();
        if (child == 0)
            _exit(table[i].attempt() ? 0 : errno & 255);
        if (child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status)) {
            errno = WEXITSTATUS(status);
            put_result(answer, errno == 0);
        } else {
            put_result(answer, false);
        }
        return;
    }
    errno = ENOSYS;
    put_result(answer, false);
}

/* securebits: what the kernel says of ours. */
static void verb_securebits(char *arguments, struct answer *answer)
{
    int bits = prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);

    (void)arguments;
    put_result(answer, bits >= 0);
    if (bits >= 0)
        put(answer, " %d", bits);
}

/* --- files that give powers ------------------------------------------------------------------- */

/* setcap PERMITTED EFFECTIVE PATH: file capabilities: a set (hexadecimal), and whether they are
 * effective at once (1) or only permitted (0). */
static void verb_setcap(char *arguments, struct answer *answer)
{
    unsigned long long set = 0;
    unsigned effective = 0;
    int path = 0;

    sscanf(arguments, "%llx %u %n", &set, &effective, &path);
    struct vfs_cap_data data = {
        .magic_etc = VFS_CAP_REVISION_2 | (effective != 0 ? VFS_CAP_FLAGS_EFFECTIVE : 0),
        .data = {{(uint32_t)set, 0}, {(uint32_t)(set >> 32), 0}},
    };
    put_result(answer,
               setxattr(arguments + path, "security.capability", &data, XATTR_CAPS_SZ_2, 0) == 0);
}

/* again PATH: executes PATH, a copy of the probe, in our place. It is the copy that replies. */
static void verb_again(char *arguments, struct answer *answer)
{
    execl(arguments, arguments, "--again", (char *)NULL);
    put_result(answer, false);
}

const struct verb verbs_of_powers[] = {
    {"try", verb_try},
    {"securebits", verb_securebits},
    {"setcap", verb_setcap},
    {"again", verb_again},
    {0},
};
