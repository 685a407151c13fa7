/* Lab 09, step 3: capabilities by their names. */
#include "graders/09-capabilities.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "grade/run.h"
#include "grade/step.h"

enum spelling { LOWER, UPPER, MIXED, SPELLINGS };

/* The name of a capability as somebody might type it. */
static const char *spell(struct grade *g, int capability, bool prefix, enum spelling spelling)
{
    char text[40];

    stpcpy(stpcpy(text, prefix ? "cap_" : ""), caps_name(capability));
    for (char *c = text; *c != '\0'; c++)
        if (spelling == UPPER || (spelling == MIXED && (c - text) % 2 == 0))
            *c = (char)toupper(*c);
    return say(g, "%s", text);
}

/* In any of these ways. */
static const char *spelled(struct grade *g, int capability)
{
    return spell(g, capability, grade_random(g, 2) == 0, grade_random(g, SPELLINGS));
}

static const char *typed(struct grade *g, const char *const *arguments)
{
    const char *text = "";

    for (; *arguments != NULL; arguments++)
        text = say(g, "%s%s%s", text, text[0] != '\0' ? " " : "", *arguments);
    return strlen(text) > 60 ? say(g, "%.56s ...", text) : text;
}

/* The container that these options make; `arguments` begins with BARE. */
static struct run *check_options(struct run *room, const char *const *arguments, uint64_t wanted)
{
    struct grade *g = run_grade(room);
    struct run *run = caps_start(g, room, NULL, NULL, arguments);

    caps_check_root(run, run_payload(run)->pid, "COMMAND", wanted, typed(g, arguments + 1));
    return run;
}

/* What one capability is for, and no other: each attempt succeeds with its own only. */
static void check_one(struct run *room)
{
    struct grade *g = run_grade(room);
    static const int tried[] = {NET_RAW,   NET_BIND_SERVICE, SYS_CHROOT,
                                SYS_ADMIN, DAC_OVERRIDE,     SETFCAP};
    enum { TRIED = sizeof tried / sizeof *tried };
    int one = tried[grade_random(g, TRIED)];
    const char *name = spelled(g, one);
    const char *const arguments[] = {BARE, "--cap-drop", "ALL", "--cap-add", name, NULL};
    const char *const all[] = {BARE, "--cap-add", "ALL", NULL};
    struct run *every = check_options(room, all, caps_known(g));
    struct run *run = check_options(room, arguments, bit(one));

    for (size_t i = 0; i < TRIED; i++) {
        char word[32];
        size_t length = 0;
        for (const char *c = caps_name(tried[i]); *c != '\0'; c++)
            word[length++] = (char)toupper(*c);
        word[length] = '\0';
        const char *reply = run_ask(every, "try %s", word);
        if (strcmp(reply, "ok") != 0)
            grade_error(g, 0, "with all capabilities, what takes %s: %s", word, reply);
        reply = run_ask(run, "try %s", word);
        bool granted = strcmp(reply, "ok") == 0;
        expect(g, granted == (tried[i] == one), .because = "other-power",
               .expected =
                   say(g, "--cap-drop ALL --cap-add %s: only what takes that one works", name),
               .kernel = say(g, "a call that takes %s: %s", word, reply),
               .see = "capabilities(7): what each is for");
    }
}

static void check_word(struct run *room, const char *word, const char *what)
{
    struct grade *g = run_grade(room);
    const char *const arguments[] = {"--capability", word, NULL};
    const char *shown = strlen(word) > 40 ? say(g, "%.20s...", word) : word;
    const char *said, *see = say(g, "lab09 --capability '%s'; echo $?", shown);
    int status = caps_run(room, NULL, arguments, &said);
    const char *line = say(g, "%.*s", (int)strcspn(said, "\n"), said);

    expect(g, status == REFUSED, .because = "any-word",
           .expected = say(g, "\"%s\", %s, is no capability: EINVAL, 125", shown, what),
           .kernel = status == 0 ? say(g, "%s was taken for one: %s", what, line)
                                 : say(g, "exit status %d: %.80s", status, line),
           .see = see);
    expect(g, strstr(said, strerror(EINVAL)) != NULL, .because = "wrong-error",
           .expected = say(g, "\"%s\": %s", shown, strerror(EINVAL)),
           .kernel = say(g, "another error: %.60s", line), .see = see);
}

/* The set itself: only a reading can tell "all that there are" from "all 64 bits". */
static void check_reading(struct run *room, const char *powers, const char *word, uint64_t wanted)
{
    struct grade *g = run_grade(room);
    const char *const arguments[] = {"--capability", word, NULL};
    const char *said;
    int status = caps_run(room, powers, arguments, &said);

    expect(g, status == 0 && strcmp(said, say(g, "%s\n", caps_text(g, wanted))) == 0,
           .because = "wrong-set",
           .expected = say(g, "the set that %s means is %s", word, caps_text(g, wanted)),
           .kernel = say(g, "%s was %s %.*s", word,
                         status == 0 ? "read as" : "refused:", (int)strcspn(said, "\n"), said),
           .see = say(g, "lab09 --capability %s; cat /proc/sys/kernel/cap_last_cap", word));
}

/* The names of `wanted`, each spelled in another way, and what CapBnd they make. */
static void check_names(struct run *room, uint64_t wanted, int turn)
{
    static const char *const command[] = {"--",     "/strata/busybox",   "grep",
                                          "CapBnd", "/proc/self/status", NULL};
    const char *arguments[56] = {BARE, "--cap-drop", "ALL"}, *said;
    struct grade *g = run_grade(room);
    uint64_t got = 0;
    size_t count = 3;

    for (int n = 0; n < 64 && count < 53; n++, turn++)
        if ((wanted & bit(n)) != 0) {
            arguments[count++] = "--cap-add";
            arguments[count++] = spell(g, n, turn % 2 == 0, (enum spelling)(turn / 2 % SPELLINGS));
        }
    int status =
        outside_run(room, &(struct run_options){.arguments = arguments, .command = command}, &said);
    expect(g, status == 0, .because = "no-command",
           .expected = say(g, "%s: no failure", typed(g, arguments + 1)),
           .kernel = say(g, "exit status %d: %.80s", status, said), .see = "make trace09");
    const char *line = strstr(said, "CapBnd:"); /* what is not written yet is told before it */
    if (line != NULL)
        sscanf(line, "CapBnd: %" SCNx64, &got);
    expect(g, got == wanted, .because = "wrong-set",
           .expected =
               say(g, "CapBnd is %s, by --cap-add %s", caps_text(g, wanted), caps_names(g, wanted)),
           .kernel = say(g, "it is %s: with %s, without %s", caps_text(g, got),
                         got & ~wanted ? caps_names(g, got & ~wanted) : "nothing else",
                         wanted & ~got ? caps_names(g, wanted & ~got) : "none of them"),
           .see = "lab09 --capability NAME, for each; linux/capability.h");
}

/* Every name. Two that are mixed up in a table do not show in a set of both, so there is a set for
 * each bit of their numbers: no two names are in the same ones. What this process may do itself
 * does not matter to a name. */
static void check_readings(struct run *room)
{
    struct grade *g = run_grade(room);
    uint64_t known = caps_known(g), named = 0;
    int turn = grade_between(g, 0, 2 * SPELLINGS - 1), one = grade_between(g, 9, 26);

    check_reading(room, NULL, spelled(g, one), bit(one));
    check_reading(room, NULL, "ALL", known);
    check_reading(room, NULL, "all", known);
    check_reading(room, say(g, "bnd=%s", caps_text(g, caps_some(g, known))), "aLl", known);
    for (int n = 0; caps_name(n) != NULL && (known & bit(n)) != 0; n++)
        named |= bit(n);
    for (int i = 0; i < 6; i++, turn++) {
        uint64_t set = 0;
        for (int n = 0; n < 64; n++)
            set |= (n >> i & 1) != 0 ? bit(n) & named : 0;
        check_names(room, set, turn);
    }
    check_names(room, bit(0), turn); /* whose number has no bit */
}

static void check_words(struct run *room)
{
    struct grade *g = run_grade(room);
    int number = grade_between(g, 0, SETFCAP);
    const char *name = caps_name(number);
    const struct {
        const char *word, *what;
    } words[] = {
        {say(g, "%d", number), "a number"},
        {say(g, "cap_%d", number), "a number"},
        {say(g, "%s,%s", name, caps_name(NET_RAW)), "a list"},
        {say(g, "cap_%s,cap_%s", name, caps_name(NET_RAW)), "a list"},
        {say(g, "cap_cap_%s", name), "\"cap_\" twice"},
        {say(g, "cap%s", name), "\"cap\" without its \"_\""},
        {say(g, "%.*s", (int)strlen(name) - 1, name), "a name cut short"},
        {say(g, "%s_", name), "a name and more"},
        {say(g, "%s=ep", name), "a name and more"},
        {say(g, "%s ", name), "a name and a blank"},
        {say(g, " %s", name), "a blank and a name"},
        {"net-raw", "a name with a hyphen"},
        {"checkpoint_restored", "the longest name and more"},
        {say(g, "%s%0300d", name, 0), "a long word"},
        {"CAP_ALL", "CAP_ALL"},
        {"ALL_", "ALL and more"},
        {"cap_", "\"cap_\" alone"},
        {"", "nothing"},
    };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        check_word(room, words[i].word, words[i].what);
}

void caps_step_drop_all(struct grade *g)
{
    struct run *room = outside_open(g, false);
    int other = grade_between(g, 14, 17); /* none of them is among the fourteen */
    int own = grade_between(g, 3, 7);     /* these are */
    const char *const none[] = {BARE, "--cap-drop", "ALL", NULL};
    const char *const fewer[] = {BARE, "--cap-drop", spelled(g, own), NULL};
    const char *const more[] = {BARE, "--cap-add", spelled(g, other), NULL};

    check_readings(room);
    check_options(room, none, 0);
    check_one(room);
    check_options(room, fewer, DEFAULT_SET & ~bit(own));
    check_options(room, more, DEFAULT_SET | bit(other));
    check_words(room);
}
