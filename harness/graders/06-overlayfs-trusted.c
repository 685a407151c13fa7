/*
 * Lab 06, steps 3 and 4: the marks of root on the machine itself.
 *
 * A room is in a user namespace, where the kernel refuses all attributes trusted.*. So that it can
 * be seen what a program would do where they are allowed, these runs are traced, and each call that
 * sets or removes one is answered with a success that it was not.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>

#include "grade/trace.h"
#include "graders/06-overlayfs.h"

/* Linux 6.13's, of the same number on all processors; the C library may be older. */
enum { CALL_SETXATTRAT = 463, CALL_GETXATTRAT, CALL_LISTXATTRAT, CALL_REMOVEXATTRAT };

/* Written by the tracer, read by the step. */
struct seen {
    atomic_bool tried;   /* one trusted.* was set or removed                                      */
    atomic_bool asked;   /* ... or read, or all names listed                                      */
    atomic_bool told;    /* it was answered in place of the kernel                                */
    atomic_bool mounted; /* with `options`: the first overlay that was asked for                  */
    atomic_bool user;    /* one of them is userxattr                                              */
    atomic_bool partial; /* one has the upper keep less than whole files and folders              */
    uint64_t fs;         /* the file system that fsconfig(2) was called for, plus 1               */
};

static bool is_one_of(uint64_t number, const long *numbers)
{
    for (; *numbers >= 0; numbers++)
        if ((uint64_t)*numbers == number)
            return true;
    return false;
}

static void look_at_attribute(struct seen *seen, const struct trace_call *call, bool entry)
{
    static const long sets[] = {SYS_setxattr,    SYS_lsetxattr,      SYS_fsetxattr,
                                SYS_removexattr, SYS_lremovexattr,   SYS_fremovexattr,
                                CALL_SETXATTRAT, CALL_REMOVEXATTRAT, -1};
    static const long gets[] = {SYS_getxattr, SYS_lgetxattr, SYS_fgetxattr, CALL_GETXATTRAT, -1};
    static const long lists[] = {SYS_listxattr, SYS_llistxattr, SYS_flistxattr, CALL_LISTXATTRAT,
                                 -1};
    char name[TRACE_PATH];

    if (is_one_of(call->number, lists))
        seen->asked = true;
    if (call->number >= CALL_SETXATTRAT && call->number <= CALL_REMOVEXATTRAT)
        trace_text(call, call->args[3], name, sizeof name);
    else
        strcpy(name, call->paths[call->paths[1][0] != '\0']);
    if (strncmp(name, "trusted.", 8) != 0)
        return;
    if (is_one_of(call->number, gets))
        seen->asked = true;
    if (!is_one_of(call->number, sets))
        return;
    seen->tried = true;
    if (!entry && call->result == -EPERM && trace_answer(call, 0) == 0)
        seen->told = true;
}

/* Only the first mount counts: without this option the kernel refuses it in a user namespace. */
static void look_at_mount(struct seen *seen, const struct trace_call *call)
{
    char text[4096 + 1];

    if (seen->mounted)
        return;
    if (call->number == SYS_mount) {
        trace_text(call, call->args[2], text, sizeof text);
        if (strcmp(text, "overlay") != 0)
            return;
        trace_text(call, call->args[4], text, sizeof text);
        seen->user = strstr(text, "userxattr") != NULL;
        seen->partial = strstr(text, "metacopy=on") || strstr(text, "redirect_dir=on");
        seen->mounted = true;
    } else if (call->number == SYS_fsconfig && call->args[1] == FSCONFIG_CMD_CREATE) {
        seen->mounted = seen->fs == call->args[0] + 1;
    } else if (call->number == SYS_fsconfig) {
        trace_text(call, call->args[2], text, sizeof text);
        if (strncmp(text, "lowerdir", 8) == 0)
            seen->fs = call->args[0] + 1;
        seen->user = seen->user || strcmp(text, "userxattr") == 0;
        if (strcmp(text, "metacopy") == 0 || strcmp(text, "redirect_dir") == 0) {
            trace_text(call, call->args[3], text, sizeof text);
            seen->partial = seen->partial || strcmp(text, "on") == 0;
        }
    }
}

static void look(void *memory, const struct trace_call *call, bool entry)
{
    look_at_attribute(memory, call, entry);
    if (entry)
        look_at_mount(memory, call);
}

/* Runs the lab program to its end, and says of each trusted.* that all went well. */
static struct seen *allowed(struct grade *g, struct run *room, const char *const *arguments,
                            int *status, const char **said)
{
    struct seen *seen = trace_shared(g, sizeof *seen);
    struct trace *trace;
    struct run *run = trace_start_looking(
        g,
        &(struct run_options){
            .arguments = arguments, .no_command = true, .together = true, .beside = room},
        &(struct trace_look){look, seen}, &trace);

    *status = run_exit_status(run);
    *said = say(g, "%s", run_output(run));
    trace_finish(trace);
    return seen;
}

static void check_attributes(struct grade *g, struct run *room)
{
    const char *folder = layers_folder(g, room), *said;
    const char *const arguments[] = {"--attributes", folder, NULL};
    int status;
    struct seen *seen = allowed(g, room, arguments, &status, &said);

    expect(g, seen->tried, .because = "not-tried",
           .expected = "which kind can be set is tried: trusted.* comes first",
           .kernel = say(g, "no attribute trusted.* was tried; it said: %.60s", said),
           .see = "setxattr(2): try it, whoever you are; strace lab06 --attributes FOLDER");
    if (!seen->told || seen->asked) /* who reads it back finds that it is not there */
        return;
    expect(g, status == 0 && strcmp(said, "trusted.overlay\n") == 0, .because = "not-tried",
           .expected = "where an attribute trusted.* can be set, the kind is trusted.overlay",
           .kernel = say(g, "it could be set, and overlay_attributes says: %.60s", said),
           .see = "overlay.h, overlay_attributes");
}

static void check_replace(struct grade *g, struct run *room)
{
    const char *folder = layers_folder(g, room), *said;
    const char *const arguments[] = {"--replace", folder, NULL};
    int status;
    struct seen *seen = allowed(g, room, arguments, &status, &said);

    expect(g, status == 0, .because = "no-opaque",
           .expected = say(g, "lab06 --replace %s works: status 0", folder),
           .kernel = say(g, "exit status %d: %.80s", status, said),
           .see = "make trace06; fsetxattr(2)");
    expect(g, seen->tried, .because = "one-kind",
           .expected = "a folder gets the mark trusted.overlay.opaque, too, where that is allowed",
           .kernel = "no attribute trusted.* was tried, which root on the machine may set",
           .see = "overlay.h, overlay_replace; strace lab06 --replace FOLDER");
    if (!seen->told || seen->asked)
        return;
    const char *value = run_ask(room, "get-attribute user.overlay.opaque %s", folder);
    expect(g, strcmp(value, "ok y") == 0, .because = "one-kind",
           .expected = "the user kind is set always: whoever mounts may be in a user namespace",
           .kernel = "trusted.overlay.opaque could be set, and user.overlay.opaque was not",
           .see = "overlay.h, overlay_replace");
}

static void check_mount(struct grade *g, struct run *room)
{
    const char *target = layers_folder(g, room), *said;
    const char *const arguments[] = {"--lower", layers_folder(g, room),
                                     "--upper", layers_folder(g, room),
                                     "--work",  layers_folder(g, room),
                                     "--merge", target,
                                     "true",    NULL};
    int status;
    struct seen *seen = allowed(g, room, arguments, &status, &said);

    if (!seen->told || seen->asked)
        return;
    expect(g, !seen->mounted || !seen->user, .because = "one-kind",
           .expected = "where attributes trusted.* are allowed, the mount is to use those",
           .kernel = "they were, and the overlay was mounted with userxattr",
           .see = "userxattr in overlayfs.rst; overlay.h, overlay_attributes");
    expect(g, !seen->mounted || !seen->partial, .because = "partial",
           .expected = "the upper has what changed whole: neither metacopy nor redirect_dir is on",
           .kernel = "where the kernel allows one of them, your mount switches it on",
           .see = "overlayfs.rst, Metadata only copy up, Directories (redirect_dir)");
}

void layers_check_trusted(struct grade *g, struct run *room)
{
    check_attributes(g, room);
    check_replace(g, room);
    check_mount(g, room);
}

void layers_check_both_kinds(struct grade *g, struct run *room, const char *const *arguments)
{
    const char *said;
    int status;
    struct seen *seen = allowed(g, room, arguments, &status, &said);

    expect(g, seen->asked, .because = "one-kind",
           .expected = "opaque is what has the mark of either kind: both are asked for",
           .kernel = "nobody asked for trusted.overlay.opaque, root's mark on the machine itself",
           .see = "lgetxattr(2); strace lab06 --lower L --diff U");
}
