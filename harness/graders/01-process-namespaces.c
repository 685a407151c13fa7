/* Lab 01, step 5: which namespaces a process is in. */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <sys/sysmacros.h>

#include "graders/01-process-readings.h"
#include "kernel/namespace.h"

static void check_namespace(struct run *helper, pid_t inside, const char *kind)
{
    struct grade *g = run_grade(helper);
    struct kernel_ns_id id;
    pid_t pid = process_outside(helper, inside);
    const char *value = say(g, "%d:%s", inside, kind);
    int result = kernel_ns(pid, kind, &id);

    if (result == -ENOENT)
        return; /* a kernel without this kind */
    if (result < 0)
        grade_error(g, result, "cannot look at /proc/%d/ns/%s", pid, kind);
    const char *got =
        process_answer(process_ask(helper, "--namespace", value), "--namespace", value);
    unsigned high = 0, low = 0;
    unsigned long long inode = 0;
    char name[32] = "", end = 0;
    int fields = sscanf(got, "%31s %u:%u %llu%c", name, &high, &low, &inode, &end);

    expect(g, fields == 5 && end == '\n' && inode == (unsigned long long)id.ino,
           .because = "wrong-inode",
           .expected =
               say(g, "/proc/%d/ns/%s is inode %llu", inside, kind, (unsigned long long)id.ino),
           .kernel = say(g, "your program says: %s", got),
           .see = say(g, "stat -L -c '%%i' /proc/PID/ns/%s; lab01 --namespace PID:%s", kind, kind));
    expect(g, makedev(high, low) == id.dev, .because = "wrong-device",
           .expected = say(g, "inode %llu of device %u:%u", inode, major(id.dev), minor(id.dev)),
           .kernel = say(g, "your program says device %u:%u", high, low),
           .see = say(g, "stat -L -c '%%d %%i' /proc/PID/ns/%s", kind));
}

void process_step_namespaces(struct grade *g)
{
    struct run *helper = process_helper(g, NULL);
    const int flags[] = {CLONE_NEWUTS | CLONE_NEWNET, CLONE_NEWIPC | CLONE_NEWNS,
                         CLONE_NEWCGROUP | CLONE_NEWUTS};
    static const char *const kinds[] = {"cgroup", "ipc",  "mnt", "net",
                                        "pid",    "user", "uts", "time"};
    size_t count = sizeof kinds / sizeof *kinds;

    for (size_t k = 0; k < count; k++)
        check_namespace(helper, run_program_inside(helper), kinds[k]);
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        pid_t pid = process_do(helper, "group %d %d", flags[i], grade_between(g, 1, 3));
        for (size_t k = 0; k < count; k++)
            check_namespace(helper, pid, kinds[k]);
    }
    /* Now its children are born elsewhere than it lives itself. */
    process_do(helper, "unshare %d", CLONE_NEWPID);
    pid_t child = process_do(helper, "child");
    check_namespace(helper, run_program_inside(helper), "pid");
    check_namespace(helper, run_program_inside(helper), "pid_for_children");
    check_namespace(helper, child, "pid");

    pid_t gone = process_vanished(helper);
    process_check_error(helper, "--namespace", say(g, "%d:uts", gone), ESRCH, "vanished",
                        "a process that is gone");
    process_check_error(helper, "--namespace", say(g, "%d:%s", gone, grade_word(g, 6)), ESRCH,
                        "vanished", "a process that is gone, whatever is asked");
    process_check_error(helper, "--namespace",
                        say(g, "%d:%s", run_program_inside(helper), grade_word(g, 6)), ENOENT,
                        "unknown-kind", "a kind of namespace that no kernel has");
    process_check_error(helper, "--namespace", "1:uts", EACCES, "not-allowed",
                        "a process that may not be looked at (the sandbox's PID 1)");
}
