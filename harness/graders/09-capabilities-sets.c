/* Lab 09, step 2: what capabilities_limit leaves, to whoever calls it. */
#include "graders/09-capabilities.h"

#include <errno.h>
#include <string.h>

#include "grade/run.h"
#include "grade/step.h"

/* The lab program itself as it should be when it has started: what the probe gave it. Checked
 * before the verdict on COMMAND, so that an absence there is one. */
static struct powers check_start(struct run *run, enum caps_set set, uint64_t wanted)
{
    struct grade *g = run_grade(run);
    struct powers program;

    run_payload(run);
    program = caps_of(run, run_program_pid(run));
    if (program.sets[set] != wanted && program.sets[BOUNDING] == caps_known(g))
        grade_error(g, 0, "the lab program started with %s %s", caps_lines[set],
                    caps_text(g, program.sets[set]));
    return program;
}

/* A start that must not fail, with COMMAND `true`: then the verdict can say why it should not. */
static void check_starts(struct run *room, const char *powers, const char *const *arguments,
                         const char *because, const char *asked)
{
    struct grade *g = run_grade(room);
    const char *said;
    int status = caps_run(room, powers, arguments, &said);

    expect(g, status == 0, .because = because, .expected = say(g, "%s: no failure", asked),
           .kernel = say(g, "exit status %d; %s: %.60s", status, asked, said),
           .see = "lab09 --keep 0 true; echo $?");
}

/* The lab program keeps what it has: only the new process loses something. */
static void check_program_kept(struct run *run, const uint64_t wanted[CAPS_SETS])
{
    struct grade *g = run_grade(run);
    struct powers program = caps_of(run, run_program_pid(run));

    for (enum caps_set set = BOUNDING; set < CAPS_SETS; set++)
        expect(g, program.sets[set] == wanted[set], .because = "program-changed",
               .expected = say(g, "lab09 itself keeps its %s: %s", caps_lines[set],
                               caps_text(g, wanted[set])),
               .kernel = say(g, "process %d, lab09: %s %s", program.pid, caps_lines[set],
                             caps_text(g, program.sets[set])),
               .see = "lab09 sleep 9 &  then: grep Cap /proc/$!/status");
}

/* From all powers of a room's root to `keep`. An init shows what was written, COMMAND what exec
 * made of it. */
static void check_keep(struct run *room, const char *set, uint64_t wanted, const char *asked)
{
    struct grade *g = run_grade(room);
    const char *const arguments[] = {"--without=user", "--init", set != NULL ? "--keep" : NULL, set,
                                     NULL};
    check_starts(room, NULL, arguments, wanted == DEFAULT_SET ? "default-fails" : "keep-fails",
                 asked);
    struct run *run = caps_start(g, room, NULL, NULL, arguments);
    uint64_t all = caps_known(g);

    check_start(run, PERMITTED, all);
    caps_check_root(run, caps_init(run), "the init, PID 1", wanted, asked);
    caps_check_root(run, run_payload(run)->pid, "COMMAND", wanted, asked);
    check_program_kept(run, (uint64_t[CAPS_SETS]){all, all, all, 0, 0});
    const char *bits = run_ask(run, "securebits");
    expect(g, strcmp(bits, "ok 0") == 0, .because = "securebits",
           .expected = "the securebits that COMMAND has are as they were: 0",
           .kernel = say(g, "prctl(PR_GET_SECUREBITS) in COMMAND: %s", bits),
           .see = "capabilities(7), \"The securebits flags\"");
}

/* Started with an inheritable and an ambient set. A root that executes something gets what is
 * inheritable back into its permitted set, whatever the bounding set says. */
static void check_inheritable(struct run *room)
{
    struct grade *g = run_grade(room);
    uint64_t all = caps_known(g), ambient = caps_some(g, all) | bit(SYS_ADMIN) | bit(NET_RAW);
    uint64_t inheritable = caps_some(g, all) | ambient;
    uint64_t keep = caps_some(g, DEFAULT_SET) | bit(NET_RAW) | bit(SETPCAP);
    const char *const arguments[] = {"--without=user", "--init", "--keep", caps_text(g, keep),
                                     NULL};
    struct run *run = caps_start(
        g, NULL, NULL, say(g, "inh=%s amb=%s", caps_text(g, inheritable), caps_text(g, ambient)),
        arguments);
    const char *asked = "started with inheritable and ambient ones";

    check_start(run, INHERITABLE, inheritable);
    check_start(run, AMBIENT, ambient);
    caps_check_root(run, caps_init(run), "the init, PID 1", keep, asked);
    caps_check_root(run, run_payload(run)->pid, "COMMAND", keep, asked);
}

/* Started with less than the default, yet able to drop the rest. */
static void check_less(struct run *room)
{
    struct grade *g = run_grade(room);
    uint64_t less = caps_some(g, caps_known(g)) | bit(SETPCAP) | bit(SYS_ADMIN) | IDENTITY;
    const char *const arguments[] = {"--without=uts,mount,root,user", "--init", NULL};
    const char *asked = "started with less than the default";

    less &= ~(bit(NET_RAW) | bit(SYS_CHROOT));
    const char *powers = say(g, "bnd=%s", caps_text(g, less));
    check_starts(room, powers, arguments, "less-fails", asked);
    struct run *run = caps_start(g, room, NULL, powers, arguments);
    run_payload(run);
    if (caps_of(run, run_program_pid(run)).sets[PERMITTED] != less)
        grade_error(g, 0, "the bounding set of the lab program is not what the probe made it");
    caps_check_root(run, caps_init(run), "the init, PID 1", less & DEFAULT_SET, asked);
    caps_check_root(run, run_payload(run)->pid, "COMMAND", less & DEFAULT_SET, asked);
}

/* Without CAP_SETPCAP the bounding set cannot be changed. That is a failure if it has to be. */
static void check_without_setpcap(struct run *room)
{
    struct grade *g = run_grade(room);
    uint64_t less = (caps_some(g, DEFAULT_SET) | bit(SYS_CHROOT) | IDENTITY) & ~bit(SETPCAP);
    const char *const arguments[] = {BARE, NULL};
    const char *powers = say(g, "bnd=%s", caps_text(g, less)), *said;
    const char *asked = "no CAP_SETPCAP, and nothing to drop from the bounding set";

    check_starts(room, powers, arguments, "nothing-to-drop", asked);
    struct run *run = caps_start(g, room, NULL, powers, arguments);
    caps_check_root(run, run_payload(run)->pid, "COMMAND", less, asked);
    powers = say(g, "bnd=%s", caps_text(g, less | bit(SYS_ADMIN)));
    int status = caps_run(room, powers, arguments, &said);
    expect(g, status == REFUSED && strstr(said, "capabilities_limit: ") != NULL,
           .because = "error-ignored",
           .expected = "no CAP_SETPCAP, so cap_sys_admin stays in the bounding set: EPERM, 125",
           .kernel = say(g, "exit status %d: its error was not passed on", status),
           .see = "prctl(2), PR_CAPBSET_DROP, ERRORS; cap_drop_bound(3) returns -1");
    expect(g, strstr(said, strerror(EPERM)) != NULL, .because = "wrong-error",
           .expected = say(g, "no CAP_SETPCAP: %s", strerror(EPERM)),
           .kernel = say(g, "another error: %.60s", said),
           .see = "prctl(2), PR_CAPBSET_DROP, ERRORS");
}

/* The lab program as a file with these permitted capabilities, of which none is effective, and none
 * comes of uid 0: as it is after a change of uid. The bounding set is full. */
static void check_file(struct run *room, uint64_t permitted, const char *because, const char *asked)
{
    struct grade *g = run_grade(room);
    const char *folder = say(g, "/tmp/%s", grade_word(g, 7)), *program = say(g, "%s/lab09", folder);
    const char *const arguments[] = {BARE, NULL};
    const char *said, *words[] = {"--start-with", "alone", "noroot", program, BARE, NULL};

    outside_do(room, "mkdir %s", folder);
    outside_do(room, "mount tmpfs %s 0", folder);
    outside_do(room, "copy 755 /strata/lab09 %s", program);
    outside_do(room, "setcap %s 0 %s", caps_text(g, permitted), program);
    int status = outside_run(
        room,
        &(struct run_options){.program = "/strata/probe",
                              .arguments = words,
                              .command = (const char *[]){"--", "/strata/busybox", "true", NULL}},
        &said);
    expect(g, status == 0, .because = because, .expected = say(g, "%s: no failure", asked),
           .kernel = say(g, "exit status %d; %s: %.60s", status, asked, said),
           .see = "capabilities(7); prctl(2), PR_CAPBSET_DROP: effective, not just permitted");
    struct run *run = caps_start(g, room, program, "alone noroot", arguments);
    struct powers start = check_start(run, PERMITTED, permitted);
    if (start.sets[EFFECTIVE] != 0)
        grade_error(g, 0, "the lab program's capabilities are effective");
    struct powers command = caps_of(run, run_payload(run)->pid);
    expect(g, command.sets[BOUNDING] == DEFAULT_SET, .because = "bounding-more",
           .expected = say(g, "%s: CapBnd of COMMAND is %s", asked, caps_text(g, DEFAULT_SET)),
           .kernel =
               say(g, "CapBnd %s of process %d", caps_text(g, command.sets[BOUNDING]), command.pid),
           .see = "capabilities(7): dropping from the bounding set");
}

/* Whatever is bounded, only what is permitted can stay so, and all the rest has to go. */
static void check_files(struct run *room)
{
    struct grade *g = run_grade(room);
    uint64_t all = caps_known(g), fewer = caps_some(g, all) | bit(SETPCAP) | IDENTITY;

    check_file(room, all, "not-raised", "CAP_SETPCAP permitted, not effective");
    check_file(room, fewer & ~(bit(SYS_ADMIN) | bit(SYS_CHROOT)), "less-fails",
               "fewer are permitted than bounded");
}

/* Somebody who has all capabilities and is not root; and a root whose group is not. */
static void check_user(struct run *room, unsigned uid, unsigned gid)
{
    struct grade *g = run_grade(room);
    const char *who = say(g, "%u:%u", uid, gid), *asked = say(g, "-u %s", who);
    const char *const arguments[] = {"--without=uts,mount,root,user", "--init", "-u", who, NULL};
    uint64_t all = caps_known(g), left = uid == 0 ? DEFAULT_SET : 0;
    const uint64_t wanted[CAPS_SETS] = {DEFAULT_SET, left, left, 0, 0};
    struct run *run =
        caps_start(g, room, NULL, say(g, "alone=%s amb=%s", who, caps_text(g, all)), arguments);

    check_start(run, AMBIENT, all);
    caps_check(run, caps_init(run), "the init, PID 1", wanted, asked);
    caps_check(run, run_payload(run)->pid, "COMMAND", wanted, asked);
}

void caps_step_sets(struct grade *g)
{
    struct run *room = outside_open(g, false);
    uint64_t all = caps_known(g), some = caps_some(g, all) & ~bit(SETPCAP);

    check_keep(room, NULL, DEFAULT_SET, "by default");
    check_inheritable(room);
    check_keep(room, caps_text(g, some), some, "keep some, and not CAP_SETPCAP");
    check_keep(room, "0", 0, "keep nothing");
    check_keep(room, "ffffffffffffffff", all, "keep bits that no capability has");
    check_less(room);
    check_without_setpcap(room);
    check_files(room);
    check_user(room, (unsigned)grade_between(g, 1, 60000), 0);
    check_user(room, 0, (unsigned)grade_between(g, 1, 60000));
}
