#include "grade/crash.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grade/grade.h"
#include "grade/world.h"

enum { FRAMES_MAX = 8 };

/* Runs `addr2line -f -e PROGRAM OFFSET...` and returns what it prints: two lines an offset, the
 * function and "FILE:LINE"; NULL when there is none. In the sandbox, for the program that it takes
 * apart is the student's. */
static const char *addr2line(struct grade *g, const char *const offsets[])
{
    const char *argv[5 + FRAMES_MAX] = {"addr2line", "-f", "-e", world_program(g)};
    struct room room = {.pidfd = -1, .socket = -1};

    for (int i = 0; i < FRAMES_MAX && offsets[i] != NULL; i++)
        argv[4 + i] = offsets[i];
    const char *text = world_tool(g, argv, &room);
    room_close(&room);
    return text;
}

/* The innermost frame in a layer (not in what labs are given), as "FUNCTION (FILE:LINE)". */
static const char *place_of(struct grade *g, char *offsets_text)
{
    const char *offsets[FRAMES_MAX + 1] = {NULL};
    const char *answer;
    char text[8192];
    char *rest = offsets_text;
    int count = 0;

    for (char *word; count < FRAMES_MAX && (word = strsep(&rest, " \n")) != NULL;)
        if (word[0] == '+')
            offsets[count++] = word + 1;
    if (count == 0 || (answer = addr2line(g, offsets)) == NULL)
        return NULL;
    snprintf(text, sizeof text, "%s", answer);
    rest = text;
    for (char *function; (function = strsep(&rest, "\n")) != NULL && rest != NULL;) {
        char *place = strsep(&rest, "\n");
        char *file = strrchr(place, '/');
        if (strstr(place, "/given") != NULL || place[0] == '?')
            continue;
        char *end = strchr(file != NULL ? file : place, ' '); /* " (discriminator 2)" */
        if (end != NULL)
            *end = '\0';
        return say(g, "%s (%s)", function, file != NULL ? file + 1 : place);
    }
    return NULL;
}

void crash_note(struct grade *g)
{
    static const char mark[] = ": crashed: signal ";
    size_t count = logring_count(&g->log);

    for (size_t i = count; i-- > 0;) {
        const char *line = logring_line(&g->log, i);
        const char *found = strstr(line, mark);
        if (found == NULL)
            continue;
        char offsets[LOGRING_BYTES + 1];
        int number = atoi(found + strlen(mark));
        const char *at = strstr(found, " at");
        snprintf(offsets, sizeof offsets, "%s", at != NULL ? at + 3 : "");
        const char *place = place_of(g, offsets);
        grade_note(g, "crashed: %s (SIG%s)%s%s", strsignal(number),
                   sigabbrev_np(number) != NULL ? sigabbrev_np(number) : "?",
                   place != NULL ? " in " : "", place != NULL ? place : "");
        return;
    }
}
