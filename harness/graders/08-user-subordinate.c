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

static void check_file(struct grade *g, struct run *outside)
{
    const char *file = say(g, "/tmp/%s", grade_word(g, 9));
    const char *name = grade_word(g, 6), *other = grade_word(g, 7), *last = grade_word(g, 8);
    unsigned uid = (unsigned)grade_between(g, 1000, 60000),
             first = 100000 + grade_random(g, 900000);
    unsigned count = 1 + grade_random(g, 65536), high = 4000000000 + grade_random(g, 200000000);

    const char *const lines[] = {
        /* nonsense, and none that is the right answer to somebody who reads it nevertheless */
        "", say(g, "# %s", name), name, say(g, "%s:21", name), say(g, "%s:22:23:24", name),
        say(g, "%s:x25:26", name), say(g, "%s:27:28x", name), say(g, "%s:-5:29", name),
        say(g, "%s:30:", name), say(g, "%s::31", name), say(g, "%s:32:0", name),
        say(g, "%s:4294967000:1000", name), say(g, "%s:99999999999:5", name),
        /* other users */
        say(g, "%s%s:1:2", name, name), say(g, "x%s:3:4", name), ":5:6", say(g, "%u7:7:8", uid),
        say(g, "%ux:9:10", uid),
        /* what is asked for */
        say(g, "%s:%u:%u", name, first, count), say(g, "%s:11:12", name),
        say(g, "%u:%u:%u", uid, high, count), say(g, "%u:13:14", uid),
        say(g, "%s:%u:%u", last, first + 1, count)};
    const char *text = "";

    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        text = say(g, "%s%s%s", text, i > 0 ? "\n" : "", lines[i]);
    outside_do(outside, "write %s %s", file, text);
    check_line(outside, file, say(g, "%s:%u", name, uid + 1), say(g, "%u %u", first, count),
               "wrong-range", "the first line of that NAME that makes sense");
    check_line(outside, file, say(g, "%s:%u", other, uid), say(g, "%u %u", high, count),
               "by-number", "a line of that uid, in decimal");
    check_line(outside, file, say(g, ":%u", uid), say(g, "%u %u", high, count), "by-number",
               "a user without a name (NULL)");
    check_line(outside, file, say(g, "%s:%u", last, uid + 1), say(g, "%u %u", first + 1, count),
               "wrong-range", "a last line without an end");
    check_line(outside, file, say(g, "%s:%u", name, uid), say(g, "%u %u", first, count),
               "wrong-range", "the first of two lines, one by NAME and one by uid");
    check_no_line(outside, file, say(g, "%s:%u", other, uid + 1), "a user whom nobody lends ids");
    check_no_line(outside, say(g, "%s-not", file), say(g, "%s:%u", name, uid), "no such file");
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
    outside_do(outside, "copy 755 /strata/busybox " HELPERS "/sh");
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

/* One helper is exchanged for something that fails, or taken away. */
static void check_failing(struct run *outside, const struct loan *loan, const char *helper,
                          const char *program, int error)
{
    static const char *const arguments[] = {"--subids", NULL};
    struct grade *g = run_grade(outside);

    outside_do(outside, "unlink " HELPERS "/%s", helper);
    if (program != NULL) {
        outside_do(outside, "write " HELPERS "/%s %s\n", helper, program);
        outside_do(outside, "chmod 755 " HELPERS "/%s", helper);
    }
    user_check_refused(
        outside, &(struct refusal){
                     .arguments = arguments,
                     .user = loan->user,
                     .error = error,
                     .because = error == ENOENT ? "helper-missing" : "helper-failed",
                     .what = say(g, program != NULL ? "%s exits with 1" : "there is no %s", helper),
                     .see = say(g, "%s(1)", helper)});
}

void user_step_subordinate(struct grade *g)
{
    struct run *outside = outside_open(g, false);

    check_file(g, outside);
    struct loan loan = lend(g, outside);
    check_lent(outside, &loan);
    check_failing(outside, &loan, "newgidmap", "#!/strata/busybox false", EPERM);
    check_failing(outside, &loan, "newgidmap", NULL, ENOENT);
    outside_do(outside, "copy 4755 /strata/busybox " HELPERS "/newgidmap");
    check_failing(outside, &loan, "newuidmap", "#!/strata/busybox false", EPERM);
    check_failing(outside, &loan, "newuidmap", NULL, ENOENT);
}
