#include "grade/crash.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "grade/grade.h"

enum { FRAMES_MAX = 8 };

extern char **environ;

/* Runs `addr2line -f -e PROGRAM OFFSET...` and returns what it prints: two lines an offset, the
 * function and "FILE:LINE". Returns the length, 0 when there is no addr2line. */
static size_t addr2line(const char *program, char *const offsets[], char *text, size_t size)
{
    char *argv[5 + FRAMES_MAX] = {"addr2line", "-f", "-e", (char *)program};
    posix_spawn_file_actions_t actions;
    int ends[2];
    size_t length = 0;
    ssize_t got;
    pid_t pid;

    for (int i = 0; i < FRAMES_MAX && offsets[i] != NULL; i++)
        argv[4 + i] = offsets[i];
    if (pipe(ends) < 0)
        return 0;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", 1 /* O_WRONLY */, 0);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    int result = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    while (result == 0 && length < size - 1 &&
           (got = read(ends[0], text + length, size - 1 - length)) > 0)
        length += (size_t)got;
    close(ends[0]);
    while (result == 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    text[length] = '\0';
    return length;
}

/* The innermost frame in a layer (not in what labs are given), as "FUNCTION (FILE:LINE)". */
static const char *place_of(struct grade *g, char *offsets_text)
{
    char *offsets[FRAMES_MAX + 1] = {NULL};
    char text[8192];
    char *rest = offsets_text;
    int count = 0;

    for (char *word; count < FRAMES_MAX && (word = strsep(&rest, " \n")) != NULL;)
        if (word[0] == '+')
            offsets[count++] = word + 1;
    if (count == 0 || addr2line(g->program, offsets, text, sizeof text) == 0)
        return NULL;
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
