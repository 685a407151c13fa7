/* Lab 10, step 3: one kernel takes the calls of several architectures, each with its own numbers.
 */
#include "graders/10-seccomp.h"

#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "grade/mounts.h"

/* What the 64-bit table has no name for is refused as well: to libseccomp its number is below 0. */
static void check_only_32(struct grade *g, struct run *run)
{
    struct attempt inside = filter_try(run, "call32 %d", filter_number_32("getuid32"));

    expect(g, inside.signal == 0 && inside.result == -EXDEV, .because = "32-only",
           .expected = "getuid32, which only 32-bit programs have, is refused with EXDEV",
           .kernel = say(g, "getuid32: %s", filter_attempt_text(g, &inside)),
           .see = "seccomp_syscall_resolve_name(3), RETURN VALUE");
}

/* The 32-bit way: what is refused is refused there too, and what is allowed works. */
static void check_32(struct grade *g, struct run *room, struct run *run,
                     const struct victim victims[VICTIMS])
{
    static const char see[] = "seccomp_arch_add(3); int 0x80 is the way of 32-bit programs";
    int free_one = filter_number_32("getpid");
    struct attempt outside = filter_try(room, "call32 %d", free_one);

    if (outside.signal != 0 || outside.result < 0)
        return; /* a kernel without 32-bit programs: CONFIG_IA32_EMULATION, or ia32_emulation=0 */
    struct attempt inside = filter_try(run, "call32 %d", free_one);
    expect(g, filter_same(&outside, &inside), .because = "no-32",
           .expected = "32-bit programs go on: getpid by int 0x80 works as outside",
           .kernel = say(g, "getpid by int 0x80: %s", filter_attempt_text(g, &inside)), .see = see);
    for (size_t i = 0; i < VICTIMS; i++) {
        const struct victim *v = &victims[i];
        int number = filter_number_32(v->name);
        outside = filter_try(room, "call32 %d %s", number, v->arguments);
        inside = filter_try(run, "call32 %d %s", number, v->arguments);
        if (outside.result == -v->error)
            continue;
        expect(g, inside.signal == 0 && inside.result == -v->error, .because = "32-not-refused",
               .expected = say(g, "%s is refused with %s also by int 0x80 (number %d)", v->name,
                               filter_error_name(g, v->error), number),
               .kernel = filter_told(g, say(g, "32-bit %s", v->name), &outside, &inside),
               .see = see);
    }
    check_only_32(g, run);
    /* The number of a refused 64-bit call is another, harmless call there, if it is one. */
    for (size_t i = 0; i < VICTIMS; i++) {
        int number = filter_number(victims[i].name);
        char *other = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86, number);
        bool refused = other == NULL;
        for (size_t k = 0; k < VICTIMS && other != NULL; k++)
            refused = refused || strcmp(other, victims[k].name) == 0;
        const char *name = other != NULL ? say(g, "%s", other) : "";
        free(other);
        outside = filter_try(room, "call32 %d -1 -1 -1 -1 -1", number);
        if (refused || outside.signal != 0 || outside.error != 0)
            continue;
        inside = filter_try(run, "call32 %d -1 -1 -1 -1 -1", number);
        expect(
            g, inside.signal == 0 && inside.result != -victims[i].error, .because = "number-only",
            .expected = say(g, "by int 0x80 number %d is %s, which nobody refuses", number, name),
            .kernel = say(g, "it gives %s, as the 64-bit %s of that number does",
                          filter_attempt_text(g, &inside), victims[i].name),
            .see = see);
    }
}

/* x32: the 64-bit registers, and numbers with bit 30 set. A filter sees them as x86_64's. */
static void check_x32(struct grade *g, struct run *room, struct run *run)
{
    static const char *const names[] = {"getpid", "read", "execve", "unshare"};
    static const char see[] = "seccomp(2), NOTES, __X32_SYSCALL_BIT; seccomp_attr_set(3), BADARCH";

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        int number = seccomp_syscall_resolve_name_arch(SCMP_ARCH_X32, names[i]);
        struct attempt outside = filter_try(room, "call %d 0 0 0", number);
        struct attempt inside = filter_try(run, "call %d 0 0 0", number);
        if (outside.signal != 0 || outside.error != 0)
            grade_error(g, -outside.error, "x32's %s ends its caller outside", names[i]);
        expect(g, inside.signal == SIGSYS, .because = "x32-lives",
               .expected =
                   say(g, "x32's %s (number %d) ends its caller by SIGSYS", names[i], number),
               .kernel = say(g, "%s: %s", names[i], filter_attempt_text(g, &inside)), .see = see);
        inside = filter_try(run, "callcaught %d 0 0 0", number);
        expect(g, inside.signal == SIGSYS, .because = "can-be-caught",
               .expected =
                   say(g, "x32's %s kills, whatever its caller does about SIGSYS", names[i]),
               .kernel = "a handler for SIGSYS catches it, and the program goes on", .see = see);
        inside = filter_try(run, "callthread %d 0 0 0", number);
        expect(g, inside.signal == SIGSYS, .because = "one-thread",
               .expected = say(g, "x32's %s by a second thread ends the whole process", names[i]),
               .kernel = inside.signal == 0 && inside.error == 0
                             ? "only that thread was ended; the first one goes on"
                             : say(g, "%s", filter_attempt_text(g, &inside)),
               .see = see);
    }
}

/* What becomes of both when nobody says anything to libseccomp. */
static void check_touched(struct grade *g, struct run *room, struct run *run)
{
    int number = filter_number_32("getpid"),
        foreign = seccomp_syscall_resolve_name_arch(SCMP_ARCH_X32, "getpid");
    struct attempt outside = filter_try(room, "call32 %d", number);
    struct attempt inside = filter_try(run, "call32 %d", number);
    struct attempt thread = filter_try(run, "callthread %d 0 0 0", foreign);

    expect(g,
           outside.signal != 0 || inside.signal != SIGSYS || thread.signal != 0 ||
               thread.error != 0,
           .because = "untouched",
           .expected = "32-bit calls fall under the rules, and x32's end the process",
           .kernel = "nothing is said of either: by default each ends the thread that makes it",
           .see = "seccomp_arch_add(3); seccomp_attr_set(3), SCMP_FLTATR_ACT_BADARCH");
}

void filter_steparchitecture(struct grade *g)
{
    static const char *const first[] = {"--seccomp-open", "--seccomp-allow-namespaces",
                                        "--seccomp-deny", "getuid32=EXDEV", NULL};
    struct victim victims[VICTIMS];

    struct run *room = outside_open(g, false);
    filter_draw(g, victims);
    struct run *run = filter_start(g, room, filter_refusing(g, victims, first));
    filter_check_loaded(room, run);
    filter_check_victims(room, run, victims, "not-refused", "");
    check_touched(g, room, run);
    check_x32(g, room, run);
    check_32(g, room, run, victims);
}
