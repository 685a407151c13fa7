/*
 * make doctor: what this machine can grade, found out by doing it, and the cure for what it cannot.
 * docs/troubleshooting.md has a paragraph for each line of the table.
 */
#include "grade/doctor.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* build/grade's main() calls it. */
int doctor(FILE *out);

struct check {
    const char *name;
    const char *purpose;
    doctor_probe *probe;
    bool vital;       /* without it nothing can be graded */
    const char *cure; /* NULL: doctor_userns_cure         */
};

static const struct check checks[] = {
    {"user namespaces", "the sandbox: everything runs in one", doctor_userns, true, NULL},
    {"a fresh /proc", "the sandbox, labs 03 and 05", doctor_proc, true,
     "a container covers parts of /proc: start it with --security-opt systempaths=unconfined"},
    {"a fresh /sys", "the sandbox, lab 05", doctor_sysfs, true,
     "a container covers parts of /sys: start it with --security-opt systempaths=unconfined"},
    {"clone3", "lab 01, and the sandbox (Linux 5.3)", doctor_clone3, true,
     "EPERM, ENOSYS: an old container's seccomp filter, or a kernel before 5.3"},
    {"pidfd_open", "the graders (Linux 5.3)", doctor_pidfd, true,
     "a newer kernel; in a container, a newer seccomp profile"},
    {"mount_setattr", "the sandbox (Linux 5.12)", doctor_mount_setattr, true,
     "a newer kernel; in a container, a newer seccomp profile"},
    {"65536 ids", "owners and groups: labs 05 and 08", doctor_ids, false,
     "sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 YOU "
     "(another range if /etc/subuid has that one); one id does for most steps"},
    {"newuidmap", "lends those ids without root", doctor_helper, false,
     "make setup installs it (package uidmap); it has to be setuid root"},
    {"POSIX queues", "lab 02, step 5", doctor_mqueue, false,
     "a kernel with CONFIG_POSIX_MQUEUE: every distribution's has it"},
    {"overlay", "lab 06, in a user namespace (Linux 5.11)", doctor_overlay, false,
     "a newer kernel, or the module: sudo modprobe overlay"},
    {"network", "labs 14 and 15: a veth pair in a namespace", doctor_veth, false,
     "the module: sudo modprobe veth"},
    {"seccomp", "lab 10: a filter of system calls", doctor_seccomp, false,
     "a kernel with CONFIG_SECCOMP_FILTER: every distribution's has it"},
    {"cgroup v2", "labs 11 to 13", doctor_cgroup2, false,
     "boot with systemd.unified_cgroup_hierarchy=1"},
    {"cgroup v1", "labs 11 to 13, the older way", doctor_cgroup1, false,
     "none is needed: most machines have v2 alone"},
    {"static BusyBox", "the root filesystem", doctor_busybox, true,
     "make setup installs it, and the next make lab01 takes it along"},
    {"disk space", "200 MB for build/", doctor_disk, true, "make room on this disk"},
    {"inotify", "make watch", doctor_inotify, false,
     "sudo sysctl fs.inotify.max_user_instances=512 fs.inotify.max_user_watches=65536; "
     "without it make watch looks twice a second"},
    {"guest", "a machine in this one, for what it lacks", doctor_guest, false,
     "make setup brings QEMU and a kernel for it; it needs no privilege to run"},
    {"/dev/kvm", "a faster guest", doctor_kvm, false,
     "switch on virtualisation in the firmware, and join the group kvm: "
     "sudo usermod -aG kvm YOU; without it guests are slower (EIO: it opens, and guests hang)"},
};

/* Runs the probe in a child: it enters namespaces, and may be killed by a filter. 0 or -errno;
 * -EINTR when a signal ended it. */
static int try_in_child(doctor_probe *probe)
{
    int status;

    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0)
        return -errno;
    if (pid == 0) {
        alarm(10); /* no probe may hang the doctor */
        int result = probe();
        _exit(result < 0 ? -result & 0xff : 0);
    }
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -errno;
    return WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR;
}

static void print_cure(FILE *out, const char *cure)
{
    const char *label = "cure: ";
    size_t column = 0;

    while (*cure != '\0') {
        size_t word = strcspn(cure, " ");
        if (column == 0 || column + 1 + word > 64) {
            fprintf(out, "%s          %s", column > 0 ? "\n" : "", label);
            label = "      ";
            column = 0;
        }
        fprintf(out, "%s%.*s", column > 0 ? " " : "", (int)word, cure);
        column += word + (column > 0);
        cure += word + (cure[word] == ' ');
    }
    fputc('\n', out);
}

int doctor(FILE *out)
{
    int missing = 0, vital = 0;

    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        const struct check *check = &checks[i];
        int result = try_in_child(check->probe);
        fprintf(out, "%-8s  %-16s  %s", result == 0 ? "ok" : "missing", check->name,
                check->purpose);
        if (result == 0) {
            fputc('\n', out);
            continue;
        }
        fprintf(out, " (%s)\n", result == -EINTR ? "no answer" : strerrorname_np(-result));
        print_cure(out, check->cure != NULL ? check->cure : doctor_userns_cure());
        missing++;
        vital += check->vital;
    }
    if (vital > 0)
        fprintf(out, "\nNothing can be graded here yet: docs/troubleshooting.md tells more.\n");
    else if (missing > 0)
        fprintf(out, "\nThe labs can be graded here; a step that needs what is missing says so "
                     "and is\nleft out (docs/troubleshooting.md).\n");
    else
        fprintf(out, "\nAll labs can be graded here.\n");
    return vital > 0 ? 1 : 0;
}
