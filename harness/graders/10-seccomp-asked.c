/* Lab 10: what a filter says of calls that are not made; steps 4 and 5 ask for many. */
#include "graders/10-seccomp.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

void filter_add(struct filter_calls *calls, const char *format, ...)
{
    size_t room = sizeof calls->text - calls->length;
    va_list args;

    va_start(args, format);
    int wrote = vsnprintf(calls->text + calls->length, room, format, args);
    va_end(args);
    if (wrote < 0 || (size_t)wrote + 1 >= room)
        abort(); /* a mistake of ours */
    calls->length += (size_t)wrote;
    calls->text[calls->length++] = ' ';
    calls->text[calls->length] = '\0';
}

bool filter_ask(struct run *run, int bits, const struct filter_calls *calls,
                struct attempt *answers, size_t count)
{
    const char *reply = run_ask(run, "asked %d %s", bits, calls->text);

    if (strncmp(reply, "ok", 2) != 0)
        return false;
    reply += 2;
    for (size_t i = 0; i < count; i++) {
        answers[i] = (struct attempt){0};
        size_t length = strcspn(++reply, " ");
        if (strncmp(reply, "let", length) == 0)
            answers[i].result = FILTER_LETS;
        else if (reply[0] == 's')
            answers[i].signal = atoi(reply + 1);
        else
            answers[i].result = atoll(reply);
        reply += length;
    }
    return true;
}

/* --- the four doors --------------------------------------------------------------------------- */

enum { BITS = 32, MIXES = 64, TRIES = BITS + MIXES };

struct door {
    const char *name;
    const char *refused, *let; /* reasons */
    uint64_t namespaces;
    bool is_clone; /* its lowest byte is a signal, and its upper half is nothing */
};

/* Each flag alone, then mixed ones; every second mix has no namespace among it. */
static void draw_flags(struct grade *g, const struct door *door, int bits, uint64_t flags[TRIES])
{
    static const uint64_t signals[] = {0, SIGCHLD, SIGUSR1, 64};

    for (unsigned i = 0; i < TRIES; i++) {
        uint64_t mix = (uint64_t)grade_random(g, 1 << 16) << 16 | grade_random(g, 1 << 16);
        flags[i] = i < BITS ? UINT64_C(1) << i : mix;
        if (i >= BITS && i % 2 == 0)
            flags[i] &= ~door->namespaces;
        if (!door->is_clone)
            continue;
        flags[i] = (flags[i] & ~UINT64_C(0xff)) | signals[grade_random(g, 4)];
        if (bits == 64 && sizeof(long) == 8 && i >= BITS && i % 8 < 2)
            flags[i] |= (uint64_t)grade_between(g, 1, 1000) << 32;
    }
}

static void check_door(struct run *run, int bits, const struct door *door)
{
    struct grade *g = run_grade(run);
    int number = filter_number_of(bits, door->name);
    bool second = door->is_clone && seccomp_arch_native() == SCMP_ARCH_S390X;
    const char *way = bits == 32 ? "by int 0x80, " : "";
    struct filter_calls calls = {0};
    struct attempt answers[TRIES];
    uint64_t flags[TRIES];

    draw_flags(g, door, bits, flags);
    for (size_t i = 0; i < TRIES; i++)
        filter_add(&calls, "%d,%s%llu", number, second ? "0," : "", (unsigned long long)flags[i]);
    if (number < 0 || !filter_ask(run, bits, &calls, answers, TRIES))
        return;
    for (size_t i = 0; i < TRIES; i++) {
        const char *call = say(g, "%s%s(0x%llx)", way, door->name, (unsigned long long)flags[i]);
        bool made = (flags[i] & door->namespaces) != 0;
        int64_t result = made ? -EPERM : FILTER_LETS;
        const char *because = made ? door->refused : door->let;
        if (because == NULL || (door->refused == NULL && answers[i].result == -EPERM))
            continue;
        expect(g, answers[i].signal == 0 && answers[i].result == result, .because = because,
               .expected = made ? say(g, "%s, with a namespace among the flags: EPERM", call)
                                : say(g, "%s, without a namespace, is let through", call),
               .kernel = say(g, "%s: %s", call, filter_attempt_text(g, &answers[i])),
               .see = "seccomp_rule_add(3), SCMP_CMP_MASKED_EQ; clone(2), unshare(2)");
    }
}

/* Refused whatever its arguments are. */
static void check_shut(struct run *run, int bits, const char *name, int error, const char *because)
{
    struct grade *g = run_grade(run);
    int number = filter_number_of(bits, name);
    struct filter_calls calls = {0};
    struct attempt answers[3];

    filter_add(&calls, "%d,0,0", number);
    filter_add(&calls, "%d,99,%u", number, (unsigned)CLONE_NEWNET);
    filter_add(&calls, "%d,1,88", number);
    if (number < 0 || !filter_ask(run, bits, &calls, answers, 3))
        return;
    for (size_t i = 0; i < 3; i++)
        expect(g, answers[i].signal == 0 && answers[i].result == -error, .because = because,
               .expected =
                   say(g, "%s%s, whatever its arguments: %s", bits == 32 ? "by int 0x80, " : "",
                       name, filter_error_name(g, error)),
               .kernel = say(g, "%s: %s", name, filter_attempt_text(g, &answers[i])),
               .see = "clone(2), setns(2)");
}

void filter_check_doors(struct run *run, int bits, const struct filter_reasons *because)
{
    const uint64_t namespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
                                CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;

    check_door(run, bits,
               &(struct door){"clone", because->clone, because->no_process, namespaces, true});
    check_door(run, bits,
               &(struct door){"unshare", because->unshare, because->no_unshare,
                              namespaces | CLONE_NEWTIME, false});
    if (because->setns != NULL)
        check_shut(run, bits, "setns", EPERM, because->setns);
    if (because->clone3 != NULL)
        check_shut(run, bits, "clone3", ENOSYS, because->clone3);
}
