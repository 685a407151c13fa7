/* Lab 11, step 1: which versions there are, and where a process's group can be found. A path is
 * right when it leads to the very folder: device and inode. */
#include "graders/11-cgroup.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "grade/mounts.h"
#include "kernel/mountinfo.h"

/* --- the mode -----------------------------------------------------------------------------------
 */

/* What the room's own mounts are, by our reading of them. */
static const char *mode_of(struct grade *g, struct run *room)
{
    static const char *const controllers[] = {"cpu",  "cpuacct", "cpuset", "memory",
                                              "pids", "freezer", "blkio"};
    const struct kernel_mounts *mounts = mounts_of(g, run_outside_pid(room));
    bool v1 = false, v2 = false;

    for (size_t i = 0; i < mounts->count; i++) {
        const struct kernel_mount *m = &mounts->list[i];
        v2 = v2 || strcmp(m->fstype, "cgroup2") == 0;
        for (size_t k = 0; k < sizeof controllers / sizeof *controllers; k++)
            v1 = v1 ||
                 (strcmp(m->fstype, "cgroup") == 0 && kernel_mount_has(m->super, controllers[k]));
    }
    return v1 && v2 ? "hybrid" : v1 ? "v1" : v2 ? "v2" : "none";
}

static void check_mode(struct grade *g, struct run *room, const char *scene)
{
    const char *wanted = mode_of(g, room), *said = cgroup_answer(room, "--cgroup-mode", NULL);

    expect(g, strcmp(said, wanted) == 0, .because = say(g, "mode-%s", wanted),
           .expected = say(g, "%s: the mode is %s", scene, wanted),
           .kernel = say(g, "your program says \"%s\"; the mounts say %s", said, wanted),
           .see = "grep cgroup /proc/self/mountinfo, in make shell11");
}

static void unmount(struct run *room, const char *type)
{
    cgroups_shell(room,
                  "grep ' - %s ' /proc/self/mountinfo | cut -d' ' -f5 | while read -r d; do umount "
                  "$d || exit 1; done",
                  type);
}

static void check_modes(struct grade *g)
{
    struct run *room = outside_open(g, false);
    const char *odd = say(g, "/tmp/%s %s", grade_word(g, 5), grade_word(g, 4));
    const char *script = "if grep -q :name=systemd: /proc/self/cgroup; then echo systemd; fi";
    bool has_systemd = cgroups_shell(room, "%s", script)[0] != '\0';
    bool v1 = cgroups_of(g, room, "pids").version == 1;

    check_mode(g, room, "as the room is");
    if (v1) {
        unmount(room, "cgroup2");
        check_mode(g, room, "without the version 2 hierarchy");
        unmount(room, "cgroup");
    } else {
        unmount(room, "cgroup2");
    }
    check_mode(g, room, "with no hierarchy mounted");
    if (has_systemd) {
        cgroups_shell(room, "mkdir /tmp/s; mount -t cgroup -o none,name=systemd cgroup /tmp/s");
        check_mode(g, room, "with systemd's own hierarchy, which has no controller");
    }
    cgroups_shell(room, "mkdir '%s'; mount -t cgroup2 cgroup '%s'", odd, odd);
    check_mode(g, room, say(g, "with version 2 mounted at \"%s\"", odd));
    if (v1) {
        cgroups_shell(room, "mkdir /tmp/p; mount -t cgroup -o pids cgroup /tmp/p");
        check_mode(g, room, "with both, at places of our choice");
    }
}

/* --- the place ----------------------------------------------------------------------------------
 */

/* A long path would fill the screen. */
static const char *shown(struct grade *g, const char *path)
{
    size_t length = strlen(path);

    return length > 120 ? say(g, "%.50s...%s, %zu bytes", path, path + length - 20, length) : path;
}

/* The lab program says where the group of `value` ("PID:CONTROLLER") is; `folder` is what we put
 * it in, `what` says what is special about it. */
static void check_answer(struct run *room, const char *said, const char *value, const char *folder,
                         const char *because, const char *what)
{
    struct grade *g = run_grade(room);
    struct place wanted = place_outside(room, folder), place = {.error = ENOENT};

    said = say(g, "%.*s", (int)strcspn(said, "\n"), said);
    const char *path = said[0] == 'v' ? strchr(said, ' ') : NULL;
    if (path != NULL && path[1] == '/')
        place = place_outside(room, path + 1);
    if (wanted.error != 0)
        grade_error(g, -wanted.error, "%s is not there", folder);
    expect(g, place_same(&place, &wanted), .because = because,
           .expected = say(g, "%s: the group of %s is %s (%s)", what, value, shown(g, folder),
                           place_text(g, &wanted)),
           .kernel = say(g, "your program says \"%s\": %s", shown(g, said), place_text(g, &place)),
           .see = "cat /proc/PID/cgroup; fields 4 and 5 of /proc/self/mountinfo");
}

static void check_place(struct run *room, const char *controller, int version, const char *folder,
                        const char *because, const char *what)
{
    struct grade *g = run_grade(room);
    const char *value = say(g, "%d:%s", run_program_inside(room), controller), *said;
    const char *const arguments[] = {"--cgroup-find", value, NULL};

    outside_run(room, &(struct run_options){.arguments = arguments}, &said);
    check_answer(room, said, value, folder, because, what);
    expect(g, said[1] == '0' + version, .because = "wrong-version",
           .expected = say(g, "%s is in a hierarchy of version %d", controller, version),
           .kernel = say(g, "your program says \"%.2s\"", said), .see = "cat /proc/PID/cgroup");
}

static void move(struct run *room, const struct cgroups *groups, const char *name)
{
    cgroups_shell(room, "mkdir -p '%s%s' && echo %d >'%s%s/cgroup.procs'", groups->folder, name,
                  run_program_inside(room), groups->folder, name);
}

static void check_plain(struct grade *g, const char *controller)
{
    struct run *room = outside_open(g, false);
    struct cgroups groups = cgroups_of(g, room, controller);
    const char *name = say(g, "/%s", grade_word(g, 6)), *odd = grade_word(g, 4);

    odd = say(g, "%s/%s:%s x", name, odd, grade_word(g, 3));
    check_place(room, controller, groups.version,
                say(g, "%s%s", groups.folder, groups.version == 2 ? "/init" : ""), "wrong-place",
                "where the room's processes are");
    move(room, &groups, name);
    check_place(room, controller, groups.version, say(g, "%s%s", groups.folder, name),
                "wrong-place", "a group of its own");
    move(room, &groups, odd);
    check_place(room, controller, groups.version, say(g, "%s%s", groups.folder, odd), "odd-path",
                "a name with a colon and a space");
    const char *far = say(g, "%s/%s", name, grade_word(g, 150));
    far = say(g, "%s/%s", far, grade_word(g, 150));
    move(room, &groups, far);
    check_place(room, controller, groups.version, say(g, "%s%s", groups.folder, far), "long-path",
                "a long path");
}

/* Only a part of the hierarchy is mounted; and another part, whose name is the beginning of ours.
 */
static void check_part(struct grade *g)
{
    struct run *room = outside_open(g, false);
    struct cgroups groups = cgroups_of(g, room, "pids");
    const char *word = grade_word(g, 6), *decoy = say(g, "/%.4s", word);
    const char *name = say(g, "/%s", word), *inner = say(g, "%s/%s", name, grade_word(g, 5));
    const char *part = say(g, "/tmp/%s", grade_word(g, 5));

    if (groups.version == 2) /* or the part that stays mounted would have no controller to show */
        cgroups_shell(room, "echo +pids >%s/cgroup.subtree_control", groups.folder);
    move(room, &groups, inner);
    cgroups_shell(room,
                  "mkdir %s%s /tmp/decoy %s && mount -o bind %s%s /tmp/decoy && "
                  "mount -o bind %s%s %s && umount %s",
                  groups.folder, decoy, part, groups.folder, decoy, groups.folder, name, part,
                  groups.folder);
    check_place(room, "pids", groups.version, say(g, "%s%s", part, strrchr(inner, '/')),
                "part-mounted", "only a part is mounted, and the decoy first");
    cgroups_shell(room, "echo %d >%s/cgroup.procs", run_program_inside(room), part);
    check_place(room, "pids", groups.version, part, "part-mounted", "the mounted part itself");
    cgroups_shell(room, "umount %s", part);
    cgroup_refused(room, "--cgroup-find", say(g, "%d:pids", run_program_inside(room)),
                   "No such file or directory", "unseen-group");
}

/* From within a cgroup namespace at /near, the group /far is "/../far", and the root of the mount
 * that shows it is "/..". */
static void check_beyond(struct grade *g)
{
    struct run *room = outside_open(g, false);
    struct cgroups groups = cgroups_of(g, room, "pids");
    const char *near = say(g, "/%s", grade_word(g, 5)), *far = say(g, "/%s", grade_word(g, 6));
    const char *value;
    int child = 0;

    sscanf(run_ask(room, "child"), "ok %d", &child);
    value = say(g, "%d:pids", child);
    if (groups.version == 2)
        cgroups_shell(room, "echo +pids >%s/cgroup.subtree_control", groups.folder);
    cgroups_shell(room,
                  "printf '#!/strata/busybox sh\nexec lab11 --cgroup-find %s >/tmp/said 2>&1\n' "
                  ">/tmp/ask && chmod 755 /tmp/ask && cd %s && mkdir .%s .%s && "
                  "echo %d >.%s/cgroup.procs && echo %d >.%s/cgroup.procs",
                  value, groups.folder, near, far, child, far, run_program_inside(room), near);
    outside_do(room, "unshare %#x", CLONE_NEWCGROUP);
    outside_do(room, "execute /tmp/ask");
    check_answer(room, cgroups_shell(room, "cat /tmp/said"), value,
                 say(g, "%s%s", groups.folder, far), "outside-group",
                 say(g, "asked within a cgroup namespace at %s", near));
}

/* A controller that nobody has, and words that only occur in the names of some. */
static void check_unknown(struct grade *g)
{
    const char *const none[] = {grade_word(g, 7), "memor", "ids"};
    struct run *room = outside_open(g, false);

    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        cgroup_refused(room, "--cgroup-find", say(g, "%d:%s", run_program_inside(room), none[i]),
                       "No such file or directory", "no-such-controller");
    cgroup_refused(room, "--cgroup-find", "3999999:pids", "No such process", "no-such-process");
}

void cgroup_step_find(struct grade *g)
{
    check_modes(g);
    check_unknown(g);
    check_plain(g, "pids");
    check_plain(g, grade_between(g, 0, 1) ? "memory" : "cpu");
    check_part(g);
    check_beyond(g);
}
