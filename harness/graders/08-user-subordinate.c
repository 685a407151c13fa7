/* Lab 08, step 6: who lends which ids, and the programs that may map them.
 *
 * The machine's newuidmap cannot be set-user-ID in the sandbox, where the machine's root is nobody.
 * So the room gets copies that run as the room's root, and files of its own that name a user and
 * ranges of this run. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#include "graders/08-user.h"

#define HELPERS "/tmp/helpers"
#define BUSYBOX "/strata/busybox"

struct loan {
    unsigned user;
    const char *name;
    unsigned uid, uids, gid, gids; /* the first that is lent, and how many */
};

/* --- the file --------------------------------------------------------------------------------- */

static void check_line(struct run *outside, const char *file, const char *who, const char *wanted,
                       const char *because, const char *what)
{
    struct grade *g = run_grade(outside);
    const char *value = say(g, "%s:%s", file, who);
    const char *const arguments[] = {"--subordinate", value, NULL};
    const char *got = user_answer(outside, arguments, because, what);

    expect(g, strcmp(got, say(g, "%s\n", wanted)) == 0, .because = because,
           .expected = say(g, "%s: first and count are %s", what, wanted),
           .kernel = say(g, "user_subordinate says: %.60s", got),
           .see = say(g, "cat %s; lab08 --subordinate %s", file, value));
}

static void check_no_line(struct run *outside, const char *file, const char *who, const char *what)
{
    struct grade *g = run_grade(outside);
    const char *value = say(g, "%s:%s", file, who);
    const char *const arguments[] = {"--subordinate", value, NULL};

    user_check_refused(
        outside, &(struct refusal){.arguments = arguments,
                                   .error = ENOENT,
                                   .because = "lent-to-others",
                                   .what = what,
                                   .see = say(g, "cat %s; lab08 --subordinate %s", file, value)});
}

/* Lines of others with long names. Whoever reads a line by pieces of such a size finds that the
 * next piece is one of `name`. */
static const char *long_lines(struct grade *g, const char *name)
{
    static const int sizes[] = {64, 80, 100, 128, 256, 512, 1024};
    const char *text = "";

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        text = say(g, "%s%s%0*d%s:15:16", text, i > 0 ? "\n" : "", sizes[i] - 1, 0, name);
    return text;
}

/* Who is asked for in the file, and what is lent to them. */
struct asked {
    const char *name, *other, *last, *late, *twice;
    unsigned uid, large; /* the second is one that no int holds */
    unsigned first, high, count;
};

static struct asked draw_asked(struct grade *g)
{
    return (struct asked){.name = grade_word(g, 6),
                          .other = grade_word(g, 7),
                          .last = grade_word(g, 8),
                          .late = grade_word(g, 9),
                          .twice = grade_word(g, 10),
                          .uid = (unsigned)grade_between(g, 1000, 60000),
                          .large = 3000000000 + grade_random(g, 1000000000),
                          .first = 100000 + grade_random(g, 900000),
                          .high = 4000000000 + grade_random(g, 200000000),
                          .count = 70000 + grade_random(g, 80000000)};
}

static const char *file_text(struct grade *g, const struct asked *a)
{
    const char *const lines[] = {
        /* nonsense, and none that is the right answer to somebody who reads it nevertheless */
        "", say(g, "# %s", a->name), a->name, say(g, "%s:21", a->name),
        say(g, "%s:22:23:24", a->name), say(g, "%s:x25:26", a->name), say(g, "%s:27:28x", a->name),
        say(g, "%s:-5:29", a->name), say(g, "%s:30:", a->name), say(g, "%s::31", a->name),
        say(g, "%s:32:0", a->name), say(g, "%s:4294967000:1000", a->name),
        say(g, "%s:99999999999:5", a->name), say(g, "%s:+33:34", a->name),
        say(g, "%s: 35:36", a->name), say(g, "%s:37:38 ", a->name), say(g, "%s:0x39:40", a->name),
        /* other users */
        say(g, "%s%s:1:2", a->name, a->name), say(g, "x%s:3:4", a->name), ":5:6",
        say(g, "%u7:7:8", a->uid), say(g, "%ux:9:10", a->uid), "root:41:42", long_lines(g, a->name),
        /* what is asked for */
        say(g, "%s:%u:%u", a->name, a->first, a->count), say(g, "%s:11:12", a->name),
        say(g, "%u:%u:%u", a->uid, a->high, a->count), say(g, "%u:13:14", a->uid),
        say(g, "%u:%u:5", a->large, a->first), say(g, "%s:%u:6", a->late, a->high),
        say(g, "%s:%u:7", a->twice, a->first), say(g, "%s:%u:8", a->twice, a->first + 7),
        say(g, "%s:%u:%u", a->last, a->first + 1, a->count)};
    const char *text = "";

    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        text = say(g, "%s%s%s", text, i > 0 ? "\n" : "", lines[i]);
    return text;
}

static void check_file(struct grade *g, struct run *outside)
{
    const struct asked a = draw_asked(g);
    const char *file = say(g, "/tmp/%s", grade_word(g, 9));
    const struct {
        const char *who, *wanted, *because, *what;
    } lines[] = {
        {say(g, "%s:%u", a.name, a.uid + 1), say(g, "%u %u", a.first, a.count), "wrong-range",
         "the first line of that NAME that makes sense"},
        {say(g, "%s:%u", a.other, a.uid), say(g, "%u %u", a.high, a.count), "by-number",
         "a line of that uid, in decimal"},
        {say(g, ":%u", a.uid), say(g, "%u %u", a.high, a.count), "by-number",
         "a user without a name (NULL)"},
        {say(g, "%s:%u", a.last, a.uid + 1), say(g, "%u %u", a.first + 1, a.count), "wrong-range",
         "a last line without an end"},
        {say(g, "%s:%u", a.name, a.uid), say(g, "%u %u", a.first, a.count), "wrong-range",
         "the first of two lines, one by NAME and one by uid"},
        {say(g, "%s:%u", a.other, a.large), say(g, "%u 5", a.first), "by-number",
         "a line of a uid that no int holds"},
        {say(g, "%s:%u", a.late, a.large), say(g, "%u 5", a.first), "wrong-range",
         "the first of two lines, that of the uid before that of NAME"},
        {say(g, "%s:%u", a.twice, a.uid + 1), say(g, "%u 7", a.first), "wrong-range",
         "the first of two lines whose ids go on with each other"},
    };

    outside_do(outside, "write %s %s", file, file_text(g, &a));
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        check_line(outside, file, lines[i].who, lines[i].wanted, lines[i].because, lines[i].what);
    check_no_line(outside, file, ":0", "uid 0, with nothing said of its name (NULL)");
    check_no_line(outside, file, say(g, "%s:%u", a.other, a.uid + 1),
                  "a user whom nobody lends ids");
    check_no_line(outside, say(g, "%s-not", file), say(g, "%s:%u", a.name, a.uid), "no such file");
}

/* --- the helpers ------------------------------------------------------------------------------ */

static void cover(struct run *outside, const char *path, const char *text)
{
    struct grade *g = run_grade(outside);
    const char *file = say(g, HELPERS "/%s", grade_word(g, 10));

    outside_do(outside, "write %s %s\n", file, text);
    outside_do(outside, "mount %s %s %d", file, path, MS_BIND);
}

/* Only these two programs are in /usr/bin from now on, and a shell. */
static struct loan lend(struct grade *g, struct run *outside)
{
    struct loan loan = {.user = (unsigned)grade_between(g, 1000, 9000), .name = grade_word(g, 7)};

    loan.uid = (unsigned)grade_between(g, 10000, 20000);
    loan.uids = (unsigned)grade_between(g, 100, 20000);
    loan.gid = (unsigned)grade_between(g, 30000, 40000);
    loan.gids = (unsigned)grade_between(g, 100, 20000);
    outside_do(outside, "mkdir " HELPERS);
    outside_do(outside, "mount tmpfs " HELPERS " 0");
    outside_do(outside, "chmod 755 " HELPERS);
    outside_do(outside, "copy 4755 /usr/bin/newuidmap " HELPERS "/newuidmap");
    outside_do(outside, "copy 4755 /usr/bin/newgidmap " HELPERS "/newgidmap");
    outside_do(outside, "copy 755 " HELPERS "/newgidmap " HELPERS "/spare");
    outside_do(outside, "copy 755 " BUSYBOX " " HELPERS "/sh");
    outside_do(outside, "mount " HELPERS " /usr/bin %d", MS_BIND);
    cover(outside, "/etc/passwd",
          say(g, "root:x:0:0::/:/bin/sh\n%s:x:%u:%u::/:/bin/sh", loan.name, loan.user, loan.user));
    cover(outside, "/etc/subuid", say(g, "%s:%u:%u", loan.name, loan.uid, loan.uids));
    cover(outside, "/etc/subgid", say(g, "%s:%u:%u", loan.name, loan.gid, loan.gids));
    return loan;
}

static void check_lent(struct run *outside, const struct loan *loan)
{
    static const char *const arguments[] = {"--subids", NULL};
    static const char see[] = "lab08 --subids cat /proc/self/uid_map /proc/self/gid_map";
    struct grade *g = run_grade(outside);

    user_check_starts(outside, loan->user, arguments, "not-allowed");
    struct run *run = user_start(outside, loan->user, 0, arguments);
    user_check_program(outside, run, loan->user);
    unsigned one = grade_random(g, 100);
    int status = grade_between(g, 1, 100);

    user_check_map(outside, run, "uid_map",
                   say(g, "0 %u 1, 1 %u %u", loan->user, loan->uid, loan->uids), "not-lent", see);
    user_check_map(outside, run, "gid_map",
                   say(g, "0 %u 1, 1 %u %u", loan->user, loan->gid, loan->gids), "not-lent", see);
    const char *path = say(g, "/tmp/%s", grade_word(g, 9));
    run_ask(run, "write %s x", path);
    const char *reply = run_ask(run, "chown %u %u %s", one + 1, one + 1, path);
    unsigned uid = 0, gid = 0;
    sscanf(outside_do(outside, "stat %s", path), "%*o %*s %*s %*s %*s %u %u", &uid, &gid);
    expect(g, uid == loan->uid + one && gid == loan->gid + one, .because = "not-lent",
           .expected =
               say(g, "%u inside is %u:%u outside", one + 1, loan->uid + one, loan->gid + one),
           .kernel = say(g, "chown: %s; the file belongs to %u:%u", reply, uid, gid), .see = see);
    run_tell(run, "exit %d", status);
    int ended = run_exit_status(run);
    expect(g, ended == status, .because = "wrong-status",
           .expected = say(g, "COMMAND exits with %d, and the program waits for it", status),
           .kernel = say(g, "the program ended with %d", ended),
           .see = "lab08 --subids sh -c 'exit 7'; echo $?");
}

/* Maps of three ranges and of two, as the command line says. */
static void check_ranges(struct run *outside, const struct loan *loan)
{
    struct grade *g = run_grade(outside);
    unsigned far = 3000000000 + grade_random(g, 1000000000);
    const char *uids =
        say(g, "0:%u:1,1:%u:20,%u:%u:30", loan->user, loan->uid, far, loan->uid + 40);
    const char *gids = say(g, "0:%u:1,7:%u:50", loan->user, loan->gid + 10);
    const char *const arguments[] = {"--subids", "--uid-map", uids, "--gid-map", gids, NULL};
    const char *see = say(g, "lab08 --subids --uid-map %s --gid-map %s", uids, gids);

    user_check_starts_so(outside,
                         &(struct run_options){.arguments = arguments,
                                               .command = (const char *[]){BUSYBOX, "true", NULL},
                                               .user = loan->user},
                         "other-ranges", "three ranges of uids and two of gids: all are lent", see);
    struct run *run = user_start(outside, loan->user, 0, arguments);
    user_check_map(outside, run, "uid_map",
                   say(g, "0 %u 1, 1 %u 20, %u %u 30", loan->user, loan->uid, far, loan->uid + 40),
                   "other-ranges", see);
    user_check_map(outside, run, "gid_map", say(g, "0 %u 1, 7 %u 50", loan->user, loan->gid + 10),
                   "other-ranges", see);
}

/* The helpers are where the caller's PATH says, and in none of the usual places. */
static void check_path(struct run *outside, const struct loan *loan)
{
    static const char *const arguments[] = {"--subids", NULL};
    static const char *const environment[] = {"PATH=" HELPERS, NULL};

    outside_do(outside, "umount /usr/bin 0");
    outside_do(outside, "mount tmpfs /usr/bin 0");
    outside_do(outside, "chmod 755 /usr/bin");
    outside_do(outside, "copy 755 " BUSYBOX " /usr/bin/sh");
    user_check_starts_so(outside,
                         &(struct run_options){.arguments = arguments,
                                               .command = (const char *[]){BUSYBOX, "true", NULL},
                                               .environment = environment,
                                               .user = loan->user},
                         "other-path", "newuidmap and newgidmap are found in the caller's PATH",
                         "mkdir /tmp/h; cp /usr/bin/new?idmap /tmp/h; PATH=/tmp/h lab08 ...");
    outside_do(outside, "umount /usr/bin 0");
    outside_do(outside, "mount " HELPERS " /usr/bin %d", MS_BIND);
}

/* A child that the lab program had from the start ends while the helpers run. */
static void check_other_child(struct run *outside, const struct loan *loan)
{
    static const char script[] = BUSYBOX " false & exec /strata/lab08 --subids " BUSYBOX " true";
    static const char *const arguments[] = {"sh", "-c", script, NULL};

    user_check_starts_so(
        outside,
        &(struct run_options){
            .program = BUSYBOX, .arguments = arguments, .no_command = true, .user = loan->user},
        "other-child", "a child that it did not start ends meanwhile: nothing changes",
        "sh -c 'false & exec lab08 --subids true'");
}

/* One helper is exchanged for something that fails, which `how` tells, or taken away. */
static void check_failing(struct run *outside, const struct loan *loan, const char *helper,
                          const char *program, const char *how, int error)
{
    static const char *const arguments[] = {"--subids", NULL};
    struct grade *g = run_grade(outside);

    outside_do(outside, "unlink " HELPERS "/%s", helper);
    if (program != NULL) {
        outside_do(outside, "write " HELPERS "/%s %s\n", helper, program);
        outside_do(outside, "chmod 755 " HELPERS "/%s", helper);
    }
    user_check_refused(
        outside, &(struct refusal){.arguments = arguments,
                                   .user = loan->user,
                                   .error = error,
                                   .because = error == ENOENT ? "helper-missing" : "helper-failed",
                                   .what = program != NULL ? say(g, "%s %s", helper, how)
                                                           : say(g, "there is no %s", helper),
                                   .see = say(g, "%s(1)", helper)});
}

void user_step_subordinate(struct grade *g)
{
    struct run *outside = outside_open(g, false);

    check_file(g, outside);
    struct loan loan = lend(g, outside);
    check_lent(outside, &loan);
    check_ranges(outside, &loan);
    check_path(outside, &loan);
    check_other_child(outside, &loan);
    check_failing(outside, &loan, "newgidmap", "#!" BUSYBOX " false", "exits with 1", EPERM);
    check_failing(outside, &loan, "newgidmap", NULL, NULL, ENOENT);
    outside_do(outside, "copy 4755 " HELPERS "/spare " HELPERS "/newgidmap");
    check_failing(outside, &loan, "newuidmap", "#!" BUSYBOX " false", "exits with 1", EPERM);
    check_failing(outside, &loan, "newuidmap", "#!" BUSYBOX " sh\nkill -KILL $$",
                  "is ended by a signal", EPERM);
    check_failing(outside, &loan, "newuidmap", NULL, NULL, ENOENT);
}
