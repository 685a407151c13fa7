#include "grade/cgroups.h"

#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grade/mounts.h"
#include "kernel/cgroup.h"
#include "kernel/inside.h"
#include "kernel/own.h"
#include "kernel/path.h"

/* The path of the process's group in the hierarchy that has the controller, as we see it. */
static const char *path_of(struct grade *g, pid_t pid, const char *controller, int version)
{
    struct kernel_cgroups list;
    int result = kernel_cgroups_read(pid, &list);

    if (result == -ESRCH)
        fail(g, .because = "payload-gone", .expected = say(g, "process %d still runs", pid),
             .kernel = say(g, "/proc/%d is gone", pid), .see = "make trace of this lab");
    if (result < 0)
        grade_error(g, result, "cannot read /proc/%d/cgroup", pid);
    const struct kernel_cgroup *line =
        version == 2 ? kernel_cgroups_v2(&list) : kernel_cgroups_find(&list, controller);
    const char *path = line != NULL ? say(g, "%s", line->path) : NULL;
    kernel_cgroups_free(&list);
    if (path == NULL)
        grade_error(g, 0, "/proc/%d/cgroup does not have the controller %s", pid, controller);
    return path;
}

/* A room's PID 1 is in its topmost group; in version 2 in the group "init" there. */
static const char *base_of(struct grade *g, struct run *room, const char *controller, int version)
{
    const char *path = path_of(g, run_outside_pid(room), controller, version);
    size_t length = strlen(path);

    if (version == 2 && length >= 5 && strcmp(path + length - 5, "/init") == 0)
        length -= 5;
    return say(g, "%.*s", (int)length, path);
}

struct cgroups cgroups_of(struct grade *g, struct run *room, const char *controller)
{
    const struct kernel_mounts *mounts = mounts_of(g, run_outside_pid(room));
    static const struct kernel_mount none;
    const struct kernel_mount *found = &none;

    for (size_t i = 0; i < mounts->count; i++) {
        const struct kernel_mount *m = &mounts->list[i];
        bool v1 = strcmp(m->fstype, "cgroup") == 0 && kernel_mount_has(m->super, controller);
        if (v1 || (found == &none && strcmp(m->fstype, "cgroup2") == 0))
            found = m;
    }
    if (found == &none)
        grade_error(g, 0, "the room has no control groups");
    int version = strcmp(found->fstype, "cgroup") == 0 ? 1 : 2;
    return (struct cgroups){version, say(g, "%s", found->target),
                            base_of(g, room, controller, version)};
}

const char *cgroups_group(struct grade *g, const struct cgroups *groups, const char *controller,
                          pid_t pid)
{
    const char *path = path_of(g, pid, controller, groups->version);
    size_t length = strcmp(groups->base, "/") == 0 ? 0 : strlen(groups->base);

    if (strncmp(path, groups->base, length) != 0 || (path[length] != '/' && path[length] != '\0'))
        return NULL;
    return path + length;
}

const char *cgroups_read(struct run *room, const struct cgroups *groups, const char *name,
                         const char *file)
{
    struct grade *g = run_grade(room);
    const char *path = say(g, "%s%s/%s", groups->folder, name, file);
    autofree char *text = NULL;
    size_t length;
    int result = kernel_path_read(run_outside_pid(room), path, &text, &length);

    /* A member of the room may read what its root has closed to others, but costs a fork. */
    if (result == -EACCES || result == -EPERM)
        result = kernel_inside_read(run_outside_pidfd(room), run_outside_pid(room),
                                    CLONE_NEWUSER | CLONE_NEWNS, path, &text, &length);
    if (result == -ENOENT || result == -ENODEV) /* removed before, or while it was read */
        return NULL;
    if (result < 0)
        grade_error(g, result, "cannot read %s", path);
    while (length > 0 && text[length - 1] == '\n')
        text[--length] = '\0';
    return say(g, "%s", text);
}

unsigned long long cgroups_key(struct run *room, const struct cgroups *groups, const char *name,
                               const char *file, const char *key)
{
    const char *text = cgroups_read(room, groups, name, file);
    size_t length = strlen(key);

    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, length) == 0 && line[length] == ' ')
            return strtoull(line + length, NULL, 10);
    }
    return 0;
}

bool cgroups_there(struct run *room, const struct cgroups *groups, const char *name)
{
    struct grade *g = run_grade(room);

    return place_outside(room, say(g, "%s%s", groups->folder, name)).error == 0;
}

const char *cgroups_shell(struct run *room, const char *format, ...)
{
    struct grade *g = run_grade(room);
    char script[4096];
    const char *said;
    va_list args;

    va_start(args, format);
    vsnprintf(script, sizeof script, format, args);
    va_end(args);
    const char *const arguments[] = {"sh", "-c", script, NULL};
    int status = outside_run(
        room, &(struct run_options){.program = "/strata/busybox", .arguments = arguments}, &said);
    if (status != 0)
        grade_error(g, 0, "the room could not be prepared (%s): %s", script, said);
    return said;
}
