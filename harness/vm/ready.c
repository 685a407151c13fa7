/* Whether guests can be had here, and how fast. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/file.h"
#include "kernel/own.h"
#include "vm/guest.h"
#include "vm/image.h"

enum { KVM_MS = 3000 };

static bool on_path(const char *program)
{
    const char *path = getenv("PATH");

    while (path != NULL && *path != '\0') {
        char candidate[PATH_MAX];
        size_t length = strcspn(path, ":");
        snprintf(candidate, sizeof candidate, "%.*s/%s", (int)length, path, program);
        if (access(candidate, X_OK) == 0)
            return true;
        path += length + (path[length] == ':');
    }
    return false;
}

/* Runs system.sh; what it has to say when it fails, in one line, goes to `why`. */
static int make_system(const char *root, char *why, size_t size)
{
    char script[PATH_MAX];
    int ends[2], status;
    autofree char *said = NULL;
    size_t length = 0;

    snprintf(script, sizeof script, "%s/harness/vm/system.sh", root);
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[1], 2);
        dup2(2, 1);
        execl("/bin/sh", "sh", script, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    int result = pid < 0 ? -errno : kernel_read_fd(ends[0], &said, &length);
    close(ends[0]);
    while (pid > 0 && waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -errno;
    if (result == 0 && status != 0)
        result = -ENOENT;
    if (result < 0)
        snprintf(why, size, "%.*s", (int)strcspn(said != NULL ? said : "", "\n"),
                 said != NULL && said[0] != '\0' ? said : "what guests boot from cannot be made");
    return result;
}

const char *guest_lacking(const char *root)
{
    static char answer[256];
    static bool known;
    char why[160];
    const char *program = image_program();

    if (known)
        return answer[0] != '\0' ? answer : NULL;
    known = true;
    if (program == NULL)
        snprintf(answer, sizeof answer, "no guest is known for this processor");
    else if (!on_path(program))
        snprintf(answer, sizeof answer, "there is no %s here (make setup)", program);
    else if (make_system(root, why, sizeof why) < 0)
        snprintf(answer, sizeof answer, "%s (make setup)", why);
    return answer[0] != '\0' ? answer : NULL;
}

/* --- KVM ---------------------------------------------------------------------------------------
 */

/* What the answer holds for: this machine, this kernel of it, these programs. */
static void machine_key(char *key, size_t size)
{
    struct utsname name;
    autofree char *id = NULL;
    size_t length = 0;

    uname(&name);
    if (kernel_read_at(AT_FDCWD, "/etc/machine-id", &id, &length) < 0)
        id = NULL;
    snprintf(key, size, "%.*s %s %u", id != NULL ? (int)strcspn(id, "\n") : 0, id != NULL ? id : "",
             name.release, geteuid());
}

static bool boots_with_kvm(const char *root)
{
    struct guest guest;
    struct guest_options options = {.root = root, .kvm = true, .job = "", .boot_ms = KVM_MS};

    if (guest_open(&options, &guest) < 0)
        return false;
    while (guest_pump(&guest, KVM_MS))
        ;
    guest_close(&guest);
    return guest.good;
}

bool guest_kvm(const char *root)
{
    char path[PATH_MAX], key[256];
    autofree char *known = NULL;
    size_t length = 0;

    if (access("/dev/kvm", R_OK | W_OK) < 0)
        return false;
    snprintf(path, sizeof path, "%s/build/vm/kvm", root);
    machine_key(key, sizeof key);
    if (kernel_read_at(AT_FDCWD, path, &known, &length) == 0 && length > 4 &&
        strncmp(known + 4, key, strlen(key)) == 0 && known[4 + strlen(key)] == '\n')
        return strncmp(known, "yes ", 4) == 0;
    bool works = boots_with_kvm(root);
    autofclose FILE *file = fopen(path, "we");
    if (file != NULL)
        fprintf(file, "%s %s\n", works ? "yes" : "no ", key);
    return works;
}
