#include "grade/board.h"

#include <limits.h>
#include <string.h>

#include "grade/lab.h"
#include "grade/page.h"
#include "grade/text.h"

enum { TITLE_WIDTH = 40, BAR_WIDTH = 6 };

struct tally {
    int steps, passed, points;
    bool changed; /* one that passed did so with another version of the layer */
    char bar[STEP_MAX + 1];
};

/* How far the steps of a lab have come: those of `which`, a bit each; 0: the core ones. */
static struct tally count(const struct progress *progress, const struct lab *lab, unsigned which,
                          const char *layer)
{
    struct tally tally = {0};

    for (size_t i = 0; i < lab->count; i++) {
        const struct step *step = &lab->steps[i];
        const struct progress_entry *entry = progress_find(progress, lab->name, step->slug);
        if (which ? !(which >> i & 1) : step->more)
            continue;
        bool same = entry && strcmp(entry->layer, layer) == 0;
        tally.bar[tally.steps++] = !entry ? '.' : same ? '#' : 'o';
        tally.passed += entry != NULL;
        tally.changed = tally.changed || (entry && !same);
        tally.points += entry ? step->points : 0;
    }
    return tally;
}

static enum standing standing_now(const struct progress *progress, const char *root,
                                  const struct lab *lab, char layer[DIGEST_HEX])
{
    char path[PATH_MAX];

    layer[0] = '\0';
    if (lab_layer_path(root, "labs", lab->name, path, sizeof(path)) == 0)
        progress_layer_digest(path, layer);
    return progress_standing(progress, lab, layer);
}

static void add_lab(struct page *page, const struct lab *lab, const struct tally *tally,
                    enum standing standing)
{
    char number[3];
    const char *mark = page->style->utf8 ? "…" : "...";
    const char *title = text_cut(&page->arena, page_text(page, lab->title), TITLE_WIDTH, mark);
    int gap = TITLE_WIDTH - (int)text_columns(title, strlen(title));

    if (page->style->plain) {
        page_add(page,
                 arena_format(&page->arena, "%s %s: %d of %d core steps, %d of 100 points%s",
                              lab_number(lab, number), title, tally->passed, tally->steps,
                              tally->points, standing == STANDING_CHANGED ? ", changed" : ""));
        return;
    }
    page_add(page, arena_format(&page->arena, "%s  %s%*s  %-*s  %d/%d core %3d/100%s",
                                lab_number(lab, number), title, gap, "", BAR_WIDTH, tally->bar,
                                tally->passed, tally->steps, tally->points,
                                standing == STANDING_CHANGED ? " changed" : ""));
}

int board_print(FILE *out, const struct style *style, const char *root)
{
    struct page page = {.style = style};
    struct progress progress;
    const struct lab *next = NULL;
    const struct lab *changed = NULL;
    size_t labs_count;
    const struct lab *const *labs = labs_all(&labs_count);
    char number[3];

    int error = progress_load(root, &progress);
    if (error < 0)
        return error;
    for (size_t i = 0; i < labs_count; i++) {
        char layer[DIGEST_HEX];
        enum standing standing = standing_now(&progress, root, labs[i], layer);
        struct tally tally = count(&progress, labs[i], 0, layer);
        add_lab(&page, labs[i], &tally, standing);
        if (!next && standing != STANDING_PASSED)
            next = labs[i];
        if (!changed && standing == STANDING_CHANGED)
            changed = labs[i];
    }
    if (changed)
        page_add(&page, style->plain ? "changed: edited since it passed, graded again before use"
                                     : "o  edited since it passed: graded again before it is used");
    if (progress.garbage > 0)
        page_add(&page, arena_format(&page.arena, ".progress/passed: %zu lines make no sense",
                                     progress.garbage));
    if (next)
        page_add(&page, arena_format(&page.arena, "next: make lab%s", lab_number(next, number)));
    else
        page_add(&page, labs_count ? "next: all labs have passed: make demo" : "no labs");
    progress_free(&progress);
    page_print(&page, out);
    return 0;
}

/* "0:25  make lab03     PID 1, and what ps can see                ..      0/2" */
static void add_stop(struct page *page, const struct track_stop *stop, const struct tally *tally,
                     int start)
{
    struct arena *arena = &page->arena;
    const char *about = page_text(page, stop->about);
    int gap = TITLE_WIDTH - (int)text_columns(about, strlen(about));

    if (page->style->plain) {
        const char *passed =
            stop->lab ? arena_format(arena, ", %d of %d steps", tally->passed, tally->steps) : "";
        page_add(page, arena_format(arena, "make %s: %s, %d minutes%s", stop->command, about,
                                    stop->minutes, passed));
        return;
    }
    const char *left =
        arena_format(arena, "%d:%02d  make %-9s %s", start / 60, start % 60, stop->command, about);
    page_add(page, stop->lab ? arena_format(arena, "%s%*s  %-*s  %d/%d", left, gap > 0 ? gap : 0,
                                            "", BAR_WIDTH, tally->bar, tally->passed, tally->steps)
                             : left);
}

int board_track(FILE *out, const struct style *style, const char *root, const struct track *track)
{
    struct page page = {.style = style};
    struct progress progress;
    const char *next = NULL;
    int minutes = 0;

    int error = progress_load(root, &progress);
    if (error < 0)
        return error;
    for (size_t i = 0; i < track->count; i++) {
        const struct track_stop *stop = &track->stops[i];
        char layer[DIGEST_HEX];
        struct tally tally = {0};
        if (stop->lab) {
            standing_now(&progress, root, stop->lab, layer);
            tally = count(&progress, stop->lab, stop->steps, layer);
        }
        add_stop(&page, stop, &tally, minutes);
        minutes += stop->minutes;
        if (!next && (tally.passed < tally.steps || tally.changed))
            next = stop->command;
    }
    page_add(&page, arena_format(&page.arena, "the track \"%s\": %d:%02d hours without breaks",
                                 track->name, minutes / 60, minutes % 60));
    page_add(&page, next ? arena_format(&page.arena, "next: make %s", next)
                         : "next: all its steps have passed; make TRACK= shows the other labs");
    progress_free(&progress);
    page_print(&page, out);
    return 0;
}

int board_standings(FILE *out, const char *root)
{
    struct progress progress;
    size_t labs_count;
    const struct lab *const *labs = labs_all(&labs_count);

    int error = progress_load(root, &progress);
    if (error < 0)
        return error;
    for (size_t i = 0; i < labs_count; i++) {
        char layer[DIGEST_HEX];
        enum standing standing = standing_now(&progress, root, labs[i], layer);
        fprintf(out, "%s %s\n", labs[i]->name, standing_name(standing));
    }
    progress_free(&progress);
    return 0;
}
