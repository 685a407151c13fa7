/* Lab 09, step 3: capabilities by their names. */
#include "graders/09-capabilities.h"

#include <ctype.h>
#include <errno.h>
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

/* All names but one, each spelled in some way. */
static void check_names(struct run *room)
{
    struct grade *g = run_grade(room);
    enum { NAMES_MAX = 41 };
    const char *arguments[4 + 2 * NAMES_MAX] = {BARE, "--cap-drop", "ALL"};
    uint64_t known = caps_known(g), added = 0;
    size_t count = 3;
    int left_out = grade_between(g, 0, SETFCAP);

    for (int n = 0; n < NAMES_MAX && (known & bit(n)) != 0; n++) {
        if (n == left_out)
            continue;
        arguments[count++] = "--cap-add";
        arguments[count++] = spelled(g, n);
        added |= bit(n);
    }
    check_options(room, arguments, added);
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
    const char *const arguments[] = {BARE, "--cap-add", word, NULL};
    const char *said;
    int status = caps_run(room, NULL, arguments, &said);

    expect(g, status == REFUSED, .because = "any-word",
           .expected = say(g, "\"%s\", %s, is no capability: EINVAL, 125", word, what),
           .kernel = say(g, "exit status %d: %s was taken for one", status, what),
           .see = say(g, "lab09 --capability '%s'; echo $?", word));
    expect(g, strstr(said, strerror(EINVAL)) != NULL, .because = "wrong-error",
           .expected = say(g, "\"%s\": %s", word, strerror(EINVAL)),
           .kernel = say(g, "another error: %.60s", said),
           .see = say(g, "lab09 --capability '%s'", word));
}

/* The set itself: only a reading can tell "all that there are" from "all 64 bits". */
static void check_reading(struct run *room, const char *word, uint64_t wanted)
{
    struct grade *g = run_grade(room);
    const char *const arguments[] = {"--capability", word, NULL};
    const char *said;
    int status = caps_run(room, NULL, arguments, &said);

    expect(g, status == 0 && strcmp(said, say(g, "%s\n", caps_text(g, wanted))) == 0,
           .because = "wrong-set",
           .expected = say(g, "the set that %s means is %s", word, caps_text(g, wanted)),
           .kernel = say(g, "%s was read as %.*s", word, (int)strcspn(said, "\n"), said),
           .see = say(g, "lab09 --capability %s; cat /proc/sys/kernel/cap_last_cap", word));
}

static void check_readings(struct run *room)
{
    struct grade *g = run_grade(room);

    for (enum spelling way = LOWER; way < SPELLINGS; way++) {
        int capability = grade_between(g, 10 * (int)way, 10 * (int)way + 9);
        bool prefix = way == MIXED || grade_random(g, 2) == 0;
        check_reading(room, spell(g, capability, prefix, way), bit(capability));
    }
    check_reading(room, grade_random(g, 2) == 0 ? "all" : "ALL", caps_known(g));
}

static void check_words(struct run *room)
{
    struct grade *g = run_grade(room);
    const char *name = caps_name(grade_between(g, 0, SETFCAP));
    const struct {
        const char *word, *what;
    } words[] = {
        {say(g, "%d", grade_between(g, 0, SETFCAP)), "a number"},
        {say(g, "%s,%s", name, caps_name(NET_RAW)), "a list"},
        {say(g, "cap_cap_%s", name), "\"cap_\" twice"},
        {say(g, "%.*s", (int)strlen(name) - 1, name), "a name cut short"},
        {say(g, "%s_", name), "a name and more"},
        {say(g, "%s=ep", name), "a name and more"},
        {"CAP_ALL", "CAP_ALL"},
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
    check_names(room);
    check_words(room);
}
