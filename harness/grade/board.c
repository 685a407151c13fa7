#include "grade/board.h"

#include <limits.h>
#include <string.h>

#include "grade/lab.h"
#include "grade/page.h"
#include "grade/text.h"

enum { TITLE_WIDTH = 40, BAR_WIDTH = 6 };

struct tally {
    int core, core_passed, points;
    char bar[STEP_MAX + 1];
};

static struct tally count(const struct progress *progress, const struct lab *lab, const char *layer)
{
    struct tally tally = {0};

    for (size_t i = 0; i < lab->count; i++) {
        const struct step *step = &lab->steps[i];
        const struct progress_entry *entry = progress_find(progress, lab->name, step->slug);
        if (step->more)
            continue;
        tally.bar[tally.core++] = !entry ? '.' : strcmp(entry->layer, layer) == 0 ? '#' : 'o';
        tally.core_passed += entry != NULL;
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
                              lab_number(lab, number), title, tally->core_passed, tally->core,
                              tally->points, standing == STANDING_CHANGED ? ", changed" : ""));
        return;
    }
    page_add(page, arena_format(&page->arena, "%s  %s%*s  %-*s  %d/%d core %3d/100%s",
                                lab_number(lab, number), title, gap, "", BAR_WIDTH, tally->bar,
                                tally->core_passed, tally->core, tally->points,
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
        struct tally tally = count(&progress, labs[i], layer);
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
