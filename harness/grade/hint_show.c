/* `make hint05`: which hint, shown how, and remembered. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "grade/atomic.h"
#include "grade/hint.h"
#include "grade/lab.h"
#include "grade/page.h"
#include "kernel/own.h"

enum { BECAUSE_MAX = 128 };

/* Reads report/last: the step that failed first (0: none did) and why. */
static int read_last(const char *report, const struct lab *lab, int *step, char *because)
{
    char path[PATH_MAX];
    char slug[128];

    snprintf(path, sizeof(path), "%s/last", report);
    autofclose FILE *file = fopen(path, "re");
    if (!file)
        return -errno;
    if (fscanf(file, "%d %127s %127s", step, slug, because) != 3)
        return -EBADMSG;
    if (*step == 0)
        return 0;
    /* By slug: the steps may have been numbered anew since. */
    for (size_t i = 0; i < lab->count; i++) {
        if (strcmp(lab->steps[i].slug, slug) == 0) {
            *step = lab->steps[i].number;
            return 0;
        }
    }
    return -EBADMSG;
}

/* The highest tier shown so far, by report/hints-shown: "slug tier" a line, the latest counts. */
static int tier_shown(const char *report, const char *slug)
{
    char path[PATH_MAX];
    char name[128];
    int tier = 0;
    int shown = 0;

    snprintf(path, sizeof(path), "%s/hints-shown", report);
    autofclose FILE *file = fopen(path, "re");
    while (file && fscanf(file, "%127s %d", name, &tier) == 2)
        if (strcmp(name, slug) == 0 && tier > shown && tier <= HINT_TIERS)
            shown = tier;
    return shown;
}

/* Not being able to remember is no reason not to help. */
static void remember(const char *report, const char *slug, int tier)
{
    char line[160];
    int length = snprintf(line, sizeof(line), "%s %d\n", slug, tier);
    autoclose int folder = atomic_folder(report);

    if (folder < 0)
        return;
    autoclose int fd =
        openat(folder, "hints-shown", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (fd >= 0)
        (void)!write(fd, line, (size_t)length);
}

/* Decides on the step; STATUS_PASSED, or what to exit with. */
static enum status find_step(const struct hint_request *request, int *step, char *because,
                             struct arena *arena, const char **fault)
{
    char number[3];
    int last = 0;
    int error = read_last(request->report, request->lab, &last, because);

    lab_number(request->lab, number);
    if (error < 0 || last != request->step)
        because[0] = request->step ? '\0' : because[0];
    if (request->step < 0 || (size_t)request->step > request->lab->count) {
        *fault = arena_format(arena, "lab%s has no step %d", number, request->step);
        return STATUS_USAGE;
    }
    *step = request->step ? request->step : last;
    if (request->step == 0 && error < 0) {
        *fault = arena_format(arena,
                              "lab%s has not been graded yet: make lab%s (or name a step: "
                              "make hint%s STEP=1)",
                              number, number, number);
        return STATUS_USAGE;
    }
    return STATUS_PASSED;
}

static void print(const struct hint *hint, const struct hint_request *request,
                  const struct step *step, const struct style *style, FILE *out)
{
    struct page page = {.style = style};
    char number[3];

    lab_number(request->lab, number);
    page_add(&page,
             arena_format(&page.arena, "lab%s · step %d · %s", number, step->number, step->title));
    char label[32];
    snprintf(label, sizeof(label), "  hint %d of %d", hint->tier, HINT_TIERS);
    page_add_wrapped(&page, label, 16, hint->text, PAGE_LINES - 4);
    if (hint->tier < HINT_TIERS)
        page_add(&page, arena_format(&page.arena, "more: make hint%s STEP=%d TIER=%d", number,
                                     step->number, hint->tier + 1));
    else
        page_add(&page, arena_format(&page.arena, "read: docs/%s.md#%s", request->lab->name,
                                     step->chapter));
    page_print(&page, out);
}

enum status hint_show(const struct hint_request *request, const struct style *style, FILE *out,
                      struct arena *arena, const char **fault)
{
    char path[PATH_MAX];
    char because[BECAUSE_MAX] = "";
    struct hints hints;
    int number = 0;

    enum status status = find_step(request, &number, because, arena, fault);
    if (status != STATUS_PASSED)
        return status;
    if (number == 0) {
        fprintf(out, "nothing failed in the last run: there is nothing to hint at\n");
        return STATUS_PASSED;
    }
    const struct step *step = &request->lab->steps[number - 1];
    int tier = request->tier;
    if (tier == 0)
        tier = tier_shown(request->report, step->slug) + 1;
    if (tier > HINT_TIERS)
        tier = HINT_TIERS;
    snprintf(path, sizeof(path), "%s/harness/graders/%s.hints", request->root, request->lab->name);
    int error = hints_read(path, &hints);
    const struct hint *hint = error < 0 ? NULL : hints_choose(&hints, step->slug, tier, because);
    if (hint) {
        print(hint, request, step, style, out);
        remember(request->report, step->slug, tier);
    } else if (error < 0) {
        *fault = hints.fault ? arena_copy(arena, hints.fault, strlen(hints.fault))
                             : arena_format(arena, "%s: %s", path, strerror(-error));
    } else {
        *fault = arena_format(arena, "%s: [%s] has no tier %d", path, step->slug, tier);
    }
    hints_free(&hints);
    return hint ? STATUS_PASSED : STATUS_HARNESS;
}
