#include "grade/track.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "grade/lab.h"
#include "kernel/own.h"

static unsigned all_steps(const struct lab *lab, bool more)
{
    unsigned steps = 0;

    for (size_t i = 0; i < lab->count; i++)
        if (more || !lab->steps[i].more)
            steps |= 1U << i;
    return steps;
}

/* Which steps, as the page has it. 0 or -EINVAL. */
static int read_steps(struct track_stop *stop, const char *text)
{
    if (strcmp(text, "core") == 0 || strcmp(text, "all") == 0)
        stop->steps = all_steps(stop->lab, text[0] == 'a');
    else if (lab_read_steps(text, &stop->steps) < 0 || stop->steps >> stop->lab->count != 0)
        return -EINVAL;
    return 0;
}

/* 1 for a stop, 0 for one that this kit cannot make, -EINVAL. */
static int read_stop(struct track_stop *stop, const char *line)
{
    char steps[32];

    *stop = (struct track_stop){0};
    if (sscanf(line, "%d %15s %31s %63[^\n]", &stop->minutes, stop->command, steps, stop->about) !=
            4 ||
        stop->minutes < 1)
        return -EINVAL;
    const char *number = strpbrk(stop->command, "0123456789");
    const struct lab *lab = number ? lab_find(number) : NULL;
    if (number && !lab)
        return 0;
    if (strcmp(steps, "-") == 0)
        return 1;
    stop->lab = lab;
    return lab && read_steps(stop, steps) == 0 ? 1 : -EINVAL;
}

static int read_page(struct track *track, FILE *page, char *fault, size_t size)
{
    char line[256];
    int found = 0;

    for (int number = 1; fgets(line, sizeof(line), page); number++) {
        if (line[0] == '#' || line[strspn(line, " \t\n")] == '\0')
            continue;
        if (track->count < TRACK_STOPS)
            found = read_stop(&track->stops[track->count], line);
        if (found < 0 || track->count == TRACK_STOPS) {
            snprintf(fault, size, "harness/tracks/%s: line %d makes no sense", track->name, number);
            return -EINVAL;
        }
        track->count += found == 1;
    }
    if (!ferror(page))
        return 0;
    snprintf(fault, size, "harness/tracks/%s cannot be read", track->name);
    return -EIO;
}

int track_load(struct track *track, const char *root, const char *name, char *fault, size_t size)
{
    char path[4096];

    *track = (struct track){0};
    snprintf(track->name, sizeof(track->name), "%s", name);
    snprintf(path, sizeof(path), "%s/harness/tracks/%s", root, name);
    bool plain = name[0] && !strpbrk(name, "/.");
    autofclose FILE *page = plain ? fopen(path, "re") : NULL;
    if (!page) {
        snprintf(fault, size, "%s: there is no such track; harness/tracks/ has them", name);
        return -ENOENT;
    }
    return read_page(track, page, fault, size);
}

static const struct track_stop *stop_of(const struct track *track, const struct lab *lab)
{
    for (size_t i = 0; track && i < track->count; i++)
        if (track->stops[i].lab == lab)
            return &track->stops[i];
    return NULL;
}

unsigned track_asked(const struct grade_options *options, const struct lab *lab)
{
    if (options->step)
        return 1U << (options->step - 1);
    if (options->steps)
        return options->steps;
    const struct track_stop *stop = stop_of(options->track, lab);
    return stop ? stop->steps : 0;
}

bool track_next(const struct grade_options *options, const struct lab *lab, char *text, size_t size)
{
    const struct track *track = options->track;
    const struct track_stop *stop = stop_of(track, lab);

    if (!stop || options->step || options->steps)
        return false;
    bool last = ++stop == track->stops + track->count;
    snprintf(text, size, "make%s%s", last ? "" : " ", last ? "" : stop->command);
    return true;
}
