/* What the probe can do. Each verb is a system call or two, and reports what the kernel said. */
#include "probe/verbs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe/process.h"
#include "probe/signals.h"

struct answer {
    char *text;
    size_t size;
    size_t length;
};

static void put(struct answer *answer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void put(struct answer *answer, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int wrote =
        vsnprintf(answer->text + answer->length, answer->size - answer->length, format, args);
    va_end(args);
    if (wrote > 0)
        answer->length += (size_t)wrote < answer->size - answer->length
                              ? (size_t)wrote
                              : answer->size - answer->length - 1;
}

/* "ok", or "error 13" from errno. */
static void put_result(struct answer *answer, bool good)
{
    if (good)
        put(answer, "ok");
    else
        put(answer, "error %d", errno);
}

static volatile sig_atomic_t caught[NSIG];

static void on_signal(int number)
{
    caught[number]++;
}

/* --- verbs: `arguments` is what follows the verb ---------------------------------------------- */

/* who: pid, parent, user, group, host name, domain name, working directory. */
static void verb_who(char *arguments, struct answer *answer)
{
    struct utsname name;
    char cwd[4096];

    (void)arguments;
    uname(&name);
    put(answer, "ok pid %d parent %d uid %d gid %d host %s domain %s cwd %s", getpid(), getppid(),
        getuid(), getgid(), name.nodename, name.domainname,
        getcwd(cwd, sizeof cwd) != NULL ? cwd : "?");
}

/* exit STATUS: never returns. */
static void verb_exit(char *arguments, struct answer *answer)
{
    (void)answer;
    _exit(atoi(arguments));
}

/* die SIGNAL: ends by that signal, whatever its handling was. PID 1 cannot: it answers. */
static void verb_die(char *arguments, struct answer *answer)
{
    int number = atoi(arguments);
    sigset_t mask;

    signal(number, SIG_DFL);
    sigemptyset(&mask);
    sigaddset(&mask, number);
    sigprocmask(SIG_UNBLOCK, &mask, NULL);
    kill(getpid(), number);
    put_result(answer, true);
}

/* catch SIGNAL: counts it from now on; caught SIGNAL: how often it came. */
static void verb_catch(char *arguments, struct answer *answer)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

    put_result(answer, sigaction(atoi(arguments), &action, NULL) == 0);
}

static void verb_caught(char *arguments, struct answer *answer)
{
    int number = atoi(arguments);

    put(answer, "ok %d", number > 0 && number < NSIG ? (int)caught[number] : -1);
}

/* orphan [hold]: a grandchild whose parent has ended. It ends once it is an orphan, or with "hold"
 * stays. The reply names it as seen here. */
static void verb_orphan(char *arguments, struct answer *answer)
{
    int news[2], gone[2];
    bool hold = strcmp(arguments, "hold") == 0;
    pid_t orphan = -1;
    char byte;

    if (pipe(news) < 0 || pipe(gone) < 0) {
        put_result(answer, false);
        return;
    }
    pid_t child = fork();
    if (child == 0) {
        close(gone[1]);
        orphan = fork();
        if (orphan == 0) {
            close(news[1]);
            /* End of file once we, the probe, have reaped the one between us. */
            while (read(gone[0], &byte, 1) < 0 && errno == EINTR)
                ;
            while (hold)
                pause();
            _exit(7);
        }
        _exit(write(news[1], &orphan, sizeof orphan) < 0);
    }
    close(news[1]);
    close(gone[0]);
    if (child < 0 || read(news[0], &orphan, sizeof orphan) != (ssize_t)sizeof orphan)
        put_result(answer, false);
    else
        put(answer, "ok %d", orphan);
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
        ;
    close(gone[1]);
    close(news[0]);
}

/* child: a child that stays until it is killed; the reply names it. */
static void verb_child(char *arguments, struct answer *answer)
{
    pid_t child = fork();

    (void)arguments;
    if (child == 0)
        for (;;)
            pause();
    if (child < 0)
        put_result(answer, false);
    else
        put(answer, "ok %d", child);
}

/* kill PID SIGNAL */
static void verb_kill(char *arguments, struct answer *answer)
{
    int pid = 0, number = 0;

    sscanf(arguments, "%d %d", &pid, &number);
    put_result(answer, kill(pid, number) == 0);
}

/* name TEXT: what /proc/PID/comm shows from now on. */
static void verb_name(char *arguments, struct answer *answer)
{
    int fd = open("/proc/self/comm", O_WRONLY | O_CLOEXEC);
    bool good = fd >= 0 && write(fd, arguments, strlen(arguments)) >= 0;

    put_result(answer, good);
    if (fd >= 0)
        close(fd);
}

/* list PATH: the names in a folder. */
static void verb_list(char *arguments, struct answer *answer)
{
    DIR *folder = opendir(arguments);

    put_result(answer, folder != NULL);
    if (folder == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            put(answer, "\n%s", entry->d_name);
    closedir(folder);
}

/* read PATH: the start of a file. */
static void verb_read(char *arguments, struct answer *answer)
{
    static char bytes[16 * 1024];
    int fd = open(arguments, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, bytes, sizeof bytes - 1);

    put_result(answer, got >= 0);
    if (got >= 0) {
        bytes[got] = '\0';
        put(answer, " %s", bytes);
    }
    if (fd >= 0)
        close(fd);
}

/* write PATH TEXT: creates or replaces a file. */
static void verb_write(char *arguments, struct answer *answer)
{
    const char *path = strsep(&arguments, " ");
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK | O_CLOEXEC, 0644);
    bool good = fd >= 0;

    if (good && arguments != NULL)
        good = write(fd, arguments, strlen(arguments)) >= 0;
    put_result(answer, good);
    if (fd >= 0)
        close(fd);
}

/* fill PATH BYTES: writes that many zeros; the reply says how many fitted, and the error. */
static void verb_fill(char *arguments, struct answer *answer)
{
    static const char zeros[4096];
    const char *path = strsep(&arguments, " ");
    long long wanted = arguments != NULL ? atoll(arguments) : 0, wrote = 0;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    if (fd < 0) {
        put_result(answer, false);
        return;
    }
    int error = 0;
    while (wrote < wanted && error == 0) {
        ssize_t once = write(fd, zeros, sizeof zeros);
        if (once < 0)
            error = errno;
        else
            wrote += once;
    }
    put(answer, "ok %lld %d", wrote, error);
    close(fd);
}

/* stat PATH, lstat PATH: mode (octal), device, inode, size, rdev, uid, gid. */
static void put_stat(struct answer *answer, const struct stat *st)
{
    put(answer, "ok %o %u:%u %llu %lld %u:%u %u %u", st->st_mode, major(st->st_dev),
        minor(st->st_dev), (unsigned long long)st->st_ino, (long long)st->st_size,
        major(st->st_rdev), minor(st->st_rdev), st->st_uid, st->st_gid);
}

static void verb_stat(char *arguments, struct answer *answer)
{
    struct stat st;

    if (stat(arguments, &st) < 0)
        put_result(answer, false);
    else
        put_stat(answer, &st);
}

/* mkdir PATH, unlink PATH, chdir PATH, chroot PATH */
static void verb_mkdir(char *arguments, struct answer *answer)
{
    put_result(answer, mkdir(arguments, 0755) == 0);
}

static void verb_unlink(char *arguments, struct answer *answer)
{
    put_result(answer, unlink(arguments) == 0);
}

static void verb_chdir(char *arguments, struct answer *answer)
{
    put_result(answer, chdir(arguments) == 0);
}

static void verb_chroot(char *arguments, struct answer *answer)
{
    put_result(answer, chroot(arguments) == 0);
}

/* mount TYPE TARGET FLAGS: an empty file system; FLAGS is a number. */
static void verb_mount(char *arguments, struct answer *answer)
{
    const char *type = strsep(&arguments, " ");
    const char *target = arguments != NULL ? strsep(&arguments, " ") : "";
    unsigned long flags = arguments != NULL ? strtoul(arguments, NULL, 0) : 0;

    put_result(answer, mount(type, target, type, flags, NULL) == 0);
}

/* escape: the way out of a chroot that chroot(2) itself warns of. A second chroot leaves the
 * working directory above the root, and from there ".." goes on. The reply is stat's, of the
 * root reached. */
static void verb_escape(char *arguments, struct answer *answer)
{
    struct stat st;

    (void)arguments;
    if ((mkdir("/tmp/.escape", 0700) < 0 && errno != EEXIST) || chroot("/tmp/.escape") < 0) {
        put_result(answer, false);
        return;
    }
    for (int i = 0; i < 64; i++)
        if (chdir("..") < 0)
            break;
    if (chroot(".") < 0 || stat("/", &st) < 0)
        put_result(answer, false);
    else
        put_stat(answer, &st);
}

/* execute PATH: whether a file may be executed (exec is tried in a child): its exit status. */
static void verb_execute(char *arguments, struct answer *answer)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        execl(arguments, arguments, (char *)NULL);
        _exit(200 + (errno & 31));
    }
    if (child < 0 || waitpid(child, &status, 0) < 0)
        put_result(answer, false);
    else
        put(answer, "ok %d", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

/* chmod MODE PATH (octal), fifo PATH */
static void verb_chmod(char *arguments, struct answer *answer)
{
    const char *mode = strsep(&arguments, " ");

    put_result(answer, arguments != NULL && chmod(arguments, (mode_t)strtoul(mode, NULL, 8)) == 0);
}

static void verb_fifo(char *arguments, struct answer *answer)
{
    put_result(answer, mkfifo(arguments, 0666) == 0);
}

/* For what returns 0, a pid, or -errno: "ok", "ok PID", "error N". */
static void put_return(struct answer *answer, int result)
{
    errno = result < 0 ? -result : 0;
    put_result(answer, result >= 0);
    if (result > 0)
        put(answer, " %d", result);
}

/* threads COUNT, take MIB, capabilities HEX: process.h says what each does. */
static void verb_threads(char *arguments, struct answer *answer)
{
    put_return(answer, probe_threads(atoi(arguments)));
}

static void verb_take(char *arguments, struct answer *answer)
{
    put_return(answer, probe_take(strtoul(arguments, NULL, 10)));
}

static void verb_capabilities(char *arguments, struct answer *answer)
{
    put_return(answer, probe_capabilities(strtoull(arguments, NULL, 16)));
}

/* burn user TICKS, burn system TICKS */
static void verb_burn(char *arguments, struct answer *answer)
{
    const char *where = strsep(&arguments, " ");

    put_return(answer,
               probe_burn(arguments != NULL ? atoi(arguments) : 0, strcmp(where, "system") == 0));
}

/* group FLAGS COUNT: a family of processes in new namespaces; unshare FLAGS: ourselves. */
static void verb_group(char *arguments, struct answer *answer)
{
    int flags = 0, count = 0;

    sscanf(arguments, "%i %d", &flags, &count);
    put_return(answer, probe_group(flags, count));
}

static void verb_unshare(char *arguments, struct answer *answer)
{
    put_result(answer, unshare((int)strtol(arguments, NULL, 0)) == 0);
}

/* link PATH NEW, umount TARGET FLAGS, symlink PATH TEXT, readlink PATH */
static void verb_link(char *arguments, struct answer *answer)
{
    const char *path = strsep(&arguments, " ");

    put_result(answer, link(path, arguments != NULL ? arguments : "") == 0);
}

static void verb_umount(char *arguments, struct answer *answer)
{
    const char *target = strsep(&arguments, " ");

    put_result(answer, umount2(target, arguments != NULL ? atoi(arguments) : 0) == 0);
}

static void verb_symlink(char *arguments, struct answer *answer)
{
    const char *path = strsep(&arguments, " ");

    put_result(answer, symlink(arguments != NULL ? arguments : "", path) == 0);
}

static void verb_readlink(char *arguments, struct answer *answer)
{
    char text[4096];
    ssize_t length = readlink(arguments, text, sizeof text - 1);

    put_result(answer, length >= 0);
    if (length >= 0)
        put(answer, " %.*s", (int)length, text);
}

/* pty: opens a pseudo-terminal; the reply is its number, and the mode (octal) and the group of its
 * other end. */
static void verb_pty(char *arguments, struct answer *answer)
{
    int number, unlocked = 0, fd = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
    char path[64];
    struct stat st;

    (void)arguments;
    bool good =
        fd >= 0 && ioctl(fd, TIOCSPTLCK, &unlocked) == 0 && ioctl(fd, TIOCGPTN, &number) == 0;
    if (good) {
        snprintf(path, sizeof path, "/dev/pts/%d", number);
        good = stat(path, &st) == 0;
    }
    put_result(answer, good);
    if (good)
        put(answer, " %d %o %u", number, st.st_mode & 07777, st.st_gid);
    if (fd >= 0)
        close(fd);
}

/* tally: counts every signal from now on; tallied: "NUMBER:COUNT …" of those that came. */
static void verb_tally(char *arguments, struct answer *answer)
{
    (void)arguments;
    probe_tally();
    put_result(answer, true);
}

static void verb_tallied(char *arguments, struct answer *answer)
{
    (void)arguments;
    put(answer, "ok");
    for (int number = 1; number < NSIG; number++)
        if (probe_tallied(number) > 0)
            put(answer, " %d:%d", number, probe_tallied(number));
}

/* orphans COUNT STATUS: so many that wait for "release", and then all end with STATUS. */
static void verb_orphans(char *arguments, struct answer *answer)
{
    int count = 0, status = 0;

    sscanf(arguments, "%d %d", &count, &status);
    put_return(answer, probe_orphans(count, status));
}

static void verb_release(char *arguments, struct answer *answer)
{
    (void)arguments;
    probe_release();
    put_result(answer, true);
}

/* --- the table ------------------------------------------------------------------------------ */

static const struct {
    const char *name;
    void (*run)(char *arguments, struct answer *answer);
} verbs[] = {
    {"who", verb_who},           {"exit", verb_exit},
    {"die", verb_die},           {"catch", verb_catch},
    {"caught", verb_caught},     {"orphan", verb_orphan},
    {"child", verb_child},       {"kill", verb_kill},
    {"name", verb_name},         {"list", verb_list},
    {"read", verb_read},         {"write", verb_write},
    {"fill", verb_fill},         {"stat", verb_stat},
    {"mkdir", verb_mkdir},       {"unlink", verb_unlink},
    {"chdir", verb_chdir},       {"chroot", verb_chroot},
    {"mount", verb_mount},       {"escape", verb_escape},
    {"execute", verb_execute},   {"chmod", verb_chmod},
    {"fifo", verb_fifo},         {"threads", verb_threads},
    {"take", verb_take},         {"capabilities", verb_capabilities},
    {"burn", verb_burn},         {"group", verb_group},
    {"unshare", verb_unshare},   {"link", verb_link},
    {"umount", verb_umount},     {"symlink", verb_symlink},
    {"readlink", verb_readlink}, {"pty", verb_pty},
    {"tally", verb_tally},       {"tallied", verb_tallied},
    {"orphans", verb_orphans},   {"release", verb_release},
};

void verb_run(char *request, char *reply, size_t size)
{
    struct answer answer = {reply, size, 0};
    char *arguments = request;
    const char *name = strsep(&arguments, " ");
    char none[1] = "";

    reply[0] = '\0';
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        if (strcmp(verbs[i].name, name) == 0) {
            verbs[i].run(arguments != NULL ? arguments : none, &answer);
            return;
        }
    }
    errno = ENOSYS;
    put_result(&answer, false);
}
