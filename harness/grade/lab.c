#include "grade/lab.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LABS_MAX = 64, AFTER_MAX = 4 };

/* The linker makes these two; weak, for a program without a single lab has no such section. */
extern const struct lab *const __start_strata_labs[] __attribute__((weak));
extern const struct lab *const __stop_strata_labs[] __attribute__((weak));

static int by_name(const void *left, const void *right)
{
    const struct lab *const *a = left;
    const struct lab *const *b = right;

    return strcmp((*a)->name, (*b)->name);
}

const struct lab *const *labs_all(size_t *count)
{
    static const struct lab *labs[LABS_MAX];
    static size_t found;

    if (found == 0) {
        for (const struct lab *const *lab = __start_strata_labs; lab < __stop_strata_labs; lab++)
            if (*lab && found < LABS_MAX)
                labs[found++] = *lab;
        qsort(labs, found, sizeof(labs[0]), by_name);
    }
    *count = found;
    return labs;
}

const struct lab *lab_find(const char *name)
{
    size_t count;
    const struct lab *const *labs = labs_all(&count);
    size_t digits = strspn(name, "0123456789");

    for (size_t i = 0; i < count; i++) {
        if (strcmp(labs[i]->name, name) == 0)
            return labs[i];
        if (digits > 0 && digits <= 2 && !name[digits] && atoi(labs[i]->name) == atoi(name))
            return labs[i];
    }
    return NULL;
}

const char *lab_number(const struct lab *lab, char number[3])
{
    snprintf(number, 3, "%s", lab->name);
    return number;
}

static const char *step_fault(const struct lab *lab, size_t index)
{
    const struct step *step = &lab->steps[index];

    if (step->number != (int)index + 1)
        return "is not numbered in turn";
    if (!step->slug || !step->slug[0] || strpbrk(step->slug, "/\t\n []"))
        return "has no slug, or one with a slash or a space";
    if (!step->title || !step->run || !step->chapter)
        return "lacks a title, a chapter or a function";
    if (step->points <= 0)
        return "gives no points";
    for (size_t i = 0; i < index; i++)
        if (strcmp(lab->steps[i].slug, step->slug) == 0)
            return "shares its slug with an earlier one";
    for (size_t i = 0; i < AFTER_MAX; i++)
        if (step->after[i] < 0 || step->after[i] >= step->number)
            return "comes after one that is not before it";
    return NULL;
}

const char *lab_fault(const struct lab *lab)
{
    static char fault[256];
    int core = 0;

    if (!lab->name || strspn(lab->name, "0123456789") != 2 || lab->name[2] != '-' || !lab->title)
        return "its name is not NN-name, or it has no title";
    if (lab->count == 0 || lab->count > STEP_MAX)
        return "it has no steps, or too many";
    for (size_t i = 0; i < lab->count; i++) {
        const char *what = step_fault(lab, i);
        if (what) {
            snprintf(fault, sizeof(fault), "step %zu %s", i + 1, what);
            return fault;
        }
        core += lab->steps[i].more ? 0 : lab->steps[i].points;
    }
    if (core != 100) {
        snprintf(fault, sizeof(fault), "its core steps add up to %d points, not 100", core);
        return fault;
    }
    return NULL;
}

int lab_select(const struct lab *lab, int only, struct result *results)
{
    if (only < 0 || only > STEP_MAX)
        return -ENOENT;
    return lab_select_set(lab, only == 0 ? 0 : 1U << (only - 1), results);
}

int lab_select_set(const struct lab *lab, unsigned steps, struct result *results)
{
    int selected = 0;

    if (lab->count == 0 || lab->count > STEP_MAX || steps >> lab->count != 0)
        return -ENOENT;
    for (size_t i = 0; i < lab->count; i++)
        results[i].selected = steps == 0 || (steps >> i & 1) != 0;
    /* A step comes only after earlier ones, so one pass from the end finds the whole chain. */
    for (size_t i = lab->count; i-- > 0;) {
        if (!results[i].selected)
            continue;
        selected++;
        for (size_t k = 0; k < AFTER_MAX && lab->steps[i].after[k] != 0; k++)
            results[lab->steps[i].after[k] - 1].selected = true;
    }
    return selected;
}

int lab_read_steps(const char *text, unsigned *steps)
{
    *steps = 0;
    for (;;) {
        char *end;
        long first = strtol(text, &end, 10), last = first;
        if (*end == '-')
            last = strtol(end + 1, &end, 10);
        if (end == text || first < 1 || last < first || last > STEP_MAX ||
            (*end != ',' && *end != '\0'))
            return -EINVAL;
        for (long step = first; step <= last; step++)
            *steps |= 1U << (step - 1);
        if (*end == '\0')
            return 0;
        text = end + 1;
    }
}

/* A layer bears the name of its contract; other programs of a lab have none. The contract is in
 * labs/ also when the layer is taken from solutions/. */
static bool is_layer(const char *root, const char *name, const char *file)
{
    char header[4096];
    size_t length = strlen(file);

    if (length <= 2 || strcmp(file + length - 2, ".c") != 0 || file[0] == '.' ||
        strncmp(file, "given_", 6) == 0)
        return false;
    int written =
        snprintf(header, sizeof(header), "%s/labs/%s/%.*s.h", root, name, (int)(length - 2), file);
    return written < (int)sizeof(header) && access(header, F_OK) == 0;
}

int lab_layer_path(const char *root, const char *src, const char *name, char *path, size_t size)
{
    char folder[4096];
    int found = 0;

    snprintf(folder, sizeof(folder), "%s/%s/%s", root, src, name);
    DIR *directory = opendir(folder);
    if (!directory)
        return -errno;
    for (struct dirent *entry; (entry = readdir(directory));) {
        if (!is_layer(root, name, entry->d_name))
            continue;
        found++;
        if (snprintf(path, size, "%s/%s", folder, entry->d_name) >= (int)size)
            found = 2;
    }
    closedir(directory);
    return found == 1 ? 0 : found == 0 ? -ENOENT : -ENOTUNIQ;
}
