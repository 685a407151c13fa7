/* build/guest: guests by hand, and for tests. See usage(). */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/own.h"
#include "vm/guest.h"
#include "vm/image.h"

static void say_message(void *arg, const char *message, size_t length)
{
    (void)arg;
    printf("%.*s\n", (int)length, message);
    fflush(stdout);
}

static void say_console(void *arg, const char *text, size_t length)
{
    (void)arg;
    if (write(STDERR_FILENO, text, length) < 0) {
        /* then nobody wants to see it */
    }
}

static int usage(void)
{
    fprintf(stderr, "usage: guest --ready | --kvm | --run [v1|v2|hybrid] [--file AT=FROM]... JOB\n"
                    "       guest --shell [v1|v2|hybrid]\n"
                    "  --ready  can guests be had here? What is lacking is named; exit status 1\n"
                    "  --kvm    does KVM work here? exit status 1: no, guests run in TCG\n"
                    "  --run    a guest that does JOB (harness/vm/init.c), or with - what stdin\n"
                    "           says; its messages come to stdout, its console to stderr, and if\n"
                    "           it did not end well, last of all \"guest: \" and why; status 1\n"
                    "  --file   with --run: the guest finds the program FROM as AT\n"
                    "  --shell  a guest for a person, its console here, the kit in it\n"
                    "STRATA_ROOT names the kit's folder, if it is not the current one.\n");
    return 2;
}

static enum guest_cgroup cgroup_of(const char *name)
{
    for (int i = 0; i < GUEST_CGROUPS; i++)
        if (strcmp(name, guest_cgroup_name((enum guest_cgroup)i)) == 0)
            return (enum guest_cgroup)i;
    return GUEST_V2;
}

enum { FILES_MAX = 1024 };

/* All of stdin, or NULL. */
static char *read_job(void)
{
    char *job = NULL;
    size_t size = 0;

    errno = 0;
    if (getdelim(&job, &size, '\0', stdin) < 0) {
        free(job);
        return errno == 0 ? strdup("") : NULL;
    }
    return job;
}

/* Takes "AT=FROM" apart in place. */
static bool read_file(char *word, struct guest_file *file)
{
    char *from = strchr(word, '=');

    if (from == NULL || from == word)
        return false;
    *from++ = '\0';
    *file = (struct guest_file){word + strspn(word, "/"), from, 0755};
    return true;
}

static int run_guest(const char *root, struct guest_options *options)
{
    struct guest guest;
    const char *seconds = getenv("STRATA_GUEST_SECONDS");

    prctl(PR_SET_PDEATHSIG, SIGTERM); /* who asked for it is a script, which may be killed */
    options->root = root;
    options->message = say_message;
    options->console = say_console;
    options->silence_ms = options->boot_ms = seconds != NULL ? atoi(seconds) * 1000 : 0;
    options->kvm = guest_kvm(root);
    if (guest_open(options, &guest) == 0)
        while (guest_pump(&guest, 1000))
            ;
    guest_close(&guest);
    if (!guest.good)
        fprintf(stderr, "guest: %s\n", guest.why);
    return guest.good ? 0 : 1;
}

/* [v1|v2|hybrid] [--file AT=FROM]... JOB */
static int run(const char *root, char **words, int count)
{
    static struct guest_file files[FILES_MAX];
    struct guest_options options = {.cgroup = GUEST_V2, .files = files};
    autofree char *job = NULL;
    int at = 0;

    if (count > 1 && strcmp(words[0], "--file") != 0)
        options.cgroup = cgroup_of(words[at++]);
    while (at + 1 < count && strcmp(words[at], "--file") == 0) {
        if (options.file_count == FILES_MAX ||
            !read_file(words[at + 1], &files[options.file_count++]))
            return usage();
        at += 2;
    }
    if (at != count - 1)
        return usage();
    if (strcmp(words[at], "-") == 0 && (job = read_job()) == NULL) {
        fprintf(stderr, "guest: the job: %s\n", strerror(errno));
        return 1;
    }
    options.job = job != NULL ? job : words[at];
    return run_guest(root, &options);
}

/* --- a guest for a person ----------------------------------------------------------------------
 */

/* The labs' programs, where they lie here, and the script that greets. */
static size_t find_files(const char *root, struct guest_file files[FILES_MAX])
{
    static glob_t found;
    char *pattern;
    size_t count = 0;

    if (asprintf(&pattern, "%s/harness/vm/shell.sh", root) < 0)
        return 0;
    files[count++] = (struct guest_file){"kit/shell.sh", pattern, 0755};
    if (asprintf(&pattern, "%s/build/{labs,solutions}/[0-9][0-9]/lab[0-9][0-9]", root) < 0)
        return count;
    if (glob(pattern, GLOB_BRACE, NULL, &found) == 0)
        for (size_t i = 0; i < found.gl_pathc && count < FILES_MAX; i++) {
            char *path;
            if (asprintf(&path, "kit%s", found.gl_pathv[i] + strlen(root)) > 0)
                files[count++] = (struct guest_file){path, found.gl_pathv[i], 0755};
        }
    free(pattern);
    return count;
}

static _Noreturn void become_qemu(const char *const *argv, pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGTERM); /* it gives the terminal back then */
    if (getppid() != parent)
        _exit(1);
    execvp(argv[0], (char *const *)argv);
    fprintf(stderr, "guest: %s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

/* Until QEMU ends, or the terminal is gone: it would not notice that by itself. */
static int await(pid_t qemu)
{
    int status = 0;
    struct pollfd ends[2] = {{(int)syscall(SYS_pidfd_open, qemu, 0), POLLIN, 0}, {0, 0, 0}};

    while (poll(ends, 2, -1) < 0 && errno == EINTR)
        ;
    if (ends[0].revents == 0)
        kill(qemu, SIGTERM);
    while (waitpid(qemu, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static int shell(const char *root, const char *cgroup)
{
    static struct guest_file files[FILES_MAX];
    const char *argv[IMAGE_ARGV_MAX];
    struct winsize size = {.ws_row = 24, .ws_col = 80};
    struct guest_options options = {
        .root = root, .job = "", .files = files, .file_count = find_files(root, files)};

    options.cgroup = cgroup_of(cgroup);
    options.kvm = guest_kvm(root);
    int image = image_make(&options, "");
    if (image < 0) {
        fprintf(stderr, "guest: its image: %s\n", strerror(-image));
        return 1;
    }
    if (image == 3 ? fcntl(image, F_SETFD, 0) < 0 : dup2(image, 3) < 0)
        return 1;
    struct winsize now;
    if (ioctl(0, TIOCGWINSZ, &now) == 0 && now.ws_row > 0 && now.ws_col > 0)
        size = now;
    image_shell_command(&options, size.ws_row, size.ws_col, argv);
    pid_t self = getpid();
    pid_t qemu = fork();
    if (qemu == 0)
        become_qemu(argv, self);
    return qemu < 0 ? 1 : await(qemu);
}

int main(int argc, char **argv)
{
    const char *root = getenv("STRATA_ROOT");
    autofree char *here = root == NULL ? get_current_dir_name() : NULL;

    if (root == NULL)
        root = here;
    if (argc < 2 || root == NULL)
        return usage();
    const char *lacking = guest_lacking(root);
    if (lacking != NULL) {
        fprintf(stderr, "guest: %s\n", lacking);
        return 1;
    }
    if (strcmp(argv[1], "--ready") == 0)
        return 0;
    if (strcmp(argv[1], "--kvm") == 0)
        return guest_kvm(root) ? 0 : 1;
    if (strcmp(argv[1], "--run") == 0 && argc >= 3)
        return run(root, argv + 2, argc - 2);
    if (strcmp(argv[1], "--shell") == 0)
        return shell(root, argc == 3 ? argv[2] : "v2");
    return usage();
}
